/**
 * What was said of each atom of a document, by the number of its element and its slot there. Of a large document there
 * are millions: what is said of elements whose conversion is done is packed into a few bytes each.
 */
import type { Disposition } from '../conversion.ts';
import type { Draft } from './draft.ts';

export interface Mark {
  disposition: Disposition;
  draft?: Draft;
  path?: string;
  rule?: string;
  reason?: string;
}

type Slots = (Mark | undefined)[];

export class Marks {
  readonly #open: (Slots | undefined)[] = [];
  /** Of each element that was packed: its first packed atom, from 1. */
  readonly #first = new Numbers();
  /** Of each packed atom: which kind of mark, from 1, and which draft, from 1; 0 is none. */
  readonly #kinds = new Numbers();
  readonly #targets = new Numbers();
  #atoms = 0;
  readonly #table: Mark[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #drafts: Draft[] = [];
  readonly #draftNumbers = new Map<Draft, number>();

  get(order: number, slot: number): Mark | undefined {
    const slots = this.#open[order];
    if (slots !== undefined) return slots[slot];
    const first = this.#firstOf(order);
    return first === 0 ? undefined : this.#unpacked(first - 1 + slot);
  }

  /** Says of an atom where it went; the first thing said stands, except that `mapped` overrides the others. */
  put(order: number, slot: number, count: number, mark: Mark): void {
    let slots = this.#open[order];
    if (slots === undefined) {
      const first = this.#firstOf(order);
      if (first !== 0) {
        if (isBetter(mark, this.#unpacked(first - 1 + slot))) this.#write(first - 1 + slot, mark);
        return;
      }
      slots = new Array<Mark | undefined>(count).fill(undefined);
      this.#open[order] = slots;
    }
    if (isBetter(mark, slots[slot])) slots[slot] = mark;
  }

  /** Takes back what was said of an element. */
  clear(order: number): void {
    this.#open[order] = undefined;
    if (this.#firstOf(order) !== 0) this.#first.set(order, 0);
  }

  /** Says of an element what was said of another, where nothing was said of it. @param count the slots of each */
  copy(from: number, to: number, count: number): void {
    if (this.#open[to] !== undefined || this.#firstOf(to) !== 0) return;
    const open = this.#open[from];
    if (open !== undefined) {
      this.#open[to] = open.slice();
      return;
    }
    for (let slot = 0; slot < count; slot++) {
      const mark = this.get(from, slot);
      if (mark !== undefined) this.put(to, slot, count, mark);
    }
  }

  /** Packs what was said of the elements of a range. */
  pack(from: number, to: number): void {
    for (let order = from; order < to; order++) {
      const slots = this.#open[order];
      if (slots === undefined) continue;
      this.#first.set(order, this.#atoms + 1);
      for (const mark of slots) {
        if (mark !== undefined) this.#write(this.#atoms, mark);
        this.#atoms += 1;
      }
      this.#open[order] = undefined;
    }
  }

  #firstOf(order: number): number {
    return this.#atoms === 0 ? 0 : this.#first.at(order);
  }

  #write(atom: number, mark: Mark): void {
    const { disposition, draft, path = '', rule = '', reason = '' } = mark;
    const name = `${disposition}|${path}|${rule}|${reason}`;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      const { draft: _, ...kind } = mark;
      number = this.#table.push(kind);
      this.#numbers.set(name, number);
    }
    this.#kinds.set(atom, number);
    this.#targets.set(atom, draft === undefined ? 0 : this.#numberOf(draft));
  }

  #numberOf(draft: Draft): number {
    let number = this.#draftNumbers.get(draft);
    if (number === undefined) {
      number = this.#drafts.push(draft);
      this.#draftNumbers.set(draft, number);
    }
    return number;
  }

  #unpacked(atom: number): Mark | undefined {
    const number = this.#kinds.at(atom);
    if (number === 0) return undefined;
    const kind = this.#table[number - 1]!;
    const target = this.#targets.at(atom);
    return target === 0 ? kind : { ...kind, draft: this.#drafts[target - 1]! };
  }
}

function isBetter(mark: Mark, before: Mark | undefined): boolean {
  return before === undefined || (before.disposition !== 'mapped' && mark.disposition === 'mapped');
}

const pageNumbers = 65_536;

/** A list of numbers, 0 where none was set, that grows by pages. */
class Numbers {
  readonly #pages: (Uint32Array | undefined)[] = [];

  at(index: number): number {
    return this.#pages[Math.floor(index / pageNumbers)]?.[index % pageNumbers] ?? 0;
  }

  set(index: number, value: number): void {
    const page = Math.floor(index / pageNumbers);
    this.#pages[page] ??= new Uint32Array(pageNumbers);
    this.#pages[page][index % pageNumbers] = value;
  }
}
