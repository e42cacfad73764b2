/**
 * Figures over all documents beside pass and fail: codes and narrative found in the output for two sets of documents,
 * and what is kept in the original only, most frequent first.
 */
import type { Conversion } from '@causeway/mapping';
import { leavesOf } from '../presence.ts';
import { percent } from '../result.ts';
import { type CodedAtom, narrativesOf } from './atoms.ts';
import type { RawElement } from './markup.ts';

/** How many documents of one vendor count, so that none outweighs the others. */
const OF_EACH_VENDOR = 4;
const SHOWN = 25;

interface CodeCount {
  documents: number;
  codes: number;
  found: number;
  used: number;
}

export class Measures {
  readonly #sets = new Map<string, CodeCount>([
    ['samples of microsoft/FHIR-Converter', { documents: 0, codes: 0, found: 0, used: 0 }],
    [`vendors' documents, at most ${OF_EACH_VENDOR} of each`, { documents: 0, codes: 0, found: 0, used: 0 }],
    ['all', { documents: 0, codes: 0, found: 0, used: 0 }],
  ]);
  readonly #ofVendor = new Map<string, number>();
  readonly #open = new Map<string, { atoms: number; documents: number }>();
  #characters = 0;
  #told = 0;

  add(id: string, root: RawElement, codes: readonly CodedAtom[], conversion: Conversion): void {
    const leaves = new Set<string>();
    for (const { resource } of conversion.facts) for (const leaf of leavesOf(resource)) leaves.add(leaf);
    this.#countCodes(id, codes, leaves, conversion);
    this.#countNarrative(root, leaves);
    this.#countOpen(conversion);
  }

  get figures(): Record<string, number> {
    return { narrative_pct: percent(this.#told, this.#characters) };
  }

  /** The figures as people read them. */
  get summary(): string {
    const sets = [...this.#sets].filter(([, { documents }]) => documents > 0);
    const lines = sets.map(
      ([name, { documents, codes, found, used }]) =>
        `  ${name}: ${documents} documents, ${codes} distinct codes of entries, ` +
        `${percent(found, codes)} % in the output, ${percent(found + used, codes)} % with those that drove a decision`,
    );
    const open = [...this.#open].sort((a, b) => b[1].atoms - a[1].atoms).slice(0, SHOWN);
    return [
      'C-CDA → FHIR',
      ...lines,
      `  narrative: ${percent(this.#told, this.#characters)} % of ${this.#characters} characters in the output`,
      `  only in the original (atoms, documents, place), of ${this.#open.size} places:`,
      ...open.map(([place, { atoms, documents }]) => `    ${atoms} ${documents} ${place}`),
    ].join('\n');
  }

  #countCodes(id: string, codes: readonly CodedAtom[], leaves: ReadonlySet<string>, conversion: Conversion): void {
    const consumed = new Set<string>();
    for (const { source, disposition } of conversion.ledger) if (disposition === 'consumed') consumed.add(source);
    for (const name of this.#setsOf(id)) {
      const count = this.#sets.get(name)!;
      count.documents++;
      count.codes += codes.length;
      for (const { code, paths } of codes) {
        if (leaves.has(code)) count.found++;
        else if (paths.some((path) => consumed.has(path))) count.used++;
      }
    }
  }

  #setsOf(id: string): string[] {
    const [samples, vendors, all] = [...this.#sets.keys()] as [string, string, string];
    if (id.includes('ms-fhir-converter/input/')) return [all, samples];
    const vendor = /ccda\/vendors\/([^/]+)\//.exec(id)?.[1];
    if (vendor === undefined) return [all];
    const before = this.#ofVendor.get(vendor) ?? 0;
    this.#ofVendor.set(vendor, before + 1);
    return before < OF_EACH_VENDOR ? [all, vendors] : [all];
  }

  /** Each piece of text of the sections' narratives, sought in the text of the output without markup and blanks. */
  #countNarrative(root: RawElement, leaves: ReadonlySet<string>): void {
    const pieces = narrativesOf(root);
    if (pieces.length === 0) return;
    const output = [...leaves]
      .filter((leaf) => leaf.startsWith('<div'))
      .map(textOf)
      .join('\n');
    for (const piece of pieces) {
      const squeezed = piece.replace(/\s+/g, '');
      this.#characters += squeezed.length;
      if (output.includes(squeezed)) this.#told += squeezed.length;
    }
  }

  #countOpen(conversion: Conversion): void {
    const here = new Set<string>();
    for (const { source, disposition } of conversion.ledger) {
      if (disposition !== 'kept' && disposition !== 'rejected') continue;
      const steps = source.replace(/\[\d+\]/g, '').split('/');
      const place = steps.slice(-4).join('/') + (disposition === 'rejected' ? ' (rejected)' : '');
      const known = this.#open.get(place) ?? { atoms: 0, documents: 0 };
      known.atoms++;
      if (!here.has(place)) known.documents++;
      here.add(place);
      this.#open.set(place, known);
    }
  }
}

const ESCAPED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function textOf(xhtml: string): string {
  return xhtml
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (_, name: string) => ESCAPED[name]!)
    .replace(/\s+/g, '');
}
