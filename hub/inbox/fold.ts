/**
 * A fold: what the record would hold of some resources had it received only these statements, in this order. It takes
 * facts as a transaction does (`applyFacts`). Memory holds what is noted of each resource; the texts lie in a spool.
 */
import { isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import { homePatient, ridOf, type TextSpool } from '../record/index.ts';
import type { FactStore, Known } from './apply.ts';
import { type Filed, isFiled } from './refile.ts';

/** What was folded of one resource. Its text is read from the spool each time. */
export class Folded implements Known {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly updated: Date;
  /** When the source said so. */
  asOf: string | undefined;
  /** Undefined: a client's. */
  readonly message: string | undefined;
  /** In whose home it lives. */
  readonly patient: string | undefined;
  readonly #spool: TextSpool;
  readonly #place: number | undefined;

  /** @param scanned undefined where it is deleted */
  constructor(
    spool: TextSpool,
    type: string,
    id: string,
    scanned: ScannedResource | undefined,
    by: Pick<Folded, 'version' | 'updated' | 'asOf' | 'message' | 'patient'>,
  ) {
    this.type = type;
    this.id = id;
    this.version = by.version;
    this.updated = by.updated;
    this.asOf = by.asOf;
    this.message = by.message;
    this.patient = by.patient;
    this.#spool = spool;
    this.#place = scanned && spool.put(scanned.text, type);
  }

  /** Undefined where it is deleted. */
  get text(): string | undefined {
    return this.#place === undefined ? undefined : this.#spool.text(this.#place, this.type);
  }

  /** The text, scanned. */
  get scanned(): ScannedResource | undefined {
    const { text } = this;
    if (text === undefined) return undefined;
    const scanned = scanResource(text);
    if (isFhirError(scanned)) throw new Error('A folded resource does not read as it was written.');
    return scanned;
  }

  get isDeleted(): boolean {
    return this.#place === undefined;
  }
}

export class Fold implements FactStore {
  readonly #spool: TextSpool;
  readonly #folded = new Map<string, Folded>();
  readonly #patients = new Map<string, string>();
  /** The moment of the statement that is folded now. */
  now = new Date(0);

  constructor(spool: TextSpool) {
    this.#spool = spool;
  }

  /** What was folded so far, in the order in which resources were first stated. */
  get all(): Iterable<Folded> {
    return this.#folded.values();
  }

  get(type: string, id: string): Folded | undefined {
    return this.#folded.get(keyOf(type, id));
  }

  /** What is filed with a patient; see `ContentOf`. */
  contentOf(patient: string): Filed[] {
    const id = patient.slice('Patient/'.length);
    const content = [...this.all].filter((one) => one.patient === id && isFiled(one.type));
    return content.map((one) => ({
      type: one.type,
      reference: `${one.type}/${one.id}`,
      asOf: one.asOf,
      get text() {
        return one.text!;
      },
    }));
  }

  put(
    scanned: ScannedResource,
    type: string,
    id: string,
    by: { asOf: string | undefined; message: string | undefined },
  ): Folded {
    return this.#next(type, id, scanned, by);
  }

  /** A deletion. */
  remove(type: string, id: string): void {
    this.#next(type, id, undefined, { asOf: undefined, message: undefined });
  }

  restate(type: string, id: string, asOf: string): void {
    const before = this.get(type, id)!;
    if (before.asOf === undefined || asOf > before.asOf) before.asOf = asOf;
  }

  #next(
    type: string,
    id: string,
    scanned: ScannedResource | undefined,
    by: { asOf: string | undefined; message: string | undefined },
  ): Folded {
    const version = (this.get(type, id)?.version ?? 0) + 1;
    const patient = scanned && this.#own(homePatient(scanned, id));
    const next = new Folded(this.#spool, type, id, scanned, { version, updated: this.now, patient, ...by });
    this.#folded.set(keyOf(type, id), next);
    return next;
  }

  /** The same id, one copy of it, in memory of its own: a part of a text holds on to the whole. */
  #own(patient: string | undefined): string | undefined {
    if (patient === undefined) return undefined;
    let own = this.#patients.get(patient);
    if (own === undefined) {
      own = Buffer.from(patient).toString();
      this.#patients.set(own, own);
    }
    return own;
  }
}

/** A resource, however its id is written. */
export function keyOf(type: string, id: string): string {
  return `${type}/${ridOf(id)}`;
}
