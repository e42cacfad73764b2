/** A bulk export of a FHIR server, from the kick-off to its last file (Bulk Data Access 2.0, sections 2.3 to 2.5). */
import { setTimeout as delay } from 'node:timers/promises';
import { retryAfterMs } from '../guarded-request.ts';
import type { FhirClient, Json } from './fhir-client.ts';
import type { FhirProgress } from './fhir-source.ts';
import { takeResources } from './fhir-taking.ts';
import { linesOf } from './lines.ts';
import { AskedToWait, type Run, SourceFault } from './run.ts';
import type { FhirSettings } from './settings.ts';

const linesAtOnce = 500;
const lineBytes = 16 * 1024 * 1024;
/** Between two looks, where the server does not say. */
const firstPollMs = 1_000;
/** An export that takes longer is looked after without a run. */
const waitedMs = 60_000;
const laterMs = 30_000;

/** @returns false where the server has no export; then pages are asked for */
export async function runExport(run: Run<FhirSettings>, client: FhirClient): Promise<boolean> {
  const own = () => (run.progress as FhirProgress).export;
  if (own() === undefined && !(await kickOff(run, client))) return false;
  if (own()!.manifest === undefined) await awaitManifest(run, client);
  const { manifest, status } = own()!;
  const files = filesOf(manifest);
  for (let file = own()!.file ?? 0; file < files.length; file++) {
    await takeFile(run, client, files[file]!, manifest);
    await run.save({ ...run.progress, export: { ...own()!, file: file + 1, lines: 0 } });
  }
  await client.ask('DELETE', status);
  const { export: _, ...rest } = run.progress as FhirProgress;
  await run.save({ ...rest, since: manifest.transactionTime });
  return true;
}

async function kickOff(run: Run<FhirSettings>, client: FhirClient): Promise<boolean> {
  const { group, types } = run.settings;
  const query = `_type=${types.join(',')}&_outputFormat=application/fhir%2Bndjson`;
  for (const level of group === undefined ? ['', 'Patient/'] : [`Group/${group}/`]) {
    const { status, headers } = await client.ask('GET', `${level}$export?${query}`, { prefer: 'respond-async' });
    const address = headers['content-location'];
    if (status === 202 && address !== undefined) {
      await run.save({ ...run.progress, export: { status: client.own(address) } });
      return true;
    }
    if (status >= 500 && status !== 501) throw new SourceFault(`The server answered ${status} to $export.`);
  }
  if (group !== undefined) throw new SourceFault('The server has no export of this group for the hub.');
  await run.save({ ...run.progress, noExport: true });
  return false;
}

async function awaitManifest(run: Run<FhirSettings>, client: FhirClient): Promise<void> {
  const begun = performance.now();
  const progress = run.progress as FhirProgress;
  for (;;) {
    const { status, headers, json } = await client.ask('GET', progress.export!.status, { accept: 'application/json' });
    if (status === 200 && Array.isArray(json?.output)) {
      if (typeof json.transactionTime !== 'string' || Number.isNaN(Date.parse(json.transactionTime)))
        throw new SourceFault('The export does not say of which moment it is (transactionTime).');
      await run.save({ ...progress, export: { ...progress.export!, manifest: json } });
      return;
    }
    if (status !== 202) {
      // It expired, or failed: the next run begins another one.
      const { export: _, ...rest } = progress;
      await run.save(rest);
      throw new SourceFault(`The server ended its export with ${status}.`);
    }
    const waitMs = retryAfterMs(headers['retry-after']) ?? firstPollMs;
    if (performance.now() - begun + waitMs > waitedMs) throw new AskedToWait(Math.max(waitMs, laterMs));
    await delay(waitMs, undefined, { signal: run.signal });
  }
}

/** Patients first: whatever else there is refers to them. */
function filesOf(manifest: Json): { url: string; type?: string; isDeleted: boolean }[] {
  const of = (list: Json, isDeleted: boolean) =>
    (Array.isArray(list) ? list : []).flatMap(({ url, type }: Json) =>
      typeof url === 'string' ? [{ url, type, isDeleted }] : [],
    );
  const files = [...of(manifest.output, false), ...of(manifest.deleted, true)];
  return files.sort((a, b) => Number(b.type === 'Patient') - Number(a.type === 'Patient'));
}

async function takeFile(
  run: Run<FhirSettings>,
  client: FhirClient,
  { url, isDeleted }: { url: string; isDeleted: boolean },
  manifest: Json,
): Promise<void> {
  const own = () => (run.progress as FhirProgress).export!;
  const before = own().lines ?? 0;
  const content = await client.file(url, manifest.requiresAccessToken === false);
  let number = 0;
  let some: string[] = [];
  const flush = async () => {
    const resources = some.flatMap((line) => (isDeleted ? deletionsIn(line) : resourceIn(line)));
    some = [];
    const did = await takeResources(run, client.base, resources, manifest.transactionTime);
    await run.save({ ...run.progress, export: { ...own(), lines: number } }, did);
  };
  try {
    for await (const line of linesOf(content, lineBytes)) {
      if (line.trim() === '' || ++number <= before) continue;
      run.signal.throwIfAborted();
      some.push(line);
      if (some.length === linesAtOnce) await flush();
    }
    if (some.length > 0) await flush();
  } finally {
    content.destroy();
  }
}

function resourceIn(line: string): { text: string; resource: Json }[] {
  const resource = parsed(line);
  return resource?.id === undefined ? [] : [{ text: line.trim(), resource }];
}

/** A line of `deleted` is a transaction of DELETEs (section 2.5.2). */
function deletionsIn(line: string): { resource: Json }[] {
  return (parsed(line)?.entry ?? []).flatMap(({ request }: Json) => {
    const [, resourceType, id] = /^(?:.*\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(request?.url ?? '') ?? [];
    return request?.method === 'DELETE' && resourceType ? [{ resource: { resourceType, id } }] : [];
  });
}

function parsed(line: string): Json {
  try {
    return JSON.parse(line);
  } catch {
    throw new SourceFault('A line of the export is no JSON.');
  }
}
