/**
 * A fold: what the record would hold of some resources had it received only these statements, in this order. It takes
 * facts as a transaction does (`applyFacts`), in memory.
 */
import type { ScannedResource } from '@causeway/fhir';
import { ridOf } from '../record/index.ts';
import type { FactStore, Known } from './apply.ts';

/** What was folded of one resource. */
export interface Folded extends Known {
  type: string;
  id: string;
  /** Undefined where it was deleted. */
  scanned: ScannedResource | undefined;
}

export class Fold implements FactStore {
  readonly #folded = new Map<string, Folded>();
  /** The moment of the statement that is folded now. */
  now = new Date(0);

  /** What was folded so far, in the order in which resources were first stated. */
  get all(): Iterable<Folded> {
    return this.#folded.values();
  }

  get(type: string, id: string): Folded | undefined {
    return this.#folded.get(keyOf(type, id));
  }

  put(
    scanned: ScannedResource,
    type: string,
    id: string,
    by: { asOf: string | undefined; message: string | undefined },
  ): Folded {
    return this.#next(type, id, { scanned, text: scanned.text, ...by });
  }

  /** A client's deletion. */
  remove(type: string, id: string): void {
    this.#next(type, id, { scanned: undefined, text: undefined, asOf: undefined, message: undefined });
  }

  restate(type: string, id: string, asOf: string): void {
    const before = this.get(type, id)!;
    if (before.asOf === undefined || asOf > before.asOf) this.#folded.set(keyOf(type, id), { ...before, asOf });
  }

  #next(type: string, id: string, stated: Pick<Folded, 'scanned' | 'text' | 'asOf' | 'message'>): Folded {
    const version = (this.get(type, id)?.version ?? 0) + 1;
    const next = { type, id, version, updated: this.now, ...stated };
    this.#folded.set(keyOf(type, id), next);
    return next;
  }
}

/** A resource, however its id is written. */
export function keyOf(type: string, id: string): string {
  return `${type}/${ridOf(id)}`;
}
