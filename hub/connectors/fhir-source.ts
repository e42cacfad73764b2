/**
 * Taking from a FHIR server: at first all of it, by a bulk export (Bulk Data Access 2.0) where the server has one, else page
 * by page; then what changed, by `_lastUpdated` or the history of each type, reaching back a little behind the run before.
 * What comes twice is known by its digest. Every step is noted, so that a run goes on where it was.
 */
import type { JWK } from 'jose';
import type { Distrust } from '../distrusting-agent.ts';
import type { ServerResource } from './fhir-bundles.ts';
import { FhirClient, type Json } from './fhir-client.ts';
import { comparedIds } from './fhir-compare.ts';
import { runExport } from './fhir-export.ts';
import { changedBundles, takeResources } from './fhir-taking.ts';
import type { Run, Sample, Source } from './run.ts';
import { SourceFault } from './run.ts';
import type { FhirSettings } from './settings.ts';

/** How far a connector is with its server. */
export interface FhirProgress {
  /** Until when everything is taken, by the server's clock; undefined before all was taken once. */
  since?: string;
  /** An export under way. */
  export?: { status: string; manifest?: Json; file?: number; lines?: number };
  /** Pages under way: of which type, where they go on, and when they were begun, by the server's clock and by ours. */
  pages?: { type: number; next?: string | undefined; at: string; begun: string };
  /** The server has no bulk export. */
  noExport?: boolean;
  /** When the ids were compared last. */
  compared?: string;
}

const pageSize = 200;
const backAtOnce = 100;

/** @param keys the hub's own signing keys, private @param distrust what may be held against the certificate of a server */
export function fhirSource(keys: () => Promise<JWK[]>, distrust?: Distrust): Source {
  return {
    async run(given) {
      const run = given as Run<FhirSettings>;
      const client = new FhirClient(run, keys, distrust);
      const progress = run.progress as FhirProgress;
      const isFirst = progress.since === undefined && progress.pages === undefined;
      const isExported = isFirst && run.settings.bulk && !progress.noExport && (await runExport(run, client));
      if (!isExported) await takePages(run, client);
      if (run.settings.deletions === 'compare') await compareIds(run, client);
    },
    async sample(given) {
      const run = given as Run<FhirSettings>;
      const client = new FhirClient(run, keys, distrust);
      const counts: string[] = [];
      const found: Json[] = [];
      for (const type of run.settings.types.slice(0, 5)) {
        const { json } = await client.get(`${type}?_count=2`);
        const entries = entriesOf(json);
        counts.push(`${type}: ${json.total ?? (entries.length > 0 ? 'some' : 'none')}`);
        found.push(...entries);
      }
      const sample: Sample = { found: `The server answers. ${counts.join(', ')}.`, messages: [] };
      const resources = found.flatMap(({ resource }) => (resource ? { text: JSON.stringify(resource), resource } : []));
      return { ...sample, messages: changedBundles(run, client.base, resources, new Date()) };
    },
  };
}

/** All resources of each type, or those that changed since the last run. */
async function takePages(run: Run<FhirSettings>, client: FhirClient): Promise<void> {
  const { types, overlapMinutes, deletions } = run.settings;
  const begun = (run.progress as FhirProgress).pages;
  const at = begun?.at ?? (await serverTime(client));
  const listed = begun?.begun ?? (await run.items.now()).toISOString();
  const { since } = run.progress as FhirProgress;
  const from = since && new Date(Date.parse(since) - overlapMinutes * 60_000).toISOString();
  for (let type = begun?.type ?? 0; type < types.length; type++) {
    const own = (run.progress as FhirProgress).pages;
    let next = own?.type === type ? own.next : undefined;
    next ??= firstPage(types[type]!, from, deletions);
    while (next !== undefined) {
      const { json } = await client.get(next);
      if (json?.resourceType !== 'Bundle') throw new SourceFault('The server answered a search with no Bundle.');
      const did = await takeResources(run, client.base, entriesOf(json).flatMap(resourceOf), at, new Date(listed));
      const link = (json.link ?? []).find(({ relation }: Json) => relation === 'next')?.url;
      next = typeof link === 'string' ? client.own(link) : undefined;
      await run.save(
        { ...run.progress, pages: { type: next === undefined ? type + 1 : type, next, at, begun: listed } },
        did,
      );
    }
  }
  const { pages: _, ...rest } = run.progress as FhirProgress;
  await run.save({ ...rest, since: at });
}

/** The history tells of deletions besides; it is asked for changes only, since it has all versions. */
function firstPage(type: string, from: string | undefined, deletions: FhirSettings['deletions']): string {
  if (from === undefined) return `${type}?_count=${pageSize}`;
  if (deletions === 'history') return `${type}/_history?_since=${from}&_count=${pageSize}`;
  return `${type}?_lastUpdated=ge${from}&_count=${pageSize}`;
}

function entriesOf(bundle: Json): Json[] {
  return Array.isArray(bundle?.entry) ? bundle.entry.filter(({ search }: Json) => search?.mode !== 'outcome') : [];
}

/** A resource of a page, or a deletion of its history. */
function resourceOf({ resource, request, response }: Json): ServerResource[] {
  const [, resourceType, id] = /^(?:.*\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(request?.url ?? '') ?? [];
  if (request?.method === 'DELETE' && resourceType) {
    const deleted = Date.parse(response?.lastModified ?? '');
    return [{ resource: { resourceType, id }, deleted: Number.isNaN(deleted) ? undefined : new Date(deleted) }];
  }
  return resource?.id === undefined ? [] : [{ text: JSON.stringify(resource), resource }];
}

/** What is known of these types and is not at the server any more is withdrawn; what is there again is taken again. */
async function compareIds(run: Run<FhirSettings>, client: FhirClient): Promise<void> {
  const { compareHours, types } = run.settings;
  const { compared } = run.progress as FhirProgress;
  if (compared === undefined) {
    // Right after all was taken there is nothing to compare.
    await run.save({ ...run.progress, compared: new Date().toISOString() });
    return;
  }
  if (Date.now() - Date.parse(compared) < compareHours * 3_600_000) return;
  const at = await serverTime(client);
  const { missing, back } = await comparedIds(run, client, types);
  for (let from = 0; from < back.length; from += backAtOnce) {
    const some: ServerResource[] = [];
    for (const item of back.slice(from, from + backAtOnce)) {
      const { status, json: resource } = await client.ask('GET', item);
      if (status === 200 && `${resource?.resourceType}/${resource?.id}` === item)
        some.push({ text: JSON.stringify(resource), resource, isBack: true });
    }
    await run.save(run.progress, await takeResources(run, client.base, some, at));
  }
  const resources = missing.map((item) => {
    const [resourceType, id] = item.split('/') as [string, string];
    return { resource: { resourceType, id } };
  });
  const did = await takeResources(run, client.base, resources, at);
  await run.save({ ...run.progress, compared: new Date().toISOString() }, did);
}

/** The server's own clock: by another one changes would be missed. */
async function serverTime(client: FhirClient): Promise<string> {
  const { headers } = await client.ask('GET', 'metadata?_summary=true');
  const said = Date.parse(headers.date ?? '');
  return new Date(Number.isNaN(said) ? Date.now() : said).toISOString();
}
