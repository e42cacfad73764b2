/** What is known of asking other hubs, and by them, goes with the Patient whom it is about. */
import type { ExpungePart } from '../record/index.ts';

export const forgetNetworks: ExpungePart = {
  forget: async (transaction, gone) => {
    const homes = gone.filter(({ type }) => type === 'Patient').map(({ home }) => home);
    if (homes.length === 0) return;
    await transaction.query('DELETE FROM peer_person WHERE home = ANY($1)', [homes]);
    await transaction.query('DELETE FROM peer_token WHERE home = ANY($1)', [homes]);
  },
};
