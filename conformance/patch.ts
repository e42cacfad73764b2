/**
 * Suite `patch`: JSON Patch and FHIRPath Patch cases, each applied to its document and held against what is expected of
 * it, objects in any order of members. XML Patch cases are counted and not run: the hub has no XML Patch.
 */
import { applyFhirPathPatch, applyJsonPatch, isFhirError, jsonFromXml } from '@causeway/fhir';
import { type CaseFile, caseFiles } from './case-files.ts';
import { type SuiteResult, type Verdict, Verdicts } from './result.ts';

/** Runs the suite over `fhir/patch`. */
export function runPatch(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const figures = { files: 0, json_patch_cases: 0, fhirpath_patch_cases: 0, xml_patch_cases_not_run: 0 };
  for (const file of caseFiles(cases, ['fhir/patch'])) {
    const text = file.bytes.toString('utf8');
    if (/^\s*\[/.test(text)) {
      figures.files++;
      figures.json_patch_cases += runJsonCases(file, text, verdicts);
    } else if (/<diff>/.test(text)) {
      figures.files++;
      figures.fhirpath_patch_cases += runFhirPathCases(file, text, verdicts);
    } else figures.xml_patch_cases_not_run += text.replace(/<!--[\s\S]*?-->/g, '').match(/<target>/g)?.length ?? 0;
  }
  return { ...verdicts.result, ...figures };
}

interface JsonCase {
  comment?: string;
  doc?: unknown;
  patch?: unknown;
  expected?: unknown;
  error?: string;
}

function runJsonCases({ id }: CaseFile, text: string, verdicts: Verdicts): number {
  const cases = (JSON.parse(text) as JsonCase[]).filter(({ patch }) => patch !== undefined);
  for (const [index, { comment, doc, patch, expected, error }] of cases.entries()) {
    verdicts.check(`${id}: ${comment ?? index}`, () => {
      const result = applyJsonPatch(JSON.stringify(doc), JSON.stringify(patch));
      return judge(result, error === undefined ? JSON.stringify(expected) : undefined);
    });
  }
  return cases.length;
}

function runFhirPathCases({ id }: CaseFile, text: string, verdicts: Verdicts): number {
  const cases = [...text.matchAll(/<case name="([^"]*)"[^>]*>([\s\S]*?)<\/case>/g)];
  for (const [, name, content] of cases) {
    verdicts.check(`${id}: ${name}`, () => {
      const part = (tag: string) => new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(content!)?.[1];
      const result = applyFhirPathPatch(resourceIn(part('input')), resourceIn(part('diff')));
      const output = part('output');
      return judge(result, output === undefined ? undefined : resourceIn(output));
    });
  }
  return cases.length;
}

function resourceIn(xml: string | undefined): string {
  // XML 1.0 §2.11: line ends are read as line feeds, in narratives too.
  const json = jsonFromXml((xml ?? '').trim().replace(/\r\n?/g, '\n'));
  if (isRefused(json)) throw new Error(`The case itself is not read: ${json.error}`);
  return json;
}

function isRefused<T extends object>(result: string | T): result is T {
  return typeof result !== 'string' && isFhirError(result);
}

/** A result against the text that is expected; undefined where an error is. */
function judge(result: string | { error: string }, expected: string | undefined): Verdict {
  if (typeof result !== 'string') return { reasons: expected === undefined ? [] : [`refused: ${result.error}`] };
  if (expected === undefined) return { reasons: ['was carried out, though an error is expected'] };
  return { reasons: ordered(result) === ordered(expected) ? [] : ['the result says something else'] };
}

/** A JSON text with the members of objects in one order, and quotes in narratives written in one way. */
function ordered(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value) => {
    if (key === 'div' && typeof value === 'string') return value.replaceAll('&quot;', '"');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
