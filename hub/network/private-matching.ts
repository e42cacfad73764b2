/**
 * Finding a person at another hub without telling who it is: keyed hashes (HMAC-SHA-256) of match keys, under a secret that
 * the two hubs agreed on. The other hub learns of whom it knows; of anybody else it could only guess (docs/network.md).
 */
import { createHmac } from 'node:crypto';
import { hidesOf } from '@causeway/fhir';
import { demographicsOf, matchKeys, mostMatchKeys, type Prepared, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import { type FhirRecord, logicalId, RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { MatchingKey, Peers } from './peers.ts';

export interface PrivateMatchingParts {
  database: Database;
  record: FhirRecord;
  persons: Pick<PersonIndex, 'prepared'>;
}

const hashedAtOnce = 500;
/** Where there are more candidates nobody is found: tokens that so many have say too little. */
const mostCandidates = 20;
const tokenBytes = 16;

export class PrivateMatching {
  readonly #parts: PrivateMatchingParts;
  readonly #peers: Peers;

  constructor(parts: PrivateMatchingParts, peers: Peers) {
    this.#parts = parts;
    this.#peers = peers;
  }

  /** What another hub is asked instead of demographics; empty where too little is known of the person. */
  async tokensOf(participant: string, patient: Patient): Promise<string[]> {
    const { key } = await this.#agreed(participant);
    return tokensOf(prepare(demographicsOf(patient)), key).map(shown);
  }

  /**
   * The one person of whom the caller may see what has one of these tokens; undefined where there is none, or more than one.
   * @param access that of the other hub, so that what is hidden from it finds nobody
   * @throws RecordError 409 where private matching is not agreed on with it, 403 where demographics are hidden from it
   */
  async find(access: Access, participant: string, asked: readonly string[]): Promise<string | undefined> {
    if (access.limits.redactions?.some(({ elements }) => hidesOf(elements, 'Patient')))
      throw new RecordError(
        403,
        'forbidden',
        'Elements of Patient are hidden from this access: nobody can be matched by them.',
      );
    const key = await this.#bringUpToDate(participant);
    const { rows } = await this.#parts.database.query<{ id: string }>({
      name: 'peer_tokens_find',
      text: `SELECT DISTINCT coalesce(l.presented, l.patient) AS id FROM peer_token t JOIN link l ON l.home = t.home
             WHERE t.participant = $1 AND t.tokens && $2::bytea[] LIMIT ${mostCandidates + 1}`,
      values: [participant, asked.map((token) => Buffer.from(token, 'base64url'))],
    });
    if (rows.length > mostCandidates) return undefined;
    const wanted = new Set(asked);
    const found: string[] = [];
    for (const { id } of rows) {
      const text = await this.#visible(access, id);
      if (text === undefined) continue;
      // Of a person some of whose records are hidden, the others alone have to be why it is found.
      const tokens = tokensOf(prepare(demographicsOf(JSON.parse(text) as Patient)), key);
      if (tokens.some((token) => wanted.has(shown(token)))) found.push(logicalId(text));
    }
    return found.length === 1 ? found[0] : undefined;
  }

  async #agreed(participant: string): Promise<MatchingKey> {
    const agreed = await this.#peers.matchingKey(participant);
    if (!agreed) throw new RecordError(409, 'conflict', 'Private matching is not agreed on with this hub.');
    return agreed;
  }

  /** Hashes whom the person index has looked at since the last time; returns the key of all hashes. */
  async #bringUpToDate(participant: string): Promise<Buffer> {
    const { database, persons } = this.#parts;
    for (;;) {
      const { key, since } = await this.#agreed(participant);
      const { rows } = await database.query<{ home: number; demographics: string }>({
        name: 'peer_tokens_stale',
        text: `SELECT l.home, l.demographics::text FROM link l
               LEFT JOIN peer_token t ON t.participant = $1 AND t.home = l.home
               WHERE l.demographics IS NOT NULL AND t.demographics IS DISTINCT FROM l.demographics
               ORDER BY l.home LIMIT ${hashedAtOnce}`,
        values: [participant],
      });
      if (rows.length === 0) return key;
      const prepared = await persons.prepared(rows);
      const hashed = rows.map(({ home, demographics }) => {
        const one = prepared.get(home);
        return { home, demographics, tokens: one ? tokensOf(one, key).map((token) => token.toString('hex')) : [] };
      });
      await database.query({
        name: 'peer_tokens_keep',
        // Not where another key was agreed on, or the person erased, since they were read.
        text: `WITH agreed AS (SELECT FROM peer WHERE participant = $1 AND changed = $3::text::timestamptz FOR SHARE),
               known AS (
                 SELECT l.home, v.demographics, v.tokens
                 FROM jsonb_to_recordset($2::jsonb) AS v (home bigint, demographics bigint, tokens jsonb)
                 JOIN link l ON l.home = v.home AND l.demographics = v.demographics FOR KEY SHARE OF l)
               INSERT INTO peer_token (participant, home, demographics, tokens)
               SELECT $1, home, demographics, ARRAY(SELECT decode(one, 'hex') FROM jsonb_array_elements_text(tokens) one)
               FROM known WHERE EXISTS (SELECT FROM agreed)
               ON CONFLICT (participant, home) DO UPDATE
               SET demographics = excluded.demographics, tokens = excluded.tokens`,
        values: [participant, JSON.stringify(hashed), since],
      });
    }
  }

  async #visible(access: Access, id: string): Promise<string | undefined> {
    try {
      return (await this.#parts.record.read(access, 'Patient', id)).text;
    } catch (error) {
      if (error instanceof RecordError && (error.status === 404 || error.status === 410)) return undefined;
      throw error;
    }
  }
}

/** Whether a value is a list of tokens, as they are told between hubs. */
export function isTokens(value: unknown): value is string[] {
  const isToken = (one: unknown) => typeof one === 'string' && /^[A-Za-z0-9_-]{22}$/.test(one);
  return Array.isArray(value) && value.length > 0 && value.length <= mostMatchKeys && value.every(isToken);
}

function tokensOf(prepared: Prepared, key: Buffer): Buffer[] {
  return matchKeys(prepared).map((text) =>
    createHmac('sha256', key).update(`match key 1\0${text}`).digest().subarray(0, tokenBytes),
  );
}

function shown(token: Buffer): string {
  return token.toString('base64url');
}
