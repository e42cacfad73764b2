/**
 * The connections of the readers. A statement that finds none free waits; whoever is done takes the next along, and where
 * these are known to be quick, several in one go: PostgreSQL and the hub then wake each other once for all of them. Quick
 * statements leave connections to slow ones, and no statement waits behind one that is known to be slow.
 */
import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { BinaryQuery, readBinary } from './binary-rows.ts';
import type { NamedStatement, Result, RowScope } from './pool.ts';
import { gather, scopeStatement, submit } from './submit.ts';

/** So many quick statements are sent in one go. */
const together = 8;
/** A statement is quick if it took so long at most the last time, with those sent before it. */
const quickMs = 20;
/** So many statements are known to be quick; those whose texts are made for one request come and go. */
const knownQuick = 1_000;

interface Waiting {
  scope: RowScope;
  statement: NamedStatement;
  since: number;
  resolve(result: Result<never>): void;
  reject(error: unknown): void;
}

export class Readers {
  readonly #pool: pg.Pool;
  readonly #most: number;
  /** Quick statements share so many connections: one a core keeps PostgreSQL busy. */
  readonly #mostQuick: number;
  readonly #patienceMs: number;
  readonly #quick = new Set<string>();
  /** The scope that a connection was given last. */
  readonly #scopes = new WeakMap<pg.PoolClient, RowScope>();
  #waiting: Waiting[] = [];
  #busy = 0;
  #busyQuick = 0;
  #watched: NodeJS.Timeout | undefined;

  /** @param pool no others use it @param patienceMs after so long without a connection a statement fails */
  constructor(pool: pg.Pool, most: number, patienceMs: number) {
    this.#pool = pool;
    this.#most = most;
    this.#mostQuick = Math.min(most, Math.max(2, availableParallelism()));
    this.#patienceMs = patienceMs;
    pool.on('connect', readBinary);
  }

  /** Runs a statement for the rows of a scope. */
  query<R extends object>(scope: RowScope, statement: NamedStatement): Promise<Result<R>> {
    return new Promise<Result<R>>((resolve, reject) => {
      this.#waiting.push({ scope, statement, since: performance.now(), resolve, reject });
      this.#watched ??= setTimeout(() => this.#refuseLate(), this.#patienceMs).unref();
      const isQuick = this.#isQuick(statement);
      const isFree = this.#busy < this.#most && (!isQuick || this.#busyQuick < this.#mostQuick);
      if (isFree) void this.#work(isQuick);
    });
  }

  /** Carries out what waits on one connection, until nothing does. */
  async #work(beginsQuick: boolean): Promise<void> {
    let isQuick = beginsQuick;
    let client: pg.PoolClient | undefined;
    let broken = false;
    this.#busy++;
    if (isQuick) this.#busyQuick++;
    try {
      client = await this.#pool.connect();
      while (this.#waiting.length > 0 && !broken) {
        const next = this.#next();
        this.#busyQuick -= Number(isQuick);
        isQuick = this.#isQuick(next[0]!.statement);
        this.#busyQuick += Number(isQuick);
        broken = !(await this.#carryOut(client, next));
      }
    } catch (error) {
      this.#waiting.shift()?.reject(error);
    }
    this.#busy--;
    if (isQuick) this.#busyQuick--;
    client?.release(broken);
    const [first] = this.#waiting;
    if (first && this.#busy === 0) void this.#work(this.#isQuick(first.statement));
  }

  /** What has waited longest; where that is quick, with what follows it and is quick too, of the same scope. */
  #next(): Waiting[] {
    const [first] = this.#waiting;
    let count = 1;
    if (this.#isQuick(first!.statement)) {
      const goesAlong = ({ scope, statement }: Waiting) => scope === first!.scope && this.#isQuick(statement);
      while (count < together && count < this.#waiting.length && goesAlong(this.#waiting[count]!)) count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** A change of scope leaves together with the statements. Returns whether the connection is good for more. */
  async #carryOut(client: pg.PoolClient, batch: readonly Waiting[]): Promise<boolean> {
    const { scope } = batch[0]!;
    const begun = performance.now();
    const isSame = this.#scopes.get(client) === scope;
    if (!isSame || batch.length > 1) gather(client);
    const changed = isSame ? undefined : submit(client, scopeStatement(scope, false), undefined);
    let isGood = true;
    const done = batch.map(async ({ statement, resolve, reject }) => {
      try {
        const [, result] = await Promise.all([changed, submit<never>(client, statement, undefined, BinaryQuery)]);
        resolve(result);
      } catch (error) {
        isGood &&= isOfStatement(error);
        reject(error);
      }
      this.#note(statement, performance.now() - begun);
    });
    await Promise.all(done);
    const isChanged = await changed?.then(
      () => true,
      () => false,
    );
    if (isChanged) this.#scopes.set(client, scope);
    return isGood && isChanged !== false;
  }

  #isQuick({ name }: NamedStatement): boolean {
    return name !== undefined && this.#quick.has(name);
  }

  #note({ name }: NamedStatement, ms: number): void {
    if (name === undefined) return;
    if (ms > quickMs) this.#quick.delete(name);
    else if (this.#quick.size < knownQuick) this.#quick.add(name);
  }

  /** Refuses what has waited too long; looks again as long as anything waits. */
  #refuseLate(): void {
    const late = performance.now() - this.#patienceMs;
    while (this.#waiting[0] && this.#waiting[0].since <= late) {
      this.#waiting.shift()!.reject(new Error('timeout exceeded when trying to connect'));
    }
    const [first] = this.#waiting;
    this.#watched = first && setTimeout(() => this.#refuseLate(), first.since - late + 1).unref();
  }
}

/** Whether an error says nothing against the connection. */
function isOfStatement(error: unknown): boolean {
  return error instanceof RangeError || (error as { severity?: string }).severity === 'ERROR';
}
