/**
 * Has the witnesses of the log cosign its checkpoints (C2SP tlog-witness): one hub at a time gives each the latest one, at
 * most once in a while, and keeps what it answers. The log waits for none of them. One that does not cosign for long is told
 * once; so is one that has cosigned another log than this, which shows that it was set back or forked.
 */
import { createHash } from 'node:crypto';
import {
  type Policy,
  type PolicyWitness,
  readNote,
  readVerifier,
  submissionText,
  verifyCheckpoint,
  verifyNote,
} from '@causeway/tlog';
import { type Database, type LedWork, Rounds, type Transaction } from '../database/index.ts';
import { keepCosignature } from './cosigned.ts';
import { verifiersOf } from './log-keys.ts';
import { consistencyPath, type TreeState, treeState } from './tree.ts';
import type { WatchedFile } from './watched-file.ts';

export interface WitnessRequest {
  method: 'GET' | 'POST';
  body?: Uint8Array;
}

export interface WitnessReply {
  status: number;
  type: string;
  body: string;
}

export interface WitnessesParts {
  database: Database;
  policy: WatchedFile<Policy | undefined>;
  /** @throws Error where no whole answer comes in time */
  ask(url: string, asked: WitnessRequest): Promise<WitnessReply>;
  /** Told what people have to hear, in the transaction that notes it. */
  alarm(transaction: Transaction, text: string): void;
  fault(error: unknown): void;
}

export interface WitnessPaces {
  /** At most one checkpoint in so long. */
  everyMs: number;
  /** A witness that cosigns nothing for so long is told. */
  alarmMs: number;
}

/** A witness that fails is asked less and less often. */
const longestPauseMs = 5 * 60_000;
const mostTries = 3;

/** Up to where a witness cosigned which log. */
interface Known {
  origin: string;
  size: number;
}

export class Witnesses implements LedWork {
  readonly #parts: WitnessesParts;
  readonly #paces: WitnessPaces;
  /** When those that failed are asked again, and how often they failed. */
  readonly #pauses = new Map<string, { until: number; failures: number }>();
  readonly #rounds: Rounds;

  constructor(parts: WitnessesParts, paces: WitnessPaces) {
    this.#parts = parts;
    this.#paces = paces;
    const next = () => (parts.policy.isThere ? paces.everyMs : undefined);
    this.#rounds = new Rounds({
      round: () => this.round().then(next),
      afterFaultMs: paces.everyMs,
      fault: parts.fault,
    });
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Gives each witness the latest checkpoint, where it has not cosigned that. */
  async round(): Promise<void> {
    const { database, policy, fault } = this.#parts;
    const witnesses = (await policy.value())?.witnesses ?? [];
    const known = await this.#known(witnesses);
    const state = await treeState(database);
    if (!state?.checkpoint || state.refused !== null) return;
    const asked = witnesses.filter(({ verifier, url }) => {
      const isDone = known.get(verifier)?.origin === state.origin && known.get(verifier)!.size === state.size;
      return url !== undefined && !isDone && (this.#pauses.get(verifier)?.until ?? 0) <= Date.now();
    });
    await Promise.all(asked.map((witness) => this.#submit(witness, state, known.get(witness.verifier)!).catch(fault)));
  }

  /** How those of the policy stand; others are forgotten. */
  async #known(witnesses: readonly PolicyWitness[]): Promise<Map<string, Known>> {
    const { database } = this.#parts;
    const verifiers = witnesses.map(({ verifier }) => verifier);
    await database.query({
      name: 'audit_witness_forget',
      text: 'DELETE FROM audit_witness WHERE NOT verifier = ANY ($1)',
      values: [verifiers],
    });
    if (verifiers.length === 0) return new Map();
    const { rows } = await database.query<Known & { verifier: string }>({
      name: 'audit_witness_known',
      text: `INSERT INTO audit_witness AS w (verifier, name) SELECT * FROM unnest($1::text[], $2::text[])
             ON CONFLICT (verifier) DO UPDATE SET name = excluded.name
             RETURNING w.verifier, w.origin, w.size`,
      values: [verifiers, witnesses.map(({ name }) => name)],
    });
    return new Map(rows.map(({ verifier, ...row }) => [verifier, row]));
  }

  async #submit(witness: PolicyWitness, latest: TreeState, known: Known): Promise<void> {
    const { database } = this.#parts;
    let state = latest;
    let from = known.origin === state.origin ? known.size : 0;
    for (let tries = 0; tries < mostTries; tries++) {
      // It may have grown meanwhile, and another hub have given the witness what it has.
      if (from > state.size) state = (await treeState(database)) ?? state;
      if (state.origin !== latest.origin) return;
      if (from > state.size) return this.#contradicts(witness, state, from);
      const path = await consistencyPath(database, from, state.size);
      const checkpoint = state.checkpoint!;
      const answer = await this.#asked(witness, submissionText({ from, path, checkpoint }));
      if (answer === undefined) return this.#failed(witness, 'It does not answer.');
      if (answer.status === 200) return this.#take(witness, checkpoint, answer.body);
      const held = answer.status === 409 ? /^(0|[1-9]\d{0,15})\n$/.exec(answer.body)?.[1] : undefined;
      if (answer.status === 422 && from > 0) return this.#contradicts(witness, state, from);
      if (held === undefined) return this.#failed(witness, reasonOf(answer.status, state.origin));
      from = Number(held);
    }
    return this.#failed(witness, 'It says again and again that it cosigned another size.');
  }

  async #asked({ url }: PolicyWitness, text: string): Promise<WitnessReply | undefined> {
    try {
      return await this.#parts.ask(`${base(url!)}/add-checkpoint`, { method: 'POST', body: Buffer.from(text) });
    } catch {
      return undefined;
    }
  }

  /** Keeps the cosignature of an answer, where it holds. */
  async #take(witness: PolicyWitness, checkpoint: string, lines: string): Promise<void> {
    const { database } = this.#parts;
    const line = cosignatureIn(checkpoint, lines, witness.verifier);
    if (line === undefined) return this.#failed(witness, 'What it answers is no cosignature by its key.');
    await database.transaction((transaction) =>
      keepCosignature(transaction, checkpoint, { verifier: witness.verifier, line }),
    );
    this.#pauses.delete(witness.verifier);
  }

  /** Notes that a witness did not cosign, and tells it once where that goes on for long. */
  async #failed({ name, verifier }: PolicyWitness, problem: string): Promise<void> {
    const { database, alarm } = this.#parts;
    this.#pause(verifier);
    await database.transaction(async (transaction) => {
      const { rows } = await transaction.query<{ failing: Date; told: boolean }>(
        `UPDATE audit_witness SET failing = coalesce(failing, clock_timestamp()), problem = $2 WHERE verifier = $1
         RETURNING failing, told`,
        [verifier, problem],
      );
      const row = rows[0];
      if (!row || row.told || Date.now() - row.failing.getTime() < this.#paces.alarmMs) return;
      await transaction.query('UPDATE audit_witness SET told = true WHERE verifier = $1', [verifier]);
      const since = row.failing.toISOString().slice(0, 16).replace('T', ' ');
      alarm(transaction, `The witness ${name} has cosigned nothing since ${since} UTC. ${problem}`);
    });
  }

  /** Notes, and tells once, that a witness has cosigned a tree that this log does not continue. */
  async #contradicts(witness: PolicyWitness, { origin, size }: TreeState, held: number): Promise<void> {
    const { database, alarm } = this.#parts;
    this.#pause(witness.verifier);
    const proof = await this.#proofOf(witness, origin);
    const text =
      held > size
        ? `The witness ${witness.name} says that it cosigned ${held} events of ${origin}, which has ${size}: the log was set back to an older state, or forked. ${proof}`
        : `The witness ${witness.name} says that the ${size} events of ${origin} do not continue the ${held} that it cosigned: the log was forked, or written anew. ${proof}`;
    await database.transaction(async (transaction) => {
      const { rows } = await transaction.query<{ before: string | null }>(
        `UPDATE audit_witness w SET contradiction = $2, failing = coalesce(w.failing, clock_timestamp()), problem = $3
         FROM audit_witness b WHERE w.verifier = $1 AND b.verifier = w.verifier RETURNING b.contradiction AS before`,
        [witness.verifier, text, 'It cosigned another log than this.'],
      );
      if (rows[0] && rows[0].before === null) alarm(transaction, text);
    });
  }

  /** What the witness can show for what it says: only what this log itself signed proves anything. */
  async #proofOf({ url }: PolicyWitness, origin: string): Promise<string> {
    const hash = createHash('sha256').update(origin).digest('hex');
    try {
      const { status, body } = await this.#parts.ask(`${base(url!)}/${hash}/checkpoint`, { method: 'GET' });
      if (status === 200) {
        const log = (await verifiersOf(this.#parts.database)).map(({ verifier }) => readVerifier(verifier));
        const { size, root } = verifyCheckpoint(body, { origin, log });
        return `It shows a checkpoint of ${size} events, root ${root.toString('base64')}, that this log signed.`;
      }
    } catch {
      // It shows nothing that this log signed.
    }
    return 'It shows no checkpoint that a key of this log signed.';
  }

  #pause(verifier: string): void {
    const failures = (this.#pauses.get(verifier)?.failures ?? 0) + 1;
    const pause = Math.min(this.#paces.everyMs * 2 ** Math.min(failures - 1, 16), longestPauseMs);
    this.#pauses.set(verifier, { failures, until: Date.now() + pause });
  }
}

/** The line of an answer by which a witness cosigns a checkpoint; undefined where none holds. */
function cosignatureIn(checkpoint: string, lines: string, verifier: string): string | undefined {
  const key = readVerifier(verifier);
  const { text } = readNote(checkpoint);
  for (const line of lines.split(/(?<=\n)/)) {
    try {
      const note = readNote(`${text}\n${line}`);
      if (key.kind === 'cosignature' && note.signatures.length === 1 && verifyNote(note, [key]).length === 1)
        return line;
    } catch {
      // Of another key, or of another text.
    }
  }
  return undefined;
}

function reasonOf(status: number, origin: string): string {
  if (status === 404) return `It does not know the log ${origin}.`;
  if (status === 403) return 'It does not trust the key of this log.';
  return `It answered ${status}.`;
}

function base(url: string): string {
  return url.replace(/\/$/, '');
}
