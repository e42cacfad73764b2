/** What is known of asking other hubs goes with the Patient about whom they were asked. */
import type { ExpungePart } from '../record/index.ts';

export const forgetNetworks: ExpungePart = {
  forget: async (transaction, gone) => {
    const homes = gone.filter(({ type }) => type === 'Patient').map(({ home }) => home);
    if (homes.length > 0) await transaction.query('DELETE FROM peer_person WHERE home = ANY($1)', [homes]);
  },
};
