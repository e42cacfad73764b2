/**
 * `npm run bench`: measures the hub, or another FHIR server, from a client on this machine. The hub runs as in
 * production: durable commits, audit and access decision on. README.md says what each name means.
 */
import { writeFileSync } from 'node:fs';
import { barLines, issueBars } from './bars.ts';
import type { DataSet, Filled } from './client/fill.ts';
import { type FhirName, fhirNames } from './client/operations.ts';
import { type Client, startClient } from './client/start.ts';
import { syntheaSize } from './data/bundle.ts';
import {
  type Effort,
  type Failure,
  type Figures,
  fhirTarget,
  measureAcknowledged,
  measureFhir,
  measureRecorded,
  quick,
  type Subject,
  sentence,
  thorough,
} from './measure.ts';
import { type Name, type Options, readOptions, UsageError } from './options.ts';
import { copyCeiling } from './parts/copy-ceiling.ts';
import { storedTexts } from './parts/stored-texts.ts';
import { rounded, tableHead, tableLines } from './report.ts';
import { type BenchHub, startHub } from './server/hub.ts';
import { load, machine, versions } from './server/machine.ts';
import { untilQuiet } from './server/usage.ts';

const aloneNames: readonly Name[] = ['v2_to_fhir', 'ccda_to_fhir', 'match', 'delivery', 'stored_texts', 'copy_ceiling'];

/** A quick run begins nothing after this time since the server was filled, however busy the machine is. */
const quickMs = 50_000;

/** Whom the searches ask for: at most so many people. */
const sampled = 120;

type Measured = (name: Name, measure: () => Promise<Figures>) => Promise<void>;

process.exitCode = await run(process.argv.slice(2));

/** Returns the exit code: 0 measured, 1 something could not be measured, 2 wrong usage. */
async function run(words: string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
  const effort = effortOf(options);
  const results: Record<string, Figures | Failure> = {};
  const written = {
    machine: machine(),
    versions: versions(undefined),
    date: new Date().toISOString(),
    data: {} as Record<string, unknown>,
    results,
  };
  console.log(`${written.machine.cores} × ${written.machine.cpu}, load ${written.machine.load_1min}`);
  let begun: number | undefined;
  const measured: Measured = async (name, measure) => {
    try {
      begun ??= performance.now();
      if (options.quick && performance.now() - begun > quickMs)
        throw new Error('not begun: the time of --quick was up');
      results[name] = rounded(await measure());
    } catch (error) {
      results[name] = { error: sentence(error) };
    }
    for (const line of tableLines(name, results[name])) console.log(line);
  };

  const served = options.only.filter((name) => !aloneNames.includes(name));
  if (served.length > 0) {
    const hub = options.base === undefined ? await startHub({ profileDir: options.profile }) : undefined;
    const subject: Subject = {
      base: options.base ?? hub!.base,
      token: options.token ?? hub?.token,
      run: `b${Date.now().toString(36)}`,
      hub,
    };
    if (hub) written.versions = versions(hub.postmaster);
    else written.versions = { node: process.versions.node };
    try {
      written.data = await measureServed(served, subject, options, effort, measured);
    } catch (error) {
      console.error(`The server could not be filled: ${sentence(error)}`);
      return 1;
    }
  } else console.log(tableHead);
  for (const name of options.only.filter((one) => aloneNames.includes(one))) {
    const client = startClient();
    await measured(name, () => measureAlone(name, client, effort));
    client.stop();
  }
  for (const line of barLines(results, issueBars)) console.log(line);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
  return Object.values(results).some((figures) => 'error' in figures) ? 1 : 0;
}

function effortOf({ quick: isQuick, seconds }: Options): Effort {
  const usual = isQuick ? quick : thorough;
  return seconds === undefined ? usual : { ...usual, seconds, warmSeconds: Math.min(usual.warmSeconds, seconds / 3) };
}

/** Fills the server, measures it, and says what it was filled with. */
async function measureServed(
  served: Name[],
  subject: Subject,
  options: Options,
  effort: Effort,
  measured: Measured,
): Promise<Record<string, unknown>> {
  const client = startClient();
  let hub = subject.hub;
  const data = dataSetOf(options, effort);
  try {
    const fhir = served.filter((name): name is FhirName => (fhirNames as readonly Name[]).includes(name));
    const filled = fhir.length > 0 ? await client.call('fill', fhirTarget(subject), data) : undefined;
    const told = filled ? toldOf(data, filled) : {};
    if (filled) console.log(`filled: ${JSON.stringify(told)}`);
    console.log(tableHead);
    if (filled && fhir.length > 0) {
      if (hub && !options.quick) await untilQuiet(hub.pid, hub.postmaster);
      const ids = data.kind === 'none' ? undefined : filled.patients;
      const known = await client.call('sample', fhirTarget(subject), ids, sampled, filled.namesakes);
      const synthea = data.kind === 'synthea' ? data.archive : undefined;
      for (const name of fhir) {
        await measured(name, () =>
          measureFhir({ name, clients: options.clients, known, synthea }, client, subject, effort),
        );
      }
    }
    if (hub && served.includes('start')) {
      await measured('start', async () => {
        const { figures, restarted } = await measureStart(hub!);
        hub = restarted;
        return figures;
      });
      Object.assign(subject, { hub, base: hub.base, token: hub.token });
    }
    if (served.includes('mllp_record')) await measured('mllp_record', () => measureRecorded(client, subject, effort));
    if (served.includes('mllp_ack')) await measured('mllp_ack', () => measureAcknowledged(client, subject, effort));
    return told;
  } finally {
    client.stop();
    await hub?.stop();
  }
}

/** How long a hub took to answer on an empty directory, and how long it takes on what it has. */
async function measureStart(hub: BenchHub): Promise<{ figures: Figures; restarted: BenchHub }> {
  await hub.stop('kept');
  const restarted = await startHub({ dataDir: hub.dataDir });
  const figures = {
    empty_s: hub.firstAnswerMs / 1000,
    with_data_s: restarted.firstAnswerMs / 1000,
    load_1min: load(),
  };
  return { figures, restarted };
}

function dataSetOf({ data }: Options, { people, namesakes }: Effort): DataSet {
  if (typeof data === 'object') {
    return 'region' in data
      ? { kind: 'region', people: data.region, from: 0 }
      : { kind: 'synthea', archive: data.synthea };
  }
  return data === 'none' ? { kind: 'none' } : { kind: 'stories', people, from: 0, visits: syntheaSize, namesakes };
}

function toldOf(data: DataSet, { resources, transactions, bytes, seconds }: Filled): Record<string, unknown> {
  return {
    set: data.kind,
    ...('people' in data ? { people: data.people } : {}),
    ...rounded({ resources, transactions, bytes, seconds, resources_per_s: resources / seconds || 0 }),
  };
}

/** What is measured without a filled hub. */
async function measureAlone(name: Name, client: Client, effort: Effort): Promise<Figures> {
  const run = async () => {
    if (name === 'v2_to_fhir') return client.call('v2Run', effort.seconds * 2);
    if (name === 'ccda_to_fhir') return client.call('ccdaRun', effort.seconds * 2);
    if (name === 'match') return client.call('matchingRun', effort.matchedPeople);
    if (name === 'delivery') return client.call('deliveryRun', effort.deliveredPeople);
    if (name === 'stored_texts') return storedTexts(effort.seconds);
    return copyCeiling(client, effort);
  };
  return { ...(await run()), load_1min: load() };
}
