/**
 * Application acknowledgements (HL7 v2.9 chapter 2, section 2.9.3): in enhanced mode a sender that asked for it in MSH-16
 * is told what came of its message, after the commit acknowledgement and in a message of its own. AA: what the message
 * says is in the record, with a warning for each thing that cannot be right; AE: it could not be converted or stored.
 *
 * Made here from the stored message and its state, whoever sends them: the connection that the message came over (see
 * `hub/gate/application-acks.ts`), or the participant's endpoint (`hub/outbox/acknowledgement-routes.ts`).
 */
import {
  type Acknowledgement,
  acknowledge,
  type Condition,
  isParseError,
  type Message,
  parseMessage,
} from '@causeway/hl7v2';
import type { Database, Row } from '../database/index.ts';
import { newId, open } from '../record/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import { messageIdentity } from './receive.ts';

/** An application acknowledgement whose message is finished. */
export interface DueAcknowledgement {
  message: string;
  source: string;
  attempts: number;
}

const atOnce = 64;
const shownConditions = 10;
/** Whoever sends one has so long; after that (a hub that ended) it is anybody's again. */
const unclaimed = `(a.claimed IS NULL OR a.claimed < now() - interval '1 minute')`;

/**
 * Of these messages, those whose acknowledgement can be sent now, in the order of the messages, and those for which there
 * is nothing to send any more.
 */
export async function finishedOf(
  database: Database,
  messages: string[],
): Promise<{ message: string; isOwed: boolean }[]> {
  const { rows } = await database.query({
    name: 'application_ack_finished',
    text: `SELECT v.message, coalesce(a.state IN ('due', 'kept'), false) AS owed
           FROM unnest($1::uuid[]) AS v (message)
           LEFT JOIN application_ack a ON a.message = v.message LEFT JOIN message m ON m.id = v.message
           WHERE a.message IS NULL OR a.state NOT IN ('due', 'kept')
             OR (m.state IN ('processed', 'dead') AND ${unclaimed})
           ORDER BY m.seq LIMIT ${atOnce}`,
    values: [messages],
  });
  return rows.map(({ message, owed }) => ({ message, isOwed: owed }));
}

/** Those that no connection has sent in its turn. */
export async function overdue(database: Database): Promise<DueAcknowledgement[]> {
  const { rows } = await database.query({
    name: 'application_ack_overdue',
    text: `SELECT a.message, a.source, a.attempts FROM application_ack a JOIN message m ON m.id = a.message
           WHERE a.state = 'due' AND a.next_attempt <= now() AND m.state IN ('processed', 'dead')
             AND ${unclaimed} ORDER BY m.seq LIMIT ${atOnce}`,
  });
  return rows as DueAcknowledgement[];
}

/** Those that wait for their sender to connect. */
export async function keptFor(database: Database, source: string): Promise<DueAcknowledgement[]> {
  const { rows } = await database.query({
    name: 'application_ack_kept',
    text: `SELECT message, source, attempts FROM application_ack WHERE source = $1 AND state = 'kept'
           ORDER BY next_attempt LIMIT ${atOnce}`,
    values: [source],
  });
  return rows as DueAcknowledgement[];
}

/**
 * Claims one and writes it: undefined where somebody else has it, or the sender wants none of this outcome. Once it is
 * sent, `markSent` says so; where that fails, `release` gives it back.
 */
export async function claimAcknowledgement(
  database: Database,
  master: MasterKey,
  message: string,
): Promise<(Acknowledgement & { controlId: string }) | undefined> {
  const controlId = newId().replaceAll('-', '').slice(-20);
  const { rows } = await database.query(
    `UPDATE application_ack a SET state = 'due', control_id = $2, claimed = now(),
       attempts = least(a.attempts + 1, 30000)
     FROM message m WHERE a.message = $1 AND a.state IN ('due', 'kept') AND ${unclaimed} AND m.id = a.message
     RETURNING m.id, m.state, m.error, m.issue_list, m.sealing_key, m.body, m.charset`,
    [message, controlId],
  );
  const row = rows[0];
  if (!row) return undefined;
  const original = row.sealing_key && originalOf(row, master);
  const answer = original && written(original, row, controlId);
  await database.query(
    `UPDATE application_ack SET code = $2, state = CASE WHEN $2::text IS NULL THEN 'unwanted' ELSE state END
     WHERE message = $1`,
    [message, answer?.code ?? null],
  );
  return answer ? { ...answer, controlId } : undefined;
}

/** Notes that one was sent. */
export async function markSent(database: Database, message: string): Promise<void> {
  await database.query(
    `UPDATE application_ack SET state = 'sent', sent = now(), claimed = NULL WHERE message = $1 AND state = 'due'`,
    [message],
  );
}

/** Gives back what could not be sent: to be tried again after a time, or kept until its sender connects. */
export async function release(
  database: Database,
  message: string,
  to: { state: 'due'; afterMs: number; error?: string } | { state: 'kept'; error?: string },
): Promise<void> {
  await database.query(
    `UPDATE application_ack SET state = $2, claimed = NULL, next_attempt = now() + $3 * interval '1 ms',
       error = coalesce($4, error)
     WHERE message = $1 AND state = 'due'`,
    [message, to.state, to.state === 'due' ? Math.round(to.afterMs) : 0, to.error ?? null],
  );
}

/** What a sender said to an application acknowledgement; whether it was one of ours. */
export async function noteReply(
  database: Database,
  controlId: string,
  code: string,
  reason?: string,
): Promise<boolean> {
  const { rowCount } = await database.query(
    `UPDATE application_ack SET state = $2, error = $3, claimed = NULL, answered = now()
     WHERE control_id = $1 AND state IN ('due', 'sent')`,
    [controlId, /^[AC]A$/.test(code) ? 'confirmed' : 'refused', reason ?? null],
  );
  return (rowCount ?? 0) > 0;
}

/** The message came again before its sender had, or confirmed, the acknowledgement: it is sent again. */
export async function oweAgain(database: Database, message: string, turnMs: number): Promise<void> {
  await database.query(
    `UPDATE application_ack SET state = 'due', next_attempt = now() + $2 * interval '1 ms'
     WHERE message = $1 AND state IN ('sent', 'kept')`,
    [message, turnMs],
  );
}

function originalOf(row: Row, master: MasterKey): Message | undefined {
  const identity = messageIdentity(row.id);
  const bytes = open(row.body, unwrapDataKey(master, row.sealing_key, identity), identity);
  const message = parseMessage(bytes, row.charset === null ? {} : { charset: row.charset });
  return isParseError(message) ? undefined : message;
}

function written(message: Message, row: Row, controlId: string): Acknowledgement | undefined {
  const answer = { stage: 'application', time: new Date(), controlId } as const;
  if (row.state === 'processed') {
    return acknowledge(message, { ...answer, outcome: 'accept', conditions: warnings(message, row.issue_list ?? []) });
  }
  const reason = `The message is kept and could not be processed: ${row.error}`;
  return acknowledge(message, { ...answer, outcome: 'error', conditions: [{ errorCode: '207', message: reason }] });
}

/** Before v2.5 an ERR says no severity, so that a warning would read as an error. */
function warnings(message: Message, issues: { severity: string; code: string; source?: string }[]): Condition[] {
  if (/^2\.[0-4]/.test(message.version)) return [];
  return issues
    .filter(({ severity }) => severity === 'error')
    .slice(0, shownConditions)
    .map(({ code, source }) => ({
      errorCode: '199',
      severity: 'W',
      message: `${code}${source === undefined ? '' : ` at ${source}`}: kept as sent; the rest was taken.`,
    }));
}
