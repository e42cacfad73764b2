/**
 * What was agreed with the organisations on the network, and where each stands: kept in memory, known to every hub over
 * the database within moments. What changes it is `onboarding.ts`; what it decides, `standing.ts`.
 */
import type { Database, Row } from '../database/index.ts';
import {
  type Activity,
  type AgreedTerms,
  type Asked,
  agreedTypes,
  nextChange,
  noStanding,
  type ParticipantState,
  refusedActivity,
  type Standing,
} from './standing.ts';

/** An agreement as it is written down. */
export interface Agreement extends AgreedTerms {
  participant: string;
  version: number;
  /** Two letters. */
  jurisdiction: string | undefined;
  text: string;
  hash: string;
  by: string;
  at: Date;
  participantSigned: Signature | undefined;
  networkSigned: Signature | undefined;
}

export interface Signature {
  by: string;
  at: Date;
}

/** A step on the way onto the network, or a change of what was agreed. */
export interface Step {
  state: ParticipantState;
  at: Date;
  by: string;
  note: string;
}

/** A certificate or an agreement whose time is nearly over. */
export interface Expiring {
  participant: string;
  what: 'certificate' | 'agreement';
  until: Date;
}

const warnedDays = 30;
const warningMs = 12 * 3_600_000;
const firstWarningMs = 60_000;

export class Agreements {
  readonly #database: Database;
  #standings = new Map<string, Standing>();
  /** The highest step that was seen. */
  #seen = 0;
  #changes = 0;
  #changesAt: Date | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Changes when what is agreed does, by somebody or by time: whoever remembers a decision remembers it by this. */
  get stamp(): number {
    const now = new Date();
    if (this.#changesAt !== undefined && now >= this.#changesAt) this.#noteChange(now);
    return this.#changes;
  }

  /** The last step that is known: all agreements are as of it. */
  get step(): number {
    return this.#seen;
  }

  /** Says a minute after the start, and twice a day, what ends soon. */
  watch(warn: (expiring: Expiring[]) => void): void {
    const look = async () => {
      const expiring = await this.expiring().catch(() => []);
      if (expiring.length > 0) warn(expiring);
    };
    this.#timers.push(setTimeout(look, firstWarningMs).unref(), setInterval(look, warningMs).unref());
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  standing(key: string | undefined): Standing {
    return (key === undefined ? undefined : this.#standings.get(key)) ?? noStanding;
  }

  /** Why an organisation may not do something; undefined where it may. */
  refused(key: string | undefined, asked: Asked, isRequired: boolean): string | undefined {
    return refusedActivity(this.standing(key), asked, isRequired, new Date());
  }

  /** The types that an organisation may read for a purpose. */
  typesOf(key: string | undefined, purpose: string, activity: Activity = 'query'): string[] {
    return agreedTypes(this.standing(key), purpose, new Date(), activity);
  }

  /** Learns what changed. */
  async load(): Promise<void> {
    const { rows } = await this.#database.query({
      name: 'participant_step_last',
      text: 'SELECT coalesce(max(id), 0) AS last FROM participant_step',
    });
    const { last } = rows[0]!;
    if (last <= this.#seen) return;
    const [steps, agreements] = await Promise.all([
      this.#database.query(
        'SELECT DISTINCT ON (participant) participant, state FROM participant_step ORDER BY participant, id DESC',
      ),
      this.#database.query(`SELECT ${termColumns} FROM agreement`),
    ]);
    const terms = Map.groupBy(agreements.rows, ({ participant }) => participant);
    this.#standings = new Map(
      steps.rows.map(({ participant, state }) => [
        participant,
        { state, agreements: (terms.get(participant) ?? []).map(termsOf) },
      ]),
    );
    this.#seen = last;
    this.#noteChange(new Date());
  }

  #noteChange(now: Date): void {
    this.#changes++;
    this.#changesAt = nextChange(this.#standings.values(), now);
  }

  /** The agreements with an organisation, the newest first. */
  async of(participant: string): Promise<Agreement[]> {
    const { rows } = await this.#database.query(
      'SELECT * FROM agreement WHERE participant = $1 ORDER BY version DESC',
      [participant],
    );
    return rows.map(agreementOf);
  }

  /** The steps of an organisation, the latest first. */
  async steps(participant: string, limit = 200): Promise<Step[]> {
    const { rows } = await this.#database.query(
      'SELECT state, at, by_whom AS by, note FROM participant_step WHERE participant = $1 ORDER BY id DESC LIMIT $2',
      [participant, limit],
    );
    return rows.map(({ state, at, by, note }) => ({ state, at, by, note }));
  }

  /** What of those that are on the network ends within 30 days, or has ended; the soonest first. */
  async expiring(): Promise<Expiring[]> {
    const { rows } = await this.#database.query(
      `SELECT participant, 'certificate' AS what, max(expires) AS until FROM participant_certificate
         GROUP BY participant HAVING max(expires) < now() + $1 * interval '1 day'
       UNION ALL
       SELECT participant, 'agreement', max(valid_to) FROM agreement
         WHERE network_signed_at IS NOT NULL AND participant_signed_at IS NOT NULL
         GROUP BY participant HAVING max(valid_to) < now() + $1 * interval '1 day'
       ORDER BY until`,
      [warnedDays],
    );
    return rows
      .map(({ participant, what, until }) => ({ participant, what, until }))
      .filter(({ participant }) => this.standing(participant).state !== 'ended');
  }
}

const termColumns = `id, participant, may, purposes, types, valid_from, valid_to, superseded_by,
  participant_signed_at, network_signed_at`;

function termsOf(row: Row): AgreedTerms {
  return {
    id: row.id,
    may: row.may as Activity[],
    purposes: row.purposes,
    types: row.types,
    from: row.valid_from,
    to: row.valid_to,
    isSigned: row.participant_signed_at !== null && row.network_signed_at !== null,
    supersededBy: row.superseded_by ?? undefined,
  };
}

export function agreementOf(row: Row): Agreement {
  const signature = (by: string | null, at: Date | null) => (by === null || at === null ? undefined : { by, at });
  return {
    ...termsOf(row),
    participant: row.participant,
    version: row.version,
    jurisdiction: row.jurisdiction ?? undefined,
    text: row.text,
    hash: row.hash,
    by: row.made_by,
    at: row.made_at,
    participantSigned: signature(row.participant_signed_by, row.participant_signed_at),
    networkSigned: signature(row.network_signed_by, row.network_signed_at),
  };
}
