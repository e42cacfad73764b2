/**
 * What became of each mapped atom of a message when the message is written back from its resources: each segment is
 * held against the segment of its name that holds most of it, each atom against the leaves of its field there.
 */
import { forEachAtom, type Message } from '@causeway/hl7v2';
import type { Conversion } from '@causeway/mapping';
import { cleaned, type MeaningCheck, sameText } from './equal-values.ts';

/** - `given`: the same leaf; `text`: part of a text that stands in the same field; `lost`: neither. */
export type Fate = 'given' | 'text' | 'lost';

export interface AtomFate {
  /** `PID-5.1`, with the sub-component when it is not the first. */
  place: string;
  /** Where it stood, in the ledger's notation. */
  source: string;
  fate: Fate;
}

interface Leaf {
  source: string;
  field: number;
  repetition: number;
  component: number;
  subcomponent: number;
  value: string;
}

/** The fate of each atom that the ledger says is mapped. */
export function giveBack(source: Message, conversion: Conversion, written: Message, meaning: MeaningCheck): AtomFate[] {
  const targets = new Map<string, string>();
  for (const entry of conversion.ledger)
    if (entry.disposition === 'mapped') targets.set(entry.source, entry.target ?? '');
  const texts = new TextValues(conversion);
  const offered = segmentsOf(written);
  const fates: AtomFate[] = [];
  for (const [name, segments] of segmentsOf(source)) {
    const mapped = segments.map((leaves) => leaves.filter((leaf) => targets.has(leaf.source)));
    const unused = new Set(offered.get(name) ?? []);
    for (const leaves of mapped) {
      if (leaves.length === 0) continue;
      const match = bestOf(leaves, [...unused]) ?? bestOf(leaves, offered.get(name) ?? []);
      if (match !== undefined) unused.delete(match);
      fates.push(...fatesOf(name, leaves, match ?? [], targets, texts, meaning));
    }
  }
  return fates;
}

/** By segment name, the leaves of each occurrence. */
function segmentsOf(message: Message): Map<string, Leaf[][]> {
  const segments = new Map<string, Leaf[][]>();
  forEachAtom(message, ({ segment, occurrence, field, repetition, component, subcomponent, value }) => {
    const list = segments.get(segment) ?? [];
    segments.set(segment, list);
    const leaves = list[occurrence - 1] ?? [];
    list[occurrence - 1] = leaves;
    const source = `${segment}[${occurrence}]-${field}[${repetition}].${component}.${subcomponent}`;
    leaves.push({ source, field, repetition, component, subcomponent, value });
  });
  for (const [name, list] of segments)
    segments.set(
      name,
      Array.from(list, (leaves) => leaves ?? []),
    );
  return segments;
}

function bestOf(leaves: readonly Leaf[], candidates: readonly Leaf[][]): Leaf[] | undefined {
  let best: Leaf[] | undefined;
  let most = 0;
  for (const candidate of candidates) {
    const score = leaves.filter((leaf) =>
      candidate.some((other) => isAt(leaf, other) && sameText(leaf.value, other.value)),
    );
    if (score.length <= most) continue;
    best = candidate;
    most = score.length;
  }
  return best ?? candidates[0];
}

function isAt(a: Leaf, b: Leaf): boolean {
  return a.field === b.field && a.component === b.component && a.subcomponent === b.subcomponent;
}

function fatesOf(
  name: string,
  leaves: readonly Leaf[],
  match: readonly Leaf[],
  targets: ReadonlyMap<string, string>,
  texts: TextValues,
  meaning: MeaningCheck,
): AtomFate[] {
  const free = new Set(match);
  const given = new Set<Leaf>();
  const take = (leaf: Leaf, fits: (other: Leaf) => boolean) => {
    const found = [...free].filter((other) => isAt(leaf, other) && fits(other));
    const taken = found.find(({ repetition }) => repetition === leaf.repetition) ?? found[0];
    if (taken === undefined) return;
    free.delete(taken);
    given.add(leaf);
  };
  for (const leaf of leaves) take(leaf, (other) => sameText(leaf.value, other.value));
  for (const leaf of leaves) if (!given.has(leaf)) take(leaf, (other) => meaning.same(leaf.source, other.value));
  return leaves.map((leaf) => {
    const { source } = leaf;
    const sub = leaf.subcomponent === 1 ? '' : `.${leaf.subcomponent}`;
    const place = `${name}-${leaf.field}.${leaf.component}${sub}`;
    if (given.has(leaf)) return { place, source, fate: 'given' };
    const whole = texts.at(targets.get(source)!);
    return { place, source, fate: whole !== undefined && isInText(leaf, whole, match) ? 'text' : 'lost' };
  });
}

/** The resource holds the atom within a text, and the field holds that part of the text. */
function isInText(leaf: Leaf, whole: string, match: readonly Leaf[]): boolean {
  const [value, text] = [cleaned(leaf.value), cleaned(whole)];
  if (value === text || !text.includes(value)) return false;
  return match.some(({ field, value: other }) => {
    const part = cleaned(other);
    return field === leaf.field && part.includes(value) && text.includes(part);
  });
}

/** Texts that conversions join from several atoms, by ledger target; names of places are none, their parts have fields. */
class TextValues {
  readonly #resources = new Map<string, unknown>();

  constructor({ facts }: Conversion) {
    for (const { resource } of facts) this.#resources.set(`${resource.resourceType}/${resource.id}`, resource);
  }

  at(target: string): string | undefined {
    const [reference = '', path = ''] = target.split('#');
    if (reference.startsWith('Location/') && path === 'name') return undefined;
    let value = this.#resources.get(reference);
    for (const step of path.replace(/\[(\d+)\]/g, '.$1').split('.')) {
      if (value === null || typeof value !== 'object') return undefined;
      value = (value as Record<string, unknown>)[step];
    }
    if (typeof value === 'string') return path.endsWith('data') ? Buffer.from(value, 'base64').toString('utf8') : value;
    const text = (value as { text?: unknown } | undefined)?.text;
    return typeof text === 'string' ? text : undefined;
  }
}
