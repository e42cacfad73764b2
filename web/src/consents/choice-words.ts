/** A person's choice as sentences. */
import type { ConsentChoice } from '../api/contract.ts';
import { formatPeriod } from '../fhir/dates.ts';
import { asSentence, joined, KIND_WORDS, PURPOSE_WORDS } from './kinds.ts';

/** The rule, and a sentence for each exception. @param names of organisations by their keys */
export function choiceWords(choice: ConsentChoice, names: ReadonlyMap<string, string>): string[] {
  const exceptions = (choice.exceptions ?? []).flatMap((one) => [
    `But: ${clause(one, names, 'it')}.`,
    ...(one.exceptions ?? []).map((deeper) => `Yet: ${clause(deeper, names, 'it')}.`),
  ]);
  return [`${asSentence(clause(choice, names, 'this record'))}.`, ...exceptions];
}

function clause(choice: ConsentChoice, names: ReadonlyMap<string, string>, whole: string): string {
  const { effect, organizations, purposes, kinds, days, holds } = choice;
  const whoever = effect === 'permit' ? 'everyone' : 'nobody else';
  const who = organizations ? joined(organizations.map((key) => names.get(key) ?? key)) : whoever;
  const may = effect === 'permit' || !organizations ? 'may see' : 'may not see';
  const about = kinds
    ? `what is about ${joined(
        kinds.map((kind) => KIND_WORDS[kind] ?? kind),
        'or',
      )}`
    : '';
  const period = days ? formatPeriod({ start: days.from, end: days.to }) : '';
  const what = period
    ? [about, about ? `of ${period}` : `data of ${period}`].filter(Boolean).join(' ')
    : about || whole;
  const why = purposes
    ? ` for ${joined(
        purposes.map((code) => PURPOSE_WORDS[code] ?? code),
        'or',
      )}`
    : '';
  const until = holds ? `, ${formatPeriod({ start: holds.from, end: holds.to })}` : '';
  return `${who} ${may} ${what}${why}${until}`;
}
