/** Blocking keys under the key of the index: made anew with the index, of what Patients say. */
import { blockingKeys, demographicsOf, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { IndexKey, PatientsIndexed } from '../record/index.ts';
import { literal } from './members.ts';

/** @param index the key */
export function patientsIndexed(index: IndexKey): PatientsIndexed {
  return {
    begin: async (transaction) => {
      await transaction.query('TRUNCATE blocking_key');
    },
    some: async (transaction, patients) => {
      const keys = patients.map(({ text }) =>
        index.keyedBlocking(blockingKeys(prepare(demographicsOf(JSON.parse(text) as Patient)))),
      );
      await transaction.query({
        name: 'blocking_keys_anew',
        text: `WITH v AS (
                 SELECT * FROM unnest($1::bigint[], $2::text[]) AS v (home, keys)
               ), linked AS (
                 UPDATE link l SET keys = v.keys::bigint[] FROM v WHERE l.home = v.home RETURNING l.home, l.keys
               )
               INSERT INTO blocking_key (key, home) SELECT unnest(keys), home FROM linked`,
        values: [literal(patients.map(({ home }) => home)), literal(keys.map((own) => `"{${own.join(',')}}"`))],
      });
    },
  };
}
