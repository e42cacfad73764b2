/** Which Direct mails were taken, so that one that comes again is taken once. */
import type { Database } from '../database/index.ts';

export interface TakenMail {
  id: string;
  participant: string;
  sender: string;
  messageId: string;
  /** SHA-256 of what was signed. */
  digest: Buffer;
  /** The messages that the mail itself and its documents were kept as. */
  message: string | undefined;
  documents: readonly string[];
}

export class DirectMails {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async isTaken({
    participant,
    messageId,
    digest,
  }: Pick<TakenMail, 'participant' | 'messageId' | 'digest'>): Promise<boolean> {
    const { rowCount } = await this.#database.query({
      name: 'direct_mail_taken',
      text: 'SELECT 1 FROM direct_mail WHERE participant = $1 AND message_id = $2 AND digest = $3',
      values: [participant, messageId, digest],
    });
    return rowCount === 1;
  }

  async note({ id, participant, sender, messageId, digest, message, documents }: TakenMail): Promise<void> {
    await this.#database.query({
      name: 'direct_mail_note',
      text: `INSERT INTO direct_mail (id, received, participant, sender, message_id, digest, message, documents)
             VALUES ($1, now(), $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      values: [id, participant, sender, messageId, digest, message ?? null, documents],
    });
  }
}
