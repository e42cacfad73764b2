/**
 * Documents that are told: those that came, with their content inline; those that the hub states itself; and the one that a
 * receiver of documents is sent of a change that is none, written when it is sent.
 */
import type { CcdaOptions, WrittenVersion } from '@causeway/mapping/outbound';
import type { Binary, DocumentReference, Encounter, Patient, Resource } from '@medplum/fhirtypes';
import { isReplacedSummary } from '../care/index.ts';
import type { Database } from '../database/index.ts';
import { RecordError, ridOf } from '../record/index.ts';
import type { Access, Route } from '../trust/index.ts';
import { confirmedLinks } from './confirmed.ts';
import type { NoContent } from './content.ts';
import type { Claimed } from './queue.ts';
import { isReferral } from './route-rules.ts';

/** What a document that the hub writes is of; ids, or rids. */
export type WrittenOf =
  | { kind: 'ccd'; patient: string }
  | { kind: 'discharge-summary'; encounter: string }
  | { kind: 'referral-note'; request: string };

export type WrittenAs = Pick<CcdaOptions, 'id' | 'time' | 'version'>;

export interface DocumentParts {
  /** Writes a C-CDA of what an access may read. @throws RecordError where it may not, or too much */
  write(access: Access, of: WrittenOf, as: WrittenAs): Promise<string>;
  /** Writes the version of such a C-CDA that withdraws what those before it told of somebody, in whose place it comes. */
  withdraw(patient: Patient, kind: WrittenOf['kind'], as: WrittenAs, why: string): Promise<string>;
  /**
   * The C-CDA that a message is, or what it carries (`nonXMLBody`); undefined where an access may not see all of it.
   * @throws RecordError 410 where it was erased
   */
  original(
    access: Access,
    message: string,
    part: 'whole' | 'body',
  ): Promise<{ contentType: string; bytes: Buffer } | undefined>;
}

const unconfirmed: NoContent = {
  state: 'cancelled',
  error: 'Not sent: nobody has confirmed that all that it would tell is of one person.',
  isUnconfirmed: true,
};

/** Of what is told as the hub writes it the C-CDA, or why there is none; undefined for anything else. */
export async function writtenDocument(
  { database, documents }: { database: Database; documents?: DocumentParts | undefined },
  access: Access | undefined,
  delivery: Claimed,
  route: Route,
  focus: Resource,
): Promise<string | NoContent | undefined> {
  const { to } = route;
  const of = access && !isReplacedSummary(focus) && writtenOf(delivery, route, focus);
  if (!documents || !of) return undefined;
  if (route.grade === 'confirmed' && !(await isAllConfirmed(database, delivery))) return unconfirmed;
  try {
    const version = to.dialect === 'ccda' ? await versionOf(database, delivery) : undefined;
    return await documents.write(access, of, writtenAs(delivery, version));
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    if (error.status === 422) return { state: 'dead', error: 'The document would be larger than one may be.' };
    return { state: 'cancelled', error: 'Not sent: the access decision keeps what it is of from this organisation.' };
  }
}

/**
 * Of what the hub had written for a route of C-CDA and is taken back, or replaced by the source's own, the version that withdraws
 * it. A document's place is taken by one of its own set, under a number of its own, from who keeps it (CDA R2 4.2.3.1): the source's
 * goes beside it as the source signed it, and what the source wrote only the source can replace.
 * @param told the focus as the recipient was told of it last
 * @returns undefined where the recipient has no document that could be named
 */
export async function withdrawal(
  { database, documents }: { database: Database; documents?: DocumentParts | undefined },
  delivery: Claimed,
  route: Route,
  focus: Resource,
  told: Resource | undefined,
  patient: Patient,
): Promise<string | undefined> {
  const of = told && route.to.dialect === 'ccda' ? writtenOf(delivery, route, told) : undefined;
  if (!of || !documents) return undefined;
  const version = await versionOf(database, delivery);
  if (!version.replaces) return undefined;
  const why = isReplacedSummary(focus)
    ? 'The discharge summary of those who cared for the patient has taken the place of this one, which no longer holds.'
    : 'What this document told does not hold and is withdrawn.';
  return documents.withdraw(patient, of.kind, writtenAs(delivery, version), why);
}

function writtenAs({ id, created }: Claimed, version: WrittenVersion | undefined): WrittenAs {
  return { id, time: created.toISOString(), ...(version && { version }) };
}

/** All documents of one focus to one recipient by one route are versions of one, by the numbers of their deliveries. */
async function versionOf(database: Database, delivery: Claimed): Promise<WrittenVersion> {
  const { destination, route, recipient, focus_type, focus_rid, round } = delivery;
  const { rows } = await database.query<{ id: string; number: number }>({
    name: 'outbox_document_before',
    text: `SELECT id, round AS number FROM delivery WHERE destination = $1 AND recipient = $2 AND focus_type = $3 AND focus_rid = $4
             AND round < $5 AND route = $6 AND (offered OR state = 'delivered') ORDER BY round DESC LIMIT 1`,
    values: [destination, recipient, focus_type, focus_rid, round, route],
  });
  const setId = { root: focus_rid, extension: `${destination}.${route}.${recipient}` };
  return { setId, number: round, ...(rows[0] && { replaces: rows[0] }) };
}

const stays: ReadonlySet<string | undefined> = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'SS']);

function writtenOf({ topic, recipient }: Claimed, { to }: Route, focus: Resource): WrittenOf | undefined {
  if (focus.resourceType === 'DocumentReference') {
    const url = focus.content?.[0]?.attachment?.url ?? '';
    const encounter = /^Binary\/discharge\.([0-9a-f-]{36})$/.exec(url)?.[1];
    return encounter === undefined ? undefined : { kind: 'discharge-summary', encounter };
  }
  if (to.dialect !== 'ccda') return undefined;
  if (focus.resourceType === 'ServiceRequest' && isReferral(focus))
    return { kind: 'referral-note', request: ridOf(focus.id!) };
  const { status, class: kind, id } = focus as Encounter;
  return topic === 'visit' && status === 'finished' && stays.has(kind?.code)
    ? { kind: 'discharge-summary', encounter: ridOf(id!) }
    : { kind: 'ccd', patient: recipient };
}

/** A document tells of all records of the person: whether each is one with the recipient's by somebody's word. */
async function isAllConfirmed(database: Database, { home, recipient_home }: Claimed): Promise<boolean> {
  const { rows } = await database.query<{ home: number }>({
    name: 'outbox_person',
    text: 'SELECT m.home FROM link l JOIN link m USING (person) WHERE l.home = $1',
    values: [home],
  });
  const homes = [...new Set([recipient_home, ...rows.map((row) => row.home)])];
  const isConfirmed = await confirmedLinks(database, homes);
  return homes.every((one) => isConfirmed(one, recipient_home));
}

const message = /^urn:causeway:message:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(#nonXMLBody)?$/;

/** The ids of the Binaries in which content of a document lies. */
export function binariesOf(focus: Resource): string[] {
  return focus.resourceType === 'DocumentReference'
    ? (focus.content ?? []).flatMap(({ attachment }) => binaryOf(attachment?.url) ?? [])
    : [];
}

/**
 * A document whose content lies in a Binary, or in the message that it came as, with the content inline.
 * @param access undefined where what was told is taken back, without content
 * @param binaries those that may be told of
 */
export async function withContent(
  documents: DocumentParts | undefined,
  access: Access | undefined,
  focus: Resource,
  binaries: readonly Resource[],
  to: Route['to'],
): Promise<Resource | NoContent> {
  if (focus.resourceType !== 'DocumentReference') return focus;
  const content: NonNullable<DocumentReference['content']> = [];
  for (const one of focus.content ?? []) {
    const { attachment } = one;
    const id = binaryOf(attachment?.url);
    const binary = binaries.find((item): item is Binary => item.resourceType === 'Binary' && item.id === id);
    const [, original, body] = message.exec(attachment?.url ?? '') ?? [];
    if (binary) {
      const { contentType, data } = binary;
      content.push({ ...one, attachment: { contentType, ...attachment, url: undefined, data } } as typeof one);
    } else if (original !== undefined && documents && access) {
      const came = await cameAs(documents, access, original, body && to.dialect !== 'ccda' ? 'body' : 'whole');
      if ('state' in came) return came;
      const { contentType, bytes } = came;
      const data = bytes.toString('base64');
      content.push({ ...one, attachment: { ...attachment, url: undefined, contentType, data } } as typeof one);
    } else content.push(one);
  }
  return { ...focus, content };
}

async function cameAs(
  documents: DocumentParts,
  access: Access,
  original: string,
  part: 'whole' | 'body',
): Promise<{ contentType: string; bytes: Buffer } | NoContent> {
  try {
    const came = await documents.original(access, original, part);
    return (
      came ?? { state: 'cancelled', error: 'Not sent: the access decision keeps a part of it from this organisation.' }
    );
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { state: 'dead', error: 'The document as it came is not here any more.' };
  }
}

function binaryOf(url: string | undefined): string | undefined {
  return /^Binary\/([A-Za-z0-9\-.]{1,64})$/.exec(url ?? '')?.[1];
}
