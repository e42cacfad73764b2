/** What the outbox has to do with expunging: what waits to be sent is read from the record as it stood. */
import { typeCode } from '@causeway/fhir';
import type { ExpungePart } from '../record/index.ts';

export const forgetDeliveries: ExpungePart = {
  withheld: async (transaction, homes) => {
    const { rows } = await transaction.query({
      name: 'outbox_waiting_homes',
      text: `SELECT home FROM unnest($1::bigint[]) AS h (home) WHERE EXISTS (
               SELECT 1 FROM delivery d WHERE d.home = h.home AND d.state IN ('waiting', 'failed')
             ) OR EXISTS (
               SELECT 1 FROM delivery d WHERE d.recipient_home = h.home AND d.state IN ('waiting', 'failed'))`,
      values: [homes],
    });
    return new Set(rows.map((row) => row.home as number));
  },
  forget: async (transaction, gone) => {
    await transaction.query({
      name: 'outbox_forget',
      text: `DELETE FROM delivery d USING unnest($1::smallint[], $2::uuid[]) AS g (type, rid)
             WHERE (d.focus_rid = g.rid AND d.focus_type = g.type)
                OR (g.type = ${typeCode('Patient')} AND d.recipient = g.rid)`,
      values: [gone.map(({ type }) => typeCode(type)), gone.map(({ rid }) => rid)],
    });
    await transaction.query({
      name: 'receipts_forget',
      text: `DELETE FROM receipt d USING unnest($1::smallint[], $2::uuid[]) AS g (type, rid)
             WHERE (d.focus_rid = g.rid AND d.focus_type = g.type)
                OR (g.type = ${typeCode('Patient')} AND d.recipient = g.rid)`,
      values: [gone.map(({ type }) => typeCode(type)), gone.map(({ rid }) => rid)],
    });
    await transaction.query({
      name: 'loops_forget',
      text: `DELETE FROM care_loop c USING unnest($1::smallint[], $2::uuid[]) AS g (type, rid)
             WHERE c.focus_rid = g.rid AND c.focus_type = g.type`,
      values: [gone.map(({ type }) => typeCode(type)), gone.map(({ rid }) => rid)],
    });
    const patients = gone.filter(({ type }) => type === 'Patient').map(({ home }) => home);
    if (patients.length > 0) {
      await transaction.query('DELETE FROM care_relationship WHERE home = ANY($1)', [patients]);
      await transaction.query('DELETE FROM introduction WHERE home = ANY($1)', [patients]);
    }
  },
};
