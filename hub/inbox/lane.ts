/**
 * A lane as it would be under today's map: all its messages are converted anew and folded in the order in which they
 * came, together with what clients changed since. What differs from the record is what a reprocessing would change.
 *
 * A resource belongs to the lane of the message that first stated it. Messages of other lanes are folded in where they
 * made a version of it; what another lane only repeated is not, and a resource of another lane is left to that lane.
 */
import { isFhirError, scanResource, typeCode, typeName } from '@causeway/fhir';
import type { Queryable, Row } from '../database/index.ts';
import { faultReason } from '../faults.ts';
import { type HomeKeys, open, openText, sealIdentity } from '../record/index.ts';
import { unwrapDataKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { applyFacts, type PreparedFact, prepareFact, sameContent } from './apply.ts';
import type { ConversionPool } from './conversion-pool.ts';
import { type ConvertedMessage, noConversion } from './converted.ts';
import { Fold, type Folded, keyOf } from './fold.ts';
import { mapVersion } from './map-version.ts';
import { messageIdentity } from './receive.ts';
import { filedAnew } from './refile.ts';

export interface LaneParts {
  database: Queryable;
  keys: HomeKeys;
  participants: Participants;
  master: Buffer;
  pool: ConversionPool;
}

/** A message of the lane, converted by today's map. */
export interface LaneMessage {
  seq: number;
  id: string;
  controlId: string;
  type: string;
  source: string;
  received: Date;
  /** See `mapVersion`. */
  map: bigint;
  conversion: ConvertedMessage;
}

/** One resource that differs. */
export interface LaneChange {
  kind: 'added' | 'changed' | 'removed';
  type: string;
  /** The resource's id, or of one that is removed the UUID under which it is stored. */
  id: string;
  /** The current version, undefined where there is none. */
  version: number | undefined;
  before: string | undefined;
  after: Folded | undefined;
  /** The message that says so; of what is removed, the one that said it. */
  message: string;
}

export interface Lane {
  number: string;
  /** The lane's own messages that were processed, or failed at their conversion. */
  messages: LaneMessage[];
  changes: LaneChange[];
  /** Why the lane is left as it is. */
  leftBecause?: string;
}

/** What is held in memory of a lane at once. */
const mostMessages = 5_000;
const mostBytes = 64 * 1024 * 1024;

/** Folds a lane. @param number as in `message.lane` */
export async function foldLane(parts: LaneParts, number: string): Promise<Lane> {
  const tooMuch = await excess(parts.database, 'lane = $1', number);
  if (tooMuch !== undefined) return { number, messages: [], changes: [], leftBecause: tooMuch };
  const own = await readMessages(parts, 'lane = $1', number);
  const stated = own.flatMap(({ facts }) => facts.map(({ fact }) => keyOf(fact.type, fact.id)));
  const versions = await versionsOf(
    parts.database,
    stated,
    own.map(({ id }) => id),
  );
  const mine = new Set(own.map(({ id }) => id));
  const keys = new Set<string>();
  for (const key of new Set([...stated, ...versions.keys()])) {
    const first = versions.get(key)?.find(({ message }) => message !== null);
    if (first === undefined || mine.has(first.message)) keys.add(key);
  }
  const known = [...keys].flatMap((key) => versions.get(key) ?? []);
  const others = [...new Set(known.flatMap(({ message }) => (message === null || mine.has(message) ? [] : [message])))];
  const tooMany = others.length === 0 ? undefined : await excess(parts.database, 'id = ANY($1)', others);
  if (tooMany !== undefined) return { number, messages: [], changes: [], leftBecause: tooMany };
  const outside = others.length === 0 ? [] : await readMessages(parts, 'id = ANY($1)', others);
  const converted = new Map([...own, ...outside].map((message) => [message.id, message]));
  const texts = await openTexts(
    parts,
    known.filter(({ message, current }) => current || !isStated(converted.get(message))),
  );
  const folded = fold([...converted.values()], known, keys, texts);
  return { number, messages: own, changes: differences(keys, versions, texts, folded) };
}

/** Why messages are not folded: they are too many, or too large. */
async function excess(database: Queryable, condition: string, value: unknown): Promise<string | undefined> {
  const { rows } = await database.query(
    `SELECT count(*) AS messages, coalesce(sum(size), 0)::bigint AS bytes FROM message WHERE ${condition} AND ${foldable}`,
    [value],
  );
  const { messages, bytes } = rows[0]!;
  if (messages <= mostMessages && bytes <= mostBytes) return undefined;
  return `It takes ${messages} messages; at most ${mostMessages} and ${mostBytes / 1024 / 1024} MiB are folded at once.`;
}

/** Messages whose statements are part of the record, or would be. */
export const foldable = "state IN ('processed', 'dead')";

interface Statement extends LaneMessage {
  facts: PreparedFact[];
}

/** Whether a message states anew; what one made that was erased, or cannot be converted now, stands for it as it is. */
function isStated(message: Statement | undefined): boolean {
  return message !== undefined && message.conversion.error === undefined;
}

async function readMessages(parts: LaneParts, condition: string, value: unknown): Promise<Statement[]> {
  const { rows } = await parts.database.query(
    `SELECT seq, id, source, dialect, type, control_id, received, charset, sealing_key, body FROM message
     WHERE ${condition} AND ${foldable} ORDER BY seq`,
    [value],
  );
  const opened = rows.flatMap((row) => {
    const bytes = original(parts.master, row);
    return bytes === undefined ? [] : [{ row, bytes }];
  });
  const maps = new Map(
    rows.map(({ source }) => [source, mapVersion(parts.participants.byKey(source).settings)] as [string, bigint]),
  );
  const conversions = await parts.pool.convert(
    opened.map(({ row, bytes }) => {
      const { key, name, settings } = parts.participants.byKey(row.source);
      return {
        id: row.id,
        dialect: row.dialect,
        bytes,
        charset: row.charset ?? undefined,
        received: row.received.toISOString(),
        source: { key, name, settings },
      };
    }),
  );
  const byRow = new Map(opened.map(({ row }, i) => [row, conversions[i]!]));
  return rows.map((row) => statement(row, maps.get(row.source)!, byRow.get(row)));
}

/** Undefined where the original was erased or does not open. */
function original(master: Buffer, { id, sealing_key: key, body }: Row): Buffer | undefined {
  if (key === null) return undefined;
  try {
    return open(body, unwrapDataKey(master, key, messageIdentity(id)), messageIdentity(id));
  } catch {
    return undefined;
  }
}

function statement(row: Row, map: bigint, converted: ConvertedMessage | undefined): Statement {
  const { seq, id, control_id: controlId, type, source, received } = row;
  const message = { seq, id, controlId, type, source, received, map };
  const conversion = converted ?? noConversion('The original was erased or does not open.');
  try {
    return { ...message, conversion, facts: conversion.facts.map(prepareFact) };
  } catch (error) {
    return { ...message, conversion: noConversion(faultReason(error)), facts: [] };
  }
}

/** A stored version without its text. */
interface StoredVersion {
  key: string;
  type: string;
  rid: string;
  home: number;
  version: number;
  updated: Date;
  deleted: boolean;
  asOf: Date | null;
  /** Null: a client's. */
  message: string;
  current: boolean;
}

/** All versions of the resources named, and of those that the messages made, in the order in which they were made. */
async function versionsOf(
  database: Queryable,
  keys: readonly string[],
  messages: readonly string[],
): Promise<Map<string, StoredVersion[]>> {
  const named = keys.map((key) => key.split('/') as [string, string]);
  const { rows } = await database.query(
    `WITH named AS (
       SELECT * FROM unnest($1::smallint[], $2::uuid[]) AS v (type, rid)
       UNION SELECT type, rid FROM resource WHERE message = ANY($3)
       UNION SELECT type, rid FROM resource_history WHERE message = ANY($3))
     SELECT type, rid, home, version, seq, updated, deleted, as_of, message, true AS current
     FROM named JOIN resource USING (type, rid)
     UNION ALL SELECT type, rid, home, version, seq, updated, deleted, as_of, message, false
     FROM named JOIN resource_history USING (type, rid)
     ORDER BY seq`,
    [named.map(([type]) => typeCode(type)!), named.map(([, rid]) => rid), messages],
  );
  const found = new Map<string, StoredVersion[]>();
  for (const row of rows) {
    const type = typeName(row.type)!;
    const key = `${type}/${row.rid}`;
    const { rid, home, version, updated, deleted, as_of: asOf, message, current } = row;
    const one = { key, type, rid, home, version, updated, deleted, asOf, message, current };
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return found;
}

/** The texts of versions, by `Type/rid/version`; of a deleted one there is none. */
async function openTexts(
  { database, keys }: LaneParts,
  versions: readonly StoredVersion[],
): Promise<Map<string, string>> {
  const wanted = versions.filter(({ deleted }) => !deleted);
  const column = <T>(value: (one: StoredVersion) => T) => wanted.map(value);
  const { rows } = await database.query(
    `WITH named AS (SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::integer[]) AS v (type, rid, version))
     SELECT type, rid, version, home, body FROM named JOIN resource USING (type, rid, version)
     UNION ALL SELECT type, rid, version, home, body FROM named JOIN resource_history USING (type, rid, version)`,
    [column(({ type }) => typeCode(type)!), column(({ rid }) => rid), column(({ version }) => version)],
  );
  const homeKeys = await keys.load(
    database,
    rows.map(({ home }) => home),
  );
  const texts = new Map<string, string>();
  for (const { type, rid, version, home, body } of rows) {
    const identity = sealIdentity({ type: typeName(type)!, rid, version });
    const key = homeKeys.get(home);
    if (key !== undefined && body !== null) texts.set(identity, openText(body, key, identity));
  }
  return texts;
}

/** Folds messages, and the versions that no message states (a client's, or of an erased message), in their order. */
function fold(
  messages: readonly Statement[],
  versions: readonly StoredVersion[],
  keys: ReadonlySet<string>,
  texts: ReadonlyMap<string, string>,
): Fold {
  const stated = new Set(messages.filter(isStated).map(({ id }) => id));
  const folded = new Fold();
  const steps: { at: Date; place: number; run: () => void }[] = [];
  for (const { id, received, seq, facts } of messages) {
    const relevant = facts.filter(({ fact }) => keys.has(keyOf(fact.type, fact.id)));
    steps.push({ at: received, place: seq, run: () => applyFacts(folded, filedAnew(folded, relevant), id, false) });
  }
  for (const version of versions) {
    if (stated.has(version.message)) continue;
    steps.push({ at: version.updated, place: 0, run: () => putVersion(folded, version, texts) });
  }
  steps.sort((a, b) => a.at.getTime() - b.at.getTime() || a.place - b.place);
  for (const { at, run } of steps) {
    folded.now = at;
    run();
  }
  return folded;
}

function putVersion(folded: Fold, version: StoredVersion, texts: ReadonlyMap<string, string>): void {
  const { type, rid, asOf, message, deleted } = version;
  if (deleted) {
    folded.remove(type, rid);
    return;
  }
  const text = texts.get(sealIdentity(version));
  const scanned = text === undefined ? undefined : scanResource(text);
  // A text whose key was destroyed is gone, and with it what was said.
  if (scanned === undefined || isFhirError(scanned)) return;
  folded.put(scanned, type, scanned.id ?? rid, { asOf: asOf?.toISOString(), message: message ?? undefined });
}

function differences(
  keys: ReadonlySet<string>,
  versions: ReadonlyMap<string, StoredVersion[]>,
  texts: ReadonlyMap<string, string>,
  folded: Fold,
): LaneChange[] {
  const changes: LaneChange[] = [];
  const seen = new Set<string>();
  for (const after of folded.all) {
    const key = keyOf(after.type, after.id);
    seen.add(key);
    const current = versions.get(key)?.at(-1);
    const before = current && !current.deleted ? texts.get(sealIdentity(current)) : undefined;
    const { type, id, scanned } = after;
    // Whose text cannot be opened any more was erased, and stays so.
    if (scanned === undefined || (before === undefined && current && !current.deleted)) continue;
    if (before !== undefined && sameContent(JSON.parse(before), scanned.value)) continue;
    if (after.message === undefined) continue;
    const kind = before === undefined ? 'added' : 'changed';
    changes.push({ kind, type, id, version: current?.version, before, after, message: after.message });
  }
  for (const key of keys) {
    const current = versions.get(key)?.at(-1);
    if (seen.has(key) || current === undefined || current.deleted || current.message === null) continue;
    const { type, rid, version, message } = current;
    const before = texts.get(sealIdentity(current));
    if (before === undefined) continue;
    changes.push({ kind: 'removed', type, id: rid, version, before, after: undefined, message });
  }
  return changes;
}
