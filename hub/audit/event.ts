/**
 * An access as it is recorded: what anybody may read of it, which is its leaf in the log's tree, and what is sealed
 * (docs/audit.md).
 */
import { isResourceType } from '@causeway/fhir';
import { drawBytes } from '../secrets/index.ts';
import { commitment, nonceBytes, privateKeys, type Share, type SubjectKey, sealed, shareOf } from './commitments.ts';

/** The versions of what an access was decided by, none of which is about a person. */
export interface DecidedBy {
  /** The version of the network's policy. */
  policy: number;
  /** The last step with an organisation, which all agreements are as of. */
  agreements: number;
  /**
   * The record's number of the last change of a Consent that was known when it was decided, no more than moments before.
   * Those that were changed later may count too.
   */
  consents: number;
}

/** How an access ended: done, refused to who asked, not carried out as it was asked for, or failed by a fault of the hub. */
export type Outcome = 'success' | 'refused' | 'failed' | 'error';

/** An access in plain. */
export interface Entry {
  /** ISO 8601, UTC. */
  at: string;
  who: string;
  role: string;
  organization: string;
  purpose?: string;
  client?: string;
  emergency?: string;
  action: string;
  what: string;
  status: number;
  /** The network address that the hub saw. */
  address?: string;
  /** Which access token was used: its SHA-256, hexadecimal. */
  token?: string;
  reason?: string;
  relationship?: string;
  decidedBy?: DecidedBy;
  /** Whose relationship nothing proves. */
  unproven?: string[];
  /** Whose records were given out or changed, as ids of Patients. */
  patients?: string[];
  /** Of an access to more patients than one event names: which of how many. */
  part?: number;
  parts?: number;
  /** Of a file that was brought in. */
  entries?: number;
  damaged?: number;
}

/**
 * What a leaf says: the canonical JSON (RFC 8785) of this. Salted hashes stand for whom it is about and what is private.
 * Leaves of version 1 say neither outcome nor what the access was decided by.
 */
export interface PublicEvent extends Partial<DecidedBy> {
  action: string;
  at: string;
  client?: string;
  emergency?: string;
  organization: string;
  outcome?: Outcome;
  part?: number;
  parts?: number;
  patients?: string[];
  private: string;
  purpose?: string;
  relationship?: string;
  role: string;
  status: number;
  type?: string;
  v: 1 | 2;
  /** Missing where it is a patient or somebody who acts for one. */
  who?: string;
}

/** The part of an access that is sealed; `origin` is the commitment to the rest of what is. */
export type PrivateText = Pick<Entry, 'what' | 'reason' | 'unproven' | 'entries' | 'damaged'> & {
  who?: string;
  origin?: string;
};

/** From where an access came. It is of whoever asked, so that a receipt, which shows a person the private text, does not. */
export type Origin = Pick<Entry, 'address' | 'token'>;

export interface Subject extends SubjectKey {
  number: number;
}

/** An event, ready to be stored. */
export interface SealedEvent {
  /** The leaf. */
  line: string;
  nonce: Buffer;
  /** The numbers of the subjects: of its patients, in their order, and of what else seals it. */
  subjects: number[];
  sealed: Buffer;
  /** How many of the subjects it is found by. */
  found: number;
}

const mostPatients = 100;

/** An access to many patients as several events. */
export function partsOf(entry: Entry): Entry[] {
  const patients = [...new Set(entry.patients)];
  if (patients.length <= mostPatients) return [{ ...entry, patients }];
  const parts = Math.ceil(patients.length / mostPatients);
  return Array.from({ length: parts }, (_, i) => {
    const named = patients.slice(i * mostPatients, (i + 1) * mostPatients);
    const { unproven, ...rest } = entry;
    const lacking = unproven?.filter((patient) => named.includes(patient)) ?? [];
    return { ...rest, patients: named, ...(lacking.length > 0 ? { unproven: lacking } : {}), part: i + 1, parts };
  });
}

/**
 * The names of the subjects of an event: its patients, then the account of a patient or proxy, then the month, whose key is
 * destroyed when what is private has been kept for long enough. (Events of hubs before had the month only where there was
 * nobody else.)
 */
export function subjectNames({ at, who, role, patients = [] }: Entry): string[] {
  return [...patients, ...(isOwn(role) ? [accountSubject(who)] : []), monthSubject(at)];
}

/** The subject that stands for a month. @param at ISO 8601, UTC */
export function monthSubject(at: string): string {
  return `month:${at.slice(0, 7)}`;
}

/** The subject that stands for the account of a patient or proxy. */
export function accountSubject(username: string): string {
  return `account:${username}`;
}

/** @param subjects those of `subjectNames`, in that order */
export function sealEvent(entry: Entry, subjects: readonly Subject[]): SealedEvent {
  const { action, at, client, emergency, organization, part, parts, purpose, relationship, role, status } = entry;
  const { policy, agreements, consents } = entry.decidedBy ?? {};
  const nonce = drawBytes(nonceBytes);
  const shares: Share[] = subjects.map((subject) => shareOf(subject, nonce));
  const patients = entry.patients?.map((patient, i) => commitment(shares[i]!.salt, patient));
  const { key, salt, originSalt } = privateKeys(shares.map(({ secret }) => secret));
  const origin = originText(entry);
  const text = privateText(entry, origin && commitment(originSalt, origin));
  const type = typeIn(entry.what);
  // In the order of RFC 8785: by the names.
  const event: PublicEvent = {
    action,
    agreements,
    at,
    client,
    consents,
    emergency,
    organization,
    outcome: outcomeOf(status),
    part,
    parts,
    patients: patients?.length === 0 ? undefined : patients,
    policy,
    private: commitment(salt, text),
    purpose,
    relationship,
    role,
    status,
    type,
    v: 2,
    who: isOwn(role) ? undefined : entry.who,
  };
  return {
    line: JSON.stringify(event),
    nonce,
    subjects: subjects.map(({ number }) => number),
    sealed: sealed(key, origin === undefined ? text : `${text}\n${origin}`),
    found: (patients?.length ?? 0) + Number(isOwn(role)),
  };
}

/** @param status that of HTTP */
function outcomeOf(status: number): Outcome {
  if (status < 400) return 'success';
  if (status === 401 || status === 403) return 'refused';
  return status < 500 ? 'failed' : 'error';
}

function privateText({ damaged, entries, reason, unproven, what, who, role }: Entry, origin?: string): string {
  const text: PrivateText = { damaged, entries, origin, reason, unproven, what, who: isOwn(role) ? who : undefined };
  return JSON.stringify(text);
}

function originText({ address, token }: Entry): string | undefined {
  if (address === undefined && token === undefined) return undefined;
  const origin: Origin = { address, token };
  return JSON.stringify(origin);
}

/** Whether an account is that of a patient, or of somebody who acts for one. */
function isOwn(role: string): boolean {
  return role === 'patient' || role === 'proxy';
}

/** The type of what was asked for; what a caller made up is none. */
function typeIn(what: string): string | undefined {
  const start = what.startsWith('/') ? 1 : 0;
  const end = what.slice(start, start + 64).search(/[^A-Za-z]/);
  const name = end < 0 ? what.slice(start, start + 64) : what.slice(start, start + end);
  return name !== '' && isResourceType(name) ? name : undefined;
}
