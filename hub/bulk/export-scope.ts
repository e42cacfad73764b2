/** Whose records an export holds: the members of a Group, nested groups included, or the patients that were named. */
import { type FhirRecord, RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { ExportRequest } from './export-request.ts';

const deepestGroup = 16;
const mostGroups = 1_000;

/**
 * The homes that an export is confined to, in ascending order, those of all source patients of each person; undefined
 * for an export of everybody. Warnings are added to the request.
 * @throws RecordError 404 and 410 for the Group, 400 for patients that are not known or no members
 */
export async function exportHomes(
  record: FhirRecord,
  access: Access,
  request: ExportRequest,
  group: string | undefined,
): Promise<number[] | undefined> {
  let homes: Set<number> | undefined;
  if (group !== undefined) {
    const members = await groupMembers(record, access, group);
    const known = await record.homesOf(members);
    homes = new Set([...known.values()].flat());
    if (known.size < members.length) {
      request.warnings.push({
        severity: 'warning',
        code: 'not-found',
        diagnostics: `${members.length - known.size} members of the Group are no patients that this server knows.`,
        expression: 'Group.member',
      });
    }
  }
  if (request.patients) {
    const known = await record.homesOf(request.patients);
    const wanted = new Set<number>();
    for (const id of request.patients) {
      const own = known.get(id);
      if (!own) throw wrongPatient('names a Patient that this server does not know');
      if (homes && !own.some((home) => homes!.has(home))) {
        throw wrongPatient('names a Patient who is no member of the Group');
      }
      for (const home of own) wanted.add(home);
    }
    homes = wanted;
  }
  return homes && [...homes].sort((a, b) => a - b);
}

/** The ids of the active members of a Group that are Patients, those of nested groups included, each once. */
async function groupMembers(record: FhirRecord, access: Access, id: string): Promise<string[]> {
  const members = new Set<string>();
  const seen = new Set([id]);
  let level = [(await record.read(access, 'Group', id)).text];
  for (let depth = 0; level.length > 0 && depth < deepestGroup; depth++) {
    const nested: string[] = [];
    for (const text of level) {
      const group = JSON.parse(text) as {
        member?: { inactive?: boolean; entity?: { reference?: string } }[];
      };
      for (const { inactive, entity } of group.member ?? []) {
        const parts = /^(?:.*\/)?(Patient|Group)\/([A-Za-z0-9\-.]{1,64})$/.exec(entity?.reference ?? '');
        if (inactive || !parts) continue;
        const [, type, member] = parts as unknown as [string, string, string];
        if (type === 'Patient') members.add(member);
        else if (!seen.has(member) && seen.size < mostGroups) {
          seen.add(member);
          nested.push(member);
        }
      }
    }
    const found = await Promise.all(nested.map((group) => record.reader.read(access, 'Group', group)));
    level = found.flatMap((one) => (one && !one.deleted ? [one.text] : []));
  }
  return [...members];
}

function wrongPatient(what: string): RecordError {
  return new RecordError(400, 'not-found', `The parameter patient ${what}.`, 'patient');
}
