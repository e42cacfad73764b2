/**
 * Patient identity domains in a search of Patients (IHE PDQm 3.2, ITI-78, section 2:3.78.4.1.2.3): `identifier=[system]|`
 * asks for numbers of these domains alone, beside finding who has one.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { FhirRecord, Issue, StoredResource } from '../record/index.ts';
import type { Caller } from './authenticate.ts';

/** The systems that a search of Patients names without a number; undefined where it names none so. */
export function askedDomains(type: string, parameters: Iterable<[string, string]>): string[] | undefined {
  if (type !== 'Patient') return undefined;
  const systems = [...parameters].flatMap(([name, value]) => {
    if (name !== 'identifier') return [];
    const values = value.split(/(?<!\\),/);
    return values.every((one) => /[^\\]\|$/.test(one)) ? values.map((one) => plain(one.slice(0, -1))) : [];
  });
  return systems.length > 0 ? systems : undefined;
}

/** A Patient with its numbers of some domains alone, marked as a part. */
export function withinDomains(stored: StoredResource, systems: readonly string[]): StoredResource {
  const patient = JSON.parse(stored.text) as Patient;
  const all = patient.identifier ?? [];
  const kept = all.filter(({ system }) => system !== undefined && systems.includes(system));
  if (kept.length === all.length) return stored;
  const identifier = kept.length > 0 ? `"identifier":${JSON.stringify(kept)},` : '';
  const written = `"identifier":${JSON.stringify(all)}`;
  const at = stored.text.indexOf(`${written},`);
  const text =
    at < 0
      ? JSON.stringify({ ...patient, identifier: kept.length > 0 ? kept : undefined })
      : `${stored.text.slice(0, at)}${identifier}${stored.text.slice(at + written.length + 1)}`;
  return { ...stored, text: markedAsPart(text, patient) };
}

/** What is told of domains that nobody whom the caller sees has a number of. */
export async function unknownDomains(
  record: FhirRecord,
  who: Caller,
  systems: readonly string[],
  matches: readonly StoredResource[],
): Promise<Issue[]> {
  const absent = systems.filter((system) => !matches.some(({ text }) => text.includes(JSON.stringify(system))));
  const found = await Promise.all(absent.map((system) => hasNumbers(record, who, system)));
  return found.some((one) => !one)
    ? [{ severity: 'warning', code: 'not-found', diagnostics: 'targetSystem not found', expression: 'identifier' }]
    : [];
}

async function hasNumbers(record: FhirRecord, who: Caller, system: string): Promise<boolean> {
  const parameters: [string, string][] = [
    ['identifier', `${system.replace(/[\\,$|]/g, '\\$&')}|`],
    ['_count', '1'],
  ];
  return (await record.search(who, record.readSearch('Patient', parameters, false))).matches.length > 0;
}

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

function markedAsPart(text: string, { meta }: Patient): string {
  const tags = meta?.tag ?? [];
  if (meta === undefined || tags.some(({ code }) => code === subsetted.code)) return text;
  const tag = `"tag":${JSON.stringify([...tags, subsetted])}`;
  if (tags.length > 0) return text.replace(`"tag":${JSON.stringify(tags)}`, () => tag);
  return text.replace('"meta":{', () => `"meta":{${tag},`);
}

function plain(value: string): string {
  return value.replace(/\\(.)/g, '$1');
}
