/**
 * A22: 64 callers at a time, each confined to the record of another person, over the few connections of one pool, some of
 * them going away in the middle. Nobody is ever shown a row of another, and each request that is denied leaves one event,
 * which names who made it.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { ridOf } from '../record/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { accessOf } from '../trust/index.ts';
import { Authenticator } from './authenticate.ts';

const requests = Number(process.env.POOL_BLEED_REQUESTS ?? 10_000);
const callers = 64;
const ofEach = 3;

let hub: TestHub;
let tokens: string[];

beforeAll(async () => {
  hub = await startTestHub({ databaseConnections: 4 });
  const called = vi.spyOn(Authenticator.prototype, 'caller');
  const entry = Array.from({ length: callers }, (_, i) => i).flatMap((i) => {
    const patient = { resourceType: 'Patient', id: `p${i}`, name: [{ family: `Family${i}` }] };
    const observations = Array.from({ length: ofEach }, (_, k) => ({
      resourceType: 'Observation',
      id: `p${i}-${k}`,
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/p${i}` },
    }));
    return [patient, ...observations].map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
  });
  const stored = await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  if (stored.status !== 200) throw new Error(stored.text);
  const authenticator = called.mock.contexts[0] as Authenticator;
  called.mockRestore();
  const { rows } = await hub.test.database.query('SELECT rid, home FROM patient_home');
  const homes = new Map<string, number>(rows.map(({ rid, home }) => [rid, home]));
  tokens = Array.from({ length: callers }, (_, i) => {
    const own = [homes.get(ridOf(`p${i}`))!];
    const access = accessOf({ username: `u${i}`, name: 'U', role: 'patient', organization: 'o', homes: own });
    return authenticator.lend({ ...access, site: undefined }).token;
  });
});
afterAll(() => hub.stop());

const waysOf = (i: number): [path: string, own: number][] => [
  ['Observation', ofEach],
  ['Patient?_revinclude=Observation:subject', ofEach + 1],
  ['Observation/_history', ofEach],
  ['Observation?_include=Observation:subject&_total=accurate', ofEach + 1],
  [`Patient/p${i}`, 1],
  [`Patient/p${i}/$everything`, ofEach + 1],
  [`Patient/p${(i + 1) % callers}`, 0],
  [`Patient/p${(i + 1) % callers}/$everything`, 0],
  ['_history', ofEach + 1],
];

/** Whose resources an answer holds, and how many. */
function shownIn(text: string): { whose: string[]; count: number } {
  const { resourceType, id, entry } = JSON.parse(text) as Json;
  const ids: string[] = resourceType === 'Bundle' ? (entry ?? []).map(({ resource }: Json) => resource.id) : [id ?? ''];
  const own = ids.filter((one) => /^p\d/.test(one));
  return { whose: [...new Set(own.map((one) => one.split('-')[0]!))], count: own.length };
}

it(`${requests} requests of ${callers} callers show no row of another, and all of one's own`, async () => {
  let left = requests;
  let answered = 0;
  let broken = 0;
  const denied = new Map<string, number>();
  const call = async (i: number) => {
    for (let turn = i; left-- > 0; turn++) {
      const ways = waysOf(i);
      const [path, own] = ways[turn % ways.length]!;
      // What became of a request that was denied is known where its answer was waited for.
      const goesAway = turn % 29 === 0 && own > 0;
      const signal = goesAway ? AbortSignal.timeout(1 + (turn % 4)) : null;
      const headers = { authorization: `Bearer ${tokens[i]}` };
      try {
        const response = await fetch(`${hub.url}/fhir/${path}`, { headers, signal });
        const { whose, count } = shownIn(await response.text());
        answered++;
        if (response.status >= 400) denied.set(`u${i}`, (denied.get(`u${i}`) ?? 0) + 1);
        expect([path, i, whose, count]).toEqual([path, i, own === 0 ? [] : [`p${i}`], own]);
      } catch (error) {
        if (!goesAway || (error as Error).name !== 'TimeoutError') throw error;
        broken++;
      }
    }
  };
  await Promise.all(tokens.map((_, i) => call(i)));
  expect(answered + broken).toBe(requests);
  expect(answered).toBeGreaterThan(requests * 0.9);
  expect(broken).toBeGreaterThan(0);
  const events = (await accessesOf(hub)).filter(({ who }) => /^u\d+$/.test(who));
  expect(events.length).toBeGreaterThanOrEqual(answered);
  expect(events.length).toBeLessThanOrEqual(requests);
  const told = Map.groupBy(
    events.filter(({ status }) => status >= 400),
    ({ who }) => who,
  );
  expect(new Map([...told].map(([who, { length }]) => [who, length]))).toEqual(denied);
  expect(denied.size).toBe(callers);
}, 600_000);
