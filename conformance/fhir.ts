/**
 * Suites `fhir` and `synthea`: every JSON resource is scanned, found valid, written as canonical text without loss, and
 * indexed. JSON only: XML, profiles and FHIRPath are not read here.
 */
import {
  canonicalText,
  compartment,
  extract,
  isFhirError,
  type ScannedResource,
  scanBundle,
  scanResource,
  validate,
} from '@causeway/fhir';
import { type CaseFile, caseFiles } from './case-files.ts';
import { some } from './ledger-check.ts';
import { referencesOf } from './resource-checks.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from './result.ts';

const VERSION = { id: 'conformance', versionId: '1', lastUpdated: '2026-01-01T00:00:00.000Z' };

/** Published examples have faults of their own; a validator that refuses more than this share is at fault itself. */
const LEAST_ACCEPTED = 99;

interface Tally {
  files: number;
  /** JSON without a resourceType, and everything that is not JSON. */
  skipped_files: number;
  resources: number;
  index_values: number;
  invalid: number;
  dangling: number;
}

/** Runs the suite over the examples of `fhir` and `ig-packages`. */
export function runFhir(cases: string): SuiteResult {
  return runResources(cases, ['fhir', 'ig-packages']);
}

/** Runs the suite over the transaction bundles of `synthea`. */
export function runSynthea(cases: string): SuiteResult {
  return runResources(cases, ['synthea']);
}

function runResources(cases: string, folders: readonly string[]): SuiteResult {
  const verdicts = new Verdicts();
  const tally: Tally = { files: 0, skipped_files: 0, resources: 0, index_values: 0, invalid: 0, dangling: 0 };
  for (const file of caseFiles(cases, folders)) {
    if (!isResourceFile(file)) {
      tally.skipped_files++;
      continue;
    }
    tally.files++;
    const text = file.bytes.toString('utf8').replace(/^\uFEFF/, '');
    verdicts.check(file.id, () => (isBundle(text) ? checkBundle(text, tally) : checkText(text, tally)));
  }
  const { refused, total } = verdicts.result;
  const accepted_pct = percent(total - refused, total);
  if (total > 0) {
    verdicts.check(`${folders.join(' and ')}: at least ${LEAST_ACCEPTED} % are accepted`, () => ({
      reasons: accepted_pct < LEAST_ACCEPTED ? [`${refused} of ${total} are refused`] : [],
    }));
  }
  return { ...verdicts.result, ...tally, accepted_pct };
}

/** A JSON object that names its type first or anywhere on its top level. */
function isResourceFile({ id, bytes }: CaseFile): boolean {
  return (
    /(^|[/!])[^./!][^/!]*\.json$/i.test(id) &&
    /^\uFEFF?\s*\{/.test(bytes.toString('utf8', 0, 200)) &&
    bytes.includes('"resourceType"')
  );
}

function isBundle(text: string): boolean {
  return /^\s*\{\s*"resourceType"\s*:\s*"Bundle"/.test(text);
}

function checkText(text: string, tally: Tally): Verdict {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) return { refusal: `${scanned.code}: ${scanned.error} (line ${scanned.line})`, reasons: [] };
  const { invalid, reasons } = checkResource(scanned, tally);
  return { refusal: refusalOf(invalid), reasons };
}

function refusalOf(invalid: readonly string[]): string | undefined {
  return invalid.length > 0 ? `not valid R4: ${some(invalid)}` : undefined;
}

function checkBundle(text: string, tally: Tally): Verdict {
  const scanned = scanBundle(text);
  if (isFhirError(scanned)) return { refusal: `${scanned.code}: ${scanned.error} (line ${scanned.line})`, reasons: [] };
  const reasons = new Set<string>();
  const invalid: string[] = [];
  const known = new Set<string>();
  for (const { fullUrl, resource } of scanned.entries) {
    if (fullUrl !== undefined) known.add(fullUrl);
    if (resource !== undefined) known.add(`${resource.resourceType}/${resource.id}`);
  }
  for (const { resource } of scanned.entries) {
    if (resource === undefined) continue;
    const found = checkResource(resource, tally);
    for (const reason of found.reasons) reasons.add(reason);
    invalid.push(...found.invalid);
    for (const { path, reference } of referencesOf(resource.value)) {
      if (!reference.startsWith('urn:uuid:') || known.has(reference)) continue;
      tally.dangling++;
      reasons.add(`${resource.resourceType}${path} refers to no entry of the bundle`);
    }
  }
  return { refusal: refusalOf(invalid), reasons: [...reasons] };
}

function checkResource(scanned: ScannedResource, tally: Tally): { invalid: string[]; reasons: string[] } {
  tally.resources++;
  const reasons: string[] = [];
  const invalid = validate(scanned.value)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ expression, diagnostics }) => `${expression ?? ''}: ${diagnostics}`);
  tally.invalid += invalid.length;
  const before = JSON.stringify(withoutVersion(scanned.value));
  const { text } = canonicalText(scanned, VERSION);
  if (JSON.stringify(withoutVersion(JSON.parse(text))) !== before) reasons.push('canonical text says something else');
  tally.index_values += extract(scanned.value).length;
  compartment(scanned.resourceType, scanned.value);
  return { invalid, reasons };
}

/** All but what the server sets itself. */
function withoutVersion(value: object): object {
  const { id: _, meta, ...rest } = value as { id?: string; meta?: Record<string, unknown> };
  const { versionId: __, lastUpdated: ___, ...said } = meta ?? {};
  return Object.keys(said).length === 0 ? rest : { ...rest, meta: said };
}
