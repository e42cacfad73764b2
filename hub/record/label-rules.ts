/**
 * What codes a network labels beside those of the hub's own table (`sensitive-codes.ts`): value sets, in versions, of
 * which the latest holds. It holds for whatever is stored after it was entered, on every hub: entering it counts as a
 * change of `clock.parameters`, so that no transaction commits what was labelled by an earlier one.
 */
import { label } from '@causeway/access';
import type { Database, Transaction } from '../database/index.ts';
import { type LabelSet, readLabelSets, type WrittenLabelSet } from './label-sets.ts';

/** A version of the rules, and how far what was stored before is labelled by it. */
export interface LabelRulesVersion {
  version: number;
  at: Date;
  by: string;
  reason: string;
  sets: LabelSet[];
  /** Versions of resources gone through, of how many, and how many of them have other labels since. */
  done: number;
  total: number | undefined;
  changed: number;
  finished: Date | undefined;
}

/** The codes of a value set, as `system|code`. @throws RecordError where it is not known, or has too many */
export type CodesOf = (valueSet: string) => Promise<string[]>;

/** Gives a transaction's entry in the record of accesses. */
export type RecordChange = (transaction: Transaction, version: number) => void;

export class LabelRules {
  readonly #database: Database;
  readonly #codesOf: CodesOf;
  readonly #changed: () => Promise<void>;
  #version = 0;
  /** Undefined while what is stored cannot be read: then nothing can be labelled. */
  #codes: ReadonlyMap<string, number> | undefined = new Map();

  /** @param changed makes this hub take part in a change that it made, as others do by themselves */
  constructor(database: Database, codesOf: CodesOf, changed: () => Promise<void>) {
    this.#database = database;
    this.#codesOf = codesOf;
    this.#changed = changed;
  }

  /** The labels of codes, as `system|code`. @throws Error while the rules cannot be read */
  get codes(): ReadonlyMap<string, number> {
    if (!this.#codes) throw new Error('What the network labels cannot be read.');
    return this.#codes;
  }

  get version(): number {
    return this.#version;
  }

  /** Takes the latest version. Never rejects: while it cannot be read nothing can be labelled. */
  async load(): Promise<void> {
    try {
      const { rows } = await this.#database.query({
        name: 'label_rules',
        text: 'SELECT version, sets FROM label_rules ORDER BY version DESC LIMIT 1',
      });
      this.#version = rows[0]?.version ?? 0;
      this.#codes = codesIn(rows[0]?.sets ?? []);
    } catch {
      this.#codes = undefined;
    }
  }

  /**
   * Enters a new version.
   * @param expected the version that holds; another one was entered meanwhile where the answer is `stale`
   * @returns what is wrong with the sets, or the version that holds now
   */
  async put(
    sets: unknown,
    expected: number,
    { by, reason, record }: { by: string; reason: string; record: RecordChange },
  ): Promise<{ wrong: string[] } | { version: number } | 'stale'> {
    const read = await readLabelSets(sets, this.#codesOf);
    if ('wrong' in read) return read;
    const version = await this.#enter(read.sets, expected, by, reason, record);
    return version === undefined ? 'stale' : { version };
  }

  /**
   * Looks whether value sets that are named have other codes now, and enters them as a new version.
   * @returns whether any had
   */
  async follow(record: RecordChange): Promise<boolean> {
    await this.load();
    const [latest] = await this.versions(1);
    if (!latest) return false;
    const written: WrittenLabelSet[] = latest.sets.map(({ codes, valueSet, ...set }) =>
      valueSet === undefined ? { ...set, codes } : { ...set, valueSet },
    );
    const read = await readLabelSets(written, this.#codesOf);
    // One that is gone or cannot be read leaves the codes that it had.
    if ('wrong' in read) return false;
    const was = new Map(latest.sets.map(({ name, codes }) => [name, codes.join('\n')]));
    const names = read.sets.filter(({ name, codes }) => was.get(name) !== codes.join('\n')).map(({ name }) => name);
    if (names.length === 0) return false;
    const reason = `The value set has other codes now: ${names.join(', ')}.`.slice(0, 1_000);
    return (await this.#enter(read.sets, latest.version, 'hub', reason, record)) !== undefined;
  }

  /** The versions, newest first. */
  async versions(limit = 100): Promise<LabelRulesVersion[]> {
    const { rows } = await this.#database.query('SELECT * FROM label_rules ORDER BY version DESC LIMIT $1', [limit]);
    return rows.map(({ version, at, by_whom: by, reason, sets, done, total, changed, finished }) => ({
      version,
      at,
      by,
      reason,
      sets,
      done,
      total: total ?? undefined,
      changed,
      finished: finished ?? undefined,
    }));
  }

  async #enter(
    sets: readonly LabelSet[],
    expected: number,
    by: string,
    reason: string,
    record: RecordChange,
  ): Promise<number | undefined> {
    const entered = await this.#database.transaction(async (transaction) => {
      // The clock is locked first, as by whoever writes; so versions come one after the other.
      await transaction.query('UPDATE clock SET parameters = parameters + 1');
      const { rows: before } = await transaction.query('SELECT coalesce(max(version), 0) AS version FROM label_rules');
      if (before[0]!.version !== expected) return undefined;
      const { rows } = await transaction.query(
        'INSERT INTO label_rules (by_whom, reason, sets) VALUES ($1, $2, $3) RETURNING version',
        [by, reason, JSON.stringify(sets)],
      );
      record(transaction, rows[0]!.version);
      return rows[0]!.version as number;
    });
    await this.load();
    await this.#changed();
    return entered;
  }
}

function codesIn(sets: readonly LabelSet[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const set of sets) for (const code of set.codes) found.set(code, (found.get(code) ?? 0) | label[set.label]);
  return found;
}
