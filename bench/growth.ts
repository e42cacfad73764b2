/**
 * `npm run bench:growth`: how cost grows with what is stored. Searches and reads of one patient among few and among
 * many people of the region, first pages of token searches by how much they match, and the rate of ingest from an empty
 * database to millions of resources. README.md says how long it takes.
 */
import { writeFileSync } from 'node:fs';
import { barLines, growthBars, type Results } from './bars.ts';
import type { DataSet } from './client/fill.ts';
import type { FhirName } from './client/operations.ts';
import { type Client, startClient } from './client/start.ts';
import { type GrowthOptions, readGrowthOptions } from './growth-options.ts';
import { type Failure, type Figures, fhirTarget, measureFhir, type Subject, sentence, withUsage } from './measure.ts';
import { UsageError } from './options.ts';
import { isFailure, rounded, tableHead, tableLines } from './report.ts';
import { startHub } from './server/hub.ts';
import { load, machine, versions } from './server/machine.ts';
import { untilQuiet } from './server/usage.ts';

/** What is asked of one patient. */
const scoped: FhirName[] = [
  'read',
  'search_patient_code',
  'search_patient_date_sort',
  'search_identifier',
  'search_revinclude',
  'everything',
];
const sampled = 300;
/** Visits of the people made here: some 20 resources each. */
const briefStory = [2, 3] as const;
const ingestClients = 8;
const warmSeconds = 3;
/** The share of the parts that counts as the start, and as the end. */
const edge = 0.1;

process.exitCode = await run(process.argv.slice(2));

async function run(words: string[]): Promise<number> {
  let options: GrowthOptions;
  try {
    options = readGrowthOptions(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
  const results: Results = {};
  const written = {
    machine: machine(),
    versions: versions(undefined),
    date: new Date().toISOString(),
    options: { ...options, json: undefined },
    results,
  };
  console.log(tableHead);
  const note = (name: string, figures: Figures | Failure) => {
    results[name] = rounded(figures);
    for (const line of tableLines(name, results[name])) console.log(line);
  };
  for (const part of options.only) {
    const hub = await startHub();
    const client = startClient();
    written.versions = versions(hub.postmaster);
    const subject: Subject = { base: hub.base, token: hub.token, run: `g${Date.now().toString(36)}`, hub };
    try {
      if (part === 'people') await people(client, subject, options, note);
      else note('growth_ingest', await ingest(client, subject, options));
    } catch (error) {
      results[`growth_${part}`] = { error: sentence(error) };
      console.log(`growth_${part} failed: ${sentence(error)}`);
    } finally {
      client.stop();
      await hub.stop();
    }
  }
  for (const line of barLines(results, growthBars)) console.log(line);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
  return Object.values(results).some((result) => 'error' in result) ? 1 : 0;
}

/** Measures among the fewer people, fills up to the more, and measures again; then the token searches among these. */
async function people(
  client: Client,
  subject: Subject,
  { data, people: [few, many], seconds }: GrowthOptions,
  note: (name: string, figures: Figures | Failure) => void,
): Promise<void> {
  const bySize: Map<FhirName, Figures>[] = [];
  let patients: string[] = [];
  for (const [size, from] of [
    [few, 0],
    [many, few],
  ] as const) {
    const told: DataSet =
      data === 'region'
        ? { kind: 'region', people: size, from }
        : { kind: 'stories', people: size, from, visits: briefStory, namesakes: 0 };
    const filled = await client.call('fill', fhirTarget(subject), told);
    patients = filled.patients;
    await untilQuiet(subject.hub!.pid, subject.hub!.postmaster);
    note(`filled_${size}`, {
      resources: filled.resources,
      seconds: filled.seconds,
      resources_per_s: filled.resources / filled.seconds,
      load_1min: load(),
    });
    const known = await client.call('sample', fhirTarget(subject), patients, sampled, []);
    const measured = new Map<FhirName, Figures>();
    for (const name of scoped) {
      const effort = { seconds, warmSeconds };
      const work = { name, clients: [1, 8], known, synthea: undefined };
      const figures = await measureFhir(work, client, subject, effort).catch((error) => ({ error: sentence(error) }));
      note(`${name}_at_${size}`, figures);
      if (!isFailure(figures)) measured.set(name, figures);
    }
    bySize.push(measured);
  }
  const [small, large] = bySize as [Map<FhirName, Figures>, Map<FhirName, Figures>];
  note('growth_people', ratios(small, large));
  note('growth_token', await tokens(client, subject, patients, seconds));
}

/** What an operation costs among many people over what it costs among few. */
function ratios(small: Map<FhirName, Figures>, large: Map<FhirName, Figures>): Figures {
  const ratio = (name: FhirName, figure: 'cpu_ms_per_op' | 'p50_ms' | 'bytes_per_answer', clients: number) => {
    const of = (all: Map<FhirName, Figures>) =>
      (all.get(name)!.by_clients as Record<string, Figures>)[clients]?.[figure];
    return of(large)! / of(small)!;
  };
  const by_operation = Object.fromEntries(
    [...small.keys()]
      .filter((name) => large.has(name))
      .map((name) => [
        name,
        {
          cpu: ratio(name, 'cpu_ms_per_op', 8),
          p50: ratio(name, 'p50_ms', 1),
          bytes: ratio(name, 'bytes_per_answer', 1),
        },
      ]),
  );
  const all = Object.values(by_operation);
  return {
    largest_cpu_ratio: Math.max(...all.map(({ cpu }) => cpu)),
    largest_p50_ratio: Math.max(...all.map(({ p50 }) => p50)),
    by_operation,
    load_1min: load(),
  };
}

/** The first page of a token search over all patients, by how much there is to find. */
async function tokens(client: Client, subject: Subject, patients: string[], seconds: number): Promise<Figures> {
  const values = await client.call('tokenValues', fhirTarget(subject), patients);
  const by_value = [];
  for (const { code, matches, path } of values) {
    await client.call('preparePaths', fhirTarget(subject), 1, [path], warmSeconds);
    by_value.push({ code, matches, ...(await withUsage(subject.hub, 1, () => client.call('run', seconds))) });
  }
  const [rare, frequent] = [by_value[0]!, by_value.at(-1)!];
  return {
    p50_ratio: frequent.p50_ms! / rare.p50_ms!,
    cpu_ratio: frequent.cpu_ms_per_op! / rare.cpu_ms_per_op!,
    matches_ratio: frequent.matches / rare.matches,
    by_value,
    load_1min: load(),
  };
}

/** The rate of each part of what is ingested into an empty database. */
async function ingest(client: Client, subject: Subject, { resources, parts }: GrowthOptions): Promise<Figures> {
  const known = { patients: [], namesakes: [] };
  const work = {
    name: 'ingest',
    target: fhirTarget(subject),
    clients: ingestClients,
    known,
    synthea: undefined,
  } as const;
  const by_part: Figures[] = [];
  for (let part = 0; part < parts; part++) {
    await client.call('prepareFhir', work, part === 0 ? warmSeconds : 0);
    const figures = await withUsage(subject.hub, ingestClients, () =>
      client.call('runUnits', Math.ceil(resources / parts)),
    );
    by_part.push(figures);
    for (const line of tableLines(`part ${part + 1} of ${parts}`, figures)) console.log(line);
  }
  const edgeParts = Math.max(1, Math.round(parts * edge));
  const rate = (some: Figures[]) =>
    some.reduce((sum, { operations }) => sum + operations!, 0) /
    some.reduce((sum, { operations, rate_per_s }) => sum + operations! / rate_per_s!, 0);
  const cpu = (some: Figures[]) => some.reduce((sum, { cpu_ms_per_op }) => sum + cpu_ms_per_op!, 0) / some.length;
  const [start, end] = [by_part.slice(0, edgeParts), by_part.slice(-edgeParts)];
  return {
    start_per_s: rate(start),
    end_per_s: rate(end),
    end_over_start: rate(end) / rate(start),
    end_over_start_per_cpu: cpu(start) / cpu(end),
    start_cpu_ms_per_op: cpu(start),
    end_cpu_ms_per_op: cpu(end),
    resources,
    by_part,
    load_1min: load(),
  };
}
