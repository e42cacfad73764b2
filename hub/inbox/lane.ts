/**
 * A lane as it would be under today's map: all its messages are converted anew and folded in the order in which they
 * came, together with what clients changed since. What differs from the record is what a reprocessing would change.
 *
 * A resource belongs to the lane of the message that first stated it. Messages of other lanes are folded in where they
 * made a version of it; what another lane only repeated is not, and a resource of another lane is left to that lane.
 *
 * Originals are opened some at a time, and texts wait in a spool, so that memory holds what is noted of each message and
 * version.
 */
import { setImmediate } from 'node:timers/promises';
import { isFhirError, scanResource } from '@causeway/fhir';
import { type HomeKeys, TextSpool } from '../record/index.ts';
import { applyFacts, sameContent } from './apply.ts';
import { isOnlyOf, judgeVersion, remarkOn, withdraw } from './document-versions.ts';
import { Fold, type Folded, keyOf } from './fold.ts';
import {
  type ConversionParts,
  convertListed,
  type LaneMessage,
  type ListedMessage,
  listMessages,
} from './lane-messages.ts';
import { keysMadeBy, messagesAbout, StoredTexts, type StoredVersion, versionsOf } from './lane-versions.ts';
import { beginRefiling, filedAnew, isRefiling, refile } from './refile.ts';

export interface LaneParts extends ConversionParts {
  keys: HomeKeys;
  /** Where texts are kept while a lane is folded; see `TextSpool`. */
  spoolDirectory: string;
}

/** One resource that differs. */
export interface LaneChange {
  kind: 'added' | 'changed' | 'removed';
  type: string;
  /** The resource's id, or of one that is removed the UUID under which it is stored. */
  id: string;
  /** The current version, undefined where there is none. */
  version: number | undefined;
  /** Its text, read from the spool each time. */
  readonly before: string | undefined;
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
  spool: TextSpool;
}

/** What is folded at once: for each message some 6 KB of memory, with what it made, and the texts on the disk. */
const mostMessages = 50_000;
const mostBytes = 1024 * 1024 * 1024;

/**
 * Folds a lane and hands it to `use`, which has what it needs of it done when it resolves.
 * @param number as in `message.lane`
 */
export async function foldLane<T>(parts: LaneParts, number: string, use: (lane: Lane) => Promise<T>): Promise<T> {
  const spool = new TextSpool(parts.spoolDirectory);
  try {
    return await use({ number, spool, ...(await foldedLane(parts, number, spool)) });
  } finally {
    spool.close();
  }
}

async function foldedLane(parts: LaneParts, number: string, spool: TextSpool): Promise<Omit<Lane, 'number' | 'spool'>> {
  const { database } = parts;
  const left = (leftBecause: string) => ({ messages: [], changes: [], leftBecause });
  const listed = await listMessages(database, 'lane = $1', number);
  const tooMuch = excess(listed);
  if (tooMuch !== undefined) return left(tooMuch);
  const stated = new Set<string>();
  const own = await convertListed(parts, listed, spool, (key) => stated.add(key));
  const mine = new Set(own.map(({ id }) => id));
  const touched = stated.union(await keysMadeBy(database, [...mine]));
  const versions = await versionsOf(database, touched);
  const keys = new Set<string>();
  for (const key of touched) {
    const first = versions.get(key)?.find(({ message }) => message !== null);
    if (first === undefined || mine.has(first.message!)) keys.add(key);
  }
  const known = [...keys].flatMap((key) => versions.get(key) ?? []);
  const others = new Set(known.flatMap(({ message }) => (message === null || mine.has(message) ? [] : [message])));
  // What a version of a document withdraws hangs on whether anybody else states it, however silently.
  const isVersioned = own.some(({ document }) => document?.replaces);
  const about = isVersioned ? await messagesAbout(database, own[0]!.source, homesOf(known)) : [];
  const witnesses = about.filter((id) => !mine.has(id) && !others.has(id));
  const beside = [...others, ...witnesses];
  const listedOthers = beside.length === 0 ? [] : await listMessages(database, 'id = ANY($1)', beside);
  const tooMany = excess(listedOthers);
  if (tooMany !== undefined) return left(tooMany);
  const outside = await convertListed(parts, listedOthers, spool, () => {});
  const isWitness = new Set(witnesses);
  const all = [...own, ...outside];
  const stating = all.filter(({ id, error }) => error === undefined && !isWitness.has(id));
  const isStated = new Set<string | null>(stating.map(({ id }) => id));
  const around = await surroundings(parts, stating, keys);
  const texts = new StoredTexts(spool);
  await texts.load(
    parts,
    known.filter(({ message, current }) => current || !isStated.has(message)),
  );
  const besides = [...around.values()].flat().filter(({ message }) => !isStated.has(message));
  await texts.load(parts, besides);
  const fold = new Fold(spool);
  const before = whatCameBefore(all);
  await foldAll(fold, [
    ...stating.map((message) => statement(fold, message, { before, versions, keys }, (key) => around.has(key))),
    ...known.filter(({ message }) => !isStated.has(message)).map((one) => standing(fold, one, one.updated, 0, texts)),
    ...besides.map((one) => standing(fold, one, one.received ?? one.updated, one.place, texts)),
  ]);
  return { messages: own, changes: await differences(keys, versions, texts, fold) };
}

/** Why messages are not folded: they are too many, or too large. */
function excess(listed: readonly ListedMessage[]): string | undefined {
  const bytes = listed.reduce((sum, { size }) => sum + size, 0);
  if (listed.length <= mostMessages && bytes <= mostBytes) return undefined;
  return `It takes ${listed.length} messages; at most ${mostMessages} and ${mostBytes / 1024 / 1024} MiB are folded at once.`;
}

/**
 * What messages that move visits and accounts go by beside the lane's own: the visit or account, and what else they
 * moved with it. Of these the record tells whose they are; nothing of them is changed.
 */
async function surroundings(
  { database }: LaneParts,
  messages: readonly LaneMessage[],
  keys: Set<string>,
): Promise<Map<string, StoredVersion[]>> {
  const moving = messages.filter(({ identityEvents }) => identityEvents.some(isRefiling));
  if (moving.length === 0) return new Map();
  const heads = moving.flatMap(({ identityEvents }) =>
    identityEvents
      .filter(isRefiling)
      .flatMap((event) => (event.kind === 'refile' ? [event.of] : [event.retired, event.surviving])),
  );
  const moved = await keysMadeBy(
    database,
    moving.map(({ id }) => id),
  );
  for (const reference of heads) moved.add(keyOf(...(reference.split('/') as [string, string])));
  return versionsOf(database, moved.difference(keys));
}

/** One statement of a fold: when it counts from, and its place among those of the same time. */
interface Step {
  at: number;
  place: number;
  run(): Promise<void> | void;
}

/** What a fold goes by. */
interface Known {
  /** What came before a version of a document: all messages, those of which nothing is folded too. */
  before(message: LaneMessage): LaneMessage[];
  versions: ReadonlyMap<string, readonly StoredVersion[]>;
  /** The resources that are folded. */
  keys: ReadonlySet<string>;
}

/** What a message states of resources, what it moves, and what it takes back as a version of a document. */
function statement(fold: Fold, message: LaneMessage, known: Known, isAround: (key: string) => boolean): Step {
  const { id, received, seq: place, identityEvents } = message;
  const run = async () => {
    const judgement = message.document && judgeVersion(message, known.before(message));
    const isLeftOut = judgement?.newer !== undefined || (judgement?.isUncertain && madeNothing(id, known.versions));
    if (!isLeftOut) {
      const isOf = (key: string) => known.keys.has(key) || isAround(key);
      const facts = message.facts.filter(({ fact }) => isOf(keyOf(fact.type, fact.id)));
      const before = beginRefiling(fold, identityEvents, id);
      applyFacts(fold, filedAnew(fold, facts), id, false);
      await refile(fold, (patient) => fold.contentOf(patient), before, id);
    }
    if (judgement === undefined) return;
    const { dropped, older, isUncertain } = judgement;
    const alone = [...dropped].filter(([key]) => {
      if (!known.keys.has(key)) return false;
      const makers = (known.versions.get(key) ?? []).map((version) => version.message);
      // Where a message cannot be read any more that could be when this one came, what was decided then stands.
      return isUncertain ? makers.includes(id) : isOnlyOf(older, id, makers);
    });
    const facts = alone.map(([, fact]) => fact);
    message.remark = remarkOn(judgement, withdraw(fold, facts, id).length);
  };
  return { at: received.getTime(), place, run };
}

/** Of a document in one version nothing is looked up, unless a message that cannot be read might be another. */
function whatCameBefore(messages: readonly LaneMessage[]): Known['before'] {
  const isReadable = messages.every(({ error }) => error === undefined);
  const versions = Map.groupBy(messages, ({ document }) => document?.document);
  return (message) => {
    if (isReadable && versions.get(message.document?.document)!.length === 1) return [];
    return messages.filter((one) => {
      const apart = one.received.getTime() - message.received.getTime();
      return apart < 0 || (apart === 0 && one.seq < message.seq);
    });
  };
}

function madeNothing(message: string, versions: Known['versions']): boolean {
  return !versions.values().some((some) => some.some((version) => version.message === message));
}

function homesOf(versions: readonly StoredVersion[]): number[] {
  // A negative home is shared, and no patient's.
  return [...new Set(versions.map(({ home }) => home))].filter((home) => home > 0);
}

/** A version that no message states now: a client's, or of a message that is erased or not converted any more. */
function standing(fold: Fold, version: StoredVersion, at: number, place: number, texts: StoredTexts): Step {
  const run = () => {
    const { type, rid, asOf, message, deleted } = version;
    if (deleted) {
      fold.remove(type, rid);
      return;
    }
    const text = texts.of(version);
    const scanned = text === undefined ? undefined : scanResource(text);
    // A text whose key was destroyed is gone, and with it what was said.
    if (scanned === undefined || isFhirError(scanned)) return;
    const since = asOf === undefined ? undefined : new Date(asOf).toISOString();
    fold.put(scanned, type, scanned.id ?? rid, { asOf: since, message: message ?? undefined });
  };
  return { at, place, run };
}

async function foldAll(fold: Fold, steps: Step[]): Promise<void> {
  steps.sort((a, b) => a.at - b.at || a.place - b.place);
  for await (const { at, run } of givingWay(steps)) {
    fold.now = new Date(at);
    await run();
  }
}

async function differences(
  keys: ReadonlySet<string>,
  versions: ReadonlyMap<string, StoredVersion[]>,
  texts: StoredTexts,
  fold: Fold,
): Promise<LaneChange[]> {
  const changes: LaneChange[] = [];
  const seen = new Set<string>();
  for await (const after of givingWay(fold.all)) {
    const { type, id, message } = after;
    const key = keyOf(type, id);
    if (!keys.has(key)) continue;
    seen.add(key);
    const current = versions.get(key)?.at(-1);
    if (after.isDeleted || message === undefined) continue;
    const before = current && !current.deleted ? texts.of(current) : undefined;
    // Whose text cannot be opened any more was erased, and stays so.
    if (before === undefined && current && !current.deleted) continue;
    if (before !== undefined && sameContent(JSON.parse(before), after.scanned!.value)) continue;
    changes.push(difference(before === undefined ? 'added' : 'changed', type, id, current, texts, after, message));
  }
  for (const key of keys) {
    const current = versions.get(key)?.at(-1);
    if (seen.has(key) || current === undefined || current.deleted || current.message === null) continue;
    if (texts.of(current) === undefined) continue;
    const { type, rid, message } = current;
    changes.push(difference('removed', type, rid, current, texts, undefined, message));
  }
  return changes;
}

function difference(
  kind: LaneChange['kind'],
  type: string,
  id: string,
  current: StoredVersion | undefined,
  texts: StoredTexts,
  after: Folded | undefined,
  message: string,
): LaneChange {
  return {
    kind,
    type,
    id,
    version: current?.version,
    get before() {
      return current && texts.of(current);
    },
    after,
    message,
  };
}

const turnMs = 20;

/** Items one after the other; where that takes long, others of this thread have their turn in between. */
async function* givingWay<T>(items: Iterable<T>): AsyncGenerator<T> {
  let since = performance.now();
  for (const item of items) {
    if (performance.now() - since > turnMs) {
      await setImmediate();
      since = performance.now();
    }
    yield item;
  }
}
