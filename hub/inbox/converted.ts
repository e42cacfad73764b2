/**
 * A message as its conversion leaves it: texts of facts and the account of its fields, small enough to pass between threads.
 * Nothing here converts: the tables that do are large, and only the threads load them (`convert.ts`).
 */
import type { ConversionIssue, DocumentVersion, Fact, IdentityEvent, LedgerEntry } from '@causeway/mapping';
import type { StatedIdentity } from '../identity/index.ts';
import type { Dialect } from './receive.ts';

/** What a conversion has to know of a message. */
export interface ToConvert {
  id: string;
  dialect: Dialect;
  bytes: Uint8Array;
  /** The charset that the transport told. */
  charset?: string | undefined;
  /** ISO 8601. */
  received: string;
  source: { key: string; name: string; settings: object };
}

/** A fact as text, with how it meets what is known. */
export interface StatedFact extends Pick<Fact, 'asOf' | 'mode' | 'clears' | 'adds' | 'defaults'> {
  type: string;
  id: string;
  text: string;
}

export interface ConvertedMessage {
  facts: StatedFact[];
  identityEvents: IdentityEvent[];
  counts: { mapped: number; consumed: number; structural: number; kept: number; rejected: number };
  /** The kinds of source fields that carried content and were not mapped, each once: `PID-25.1.1`, or a path without positions. */
  notMapped: string[];
  issues: ConversionIssue[];
  issueCount: number;
  /** Of a document whose versions follow each other. */
  document?: DocumentVersion | undefined;
  /** Why there is no conversion. */
  error: string | undefined;
}

const shownKinds = 500;

/** What is left of a message that could not be converted, and why. */
export function noConversion(error: string): ConvertedMessage {
  const { counts, notMapped } = new Account();
  return { facts: [], identityEvents: [], counts, notMapped, issues: [], issueCount: 0, error };
}

/** The ids of the Patients that such a statement names. */
export function patientsOf(event: IdentityEvent): string[] {
  switch (event.kind) {
    case 'merge':
      return [event.surviving, event.retired];
    case 'move':
      return [event.patient, event.to];
    case 'refile':
      return [event.to];
    case 'replace':
      return [];
    default:
      return [event.a, event.b];
  }
}

/** What the events say to the person index; the others say where visits and accounts are filed. */
export function statedIdentities(events: readonly IdentityEvent[], source: string): StatedIdentity[] {
  return events.flatMap((event) => {
    if (event.kind === 'replace' || event.kind === 'refile') return [];
    const [a, b] = patientsOf(event);
    return { kind: event.kind, a: a!, b: b!, at: event.at, source };
  });
}

/** The account of a message's fields in short. */
export class Account {
  readonly counts = { mapped: 0, consumed: 0, structural: 0, kept: 0, rejected: 0 };
  readonly #kinds = new Set<string>();

  note({ source, disposition }: LedgerEntry): void {
    this.counts[disposition]++;
    const isShown = disposition === 'kept' || disposition === 'rejected';
    if (isShown && this.#kinds.size < shownKinds) this.#kinds.add(source.replace(/\[\d+\]/g, ''));
  }

  get notMapped(): string[] {
    return [...this.#kinds];
  }
}
