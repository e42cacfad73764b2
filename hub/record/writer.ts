/**
 * The one door for changes to the record. Concurrent changes are committed together: one transaction, one wait for the
 * disk, for all that arrived while the one before was being written. A change that fails leaves the others untouched.
 */
import { label, labelsOf } from '@causeway/access';
import type { Database, Transaction } from '../database/index.ts';
import { Pace } from '../pace.ts';
import type { Access, AccessNote } from '../trust/index.ts';
import type { CustomParameters } from './custom-parameters.ts';
import { isRefusedByClock, ParametersChanged } from './flush.ts';
import type { HomeKeys } from './home-keys.ts';
import { HomeNumbers } from './home-numbers.ts';
import type { ResourceKey } from './transaction-resources.ts';
import { type Labelling, WriteSet } from './write-set.ts';

/** One change, small or large, which is carried out whole or not at all. */
export interface WriteJob<T> {
  /** Resources the job reads or writes by ids it knows beforehand; they are loaded and locked first. */
  keys: ResourceKey[];
  /** Resources it makes under ids of the hub's making: nobody can know them yet, so nothing is looked up. */
  made?: ResourceKey[];
  /** Ids of Patients that the job's resources name. */
  patients: string[];
  /** Whether the job needs the texts of `keys` (merges, conditional updates), not only their versions. */
  texts?: boolean;
  /** Whether the job must have a transaction of its own, e.g. because it searches before it writes. */
  alone?: boolean;
  /** Makes the change in memory. May be called again when the transaction has to be repeated. */
  apply(set: WriteSet, transaction: Transaction): Promise<T> | T;
  /** Who changes it; what the access decision hides is not there for the job. The hub itself, where left out. */
  access?: Access;
  /** The access that the change is, recorded in its transaction. */
  audit?(value: T): AccessNote;
  /** How many resources it writes, about; keeps transactions bounded. */
  size?: number;
}

/** Called in each transaction after the jobs and before the rows are written: identity, events, audit. */
export type CommitHook = (set: WriteSet, transaction: Transaction) => Promise<void> | void;

const resourcesPerTransaction = 2_000;
const jobsPerTransaction = 256;
const transactionsAtOnce = 2;
/** So many resources are worth a transaction beside another. */
const large = 64;
/** How long a transaction waits for jobs that are likely to come. */
const gatherMs = 2;
/** Two transactions that make the same resource at once: the second starts over and sees the first one's. */
const uniqueViolation = '23505';
const attempts = 4;
const watchfulFor = 50;

function sizeOf(job: WriteJob<unknown>): number {
  return job.size ?? 1;
}

interface Queued {
  job: WriteJob<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Writer {
  readonly #database: Database;
  readonly #keys: HomeKeys;
  readonly #parameters: CustomParameters;
  readonly #numbers = new HomeNumbers();
  /** The labels of a resource. */
  labelling: Labelling = labelsOf;
  /** Told why a resource is stored as not yet labelled. */
  onUnlabelled: (reason: unknown) => void = () => {};
  readonly #hooks: CommitHook[] = [];
  readonly #afterCommit: ((set: WriteSet) => void)[] = [];
  #queue: Queued[] = [];
  #waitingSize = 0;
  readonly #running = new Set<{ isLarge: boolean }>();
  /** How many jobs the last transaction carried, and how many waited when it was committed. */
  #expected = 1;
  /** For so many transactions numbers are not taken unseen: others write too. */
  #watchful = 0;
  #gathering: NodeJS.Timeout | undefined;
  #starting: NodeJS.Immediate | undefined;

  constructor(database: Database, keys: HomeKeys, parameters: CustomParameters) {
    this.#database = database;
    this.#keys = keys;
    this.#parameters = parameters;
  }

  /** Adds a step to every transaction. Steps run in the order in which they were added. */
  beforeCommit(hook: CommitHook): void {
    this.#hooks.push(hook);
  }

  /** Tells, after each commit, what changed. The listener must not throw. */
  afterCommit(listener: (set: WriteSet) => void): void {
    this.#afterCommit.push(listener);
  }

  /** Carries out a change; resolves after the commit. Rejects with a RecordError where the job threw one. */
  write<T>(job: WriteJob<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ job, resolve: resolve as (value: unknown) => void, reject });
      this.#waitingSize += sizeOf(job);
      this.#begin();
    });
  }

  /**
   * Begins a transaction with what waits, or lets it wait a moment for those whom the last one answered: they are
   * likely to come again at once, and a transaction costs as much as storing several resources.
   */
  #begin(): void {
    if (this.#queue.length === 0 || !this.#mayBegin()) return;
    const isComplete = this.#queue.length >= this.#expected || this.#isLarge(this.#queue[0]!.job, this.#waitingSize);
    if (!isComplete) this.#gathering ??= setTimeout(() => this.#run(), gatherMs);
    // What arrives in the same turn shares the transaction.
    else this.#starting ??= setImmediate(() => this.#run());
  }

  /** A second transaction at once is for work that would keep others waiting; small changes share one. */
  #mayBegin(): boolean {
    if (this.#running.size === 0) return true;
    if (this.#running.size >= transactionsAtOnce) return false;
    const [other] = this.#running;
    return other!.isLarge || this.#isLarge(this.#queue[0]!.job, this.#waitingSize);
  }

  #isLarge(first: WriteJob<unknown>, size: number): boolean {
    return first.alone === true || size >= large;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#gathering);
    clearImmediate(this.#starting);
    this.#gathering = undefined;
    this.#starting = undefined;
    if (this.#queue.length === 0 || !this.#mayBegin()) return;
    const jobs = this.#take();
    const size = jobs.reduce((sum, { job }) => sum + sizeOf(job), 0);
    const running = { isLarge: this.#isLarge(jobs[0]!.job, size) };
    this.#running.add(running);
    this.#begin();
    try {
      await this.#commit(jobs);
    } finally {
      this.#running.delete(running);
      this.#expected = jobs.length + this.#queue.length;
      this.#begin();
    }
  }

  #take(): Queued[] {
    const taken: Queued[] = [];
    let size = 0;
    while (this.#queue.length > 0 && taken.length < jobsPerTransaction) {
      const next = this.#queue[0]!;
      const nextSize = sizeOf(next.job);
      if (taken.length > 0 && (next.job.alone || size + nextSize > resourcesPerTransaction)) break;
      taken.push(this.#queue.shift()!);
      size += nextSize;
      if (next.job.alone) break;
    }
    this.#waitingSize -= size;
    return taken;
  }

  /** What cannot be labelled now is stored all the same, and counts as not yet labelled. */
  #labelsOf(resource: Record<string, unknown>): number {
    try {
      return this.labelling(resource);
    } catch (error) {
      this.onUnlabelled(error);
      return label.unlabelled;
    }
  }

  async #commit(batch: Queued[], attempt = 1): Promise<void> {
    let outcomes: { queued: Queued; value?: unknown; error?: unknown }[] = [];
    let committed: WriteSet | undefined;
    try {
      await this.#database.transaction(async (transaction) => {
        outcomes = [];
        const set = new WriteSet(
          transaction,
          this.#keys,
          this.#numbers,
          new Date(),
          this.#parameters.version,
          (resource) => this.#labelsOf(resource),
        );
        const made = batch.flatMap(({ job }) => job.made ?? []);
        // Should an id have been there after all, it is looked up like any other.
        if (attempt === 1) await set.expect(made);
        await set.load(
          [...batch.flatMap(({ job }) => job.keys), ...(attempt === 1 ? [] : made)],
          batch.flatMap(({ job }) => job.patients),
          batch.some(({ job }) => job.texts),
        );
        for (const queued of batch) {
          set.begin();
          try {
            await set.actFor(queued.job);
            const value = await queued.job.apply(set, transaction);
            set.accept();
            if (queued.job.audit) set.accesses.push(queued.job.audit(value));
            outcomes.push({ queued, value });
          } catch (error) {
            set.discard();
            if (batch.length === 1) throw error;
            outcomes.push({ queued, error });
          }
        }
        if (set.changes.length > 0 || set.touched || set.accesses.length > 0) {
          // What follows is the hub's own work.
          await set.actFor({ keys: [] });
          set.enterHomes();
          await this.#parameters.note(set);
          const pace = new Pace();
          for (const hook of this.#hooks) {
            if (pace.isDue) await pace.rest();
            await hook(set, transaction);
          }
          await set.flush(attempt === 1 && this.#watchful === 0);
        }
        committed = set;
      });
    } catch (error) {
      const isOutdated = error instanceof ParametersChanged || isRefusedByClock(error);
      const isAgain = (error as { code?: string }).code === uniqueViolation || isOutdated;
      if (isAgain && attempt < attempts) {
        if (isOutdated) {
          this.#watchful = watchfulFor;
          await this.#refreshParameters();
        }
        await this.#commit(batch, attempt + 1);
      } else if (batch.length === 1) {
        batch[0]!.reject(error);
      } else {
        for (const queued of batch) await this.#commit([queued]);
      }
      return;
    }
    committed!.committed();
    if (this.#watchful > 0) this.#watchful--;
    if (committed!.parameters.changed) await this.#refreshParameters();
    for (const { queued, value, error } of outcomes) {
      if (error === undefined) queued.resolve(value);
      else queued.reject(error);
    }
    for (const listener of this.#afterCommit) listener(committed!);
  }

  /** Where this fails, the next write or the next look at the parameters makes up for it. */
  async #refreshParameters(): Promise<void> {
    await this.#parameters.refreshed().catch(() => {});
  }
}
