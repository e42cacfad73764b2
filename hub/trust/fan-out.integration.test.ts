/** A39: who looks at far more persons than it usually does is told of within a minute; who usually looks at many is not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
const persons = 210;

beforeAll(async () => {
  hub = await startTestHub();
  const made = await Promise.all(
    Array.from({ length: persons }, (_, i) =>
      hub.send('PUT', `/fhir/Patient/p${i}`, {
        resourceType: 'Patient',
        id: `p${i}`,
        name: [{ family: `Person${i}` }],
      }),
    ),
  );
  expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
  await hub.test.database.query(
    `INSERT INTO fan_out_hour (kind, key, hour, persons)
     SELECT kind, key, date_trunc('hour', now()) - n * interval '1 hour', 100
     FROM (VALUES ('organization', 'usual'), ('account', 'site:usual')) AS v (kind, key), generate_series(2, 20) n`,
  );
});
afterAll(() => hub.stop());

async function looksAtEverybody(key: string): Promise<void> {
  const headers = { authorization: `Bearer ${await hub.token('clinician', `site:${key}`)}` };
  let path: string | undefined = '/fhir/Patient?_count=70';
  let count = 0;
  while (path) {
    const { json } = await hub.get(path, { headers });
    count += json.entry.length;
    path = json.link.find(({ relation }: Json) => relation === 'next')?.url.replace(hub.url, '');
  }
  expect(count).toBe(persons);
}

it('raises an alarm within a minute: in the list, as a notice, on the status page', async () => {
  await looksAtEverybody('usual');
  await looksAtEverybody('curious');
  const begun = performance.now();
  const officer = { role: 'privacy-officer' } as const;
  const alarms = async (): Promise<Json[]> => (await hub.get('/api/unproven', officer)).json.alarms;
  let found = await alarms();
  while (found.length < 2 && performance.now() - begun < 60_000) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    found = await alarms();
  }
  expect(performance.now() - begun).toBeLessThan(60_000);
  const told = found.map(({ kind, key, persons: count, usual }) => `${kind} ${key} ${count} ${usual}`).sort();
  expect(told).toEqual([`account site:curious ${persons} 0`, `organization curious ${persons} 0`]);
  const notices = (await hub.get('/api/notices', officer)).json.notices;
  expect(notices.filter(({ kind }: Json) => kind === 'fan-out')).toHaveLength(2);
  const status = (await hub.get('/api/status', { role: 'integration-engineer' })).json;
  expect(status.fanOutAlarms).toHaveLength(2);
  expect((await hub.get('/api/status', { role: 'clinician' })).json.fanOutAlarms).toEqual([]);
});
