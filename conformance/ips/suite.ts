/**
 * Suite `ips`: every patient of Synthea and every person of the region is stored, the hub is asked for the summary of each,
 * and each is held against the profiles of the guide and against the record. Then the checker is held against documents that
 * were spoilt on purpose.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import { type SuiteResult, Verdicts } from '../result.ts';
import { tarMembers } from '../tar.ts';
import { BindingCounts } from './bindings.ts';
import { Checker, Inspection } from './checker.ts';
import { claimsOf } from './document.ts';
import type { Report } from './examiner.ts';
import type { Place, Said } from './examining-thread.ts';
import { MUTANTS } from './mutants.ts';
import { readGuide } from './package.ts';
import type { Fields } from './values.ts';

const archive = 'synthea/patients-60.tar.zst';
const guide = 'ig-packages/ips_v110.tgz';
const ips = 'http://hl7.org/fhir/uv/ips/StructureDefinition/';
const bundleBytes = 64 * 1024 * 1024;
const fhirJson = { headers: { 'content-type': 'application/fhir+json' } };

/** @param people size of the region */
export async function runIps(cases: string, people: number): Promise<SuiteResult> {
  const hub = await startAskedHub({ demo: true, people, bundleBytes });
  const verdicts = new Verdicts();
  const tally = { documents: 0, synthea: 0, region: 0, entries: 0, largest_bytes: 0 };
  let reports: Report[];
  try {
    // Published codes are read from beside the data of the hub that was started last.
    checkExamples(cases, await Checker.of(readGuide(cases)), verdicts);
    await regionLoaded(hub);
    const ofRegion = await patientsOf(hub);
    await loadSynthea(hub, cases);
    const ids = (await patientsOf(hub)).values();
    reports = await examinedApart({ url: hub.url, dataDir: hub.dataDir, cases }, ids, (said) => {
      const id = `Patient/${said.id}`;
      if ('crash' in said) {
        verdicts.check(id, () => {
          throw new Error(said.crash);
        });
        return;
      }
      const { reasons, entries, bytes } = said.examined;
      tally.documents++;
      tally[ofRegion.has(said.id) ? 'region' : 'synthea']++;
      tally.entries += entries;
      tally.largest_bytes = Math.max(tally.largest_bytes, bytes);
      verdicts.check(id, () => ({ reasons }));
    });
  } finally {
    await hub.stop();
  }
  const found = new Set(reports.flatMap((report) => report.found));
  for (const [name] of MUTANTS) {
    verdicts.check(`the checker finds: ${name}`, () => ({ reasons: found.has(name) ? [] : ['it was never found'] }));
  }
  verdicts.check('there are patients of both', () => ({
    reasons: tally.synthea > 0 && tally.region > 0 ? [] : ['of one there are none'],
  }));
  const bindings = new BindingCounts();
  for (const report of reports) bindings.addLines(report.bindings);
  const met = sums(reports.flatMap((report) => report.met));
  const counts = sums(reports.flatMap((report) => Object.entries(report.counts)));
  const summary = `${tableOf(met)}\n\n${bindings.table()}`;
  return { ...verdicts.result, ...tally, ...Object.fromEntries(counts), summary };
}

/** Has persons examined in as many threads as there are processors; each takes the next one. Returns what each thread found. */
function examinedApart(
  place: Place,
  ids: Iterator<string>,
  told: (said: Exclude<Said, { report: Report }>) => void,
): Promise<Report[]> {
  const examined = () =>
    new Promise<Report>((resolve, reject) => {
      const thread = new Worker(new URL('examining-thread.ts', import.meta.url), { workerData: place });
      const next = () => {
        const { done, value } = ids.next();
        thread.postMessage(done ? 'end' : value);
      };
      thread.on('message', (said: Said) => {
        if ('report' in said) return resolve(said.report);
        told(said);
        next();
      });
      thread.once('error', reject);
      thread.once('exit', () => reject(new Error('A thread that examines summaries ended before all were.')));
      next();
    });
  return Promise.all(Array.from({ length: availableParallelism() }, examined));
}

function sums(counted: readonly (readonly [string, number])[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const [name, count] of counted) sum.set(name, (sum.get(name) ?? 0) + count);
  return sum;
}

/** The guide's own examples meet the profiles that they claim, or the checker finds what is not there. */
function checkExamples(cases: string, checker: Checker, verdicts: Verdicts): void {
  for (const { path, bytes } of tarMembers(guide, readFileSync(join(cases, guide)))) {
    if (!/^package\/example\/[^/]+\.json$/.test(path)) continue;
    const example: Fields = JSON.parse(bytes.toString('utf8'));
    const entries = (example.entry ?? []) as { fullUrl: string; resource: Fields }[];
    // Some examples name by type and id what has a URN as its address.
    const resolve = (reference: string) =>
      entries.find(
        ({ fullUrl, resource }) =>
          fullUrl === reference ||
          fullUrl.endsWith(`/${reference}`) ||
          `${resource.resourceType}/${resource.id ?? fullUrl.slice(fullUrl.lastIndexOf(':') + 1)}` === reference,
      )?.resource;
    // What a Composition names is not in a file of its own.
    if (example.resourceType === 'Composition') continue;
    const own = claimsOf(example);
    const profiles = own.length > 0 ? own : profilesFor(String(example.resourceType));
    const found = profiles
      .filter((url) => checker.profile(url))
      .map((url) => new Inspection(checker, resolve).finding(example, url).faults);
    if (found.length === 0) continue;
    const [faults] = found.sort((one, other) => one.length - other.length);
    verdicts.check(path, () => ({ reasons: faults!.map(({ kind, path: at, says }) => `${kind}: ${at} ${says}`) }));
  }
}

/** The profile of a type, or those one of which its resources meet. */
function profilesFor(type: string): string[] {
  const known: { [type: string]: string[] } = {
    Device: ['Device-uv-ips', 'Device-observer-uv-ips'],
    Media: ['Media-observation-uv-ips'],
    Observation: ['results', 'alcoholuse', 'tobaccouse', 'pregnancy-edd', 'pregnancy-outcome', 'pregnancy-status'].map(
      (name) => `Observation-${name}-uv-ips`,
    ),
  };
  return (known[type] ?? [`${type}-uv-ips`]).map((name) => `${ips}${name}`);
}

async function regionLoaded({ database }: AskedHub): Promise<void> {
  for (;;) {
    const { rows } = await database.query(`SELECT value FROM hub_state WHERE key = 'region'`);
    if (rows[0]?.value.loaded) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Every person, as the hub presents it. */
async function patientsOf(hub: AskedHub): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let path: string | undefined = '/fhir/Patient?_count=500'; path !== undefined; ) {
    const { status, json, text } = await hub.get(path);
    assert.equal(status, 200, text.slice(0, 300));
    for (const { resource } of json.entry ?? []) ids.add(resource.id);
    const next: string | undefined = json.link.find(({ relation }: Fields) => relation === 'next')?.url;
    path = next?.slice(hub.url.length);
  }
  return ids;
}

/** Hospitals and practitioners first, since the patients name them. */
async function loadSynthea(hub: AskedHub, cases: string): Promise<void> {
  const bundles = [...tarMembers(archive, readFileSync(join(cases, archive)))].filter(({ path }) =>
    path.endsWith('.json'),
  );
  const isShared = ({ path }: { path: string }) => /hospital|practitioner/i.test(path);
  for (const { bytes, path } of [...bundles.filter(isShared), ...bundles.filter((one) => !isShared(one))]) {
    const { status, text } = await hub.send('POST', '/fhir', bytes, fhirJson);
    assert.equal(status, 200, `${path}: ${text.slice(0, 300)}`);
  }
}

function tableOf(met: ReadonlyMap<string, number>): string {
  const lines = [...met]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`);
  return ['Resources in summaries by the profile that they meet, or why they claim none:', ...lines].join('\n');
}
