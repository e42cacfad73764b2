/** Bulk data as the gate sees it: exports and imports are asked for, looked after, and their files are read. */
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { type FhirRecord, RecordError, type StoredResource } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Access } from '../trust/index.ts';
import { type DeferredRequest, type Perform, putBody, runDeferred } from './deferred.ts';
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
        if (job.kind === 'export') return prepareExport(exports, job, signal);
        if (job.kind === 'import') return runImport(imports, job, signal);
        return runDeferred({ database, jobs, perform: this.#perform! }, job);
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

  /** What a job that ended well tells. */
  async manifest(job: Job, address: (file: BulkFile) => string): Promise<object> {
    return manifest(job, await filesOf(this.#parts.database, job.id), address);
  }

  /**
   * A file of a job, to be downloaded.
   * @param base the FHIR base, of which attachments are told
   * @throws RecordError 404
   */
  async file(
    access: Access,
    id: string,
    number: number,
    base: string,
    disclosed: (resources: readonly StoredResource[]) => Promise<void>,
  ): Promise<{ job: Job; file: BulkFile; lines: AsyncGenerator<Buffer> }> {
    const job = await this.jobs.find(id, access);
    const files = job.state === 'complete' ? await filesOf(this.#parts.database, id) : [];
    const file = files.find((one) => one.number === number && one.category !== 'input');
    if (!file) throw new RecordError(404, 'not-found', 'The job has no such file.');
    await this.jobs.extend(id, downloadMs);
    return { job, file, lines: fileLines({ ...this.#parts, base, disclosed }, access, job, file) };
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
function plain({ who, name, role, organization, purpose, homes, limits }: Access): Access {
  return { who, name, role, organization, purpose, homes, limits };
}
