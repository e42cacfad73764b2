/** The names of several Patients, asked for in one search: for lists that know their ids alone. */
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { patientName } from '../fhir/people.ts';
import { readsPatients, useUser } from '../session/session.ts';

/** By id, `Ana Lopez, born 9 Apr 1962`; without those whom the user may not know. */
export type PatientNames = ReadonlyMap<string, string>;

const none: PatientNames = new Map();
const mostAtOnce = 200;

/** Empty until they are known, and for who reads no Patient. The search is recorded as one that showed them. */
export function usePatientNames(ids: readonly string[]): PatientNames {
  const isRead = readsPatients(useUser()?.role);
  const asked = [...new Set(ids)].sort().slice(0, mostAtOnce);
  const query = useQuery({
    enabled: isRead && asked.length > 0,
    queryKey: ['patient-names', asked],
    queryFn: async ({ signal }) => {
      const address = `/fhir/Patient?_id=${asked.map(encodeURIComponent).join(',')}&_elements=name,birthDate,link&_count=${mostAtOnce}`;
      const { entry = [] } = await getJson<Bundle<Patient>>(address, signal);
      return new Map(entry.flatMap(({ resource }) => (resource ? namesOf(resource) : [])));
    },
    staleTime: 5 * 60_000,
    placeholderData: keepPreviousData,
    retry: false,
  });
  return query.data ?? none;
}

/** A person is found by the ids of the records that are held to be of it, and answered under its own. */
function namesOf(patient: Patient): [id: string, name: string][] {
  const linked = (patient.link ?? []).map(({ other }) => other.reference?.replace(/^Patient\//, ''));
  return [patient.id, ...linked].flatMap((id): [string, string][] => (id ? [[id, nameOf(patient)]] : []));
}

function nameOf(patient: Patient): string {
  const born = formatDate(patient.birthDate);
  return born ? `${patientName(patient)}, born ${born}` : patientName(patient);
}
