/** What people have to be told: written with what it tells of, shown until the one it is for has read it. */
import type { Database, Transaction } from '../database/index.ts';

export interface Notice {
  id: number;
  at: Date;
  recipient: string;
  kind: string;
  about: Record<string, unknown>;
  isRead: boolean;
}

/** Writes a notice in a transaction. @param recipient `role:…`, `account:…` or `patient:…` */
export function notify(transaction: Transaction, recipient: string, kind: string, about: object): void {
  transaction.send({
    name: 'notify',
    text: 'INSERT INTO notice (recipient, kind, about) VALUES ($1, $2, $3)',
    values: [recipient, kind, JSON.stringify(about)],
  });
}

export class Notices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The notices for any of these recipients, the latest first. */
  async of(username: string, recipients: readonly string[], limit = 50): Promise<Notice[]> {
    const { rows } = await this.#database.query({
      name: 'notices_of',
      text: `SELECT n.*, EXISTS (SELECT FROM notice_read r WHERE r.notice = n.id AND r.username = $2) AS is_read
             FROM notice n WHERE n.recipient = ANY($1) ORDER BY n.id DESC LIMIT $3`,
      values: [recipients, username, limit],
    });
    return rows.map(({ id, at, recipient, kind, about, is_read: isRead }) => ({
      id,
      at,
      recipient,
      kind,
      about,
      isRead,
    }));
  }

  /** Notes that an account has read notices, as far as they are for it. */
  async read(username: string, recipients: readonly string[], ids: readonly number[]): Promise<void> {
    await this.#database.query(
      `INSERT INTO notice_read (notice, username) SELECT id, $1 FROM notice WHERE id = ANY($2) AND recipient = ANY($3)
       ON CONFLICT DO NOTHING`,
      [username, ids, recipients],
    );
  }
}
