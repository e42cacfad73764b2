/**
 * The record: FHIR R4 resources, one person's from many sources. Every read takes an Access; every change goes through
 * `write`.
 */

import type { ScannedResource } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Access } from '../trust/index.ts';
import {
  type BundleEntry,
  type BundleServices,
  type EntryOutcome,
  type ReadBundle,
  readBundle,
  runBatch,
} from './bundle.ts';
import { Changes, type Found, type Removal, type WriteOutcome } from './changes.ts';
import { CustomParameters } from './custom-parameters.ts';
import { RecordError } from './errors.ts';
import { type EverythingPage, type EverythingRequest, everythingPage } from './everything.ts';
import type { Scope } from './everything-rows.ts';
import { type History, historyPage } from './history.ts';
import { HomeKeys } from './home-keys.ts';
import { buildIndex, type PatientsIndexed, watchIndex } from './index-build.ts';
import type { IndexKey } from './index-key.ts';
import { isId } from './keys.ts';
import { forgetLabels, labelStored } from './label-build.ts';
import { logicalId } from './logical-id.ts';
import { type PatchAside, patchHere } from './path-patches.ts';
import { type HistoryPage, Reader, type StoredResource } from './read.ts';
import {
  type Explanation,
  type PresentPersons,
  type ResolvePatient,
  readSearchRequest,
  refuseHiddenElements,
  Searcher,
  type SearchRequest,
  type SearchResult,
} from './search/index.ts';
import { RecordStream } from './stream.ts';
import { checkResource, checkType, existing, nothing, readResource } from './targets.ts';
import { runTransaction } from './transaction.ts';
import { Writer } from './writer.ts';

/** What the record asks of the person index. */
export interface Persons {
  resolvePatient: ResolvePatient;
  present: PresentPersons;
  /** The merged Patient of a person with several source patients. */
  readPerson(access: Access, id: string): Promise<StoredResource | undefined>;
  /** The homes of many patients or persons, each with those of all source patients that are the same person. */
  homesOf(ids: readonly string[]): Promise<Map<string, number[]>>;
}

/** The record at one moment: nothing that is committed later is seen. */
export interface Snapshot {
  seq: number;
  stream: RecordStream;
  search(access: Access, request: SearchRequest): Promise<SearchResult>;
}

/** What a bundle needs of the one who received it. */
export type BundleExchange = Pick<BundleServices, 'single' | 'audit' | 'fault' | 'isStoredWanted'> & {
  /** The base URL that the client used. */
  base: string;
  /** Why an entry may not be carried out; of a transaction no entry is, then. */
  refused?(entry: BundleEntry): RecordError | undefined;
};

export class FhirRecord {
  readonly keys: HomeKeys;
  readonly parameters: CustomParameters;
  readonly writer: Writer;
  readonly reader: Reader;
  /** Carries out FHIRPath Patches that may take long. */
  patchAside: PatchAside = patchHere;
  readonly #database: Database;
  readonly #changes: Changes;
  #persons: Persons | undefined;
  #searcher: Searcher | undefined;

  /** @param index see `indexKeyOf` */
  constructor(database: Database, master: MasterKey, index: IndexKey) {
    this.#database = database;
    this.keys = new HomeKeys(master, index);
    this.parameters = new CustomParameters(database, this.keys);
    this.writer = new Writer(database, this.keys, this.parameters);
    this.reader = new Reader(database, this.keys);
    this.#changes = new Changes({
      writer: this.writer,
      patchAside: () => this.patchAside,
      read: (access, type, id) => this.read(access, type, id),
      find: (access, type, query, limit) => this.find(access, type, query, limit),
      resolvePatient: async (id) => this.#persons?.resolvePatient(id) ?? { rids: [], homes: [] },
    });
  }

  /** Connects the person index, which itself is built on the record. */
  usePersons(persons: Persons): void {
    this.#persons = persons;
    this.#searcher = new Searcher(
      this.#database,
      this.reader,
      this.keys.index,
      persons.resolvePatient,
      persons.present,
    );
  }

  /**
   * The current version. @throws RecordError 404 where there is none that this access may see, 410 where it is deleted
   */
  async read(access: Access, type: string, id: string): Promise<StoredResource> {
    checkType(type);
    const found =
      (isId(id) ? await this.reader.read(access, type, id) : undefined) ??
      (type === 'Patient' ? await this.#persons?.readPerson(access, id) : undefined);
    return existing(found, type);
  }

  /** One version. @throws RecordError 404, 410 */
  async vread(access: Access, type: string, id: string, version: string): Promise<StoredResource> {
    checkType(type);
    const number = /^\d{1,9}$/.test(version) ? Number(version) : 0;
    const found = await this.reader.vread(access, type, id, number);
    if (found || type !== 'Patient') return existing(found, type);
    const merged = await this.#persons?.readPerson(access, id);
    return existing(merged?.version === number ? merged : undefined, type);
  }

  /**
   * Versions, newest first. Of a merged Patient there is the current one only: its history is that of its sources.
   * @throws RecordError 404 where there is no such resource that this access may see
   */
  async history(access: Access, scope: { type?: string; id?: string }, page: HistoryPage): Promise<History> {
    if (scope.type !== undefined) checkType(scope.type);
    if (scope.id !== undefined && !isId(scope.id)) throw nothing(scope.type!);
    const found = await historyPage(this.reader, access, scope, page);
    if (found) return found;
    const merged = scope.type === 'Patient' ? await this.#persons?.readPerson(access, scope.id!) : undefined;
    if (!merged) throw nothing(scope.type!);
    return { versions: [merged], ids: [scope.id!], next: undefined, total: 1 };
  }

  /** Brings what resources are found by up to date; before the first search. See `buildIndex`. */
  buildIndex(progress: (done: number, total: number) => void, patients?: PatientsIndexed): Promise<void> {
    return buildIndex(this.#database, this.keys, progress, patients);
  }

  /** Calls `lost` when another hub makes the index anew, in another form or under another key. See `watchIndex`. */
  watchIndex(lost: () => void, fault: (error: unknown) => void): () => Promise<void> {
    return watchIndex(this.#database, this.keys, lost, fault);
  }

  /** The codes of a value set that is published or stored, as `system|code`. @throws RecordError */
  valueSet(access: Access, url: string): Promise<string[]> {
    return this.#searcher!.valueSet(access, url);
  }

  /** Labels what nobody has labelled yet; see `labelStored`. */
  labelStored(progress: (done: number) => void, signal?: AbortSignal): Promise<void> {
    return labelStored(this.#database, this.keys, this.writer.labelling, progress, signal);
  }

  /** All of an organisation's patients counts as not yet labelled from now on; see `relabel`. */
  forgetLabels(source: string): Promise<void> {
    return forgetLabels(this.#database, source);
  }

  /** Labels anew all of an organisation's patients: how it is labelled has changed. */
  async relabel(source: string): Promise<void> {
    await forgetLabels(this.#database, source);
    await this.labelStored(() => {});
  }

  /** Which index serves a search, and what it costs. @throws RecordError 400 */
  explain(access: Access, request: SearchRequest): Promise<Explanation> {
    return this.#searcher!.explain(access, request);
  }

  /** @throws RecordError 400 for parameters that are not understood */
  search(access: Access, request: SearchRequest): Promise<SearchResult> {
    return this.#searcher!.search(access, request);
  }

  /** @throws RecordError 409 for the id of a merged Patient, under which nothing can be stored */
  refuseMerged(type: string, id: string): Promise<void> {
    return this.#changes.refuseMerged(type, id);
  }

  /** The homes of patients or persons; ids that are not known are missing. */
  homesOf(ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#persons!.homesOf(ids);
  }

  /** Resources as they stood at a moment, whatever is written while they are read. */
  get stream(): RecordStream {
    return new RecordStream(this.#database, this.reader, this.#persons!.present);
  }

  /** Reads, counts and searches at one moment. What `run` reads elsewhere is not of that moment. */
  snapshot<T>(run: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#database.transaction(
      async (transaction) => {
        const { rows } = await transaction.query('SELECT seq FROM clock');
        const reader = new Reader(transaction, this.keys);
        const { resolvePatient, present } = this.#persons!;
        const searcher = new Searcher(transaction, reader, this.keys.index, resolvePatient, present);
        return run({
          seq: rows[0]!.seq,
          stream: new RecordStream(transaction, reader, present),
          search: (access, request) => searcher.search(access, request),
        });
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  }

  /** @throws RecordError 403 where a search would tell of elements that are hidden from this access */
  checkSearch(access: Access, request: SearchRequest): void {
    refuseHiddenElements(access, request);
  }

  /** The types of which anything is stored, so that a search over all types asks for no others. */
  storedTypes(access: Access): Promise<string[]> {
    return this.reader.storedTypes(access);
  }

  /** @param anyOf filters one of which has to hold, as name and value */
  readSearch(
    type: string,
    parameters: Iterable<[string, string]>,
    lenient: boolean,
    anyOf?: readonly [string, string][],
  ): SearchRequest {
    checkType(type);
    return readSearchRequest(type, parameters, lenient, anyOf);
  }

  /** `$everything` of a person by any of its ids, or of everybody. @throws RecordError 404 where there is nobody */
  async everything(access: Access, id: string | undefined, request: EverythingRequest): Promise<EverythingPage> {
    if (id === undefined) return this.#everything(access, { of: 'everybody' }, request);
    const { homes, rids } = await this.#persons!.resolvePatient(id);
    const page =
      homes.length > 0
        ? await this.#everything(access, { of: 'person', homes, rids }, request)
        : { matches: [], included: [], left: 0, next: undefined };
    const { cursor, types, since, care } = request;
    const isWhole = cursor === undefined && types === undefined && since === undefined && care === undefined;
    if (page.matches.length === 0 && isWhole) {
      throw new RecordError(404, 'not-found', 'There is no Patient of this id.');
    }
    return page;
  }

  /** `$everything` of an encounter. @throws RecordError 404, 410 */
  async encounterEverything(access: Access, id: string, request: EverythingRequest): Promise<EverythingPage> {
    const { home, rid } = await this.read(access, 'Encounter', id);
    return this.#everything(access, { of: 'encounter', home, rid }, request);
  }

  /** Reads a resource's text as a client sent it. @throws RecordError 400, 422 */
  scan(text: string, type: string): ScannedResource {
    checkType(type);
    return this.check(readResource(text), type);
  }

  /** Checks a resource that was scanned with a Bundle. @throws RecordError 400, 422 */
  check(scanned: ScannedResource, type: string): ScannedResource {
    checkType(type);
    if (scanned.resourceType !== type) {
      throw new RecordError(
        400,
        'invariant',
        `The address names ${type}, the body is a ${scanned.resourceType}.`,
        'resourceType',
      );
    }
    checkResource(scanned);
    return scanned;
  }

  /** See `Changes.create`. */
  create(...change: Parameters<Changes['create']>): Promise<WriteOutcome> {
    return this.#changes.create(...change);
  }

  /** See `Changes.update`. */
  update(...change: Parameters<Changes['update']>): Promise<WriteOutcome> {
    return this.#changes.update(...change);
  }

  /** See `Changes.conditionalUpdate`. */
  conditionalUpdate(...change: Parameters<Changes['conditionalUpdate']>): Promise<WriteOutcome> {
    return this.#changes.conditionalUpdate(...change);
  }

  /** See `Changes.patch`. */
  patch(...change: Parameters<Changes['patch']>): Promise<WriteOutcome> {
    return this.#changes.patch(...change);
  }

  /** See `Changes.conditionalPatch`. */
  conditionalPatch(...change: Parameters<Changes['conditionalPatch']>): Promise<WriteOutcome> {
    return this.#changes.conditionalPatch(...change);
  }

  /** See `Changes.remove`. */
  remove(...change: Parameters<Changes['remove']>): Promise<Removal | undefined> {
    return this.#changes.remove(...change);
  }

  /** See `Changes.conditionalRemove`. */
  conditionalRemove(...change: Parameters<Changes['conditionalRemove']>): Promise<Found[]> {
    return this.#changes.conditionalRemove(...change);
  }

  /** Carries out a batch or transaction bundle: a text, or what a `BundleIntake` took in. */
  async bundle(
    access: Access,
    sent: string | ReadBundle,
    exchange: BundleExchange,
  ): Promise<{ type: 'batch' | 'transaction'; outcomes: EntryOutcome[] }> {
    const { type, entries, spool } = typeof sent === 'string' ? readBundle(sent, exchange.base) : sent;
    for (const entry of entries) {
      const refused = exchange.refused?.(entry);
      if (refused && type === 'transaction') throw refused;
      entry.error ??= refused;
    }
    const services: BundleServices = {
      spool,
      find: (who, of, query, limit) => this.find(who, of, query, limit),
      write: (job) => this.writer.write(job),
      patchAside: this.patchAside,
      refuseMerged: (of, id) => this.refuseMerged(of, id),
      ...exchange,
    };
    const run = type === 'batch' ? runBatch : runTransaction;
    return { type, outcomes: await run(services, access, entries) };
  }

  /** What a conditional search finds, at most `limit`. @throws RecordError 400, 412 */
  async find(access: Access, type: string, query: string, limit = 2): Promise<Found[]> {
    const request = this.readSearch(type, new URLSearchParams(query), false);
    if (request.filters.length === 0)
      throw new RecordError(412, 'invalid', 'A condition needs at least one parameter.');
    const found = await this.#searcher!.matchingIds(access, request, limit);
    return found.map(({ text, version, updated }) => ({ id: logicalId(text), version, updated, text }));
  }

  #everything(access: Access, scope: Scope, request: EverythingRequest): Promise<EverythingPage> {
    const services = { database: this.#database, reader: this.reader, present: this.#persons!.present };
    return everythingPage(services, access, scope, request);
  }
}
