/** The answer to a search on one type (FHIR R4 §3.1.1.5), put together around the stored texts. */
import { subset } from '@causeway/fhir';
import type { FhirRecord } from '../record/index.ts';
import { RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import {
  bundle,
  type EntryParts,
  entry,
  outcomeOf,
  patientsOf,
  type TextParts,
  type TypedText,
} from './fhir-answers.ts';
import type { AnswerForm } from './fhir-format.ts';
import { askedDomains, unknownDomains, withinDomains } from './pdqm-domains.ts';

/** Where a search is made, other than on all of a type: its path, and filters one of which has to hold. */
export interface Within {
  path: string;
  anyOf: readonly [string, string][];
}

/** The answer to a search as text, and whose records it gives out. */
export async function searchBundle(
  record: FhirRecord,
  who: Caller,
  type: string,
  parameters: URLSearchParams,
  base: string,
  lenient: boolean,
  form?: AnswerForm,
  within?: Within,
): Promise<{ text: TextParts; patients: string[] }> {
  const { own, kept } = withoutForm(parameters);
  const request = record.readSearch(type, kept, lenient, within?.anyOf);
  const part = form?.subset;
  checkSummary(part, parameters);
  const { matches, included, total, next, warnings } = await record.search(who, request);
  const domains = askedDomains(type, request.understood);
  const query = new URLSearchParams([...request.understood, ...own]);
  const address = `${base}/${within?.path ?? type}`;
  const links = [['self', `${address}?${query}`]];
  if (next !== undefined) {
    query.set('_cursor', next);
    links.push(['next', `${address}?${query}`]);
  }
  const entries: (string | EntryParts)[] = [
    ...matches.map((stored) => entry(base, shown(domains ? withinDomains(stored, domains) : stored, part), 'match')),
    ...included.map((stored) => entry(base, shown(stored, part), 'include')),
  ];
  const unknown = domains ? await unknownDomains(record, who, domains, matches) : [];
  const told = [...request.warnings, ...warnings, ...unknown];
  // Who everybody is that was asked for is known where there is one page (IHE PDQm, ITI-78).
  const isWhole = type === 'Patient' && next === undefined && request.cursor === undefined && !request.summaryCount;
  if (told.length > 0) entries.push(warningEntry(told));
  return {
    text: bundle('searchset', links, entries, total ?? (isWhole ? matches.length : undefined)),
    patients: patientsOf([...matches, ...included]),
  };
}

/** A resource with the part of its text that is asked for. */
export function shown<R extends TypedText>(stored: R, part: AnswerForm['subset']): R {
  return part ? { ...stored, text: subset(stored.text, part) } : stored;
}

/** The entry that tells what was not understood. */
export function warningEntry(warnings: Parameters<typeof outcomeOf>[0]): string {
  return `{"resource":${JSON.stringify(outcomeOf(warnings))},"search":{"mode":"outcome"}}`;
}

/** @throws RecordError 400 for what `_summary=text` cannot be combined with (FHIR R4 §3.1.1.5.8) */
export function checkSummary(part: AnswerForm['subset'], parameters: URLSearchParams): void {
  if (!part || !('summary' in part) || part.summary !== 'text') return;
  const other = [...parameters.keys()].find((name) => /^_(?:rev)?include\b/.test(name));
  if (other) throw new RecordError(400, 'invalid', `The parameter ${other} cannot be used with _summary=text.`, other);
}

/** Parameters that say in which form the answer is wanted, apart from those that say what is searched for. */
export function withoutForm(parameters: URLSearchParams): {
  own: [string, string][];
  kept: [string, string][] | URLSearchParams;
} {
  const isForm = ([name, value]: [string, string]) =>
    name === '_format' || name === '_pretty' || name === '_elements' || (name === '_summary' && value !== 'count');
  const all = [...parameters];
  if (!all.some(isForm)) return { own: [], kept: parameters };
  return { own: all.filter(isForm), kept: all.filter((pair) => !isForm(pair)) };
}
