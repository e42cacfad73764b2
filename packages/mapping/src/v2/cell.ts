/**
 * A cursor on one repetition: reads components and writes down, in the same act, where their values go.
 */

import { type DateTimeResult, toFhirDateTime } from './datatypes/datetime.ts';
import type { Run } from './run.ts';
import { type Atom, NULL, type Place, type SourceComponent, type SourceRepetition } from './source.ts';

export class Cell {
  readonly repetition: SourceRepetition;
  readonly place: Place;
  readonly run: Run;
  /** Row that is being carried out, e.g. `PID-5`. */
  readonly rule: string;

  constructor(repetition: SourceRepetition, run: Run, rule: string, place: Place = { draft: undefined, base: '' }) {
    this.repetition = repetition;
    this.run = run;
    this.rule = rule;
    this.place = place;
  }

  /** The same source with another place. */
  at(place: Place): Cell {
    return new Cell(this.repetition, this.run, this.rule, place);
  }

  /** Another repetition of the same field. */
  of(repetition: SourceRepetition): Cell {
    return new Cell(repetition, this.run, this.rule, this.place);
  }

  /** A component seen as a repetition: its sub-components become components. */
  inside(component: number): Cell | undefined {
    const found = this.repetition[component];
    if (found === undefined) return undefined;
    return new Cell(
      found.map((atom) => (atom === undefined ? undefined : [undefined, atom])),
      this.run,
      `${this.rule}.${component}`,
      this.place,
    );
  }

  component(component: number): SourceComponent | undefined {
    return this.repetition[component];
  }

  atom(component: number, sub = 1): Atom | undefined {
    return this.repetition[component]?.[sub];
  }

  /** Value without marking; undefined when empty, blank or `""`. */
  peek(component: number, sub = 1): string | undefined {
    const clean = this.repetition[component]?.[sub]?.clean;
    return clean === undefined || clean === '' || clean === NULL ? undefined : clean;
  }

  /** Value, marked as mapped to `path` below the cell's place. */
  text(path: string, component: number, sub = 1): string | undefined {
    const atom = this.repetition[component]?.[sub];
    if (atom === undefined) return undefined;
    const value = atom.clean;
    if (value === '' || value === NULL) {
      this.consume(atom);
      return undefined;
    }
    this.mark(atom, path);
    return value;
  }

  /** Marks as mapped to `path` below the place (or another place). */
  mark(atom: Atom | undefined, path: string, place: Place = this.place): void {
    if (atom === undefined || (atom.disposition === 'mapped' && atom.place?.draft !== undefined)) return;
    atom.disposition = 'mapped';
    atom.place = place;
    atom.path = path;
    atom.rule =
      atom.subcomponent === 1
        ? `${this.rule}/${atom.component}`
        : `${this.rule}/${atom.component}.${atom.subcomponent}`;
  }

  /** The text that was read stands in a longer one, so many characters on. */
  shift(by: number): void {
    for (const component of this.repetition) {
      for (const atom of component ?? []) if (atom?.place === this.place) atom.from = Math.max(atom.from, 0) + by;
    }
  }

  /** Value, marked as a part of the text at `path`, which begins so many characters on. */
  textPart(path: string, from: number, component: number, sub = 1): string | undefined {
    const atom = this.repetition[component]?.[sub];
    const isFree = atom !== undefined && (atom.disposition !== 'mapped' || atom.place?.draft === undefined);
    const value = this.text(path, component, sub);
    if (value !== undefined && isFree) atom!.from = from;
    return value;
  }

  /** Marks as having driven a decision. */
  consume(atom: Atom | undefined): void {
    if (atom === undefined || atom.disposition === 'mapped') return;
    atom.disposition = 'consumed';
    atom.rule = `${this.rule}/${atom.component}`;
  }

  /** Takes the repetition's values out of what is mapped: they drove a decision instead. */
  withdraw(): void {
    for (const component of this.repetition) {
      for (const atom of component ?? []) {
        if (atom === undefined || atom.disposition !== 'mapped') continue;
        atom.disposition = 'consumed';
        atom.place = undefined;
      }
    }
  }

  /** Value that drives a decision. */
  used(component: number, sub = 1): string | undefined {
    this.consume(this.repetition[component]?.[sub]);
    return this.peek(component, sub);
  }

  /** FHIR dateTime with the precision that was given; an impossible one is reported and rejected. */
  dateTime(path: string, component: number, sub = 1): string | undefined {
    const result = this.readDateTime(component, sub);
    if (result?.dateTime === undefined) return undefined;
    this.mark(this.atom(component, sub), path);
    return result.dateTime;
  }

  /** FHIR date. */
  date(path: string, component: number, sub = 1): string | undefined {
    return this.dateTime(path, component, sub)?.slice(0, 10);
  }

  readDateTime(component: number, sub = 1): DateTimeResult | undefined {
    const value = this.peek(component, sub);
    if (value === undefined) return undefined;
    const result = toFhirDateTime(value, this.run.zone);
    if (result.dateTime === undefined) this.reject(this.atom(component, sub), result.problem ?? 'not a date');
    return result;
  }

  /** A decimal number; anything else is reported and rejected. */
  number(path: string, component: number, sub = 1): number | undefined {
    const value = this.peek(component, sub);
    if (value === undefined) return undefined;
    const atom = this.atom(component, sub);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) || !Number.isFinite(Number(value))) {
      this.reject(atom, 'a number (NM) is digits with an optional sign and decimal point');
      return undefined;
    }
    this.mark(atom, path);
    return Number(value);
  }

  /** Lists an atom whose content cannot be right. */
  reject(atom: Atom | undefined, reason: string): void {
    if (atom === undefined || atom.disposition === 'mapped') return;
    atom.disposition = 'rejected';
    atom.reason = reason;
    this.run.issue('warning', 'value', this.run.sourceName(atom), `Value is not usable: ${reason}.`);
  }
}

/** A text that leaves are joined in, one after the other; each is marked with where it stands. */
export class Words {
  readonly #path: string;
  readonly #separator: string;
  text: string;

  /** @param begin what the text begins with */
  constructor(path: string, separator = ' ', begin = '') {
    this.#path = path;
    this.#separator = separator;
    this.text = begin;
  }

  /** Adds what no leaf says. */
  say(word: string): void {
    this.text = this.text === '' ? word : this.text + this.#separator + word;
  }

  /** Adds a leaf, if there is one. */
  add(cell: Cell | undefined, component: number, sub = 1, separator = this.#separator): void {
    const before = this.text === '' ? '' : this.text + separator;
    const word = cell?.textPart(this.#path, before.length, component, sub);
    if (word !== undefined) this.text = before + word;
  }
}
