/** What receivers of Direct mail say of it, and what they do not. */
import type { Database } from '../database/index.ts';
import { notify, type Participant, type Participants } from '../trust/index.ts';
import { controlIdOf } from './control-id.ts';
import { concludeAccepted } from './queue.ts';

const refusal = 'The receiver says that the mail was not taken, or did not come to whom it was for.';

/** Who answers: an address of an organisation. */
export interface DirectAnswerer {
  destination: Pick<Participant, 'key' | 'routes'>;
  /** In lower case. */
  address: string;
}

/**
 * Notes what a receiver says of a delivery: the address to which its route leads, and no other of the organisation. One that it
 * had taken may fail on its way further.
 */
export async function noteDirectAnswer(
  database: Database,
  { destination: { key, routes = [] }, address }: DirectAnswerer,
  delivery: string,
  isTaken: boolean,
): Promise<void> {
  const own = routes.filter(({ to }) => 'direct' in to && to.direct.address.toLowerCase() === address);
  const { rowCount: isTheirs } = await database.query({
    name: 'direct_answer',
    text: 'SELECT 1 FROM delivery WHERE id = $1 AND destination = $2 AND route = ANY($3)',
    values: [delivery, key, own.map(({ name }) => name)],
  });
  if (!isTheirs) return;
  const answer = isTaken ? ({ kind: 'delivered' } as const) : ({ kind: 'refused', reason: refusal } as const);
  const isConcluded = await concludeAccepted(database, key, controlIdOf(delivery), answer);
  if (isTaken || isConcluded) return;
  await database.query({
    name: 'direct_failed_later',
    text: `UPDATE delivery SET state = 'dead', last_error = $3, delivered = NULL, offered = true
           WHERE id = $1 AND destination = $2 AND state = 'delivered'`,
    values: [delivery, key, refusal],
  });
}

/**
 * Marks the mails of which nothing was heard in time, once each, and tells those who look after connections.
 * @returns how many they are
 */
export async function noteUnanswered(database: Database, participants: Participants, minutes: number): Promise<number> {
  const lanes = participants
    .all()
    .flatMap(({ key, routes = [] }) => routes.flatMap(({ name, to }) => ('direct' in to ? [{ key, name }] : [])));
  if (lanes.length === 0) return 0;
  return database.transaction(async (transaction) => {
    // When an accepted one was settled, its next attempt was due at once.
    const { rows } = await transaction.query<{ destination: string; count: number }>({
      name: 'direct_unanswered',
      text: `WITH late AS (
               UPDATE delivery d SET last_error = $4 FROM unnest($1::text[], $2::text[]) AS l (destination, route)
               WHERE d.destination = l.destination AND d.route = l.route AND d.state = 'accepted'
                 AND d.next_attempt < now() - $3 * interval '1 minute' AND d.last_error IS DISTINCT FROM $4
               RETURNING d.destination)
             SELECT destination, count(*)::integer AS count FROM late GROUP BY destination`,
      values: [lanes.map(({ key }) => key), lanes.map(({ name }) => name), minutes, silence],
    });
    for (const { destination, count } of rows)
      notify(transaction, 'role:integration-engineer', 'direct-unanswered', { destination, count });
    return rows.reduce((sum, { count }) => sum + count, 0);
  });
}

const silence = 'The mail was handed over, and its receiver has not said in time that it has it.';
