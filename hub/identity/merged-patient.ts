/**
 * The Patient an app sees of a person who is known at several sources: of each element what the sources agree on most,
 * of equals what was said last. It is a view; matching never reads it.
 */
import type { HumanName, Patient } from '@medplum/fhirtypes';
import type { SourcePatient } from './demographics-store.ts';

/** Builds the merged Patient. `sources`: the person's source patients with their Patient ids. */
export function mergedPatient(id: string, version: number, updated: Date, sources: readonly SourcePatient[]): Patient {
  const all = [...sources].sort((a, b) => (a.updated < b.updated ? 1 : -1)).map(({ patient }) => patient);
  const current = all.filter(({ active }) => active !== false);
  const patients = current.length > 0 ? current : all;
  const tags = all.flatMap(({ meta }) => meta?.tag ?? []).filter(({ system }) => system === 'urn:causeway:source');
  const merged: Patient = {
    resourceType: 'Patient',
    id,
    meta: {
      versionId: String(version),
      lastUpdated: updated.toISOString(),
      ...(tags.length > 0 ? { tag: distinct(tags) } : {}),
    },
    active: current.length > 0,
    identifier: distinct(
      all.flatMap(({ identifier }) => identifier ?? []),
      ({ system, value }) => `${system}|${value}`,
    ),
    name: names(patients),
    telecom: distinct(
      patients.flatMap(({ telecom }) => telecom ?? []),
      ({ system, value }) => `${system}|${value?.replace(/\D/g, '') || value}`,
    ),
    gender: agreed(patients.map(({ gender }) => gender).filter((gender) => gender !== 'unknown')),
    birthDate:
      agreed(patients.map(({ birthDate }) => birthDate).filter((date) => date?.length === 10)) ??
      first(patients, 'birthDate'),
    deceasedDateTime: first(patients, 'deceasedDateTime'),
    address: distinct(
      patients.flatMap(({ address }) => address ?? []),
      ({ line, city, postalCode }) => `${line?.join(' ')}|${city}|${postalCode?.slice(0, 5)}`.toLowerCase(),
    ),
    maritalStatus: first(patients, 'maritalStatus'),
    communication: first(patients, 'communication'),
    generalPractitioner: distinct(
      patients.flatMap(({ generalPractitioner }) => generalPractitioner ?? []),
      ({ reference }) => reference ?? '',
    ),
    extension: distinct(
      patients.flatMap(({ extension }) => extension ?? []),
      ({ url }) => url,
    ),
    link: all.map((patient) => ({ other: { reference: `Patient/${patient.id}` }, type: 'seealso' as const })),
  };
  if (merged.deceasedDateTime === undefined && patients.some(({ deceasedBoolean }) => deceasedBoolean)) {
    merged.deceasedBoolean = true;
  }
  for (const [element, value] of Object.entries(merged)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0))
      delete (merged as unknown as Record<string, unknown>)[element];
  }
  return merged;
}

/** The name most sources give comes first; the others stay, so that a search by any of them finds the person. */
function names(patients: readonly Patient[]): Patient['name'] {
  const key = ({ family, given }: HumanName) => `${family}|${given?.[0]}`.toLowerCase();
  const best = agreed(patients.map(({ name }) => name?.[0] && key(name[0])));
  const stated = patients.flatMap(({ name }) => name ?? []);
  const written = [...stated.filter((name) => !isShouted(name)), ...stated.filter(isShouted)];
  return distinct(written, key).sort((a, b) => Number(key(b) === best) - Number(key(a) === best));
}

/** Systems that write in capitals only lose how a name is spelt; another source's spelling is the better one. */
function isShouted({ family }: HumanName): boolean {
  return family !== undefined && family.length > 1 && family === family.toUpperCase();
}

/** The most frequent value; of equally frequent ones the first. */
function agreed<T>(values: readonly (T | undefined)[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: T | undefined;
  for (const [value, count] of counts) if (best === undefined || count > counts.get(best)!) best = value;
  return best;
}

function first<K extends keyof Patient>(patients: readonly Patient[], element: K): Patient[K] | undefined {
  return patients.find((patient) => patient[element] !== undefined)?.[element];
}

function distinct<T>(values: readonly T[], key: (value: T) => string = (value) => JSON.stringify(value)): T[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const k = key(value);
    if (seen.has(k)) return false;
    seen.add(k);
    return true;
  });
}
