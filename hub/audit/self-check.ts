/** The hub's own look at its log: what came since, each hour; all of it once a day, in slices. Whatever is wrong is told. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, type LedWork, Rounds } from '../database/index.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import { treeState } from './tree.ts';
import { type Verification, verifyDatabase } from './verify.ts';

const everyMs = 3_600_000;
const wholeMs = 24 * 3_600_000;
/** After each slice it rests as long as that took, and this at least. */
const restMs = 20;

export class SelfCheck implements LedWork {
  readonly #database: Database;
  readonly #file: CheckpointFile;
  readonly #alarm: (text: string) => Promise<void>;
  readonly #rounds: Rounds;
  #lastWhole = 0;

  /** @param alarm is told what is wrong, once for each thing @param fault is told why the log could not be looked at */
  constructor(
    database: Database,
    file: CheckpointFile,
    alarm: (text: string) => Promise<void>,
    fault: (error: unknown) => void,
  ) {
    this.#database = database;
    this.#file = file;
    this.#alarm = alarm;
    this.#rounds = new Rounds({
      round: async (signal) => {
        await this.#look(signal);
        return everyMs;
      },
      ...{ firstMs: everyMs, afterFaultMs: everyMs, fault },
    });
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const isWhole = Date.now() - this.#lastWhole >= wholeMs;
    if (await this.check(isWhole, signal)) this.#lastWhole = isWhole ? Date.now() : this.#lastWhole;
  }

  /** Looks at what came since the last time, or at all; undefined where the signal ended it. */
  async check(isWhole: boolean, signal?: AbortSignal): Promise<Verification | undefined> {
    const published = await this.#file.read();
    const state = await treeState(this.#database);
    if (!state) return undefined;
    const last = state.verified_root && { size: state.verified, root: state.verified_root };
    let begun = performance.now();
    const verification = await verifyDatabase(this.#database, {
      ...(last && !isWhole ? { from: last } : {}),
      published: published === undefined ? [] : [published],
      step: async () => {
        await delay(Math.max(restMs, performance.now() - begun), undefined, signal ? { signal } : {});
        begun = performance.now();
      },
    }).catch((error) => {
      if (signal?.aborted) return undefined;
      throw error;
    });
    if (!verification) return undefined;
    const { finding, size, root } = verification;
    const wrong = finding?.text ?? null;
    if (wrong === null) {
      await this.#database.query(
        'UPDATE audit_tree SET verified = $1, verified_root = $2, verified_at = clock_timestamp(), wrong = NULL',
        [size, root],
      );
    } else if (wrong !== state.wrong) {
      await this.#database.query('UPDATE audit_tree SET wrong = $1', [wrong]);
      await this.#alarm(wrong);
    }
    return verification;
  }
}
