/**
 * `npm run conformance`: runs cases that others wrote, and the simulated region, through the packages, and counts.
 * `npm run conformance -- [SUITE …] [--cases DIR] [--json FILE] [--people N|all]`
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
import { type Options, readOptions } from './options.ts';
import { runPatch } from './patch.ts';
import { failuresOf, tableOf } from './print.ts';
import type { SuiteResult } from './result.ts';
import { runShl } from './shl/suite.ts';
import { runSmart } from './smart/suite.ts';
import { runSubscriptions } from './subscriptions/suite.ts';
import { runTlog } from './tlog/suite.ts';
import { runUdap } from './udap/suite.ts';

const DEFAULT_CASES = '../shared/cases';

/** People of the region whose charts are written; more tell nothing new. */
const REGION_CHARTS = 100;

/** People of the region of whom summaries are asked, unless `--people` says so; most of the time goes into loading them. */
const REGION_SUMMARIES = 200;

type Suite = (cases: string, options: Options) => SuiteResult | Promise<SuiteResult>;

const SUITES: Readonly<Record<string, Suite>> = {
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
const withoutCases = new Set(['ihe', 'region', 'shl', 'tlog']);

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = readOptions(args, Object.keys(SUITES));
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const cases = resolve(options.cases ?? join(import.meta.dirname, '..', DEFAULT_CASES));
  if (options.suites.some((name) => !withoutCases.has(name)) && !existsSync(cases)) {
    console.log(`There is no folder of cases at ${cases}; name one with --cases DIR.`);
    if (options.cases !== undefined) return 2;
    console.log('0 passed, 0 failed');
    return 0;
  }
  const results: Record<string, SuiteResult> = {};
  for (const name of options.suites) {
    const began = performance.now();
    const result = await SUITES[name]!(cases, options);
    results[name] = { ...result, seconds: Math.round(performance.now() - began) / 1000 };
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  return report(results);
}

function report(results: Readonly<Record<string, SuiteResult>>): number {
  let [passed, failed] = [0, 0];
  for (const [name, result] of Object.entries(results)) {
    passed += result.passed;
    failed += result.failed;
    if (result.failed > 0) console.log(`${failuresOf(name, result)}\n`);
  }
  console.log(`${tableOf(results)}\n`);
  for (const result of Object.values(results))
    if (typeof result.summary === 'string') console.log(`${result.summary}\n`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
