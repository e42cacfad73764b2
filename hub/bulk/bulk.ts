/** Bulk data as the gate sees it: exports and imports are asked for, looked after, and their files are read. */
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { type FhirRecord, RecordError, type StoredResource } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { type Access, askerOf } from '../trust/index.ts';
import { type DeferredRequest, keptAnswer, type Perform, putBody, runDeferred } from './deferred.ts';
import { fileLines } from './export-file.ts';
import { prepareExport } from './export-job.ts';
import type { ExportLevel } from './export-request.ts';
import { readExportRequest } from './export-request.ts';
import { exportHomes } from './export-scope.ts';
import { type BulkFile, filesOf, insertFiles } from './files.ts';
import { type ImportLimits, problemsFile, runImport } from './import-job.ts';
import { type ImportRequest, readImportRequest } from './import-request.ts';
import { type Job, type JobLimits, Jobs, LeaseLost } from './jobs.ts';
import { manifest } from './manifest.ts';
import { Polling } from './polling.ts';
import { spool } from './spool.ts';
import { AccessEnded, type AccessNow, accessNow, isShownStill } from './standing.ts';
import { Worker } from './worker.ts';

export interface BulkSettings {
  /** Addresses below which files of imports may be fetched. */
  importFrom: readonly string[];
  /** Bytes of one file of an import, and of everything that jobs keep, compressed. */
  importBytes: number;
  /** Hours for which a job and its files are kept. */
  hours: number;
}

export interface BulkParts {
  database: Database;
  record: FhirRecord;
  master: MasterKey;
  log: Logger;
  /** Tells what whoever asked for a job may do now. */
  accessNow: AccessNow;
}

const usual: Omit<JobLimits, 'keptMs'> = { perOwner: 5, atOnce: 50, leaseMs: 30_000, attempts: 5 };
const usualImport: Omit<ImportLimits, 'maximumBytes' | 'keptBytes'> = {
  lineBytes: 16 * 1024 * 1024,
  idleMs: 60_000,
  problems: 100_000,
  fetchPausesMs: [1_000, 5_000],
};
const linesPerFile = 500_000;
/** How long an upload may be silent before its job is told that it goes on. */
const tellMs = 5_000;
/** Files are kept for this long from the beginning of a download. */
const downloadMs = 3_600_000;

export class Bulk {
  readonly jobs: Jobs;
  readonly polling = new Polling();
  readonly #parts: BulkParts;
  readonly #settings: BulkSettings;
  readonly #limits: ImportLimits;
  readonly #worker: Worker;
  #perform: Perform | undefined;

  constructor(
    parts: BulkParts,
    settings: BulkSettings,
    own: { limits?: Partial<JobLimits>; linesPerFile?: number; import?: Partial<ImportLimits> } = {},
  ) {
    const { database, record, log } = parts;
    this.#parts = parts;
    this.#settings = settings;
    this.jobs = new Jobs(database, parts.master, { ...usual, keptMs: settings.hours * 3_600_000, ...own.limits });
    this.#limits = {
      ...usualImport,
      maximumBytes: settings.importBytes,
      keptBytes: settings.importBytes,
      ...own.import,
    };
    const { jobs } = this;
    const exports = { database, record, jobs, linesPerFile: own.linesPerFile ?? linesPerFile };
    const imports = { database, record, jobs, limits: this.#limits };
    this.#worker = new Worker({
      database,
      jobs,
      log,
      run: (job, signal) => {
        const now = () => accessNow(parts.accessNow, job);
        if (job.kind === 'export') return prepareExport(exports, job, now, signal);
        if (job.kind === 'import') return runImport(imports, job, now, signal);
        return runDeferred({ database, jobs, perform: this.#perform! }, job, now);
      },
      tidy: async (signal) => {
        for await (const job of jobs.open()) {
          if (signal.aborted) return;
          await this.#standing(job);
        }
      },
    });
  }

  /** Says how requests that are answered later are carried out. */
  performWith(perform: Perform): void {
    this.#perform = perform;
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /**
   * Begins an export. @throws RecordError for what is not understood, 404 for a Group that is not there, 429 for too
   * many jobs
   */
  async export(
    access: Access,
    asked: {
      level: ExportLevel;
      group?: string;
      parameters: Iterable<[string, string]>;
      lenient: boolean;
      url: string;
    },
  ): Promise<Job> {
    const { record } = this.#parts;
    const request = readExportRequest(asked.level, asked.parameters, asked.lenient);
    for (const { type, query } of request.filters) {
      const search = record.readSearch(type, new URLSearchParams(query), asked.lenient);
      record.checkSearch(access, search);
      const { filters, warnings } = search;
      request.warnings.push(...warnings);
      if (filters.length === 0 && !asked.lenient) {
        throw new RecordError(
          400,
          'invalid',
          'The parameter _typeFilter has a search without a condition.',
          '_typeFilter',
        );
      }
    }
    const homes = await exportHomes(record, access, request, asked.group);
    const job = await this.jobs.create({
      kind: 'export',
      state: 'waiting',
      access: plain(access),
      request: asked.url,
      parameters: request,
      homes,
    });
    this.#worker.wake();
    return job;
  }

  /** Begins an import of files that are fetched. @throws RecordError 400, 403, 429 */
  async importFrom(access: Access, body: string, url: string): Promise<Job> {
    const request = readImportRequest(body, this.#settings.importFrom);
    const job = await this.#createImport(access, request, url, 'receiving');
    await this.jobs.receiving(job.id, 'waiting');
    this.#worker.wake();
    return job;
  }

  /** Takes in an upload and begins its import. @throws RecordError 413, 429 */
  async importUpload(access: Access, upload: AsyncIterable<Buffer>, url: string): Promise<Job> {
    const request: ImportRequest = { source: undefined, inputs: [{ type: undefined, url: undefined }] };
    const job = await this.#createImport(access, request, url, 'receiving');
    try {
      let told = Date.now();
      await spool(this.#parts.database, job, 1, upload, this.#limits, async () => {
        if (Date.now() - told < tellMs) return;
        told = Date.now();
        await this.jobs.receiving(job.id, 'receiving');
      });
      await this.jobs.receiving(job.id, 'waiting');
    } catch (error) {
      await this.jobs.remove(job.id);
      if (error instanceof LeaseLost) throw new RecordError(409, 'conflict', error.message);
      throw error;
    }
    this.#worker.wake();
    return job;
  }

  /** Puts a request off. @throws RecordError 429, and what reading its body throws */
  async defer(
    access: Access,
    request: DeferredRequest,
    body: AsyncIterable<Buffer> | undefined,
    url: string,
  ): Promise<Job> {
    const job = await this.jobs.create({
      kind: 'request',
      state: 'receiving',
      access: plain(access),
      request: url,
      parameters: request,
      homes: undefined,
    });
    try {
      if (body) await putBody(this.#parts.database, job, body);
    } catch (error) {
      await this.jobs.cancel(job.id);
      throw error;
    }
    await this.jobs.receiving(job.id, 'waiting');
    this.#worker.wake();
    return job;
  }

  /** Ends a job and removes its files. @throws RecordError 404 */
  async cancel(access: Access, id: string): Promise<void> {
    const job = await this.jobs.find(id, access);
    await this.jobs.cancel(job.id);
    this.#worker.abort(job.id);
  }

  /** A job of the caller's, or any for an administrator; closed where who asked for it may not ask any more. @throws RecordError 404 */
  async find(access: Access, id: string): Promise<Job> {
    return this.#standing(await this.jobs.find(id, access));
  }

  /** What a job that ended well tells. */
  async manifest(job: Job, address: (file: BulkFile) => string): Promise<object> {
    return manifest(job, await filesOf(this.#parts.database, job.id), address);
  }

  /**
   * A file of a job, to be downloaded. The lines go by what the caller may read as each batch of them is read.
   * @param base the FHIR base, of which attachments are told
   * @throws RecordError 404, 403 where the job was closed
   */
  async file(
    access: Access,
    id: string,
    number: number,
    base: string,
    disclosed: (resources: readonly StoredResource[]) => Promise<void>,
  ): Promise<{ job: Job; file: BulkFile; lines: AsyncGenerator<Buffer> }> {
    const job = await this.find(access, id);
    if (job.state === 'failed' && job.status === 403) throw RecordError.of(403, job.problem ?? []);
    const files = job.state === 'complete' ? await filesOf(this.#parts.database, id) : [];
    const file = files.find((one) => one.number === number && one.category !== 'input');
    if (!file) throw new RecordError(404, 'not-found', 'The job has no such file.');
    if (job.kind === 'request') await this.#checkAnswer(job, access);
    await this.jobs.extend(id, downloadMs);
    const asker = { ...job, access: askedBy(access, job) };
    const now = () => this.#closing(job, access, () => accessNow(this.#parts.accessNow, asker));
    return { job, file, lines: fileLines({ ...this.#parts, base, disclosed }, now, job, file) };
  }

  /** A job as it stands, looked at anew: who asked for it may not be allowed to any more. */
  async #standing(job: Job): Promise<Job> {
    if (job.state !== 'complete' && job.state !== 'waiting' && job.state !== 'running') return job;
    try {
      await this.#closing(job, job.access, () => accessNow(this.#parts.accessNow, job));
      return job;
    } catch (error) {
      if (!(error instanceof AccessEnded)) throw error;
      return { ...job, state: 'failed', problem: error.issues, status: error.status };
    }
  }

  /** @throws AccessEnded where an answer that was kept holds what may not be shown any more */
  async #checkAnswer(job: Job, access: Access): Promise<void> {
    const { database, record } = this.#parts;
    await this.#closing(job, access, async () => {
      if (await isShownStill(record, job.access, access, await keptAnswer(database, job))) return;
      const text =
        'Something of the answer has been hidden since it was made; ask again. The job is ended, and its files are closed.';
      throw new AccessEnded(text);
    });
  }

  /** Does something; where its owner's access turns out to have ended, the job ends. */
  async #closing<T>(job: Job, { who }: Access, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof AccessEnded && who === job.owner) {
        await this.jobs.close(job.id, error.issues, error.status);
        this.#worker.abort(job.id);
      }
      throw error;
    }
  }

  async #createImport(access: Access, request: ImportRequest, url: string, state: 'receiving'): Promise<Job> {
    const job = await this.jobs.create({
      kind: 'import',
      state,
      access: plain(access),
      request: url,
      parameters: request,
      homes: undefined,
    });
    const { inputs } = request;
    const blank = { from: undefined, to: undefined };
    await insertFiles(
      this.#parts.database,
      job.id,
      inputs.flatMap((input, i): BulkFile[] => {
        const own = { ...blank, url: input.url };
        return [
          {
            ...own,
            number: i + 1,
            category: 'input',
            content: 'input',
            type: input.type ?? '',
            lines: 0,
            ready: input.url === undefined,
          },
          {
            ...own,
            number: problemsFile(i + 1, inputs.length),
            category: 'error',
            content: 'lines',
            type: 'OperationOutcome',
            lines: 0,
            ready: true,
          },
        ];
      }),
    );
    return job;
  }
}

/** An access without what else a caller carries. */
function plain(access: Access): Access {
  const { purpose, homes, limits, decidedBy } = access;
  return { ...askerOf(access), purpose, homes, limits, ...(decidedBy ? { decidedBy } : {}) };
}

/** The access of a download: what the caller may read of what the job may hold. */
function askedBy(access: Access, { access: asked }: Job): Access {
  return { ...access, limits: { ...access.limits, types: asked.limits.types } };
}
