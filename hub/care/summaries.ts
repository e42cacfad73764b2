/**
 * The discharge summary that a source has not sent in time: the hub states that there is one of its own, which is written when
 * it is read or delivered, of what whoever reads it may see.
 */
import type { CareRules } from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import type { DocumentReference, Encounter } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { type FhirRecord, homePatient, openText, ridOf, sealIdentity, tokenHash } from '../record/index.ts';
import { isOfStay } from './of-stay.ts';

/** "Discharge summary" of LOINC. */
export const dischargeSummary = '18842-5';
/** So many are made in one turn; the others in the next. */
const most = 50;

/** A transition of care without a summary. */
interface Unsummed {
  id: string;
  home: number;
  source: string;
  rid: string;
  version: number;
  body: Buffer;
}

/** The id of the DocumentReference by which the hub states its own summary of a stay. @param encounter rid of the stay */
export function summaryDocument(encounter: string): string {
  return `summary.${encounter}`;
}

/** Whether a DocumentReference of an id is such a one. */
export function isHubSummary(id: string | undefined): boolean {
  return /^summary\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id ?? '');
}

/** That the source's summary of a stay `c` is there; `$2` is the token of its type. */
const isSummed = () => `EXISTS (SELECT FROM index_token k JOIN resource d USING (home, rkey)
  WHERE k.value = $2 AND k.home = c.home AND d.type = ${typeCode('DocumentReference')} AND NOT d.deleted
    AND d.updated >= c.opened - interval '1 day' AND ${isOfStay('d', 'c')})`;

/** The id of the Binary that is the summary of a stay. */
export type SummaryId = (encounter: string) => string;

export class Summaries {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #rules: () => CareRules;
  readonly #binaryOf: SummaryId;
  /** The token of a discharge summary's type, as the index has it. */
  readonly #summaryToken: string;

  constructor(database: Database, record: FhirRecord, rules: () => CareRules, binaryOf: SummaryId) {
    this.#database = database;
    this.#record = record;
    this.#rules = rules;
    this.#binaryOf = binaryOf;
    const type = tokenHash('DocumentReference', 'type', dischargeSummary);
    this.#summaryToken = String(record.keys.index.keyedOne(type));
  }

  /** States the summaries that are due; returns how many. */
  async make(): Promise<number> {
    const { summaryHours } = this.#rules();
    if (summaryHours === 0) return 0;
    const { rows } = await this.#database.query<Unsummed>({
      name: 'transitions_unsummed',
      text: `SELECT c.id, c.home, c.source, r.rid, r.version, r.body FROM care_loop c
             JOIN resource r ON r.rid = c.focus_rid AND r.type = c.focus_type AND NOT r.deleted
             WHERE c.kind = 'transition' AND c.state <> 'closed' AND c.opened <= now() - $1 * interval '1 hour'
               AND NOT ${isSummed()}
               AND NOT EXISTS (SELECT FROM care_loop_event e WHERE e.loop = c.id AND e.event = 'summary-made')
             ORDER BY c.opened LIMIT ${most}`,
      values: [summaryHours, this.#summaryToken],
    });
    for (const row of rows) await this.#state(row);
    return rows.length;
  }

  async #state({ id, home, source, rid, version, body }: Unsummed): Promise<void> {
    const key = (await this.#record.keys.load(this.#database, [home])).get(home);
    if (!key) return;
    const stay = JSON.parse(openText(body, key, sealIdentity({ type: 'Encounter', rid, version }))) as Encounter;
    const documentId = summaryDocument(rid);
    const document: DocumentReference = {
      resourceType: 'DocumentReference',
      id: documentId,
      meta: { tag: [{ system: 'urn:causeway:source', code: source }] },
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${ridOf(documentId)}` },
      status: 'current',
      docStatus: 'final',
      type: { coding: [{ system: 'http://loinc.org', code: dischargeSummary, display: 'Discharge summary' }] },
      ...(stay.subject ? { subject: stay.subject } : {}),
      date: new Date().toISOString(),
      author: [{ display: 'Causeway' }],
      description: 'Written by the hub of what its record holds, since none was sent.',
      content: [{ attachment: { contentType: 'application/xml', url: `Binary/${this.#binaryOf(rid)}` } }],
      context: { encounter: [{ reference: `Encounter/${stay.id}` }] },
    };
    const scanned = this.#record.scan(JSON.stringify(document), 'DocumentReference');
    await this.#record.writer.write({
      keys: [{ type: 'DocumentReference', id: documentId }],
      patients: [homePatient(scanned, documentId) ?? []].flat(),
      alone: true,
      apply: async (set, transaction) => {
        // The source's own may have come meanwhile; see `replaced-summaries.ts`.
        await transaction.query({
          name: 'transition_hold',
          text: 'SELECT FROM care_loop WHERE id = $1 FOR UPDATE',
          values: [id],
        });
        const { rowCount } = await transaction.query({
          name: 'transition_summed',
          text: `SELECT FROM care_loop c WHERE id = $1 AND ${isSummed()}`,
          values: [id, this.#summaryToken],
        });
        if (rowCount) return;
        set.put(scanned, 'DocumentReference', documentId);
        set.transaction.send({
          name: 'transition_summary_made',
          text: `INSERT INTO care_loop_event (loop, by_whom, event, note) VALUES ($1, 'hub', 'summary-made', $2)`,
          values: [id, `DocumentReference/${documentId}`],
        });
      },
    });
  }
}
