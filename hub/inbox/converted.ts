/** A message as its conversion leaves it: texts of facts and the account of its fields, small enough to pass between threads. */
import type { ConversionIssue, Fact, IdentityEvent, LedgerEntry } from '@causeway/mapping';
import { faultReason } from '../faults.ts';
import type { StatedIdentity } from '../identity/index.ts';
import { convert } from './convert.ts';
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
  /** Why there is no conversion. */
  error: string | undefined;
}

const shownIssues = 200;
const shownKinds = 500;

/** Converts a message. Never throws: a converter that fails is told in `error`. */
export function convertMessage({ id, dialect, bytes, charset, received, source }: ToConvert): ConvertedMessage {
  try {
    const context = {
      source: source.key,
      receivedAt: received,
      messageUri: `urn:causeway:message:${id}`,
      ...source.settings,
    };
    const conversion = convert(
      dialect,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      context,
      charset,
    );
    if (typeof conversion === 'string') return noConversion(conversion);
    const { facts, identityEvents, ledger, issues } = conversion;
    return {
      facts: facts.map((fact) => stated(fact, source)),
      identityEvents: identityEvents.map(byId),
      ...account(ledger),
      issues: issues.slice(0, shownIssues),
      issueCount: issues.length,
      error: undefined,
    };
  } catch (error) {
    return noConversion(`The conversion failed: ${faultReason(error)}.`);
  }
}

/** What is left of a message that could not be converted, and why. */
export function noConversion(error: string): ConvertedMessage {
  return { facts: [], identityEvents: [], ...account([]), issues: [], issueCount: 0, error };
}

/** A statement about identities with the ids of Patients where the converter gives references. */
function byId(event: IdentityEvent): IdentityEvent {
  const id = (value: unknown) => (typeof value === 'string' ? value.replace(/^Patient\//, '') : value);
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [name, id(value)])) as IdentityEvent;
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

/** The fact's text, marked with the organisation it comes from. */
function stated(
  { resource, asOf, mode, clears, adds, defaults }: Fact,
  source: { key: string; name: string },
): StatedFact {
  const tag = { system: 'urn:causeway:source', code: source.key, display: source.name };
  const text = JSON.stringify({
    ...resource,
    meta: { ...resource.meta, tag: [...(resource.meta?.tag ?? []), tag] },
  });
  return { type: resource.resourceType, id: resource.id!, text, asOf, mode, clears, adds, defaults };
}

function account(ledger: readonly LedgerEntry[]): Pick<ConvertedMessage, 'counts' | 'notMapped'> {
  const counts = { mapped: 0, consumed: 0, structural: 0, kept: 0, rejected: 0 };
  const kinds = new Set<string>();
  for (const { source, disposition } of ledger) {
    counts[disposition]++;
    if (disposition === 'kept' || disposition === 'rejected') kinds.add(source.replace(/\[\d+\]/g, ''));
  }
  return { counts, notMapped: [...kinds].slice(0, shownKinds) };
}
