/**
 * What was stated before a version of a document came: by all messages of its source about the same patient. It is
 * looked up only where the document is known already, and made anew from the originals, since a message that repeats
 * what is known leaves no trace in the record.
 */
import { isFhirError, scanResource, typeCode, typeName } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import { homePatient, ridOf, TextSpool, type WriteSet } from '../record/index.ts';
import type { ConvertedMessage } from './converted.ts';
import { isOnlyOf, type Judgement, type Statement, statementOf, withdraw } from './document-versions.ts';
import { keyOf } from './fold.ts';
import { type ConversionParts, convertListed, listMessages } from './lane-messages.ts';
import { messagesAbout } from './lane-versions.ts';

export interface BeforeParts extends ConversionParts {
  /** See `TextSpool`. */
  spoolDirectory: string;
}

/** A message of a batch that is about to be stored. */
interface Work {
  message: { id: string; lane: string; source: string };
  conversion: ConvertedMessage;
}

/** For each version of a document that is known, or earlier in the batch: what was stated before, in its order. */
export async function statementsBefore<W extends Work>(
  parts: BeforeParts,
  works: readonly W[],
): Promise<Map<W, Statement[]>> {
  const found = new Map<W, Statement[]>();
  const documents = works.filter(({ conversion }) => conversion.document !== undefined);
  if (documents.length === 0) return found;
  const rids = documents.map(({ conversion }) => ridOf(conversion.document!.document.split('/')[1]!));
  const { rows } = await parts.database.query({
    name: 'documents_known',
    text: 'SELECT rid FROM resource WHERE rid = ANY($1::uuid[]) AND type = $2',
    values: [rids, typeCode('DocumentReference')!],
  });
  const known = new Set(rows.map(({ rid }) => rid));
  for (const [i, work] of documents.entries()) {
    const inBatch = works.slice(0, works.indexOf(work)).filter((one) => isAboutTheSame(one, work));
    const isKnown = known.has(rids[i]) || inBatch.some((one) => documentOf(one) === documentOf(work));
    if (!isKnown) continue;
    const stored = await storedBefore(parts, work);
    found.set(work, [...stored, ...inBatch.map(({ message, conversion }) => statementOf(message.id, conversion))]);
  }
  return found;
}

function documentOf({ conversion }: Work): string | undefined {
  return conversion.document?.document;
}

function patientOf({ conversion }: Work): string | undefined {
  return conversion.facts.find(({ type }) => type === 'Patient')?.id;
}

function isAboutTheSame(one: Work, other: Work): boolean {
  if (one.message.source !== other.message.source) return false;
  return one.message.lane === other.message.lane || patientOf(one) === patientOf(other);
}

async function storedBefore(parts: BeforeParts, work: Work): Promise<Statement[]> {
  const { id, lane, source } = work.message;
  const patient = patientOf(work);
  const { rows } = await parts.database.query('SELECT home FROM patient_home WHERE rid = $1', [
    patient === undefined ? null : ridOf(patient),
  ]);
  const about = await messagesAbout(
    parts.database,
    source,
    rows.map(({ home }) => home),
  );
  const { rows: found } = await parts.database.query(
    `SELECT id, size FROM message
     WHERE source = $1 AND id <> $2 AND state = 'processed' AND (lane = $3::bigint OR id = ANY($4::uuid[]))`,
    [source, id, lane, about],
  );
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  if (found.length > mostMessages || bytes > mostBytes) return [tooMany];
  const listed = await listMessages(
    parts.database,
    'id = ANY($1)',
    found.map((row) => row.id),
  );
  const spool = new TextSpool(parts.spoolDirectory);
  try {
    const messages = await convertListed(parts, listed, spool, () => {});
    // What is stated is read before the spool goes.
    return messages.map(({ id, document, error, stated }) => ({ id, document, error, stated }));
  } finally {
    spool.close();
  }
}

/** What is looked at of a patient; beyond it nothing is withdrawn. */
const mostMessages = 5_000;
const mostBytes = 256 * 1024 * 1024;
const tooMany: Statement = { id: '', document: undefined, error: 'Too much came before to look at.', stated: [] };

/** Withdraws what a version drops, where nobody else ever changed it. */
export async function carryOut(
  set: WriteSet,
  transaction: Transaction,
  { dropped, older, isUncertain }: Judgement,
  message: string,
): Promise<{ reference: string; version: number }[]> {
  if (dropped.size === 0 || isUncertain) return [];
  await set.load([...dropped.values()], [], true);
  const makers = await makersOf(set, transaction, dropped);
  const alone = [...dropped].filter(([key]) => isOnlyOf(older, message, makers.get(key) ?? []));
  const facts = alone.map(([, fact]) => fact);
  const patients = facts.flatMap(({ type, id }) => {
    const text = set.get(type, id)?.text;
    const scanned = text === undefined ? undefined : scanResource(text);
    return (scanned !== undefined && !isFhirError(scanned) && homePatient(scanned, id)) || [];
  });
  await set.load([], patients);
  return withdraw(set, facts, message);
}

/** Which messages made the versions of resources, those of this transaction too; null where it was none. */
async function makersOf(
  set: WriteSet,
  transaction: Transaction,
  resources: Judgement['dropped'],
): Promise<Map<string, (string | null)[]>> {
  const wanted = [...resources.values()];
  const { rows } = await transaction.query({
    name: 'makers_of',
    text: `WITH named AS (SELECT * FROM unnest($1::smallint[], $2::uuid[]) AS v (type, rid))
           SELECT DISTINCT type, rid, message FROM named JOIN resource USING (type, rid)
           UNION SELECT type, rid, message FROM named JOIN resource_history USING (type, rid)`,
    values: [wanted.map(({ type }) => typeCode(type)!), wanted.map(({ id }) => ridOf(id))],
  });
  const makers = new Map<string, (string | null)[]>();
  const note = (key: string, message: string | null) => {
    const known = makers.get(key);
    if (known === undefined) makers.set(key, [message]);
    else known.push(message);
  };
  for (const { type, rid, message } of rows) note(keyOf(typeName(type)!, rid), message);
  for (const { after } of set.changes) {
    const key = keyOf(after.type, after.rid);
    if (resources.has(key)) note(key, after.message ?? null);
  }
  return makers;
}
