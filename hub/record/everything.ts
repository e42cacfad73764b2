/**
 * Patient `$everything` (FHIR R4 Patient operation): all resources of a person over all sources, and the practitioners,
 * organizations, places and medications they name.
 */
import { isResourceType, typeCode } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type Access, accessCondition } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import { type Reader, type StoredResource, storedColumns } from './read.ts';
import type { PresentPersons } from './search.ts';

export interface EverythingPage {
  resources: StoredResource[];
  /** The cursor of the next page. */
  next: string | undefined;
}

/** Types that belong to no patient but explain what does. */
const supporting =
  /"reference":"((?:Practitioner|PractitionerRole|Organization|Location|Medication|Device|HealthcareService)\/[A-Za-z0-9\-.]{1,64})"/g;

/**
 * One page. The Patient comes first, then the rest in the order in which it became known.
 * @param homes the homes of the person's source patients
 */
export async function everythingPage(
  database: Database,
  reader: Reader,
  present: PresentPersons,
  access: Access,
  homes: number[],
  page: { count: number; after: string | undefined; types: string[] | undefined; since: Date | undefined },
): Promise<EverythingPage> {
  const values: unknown[] = [homes];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['r.home = ANY($1::bigint[])', 'NOT r.deleted', accessCondition(access, 'r.home', parameter)];
  const unknown = page.types?.find((type) => !isResourceType(type));
  if (unknown !== undefined) {
    throw new RecordError(400, 'value', 'The parameter _type names what is no FHIR R4 resource type.', '_type');
  }
  if (page.types) conditions.push(`r.type = ANY(${parameter(page.types.map(typeCode))}::smallint[])`);
  if (page.since) conditions.push(`r.updated >= ${parameter(page.since)}`);
  const patientFirst = `CASE WHEN r.type = ${typeCode('Patient')} THEN 0 ELSE r.rkey END`;
  if (page.after !== undefined) conditions.push(`${patientFirst} > ${parameter(Number(page.after))}`);
  const { rows } = await database.query({
    text: `SELECT ${storedColumns}, ${patientFirst} AS place FROM resource r LEFT JOIN link l ON l.home = r.home
           WHERE ${conditions.join(' AND ')} ORDER BY place LIMIT ${page.count + 1}`,
    values,
  });
  const kept = rows.slice(0, page.count);
  const opened = await reader.open(kept as never);
  const resources = await present(
    opened,
    kept.map((row) => (row.type === typeCode('Patient') ? row.presented : null)),
  );
  const named = new Set<string>();
  for (const { text } of resources) for (const [, reference] of text.matchAll(supporting)) named.add(reference!);
  const others = await Promise.all(
    [...named].map((reference) => {
      const [type, id] = reference.split('/') as [string, string];
      return reader.read(access, type, id);
    }),
  );
  for (const other of others) if (other && !other.deleted && other.home < 0) resources.push(other);
  const last = kept.at(-1);
  return { resources, next: rows.length > page.count && last ? String(last.place) : undefined };
}
