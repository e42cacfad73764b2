/**
 * By which numbers and Patients somebody is known, asked by FHIR (IHE PIXm 3.0, ITI-83, section 2:3.83.4): the same answer
 * as to Q23, with the ids of Patients beside it.
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { type FhirRecord, logicalId, RecordError, type StoredResource } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { type Domain, type Domains, isOf, socialSecurity } from './domains.ts';
import { identifiersInUse, readPatient } from './persons.ts';

export interface AskedIdentifier {
  system: string;
  value: string;
}

export interface Correspondence {
  identifiers: Identifier[];
  /** Ids of Patients: as the person is presented, and those of its sources. */
  patients: string[];
  /** The id by which the person is presented. */
  person: string;
}

export interface CorrespondenceParts {
  record: FhirRecord;
  domains: Domains;
  /** The base URL of this server: the domain of the ids of its Patients. */
  base: string;
}

/**
 * @param targets the systems whose numbers are asked for; all where there are none
 * @throws RecordError 404 for a number that nobody has, 400 for an unknown domain of it, 403 for an unknown one in `targets`
 */
export async function correspondenceOf(
  { record, domains, base }: CorrespondenceParts,
  access: Access,
  asked: AskedIdentifier,
  targets: readonly string[],
): Promise<Correspondence> {
  const source = domains.bySystem(asked.system) ?? { name: undefined, systems: [asked.system] };
  const person = await personOf(record, access, asked, source, base, domains);
  for (const target of targets) {
    if (target !== base && !(await isKnown(record, access, domains, target)))
      throw new RecordError(403, 'code-invalid', 'targetSystem not found', 'targetSystem');
  }
  const wanted = targets.map((system) => domains.bySystem(system) ?? { name: undefined, systems: [system] });
  const isWanted = (one: Identifier) => (wanted.length === 0 ? !isOf(one, [socialSecurity]) : isOf(one, wanted));
  const patient = JSON.parse(person.text) as Patient;
  const inUse = (await identifiersInUse(record, access, patient)).filter(
    (one) => one.system !== undefined && one.value !== undefined && one.use !== 'old' && !isPast(one),
  );
  const isAsked = (one: Identifier) => one.value === asked.value && isOf(one, [source]);
  const isWantedHere = targets.length === 0 || targets.includes(base);
  const sources = await sourcesOf(record, access, patient);
  const patients = [patient, ...sources].filter(
    (one) => one.active !== false && (isWantedHere || one.identifier?.some((own) => isOf(own, wanted))),
  );
  return {
    identifiers: inUse.filter((one) => !isAsked(one) && isWanted(one)).map((one) => domains.named(one)),
    patients: patients.map(({ id }) => id!).filter((id) => asked.system !== base || asked.value !== `Patient/${id}`),
    person: patient.id!,
  };
}

/** The one person who has the number. @throws RecordError 400, 404, 422 */
async function personOf(
  record: FhirRecord,
  access: Access,
  { system, value }: AskedIdentifier,
  domain: Domain,
  base: string,
  domains: Domains,
): Promise<StoredResource> {
  const nobody = () =>
    new RecordError(404, 'not-found', 'sourceIdentifier Patient Identifier not found', 'sourceIdentifier');
  if (system === base) {
    const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(value)?.[1];
    const patient = id === undefined ? undefined : await readPatient(record, access, id);
    if (!patient) throw nobody();
    return record.read(access, 'Patient', await presented(record, access, patient.id!));
  }
  const found = await search(
    record,
    access,
    domain.systems.map((one) => `${escaped(one)}|${escaped(value)}`),
    2,
  );
  const [one] = found;
  if (found.length > 1) {
    const text = 'The identifier is one of several people';
    throw new RecordError(422, 'multiple-matches', text, 'sourceIdentifier');
  }
  if (!one) {
    if (await isKnown(record, access, domains, system)) throw nobody();
    throw new RecordError(400, 'code-invalid', 'sourceIdentifier Assigning Authority not found', 'sourceIdentifier');
  }
  // A number that its site has merged into another is nobody's any more.
  const patient = JSON.parse(one.text) as Patient;
  const inUse = await identifiersInUse(record, access, patient);
  if (patient.active === false || !inUse.some((own) => own.value === value && isOf(own, [domain]))) throw nobody();
  return one;
}

/** The id by which the person of a Patient is found. */
async function presented(record: FhirRecord, access: Access, id: string): Promise<string> {
  const { matches } = await record.search(access, record.readSearch('Patient', [['_id', id]], false));
  return matches[0] ? logicalId(matches[0].text) : id;
}

async function sourcesOf(record: FhirRecord, access: Access, patient: Patient): Promise<Patient[]> {
  const homes = (await record.homesOf([patient.id!])).get(patient.id!) ?? [];
  if (homes.length < 2) return [];
  const ids = (patient.link ?? []).flatMap(({ other }) => /^Patient\/(.+)$/.exec(other.reference ?? '')?.[1] ?? []);
  const found = await Promise.all(ids.map((id) => readPatient(record, access, id)));
  return found.filter((one) => one !== undefined);
}

/** Whether a domain is one that a participant is registered with, or that somebody whom the caller sees has a number of. */
async function isKnown(record: FhirRecord, access: Access, domains: Domains, system: string): Promise<boolean> {
  if (domains.bySystem(system)) return true;
  return (await search(record, access, [`${escaped(system)}|`], 1)).length > 0;
}

async function search(record: FhirRecord, access: Access, values: string[], count: number): Promise<StoredResource[]> {
  const parameters: [string, string][] = [
    ['identifier', values.join(',')],
    ['_count', String(count)],
  ];
  return (await record.search(access, record.readSearch('Patient', parameters, false))).matches;
}

function isPast({ period }: Identifier): boolean {
  return period?.end !== undefined && period.end < new Date().toISOString().slice(0, period.end.length);
}

function escaped(value: string): string {
  return value.replace(/[\\,$|]/g, '\\$&');
}
