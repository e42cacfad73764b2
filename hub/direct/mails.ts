/** Which Direct mails were taken, so that one that comes again is taken once. */
import type { Database } from '../database/index.ts';
import type { DirectNotification } from '../mail/index.ts';

export interface TakenMail {
  id: string;
  participant: string;
  sender: string;
  messageId: string;
  /** SHA-256 of what was signed. */
  digest: Buffer;
  /** The messages that its documents were kept as. */
  documents: readonly string[];
}

/** A notification that is owed for a mail. */
export interface OwedNotice {
  id: string;
  recipient: string;
  /** Of the recipient, as PEM. */
  certificate: string;
  original: string;
  disposition: DirectNotification['disposition'];
}

/** One whose turn has come, before its next attempt. */
export interface DueNotice extends OwedNotice {
  created: Date;
  attempts: number;
}

export class DirectMails {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether a mail was taken whole. */
  async isTaken({
    participant,
    messageId,
    digest,
  }: Pick<TakenMail, 'participant' | 'messageId' | 'digest'>): Promise<boolean> {
    const { rowCount } = await this.#database.query({
      name: 'direct_mail_taken',
      text: 'SELECT 1 FROM direct_mail WHERE participant = $1 AND message_id = $2 AND digest = $3 AND is_whole',
      values: [participant, messageId, digest],
    });
    return rowCount === 1;
  }

  /** Notes which documents a mail has, before the mail itself is kept. */
  async begin({ id, participant, sender, messageId, digest, documents }: TakenMail): Promise<void> {
    await this.#database.query({
      name: 'direct_mail_begin',
      text: `INSERT INTO direct_mail (id, received, participant, sender, message_id, digest, documents, is_whole)
             VALUES ($1, now(), $2, $3, $4, $5, $6, false) ON CONFLICT DO NOTHING`,
      values: [id, participant, sender, messageId, digest, documents],
    });
  }

  /**
   * Notes that a mail is kept whole, with the notifications that are owed for it; once, however often it comes.
   * @param message that it was kept as; undefined where it is not kept
   */
  async note(
    { participant, messageId, digest, documents }: TakenMail,
    message: string | undefined,
    notices: readonly OwedNotice[],
  ): Promise<void> {
    await this.#database.query({
      name: 'direct_mail_note',
      text: `WITH noted AS (
               UPDATE direct_mail SET message = $4, documents = $5, is_whole = true
               WHERE participant = $1 AND message_id = $2 AND digest = $3 AND NOT is_whole RETURNING id)
             INSERT INTO direct_notice (id, created, recipient, certificate, original, disposition, next_attempt)
             SELECT v.id, now(), recipient, certificate, original, disposition, now()
             FROM noted, unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[])
               AS v (id, recipient, certificate, original, disposition)`,
      values: [
        participant,
        messageId,
        digest,
        message ?? null,
        documents,
        notices.map((one) => one.id),
        notices.map(({ recipient }) => recipient),
        notices.map(({ certificate }) => certificate),
        notices.map(({ original }) => original),
        notices.map(({ disposition }) => disposition),
      ],
    });
  }

  /** The notifications that are due; each is left alone for a while then, twice as long at every attempt. */
  async due(count: number): Promise<DueNotice[]> {
    const { rows } = await this.#database.query({
      name: 'direct_notice_due',
      text: `UPDATE direct_notice n SET attempts = attempts + 1,
               next_attempt = now() + least(30 * power(2, least(attempts, 10)), 3600) * interval '1 second'
             FROM (SELECT id FROM direct_notice WHERE next_attempt <= now() ORDER BY next_attempt, id LIMIT $1
                   FOR UPDATE SKIP LOCKED) d
             WHERE n.id = d.id
             RETURNING n.id, n.created, n.recipient, n.certificate, n.original, n.disposition, n.attempts`,
      values: [count],
    });
    // One is told that it was processed before it is told that it was dispatched.
    return (rows as DueNotice[]).sort((a, b) => (a.disposition < b.disposition ? 1 : -1));
  }

  /** One that was sent, or is given up. */
  async settled(notice: string): Promise<void> {
    await this.#database.query({
      name: 'direct_notice_settled',
      text: 'DELETE FROM direct_notice WHERE id = $1',
      values: [notice],
    });
  }
}
