/**
 * Suites `fhir` and `synthea`: every resource is scanned, found valid, written as canonical text without loss, and
 * indexed; it goes through XML and back, and what came as XML says what its JSON twin says. No profiles.
 */
import {
  canonicalText,
  compartment,
  extract,
  isFhirError,
  jsonFromXml,
  type ScannedResource,
  scanBundle,
  scanResource,
  validate,
} from '@causeway/fhir';
import { type CaseFile, caseFiles } from './case-files.ts';
import { compareTwins, isFhirXml, narrativeVerdict, roundTrip, type Twin } from './fhir-xml.ts';
import { some } from './ledger-check.ts';
import { referencesOf } from './resource-checks.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from './result.ts';

const VERSION = { id: 'conformance', versionId: '1', lastUpdated: '2026-01-01T00:00:00.000Z' };

/** Published examples have faults of their own; a validator that refuses more than this share is at fault itself. */
const LEAST_ACCEPTED = 99;

interface Tally {
  files: number;
  /** Of `files`, those in XML. */
  xml_files: number;
  /** Pairs of an XML and a JSON file of one name, outside of archives; those whose files hold other elements at the root. */
  pairs: number;
  pairs_partly: number;
  /** Texts that came through XML and back the same; numbers in them, and those that need their own digits (`1.00`). */
  round_trips: number;
  numbers: number;
  exact_numbers: number;
  /** JSON without a resourceType, XML with a root outside of FHIR's namespace, and everything else. */
  skipped_files: number;
  resources: number;
  index_values: number;
  invalid: number;
  dangling: number;
}

/** Runs the suite over the examples of `fhir` and `ig-packages`, and `fhir/xhtml` as narratives. */
export function runFhir(cases: string): SuiteResult {
  return runResources(cases, ['fhir', 'ig-packages'], 'fhir/xhtml');
}

/** Runs the suite over the transaction bundles of `synthea`. */
export function runSynthea(cases: string): SuiteResult {
  return runResources(cases, ['synthea']);
}

function runResources(cases: string, folders: readonly string[], narratives?: string): SuiteResult {
  const verdicts = new Verdicts();
  const tally: Tally = {
    files: 0,
    xml_files: 0,
    pairs: 0,
    pairs_partly: 0,
    round_trips: 0,
    numbers: 0,
    exact_numbers: 0,
    skipped_files: 0,
    resources: 0,
    index_values: 0,
    invalid: 0,
    dangling: 0,
  };
  const seen = new Map<string, Twin>();
  for (const file of caseFiles(cases, folders)) {
    const text = resourceText(file);
    if (text === undefined) {
      tally.skipped_files++;
      continue;
    }
    tally.files++;
    verdicts.check(file.id, () => {
      const isXml = /^\s*</.test(text);
      if (isXml) tally.xml_files++;
      const json = isXml ? jsonFromXml(text) : text;
      if (typeof json !== 'string') {
        return { refusal: `${json.code}: ${json.path}: ${json.error} (line ${json.line})`, reasons: [] };
      }
      const verdict = isBundle(json) ? checkBundle(json, tally) : checkText(json, tally);
      checkRoundTrip(json, verdict, tally);
      checkPair(file.id, { source: text, json }, verdict, seen, tally);
      return verdict;
    });
  }
  const { refused, total } = verdicts.result;
  const accepted_pct = percent(total - refused, total);
  if (total > 0) {
    verdicts.check(`${folders.join(' and ')}: at least ${LEAST_ACCEPTED} % are accepted`, () => ({
      reasons: accepted_pct < LEAST_ACCEPTED ? [`${refused} of ${total} are refused`] : [],
    }));
  }
  const [before, refusedBefore] = [verdicts.result.total, verdicts.result.refused];
  for (const { id, bytes } of narratives === undefined ? [] : caseFiles(cases, [narratives])) {
    if (/\.(?:html|xhtml|xml|svg)$/i.test(id)) verdicts.check(id, () => narrativeVerdict(bytes.toString('utf8')));
  }
  const narrative_files = verdicts.result.total - before;
  const narratives_refused = verdicts.result.refused - refusedBefore;
  return { ...verdicts.result, ...tally, accepted_pct, narrative_files, narratives_refused };
}

/** JSON that names its type first or anywhere on its top level, or XML whose root is in FHIR's namespace. */
function resourceText({ id, bytes }: CaseFile): string | undefined {
  const form = /(?:^|[/!])[^./!][^/!]*\.(json|xml)$/i.exec(id)?.[1]?.toLowerCase();
  if (form === undefined || (form === 'json' && !bytes.includes('"resourceType"'))) return undefined;
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  return (form === 'xml' ? isFhirXml(text) : /^\s*\{/.test(text)) ? text : undefined;
}

/** What is valid R4 has to come through XML the same; what is not may be refused on the way, with the reason. */
function checkRoundTrip(text: string, verdict: Verdict, tally: Tally): void {
  const { refusal, isSame, numbers, exactNumbers } = roundTrip(text);
  if (refusal !== undefined) {
    if (verdict.refusal === undefined) verdict.reasons.push(refusal);
    return;
  }
  if (!isSame) verdict.reasons.push('comes back from XML with other content');
  tally.round_trips++;
  tally.numbers += numbers;
  tally.exact_numbers += exactNumbers;
}

/** Compares a file with the one of its name in the other form, when both were read; `seen` holds those that may have one. */
function checkPair(id: string, twin: Twin, verdict: Verdict, seen: Map<string, Twin>, tally: Tally): void {
  if (id.includes('!')) return;
  const name = id.replace(/\.(?:json|xml)$/i, '');
  const other = seen.get(name);
  seen.set(name, twin);
  if (other === undefined) return;
  tally.pairs++;
  const found = compareTwins(other, twin);
  if (found === 'partly') tally.pairs_partly++;
  if (found === 'different') verdict.reasons.push('says something else than the file of its name in the other form');
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
