/** That a source's discharge summary takes the place of the one that the hub had written, for those who were told of that. */
import { typeCode } from '@causeway/fhir';
import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import { isHubSummary } from '../care/index.ts';
import type { Database } from '../database/index.ts';
import { referenceHash, ridOf } from '../record/index.ts';
import type { Claimed } from './queue.ts';

const documentType = typeCode('DocumentReference')!;

/** The focus, with `relatesTo` naming the hub's summary that it replaces where the recipient was sent that. */
export async function withReplaced(database: Database, delivery: Claimed, focus: Resource): Promise<Resource> {
  const isMeant = focus.resourceType === 'DocumentReference' && delivery.topic === 'discharge-summary';
  if (!isMeant || delivery.kind === 'retraction' || isHubSummary(focus.id)) return focus;
  const { rows } = await database.query<{ rid: string; encounter: string }>({
    name: 'outbox_replaced',
    text: `SELECT r.rid, split_part(e.note, '/summary.', 2) AS encounter FROM index_token t JOIN resource r USING (home, rkey)
           JOIN care_loop c ON c.home = r.home AND c.kind = 'transition'
           JOIN care_loop_event e ON e.loop = c.id AND e.event = 'summary-made'
           WHERE t.value = $1 AND t.home = $2 AND r.type = ${documentType} AND NOT r.deleted
             AND EXISTS (SELECT FROM told d WHERE d.destination = $3 AND d.route = $4 AND d.recipient = $5
               AND d.focus_type = r.type AND d.focus_rid = r.rid AND d.kind <> 'retraction' AND (d.offered OR d.state = 'delivered'))`,
    values: [
      String(referenceHash('DocumentReference', 'related', 'DocumentReference', ridOf(focus.id!))),
      delivery.home,
      delivery.destination,
      delivery.route,
      delivery.recipient,
    ],
  });
  const own = rows
    .map(({ encounter }) => `summary.${encounter}`)
    .filter((id) => rows.some(({ rid }) => ridOf(id) === rid));
  if (own.length === 0) return focus;
  const replaced = [...new Set(own)].map((id) => ({
    code: 'replaces' as const,
    target: {
      reference: `DocumentReference/${id}`,
      identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${ridOf(id)}` },
    },
  }));
  const document = focus as DocumentReference;
  return { ...document, relatesTo: [...replaced, ...(document.relatesTo ?? [])] };
}
