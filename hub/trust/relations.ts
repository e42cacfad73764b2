/**
 * By what an organisation may say that it has to do with a person: looked up for what is recorded of each access, remembered for ten
 * minutes where there is proof; attestations; and the list of what was looked at without any.
 */
import type { Database, Transaction } from '../database/index.ts';
import { type Proof, proofOf, type Relation } from './relation.ts';

/** Something looked at without proof of a relationship, on one day. */
export interface Unproven {
  day: string;
  organization: string;
  username: string;
  patient: string;
  purpose: string;
  times: number;
  firstAt: Date;
  lastAt: Date;
  review: { by: string; at: Date; comment: string } | undefined;
}

/** What a clinician says of its organisation and a person. */
export interface Attestation {
  id: string;
  home: number;
  patient: string;
  organization: string;
  username: string;
  reason: string;
}

/** What names a row of that list. */
export type UnprovenKey = Pick<Unproven, 'day' | 'organization' | 'username' | 'patient' | 'purpose'>;

/** How long an attestation stands. */
export const attestedDays = 30;
const rememberedMs = 600_000;
const remembered = 50_000;

export class Relations {
  readonly #database: Database;
  readonly #ridOf: (id: string) => string;
  readonly #known = new Map<string, { proof: Proof; until: number }>();

  /**
   * @param database one that sees all rows
   * @param ridOf the UUID under which a resource of an id is stored
   */
  constructor(database: Database, ridOf: (id: string) => string) {
    this.#database = database;
    this.#ridOf = ridOf;
  }

  /** The proof for each of these Patients; those for whom there is none are left out. */
  async proofs(relation: Relation, patients: readonly string[]): Promise<Map<string, Proof>> {
    const found = new Map<string, Proof>();
    const asked: string[] = [];
    const now = Date.now();
    for (const patient of new Set(patients)) {
      const known = this.#known.get(keyOf(relation, patient));
      if (known && known.until > now) found.set(patient, known.proof);
      else asked.push(patient);
    }
    if (asked.length === 0) return found;
    const values: unknown[] = [asked.map(this.#ridOf)];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const { rows } = await this.#database.query<{ n: number; proof: Proof | null }>(
      `SELECT a.n, ${proofOf(relation, 'a.person', parameter)} AS proof
       FROM (SELECT v.n, (SELECT l.person FROM link l WHERE l.patient = v.rid OR l.person = v.rid LIMIT 1) AS person
             FROM unnest($1::uuid[]) WITH ORDINALITY AS v (rid, n)) a`,
      values,
    );
    if (this.#known.size > remembered) this.#known.clear();
    for (const { n, proof } of rows) {
      if (proof === null) continue;
      const patient = asked[n - 1]!;
      found.set(patient, proof);
      this.#known.set(keyOf(relation, patient), { proof, until: now + rememberedMs });
    }
    return found;
  }

  /** Notes what was looked at without proof. */
  async note(organization: string, username: string, purpose: string, patients: readonly string[]): Promise<void> {
    await this.#database.query({
      name: 'unproven_access',
      text: `INSERT INTO unproven_access (day, organization, username, purpose, patient)
             SELECT now()::date, $1, $2, $3, patient FROM unnest($4::text[]) AS v (patient) ORDER BY patient
             ON CONFLICT (day, organization, username, patient, purpose)
             DO UPDATE SET times = unproven_access.times + 1, last_at = clock_timestamp()`,
      values: [organization, username, purpose, patients],
    });
  }

  /** Notes what a clinician attests. @param also what happens in the same transaction @returns until when it stands */
  attest(given: Attestation, also: (transaction: Transaction) => void): Promise<Date> {
    return this.#database.transaction(async (transaction) => {
      const { id, home, patient, organization, username, reason } = given;
      const { rows } = await transaction.query(
        `INSERT INTO attestation (id, home, patient, organization, username, reason, until)
         VALUES ($1, $2, $3, $4, $5, $6, now() + interval '${attestedDays} days') RETURNING until`,
        [id, home, patient, organization, username, reason],
      );
      also(transaction);
      return rows[0]!.until;
    });
  }

  /** Notes what somebody found of one; nobody reviews an access of their own. @returns whether it was open */
  review(
    { day, organization, username, patient, purpose }: UnprovenKey,
    by: string,
    comment: string,
    also: (transaction: Transaction) => void,
  ): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        `UPDATE unproven_access SET reviewed_by = $5, reviewed_at = clock_timestamp(), comment = $6
         WHERE day = $1 AND organization = $2 AND username = $3 AND patient = $4 AND purpose = $7
           AND reviewed_at IS NULL AND username <> $5`,
        [day, organization, username, patient, by, comment, purpose],
      );
      if (rowCount === 1) also(transaction);
      return rowCount === 1;
    });
  }

  /** What nobody has looked into yet, the latest first; or what somebody has. */
  async unproven(state: 'open' | 'reviewed', limit = 200): Promise<Unproven[]> {
    const { rows } = await this.#database.query(
      `SELECT day::text AS day, organization, username, patient, purpose, times, first_at, last_at, reviewed_by, reviewed_at, comment
       FROM unproven_access WHERE reviewed_at IS ${state === 'open' ? '' : 'NOT '}NULL ORDER BY last_at DESC LIMIT $1`,
      [limit],
    );
    return rows.map(({ first_at: firstAt, last_at: lastAt, reviewed_by: by, reviewed_at: at, comment, ...row }) => ({
      ...(row as UnprovenKey & { times: number }),
      firstAt,
      lastAt,
      review: at === null ? undefined : { by, at, comment },
    }));
  }
}

function keyOf({ organization, purpose }: Relation, patient: string): string {
  return `${organization} ${purpose} ${patient}`;
}
