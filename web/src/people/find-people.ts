/** The search for a person: what the fields hold, as a FHIR search (`Patient?name=…`). */
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { getJson } from '../api/request.ts';

export interface PersonSearch {
  name?: string;
  birthdate?: string;
  identifier?: string;
}

/** Parameters for the hub, or undefined when nothing is asked for. */
export function searchParameters(search: PersonSearch): URLSearchParams | undefined {
  const parameters = new URLSearchParams();
  for (const word of (search.name ?? '').split(/[\s,]+/).filter(Boolean)) parameters.append('name', word);
  if (search.birthdate) parameters.set('birthdate', search.birthdate);
  if (search.identifier?.trim()) parameters.set('identifier', search.identifier.trim());
  return parameters.size > 0 ? parameters : undefined;
}

export interface FoundPeople {
  people: Patient[];
  /** True when the hub has more than it answered with. */
  more: boolean;
  total: number | undefined;
}

export function findPeopleQuery(search: PersonSearch) {
  const parameters = searchParameters(search);
  return queryOptions({
    queryKey: ['people', search.name ?? '', search.birthdate ?? '', search.identifier ?? ''],
    enabled: parameters !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<FoundPeople> => {
      const bundle = await getJson<Bundle>(`/fhir/Patient?${parameters}&_count=20`, signal);
      const people = (bundle.entry ?? [])
        .map((entry) => entry.resource)
        .filter((resource): resource is Patient => resource?.resourceType === 'Patient');
      return { people, more: !!bundle.link?.some((link) => link.relation === 'next'), total: bundle.total };
    },
  });
}

/**
 * A birth date as typed (`1962-4-9`, `04/09/1962`, `9.4.1962`, `19620409`, `9 Apr 1962`, `April 9, 1962`, `4/1962`,
 * `1962`) as FHIR wants it; undefined when it is none. Slashes are read as in the United States, month first.
 */
export function typedBirthDate(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  for (const form of FORMS) {
    const { year, month, day } = form.exec(trimmed)?.groups ?? {};
    if (year) return month ? valid(year, monthNumber(month), day) : year;
  }
  return undefined;
}

const FORMS = [
  /^(?<year>\d{4})$/,
  /^(?<year>\d{4})[-/.](?<month>\d{1,2})(?:[-/.](?<day>\d{1,2}))?$/,
  /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/,
  /^(?<month>\d{1,2})[-/](?:(?<day>\d{1,2})[-/])?(?<year>\d{4})$/,
  /^(?:(?<day>\d{1,2})\. ?)?(?<month>\d{1,2})\. ?(?<year>\d{4})$/,
  /^(?:(?<day>\d{1,2})\.?[ -])?(?<month>[a-z]{3,9})\.?,?[ -](?<year>\d{4})$/,
  /^(?<month>[a-z]{3,9})\.? (?<day>\d{1,2})(?:st|nd|rd|th)?,? (?<year>\d{4})$/,
];

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** `4`, `04`, `apr` and `april` are 4; a word that begins no month is 0. */
function monthNumber(text: string): number {
  return /^\d/.test(text) ? Number(text) : MONTHS.findIndex((month) => month.startsWith(text)) + 1;
}

function valid(year: string, month: number, day: string | undefined): string | undefined {
  const date = new Date(Date.UTC(Number(year), month - 1, Number(day ?? 1)));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== Number(day ?? 1)) return undefined;
  return [year, ...[month, ...(day ? [Number(day)] : [])].map((part) => String(part).padStart(2, '0'))].join('-');
}
