/**
 * What a delivery carries, read from the record: the focus as it stood when the delivery was written, so that every
 * attempt sends the same, what it refers to, and the recipient's own Patient. Reads are bounded to the two homes the
 * delivery names and to what belongs to no patient, and, save what is taken back, to what the access decision lets the
 * destination see at that moment.
 */
import { hiddenBy, label, type RowFacts } from '@causeway/access';
import { typeCode, typeName } from '@causeway/fhir';
import type { DiagnosticReport, Patient, Resource } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { labelled, redacted, referenceHash, ridOf } from '../record/index.ts';
import {
  type Access,
  accessCondition,
  type NetworkPolicy,
  type Participant,
  PolicyUnreadable,
  type Route,
  type Topic,
} from '../trust/index.ts';
import { binariesOf, type DocumentParts, withContent, withdrawal, writtenDocument } from './documents.ts';
import { resultsOf } from './focus.ts';
import type { Claimed } from './queue.ts';
import { type Reference, referencesOf } from './references.ts';
import { withReplaced } from './replaced-told.ts';
import { keyOf, type Version, type Versions, type Wanted } from './versions.ts';

export interface Content {
  topic: Topic;
  focus: Resource;
  /** What the focus refers to. */
  beside: Resource[];
  /** The focus and its results as the recipient was told of them last; none where it was not. */
  before: Resource[];
  recipient: Patient;
  /** What the hub wrote to be told of the focus, in C-CDA. */
  document?: string;
}

/** From the focus on, how many references are followed one after the other, and how much is read at most. */
const steps = 3;
const most = 500;

/** Why a delivery has no content: it cannot be read, the destination may not see it, or that is not decided yet. */
export interface NoContent {
  state: 'dead' | 'cancelled' | 'failed';
  error: string;
  /** Nothing but somebody's word on a link is missing. */
  isUnconfirmed?: true;
}

/** What a delivery is read with. */
interface Reading {
  database: Database;
  versions: Versions;
  /** What was read already, by what was asked for. */
  read: Map<string, StoredVersion[]>;
  /** Whose the access is; undefined where what was told is taken back. */
  access: Access | undefined;
  /** Whom it is told: what is hidden of resources from them is left out, also of what is taken back. */
  told: Access;
  /** The recipient's own Patient, which is told whole. */
  recipient: string;
  /** Whose source patient it is about. */
  source: string;
}

/** The content of a delivery, or why there is none. */
export async function readContent(
  parts: Pick<Reading, 'database' | 'versions'> & { documents?: DocumentParts | undefined },
  delivery: Claimed,
  destination: Participant,
  route: Route,
  policy: NetworkPolicy,
): Promise<Content | NoContent> {
  await policy.fresh();
  if (!policy.isReadable) return { state: 'failed', error: new PolicyUnreadable().message };
  const access = policy.participantAccess(destination, 'receive', route.purpose);
  if (access.refused !== undefined) return { state: 'failed', error: `Not sent: ${access.refused}` };
  const { home, created, topic } = delivery;
  const { source, recipient: rid } = delivery;
  const own: Reading = { ...parts, read: new Map(), access: undefined, told: access, recipient: rid, source };
  const reading = delivery.kind === 'retraction' ? own : { ...own, read: new Map(), access };
  const type = typeName(delivery.focus_type)!;
  const subject = { rid: delivery.focus_rid, home, at: created };
  const named = { rid: delivery.recipient, home: delivery.recipient_home, at: undefined };
  const next = [...parts.versions.foreseen(type, subject.rid)].slice(0, most).map((one) => ({ ...subject, rid: one }));
  await stored(reading, [subject, named, ...next]);
  const read = await stored(reading, [subject, named]);
  // Something else may have the same id.
  const isRecipient = ({ rid, resource }: StoredVersion) =>
    rid === delivery.recipient && resource.resourceType === 'Patient';
  const recipient = read.find(isRecipient)?.resource;
  if (recipient?.resourceType !== 'Patient') {
    return { state: 'dead', error: "The recipient's Patient is not in the record." };
  }
  const isFocus = ({ rid, resource }: StoredVersion) => rid === delivery.focus_rid && resource.resourceType === type;
  const found = read.find(isFocus);
  if (!found) return { state: 'dead', error: `The ${type} is not in the record.` };
  if (!found.isVisible) {
    return found.labels & label.unlabelled
      ? { state: 'failed', error: 'Not sent yet: it is not labelled, so nobody may see it.' }
      : { state: 'cancelled', error: 'Not sent: the access decision keeps it from this organisation.' };
  }
  // Somebody else's Patient, by which the person is introduced, is told of as anything else.
  const isHidden = read.find(isRecipient)?.isVisible !== true;
  if (isHidden && !isOf(recipient, destination.key) && delivery.kind !== 'retraction') {
    return { state: 'cancelled', error: 'Not sent: the access decision keeps it from this organisation.' };
  }
  const focus = await withReplaced(parts.database, delivery, found.resource);
  const told = async () => {
    const at = await toldLastAt(parts.database, delivery);
    return at && (await stored(own, [{ ...subject, at }])).find(isFocus)?.resource;
  };
  const document =
    delivery.kind === 'retraction' && route.to.dialect === 'ccda'
      ? await withdrawal(parts, delivery, route, focus, await told(), recipient)
      : await writtenDocument(parts, reading.access, delivery, route, focus);
  if (typeof document === 'object') return document;
  const said = { topic, recipient, ...(document === undefined ? {} : { document }) };
  const binaries = await versions(reading, home, binariesOf(focus).map(ridOf), created);
  const whole =
    document === undefined
      ? await withContent(parts.documents, reading.access, focus, binaries, route.to)
      : inline(focus, document);
  if ('state' in whole) return whole;
  if (route.to.dialect !== 'hl7v2') {
    const named = referencesOf(focus, true).map(({ rid }) => rid);
    return { ...said, focus: whole, beside: await versions(reading, home, named, created), before: [] };
  }
  const beside = await gathered(reading, delivery, focus);
  const toldLast = delivery.kind === 'new' ? undefined : await toldLastAt(parts.database, delivery);
  const earlier = toldLast && (await stored(own, [{ ...subject, at: toldLast }])).find(isFocus)?.resource;
  const before = earlier ? [earlier, ...(await resultsAt(own, home, earlier, toldLast))] : [];
  return { ...said, focus: whole, beside, before };
}

/** A summary that the hub states, with what it wrote of it; any other resource as it is. */
function inline(focus: Resource, document: string): Resource {
  if (focus.resourceType !== 'DocumentReference') return focus;
  const contentType = focus.content?.[0]?.attachment?.contentType;
  return { ...focus, content: [{ attachment: { contentType, data: Buffer.from(document).toString('base64') } }] };
}

/** Everything that the focus refers to, directly or by what it refers to. */
async function gathered(reading: Reading, delivery: Claimed, focus: Resource): Promise<Resource[]> {
  const { home, created } = delivery;
  const found: Resource[] = focus.resourceType === 'Patient' ? await survivorOf(reading, delivery, focus) : [];
  const seen = new Set<string>([`${focus.resourceType}/${ridOf(focus.id!)}`]);
  let next = referencesOf(focus, true);
  if (focus.resourceType === 'Immunization') next.push(...(await observationsOf(reading.database, delivery)));
  for (let step = 0; step < steps && next.length > 0 && found.length < most; step++) {
    const wanted = next.filter(({ type, rid }) => !seen.has(`${type}/${rid}`)).slice(0, most - found.length);
    for (const { type, rid } of wanted) seen.add(`${type}/${rid}`);
    const rids = [...new Set(wanted.map(({ rid }) => rid))];
    const types = new Set(wanted.map(({ type, rid }) => `${type}/${rid}`));
    const read = (await versions(reading, home, rids, created)).filter(({ resourceType, id }) =>
      types.has(`${resourceType}/${ridOf(id!)}`),
    );
    const place = new Map(rids.map((rid, i) => [rid, i]));
    read.sort((a, b) => place.get(ridOf(a.id!))! - place.get(ridOf(b.id!))!);
    found.push(...read);
    next = read.flatMap((resource) => referencesOf(resource, false));
  }
  return found;
}

/** The Patient that took the place of one that its site has merged into it, where both are one person still. */
async function survivorOf(reading: Reading, { home, created }: Claimed, { link }: Patient): Promise<Resource[]> {
  const id = /^Patient\/(.+)$/.exec(link?.find(({ type }) => type === 'replaced-by')?.other?.reference ?? '')?.[1];
  if (id === undefined) return [];
  const { rows } = await reading.database.query({
    name: 'outbox_survivor',
    text: `SELECT home FROM link WHERE patient = $1 AND person = (SELECT person FROM link WHERE home = $2)`,
    values: [ridOf(id), home],
  });
  return rows[0] ? versions(reading, rows[0].home, [ridOf(id)], created) : [];
}

/** The Observations that are part of an Immunization. */
async function observationsOf(database: Database, { focus_rid }: Claimed): Promise<Reference[]> {
  const { rows } = await database.query({
    name: 'outbox_observations',
    text: `SELECT DISTINCT r.rid FROM index_token t JOIN resource r USING (home, rkey)
           WHERE t.value = $1 AND r.type = ${typeCode('Observation')} AND NOT r.deleted ORDER BY r.rid LIMIT 50`,
    values: [String(referenceHash('Observation', 'part-of', 'Immunization', focus_rid))],
  });
  return rows.map(({ rid }) => ({ type: 'Observation', rid }));
}

/** When the last delivery about the focus before this one was written. */
async function toldLastAt(database: Database, delivery: Claimed): Promise<Date | undefined> {
  const { rows } = await database.query({
    name: 'outbox_told_last',
    text: `SELECT created FROM told WHERE destination = $1 AND recipient = $2 AND focus_type = $3 AND focus_rid = $4
             AND round < $5 AND route = $6 AND (state <> 'cancelled' OR offered) ORDER BY round DESC LIMIT 1`,
    values: [
      delivery.destination,
      delivery.recipient,
      delivery.focus_type,
      delivery.focus_rid,
      delivery.round,
      delivery.route,
    ],
  });
  return rows[0]?.created;
}

async function resultsAt(reading: Reading, home: number, focus: Resource, at: Date): Promise<Resource[]> {
  return focus.resourceType === 'DiagnosticReport'
    ? versions(reading, home, resultsOf(focus as DiagnosticReport), at)
    : [];
}

/** The last versions, of one home or of none, at a time, that may be told of; see `stored`. */
async function versions(reading: Reading, home: number, rids: string[], at: Date): Promise<Resource[]> {
  const wanted = rids.map((rid) => ({ rid, home, at }));
  return (await stored(reading, wanted)).flatMap(({ resource, isVisible }) => (isVisible ? resource : []));
}

interface StoredVersion {
  rid: string;
  resource: Resource;
  isVisible: boolean;
  labels: number;
}

/**
 * The last versions that were not deletions, each with the decision on it: an earlier version does not stand in for one that
 * is hidden.
 */
async function stored(reading: Reading, wanted: readonly Wanted[]): Promise<StoredVersion[]> {
  const { access, told, recipient, read } = reading;
  const unread = wanted.filter((one) => !read.has(keyOf(one)));
  if (unread.length > 0) {
    const found = await reading.versions.read(unread);
    const isVisible = access ? await decided(reading, access, found.flat()) : () => true;
    const shown = (version: Version): StoredVersion => {
      const { type, rid, labels, said } = version;
      const isOwn = type === 'Patient' && rid === recipient && isOf(said.resource as Patient, told.organization);
      const text = isOwn ? said.text : redacted(told, { type, labels, text: said.text });
      const shown = text === said.text ? said.resource : (JSON.parse(text) as Resource);
      const resource = labelled(shown, labels);
      return { rid, resource, isVisible: isVisible(version), labels };
    };
    for (const [i, one] of unread.entries()) read.set(keyOf(one), found[i]!.map(shown));
  }
  return wanted.flatMap((one) => read.get(keyOf(one))!);
}

/** Whether a Patient is an organisation's own. */
export function isOf({ meta }: Patient, organization: string): boolean {
  const sources = (meta?.tag ?? []).filter(({ system }) => system === 'urn:causeway:source');
  return sources.length === 0 || sources.some(({ code }) => code === organization);
}

/** The access decision on versions: in memory where the person gave no consent, which is nearly always, else by SQL. */
async function decided(
  { database, source }: Reading,
  access: Access,
  versions: Version[],
): Promise<(version: Version) => boolean> {
  const byConsent = versions.filter(({ isConsented }) => isConsented);
  const visible = new Set<string>();
  if (byConsent.length > 0) {
    const values: unknown[] = [
      byConsent.map(({ rid }) => rid),
      byConsent.map(({ type }) => typeCode(type)),
      byConsent.map(({ version }) => version),
    ];
    const of = (table: 'resource' | 'resource_history') =>
      `SELECT r.rid, r.type FROM ${table} r JOIN unnest($1::uuid[], $2::smallint[], $3::integer[]) AS w (rid, type, version)
         USING (rid, type, version) WHERE ${accessCondition(access, 'r', (value) => `$${values.push(value)}`, table)}`;
    const text = `${of('resource')} UNION ALL ${of('resource_history')}`;
    for (const row of (await database.query(text, values)).rows) visible.add(`${typeName(row.type)}/${row.rid}`);
  }
  return ({ type, rid, home, labels, isConsented }) => {
    if (isConsented) return visible.has(`${type}/${rid}`);
    const facts: RowFacts = {
      type,
      reference: `${type}/${rid}`,
      labels,
      codes: new Set(),
      ...(home < 0 ? {} : { patient: { source } }),
    };
    return hiddenBy(access.limits, facts, [], Date.now()) === undefined;
  };
}
