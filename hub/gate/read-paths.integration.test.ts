/**
 * What one caller may see is the same by every way of reading (docs/access.md): generated policies, consents and callers,
 * over the real gate, held against the decision in memory.
 */
import { type GivenConsent, type RedactionRule, readConsent } from '@causeway/access';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { ridOf } from '../record/index.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import {
  organizations,
  random,
  randomConsent,
  randomPolicy,
  randomResource,
  randomUser,
  type StoredFacts,
  storedFacts,
  visibleOf,
} from '../testing-consents.ts';
import { hiddenOf, randomRedactions, redactable } from '../testing-redaction.ts';
import { type Access, type AccessUser, accessOf } from '../trust/index.ts';
import { Authenticator } from './authenticate.ts';
import { nameOf, readPaths, type World } from './testing-read-paths.ts';

const policies = Number(process.env.READ_PATH_POLICIES ?? 500);
/** Of the many searches every third is asked under each policy; all with READ_PATH_EVERY=1, which takes twice the time. */
const every = Number(process.env.READ_PATH_EVERY ?? 3);
const policiesPerConsents = 20;
const r = random(20_260_401);
const ofRedactions = random(20_260_402);

let hub: TestHub;
let authenticator: Authenticator;
let world: World;
let rows: StoredFacts[];
let homeOf: Map<string, number>;

beforeAll(async () => {
  hub = await startTestHub();
  const called = vi.spyOn(Authenticator.prototype, 'caller');
  world = makeWorld();
  for (const resource of world.resources) await put(resource);
  authenticator = called.mock.contexts[0] as Authenticator;
  called.mockRestore();
  await subscribeToAll();
  const unlabelled = ['p0-1', 'p1-1', 'p3-2'].map(ridOf);
  await hub.test.database.query('UPDATE resource SET labels = labels | 1 WHERE rid = ANY($1)', [unlabelled]);
  await hub.test.database.query('UPDATE resource_history SET labels = labels | 1 WHERE rid = ANY($1)', [unlabelled]);
  rows = await storedFacts(hub.test, world.resources as never);
  homeOf = new Map(rows.map(({ home, facts }) => [facts.reference, home]));
});
afterAll(() => hub.stop(), 3_000);

/** A Subscription of everybody who asks here, with an event of each resource. */
async function subscribeToAll(): Promise<void> {
  await put({
    resourceType: 'Subscription',
    id: 'all',
    status: 'requested',
    reason: 'test',
    criteria: 'urn:causeway:SubscriptionTopic:result',
    channel: { type: 'websocket', payload: 'application/fhir+json', _payload: { extension: [fullResource] } },
  });
  const { rows: stored } = await hub.test.database.query<{ type: number; rid: string; version: number }>(
    'SELECT type, rid, version FROM resource WHERE rid = ANY($1)',
    [world.resources.map(({ id }) => ridOf(id))],
  );
  const named = stored.map((one) => ({ ...one, id: world.resources.find(({ id }) => ridOf(id) === one.rid).id }));
  for (const [i, { type, rid, version, id }] of named.entries())
    await hub.test.database.query(
      `INSERT INTO subscription_event (subscription, number, kind, type, rid, id, version, at)
       VALUES ($1, $2, 'create', $3, $4, $5, $6, now())`,
      [ridOf('all'), i + 1, type, rid, id, version],
    );
  await hub.test.database.query(`UPDATE subscription SET owner = 'account:ann', events = $1`, [named.length]);
}

const fullResource = {
  url: 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content',
  valueCode: 'full-resource',
};

const graph = {
  resourceType: 'GraphDefinition',
  id: 'whole',
  name: 'Whole',
  status: 'active',
  start: 'Patient',
  link: [
    {
      target: [
        { type: 'Condition', params: 'subject={ref}' },
        { type: 'Observation', params: 'subject={ref}' },
      ],
    },
  ],
};

function makeWorld(): World {
  const patients = Array.from({ length: 4 }, (_, i) => `p${i}`);
  const organization = { resourceType: 'Organization', id: 'org', name: 'Org' };
  const resources: Json[] = [organization, graph];
  for (const [i, id] of patients.entries()) {
    const meta = { tag: [{ system: 'urn:causeway:source', code: organizations[i % 3]! }] };
    const name = [{ family: `Family${id}` }];
    resources.push({
      resourceType: 'Patient',
      id,
      meta,
      name,
      managingOrganization: { reference: 'Organization/org' },
      birthDate: `19${60 + i}-0${i + 1}-17`,
      address: [{ city: `address-${id}` }],
      telecom: [{ system: 'phone', value: `telecom-${id}` }],
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">address-${id} telecom-${id}</div>` },
    });
    for (let k = 0; k < 6; k++) {
      const resource = randomResource(r, `${id}-${k}`, id);
      resources.push({ ...resource, note: [{ text: `note-${resource.id};` }] });
    }
  }
  return { resources, patients, organization: nameOf(organization), graph: graph.id };
}

async function put(resource: Json): Promise<void> {
  const { status, text } = await hub.send('PUT', `/fhir/${nameOf(resource)}`, resource);
  if (status > 201) throw new Error(text);
}

/** Gives each patient some Consents, in place of those there were. */
async function consentAnew(): Promise<Map<number, GivenConsent[]>> {
  const given = new Map<number, GivenConsent[]>();
  for (const patient of world.patients) {
    const home = homeOf.get(`Patient/${patient}`)!;
    given.set(home, []);
    for (let i = 0; i < 2; i++) {
      const id = `c-${patient}-${i}`;
      let consent: Json = randomConsent(r, id, patient, world.resources.map(nameOf));
      // One that cannot be understood is not taken.
      while ('unreadable' in readConsent(consent, 'UTC')) consent = randomConsent(r, id, patient, []);
      await put(consent);
      if (consent.status !== 'active') continue;
      given.get(home)!.push({ id: ridOf(id), isConfirmed: true, consent: readConsent(consent, 'UTC') });
    }
  }
  return given;
}

/** Asks over HTTP as somebody whose access is this one, also while a job goes on: nobody has an account of that name. */
async function askingAs<T>(access: Access, ask: (headers: Record<string, string>) => Promise<T>): Promise<T> {
  const lent = authenticator.lend({ ...access, site: undefined });
  const later = authenticator.later.bind(authenticator);
  const standing = vi.spyOn(authenticator, 'later');
  standing.mockImplementation(async (asker, activity) => (asker.who === access.who ? access : later(asker, activity)));
  try {
    return await ask({ authorization: `Bearer ${lent.token}` });
  } finally {
    standing.mockRestore();
    lent.end();
  }
}

/** What stands in an element of a resource of the world, and nowhere else. */
function standing({ resourceType, id, birthDate }: Json, path: string): string {
  const element = path.slice(resourceType.length + 1);
  return element === 'birthDate' ? birthDate : element === 'note' ? `note-${id};` : `${element}-${id}`;
}

/** What somebody may not be told, and what they are told by a read of each resource that they see. */
function tellings(user: AccessUser, rules: readonly RedactionRule[], visible: ReadonlySet<string>) {
  const hidden: string[] = [];
  const told = new Map<string, string[]>();
  for (const { facts } of rows) {
    const resource = world.resources.find((one) => nameOf(one) === facts.reference);
    const hides = hiddenOf(user, rules, facts);
    for (const path of redactable.filter((one) => one.startsWith(`${facts.type}.`))) {
      const value = standing(resource, path);
      const isTold = visible.has(facts.reference) && !hides.has(path);
      if (isTold) told.set(facts.reference, [...(told.get(facts.reference) ?? []), value]);
      else hidden.push(value);
    }
  }
  return { hidden, told };
}

/** How many requests were denied: one, or those of a batch that are answered each for itself. */
function deniedIn({ status, json }: Answer): number {
  if (status >= 400) return 1;
  if (json?.resourceType !== 'Bundle' || json.type !== 'batch-response') return 0;
  return json.entry.filter(({ response }: Json) => Number.parseInt(response.status, 10) >= 400).length;
}

it(`${policies} policies: every way of reading shows the same, and nothing of what is redacted`, async () => {
  let consents = new Map<number, GivenConsent[]>();
  let shownInAll = 0;
  let hiddenInAll = 0;
  let hiddenValues = 0;
  let toldValues = 0;
  let denied = 0;
  const askers = new Set<string>();
  for (let i = 0; i < policies; i++) {
    if (i % policiesPerConsents === 0) consents = await consentAnew();
    const user = randomUser(r, [...consents.keys()]);
    const redactions = randomRedactions(ofRedactions);
    const access = accessOf(user, { ...randomPolicy(r), zone: 'UTC', redactions });
    const visible = visibleOf(access, rows, consents);
    askers.add(access.who);
    shownInAll += visible.size;
    hiddenInAll += rows.length - visible.size;
    const { hidden, told } = tellings(user, redactions, visible);
    hiddenValues += hidden.length;
    const noted = (answer: Answer) => {
      const leaked = hidden.filter((value) => answer.text.includes(value));
      expect(leaked, JSON.stringify({ policy: i, user, redactions, text: answer.text })).toEqual([]);
      denied += deniedIn(answer);
      return answer;
    };
    const all = await askingAs(access, async (headers) => {
      const [reference, values] = [...told][i % Math.max(1, told.size)] ?? [];
      if (reference !== undefined) {
        const { text } = noted(await hub.get(`/fhir/${reference}`, { headers }));
        expect(values!.filter((value) => !text.includes(value))).toEqual([]);
        toldValues += values!.length;
      }
      return readPaths({
        world,
        turn: i,
        every,
        mayExport: user.role === 'system',
        get: async (path, more) => noted(await hub.get(path, { headers: { ...headers, ...more } })),
        post: async (path, body, type) =>
          noted(await hub.send('POST', path, body, { headers: { ...headers, 'content-type': type } })),
        sees: (reference) => visible.has(reference),
      });
    });
    const wrong = all.filter(({ shown, due }) => shown.sort().join() !== due.sort().join());
    expect(wrong, JSON.stringify({ policy: i, user, access })).toEqual([]);
  }
  const events = (await accessesOf(hub)).filter(({ who, status }) => askers.has(who) && status >= 400);
  // Each that was denied, and no other, left one.
  expect(events).toHaveLength(denied);
  expect(denied).toBeGreaterThan(policies);
  expect(shownInAll).toBeGreaterThan(policies);
  expect(hiddenInAll).toBeGreaterThan(policies);
  expect(hiddenValues).toBeGreaterThan(policies);
  expect(toldValues).toBeGreaterThan(policies / 5);
}, 600_000);
