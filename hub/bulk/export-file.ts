/**
 * A file of a job as it is downloaded: newline-delimited JSON, made batch by batch as fast as it is taken, of texts as
 * they are stored.
 */
import { subset } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import type { FhirRecord, Reading, StoredResource, StreamScope } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { momentOf, scopeOf } from './export-job.ts';
import type { ExportRequest } from './export-request.ts';
import { type BulkFile, partsOf, unpackKeys } from './files.ts';
import type { Job } from './jobs.ts';

/**
 * The lines of a file, some at a time, read with the access that who downloads it has as each batch begins.
 * @param now that access, decided anew @throws AccessEnded
 * @param disclosed told of resources before their lines are given out, which waits for it
 */
export async function* fileLines(
  parts: {
    database: Database;
    record: FhirRecord;
    base: string;
    disclosed(resources: readonly StoredResource[]): Promise<void>;
  },
  now: () => Promise<Access>,
  job: Job,
  file: BulkFile,
): AsyncGenerator<Buffer> {
  let access = await now();
  const reading: Reading = () => access;
  const { database, record } = parts;
  const { stream } = record;
  const { since: instant, elements } = job.parameters as Partial<ExportRequest>;
  const shown = (text: string) => withAddresses(elements ? subset(text, { elements }) : text, parts.base);
  const since: StreamScope['since'] = instant === undefined ? undefined : await momentOf(database, instant);
  switch (file.content) {
    case 'range':
      if (file.category === 'deleted') {
        for await (const batch of stream.deleted(reading, file.type, scopeOf(job, file, since))) {
          await parts.disclosed(batch.flatMap(({ previous }) => previous ?? []));
          yield Buffer.from(batch.map(({ resource, previous }) => deletion(resource, previous)).join(''));
          access = await now();
        }
        return;
      }
      for await (const batch of stream.resources(reading, file.type, scopeOf(job, file, since))) {
        await parts.disclosed(batch);
        yield* lines(batch, shown);
        access = await now();
      }
      return;
    case 'keys':
      for await (const { body } of partsOf(database, job, file.number)) {
        for await (const batch of stream.versions(reading, file.type, unpackKeys(body))) {
          await parts.disclosed(batch);
          yield* lines(batch, shown);
          access = await now();
        }
      }
      return;
    default:
      for await (const { body } of partsOf(database, job, file.number)) {
        yield body;
        access = await now();
      }
  }
}

/** The texts of resources, one a line; those whose key was destroyed have none. */
function* lines(batch: readonly StoredResource[], shown: (text: string) => string): Generator<Buffer> {
  let text = '';
  for (const one of batch) if (!one.deleted) text += `${shown(one.text)}\n`;
  if (text !== '') yield Buffer.from(text);
}

const relativeAddress = '"url":"Binary/';
const original = '"url":"urn:causeway:message:';
const absent = '{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unsupported"}';

/**
 * A text whose attachments have addresses that can be opened (Bulk Data Access IG, "Attachments"): absolute ones where they
 * are Binaries of this server, and none where they name the message that a document came in, as `meta.source` does.
 */
function withAddresses(text: string, base: string): string {
  let shown = text;
  if (text.includes(relativeAddress)) shown = shown.replaceAll(relativeAddress, `"url":"${base}/Binary/`);
  if (text.includes(original)) {
    shown = shown.replaceAll(/"url":"urn:causeway:message:[^"\\]*"/g, `"_url":{"extension":[${absent}]}`);
  }
  return shown;
}

/** A Bundle that deletes a resource. */
function deletion(resource: StoredResource, previous: StoredResource | undefined): string {
  const id = /^\{"resourceType":"[A-Za-z]+","id":"([^"]+)"/.exec(previous?.text ?? '')?.[1] ?? idIn(previous?.text);
  const url = `${resource.type}/${id ?? resource.rid}`;
  const entry = [{ request: { method: 'DELETE', url } }];
  return `${JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })}\n`;
}

function idIn(text: string | undefined): string | undefined {
  return text ? (JSON.parse(text) as { id?: string }).id : undefined;
}
