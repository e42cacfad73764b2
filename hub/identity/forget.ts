/** What the person index removes with a source Patient that is expunged: all that was said of it, and merged texts. */
import { locks, type Transaction } from '../database/index.ts';
import type { ExpungePart } from '../record/index.ts';
import { forgetKeys, literal } from './members.ts';

/**
 * The part of the person index in expunging. A Patient leaves its person when it is deleted, which comes before; what is
 * left are decisions, reviews, the history of its links, and merged Patients that nobody is presented as any more.
 */
export const forgetPatients: ExpungePart = {
  lock: async (transaction) => {
    await transaction.query({ name: 'link_lock', text: `SELECT pg_advisory_xact_lock(${locks.links})` });
  },
  forget: async (transaction, gone) => {
    const patients = gone.filter(({ type }) => type === 'Patient');
    if (patients.length === 0) return;
    const homes = [patients.map(({ home }) => home)];
    transaction.send(forgetKeys(literal(homes[0]!)));
    await transaction.query('DELETE FROM link WHERE home = ANY($1)', homes);
    await transaction.query('DELETE FROM review WHERE a = ANY($1) OR b = ANY($1)', homes);
    await transaction.query('DELETE FROM link_decision WHERE a = ANY($1) OR b = ANY($1)', homes);
    await transaction.query('DELETE FROM link_history WHERE patient = ANY($1)', [patients.map(({ rid }) => rid)]);
    await deleteUnpresented(transaction);
  },
};

async function deleteUnpresented(transaction: Transaction): Promise<void> {
  await transaction.query(
    `DELETE FROM person p
     WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.person = p.id AND l.presented = p.id)`,
  );
}
