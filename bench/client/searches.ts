/** The shapes of search that are measured, as paths made from what is known of a patient. */
import type { KnownPatient } from './known.ts';

/** Pages hold so many resources, so that servers of different habits answer alike. */
const page = '_count=20';

/** The path of each shape; undefined where the patient has nothing to ask for. */
export const searches = {
  search_patient_code: ({ id, code }: KnownPatient) =>
    code === undefined ? undefined : `/Observation?patient=${id}&code=${encodeURIComponent(code)}`,
  search_patient_date_sort: ({ id, date }: KnownPatient) =>
    date === undefined ? undefined : `/Observation?patient=${id}&date=le${date}&_sort=-date&${page}`,
  search_code: ({ code }: KnownPatient) =>
    code === undefined ? undefined : `/Observation?code=${encodeURIComponent(code)}&${page}`,
  search_code_date: ({ code, date }: KnownPatient) =>
    code === undefined || date === undefined
      ? undefined
      : `/Observation?code=${encodeURIComponent(code)}&${monthOf(date)}&${page}`,
  search_name_prefix: ({ family }: KnownPatient) =>
    `/Patient?name=${encodeURIComponent([...family].slice(0, 4).join(''))}&${page}`,
  search_identifier: ({ identifier }: KnownPatient) =>
    identifier === undefined ? undefined : `/Patient?identifier=${encodeURIComponent(identifier)}`,
  search_chain_family: ({ family }: KnownPatient) =>
    `/Observation?patient.family=${encodeURIComponent(family)}&${page}`,
  search_chain_birthdate: ({ birthDate }: KnownPatient) =>
    `/Observation?subject:Patient.birthdate=${birthDate}&${page}`,
  search_has: ({ code }: KnownPatient) =>
    code === undefined ? undefined : `/Patient?_has:Observation:patient:code=${encodeURIComponent(code)}&${page}`,
  search_revinclude: ({ id }: KnownPatient) => `/Patient?_id=${id}&_revinclude=Condition:patient`,
  search_composite: ({ composite }: KnownPatient) =>
    composite && `/Observation?${composite.parameter}=${encodeURIComponent(composite.value)}&${page}`,
} satisfies Record<string, (patient: KnownPatient) => string | undefined>;

export type SearchName = keyof typeof searches;

/** The month of a day, as two conditions on `date`. */
function monthOf(day: string): string {
  const [year, month] = day.split('-').map(Number) as [number, number];
  const next = new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
  return `date=ge${day.slice(0, 7)}-01&date=lt${next}`;
}
