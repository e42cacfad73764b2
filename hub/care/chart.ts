/** Who cares for a person and why, as the person's chart shows it: only what evidence tells that the reader may see. */
import { typeCode } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import type { CareKind } from './evidence.ts';

export interface Care {
  site: string;
  kind: CareKind;
  /** `Encounter/…`, or `panel/…`. */
  evidence: string;
  starts: Date;
  /** Null: it goes on. */
  ends: Date | null;
}

const most = 500;

/** The relationships of organisations to the person of these homes, those that go on first. */
export async function careOf(database: Database, access: Access, homes: readonly number[]): Promise<Care[]> {
  const values: unknown[] = [homes];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const types = ['Patient', 'Encounter', 'Appointment', 'ServiceRequest', 'CareTeam'];
  const codes = types.map((type) => `WHEN '${type}' THEN ${typeCode(type)}`).join(' ');
  const evident = accessCondition(access, 'r', parameter);
  const { rows } = await database.as(scopeOf(access)).query(
    `SELECT c.site, c.kind, c.evidence, c.starts, c.ends FROM care_relationship c
     WHERE c.home = ANY($1) AND EXISTS (SELECT FROM resource r WHERE r.home = c.home AND NOT r.deleted
       AND CASE WHEN c.kind = 'panel' THEN r.type = ${typeCode('Patient')} ELSE
         r.rid::text = split_part(c.evidence, '/', 2) AND r.type = CASE split_part(c.evidence, '/', 1) ${codes} END END
       AND ${evident})
     ORDER BY c.ends IS NOT NULL AND c.ends <= now(), c.starts DESC LIMIT ${most}`,
    values,
  );
  return rows as Care[];
}
