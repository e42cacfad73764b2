/**
 * `npm run bench`: measures the hub on this machine, client included, with audit and access decision on as in
 * production. README.md says what each name means.
 */
import { writeFileSync } from 'node:fs';
import { type FhirName, fhirNames, type KnownPatient } from './client/fhir-work.ts';
import { type Client, startClient } from './client/start.ts';
import {
  type Effort,
  type Figures,
  fhirTarget,
  measureAcknowledged,
  measureFhir,
  measureRecorded,
  quick,
  type Subject,
  thorough,
} from './measure.ts';
import { type Name, type Options, readOptions, UsageError } from './options.ts';
import { rounded, tableHead, tableLines } from './report.ts';
import { startHub } from './server/hub.ts';
import { load, machine, versions } from './server/machine.ts';

const aloneNames: readonly Name[] = ['v2_to_fhir', 'ccda_to_fhir', 'match', 'delivery'];

/** A quick run begins nothing after this time, so that it ends within a minute even on a busy machine. */
const quickMs = 50_000;

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
  const effort = options.quick ? quick : thorough;
  const results: Record<string, Figures | { error: string }> = {};
  const written = { machine: machine(), versions: versions(undefined), date: new Date().toISOString(), results };
  console.log(`${written.machine.cores} × ${written.machine.cpu}, load ${written.machine.load_1min}`);
  console.log(tableHead);
  const begun = performance.now();
  const measured = async (name: Name, measure: () => Promise<Figures>) => {
    try {
      if (options.quick && performance.now() - begun > quickMs)
        throw new Error('not begun: the time of --quick was up');
      results[name] = rounded(await measure());
    } catch (error) {
      results[name] = { error: (error as Error).message };
    }
    for (const line of tableLines(name, results[name])) console.log(line);
  };

  const served = options.only.filter((name) => !aloneNames.includes(name));
  if (served.length > 0) {
    const hub = options.base === undefined ? await startHub(options.profile) : undefined;
    const client = startClient();
    const run = `b${Date.now().toString(36)}`;
    const subject: Subject = { base: options.base ?? hub!.base, token: options.token ?? hub?.token, run, hub };
    if (hub) written.versions = versions(hub.postmaster);
    else delete (written.versions as { causeway?: string }).causeway;
    try {
      await measureServed(served, client, subject, effort, measured);
    } finally {
      client.stop();
      await hub?.stop();
    }
  }
  for (const name of options.only.filter((one) => aloneNames.includes(one))) {
    const client = startClient();
    await measured(name, () => measureAlone(name, client, effort));
    client.stop();
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(written, null, 2)}\n`);
  return Object.values(results).some((figures) => 'error' in figures) ? 1 : 0;
}

async function measureServed(
  served: Name[],
  client: Client,
  subject: Subject,
  effort: Effort,
  measured: (name: Name, measure: () => Promise<Figures>) => Promise<void>,
): Promise<void> {
  const fhir = served.filter((name): name is FhirName => (fhirNames as readonly Name[]).includes(name));
  const known: KnownPatient[] = fhir.length > 0 ? await client.call('seed', fhirTarget(subject), effort.people) : [];
  for (const name of fhir) await measured(name, () => measureFhir(name, client, subject, known, effort));
  if (served.includes('mllp_record')) await measured('mllp_record', () => measureRecorded(client, subject, effort));
  if (served.includes('mllp_ack')) await measured('mllp_ack', () => measureAcknowledged(client, subject, effort));
}

/** What is measured without a hub, in a process of its own. */
async function measureAlone(name: Name, client: Client, effort: Effort): Promise<Figures> {
  const run = async () => {
    if (name === 'v2_to_fhir') return client.call('v2Run', effort.seconds * 2);
    if (name === 'ccda_to_fhir') return client.call('ccdaRun', effort.seconds * 2);
    if (name === 'match') return client.call('matchingRun', effort.matchedPeople);
    return client.call('deliveryRun', effort.deliveredPeople);
  };
  return { ...(await run()), load_1min: load() };
}
