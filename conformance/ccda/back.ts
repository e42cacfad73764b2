/**
 * Suite `ccda-back`: what was read as FHIR is written as C-CDA again. Every document of the cases, the charts of the
 * simulated region, Synthea's patients and published examples of FHIR become a CCD, a discharge summary and a referral note, which parse, keep the codes of the
 * entries, and hold to HL7's Schematron; and so does the version that withdraws each.
 */
import { indexDocument, parseCda, parseXml } from '@causeway/ccda';
import { type CcdaOptions, type ConversionContext, convertCcda, writeCcda } from '@causeway/mapping';
import type { Organization, Resource } from '@medplum/fhirtypes';
import { caseFiles } from '../case-files.ts';
import { some } from '../ledger-check.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from '../result.ts';
import { assertions } from './assertions.ts';
import { type ChartCase, exampleCharts, regionCharts, syntheaCharts } from './charts.ts';
import { type CodedPair, clinicalPairs, codesLost, sourcePairs, writtenPairs } from './coded-pairs.ts';
import { type Release, releases, worst } from './schematron.ts';
import { isCdaFile } from './suite.ts';

const CONTEXT: ConversionContext = {
  source: 'conformance',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:conformance',
};

const CUSTODIAN: Organization = {
  resourceType: 'Organization',
  id: '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e01',
  name: 'Conformance',
  telecom: [{ system: 'phone', value: '+1 207 555 0100', use: 'work' }],
  address: [{ line: ['1 Quay'], city: 'Harbor', state: 'ME', postalCode: '04001', country: 'US' }],
};

const OPTIONS: Omit<CcdaOptions, 'kind'> = {
  id: '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e02',
  time: '2026-01-02T03:04:05Z',
  custodian: CUSTODIAN,
  software: { manufacturer: 'Causeway', name: 'Causeway' },
};

const KINDS = ['ccd', 'discharge-summary', 'referral-note'] as const;

/** A later version, whose place in its set and whose reason the header tells. */
const WITHDRAWN: Pick<CcdaOptions, 'version' | 'withdrawn'> = {
  version: {
    setId: { root: '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e03', extension: 'conformance' },
    number: 2,
    replaces: { id: '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e04', number: 1 },
  },
  withdrawn: 'What this document told does not hold and is withdrawn.',
};

/** The release whose errors fail a case; those of others are counted. */
const TARGET = '3.0';

interface Tally {
  written: number;
  bytes: number;
  write_ms: number;
  /** Distinct pairs of code and system in the source's entries; those found in the CCD; those that FHIR kept and it lost. */
  pairs: number;
  pairs_back: number;
  pairs_lost: number;
  omitted: number;
  /** Resources that the CCD does not tell of, by type. */
  left_out: Record<string, number>;
  /** Clinical codes that the charts state, and those of them that the CCD lost. */
  chart_pairs: number;
  chart_pairs_lost: number;
}

/** Runs the suite; `people` is the size of the region whose charts are written. */
export function runCcdaBack(cases: string, people: number): SuiteResult {
  const verdicts = new Verdicts();
  const tally: Tally = {
    written: 0,
    bytes: 0,
    write_ms: 0,
    pairs: 0,
    pairs_back: 0,
    pairs_lost: 0,
    omitted: 0,
    left_out: {},
    chart_pairs: 0,
    chart_pairs_lost: 0,
  };
  const schemas = releases(cases);
  let charts = 0;
  for (const file of caseFiles(cases, ['ccda'])) {
    if (isCdaFile(file)) verdicts.check(file.id, () => checkDocument(file.bytes, schemas, tally));
  }
  for (const chart of [...regionCharts(people), ...syntheaCharts(cases), ...exampleCharts(cases)]) {
    charts++;
    verdicts.check(chart.id, () => checkChart(chart, schemas, tally));
  }
  return {
    ...verdicts.result,
    ...tally,
    files: verdicts.result.total - charts,
    charts,
    codes_kept_pct: percent(tally.pairs_back, tally.pairs),
    summary: summaryOf(tally, schemas, charts),
  };
}

/** A chart has no source document: what its resources state in codes has to be in the CCD, unless it tells of none. */
function checkChart({ resources, record }: ChartCase, schemas: readonly Release[], tally: Tally): Verdict {
  const { reasons, ccd, told } = write(resources, schemas, tally);
  const written = new Set(ccd);
  const stated = clinicalPairs(told);
  const lost = stated.filter((one) => !written.has(one));
  tally.chart_pairs += stated.length;
  tally.chart_pairs_lost += lost.length;
  if (lost.length > 0 && record) reasons.push(`${lost.length} codes of the chart are not written: ${some(lost)}`);
  return { reasons };
}

function checkDocument(bytes: Uint8Array, schemas: readonly Release[], tally: Tally): Verdict {
  const parsed = parseCda(bytes);
  if (!parsed.ok) return { refusal: parsed.error.message, reasons: [] };
  const resources = convertCcda(parsed.document, CONTEXT).facts.map(({ resource }) => resource);
  const { reasons, ccd, told, xml } = write(resources, schemas, tally);
  const source = sourcePairs(bytes);
  reasons.push(...turnedRound(resources, xml));
  const lost = codesLost(source, ccd, told);
  tally.pairs += source.length;
  tally.pairs_back += lost.found;
  tally.pairs_lost += lost.lost.length;
  if (lost.lost.length > 0)
    reasons.push(`${lost.lost.length} codes that FHIR kept are not written: ${some(lost.lost)}`);
  return { reasons };
}

/** Statements that are denied in the one and made in the other, when the CCD is read again. */
function turnedRound(resources: readonly Resource[], xml: string): string[] {
  const parsed = parseCda(xml);
  if (!parsed.ok) return [];
  const before = assertions(resources);
  const after = assertions(convertCcda(parsed.document, CONTEXT).facts.map(({ resource }) => resource));
  const turned = [...after].filter(([key, said]) => [...said].some((one) => before.get(key)?.has(one) === false));
  return turned.length === 0 ? [] : [`denied or no longer denied: ${some(turned.map(([key]) => key))}`];
}

/** Writes each kind of document, and what withdraws it, and holds them against the schemas. */
function write(
  resources: readonly Resource[],
  schemas: readonly Release[],
  tally: Tally,
): { reasons: string[]; ccd: readonly CodedPair[]; told: readonly Resource[]; xml: string } {
  const reasons: string[] = [];
  let ccd: readonly CodedPair[] = [];
  let told: readonly Resource[] = [];
  let written = '';
  const request = resources.find(({ resourceType }) => resourceType === 'ServiceRequest');
  const asked = request === undefined ? {} : { request: `ServiceRequest/${request.id}` };
  const patient = resources.filter(({ resourceType }) => resourceType === 'Patient').slice(0, 1);
  const all = KINDS.flatMap((kind) => [
    { kind, name: kind, of: resources, more: kind === 'referral-note' ? asked : {} },
    { kind, name: `withdrawal of the ${kind}`, of: patient, more: WITHDRAWN },
  ]);
  for (const { kind, name, of, more } of all) {
    const began = performance.now();
    const { xml, omitted } = writeCcda(of, { ...OPTIONS, kind, ...more });
    tally.write_ms += performance.now() - began;
    tally.written++;
    tally.bytes += Buffer.byteLength(xml);
    if (name === 'ccd') {
      tally.omitted += omitted.length;
      ccd = writtenPairs(xml);
      written = xml;
      const left = new Set(omitted.map(({ reference }) => reference));
      told = resources.filter(({ resourceType, id }) => !left.has(`${resourceType}/${id}`));
      for (const { resourceType, id } of resources) {
        if (left.has(`${resourceType}/${id}`)) tally.left_out[resourceType] = (tally.left_out[resourceType] ?? 0) + 1;
      }
    }
    const parsed = parseXml(xml);
    if (!parsed.ok) {
      reasons.push(`the ${name} does not parse: ${parsed.error.message}`);
      continue;
    }
    const document = indexDocument(parsed.document.root);
    for (const schema of schemas) {
      const errors = schema.check(document);
      if (schema.name === TARGET && errors.length > 0) {
        reasons.push(
          `the ${name} has ${errors.length} errors: ${some(errors.map(({ rule, message }) => `${rule}: ${message}`))}`,
        );
      }
    }
  }
  return { reasons, ccd, told, xml: written };
}

function summaryOf(tally: Tally, schemas: readonly Release[], charts: number): string {
  const { written, write_ms, bytes, pairs, pairs_back, pairs_lost, omitted, left_out, chart_pairs } = tally;
  const each = Math.max(1, written);
  const lines = [
    `${written} documents written, ${charts} charts among what they are of; ${(write_ms / each).toFixed(2)} ms and ${(bytes / each / 1024).toFixed(0)} KB each`,
    `codes of entries: ${pairs_back} of ${pairs} pairs are back (${percent(pairs_back, pairs)} %), ${pairs_lost} that FHIR kept are lost`,
    `codes of charts: ${chart_pairs - tally.chart_pairs_lost} of ${chart_pairs} are in the CCD`,
    `resources that no section of the CCD tells of: ${omitted} (${Object.entries(left_out)
      .sort((a, b) => b[1] - a[1])
      .map(([type, count]) => `${type} ${count}`)
      .join(', ')})`,
  ];
  for (const schema of schemas) {
    const { name, asserts, documents, errors, warnings, clean, check_ms, compile_ms } = schema;
    lines.push(
      `Schematron ${name}: ${asserts} asserts, compiled in ${compile_ms.toFixed(0)} ms; ${(check_ms / Math.max(1, documents)).toFixed(2)} ms a document; ` +
        `${clean} of ${documents} documents without an error, ${errors} errors and ${warnings} warnings fired`,
      ...worst(schema.fired, 8).map((line) => `  ${line}`),
    );
  }
  return lines.join('\n');
}
