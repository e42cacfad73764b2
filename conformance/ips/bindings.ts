/**
 * What a coded value is to the value set that it is bound to (https://hl7.org/fhir/R4/terminologies.html#strength). A required
 * binding wants a code of the set; an extensible one wants it where the set has a code for what is meant, which is known here
 * only where words or system tell it; a preferred one wants nothing. What cannot be judged is said, with the reason.
 */

import type { KnownSet } from './value-sets.ts';
import { type Fields, isObject } from './values.ts';

export interface Judged {
  /** `of` the set, `not` of it, or `open`: not known whether it is. */
  is: 'of' | 'not' | 'open';
  reason: string;
  /** Whether the set shows to have a code for what is meant. */
  applies: boolean;
}

export function judged(set: KnownSet, value: unknown): Judged {
  if (typeof value === 'string') {
    if (set.bare.has(value)) return ofSet;
    return set.open.size > 0 ? openBy([...set.open.values()][0]!) : notOf('a code that the set does not have', true);
  }
  const given = isObject(value) ? value : {};
  const codings = ((given.coding ?? (given.code === undefined ? [] : [given])) as Fields[]).filter(
    ({ code }) => code !== undefined,
  );
  if (codings.some(({ system, code }) => set.codes.has(`${system}|${code}`))) return ofSet;
  const words = [given.text, ...codings.map(({ display }) => display)];
  const meant = words.find((word) => typeof word === 'string' && set.byDisplay.has(word.trim().toLowerCase()));
  if (meant !== undefined) return notOf('the set has a code of these words', true);
  const wrong = codings.find(({ system }) => set.whole.has(String(system)));
  if (wrong !== undefined) return notOf('the code system has no such code', true);
  const reasons = codings.flatMap(({ system }) => set.open.get(String(system)) ?? set.open.get('*') ?? []);
  if (reasons.length > 0) return openBy(reasons[0]!);
  if (codings.length === 0) return notOf('words alone', false);
  if (codings.some(({ system }) => set.chosen.has(String(system)))) return notOf('not among the codes chosen', false);
  return notOf(`of another system: ${[...new Set(codings.map(({ system }) => system ?? 'none'))].join(', ')}`, false);
}

/** How often a value of an element is of the set that its binding names, or why not; of required ones what is not judged. */
export class BindingCounts {
  readonly #counts = new Map<string, number>();

  add(notes: readonly (Judged & { path: string; strength: string; valueSet: string })[]): void {
    for (const { strength, path, valueSet, is, reason } of notes) {
      if (strength === 'required' && is === 'of') continue;
      const outcome = { of: 'of the set', not: `not of it, ${reason}`, open: `not judged: ${reason}` }[is];
      const line = `${strength.padEnd(10)}  ${path} (${valueSet}): ${outcome}`;
      this.#counts.set(line, (this.#counts.get(line) ?? 0) + 1);
    }
  }

  /** How often by what is said of it. */
  get lines(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Adds what others counted. */
  addLines(lines: Iterable<readonly [string, number]>): void {
    for (const [line, count] of lines) this.#counts.set(line, (this.#counts.get(line) ?? 0) + count);
  }

  table(): string {
    const lines = [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([line, count]) => `  ${String(count).padStart(7)}  ${line}`);
    return ['Coded values by what they are to the value set that the guide binds them to:', ...lines].join('\n');
  }
}

const ofSet: Judged = { is: 'of', reason: '', applies: true };

function notOf(reason: string, applies: boolean): Judged {
  return { is: 'not', reason, applies };
}

function openBy(reason: string): Judged {
  return { is: 'open', reason, applies: false };
}
