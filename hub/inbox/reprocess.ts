/**
 * Reprocessing: stored messages converted anew by today's map, lane by lane (`lane.ts`). A preview tells what would
 * change; carrying it out makes new versions of what differs, and of nothing else, so that deliveries are written for
 * changed facts only. What a newer message or a client said since stands.
 */
import type { Logger } from 'pino';
import type { Transaction } from '../database/index.ts';
import { faultText } from '../faults.ts';
import type { PersonIndex } from '../identity/index.ts';
import type { FhirRecord, WriteSet } from '../record/index.ts';
import { statedIdentities } from './converted.ts';
import { foldLane, type Lane, type LaneChange, type LaneParts } from './lane.ts';
import { foldable, type LaneMessage } from './lane-messages.ts';
import { mapVersion } from './map-version.ts';
import { recordOutcomes } from './outcomes.ts';

/** Which messages; all that is left out is any. */
export interface ReprocessFilter {
  source?: string;
  dialect?: string;
  /** `ADT^A08`, a document type. */
  type?: string;
  /** Also those that today's map converted; without it only those of another map. */
  all?: boolean;
}

/** What became of a lane. */
export interface LaneOutcome {
  messages: number;
  added: number;
  changed: number;
  removed: number;
  leftBecause: string | undefined;
}

export interface ReprocessParts extends Omit<LaneParts, 'keys'> {
  record: FhirRecord;
  persons: PersonIndex;
  log: Logger;
}

/** The record changed while a lane was folded. */
class Moved extends Error {
  override name = 'Moved';
}

const attempts = 5;
const outcomesAtOnce = 500;

export class Reprocess {
  readonly #parts: ReprocessParts & LaneParts;

  constructor(parts: ReprocessParts) {
    this.#parts = { ...parts, keys: parts.record.keys };
  }

  /** The numbers of lanes that hold such messages, in their order, after one. */
  async lanes(filter: ReprocessFilter, after: string | null, limit: number): Promise<string[]> {
    const { condition, values } = this.#condition(filter);
    const { rows } = await this.#parts.database.query(
      `SELECT lane::text AS number FROM message
       WHERE lane > $${values.push(after ?? '-9223372036854775808')} AND ${condition} GROUP BY lane ORDER BY lane LIMIT ${limit}`,
      values,
    );
    return rows.map(({ number }) => number);
  }

  /** How many lanes and messages there are of these. */
  async size(filter: ReprocessFilter): Promise<{ lanes: number; messages: number }> {
    const { condition, values } = this.#condition(filter);
    const { rows } = await this.#parts.database.query(
      `SELECT count(DISTINCT lane)::integer AS lanes, count(*)::integer AS messages FROM message WHERE ${condition}`,
      values,
    );
    return rows[0] as { lanes: number; messages: number };
  }

  /** Hands over what would change in a lane, as it is until that is looked at; nothing is changed. */
  preview<T>(number: string, look: (lane: Lane) => Promise<T>): Promise<T> {
    return foldLane(this.#parts, number, look);
  }

  /** Brings a lane to what today's map makes of it; where the record changes meanwhile, the lane is folded again. */
  async carryOut(number: string): Promise<LaneOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await foldLane(this.#parts, number, (lane) => this.#bring(lane));
      } catch (error) {
        if (error instanceof Moved && attempt < attempts) continue;
        this.#parts.log.warn({ lane: number, error: faultText(error) }, 'a lane could not be reprocessed');
        const because =
          error instanceof Moved ? 'It changed again and again meanwhile.' : 'It could not be converted or stored.';
        return { messages: 0, added: 0, changed: 0, removed: 0, leftBecause: because };
      }
    }
  }

  async #bring(lane: Lane): Promise<LaneOutcome> {
    const { messages, changes, leftBecause } = lane;
    const count = (kind: LaneChange['kind']) => changes.filter((change) => change.kind === kind).length;
    if (leftBecause === undefined) await this.#write(lane);
    return {
      messages: messages.length,
      added: count('added'),
      changed: count('changed'),
      removed: count('removed'),
      leftBecause,
    };
  }

  async #write({ number, messages, changes, spool }: Lane): Promise<void> {
    const identities = messages.flatMap(({ source, identityEvents }) => statedIdentities(identityEvents, source));
    await this.#parts.record.writer.write({
      keys: changes.map(({ type, id }) => ({ type, id })),
      patients: [
        ...new Set(changes.flatMap(({ after }) => after?.patient ?? [])),
        ...identities.flatMap(({ a, b }) => [a, b]),
      ],
      alone: true,
      size: changes.length,
      apply: async (set, transaction) => {
        await checkStill(transaction, number, messages.length);
        for (const change of changes) {
          put(set, change);
          await set.settle(spool);
        }
        // What was decided when the message came stands, and so does what people decided since.
        for (const identity of identities) {
          if (await isDecided(transaction, set.homeOf(identity.a), set.homeOf(identity.b))) continue;
          this.#parts.persons.state(set, identity);
          set.touch();
        }
        // One that cannot be converted now stays what it was, and of the map that it was converted by.
        const converted = messages.filter(({ error }) => error === undefined);
        for (let from = 0; from < converted.length; from += outcomesAtOnce) {
          const some = converted.slice(from, from + outcomesAtOnce);
          await recordOutcomes(transaction, some.map(outcomeOf), undefined);
        }
      },
    });
  }

  #condition(filter: ReprocessFilter): { condition: string; values: unknown[] } {
    const values: unknown[] = [];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const conditions = [foldable, 'sealing_key IS NOT NULL'];
    if (filter.source !== undefined) conditions.push(`source = ${parameter(filter.source)}`);
    if (filter.dialect !== undefined) conditions.push(`dialect = ${parameter(filter.dialect)}`);
    if (filter.type !== undefined) conditions.push(`type = ${parameter(filter.type)}`);
    if (!filter.all) {
      const told = this.#parts.participants.all();
      const keys = parameter(told.map(({ key }) => key));
      const maps = parameter(told.map(({ settings }) => String(mapVersion(settings))));
      const untold = parameter(String(mapVersion({})));
      conditions.push(`map_version IS DISTINCT FROM coalesce(
        (SELECT map FROM unnest(${keys}::text[], ${maps}::bigint[]) AS v (key, map) WHERE key = source), ${untold}::bigint)`);
    }
    return { condition: conditions.join(' AND '), values };
  }
}

/** @throws Moved where messages of the lane were processed since it was folded */
async function checkStill(transaction: Transaction, lane: string, messages: number): Promise<void> {
  const { rows } = await transaction.query({
    name: 'lane_still',
    text: `SELECT count(*) AS messages FROM message WHERE lane = $1 AND ${foldable}`,
    values: [lane],
  });
  if (rows[0]!.messages !== messages) throw new Moved();
}

/** @throws Moved where the resource has another version than the one that was folded */
function put(set: WriteSet, { type, id, version, after, message }: LaneChange): void {
  if (set.get(type, id)?.version !== version) throw new Moved();
  const scanned = after?.scanned;
  if (scanned === undefined) set.remove(type, id, { message });
  else set.put(scanned, type, id, { message, ...(after?.asOf === undefined ? {} : { asOf: after.asOf }) });
}

async function isDecided(transaction: Transaction, a: number, b: number): Promise<boolean> {
  const { rows } = await transaction.query({
    name: 'link_is_decided',
    text: 'SELECT 1 FROM link_decision WHERE a = least($1::bigint, $2::bigint) AND b = greatest($1::bigint, $2::bigint) LIMIT 1',
    values: [a, b],
  });
  return rows.length > 0;
}

function outcomeOf({ seq, conversion, map, error, patients }: LaneMessage) {
  return { seq, conversion, map, error, patient: patients[0], stored: undefined };
}
