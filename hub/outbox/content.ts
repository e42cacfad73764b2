/**
 * What a delivery carries, read from the record: the focus as it stood when the delivery was written, so that every
 * attempt sends the same, and the recipient's own Patient. Reads are bounded to the two homes the delivery names.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { OutboundDocument, OutboundResult } from '@causeway/mapping';
import type {
  DiagnosticReport,
  DocumentReference,
  Observation,
  Patient,
  Practitioner,
  Resource,
  ServiceRequest,
  Specimen,
} from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { type HomeKeys, openText, ridOf, sealIdentity } from '../record/index.ts';
import { resultsOf } from './focus.ts';

/** The columns of a delivery that say what it is about. */
export interface DeliverySubject {
  created: Date;
  home: number;
  focus_type: number;
  focus_rid: string;
  recipient: string;
  recipient_home: number;
}

export type Content =
  | { topic: 'result'; result: OutboundResult; recipient: Patient }
  | { topic: 'document'; document: OutboundDocument; recipient: Patient };

/** The content of a delivery, or a sentence where it cannot be read. */
export async function readContent(
  database: Database,
  keys: HomeKeys,
  delivery: DeliverySubject,
): Promise<Content | string> {
  const { home, created } = delivery;
  const asOf = (rids: string[]) => versions(database, keys, home, rids, created);
  const recipient = (await versions(database, keys, delivery.recipient_home, [delivery.recipient], undefined)).find(
    ({ resourceType }) => resourceType === 'Patient',
  ) as Patient | undefined;
  if (!recipient) return "The recipient's Patient is not in the record.";
  const type = typeName(delivery.focus_type);
  const focus = (await asOf([delivery.focus_rid])).find(({ resourceType }) => resourceType === type);
  if (!focus) return `The ${type} is not in the record.`;
  if (focus.resourceType === 'DocumentReference') {
    return { topic: 'document', document: { document: focus as DocumentReference }, recipient };
  }
  const report = focus as DiagnosticReport;
  const results = resultsOf(report);
  const beside = await asOf([...results, ...idsOf(report.basedOn), ...idsOf(report.specimen)]);
  const order = new Map(results.map((rid, i) => [rid, i]));
  const observations = beside.filter(({ resourceType }) => resourceType === 'Observation') as Observation[];
  observations.sort((a, b) => (order.get(ridOf(a.id!)) ?? 0) - (order.get(ridOf(b.id!)) ?? 0));
  const request = beside.find(({ resourceType }) => resourceType === 'ServiceRequest') as ServiceRequest | undefined;
  const specimen = beside.find(({ resourceType }) => resourceType === 'Specimen') as Specimen | undefined;
  const ordering = request?.requester ? await asOf(idsOf([request.requester])) : [];
  const requester = ordering.find(({ resourceType }) => resourceType === 'Practitioner') as Practitioner | undefined;
  return {
    topic: 'result',
    result: {
      report,
      observations,
      request,
      specimen,
      requester: {
        identifier: requester?.identifier?.[0]?.value,
        family: requester?.name?.[0]?.family,
        given: requester?.name?.[0]?.given?.[0],
      },
    },
    recipient,
  };
}

/** The last versions that were not deletions, of one home or of none, at a time or now. */
async function versions(
  database: Database,
  keys: HomeKeys,
  home: number,
  rids: string[],
  at: Date | undefined,
): Promise<Resource[]> {
  if (rids.length === 0) return [];
  const { rows } = await database.query({
    name: 'outbox_versions',
    text: `SELECT DISTINCT ON (rid, type) home, type, rid, version, body FROM (
             SELECT home, type, rid, version, updated, deleted, body FROM resource WHERE rid = ANY($1)
             UNION ALL
             SELECT home, type, rid, version, updated, deleted, body FROM resource_history WHERE rid = ANY($1)) v
           WHERE (home = $2 OR (home < 0 AND type <> ${typeCode('Patient')})) AND NOT deleted
             AND updated <= coalesce($3::timestamptz, 'infinity')
           ORDER BY rid, type, version DESC`,
    values: [rids, home, at ?? null],
  });
  const homeKeys = await keys.load(
    database,
    rows.map((row) => row.home),
  );
  return rows.flatMap((row) => {
    const key = homeKeys.get(row.home);
    if (!key || !row.body) return [];
    const identity = sealIdentity({ type: typeName(row.type)!, rid: row.rid, version: row.version });
    return JSON.parse(openText(row.body, key, identity)) as Resource;
  });
}

function idsOf(references: { reference?: string }[] | undefined): string[] {
  return (references ?? []).flatMap(({ reference }) => {
    const id = /^[A-Za-z]+\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
    return id === undefined ? [] : ridOf(id);
  });
}
