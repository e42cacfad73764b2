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

/** A birth date as typed (`9.4.1962`, `04/09/1962`, `1962-4-9`, `1962`) as FHIR wants it; undefined when it is none. */
export function typedBirthDate(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^\d{4}$/.test(trimmed)) return trimmed;
  const iso = /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$/.exec(trimmed);
  if (iso) return valid(iso[1]!, iso[2]!, iso[3]);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(trimmed);
  if (american) return valid(american[3]!, american[1]!, american[2]);
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(trimmed);
  return dotted ? valid(dotted[3]!, dotted[2]!, dotted[1]) : undefined;
}

function valid(year: string, month: string, day: string | undefined): string | undefined {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day ?? 1)) return undefined;
  const parts = [year, month.padStart(2, '0'), ...(day ? [day.padStart(2, '0')] : [])];
  return parts.join('-');
}
