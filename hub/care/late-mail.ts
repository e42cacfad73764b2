/**
 * Mail to organisations of which loops are late: how many and where to sign in, nothing of whom or what. It is noted in the
 * transaction that brings the loops before people, and told until the mail server takes it.
 */
import { createHash } from 'node:crypto';
import type { Database, Transaction } from '../database/index.ts';
import { MailError, type Mailer } from '../mail/index.ts';
import type { Participants } from '../trust/index.ts';

/** A mailbox is told again after so long at the earliest. */
const pauseMinutes = 15;

export interface LateMailParts {
  database: Database;
  participants: Participants;
  mailer: Mailer;
  /** Where the screens are. */
  pages(): string;
}

export class LateMail {
  readonly #parts: LateMailParts;

  constructor(parts: LateMailParts) {
    this.#parts = parts;
  }

  /** Notes that a loop is late which these organisations have to close. */
  note(transaction: Transaction, organizations: readonly string[]): void {
    const all = organizations.map((key) => this.#parts.participants.byKey(key).settings.lateMail);
    const mailboxes = [...new Set(all.filter((one) => one !== undefined))].sort();
    if (mailboxes.length === 0) return;
    transaction.send({
      name: 'late_mail_note',
      text: `INSERT INTO late_mail AS m (mailbox, waiting) SELECT *, 1 FROM unnest($1::text[])
             ON CONFLICT (mailbox) DO UPDATE SET waiting = m.waiting + 1`,
      values: [mailboxes],
    });
  }

  /** Tells those who are to be told. @throws the first fault that is not the mail server's */
  async send(): Promise<void> {
    const { database, mailer, pages } = this.#parts;
    const { rows } = await database.query<{ mailbox: string; waiting: number; round: number }>({
      name: 'late_mail_due',
      text: 'SELECT mailbox, waiting, round FROM late_mail WHERE waiting > 0 AND next_attempt <= now() ORDER BY mailbox LIMIT 100',
    });
    for (const { mailbox, waiting, round } of rows) {
      const id = createHash('sha256').update(`late ${mailbox} ${round}`).digest('hex').slice(0, 32);
      const isTold = await mailer
        .send({
          to: mailbox,
          subject: 'Something is late',
          text: textOf(waiting, `${pages()}/loops`),
          messageId: `<${id}@${mailer.from.split('@')[1]}>`,
        })
        .then(
          () => true,
          (error) => {
            if (error instanceof MailError) return false;
            throw error;
          },
        );
      // What became late meanwhile is told with the next.
      await database.query({
        name: 'late_mail_told',
        text: `UPDATE late_mail SET waiting = waiting - $2, round = round + $3, next_attempt = now() + interval '${pauseMinutes} minutes'
               WHERE mailbox = $1`,
        values: [mailbox, isTold ? waiting : 0, isTold ? 1 : 0],
      });
    }
  }
}

function textOf(count: number, place: string): string {
  return `${count === 1 ? 'Something that your organisation has to bring to an end is' : `${count} things that your organisation has to bring to an end are`} late.

To see what it is, sign in:
${place}

For the protection of those concerned, mail says no more.
`;
}
