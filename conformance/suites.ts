/** The suites, and how several are run at once: each in a process of its own, as many as there are processors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBulk } from './bulk/suite.ts';
import { runCcdaBack } from './ccda/back.ts';
import { runCcda } from './ccda/suite.ts';
import { runFhir, runSynthea } from './fhir.ts';
import { runG10 } from './g10/suite.ts';
import { runGraphql } from './graphql.ts';
import { runHl7v2Back } from './hl7v2/back-suite.ts';
import { runHl7v2 } from './hl7v2/suite.ts';
import { runIhe } from './ihe/suite.ts';
import { runIps } from './ips/suite.ts';
import { runMpi } from './linkage/mpi.ts';
import { runRegion } from './linkage/region.ts';
import { runMutation } from './mutation.ts';
import type { Options } from './options.ts';
import { runPatch } from './patch.ts';
import type { SuiteResult } from './result.ts';
import { runShl } from './shl/suite.ts';
import { runSmart } from './smart/suite.ts';
import { runSubscriptions } from './subscriptions/suite.ts';
import { runTlog } from './tlog/suite.ts';
import { runUdap } from './udap/suite.ts';

export type Results = Record<string, SuiteResult>;

type Suite = (cases: string, options: Options) => SuiteResult | Promise<SuiteResult>;

/** People of the region whose charts are written; more tell nothing new. */
const REGION_CHARTS = 100;

/** People of the region of whom summaries are asked, unless `--people` says so; most of the time goes into loading them. */
const REGION_SUMMARIES = 200;

export const SUITES: Readonly<Record<string, Suite>> = {
  hl7v2: runHl7v2,
  'hl7v2-back': runHl7v2Back,
  ccda: runCcda,
  'ccda-back': (cases, { people }) => runCcdaBack(cases, Math.min(people, REGION_CHARTS)),
  mutation: runMutation,
  synthea: runSynthea,
  fhir: runFhir,
  patch: runPatch,
  graphql: runGraphql,
  mpi: runMpi,
  smart: runSmart,
  g10: runG10,
  bulk: runBulk,
  subscriptions: runSubscriptions,
  udap: runUdap,
  ihe: runIhe,
  ips: (cases, { people, takesAll }) => runIps(cases, takesAll ? people : REGION_SUMMARIES),
  region: (_cases, { people }) => runRegion(people),
  shl: runShl,
  tlog: runTlog,
};

/** Suites that need no folder of cases. */
export const withoutCases: ReadonlySet<string> = new Set(['ihe', 'region', 'shl', 'tlog']);

/** Suites that one process runs one after the other: they may have to install Go. */
const together = ['shl', 'tlog'];

/** Suites that take long: begun first, so that none of them goes on alone at the end. */
const long = ['ccda-back', 'region', 'ips'];

/** Runs one suite here. */
export async function runHere(name: string, cases: string, options: Options): Promise<SuiteResult> {
  const began = performance.now();
  const result = await SUITES[name]!(cases, options);
  return { ...result, seconds: Math.round(performance.now() - began) / 1000 };
}

/**
 * Runs suites in processes of their own, and gives their results in the order in which they are named. A process that ends
 * without a result is a suite that crashed.
 * @param rest the arguments for all, without the names of suites and `--json`
 */
export async function runApart(names: readonly string[], rest: readonly string[]): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-conformance-'));
  const tasks = names.filter((name) => !together.includes(name)).map((name) => [name]);
  const last = names.filter((name) => together.includes(name));
  if (last.length > 0) tasks.push(last);
  tasks.sort(([one], [other]) => Number(long.includes(other!)) - Number(long.includes(one!)));
  const found: Results = {};
  const worker = async () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) Object.assign(found, await runTask(task, rest, folder));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  rmSync(folder, { recursive: true, force: true });
  return Object.fromEntries(names.map((name) => [name, found[name]!]));
}

async function runTask(names: readonly string[], rest: readonly string[], folder: string): Promise<Results> {
  const found: Results = {};
  for (const name of names) {
    const json = join(folder, `${name}.json`);
    const args = [...process.execArgv, join(import.meta.dirname, 'main.ts'), name, ...rest, '--json', json];
    // What is compiled once is compiled for all of them.
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    const [code, signal] = await once(child, 'exit');
    found[name] = resultIn(json, name) ?? crashed(name, `The process ended with ${signal ?? code} and no result.`);
  }
  return found;
}

function resultIn(json: string, name: string): SuiteResult | undefined {
  try {
    return (JSON.parse(readFileSync(json, 'utf8')) as Results)[name];
  } catch {
    return undefined;
  }
}

function crashed(name: string, reason: string): SuiteResult {
  const counts = { total: 1, passed: 0, failed: 1, refused: 0, crashed: 1, disputed: 0 };
  return { ...counts, failures: [{ id: name, reason }], disputes: [], refusals: [] };
}
