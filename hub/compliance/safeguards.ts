/** The safeguards of the HIPAA Security Rule as they stand: what the checks see now, and what somebody vouches for. */
import type { Database, Transaction } from '../database/index.ts';
import { type CheckParts, type CheckResult, check } from './checks.ts';
import { type CheckName, checkNames, type Safeguard, safeguards } from './safeguard-list.ts';

export const attestedStates = ['in-place', 'partly', 'missing', 'not-applicable'] as const;
export type AttestedState = (typeof attestedStates)[number];

export interface Attestation {
  state: AttestedState;
  by: string;
  at: Date;
  note: string;
  /** YYYY-MM-DD: from the day after on it has to be looked at again. */
  until: string;
}

export type SafeguardState = 'met' | 'attention' | 'not-met' | 'unknown' | 'due' | 'not-applicable';

export interface StandingSafeguard extends Omit<Safeguard, 'checks'> {
  state: SafeguardState;
  checks: (CheckResult & { name: CheckName })[];
  attestation: Attestation | undefined;
}

export class Safeguards {
  readonly #database: Database;
  readonly #parts: CheckParts;

  constructor(database: Database, parts: CheckParts) {
    this.#database = database;
    this.#parts = parts;
  }

  /** All of them as they stand. @param today YYYY-MM-DD */
  async list(today: string): Promise<StandingSafeguard[]> {
    const results = new Map(
      await Promise.all(checkNames.map(async (name) => [name, await check(this.#parts, name)] as const)),
    );
    const { rows } = await this.#database.query(
      'SELECT DISTINCT ON (safeguard) *, until::text FROM safeguard_attestation ORDER BY safeguard, id DESC',
    );
    const attested = new Map(
      rows.map(({ safeguard, state, by_whom: by, at, note, until }): [string, Attestation] => [
        safeguard,
        { state, by, at, note, until },
      ]),
    );
    return safeguards.map((one) => {
      const checks = one.checks.map((name) => ({ name, ...results.get(name)! }));
      const attestation = attested.get(one.id);
      return { ...one, checks, attestation, state: stateOf(checks, attestation, today) };
    });
  }

  /** Somebody vouches for one until a day. @returns whether there is such a safeguard */
  async attest(
    safeguard: string,
    { state, by, note, until }: Omit<Attestation, 'at'>,
    also: (transaction: Transaction) => void,
  ): Promise<boolean> {
    if (!safeguards.some(({ id }) => id === safeguard)) return false;
    await this.#database.transaction(async (transaction) => {
      await transaction.query(
        'INSERT INTO safeguard_attestation (safeguard, by_whom, state, note, until) VALUES ($1, $2, $3, $4, $5)',
        [safeguard, by, state, note, until],
      );
      also(transaction);
    });
    return true;
  }
}

/**
 * Nobody's word makes good what a check finds bad. Where the checks are good, they suffice; where there are none, or one
 * does not know, somebody has to vouch for it.
 */
function stateOf(checks: readonly CheckResult[], attestation: Attestation | undefined, today: string): SafeguardState {
  const has = (state: CheckResult['state']) => checks.some((one) => one.state === state);
  if (has('bad')) return 'not-met';
  if (has('attention')) return 'attention';
  if (checks.length > 0 && !has('unknown')) return 'met';
  if (!attestation || attestation.until < today) return has('unknown') ? 'unknown' : 'due';
  const states = { 'in-place': 'met', partly: 'attention', missing: 'not-met', 'not-applicable': 'not-applicable' };
  return states[attestation.state] as SafeguardState;
}
