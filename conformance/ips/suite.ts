/**
 * Suite `ips`: every patient of Synthea and every person of the region is stored, the hub is asked for the summary of each,
 * and each is held against the profiles of the guide and against the record. Then the checker is held against documents that
 * were spoilt on purpose.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import { type SuiteResult, Verdicts } from '../result.ts';
import { tarMembers } from '../tar.ts';
import { BindingCounts } from './bindings.ts';
import { Checker, Inspection } from './checker.ts';
import { checkDocument, claimsOf } from './document.ts';
import { MUTANTS, mutated } from './mutants.ts';
import { readGuide } from './package.ts';
import { sourceFaults } from './source.ts';
import type { Fields } from './values.ts';

const archive = 'synthea/patients-60.tar.zst';
const guide = 'ig-packages/ips_v110.tgz';
const ips = 'http://hl7.org/fhir/uv/ips/StructureDefinition/';
const bundleBytes = 64 * 1024 * 1024;
const fhirJson = { headers: { 'content-type': 'application/fhir+json' } };

/** People whose summaries are asked for at once. */
const atOnce = 4;

/** @param people size of the region */
export async function runIps(cases: string, people: number): Promise<SuiteResult> {
  const hub = await startAskedHub({ demo: true, people, bundleBytes });
  const verdicts = new Verdicts();
  let counts: object = {};
  const met = new Map<string, number>();
  const bindings = new BindingCounts();
  const found = new Set<string>();
  const tally = { documents: 0, synthea: 0, region: 0, entries: 0, largest_bytes: 0 };
  try {
    // Published codes are read from beside the data of the hub that was started last.
    const checker = await Checker.of(readGuide(cases));
    checkExamples(cases, checker, verdicts);
    await regionLoaded(hub);
    const ofRegion = await patientsOf(hub);
    await loadSynthea(hub, cases);
    const check = async (id: string) => {
      const { bundle, stored, bytes } = await summaryOf(hub, id);
      const checked = checkDocument(checker, bundle);
      tally.documents++;
      tally[ofRegion.has(id) ? 'region' : 'synthea']++;
      tally.entries += (bundle.entry as unknown[]).length;
      tally.largest_bytes = Math.max(tally.largest_bytes, bytes);
      for (const name of checked.met) met.set(name, (met.get(name) ?? 0) + 1);
      bindings.add(checked.notes);
      const reasons = [...checked.faults, ...sourceFaults(bundle, stored, `${hub.url}/fhir`)];
      verdicts.check(`Patient/${id}`, () => ({ reasons: [...new Set(reasons)] }));
      if (reasons.length === 0) spoil(checker, bundle, stored, `${hub.url}/fhir`, found);
    };
    const ids = (await patientsOf(hub)).values();
    // Each takes the next person from the same iterator.
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const id of ids) await check(id);
      }),
    );
    counts = checker.counts;
  } finally {
    await hub.stop();
  }
  for (const [name] of MUTANTS) {
    verdicts.check(`the checker finds: ${name}`, () => ({ reasons: found.has(name) ? [] : ['it was never found'] }));
  }
  verdicts.check('there are patients of both', () => ({
    reasons: tally.synthea > 0 && tally.region > 0 ? [] : ['of one there are none'],
  }));
  return { ...verdicts.result, ...tally, ...counts, summary: `${tableOf(met)}\n\n${bindings.table()}` };
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

async function summaryOf(hub: AskedHub, id: string): Promise<{ bundle: Fields; stored: Fields[]; bytes: number }> {
  const { status, json, text } = await hub.get(`/fhir/Patient/${id}/$summary`);
  assert.equal(status, 200, text.slice(0, 300));
  const stored: Fields[] = [];
  for (let path: string | undefined = `/fhir/Patient/${id}/$everything?_count=5000`; path !== undefined; ) {
    const page = await hub.get(path);
    assert.equal(page.status, 200, page.text.slice(0, 300));
    stored.push(...page.json.entry.map(({ resource }: { resource: Fields }) => resource));
    const next: string | undefined = page.json.link.find(({ relation }: Fields) => relation === 'next')?.url;
    path = next?.slice(hub.url.length);
  }
  return { bundle: json, stored, bytes: Buffer.byteLength(text) };
}

/** Notes which kinds of faults the checker finds in a sound document that is spoilt; each kind is looked for until it is found. */
function spoil(checker: Checker, bundle: Fields, stored: Fields[], base: string, found: Set<string>): void {
  for (const [name, expected, how] of MUTANTS) {
    if (found.has(name)) continue;
    const spoilt = mutated(bundle, how);
    if (spoilt === undefined) continue;
    const faults = [...checkDocument(checker, spoilt).faults, ...sourceFaults(spoilt, stored, base)];
    if (faults.some((fault) => expected.test(fault))) found.add(name);
  }
}

function tableOf(met: ReadonlyMap<string, number>): string {
  const lines = [...met]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`);
  return ['Resources in summaries by the profile that they meet, or why they claim none:', ...lines].join('\n');
}
