/** What the searches ask for: taken from the server itself by search, so that they work on whatever data it has. */
import type { CodeableConcept, Observation, Patient, Quantity } from '@medplum/fhirtypes';
import { HttpConnection } from './http-connection.ts';
import { bundleAt, type FhirTarget, nextPath } from './server.ts';

/** A person that the server knows, and what it says of them. */
export interface KnownPatient {
  id: string;
  family: string;
  birthDate: string;
  /** `system|value` of an identifier. */
  identifier: string | undefined;
  /** A code of their Observations, and the day of one of these. */
  code: string | undefined;
  date: string | undefined;
  /** A composite search of an Observation of theirs: parameter and value. */
  composite: { parameter: string; value: string } | undefined;
}

export interface Known {
  patients: KnownPatient[];
  /** Whom searches by name and birth date ask for. */
  namesakes: { family: string; birthDate: string }[];
}

/** The page of one patient's Observations of one code is to be about so large. */
const pageBytes = 8_000;
const perPage = 100;
/** How often as many patients as are wanted may turn out to have no Observations before the search for others ends. */
const uselessLooks = 20;
/** How many of a patient's Observations are looked at. */
const observationsSeen = 500;

/**
 * Looks at patients and their Observations; those who have any are preferred.
 * @param ids whom to look at; where undefined, the first `count` patients that the server tells of
 */
export async function sample(
  target: FhirTarget,
  ids: string[] | undefined,
  count: number,
  namesakes: Known['namesakes'],
): Promise<Known> {
  const connection = new HttpConnection(target.base, target.token);
  const patients: KnownPatient[] = [];
  const withoutChart: KnownPatient[] = [];
  // Several of the ids may be one person's, whom a server shows as one Patient.
  const seen = new Set<string>();
  try {
    for await (const patient of patientsOf(connection, target, ids)) {
      if (seen.has(patient.id!)) continue;
      seen.add(patient.id!);
      const named = patient.name?.find(({ family }) => family !== undefined);
      if (patient.birthDate === undefined || named?.family === undefined) continue;
      const path = `/Observation?patient=${patient.id}&_count=${observationsSeen}`;
      const observations = (await bundleAt(connection, path)).entry?.flatMap(({ resource }) =>
        resource?.resourceType === 'Observation' ? resource : [],
      );
      const known = {
        id: patient.id!,
        family: named.family,
        birthDate: patient.birthDate,
        identifier: identifierOf(patient),
        ...chartOf(observations ?? []),
      };
      (known.code === undefined ? withoutChart : patients).push(known);
      if (patients.length >= count || withoutChart.length >= count * uselessLooks) break;
    }
  } finally {
    connection.close();
  }
  if (patients.length === 0) patients.push(...withoutChart.slice(0, count));
  if (patients.length === 0) throw new Error('The server knows no Patient with family name and birth date.');
  return { patients, namesakes: namesakes.length > 0 ? namesakes : patients };
}

/** What of a chart is searched for: the code whose Observations fill a page of about 8 KB, a day, and a composite. */
export function chartOf(observations: Observation[]): Pick<KnownPatient, 'code' | 'date' | 'composite'> {
  const byCode = new Map<string, Observation[]>();
  for (const observation of observations) {
    const code = codeOf(observation.code);
    if (code !== undefined) byCode.set(code, [...(byCode.get(code) ?? []), observation]);
  }
  const away = (group: Observation[]) => Math.abs(JSON.stringify(group).length - pageBytes);
  const [code, group] = [...byCode].sort(([, a], [, b]) => away(a) - away(b))[0] ?? [];
  const dated = group?.find(({ effectiveDateTime }) => effectiveDateTime !== undefined);
  return { code, date: dated?.effectiveDateTime?.slice(0, 10), composite: compositeOf(observations) };
}

/** A component's code and value where there is one, else an Observation's own. */
function compositeOf(observations: Observation[]): KnownPatient['composite'] {
  for (const { component } of observations) {
    for (const { code, valueQuantity } of component ?? []) {
      const value = pairOf(code, valueQuantity);
      if (value !== undefined) return { parameter: 'component-code-value-quantity', value };
    }
  }
  for (const { code, valueQuantity } of observations) {
    const value = pairOf(code, valueQuantity);
    if (value !== undefined) return { parameter: 'code-value-quantity', value };
  }
  return undefined;
}

function pairOf(code: CodeableConcept, quantity: Quantity | undefined): string | undefined {
  const token = codeOf(code);
  if (token === undefined || quantity?.value === undefined) return undefined;
  const unit = quantity.system && quantity.code ? `|${quantity.system}|${quantity.code}` : '';
  return `${token}$ge${quantity.value}${unit}`;
}

function codeOf(concept: CodeableConcept | undefined): string | undefined {
  const coding = concept?.coding?.find(({ system, code }) => system !== undefined && code !== undefined);
  return coding && `${coding.system}|${coding.code}`;
}

function identifierOf({ identifier }: Patient): string | undefined {
  const found = identifier?.find(({ system, value }) => system !== undefined && value !== undefined);
  return found && `${found.system}|${found.value}`;
}

async function* patientsOf(
  connection: HttpConnection,
  target: FhirTarget,
  ids: string[] | undefined,
): AsyncGenerator<Patient> {
  let path: string | undefined = `/Patient?_count=${perPage}`;
  if (ids === undefined) {
    while (path !== undefined) {
      const page = await bundleAt(connection, path);
      for (const { resource } of page.entry ?? []) if (resource?.resourceType === 'Patient') yield resource;
      path = nextPath(page, target.base);
    }
    return;
  }
  for (const id of ids) {
    const page = await bundleAt(connection, `/Patient?_id=${id}`);
    for (const { resource } of page.entry ?? []) if (resource?.resourceType === 'Patient') yield resource;
  }
}
