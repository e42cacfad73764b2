/**
 * Whose records an account of a patient or proxy may see: those of the persons it is bound to, as far as somebody
 * confirmed that their source patients are one person.
 */
import type { Database } from '../database/index.ts';
import { type FhirRecord, ridOf } from '../record/index.ts';
import { accessOf, type Bindings, type Relation } from '../trust/index.ts';

/** What an account's access is confined to. */
export interface Represented {
  homes: number[];
  /** The ages of those represented by a proxy, in years; undefined where it is not known. */
  ages: (number | undefined)[];
  /** Those for whom it may decide: itself, and whom it represents by law. The bound Patient, and the homes confirmed to be its. */
  decides: { patient: string; homes: number[] }[];
}

/** Until this age parents see their children's records. */
const adult = 18;
const legal: readonly Relation[] = ['self', 'parent', 'guardian'];
const own = accessOf({ username: 'bindings', name: 'Bindings', role: 'system', organization: 'hub' });

/** @param role patients see their own records, proxies those of others */
export async function representedBy(
  parts: { database: Database; record: FhirRecord; bindings: Bindings },
  username: string,
  role: 'patient' | 'proxy',
  now: Date,
): Promise<Represented> {
  const bound = (await parts.bindings.of(username)).filter(
    ({ relation }) => (relation === 'self') === (role === 'patient'),
  );
  const found: Represented = { homes: [], ages: [], decides: [] };
  for (const { patient, relation } of bound) {
    const age = role === 'proxy' ? await ageOf(parts.record, patient, now) : undefined;
    if (role === 'proxy' && hasEnded(relation, age)) continue;
    const homes = await confirmedHomes(parts.database, patient);
    found.homes.push(...homes);
    if (legal.includes(relation)) found.decides.push({ patient, homes });
    if (role === 'proxy') found.ages.push(age);
  }
  return { ...found, homes: [...new Set(found.homes)] };
}

/** A parent's access ends with childhood; where the age is not known it is not begun. */
function hasEnded(relation: Relation, age: number | undefined): boolean {
  return relation === 'parent' && (age === undefined || age >= adult);
}

/** The homes of a source patient and of those that are confirmed, as it is, to be the same person. */
export async function confirmedHomes(database: Database, patient: string): Promise<number[]> {
  const { rows } = await database.query({
    name: 'confirmed_homes',
    text: `SELECT p.home FROM patient_home p WHERE p.rid = $1
           UNION
           SELECT m.home FROM link l JOIN link m ON m.person = l.person
           WHERE l.patient = $1 AND l.grade IN ('confirmed', 'source') AND m.grade IN ('confirmed', 'source')`,
    values: [ridOf(patient)],
  });
  return rows.map((row) => row.home);
}

async function ageOf(record: FhirRecord, patient: string, now: Date): Promise<number | undefined> {
  const found = await record.reader.read(own, 'Patient', patient);
  const { birthDate } = found && !found.deleted ? (JSON.parse(found.text) as { birthDate?: string }) : {};
  return birthDate === undefined ? undefined : age(birthDate, now);
}

/** The age in whole years; of a date that is not exact the greatest that it may be. @param birthDate FHIR date */
export function age(birthDate: string, now: Date): number | undefined {
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(birthDate);
  if (!parts) return undefined;
  const [, year, month = '01', day = '01'] = parts;
  const today = now.toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(year);
  return today.slice(5) < `${month}-${day}` ? years - 1 : years;
}
