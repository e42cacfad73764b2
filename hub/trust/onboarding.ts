/**
 * The way of an organisation onto the network: invited, its certificates, a test message, an agreement that both sign, live;
 * and off it. Each step is recorded with who took it, when and why.
 */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { Database, Transaction } from '../database/index.ts';
import { type Agreement, type Agreements, agreementOf } from './agreements.ts';
import type { Activity, ParticipantState } from './standing.ts';

/** What is to be agreed. */
export interface Terms {
  participant: string;
  may: readonly Activity[];
  purposes: readonly string[];
  types: readonly string[];
  jurisdiction: string | undefined;
  from: Date;
  to: Date;
  text: string;
}

/** A certificate that was read. */
export interface ReadCertificate {
  /** SHA-256, hexadecimal with colons. */
  fingerprint: string;
  subject: string;
  expires: Date;
}

/** What happens in the transaction of a change, where it is made: the record of the access. */
export type Also = (transaction: Transaction) => void;
const nothing: Also = () => {};

const invitationDays = 14;

/** What may be decided by hand from each state; the rest follows from what was done. */
const decided: { [state in ParticipantState]: readonly ParticipantState[] } = {
  invited: ['keys', 'ended'],
  keys: ['tested', 'ended'],
  tested: ['ended'],
  signed: ['live', 'ended'],
  live: ['suspended', 'ended'],
  suspended: ['live', 'ended'],
  ended: [],
};

export class Onboarding {
  readonly #database: Database;
  readonly #agreements: Agreements;

  constructor(database: Database, agreements: Agreements) {
    this.#database = database;
    this.#agreements = agreements;
  }

  /** Invites an organisation: the token of its link, told once. One that is live keeps its standing. */
  async invite(
    participant: string,
    by: string,
    note: string,
    also = nothing,
  ): Promise<{ token: string; expires: Date }> {
    const token = randomBytes(32).toString('base64url');
    const { expires } = await this.#change(async (transaction) => {
      const { state } = await standingIn(transaction, participant);
      const begins = state === undefined || state === 'ended';
      step(transaction, participant, begins ? 'invited' : state, by, note || 'Invited.');
      await transaction.query('DELETE FROM participant_invitation WHERE participant = $1 OR expires < now()', [
        participant,
      ]);
      const { rows } = await transaction.query(
        `INSERT INTO participant_invitation (token, participant, made_by, expires)
         VALUES ($1, $2, $3, now() + interval '${invitationDays} days') RETURNING expires`,
        [digest(token), participant, by],
      );
      return { expires: rows[0]!.expires as Date };
    }, also);
    return { token, expires };
  }

  /** Whom a token invites; undefined where it is none, or not any more. */
  async invited(token: string): Promise<string | undefined> {
    const { rows } = await this.#database.query(
      'SELECT participant FROM participant_invitation WHERE token = $1 AND expires > now()',
      [digest(token)],
    );
    return rows[0]?.participant;
  }

  /** Notes a certificate that stands for an organisation. @returns whose it is already, where it is another's */
  async addCertificate(
    participant: string,
    certificate: ReadCertificate,
    by: string,
    also = nothing,
  ): Promise<string | undefined> {
    return this.#change(async (transaction) => {
      const { fingerprint, subject, expires } = certificate;
      const { rows } = await transaction.query(
        `INSERT INTO participant_certificate (fingerprint, participant, subject, expires, added_by)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (fingerprint) DO UPDATE SET added_by = participant_certificate.added_by
         RETURNING participant`,
        [fingerprint, participant, subject, expires, by],
      );
      const owner = rows[0]!.participant as string;
      if (owner !== participant) return owner;
      await advance(transaction, participant, by, `Certificate ${subject}, valid until ${day(expires)}.`);
      return undefined;
    }, also);
  }

  /** Notes that a test message of an organisation was accepted. */
  async testAccepted(participant: string, what: string): Promise<void> {
    await this.#change(async (transaction) => {
      const { state } = await standingIn(transaction, participant);
      if (state !== 'keys') return;
      step(transaction, participant, 'tested', participant, `Test message accepted: ${what}.`);
      await advance(transaction, participant, participant, undefined);
    });
  }

  /** Decides a step by hand. @returns why not, where it cannot be taken */
  async decide(
    participant: string,
    to: ParticipantState,
    by: string,
    note: string,
    also = nothing,
  ): Promise<string | undefined> {
    return this.#change(async (transaction) => {
      const { state, isSigned } = await standingIn(transaction, participant);
      if (state === undefined || !decided[state].includes(to)) {
        return `From ${state ?? 'nothing'} an organisation does not become ${to}.`;
      }
      if (to === 'live' && !isSigned) return 'There is no agreement that both have signed and whose time is not over.';
      step(transaction, participant, to, by, note);
      if (to === 'ended' || to === 'suspended') {
        await transaction.query('DELETE FROM participant_invitation WHERE participant = $1', [participant]);
      }
      await advance(transaction, participant, by, undefined);
      return undefined;
    }, also);
  }

  /** Writes down what is to be agreed; only the newest can be signed. @param id made by the caller */
  async draft(id: string, terms: Terms, by: string, also = nothing): Promise<Agreement | string> {
    return this.#change(async (transaction) => {
      const { participant } = terms;
      const { state } = await standingIn(transaction, participant);
      if (state === undefined || state === 'ended') return 'Invite the organisation first.';
      const { rows: known } = await transaction.query(
        'SELECT coalesce(max(version), 0) + 1 AS next FROM agreement WHERE participant = $1',
        [participant],
      );
      const { next } = known[0]!;
      const { rows } = await transaction.query(
        `INSERT INTO agreement (id, participant, version, may, purposes, types, jurisdiction, valid_from, valid_to, text,
                                hash, made_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *`,
        [
          id,
          participant,
          next,
          terms.may,
          terms.purposes,
          terms.types,
          terms.jurisdiction ?? null,
          terms.from,
          terms.to,
          terms.text,
          hashOf(terms, next),
          by,
        ],
      );
      step(transaction, participant, state, by, `Agreement ${next} written.`);
      return agreementOf(rows[0]!);
    }, also);
  }

  /**
   * Signs an agreement for one side. The newest that both have signed supersedes those before it.
   * @param hash of what the signer has read
   * @param participant for whom the organisation signs; undefined where the network does
   * @returns why not, where it cannot be signed
   */
  async sign(id: string, hash: string, by: string, participant?: string, also = nothing): Promise<string | undefined> {
    return this.#change(async (transaction) => {
      const { rows } = await transaction.query('SELECT * FROM agreement WHERE id = $1', [id]);
      const agreement = rows[0] && agreementOf(rows[0]);
      if (!agreement || (participant !== undefined && agreement.participant !== participant)) {
        return 'There is no agreement of this id.';
      }
      if (agreement.hash !== hash) return 'What was signed is not what is written; read it again.';
      const side = participant === undefined ? 'network' : 'participant';
      if (side === 'network' ? agreement.networkSigned : agreement.participantSigned) return 'It is signed already.';
      if (agreement.supersededBy !== undefined) return 'It is superseded by a newer one.';
      const { participant: of, version } = agreement;
      const { rows: newer } = await transaction.query(
        'SELECT 1 FROM agreement WHERE participant = $1 AND version > $2',
        [of, version],
      );
      if (newer.length > 0) return 'There is a newer one; sign that.';
      await transaction.query(
        `UPDATE agreement SET ${side}_signed_by = $2, ${side}_signed_at = clock_timestamp() WHERE id = $1`,
        [id, by],
      );
      const isWhole = (side === 'network' ? agreement.participantSigned : agreement.networkSigned) !== undefined;
      if (isWhole) {
        await transaction.query(
          `UPDATE agreement SET superseded_by = $1
           WHERE participant = $2 AND version < $3 AND superseded_by IS NULL`,
          [id, of, version],
        );
        await transaction.query('DELETE FROM participant_invitation WHERE participant = $1', [of]);
      }
      const whom = side === 'network' ? 'the network' : 'the organisation';
      await advance(transaction, of, by, `Agreement ${version} signed for ${whom} by ${by}.`);
      return undefined;
    }, also);
  }

  /** Changes what was agreed: one at a time, and known to this hub when it resolves. A text says why nothing was changed. */
  async #change<T>(change: (transaction: Transaction) => Promise<T>, also = nothing): Promise<T> {
    const changed = await this.#database.transaction(async (transaction) => {
      await transaction.query('LOCK TABLE participant_step IN EXCLUSIVE MODE');
      const outcome = await change(transaction);
      if (typeof outcome !== 'string') also(transaction);
      return outcome;
    });
    await this.#agreements.load();
    return changed;
  }
}

/** Reads a certificate in PEM. @returns what is wrong with it */
export function readCertificate(pem: string, now: Date): ReadCertificate | string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'This is no certificate in PEM (-----BEGIN CERTIFICATE-----).';
  }
  const { fingerprint256, subject, validFromDate, validToDate } = certificate;
  if (validToDate <= now) return 'The certificate has expired.';
  if (validFromDate > now) return 'The certificate is not valid yet.';
  return {
    fingerprint: fingerprint256.toLowerCase(),
    subject: subject.replaceAll('\n', ', ').slice(0, 200),
    expires: validToDate,
  };
}

interface Facts {
  state: ParticipantState | undefined;
  wasTested: boolean;
  hasKeys: boolean;
  isSigned: boolean;
}

async function standingIn(transaction: Transaction, participant: string): Promise<Facts> {
  const { rows } = await transaction.query(
    `SELECT (SELECT state FROM participant_step WHERE participant = $1 ORDER BY id DESC LIMIT 1) AS state,
       EXISTS (SELECT 1 FROM participant_step t WHERE t.participant = $1 AND t.state = 'tested' AND t.id > coalesce(
         (SELECT max(e.id) FROM participant_step e WHERE e.participant = $1 AND e.state = 'ended'), 0)) AS tested,
       EXISTS (SELECT 1 FROM participant_certificate WHERE participant = $1 AND expires > now()) AS keys,
       EXISTS (SELECT 1 FROM agreement WHERE participant = $1 AND participant_signed_at IS NOT NULL
         AND network_signed_at IS NOT NULL AND superseded_by IS NULL AND valid_to > now()) AS signed`,
    [participant],
  );
  const { state, tested, keys, signed } = rows[0]!;
  return { state: state ?? undefined, wasTested: tested, hasKeys: keys, isSigned: signed };
}

/** Takes the steps that follow from what was done. @param note of the first of them, or of one that changes nothing */
async function advance(
  transaction: Transaction,
  participant: string,
  by: string,
  note: string | undefined,
): Promise<void> {
  const { hasKeys, wasTested, isSigned, state: first } = await standingIn(transaction, participant);
  let state = first;
  if (state === undefined) return;
  let said = note;
  const go = (next: ParticipantState, why: string) => {
    step(transaction, participant, next, by, said ?? why);
    said = undefined;
    state = next;
  };
  if (state === 'invited' && hasKeys) go('keys', 'Its certificate is known.');
  if (state === 'keys' && wasTested) go('tested', 'It was tested.');
  if (state === 'tested' && isSigned) go('signed', 'Both have signed.');
  if (said !== undefined) step(transaction, participant, state, by, said);
}

function step(transaction: Transaction, participant: string, state: ParticipantState, by: string, note: string): void {
  transaction.send({
    name: 'participant_step',
    text: 'INSERT INTO participant_step (participant, state, by_whom, note) VALUES ($1, $2, $3, $4)',
    values: [participant, state, by, note],
  });
}

/** What both sign: the text, and what the hub goes by. */
function hashOf(terms: Terms, version: number): string {
  const { participant, may, purposes, types, jurisdiction = null, from, to, text } = terms;
  const said = { participant, version, may, purposes, types, jurisdiction, from, to, text };
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
