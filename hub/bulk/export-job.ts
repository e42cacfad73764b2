/**
 * Prepares an export: at one moment of the record, which files there are and what each holds. The files are not
 * written: a file is a range of homes and a type, and is read from the record, as it stood at that moment, when it is
 * downloaded. Only what searches found (`_typeFilter`) is kept, as a list of versions.
 */
import type { Database } from '../database/index.ts';
import type { FhirRecord, Snapshot, StreamScope, VersionKey } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { type ExportRequest, supportingTypes } from './export-request.ts';
import { type BulkFile, insertFiles, packKeys, putPart } from './files.ts';
import type { Job, Jobs } from './jobs.ts';
import { messageLines } from './messages.ts';

export interface ExportParts {
  database: Database;
  record: FhirRecord;
  jobs: Jobs;
  /** Lines of one file, about. */
  linesPerFile: number;
}

const keysPerPart = 5_000;
const searchPage = 1_000;
const renewEvery = 100_000;
/** Shared homes have negative numbers. */
const lastShared = -1;
/** Never handed out of a patient's record in the raw. */
const neverOfPatients = ['Binary'];
/** Names other patients than those that an export may be confined to. */
const neverOfSome = ['Group'];

/**
 * Carries out a job.
 * @param now the access of who asked for it, decided anew
 * @throws LeaseLost, AccessEnded, and what the database throws
 */
export async function prepareExport(
  parts: ExportParts,
  job: Job,
  now: () => Promise<Access>,
  signal: AbortSignal,
): Promise<void> {
  const { database, record, jobs } = parts;
  const request = job.parameters as ExportRequest;
  await jobs.removeParts(job.id);
  const since = request.since === undefined ? undefined : await momentOf(database, request.since);
  const at = new Date();
  const plan = await record.snapshot(async (snapshot) => {
    const plan = new ExportPlan(parts, job, await now(), now, snapshot, since, signal);
    if (request.level === 'system') {
      await plan.ranges({}, request.types);
    } else {
      await plan.ranges({ from: 0, ...(job.homes ? { homes: job.homes } : {}) }, request.types);
      const supporting = supportingTypes.filter((type) => request.types?.includes(type) ?? true);
      await plan.ranges({ to: lastShared }, supporting);
      if (request.types?.includes('Provenance') ?? true) await plan.provenance();
    }
    await plan.searches();
    return plan;
  });
  const files = [...plan.files];
  if (request.warnings.length > 0) {
    const number = files.length + 1;
    await putPart(database, job, number, {
      place: 0,
      lines: request.warnings.length,
      body: messageLines(request.warnings),
    });
    files.push({
      ...blank,
      number,
      category: 'error',
      content: 'lines',
      type: 'OperationOutcome',
      lines: request.warnings.length,
    });
  }
  await database.transaction(async (transaction) => {
    await transaction.query('DELETE FROM bulk_file WHERE job = $1', [job.id]);
    await insertFiles(transaction, job.id, files);
    await transaction.query('INSERT INTO bulk_moment (at, seq) VALUES ($1, $2) ON CONFLICT (at) DO NOTHING', [
      at,
      plan.seq,
    ]);
    await jobs.complete(transaction, job.id, { seq: plan.seq, at, done: plan.counted });
  });
}

/** The types that an export may hold, `*` for all; none where a job is no export. */
export function exportedTypes({ kind, parameters, access }: Job): readonly string[] {
  if (kind !== 'export') return [];
  const { types } = access.limits;
  return (parameters as ExportRequest).types ?? (types === 'all' ? ['*'] : types);
}

/** What a stream of a job's file is confined to. */
export function scopeOf(job: Job, file: BulkFile, since: StreamScope['since']): StreamScope {
  return {
    moment: { seq: job.seq!, linked: job.created },
    ...(file.from === undefined ? {} : { from: file.from }),
    ...(file.to === undefined ? {} : { to: file.to }),
    // Shared homes are of no patient, so that no list of patients confines them.
    ...(job.homes && (file.to ?? 0) >= 0 ? { homes: job.homes } : {}),
    ...(since ? { since } : {}),
  };
}

/** An instant, and the sequence number where an export that showed it ended. */
export async function momentOf(database: Database, instant: string): Promise<NonNullable<StreamScope['since']>> {
  const at = new Date(instant);
  const { rows } = await database.query({
    name: 'bulk_moment',
    text: 'SELECT seq FROM bulk_moment WHERE at = $1',
    values: [at],
  });
  return { at, seq: rows[0]?.seq };
}

const blank: BulkFile = {
  number: 0,
  category: 'output',
  content: 'range',
  type: '',
  from: undefined,
  to: undefined,
  lines: undefined,
  url: undefined,
  ready: true,
};

class ExportPlan {
  readonly files: BulkFile[] = [];
  readonly seq: number;
  counted = 0;
  readonly #parts: ExportParts;
  readonly #job: Job;
  #access: Access;
  readonly #now: () => Promise<Access>;
  readonly #request: ExportRequest;
  readonly #snapshot: Snapshot;
  readonly #since: StreamScope['since'];
  readonly #signal: AbortSignal;
  readonly #homes: Set<number> | undefined;
  /** Types that are left out of homes of patients. */
  readonly #withheld: readonly string[];
  #renewed = 0;

  constructor(
    parts: ExportParts,
    job: Job,
    access: Access,
    now: () => Promise<Access>,
    snapshot: Snapshot,
    since: StreamScope['since'],
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.#job = job;
    this.#access = access;
    this.#now = now;
    this.#request = job.parameters as ExportRequest;
    this.#snapshot = snapshot;
    this.seq = snapshot.seq;
    this.#since = since;
    this.#signal = signal;
    this.#homes = job.homes && new Set(job.homes);
    this.#withheld = job.homes ? [...neverOfPatients, ...neverOfSome] : neverOfPatients;
  }

  /** Files of everything that lies in a scope: for each type one for every so many lines. */
  async ranges(
    within: Pick<StreamScope, 'from' | 'to' | 'homes'>,
    types: readonly string[] | undefined,
  ): Promise<void> {
    if (types?.length === 0) return;
    const filtered = new Set(this.#request.filters.map(({ type }) => type));
    const open = new Map<string, BulkFile & { lines: number; isLinked: boolean }>();
    const close = (key: string, to: number | undefined) => {
      const { isLinked, ...file } = open.get(key)!;
      open.delete(key);
      const end = this.#withheld.includes(file.type) ? Math.min(to ?? lastShared, lastShared) : to;
      // Which source patients are one person is known when the file is read, and with it how many lines there are.
      const lines = file.type === 'Patient' && file.category === 'output' && isLinked ? undefined : file.lines;
      this.files.push({ ...file, number: this.files.length + 1, to: end, lines });
    };
    const starts = new Map<string, number>();
    for await (const { homes, counts } of this.#snapshot.stream.counts(() => this.#access, types, {
      ...this.#scope(),
      ...within,
      sharedOnly: this.#withheld,
    })) {
      for (const { type, deleted, count, isLinked } of counts) {
        if (deleted ? !this.#since : filtered.has(type)) continue;
        const category = deleted ? 'deleted' : 'output';
        const key = `${category} ${type}`;
        const file = open.get(key) ?? {
          ...blank,
          category,
          type,
          from: starts.get(key) ?? within.from,
          lines: 0,
          isLinked: false,
        };
        file.lines += count;
        file.isLinked ||= isLinked;
        open.set(key, file);
        if (file.lines >= this.#parts.linesPerFile) {
          close(key, homes.at(-1)!);
          starts.set(key, homes.at(-1)! + 1);
        }
        await this.#count(count);
      }
      this.#access = await this.#now();
    }
    for (const key of [...open.keys()].sort()) close(key, within.to);
  }

  /** Lists of what the searches found. */
  async searches(): Promise<void> {
    for (const type of new Set(this.#request.filters.map((filter) => filter.type))) {
      const found = new Map<number, VersionKey>();
      const leads: number[] = [];
      for (const { query } of this.#request.filters.filter((filter) => filter.type === type)) {
        let cursor: string | undefined;
        do {
          const parameters: [string, string][] = [...new URLSearchParams(query), ['_count', String(searchPage)]];
          if (cursor !== undefined) parameters.push(['_cursor', cursor]);
          const request = this.#parts.record.readSearch(type, parameters, true);
          const page = await this.#snapshot.search(this.#access, request);
          for (const { home, rkey, version, updated, seq } of page.matches) {
            if (!this.#isWanted(type, home, updated, seq)) continue;
            if (rkey === 0) leads.push(home);
            else found.set(rkey, { home, rkey, version });
          }
          await this.#count(page.matches.length);
          this.#access = await this.#now();
          cursor = page.next;
        } while (cursor !== undefined);
      }
      for (const key of await this.#snapshot.stream.patientKeys(leads)) found.set(key.rkey, key);
      await this.#list(type, [...found.values()], leads.length > 0);
    }
  }

  /** Provenance that belongs to no patient by itself, but whose target does. */
  async provenance(): Promise<void> {
    if (this.#request.filters.some(({ type }) => type === 'Provenance')) return;
    const keys: VersionKey[] = [];
    for await (const batch of this.#snapshot.stream.resources(() => this.#access, 'Provenance', {
      ...this.#scope(),
      to: lastShared,
    })) {
      const targets = batch.map(({ text }) => targetsOf(text));
      const homes = await this.#homesOf(targets.flat());
      for (const [i, { home, rkey, version }] of batch.entries()) {
        if (targets[i]!.some((target) => homes.get(target)?.some((one) => this.#isOfPatients(one)))) {
          keys.push({ home, rkey, version });
        }
      }
      await this.#count(batch.length);
      this.#access = await this.#now();
    }
    await this.#list('Provenance', keys, false);
  }

  async #homesOf(references: readonly string[]): Promise<Map<string, number[]>> {
    const homes = new Map<string, number[]>();
    const patients = references.filter((reference) => reference.startsWith('Patient/')).map((one) => one.slice(8));
    for (const [id, own] of await this.#parts.record.homesOf(patients)) homes.set(`Patient/${id}`, own);
    await Promise.all(
      references.map(async (reference) => {
        const [type, id] = reference.split('/') as [string, string];
        const found = type === 'Patient' ? undefined : await this.#parts.record.reader.read(this.#access, type, id);
        if (found) homes.set(reference, [found.home]);
      }),
    );
    return homes;
  }

  async #list(type: string, keys: VersionKey[], isLinked: boolean): Promise<void> {
    const { database, linesPerFile } = this.#parts;
    for (let from = 0; from < keys.length; from += linesPerFile) {
      const own = keys.slice(from, from + linesPerFile);
      const number = this.files.length + 1;
      for (let place = 0; place < own.length; place += keysPerPart) {
        const some = own.slice(place, place + keysPerPart);
        await putPart(database, this.#job, number, { place, lines: some.length, body: packKeys(some) });
      }
      this.files.push({ ...blank, number, content: 'keys', type, lines: isLinked ? undefined : own.length });
    }
  }

  #isWanted(type: string, home: number, updated: Date, seq: number): boolean {
    const since = this.#since;
    if (since && updated <= since.at && !(since.seq !== undefined && seq > since.seq)) return false;
    if (home < 0) return this.#request.level === 'system' || supportingTypes.includes(type);
    return this.#isOfPatients(home) && !this.#withheld.includes(type);
  }

  #isOfPatients(home: number): boolean {
    return home >= 0 && (!this.#homes || this.#homes.has(home));
  }

  #scope(): StreamScope {
    return {
      moment: { seq: this.seq, linked: this.#job.created },
      ...(this.#since ? { since: this.#since } : {}),
    };
  }

  async #count(more: number): Promise<void> {
    this.counted += more;
    if (this.#signal.aborted) throw this.#signal.reason;
    if (this.counted - this.#renewed < renewEvery) return;
    this.#renewed = this.counted;
    await this.#parts.jobs.renew(this.#job.id, this.counted);
  }
}

/** What a Provenance is about, as `Type/id`. */
function targetsOf(text: string): string[] {
  const { target } = JSON.parse(text) as { target?: { reference?: string }[] };
  return (target ?? []).flatMap(({ reference }) => {
    const found = /^(?:.*\/)?([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/.*)?$/.exec(reference ?? '');
    return found ? [found[1]!] : [];
  });
}
