/** Which stay a discharge summary is of, as SQL. */
import { typeCode } from '@causeway/fhir';
import { parameterNumber, referenceMask } from '../record/index.ts';

/**
 * That a document, a row of `resource`, is of the stay that a loop is about: it names the stay, or a visit that overlaps it, or
 * none. That of an earlier stay is none of this one, however late it comes.
 * @param document @param loop names of the rows
 */
export function isOfStay(document: string, loop: string): string {
  const named = `t.value = e.self # (${referenceMask('DocumentReference', 'encounter', 'Encounter')})::bigint
    AND t.home = ${document}.home AND t.rkey = ${document}.rkey`;
  const during = (range: string, visit: string) =>
    `${range}.home = ${visit}.home AND ${range}.rkey = ${visit}.rkey AND ${range}.param = ${parameterNumber('Encounter', 'date')}`;
  return `(EXISTS (SELECT FROM resource e JOIN index_token t ON ${named}
      WHERE e.rid = ${loop}.focus_rid AND e.type = ${loop}.focus_type)
    OR NOT EXISTS (SELECT FROM resource e JOIN index_token t ON ${named}
      WHERE e.home = ${document}.home AND e.type = ${typeCode('Encounter')} AND NOT EXISTS (
        SELECT FROM resource s JOIN index_range a ON ${during('a', 's')} JOIN index_range b ON ${during('b', 'e')}
        WHERE s.rid = ${loop}.focus_rid AND s.type = ${loop}.focus_type AND a.low <= b.high AND b.low <= a.high)))`;
}
