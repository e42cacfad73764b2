/**
 * What deliveries are about: a report with its results, a document, a visit, an order, … Found from what a transaction
 * changed, or from everything that a home holds.
 */
import { typeCode, typeName } from '@causeway/fhir';
import { isWithdrawn } from '@causeway/mapping/facts';
import type { DiagnosticReport, Observation, Resource } from '@medplum/fhirtypes';
import { isReplacedSummary } from '../care/index.ts';
import type { Row as DatabaseRow } from '../database/index.ts';
import {
  type HomeKeys,
  openText,
  type ResourceChange,
  referenceHash,
  ridOf,
  sealIdentity,
  type WriteSet,
} from '../record/index.ts';
import type { Topic } from '../trust/index.ts';
import { isCritical } from './route-rules.ts';
import { caughtUpTypes, isOver, isPast, topicOf } from './topics.ts';

export interface Focus {
  type: string;
  rid: string;
  home: number;
  version: number;
  /** The inbox message that stated it last. */
  message: string | undefined;
  topic: Topic;
  /** Whether it is gone, or says that it never held. */
  withdrawn: boolean;
  /** Whether whoever was not told of it before need not be: it is over, or told of with something else. */
  isPast: boolean;
  /** As it is; undefined where it is gone. */
  resource: Resource | undefined;
  /** One of its results that was stated or changed has to be heard of at once. */
  isCritical: boolean;
  /** As it stood before the transaction, where some route asks what changed. */
  before?: Resource;
}

const reportType = typeCode('DiagnosticReport')!;
const observationType = typeCode('Observation')!;
/** Of one home, how many of them reach a site that comes to care for the person: the latest. */
const caughtUp = 500;

export interface Loaded {
  type: string;
  rid: string;
  home: number;
  version: number;
  message: string | undefined;
  resource: Resource;
}

/** What of some topics a transaction changed; reports also by one of their results. */
export async function changedFoci(set: WriteSet, keys: HomeKeys, wanted: ReadonlySet<Topic>): Promise<Focus[]> {
  const latest = new Map<string, ResourceChange>();
  for (const change of set.changes) latest.set(`${change.after.type}/${change.after.rid}`, change);
  const foci = new Map<string, Focus>();
  const covered = new Set<string>();
  const within = new Set<string>();
  for (const change of latest.values()) {
    const { after } = change;
    if (after.home < 0 || topicOf(after.type, undefined) === undefined) continue;
    const resource = after.deleted ? undefined : (change.parsed() as object as Resource);
    if (after.type === 'DiagnosticReport') {
      for (const rid of resultsOf(resource as DiagnosticReport | undefined)) covered.add(rid);
    }
    for (const order of toldWith(resource)) within.add(order);
    const focus = focusOf(after, resource);
    if (focus && wanted.has(focus.topic)) foci.set(focusKey(focus), focus);
  }
  for (const key of within) if (foci.has(key)) foci.set(key, { ...foci.get(key)!, isPast: true });
  const observations = [...latest.values()].filter(({ after }) => after.type === 'Observation');
  const alone = observations.filter(({ after }) => after.version > 1 && !covered.has(after.rid));
  for (const loaded of await reportsOf(set, keys, wanted.has('result') ? alone.map(({ after }) => after.rid) : [])) {
    const focus = focusOf(loaded, loaded.resource);
    if (!focus || foci.has(focusKey(focus))) continue;
    const change = alone.find(({ after }) => resultsOf(loaded.resource as DiagnosticReport).includes(after.rid));
    foci.set(focusKey(focus), { ...focus, message: change?.after.message ?? focus.message });
  }
  await noteEmptied([...foci.values()], set, keys, latest);
  noteCritical([...foci.values()], latest);
  return [...foci.values()];
}

/** What of some topics these homes hold and a site that comes to care for the person is to know. */
export async function fociOf(
  set: WriteSet,
  keys: HomeKeys,
  homes: number[],
  wanted: ReadonlySet<Topic>,
): Promise<Focus[]> {
  const { rows } = await set.transaction.query({
    name: 'outbox_foci',
    text: `SELECT home, type, rid, version, message, body FROM (
             SELECT *, row_number() OVER (PARTITION BY home ORDER BY rkey DESC) AS place FROM resource
             WHERE home = ANY($1) AND type = ANY($2) AND NOT deleted) r
           WHERE place <= ${caughtUp} ORDER BY rkey`,
    values: [homes, caughtUpTypes(wanted).map((type) => typeCode(type))],
  });
  const foci = (await opened(set, keys, rows)).flatMap((loaded) => {
    const focus = focusOf(loaded, loaded.resource);
    return focus && !isOver(loaded.resource) ? focus : [];
  });
  return foci.filter(({ topic, isPast }) => wanted.has(topic) && !isPast);
}

/**
 * Those of these resources, as they are now, of which a site is still to know.
 * @param isTold it was told of them: they are followed up, whatever became of them
 */
export async function fociNamed(
  set: WriteSet,
  keys: HomeKeys,
  named: readonly { type: string; rid: string }[],
  wanted: ReadonlySet<Topic>,
  isTold = false,
): Promise<Focus[]> {
  const types = [...new Set(named.map(({ type }) => type))];
  const ridsOf = (type: string) => named.filter((one) => one.type === type).map(({ rid }) => rid);
  const read = await Promise.all(types.map((type) => current(set, keys, typeCode(type)!, ridsOf(type))));
  const foci = read.flat().flatMap((loaded) => {
    const focus = focusOf(loaded, loaded.resource);
    return focus && (isTold || (!isOver(loaded.resource) && !focus.isPast)) && wanted.has(focus.topic) ? focus : [];
  });
  await noteEmptied(foci, set, keys, new Map());
  return foci;
}

/** Takes out what a summary document (C-CDA) retells: the site that made it delivers it. */
export async function withoutRetold(set: WriteSet, foci: Focus[]): Promise<Focus[]> {
  const messages = [...new Set(foci.flatMap(({ message }) => message ?? []))];
  if (messages.length === 0) return foci;
  const { rows } = await set.transaction.query({
    name: 'outbox_retold',
    text: `SELECT id FROM message WHERE id = ANY($1) AND dialect = 'ccda'`,
    values: [messages],
  });
  const retold = new Set(rows.map((row) => row.id));
  return foci.filter((one) => one.message === undefined || !retold.has(one.message) || isDocumentItself(one));
}

/** Whether it is the document that a message is. */
function isDocumentItself({ message, resource }: Focus): boolean {
  if (resource?.resourceType !== 'DocumentReference') return false;
  return (resource.content ?? []).some(({ attachment }) =>
    attachment?.url?.startsWith(`urn:causeway:message:${message}`),
  );
}

function focusOf(
  of: { type: string; rid: string; home: number; version: number; message: string | undefined },
  resource: Resource | undefined,
): Focus | undefined {
  const { type, rid, home, version, message } = of;
  const topic = topicOf(type, resource);
  if (topic === undefined) return undefined;
  const isReplaced = isReplacedSummary(resource);
  const withdrawn = resource === undefined || isWithdrawn(resource as { status?: string }) || isReplaced;
  return {
    type,
    rid,
    home,
    version,
    message,
    topic,
    withdrawn,
    isPast: resource !== undefined && isPast(resource),
    resource,
    isCritical: false,
  };
}

/** What tells it from all others: ids are unique within a type only. */
export function focusKey({ type, rid }: { type: string; rid: string }): string {
  return `${type}/${rid}`;
}

/** Of a report, and of what pharmacies make of an order: the key of the order that it is on. */
function toldWith(resource: Resource | undefined): string[] {
  if (resource?.resourceType !== 'DiagnosticReport' && resource?.resourceType !== 'MedicationRequest') return [];
  return (resource.basedOn ?? []).flatMap(({ reference }) => {
    const [, type, id] = /^([A-Za-z]+)\/(.+)$/.exec(reference ?? '') ?? [];
    return type === undefined || id === undefined ? [] : focusKey({ type, rid: ridOf(id) });
  });
}

/** The Observations of a report among resources, in the report's order. */
export function resultsIn(report: DiagnosticReport, resources: readonly Resource[]): Observation[] {
  const order = new Map(resultsOf(report).map((rid, i) => [rid, i]));
  const found = resources.filter((one) => one.resourceType === 'Observation' && order.has(ridOf(one.id!)));
  return (found as Observation[]).sort((a, b) => order.get(ridOf(a.id!))! - order.get(ridOf(b.id!))!);
}

/** Rids of the Observations that a report holds. */
export function resultsOf(report: DiagnosticReport | undefined): string[] {
  return (report?.result ?? []).flatMap(({ reference }) => {
    const id = /^Observation\/(.+)$/.exec(reference ?? '')?.[1];
    return id === undefined ? [] : ridOf(id);
  });
}

async function reportsOf(set: WriteSet, keys: HomeKeys, observations: string[]): Promise<Loaded[]> {
  if (observations.length === 0) return [];
  const { rows } = await set.transaction.query({
    name: 'outbox_reports',
    text: `SELECT DISTINCT ON (r.rid) r.home, r.type, r.rid, r.version, r.message, r.body
           FROM index_token t JOIN resource r USING (home, rkey)
           WHERE t.value = ANY($1) AND r.type = ${reportType} AND NOT r.deleted`,
    values: [observations.map((rid) => String(referenceHash('DiagnosticReport', 'result', 'Observation', rid)))],
  });
  return opened(set, keys, rows);
}

/** A report all of whose results were withdrawn is withdrawn, whatever its own status says. */
async function noteEmptied(
  foci: Focus[],
  set: WriteSet,
  keys: HomeKeys,
  latest: Map<string, ResourceChange>,
): Promise<void> {
  const reports = foci.filter(({ type, withdrawn }) => type === 'DiagnosticReport' && !withdrawn);
  const resultsOfReport = new Map(reports.map((focus) => [focus, resultsOf(focus.resource as DiagnosticReport)]));
  const known = new Map<string, boolean>();
  for (const rid of new Set([...resultsOfReport.values()].flat())) {
    const change = latest.get(`Observation/${rid}`);
    if (change) known.set(rid, change.after.deleted || isWithdrawn(change.parsed() ?? {}));
  }
  const doubtful = [...resultsOfReport.values()].filter((results) => results.every((rid) => known.get(rid) !== false));
  const unknown = [...new Set(doubtful.flat())].filter((rid) => !known.has(rid));
  for (const { rid, resource } of await current(set, keys, observationType, unknown))
    known.set(rid, isWithdrawn(resource as object));
  for (const [focus, results] of resultsOfReport)
    focus.withdrawn = results.length > 0 && results.every((rid) => known.get(rid) ?? true);
}

/** A report with a critical result among what changed. */
function noteCritical(foci: Focus[], latest: ReadonlyMap<string, ResourceChange>): void {
  for (const focus of foci) {
    if (focus.topic !== 'result' || !focus.resource) continue;
    focus.isCritical = resultsOf(focus.resource as DiagnosticReport).some((rid) => {
      const change = latest.get(`Observation/${rid}`);
      return change !== undefined && !change.after.deleted && isCritical(change.parsed() as object as Observation);
    });
  }
}

/** Resources as they stood before the transaction. */
export async function current(set: WriteSet, keys: HomeKeys, type: number, rids: string[]): Promise<Loaded[]> {
  if (rids.length === 0) return [];
  const { rows } = await set.transaction.query({
    name: 'outbox_current',
    text: 'SELECT home, type, rid, version, message, body FROM resource WHERE rid = ANY($1) AND type = $2 AND NOT deleted',
    values: [rids, type],
  });
  return opened(set, keys, rows);
}

async function opened(set: WriteSet, keys: HomeKeys, rows: DatabaseRow[]): Promise<Loaded[]> {
  const homeKeys = await keys.load(
    set.transaction,
    rows.map((row) => row.home),
  );
  return rows.flatMap((row) => {
    const key = homeKeys.get(row.home);
    const type = typeName(row.type)!;
    if (!key || !row.body) return [];
    const text = openText(row.body, key, sealIdentity({ type, rid: row.rid, version: row.version }));
    const { rid, home, version } = row as { rid: string; home: number; version: number };
    return { type, rid, home, version, message: row.message ?? undefined, resource: JSON.parse(text) as Resource };
  });
}
