/**
 * Of whom nothing is taken any more. Asked for each message and each patient that is not known yet; so it is in memory, and
 * looked at anew every moment, since other hubs erase too.
 */
import type { Database } from '../database/index.ts';
import type { Received } from '../inbox/index.ts';
import { erasedText, hash64 } from '../record/index.ts';
import type { Tokens } from './tokens.ts';

const lookMs = 2_000;

export class Stops {
  readonly #database: Database;
  readonly #tokens: Tokens;
  readonly #fault: (error: unknown) => void;
  #stopped = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #seen = '';
  /** Told of homes whose keys were destroyed since the last look. */
  onErased: (homes: readonly number[]) => void = () => {};

  constructor(database: Database, tokens: Tokens, fault: (error: unknown) => void) {
    this.#database = database;
    this.#tokens = tokens;
    this.#fault = fault;
  }

  /** Looks at what is stopped, and from then on every moment. */
  async watch(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look().catch(this.#fault), lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const { rows } = await this.#database.query({
      name: 'erasures_seen',
      text: `SELECT count(*) || ' ' || coalesce(max(greatest(erased_at, ended_at))::text, '') AS seen FROM erasure
             WHERE state IN ('erased', 'lifted')`,
    });
    if (rows[0]!.seen === this.#seen) return;
    const [stops, erased] = await Promise.all([
      this.#database.query<{ token: Buffer; erasure: string }>('SELECT token, erasure FROM erasure_stop'),
      this.#database.query<{ homes: number[] }>(`SELECT homes FROM erasure WHERE state IN ('erased', 'lifted')`),
    ]);
    this.#stopped = new Map(stops.rows.map(({ token, erasure }) => [token.toString('base64'), erasure]));
    this.onErased(erased.rows.flatMap(({ homes }) => homes));
    this.#seen = rows[0]!.seen;
  }

  /** Whether a patient of this id, who is not known here, is one whose record was erased. */
  isErased(rid: string): boolean {
    return this.#stopped.size > 0 && this.#stopped.has(this.#tokens.patient(rid).toString('base64'));
  }

  /** The message as it is kept: of one about somebody whose record was erased only that it was refused. */
  judged(received: Received): Received {
    if (this.#stopped.size === 0) return received;
    const erasure = this.#stopped.get(this.#tokens.lane(String(hash64(received.lane))).toString('base64'));
    if (erasure === undefined) return received;
    void this.count(erasure).catch(this.#fault);
    return {
      ...received,
      bytes: new Uint8Array(0),
      controlId: '',
      lane: 'refused',
      refused: erasedText,
      isErased: true,
      settled: false,
      applicationWish: undefined,
    };
  }

  /** Notes that something was refused. */
  async count(erasure: string): Promise<void> {
    await this.#database.query({
      name: 'erasure_refused',
      text: 'UPDATE erasure SET refused = refused + 1, refused_at = clock_timestamp() WHERE id = $1',
      values: [erasure],
    });
  }
}
