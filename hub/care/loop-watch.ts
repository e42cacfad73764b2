/**
 * Closes loops that are closed by what became of deliveries, and brings those that are late before people: one hub at a time
 * looks every few seconds.
 */
import type { Database, Transaction } from '../database/index.ts';
import { notify } from '../trust/index.ts';
import type { LateMail } from './late-mail.ts';
import type { LoopKind } from './loop-evidence.ts';
import { isOfStay } from './of-stay.ts';
import { carersOf } from './relationships.ts';
import type { Summaries } from './summaries.ts';

const everyMs = 5_000;
/** So many are brought before people in one turn; the others come in the next. */
const most = 200;

interface Late {
  id: string;
  kind: LoopKind;
  source: string;
  site: string | null;
  home: number;
}

/** Who looks after loops of a kind when they are late, beside the organisations that they are of. */
const overseers: Record<LoopKind, readonly string[]> = {
  recall: ['role:integration-engineer', 'role:privacy-officer', 'role:steward'],
  transition: ['role:steward'],
  referral: [],
  'critical-result': ['role:steward'],
};

export class LoopWatch {
  readonly #database: Database;
  readonly #late: (count: number) => void;
  readonly #fault: (error: unknown) => void;
  readonly #summaries: Pick<Summaries, 'make'> | undefined;
  readonly #mail: Pick<LateMail, 'note' | 'send'> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** @param late is told how many loops were brought before people @param fault is told where loops were not looked at @param summaries makes those that were not sent in time @param mail tells organisations of what is late */
  constructor(
    database: Database,
    late: (count: number) => void,
    fault: (error: unknown) => void,
    summaries?: Pick<Summaries, 'make'>,
    mail?: Pick<LateMail, 'note' | 'send'>,
  ) {
    this.#mail = mail;
    this.#summaries = summaries;
    this.#database = database;
    this.#late = late;
    this.#fault = fault;
  }

  start(): void {
    const turn = () => {
      this.#turn = this.#turn.then(() => this.look()).catch(this.#fault);
    };
    turn();
    this.#timer = setInterval(turn, everyMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** Looks once. */
  async look(): Promise<void> {
    await this.#closeRecalls();
    await this.#closeTransitions();
    await this.#summaries?.make();
    const late = await this.#database.transaction((transaction) => escalate(transaction, this.#mail));
    if (late > 0) this.#late(late);
    await this.#mail?.send();
  }

  /**
   * Each who was told something that does not hold has acknowledged that it was taken back. Where one of them was sent
   * nothing, as there is no route to it any more, a person closes the recall.
   */
  async #closeRecalls(): Promise<void> {
    await this.#database.query({
      name: 'recalls_acknowledged',
      text: `WITH closed AS (
               UPDATE care_loop c SET state = 'closed', closed = now(), closed_by = 'hub', outcome = 'acknowledged'
               WHERE c.kind = 'recall' AND c.state <> 'closed'
                 AND EXISTS (SELECT FROM told d WHERE d.recall = c.id)
                 AND NOT EXISTS (SELECT FROM told d WHERE d.recall = c.id AND d.state NOT IN ('delivered', 'already-delivered'))
                 AND (c.why = 'wrong-person' OR NOT EXISTS (SELECT FROM told t WHERE ${isHeld}
                   AND NOT EXISTS (SELECT FROM told d WHERE d.recall = c.id AND d.destination = t.destination)))
               RETURNING c.id)
             INSERT INTO care_loop_event (loop, by_whom, event, note) SELECT id, 'hub', 'closed', 'acknowledged' FROM closed`,
    });
  }

  /** A discharge summary of the site was acknowledged by who cares next. */
  async #closeTransitions(): Promise<void> {
    await this.#database.query({
      name: 'transitions_accepted',
      text: `WITH closed AS (
               UPDATE care_loop c SET state = 'closed', closed = now(), closed_by = 'hub', outcome = 'summary-accepted',
                 site = (SELECT min(d.destination) FROM told d WHERE ${summaryOf()})
               WHERE c.kind = 'transition' AND c.state <> 'closed' AND EXISTS (SELECT FROM told d WHERE ${summaryOf()})
               RETURNING c.id, c.site)
             INSERT INTO care_loop_event (loop, by_whom, event, note)
             SELECT id, 'hub', 'closed', 'summary accepted by ' || site FROM closed`,
    });
  }
}

/** That a delivery `t` of what a recall `c` is about may have arrived, and was not taken back before the recall. */
const isHeld = `t.focus_rid = c.focus_rid AND t.focus_type = c.focus_type AND t.created < c.opened AND t.attempts > 0
  AND t.state <> 'cancelled' AND t.kind <> 'retraction' AND NOT EXISTS (SELECT FROM told b
    WHERE b.focus_rid = t.focus_rid AND b.focus_type = t.focus_type AND b.destination = t.destination
      AND b.kind = 'retraction' AND b.created < c.opened AND b.seq > t.seq)`;

/** That a delivery `d` is an acknowledged summary of the discharge `c`. */
const summaryOf =
  () => `d.home = c.home AND d.topic = 'discharge-summary' AND d.state IN ('delivered', 'already-delivered')
  AND d.kind <> 'retraction' AND d.created >= c.opened - interval '1 day' AND NOT EXISTS (SELECT FROM resource o
    WHERE o.rid = d.focus_rid AND o.type = d.focus_type AND NOT ${isOfStay('o', 'c')})`;

/** What is due, or a recall that came to an end without an acknowledgement, goes to people, once. */
async function escalate(transaction: Transaction, mail: Pick<LateMail, 'note'> | undefined): Promise<number> {
  const { rows } = await transaction.query<Late>({
    name: 'loops_late',
    text: `WITH late AS (
             SELECT c.id FROM care_loop c WHERE c.state <> 'closed' AND c.escalated IS NULL AND (c.due <= now()
               OR c.kind = 'recall' AND EXISTS (SELECT FROM told d WHERE d.recall = c.id AND d.state IN ('dead', 'cancelled')))
             ORDER BY c.due LIMIT ${most} FOR UPDATE SKIP LOCKED),
           changed AS (
             UPDATE care_loop c SET escalated = now() FROM late WHERE c.id = late.id
             RETURNING c.id, c.kind, c.source, c.site, c.home),
           noted AS (INSERT INTO care_loop_event (loop, by_whom, event) SELECT id, 'hub', 'escalated' FROM changed)
           SELECT * FROM changed`,
  });
  const unsited = rows.filter(({ kind, site }) => site === null && kind !== 'recall').map(({ home }) => home);
  const carers = unsited.length === 0 ? new Map<number, string[]>() : await carersOf(transaction, unsited, new Date());
  for (const { id, kind, source, site, home } of rows) {
    const organizations = kind === 'recall' ? [] : [source, ...(site === null ? (carers.get(home) ?? []) : [site])];
    const recipients = [...overseers[kind], ...new Set(organizations.map((key) => `organization:${key}`))];
    mail?.note(transaction, [...new Set(kind === 'recall' ? [source] : organizations)]);
    for (const recipient of recipients) notify(transaction, recipient, 'loop', { kind, loop: id, isLate: true });
  }
  return rows.length;
}
