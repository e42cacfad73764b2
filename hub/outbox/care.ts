/**
 * Which site cares for which person, from what flows: a hospital or a practice that keeps a chart of somebody, or has
 * seen them, cares for them. Others, such as laboratories and pharmacies, serve, and are told nothing unless their endpoint
 * asks for messages; then those whom they know from there on.
 */
import type { WriteSet } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { messagesOf } from './wishes.ts';

const caring = new Set(['hospital', 'practice']);

/**
 * Notes, in the transaction of the change, the care relationships that it shows. Under a record that the site has merged
 * into another (Patient.active false) it cares no longer.
 */
export function noteCare(set: WriteSet, participants: Participants): void {
  const shown = new Map<number, 'chart' | 'encounter'>();
  const retired = new Set<number>();
  for (const change of set.changes) {
    const { after } = change;
    if (after.deleted || after.home < 0) continue;
    if (after.type === 'Patient') {
      if (change.resource?.active === false) retired.add(after.home);
      else retired.delete(after.home);
    }
    if (after.type === 'Encounter') shown.set(after.home, 'encounter');
    else if (after.type === 'Patient' && !shown.has(after.home)) shown.set(after.home, 'chart');
  }
  for (const home of retired) shown.delete(home);
  if (retired.size > 0) {
    const text = 'DELETE FROM care_relationship WHERE home = ANY($1)';
    set.transaction.send({ name: 'care_ended', text, values: [[...retired].sort((a, b) => a - b)] });
  }
  const sites = participants.all().filter(({ kind, endpoint }) => caring.has(kind) || messagesOf(endpoint));
  if (shown.size === 0 || sites.length === 0) return;
  set.transaction.send({
    name: 'care_relationship',
    text: `INSERT INTO care_relationship (home, site, since, evidence)
           SELECT l.home, l.source, $4, v.evidence FROM unnest($1::bigint[], $2::text[]) AS v (home, evidence)
           JOIN link l ON l.home = v.home WHERE l.source = ANY($3) ORDER BY l.home
           ON CONFLICT (home, site) DO UPDATE SET evidence = excluded.evidence
           WHERE care_relationship.evidence = 'chart' AND excluded.evidence = 'encounter'`,
    values: [[...shown.keys()], [...shown.values()], sites.map(({ key }) => key), set.now],
  });
}
