/** What became of messages, written beside them in the transaction of their facts. */
import type { Transaction } from '../database/index.ts';
import type { ConvertedMessage } from './converted.ts';

export interface Outcome {
  seq: number;
  conversion: ConvertedMessage;
  /** By which map; see `mapVersion`. */
  map: bigint;
  /** Why it is not processed. */
  error: string | undefined;
  /** Id of the Patient it is about. */
  patient: string | undefined;
  /** How many resources it made or changed; undefined leaves what is known. */
  stored: number | undefined;
}

/**
 * Notes the outcome of conversions.
 * @param processed when messages were processed; undefined leaves what is known of those that were before
 */
export async function recordOutcomes(
  transaction: Transaction,
  outcomes: readonly Outcome[],
  processed: Date | undefined,
): Promise<void> {
  const column = <T>(value: (outcome: Outcome) => T) => outcomes.map(value);
  const count = (disposition: keyof ConvertedMessage['counts']) =>
    column(({ conversion }) => conversion.counts[disposition]);
  await transaction.query({
    name: 'message_processed',
    text: `
      UPDATE message m SET state = v.state, attempts = attempts + 1, error = v.error, next_attempt = NULL,
        processed = CASE WHEN v.state = 'processed' THEN coalesce($1::timestamptz, m.processed, now()) END,
        patient = v.patient, resources = coalesce(v.resources, m.resources), mapped = v.mapped, consumed = v.consumed,
        structural = v.structural, kept = v.kept, rejected = v.rejected, issues = v.issues,
        not_mapped = v.not_mapped::text[], issue_list = v.issue_list, map_version = v.map_version
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::integer[], $7::integer[], $8::integer[],
                  $9::integer[], $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::jsonb[], $15::bigint[])
        AS v (seq, state, error, patient, resources, mapped, consumed, structural, kept, rejected, issues, not_mapped,
              issue_list, map_version)
      WHERE m.seq = v.seq`,
    values: [
      processed ?? null,
      column(({ seq }) => seq),
      column(({ error }) => (error === undefined ? 'processed' : 'dead')),
      column(({ error }) => error ?? null),
      column(({ patient }) => patient ?? null),
      column(({ stored }) => stored ?? null),
      count('mapped'),
      count('consumed'),
      count('structural'),
      count('kept'),
      count('rejected'),
      column(({ conversion }) => conversion.issueCount),
      column(({ conversion }) => arrayText(conversion.notMapped)),
      column(({ conversion }) => JSON.stringify(conversion.issues)),
      column(({ map }) => String(map)),
    ],
  });
}

function arrayText(values: string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
