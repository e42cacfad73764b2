/**
 * Custom search parameters: an active SearchParameter resource (https://hl7.org/fhir/R4/searchparameter.html) becomes a
 * parameter of its types with the transaction that stores it. From then on every write of every hub is indexed by it,
 * which `WriteSet.flush` makes sure of; what was written before is indexed in the background by one hub
 * (`ParameterBuild`), and until that is done a search by it is refused.
 */
import { type CustomParameter, customParameter, parameterTypes, useSearchParameters } from '@causeway/fhir';
import type { Database, LedWork } from '../database/index.ts';
import { ParameterBuild } from './custom-parameter-build.ts';
import { enterParameter, loadParameters, type ParameterRow, retireParameter } from './custom-parameter-rows.ts';
import { RecordError } from './errors.ts';
import type { HomeKeys } from './home-keys.ts';
import { ridOf } from './keys.ts';
import type { Change, WriteSet } from './write-set.ts';

/** How far a parameter is. */
export interface ParameterProgress {
  state: 'indexing' | 'active' | 'none';
  /** Resources that were gone through, and how many there are; undefined while that is not known. */
  done: number;
  total: number | undefined;
}

const pollMs = 1_000;
/** Each costs every write of its types. */
const maximumParameters = 500;

export class CustomParameters {
  /** How often the parameters had been changed when those in use here were loaded. */
  version = 0;
  /** Changes whenever what searches may use does. */
  generation = '';
  /** Brings up to date what else `version` stands for, before it counts as in use here. Must not throw. */
  beforeVersion: () => Promise<void> = async () => {};
  readonly #database: Database;
  readonly #keys: HomeKeys;
  #rows: ParameterRow[] = [];
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, keys: HomeKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  /** Looks for changes that other hubs made, now and every second. @param fault is told when that fails */
  async watch(fault: (error: unknown) => void): Promise<void> {
    await this.refreshed();
    this.#timer = setInterval(() => void this.refreshed().catch(fault), pollMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn.catch(() => {});
  }

  /** Uses the parameters that the database holds now. */
  refreshed(): Promise<void> {
    this.#turn = this.#turn
      .catch(() => {})
      .then(async () => {
        const { version, rows } = await loadParameters(this.#database);
        if (version !== this.version) await this.beforeVersion();
        this.#use(version, rows);
      });
    return this.#turn;
  }

  /** How far the parameter of a SearchParameter is; at this moment, whichever hub works on it. */
  async progress(id: string): Promise<ParameterProgress> {
    await this.refreshed();
    const row = this.#rows.find(({ rid, state }) => rid === ridOf(id) && state !== 'retired');
    if (!row) return { state: 'none', done: 0, total: undefined };
    return { state: row.state as 'indexing' | 'active', done: row.done, total: row.total };
  }

  /** What one hub at a time does: indexing what was written before. @param fault is told when a step fails */
  build(fault: (error: unknown) => void): LedWork {
    return new ParameterBuild(this.#database, this.#keys, () => this.refreshed(), fault);
  }

  /**
   * Enters in the transaction of a change which parameters begin and end with it.
   * @throws RecordError 422 for a SearchParameter that cannot be used
   */
  async note(set: WriteSet): Promise<void> {
    const last = new Map<string, Change>();
    for (const change of set.changes) if (change.after.type === 'SearchParameter') last.set(change.after.rid, change);
    if (last.size === 0) return;
    const { rows } = await loadParameters(set.transaction);
    let inUse = rows
      .filter(({ state }) => state !== 'retired')
      .map(({ id, rid, definition }) => ({ id, rid, definition }));
    const begun: { rid: string; definition: CustomParameter }[] = [];
    for (const [rid, change] of last) {
      const resource = change.parsed();
      const definition = resource?.status === 'active' ? definitionOf(resource) : undefined;
      const before = inUse.find((row) => row.rid === rid);
      if (before && definition && JSON.stringify(before.definition) === JSON.stringify(definition)) continue;
      if (before) retireParameter(set.transaction, before.id);
      if (before) inUse = inUse.filter((row) => row !== before);
      if (definition) begun.push({ rid, definition });
      set.parameters.changed ||= before !== undefined || definition !== undefined;
    }
    for (const [i, one] of begun.entries()) {
      const others = [...inUse, ...begun.slice(0, i)];
      // The guides' own SearchParameters define what the hub has by itself.
      if (others.some(({ definition }) => isSame(definition, one.definition))) continue;
      refuseTwice(one.definition, others);
      if (others.length >= maximumParameters) {
        const text = `There are ${maximumParameters} custom search parameters already; retire one first.`;
        throw new RecordError(422, 'business-rule', text, 'SearchParameter.status');
      }
      enterParameter(set.transaction, one.rid, one.definition);
    }
  }

  #use(version: number, rows: ParameterRow[]): void {
    this.#rows = rows;
    const inUse = rows.filter(({ state }) => state !== 'retired');
    const generation = `${version} ${inUse.map(({ id, state }) => `${id}${state}`).join()}`;
    if (this.generation === generation) return;
    if (this.generation !== '' || inUse.length > 0 || version > 0) {
      useSearchParameters(inUse.map(({ id, definition }) => ({ ...definition, refusal: () => this.#refusal(id) })));
    }
    this.version = version;
    this.generation = generation;
  }

  #refusal(wanted: number): string | undefined {
    const row = this.#rows.find(({ id }) => id === wanted);
    if (row?.state !== 'indexing') return undefined;
    const progress = row.total === undefined ? 'none yet' : `${Math.min(row.done, row.total)} of ${row.total}`;
    return `The search parameter ${row.definition.code} is not complete yet: resources indexed by it so far: ${progress}. Search again when all are.`;
  }
}

function definitionOf(resource: Record<string, unknown>): CustomParameter | undefined {
  const found = customParameter(resource);
  if (found && 'reason' in found) throw new RecordError(422, 'business-rule', found.reason, found.expression);
  return found;
}

function isSame(one: CustomParameter, other: CustomParameter): boolean {
  return one.url === other.url && one.code === other.code && one.type === other.type;
}

/** @throws RecordError 422 where a type would have two parameters of one code */
function refuseTwice(wanted: CustomParameter, others: { definition: CustomParameter }[]): void {
  const types = new Set(parameterTypes(wanted));
  for (const { definition } of others) {
    if (definition.code !== wanted.code) continue;
    const both = parameterTypes(definition).find((type) => types.has(type));
    if (both === undefined) continue;
    const text = `Another SearchParameter gives ${both} the parameter ${wanted.code} already.`;
    throw new RecordError(422, 'duplicate', text, 'SearchParameter.code');
  }
}
