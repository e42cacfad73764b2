/** Two hubs: a person is found at the other one, their record is fetched and followed, and nothing goes round. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { assertion, assertionKey, backendService, register, systemToken, withToken } from '../authorization/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { adt, oru, type Person } from '../testing-messages.ts';
import { freePort } from '../testing-port.ts';

let here: TestHub;
let there: TestHub;

const clinician = { role: 'clinician' };
const rivers: Person = {
  id: '4711',
  family: 'Rivers',
  given: 'Rosa',
  birth: '19610704',
  sex: 'F',
  street: '12 Mill Lane',
  city: 'Ellery',
  postalCode: '04001',
  phone: '5551230001',
  ssn: '123-45-6781',
};
const stone: Person = {
  ...rivers,
  id: '4712',
  family: 'Stone',
  given: 'Sten',
  birth: '19500101',
  sex: 'M',
  phone: '5551230002',
  ssn: '123-45-6782',
};
const closed: Person = {
  ...rivers,
  id: '4713',
  family: 'Closer',
  given: 'Clara',
  birth: '19720203',
  phone: '5551230003',
  ssn: '123-45-6783',
};

beforeAll(async () => {
  const [one, other] = [await freePort(), await freePort()];
  const [a, b] = [`http://127.0.0.1:${one}`, `http://127.0.0.1:${other}`];
  const settings = (port: number, peer: string) => ({ port, peersAt: [peer], notifyTo: [peer], keysFrom: [peer] });
  [here, there] = await Promise.all([startTestHub(settings(one, b)), startTestHub(settings(other, a))]);
  await acquaint(here, 'there', there);
  await acquaint(there, 'here', here);
  await Promise.all([
    here.take(
      adt('A04', { ...rivers, id: 'H1' }),
      adt('A04', { ...stone, id: 'H2' }),
      adt('A04', { ...closed, id: 'H3' }),
    ),
    there.take(
      adt('A04', rivers),
      oru(rivers, { order: 'R1', code: '718-7', value: '13.1', unit: 'g/dL' }),
      adt('A04', closed),
      oru(closed, { order: 'R9', code: '718-7', value: '9.9', unit: 'g/dL' }),
    ),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([here.stop(), there.stop()]);
});

/** Makes `other` a peer of a hub: each is a client of the other. */
async function acquaint(hub: TestHub, key: string, other: TestHub): Promise<void> {
  const name = `The hub ${key}`;
  await hub.send('PUT', `/api/participants/${key}`, { name, kind: 'hub' });
  const self = key === 'there' ? 'here' : 'there';
  const { id } = await register(other, {
    client_name: `The hub ${self}`,
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: `${hub.url}/oauth/jwks`,
    scope: 'system/*.rs system/Subscription.cruds',
    organization: self,
  });
  const put = await hub.send('PUT', `/api/peers/${key}`, { url: `${other.url}/fhir`, clientId: id });
  expect(put.status, put.text).toBe(200);
}

async function patientOf(hub: TestHub, family: string): Promise<string> {
  const [patient] = await hub.resources(`Patient?family=${family}`);
  return patient.id;
}

/** Asks the other hub, and waits until something came of it. */
async function asked(hub: TestHub, family: string): Promise<Json> {
  const answer = await hub.send('POST', `/api/persons/${await patientOf(hub, family)}/networks`, {}, clinician);
  expect(answer.status, answer.text).toBe(202);
  return settled(hub, family);
}

function settled(hub: TestHub, family: string, isSo = (one: Json) => one.state !== 'asking'): Promise<Json> {
  return until(async () => {
    const { json } = await hub.get(`/api/persons/${await patientOf(hub, family)}/networks`, clinician);
    const [network] = json.networks;
    return isSo(network) ? network : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const values = async (hub: TestHub, family: string) =>
  (await hub.resources(`Observation?patient=${await patientOf(hub, family)}&code=718-7`)).map(
    (observation: Json) => observation.valueQuantity.value,
  );

test('a person is found there, and the record comes with where it is from', async () => {
  const network = await asked(here, 'Rivers');
  expect(network).toMatchObject({ peer: 'there', state: 'followed', partial: null, reason: null });
  expect(network.resources).toBeGreaterThan(2);
  const [observation] = await here.resources(`Observation?patient=${await patientOf(here, 'Rivers')}&code=718-7`);
  expect(observation.valueQuantity.value).toBe(13.1);
  const tags = Object.fromEntries(observation.meta.tag.map(({ system, code }: Json) => [system, code]));
  expect(tags).toMatchObject({ 'urn:causeway:source': 'there', 'urn:causeway:origin-organization': 'clinic' });
  expect(tags['urn:causeway:origin']).toMatch(new RegExp(`^${there.url}/fhir/Observation/`));
  const person = await here.get(`/api/persons/${network.patient}`);
  expect(person.json.members.map(({ source }: Json) => source).sort()).toEqual(['clinic', 'there']);
});

test('what changes there comes by itself', async () => {
  await there.take(oru(rivers, { order: 'R2', code: '718-7', value: '10.4', unit: 'g/dL' }));
  await until(async () => ((await values(here, 'Rivers')).includes(10.4) ? true : undefined));
});

test('what came from a hub is never told to one, and nothing is doubled when both ask', async () => {
  await here.take(oru({ ...rivers, id: 'H1' }, { order: 'L1', code: '718-7', value: '12.5', unit: 'g/dL' }));
  const network = await asked(there, 'Rivers');
  expect(network.state).toBe('followed');
  expect((await values(there, 'Rivers')).sort()).toEqual([10.4, 12.5, 13.1]);
  await here.test.database.query('UPDATE peer_person SET whole_at = NULL');
  await asked(here, 'Rivers');
  await until(async () => (await wholeAgain(here)) || undefined);
  expect((await values(here, 'Rivers')).sort()).toEqual([10.4, 12.5, 13.1]);
  expect((await here.resources('Observation?code=718-7')).length).toBe(3);
});

test('another hub reads what this hub’s own organisations said, by whatever way, and nothing that a hub told', async () => {
  const key = await assertionKey();
  const { id } = await backendService(here, [key], 'system/*.rs', { organization: 'there' });
  const { json } = await systemToken(here, await assertion(here, id, key), 'system/*.rs');
  const found = await withToken(here, json.access_token, '/fhir/Observation?code=718-7');
  expect(found.json.entry.map(({ resource }: Json) => resource.valueQuantity.value)).toEqual([12.5]);
  const all = await withToken(here, json.access_token, `/fhir/Patient/${await patientOf(here, 'Rivers')}/$everything`);
  expect(all.text).not.toContain('urn:causeway:origin');
});

async function wholeAgain(hub: TestHub): Promise<boolean> {
  const { rows } = await hub.test.database.query('SELECT 1 FROM peer_person WHERE whole_at IS NOT NULL');
  return rows.length > 0;
}

test('what is hidden there looks like what is not there', async () => {
  const refused = await refuse(there, 'Closer', 'here');
  expect(refused.status, refused.text).toBe(201);
  const [hidden, absent] = [await asked(here, 'Closer'), await asked(here, 'Stone')];
  const same = ({ state, partial, reason, resources }: Json) => ({ state, partial, reason, resources });
  expect(same(hidden)).toEqual({ state: 'nothing', partial: null, reason: null, resources: undefined });
  expect(same(hidden)).toEqual(same(absent));
  expect(await values(here, 'Closer')).toEqual([]);
});

/** Has a person refuse everything to an organisation. */
async function refuse(hub: TestHub, family: string, organization: string) {
  const patient = { reference: `Patient/${await patientOf(hub, family)}` };
  return hub.send('POST', '/fhir/Consent', {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient,
    dateTime: '2024-01-01',
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    provision: {
      type: 'deny',
      actor: [
        {
          role: { text: 'hub' },
          reference: { identifier: { system: 'urn:causeway:participant', value: organization } },
        },
      ],
    },
  });
}

test('whom a person lets not ask, is not asked, and it looks like what is not there', async () => {
  await here.take(adt('A04', { ...stone, id: 'H4', family: 'Shy', ssn: '123-45-6784', phone: '5551230004' }));
  expect((await refuse(here, 'Shy', 'there')).status).toBe(201);
  expect(await asked(here, 'Shy')).toMatchObject({ state: 'nothing', partial: null, reason: null });
  const told = (await accessesOf(here))
    .filter(({ action }) => action === 'ask-hub')
    .map((access) => access.patients?.[0]);
  expect(told).toContain(await patientOf(here, 'Stone'));
  expect(told).not.toContain(await patientOf(here, 'Shy'));
});

describe('by tokens instead of demographics', () => {
  const quiet = {
    ...rivers,
    id: '4716',
    family: 'Quiet',
    given: 'Quinn',
    birth: '19690809',
    phone: '5551230006',
    ssn: '123-45-6786',
  };

  /** Has both hubs agree on how they ask each other. */
  async function agree(matching: string, keys: readonly [string?, string?] = []): Promise<void> {
    for (const [i, [hub, key]] of (
      [
        [here, 'there'],
        [there, 'here'],
      ] as const
    ).entries()) {
      const peer = (await hub.get('/api/peers')).json.peers[0];
      const { url, clientId } = peer;
      const put = await hub.send('PUT', `/api/peers/${key}`, { url, clientId, matching, matchingKey: keys[i] });
      expect([put.status, put.text.includes('matchingKey')], put.text).toEqual([200, false]);
    }
  }
  const secret = () => randomBytes(32).toString('base64url');

  test('a person is found under the secret of both, and not under one of one of them', async () => {
    await here.take(adt('A04', { ...quiet, id: 'H6', ssn: '' }));
    await there.take(adt('A04', quiet), oru(quiet, { order: 'R6', code: '718-7', value: '14.4', unit: 'g/dL' }));
    const peer = (await here.get('/api/peers')).json.peers[0];
    const without = await here.send('PUT', '/api/peers/there', {
      url: peer.url,
      clientId: peer.clientId,
      matching: 'private',
    });
    expect(without.status).toBe(400);
    await agree('private', [secret(), secret()]);
    expect(await asked(here, 'Quiet')).toMatchObject({ state: 'nothing' });
    const same = secret();
    await agree('private', [same, same]);
    expect(await asked(here, 'Quiet')).toMatchObject({ state: 'followed', partial: null });
    expect(await values(here, 'Quiet')).toEqual([14.4]);
    const known = await patientOf(there, 'Quiet');
    const matches = (await accessesOf(there)).filter(
      ({ action, what }) => action === 'match' && what === '/network/matches',
    );
    expect(matches.map(({ patients }) => patients ?? [])).toEqual(expect.arrayContaining([[], [known]]));
  });

  test('whom one of the hubs hides is not found so either', async () => {
    expect(await asked(here, 'Closer')).toMatchObject({ state: 'nothing', reason: null });
    await agree('plain');
  });

  test('nobody but a hub asks so, and nothing but tokens', async () => {
    const answer = await here.send('POST', '/network/matches', { tokens: ['AAAAAAAAAAAAAAAAAAAAAA'] }, clinician);
    expect(answer.status).toBe(403);
  });
});

test('what is deleted there, or given no more, goes here too', async () => {
  const [gone] = await there.resources(`Observation?code=718-7&value-quantity=13.1`);
  expect((await there.send('DELETE', `/fhir/Observation/${gone.id}`)).status).toBeLessThan(300);
  await here.test.database.query(`UPDATE peer_person SET whole_at = NULL WHERE state = 'followed'`);
  await asked(here, 'Rivers');
  await until(async () => ((await values(here, 'Rivers')).includes(13.1) ? undefined : true));
  expect((await values(here, 'Rivers')).sort()).toEqual([10.4, 12.5]);
});

test('what others say of the other hub’s Patient stays, whatever that hub gives', async () => {
  await until(async () => (await wholeAgain(here)) || undefined);
  const { patient } = await settled(here, 'Rivers');
  const said = await here.send('POST', '/fhir/Observation', {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value: 71 },
  });
  expect(said.status, said.text).toBe(201);
  await here.test.database.query(`UPDATE peer_person SET whole_at = NULL WHERE state = 'followed'`);
  await asked(here, 'Rivers');
  await until(async () => (await wholeAgain(here)) || undefined);
  expect((await here.get(`/fhir/Observation/${said.json.id}`)).status).toBe(200);
});

test('an address that is not the other hub’s any more takes nothing away', async () => {
  const [peer] = (await here.get('/api/peers')).json.peers;
  await here.send('PUT', '/api/peers/there', { url: `${there.url}/elsewhere`, clientId: peer.clientId });
  const turn = `UPDATE peer_person SET due = now(), attested_at = now() WHERE state IN ('followed', 'failed')`;
  await here.test.database.query(turn);
  await settled(here, 'Rivers', ({ state }) => state !== 'followed');
  const failed = await settled(here, 'Rivers');
  expect(failed).toMatchObject({ state: 'failed' });
  expect((await values(here, 'Rivers')).sort()).toEqual([10.4, 12.5]);
  await here.send('PUT', '/api/peers/there', { url: peer.url, clientId: peer.clientId });
  await here.test.database.query(turn);
  await settled(here, 'Rivers', ({ state }) => state === 'followed');
});

test('a hub that shows records only to who treats the person is told on what ground, and records it', async () => {
  const officer = { role: 'privacy-officer' };
  const { version } = (await there.get('/api/network-policy', officer)).json;
  const relationship = { mode: 'require', daysBack: 30, daysAhead: 30 };
  const policy = { model: 'opt-out', zone: 'UTC', rules: [], relationship };
  const put = await there.send('PUT', '/api/network-policy', { version, reason: 'A test.', policy }, officer);
  expect(put.status, put.text).toBe(200);
  await there.test.database.query(`DELETE FROM attestation`);
  await here.test.database.query(`UPDATE peer_person SET whole_at = NULL WHERE state = 'followed'`);
  await asked(here, 'Rivers');
  await until(async () => (await wholeAgain(here)) || undefined);
  const { rows } = await there.test.database.query('SELECT organization, reason FROM attestation');
  expect(rows).toEqual([
    { organization: 'here', reason: expect.stringMatching(/test-clinician; relationship: said by/) },
  ]);
  expect((await values(here, 'Rivers')).sort()).toEqual([10.4, 12.5]);
  const other = await there.send('POST', '/network/attestations', { patient: 'x', reason: 'We treat everybody.' });
  expect(other.status).toBe(403);
});

test('a bell needs its secret, and only a clinician asks', async () => {
  const { rows } = await here.test.database.query(`SELECT id FROM peer_person WHERE state = 'followed'`);
  const bell = `/network/events/${rows[0]!.id}`;
  expect((await here.send('POST', bell, undefined, { role: null })).status).toBe(401);
  const wrong = { role: null, headers: { authorization: 'Bearer wrong-wrong-wrong-wrong-wrong' } };
  expect((await here.send('POST', bell, undefined, wrong)).status).toBe(401);
  const asks = `/api/persons/${await patientOf(here, 'Rivers')}/networks`;
  expect((await here.send('POST', asks, {}, { role: 'steward' })).status).toBe(403);
});

/** By what the hub that asked for Rivers is rung; the other one whom it follows is left out. */
async function rung(): Promise<Json[]> {
  const other = await patientOf(there, 'Quiet');
  const all = await there.resources('Subscription');
  return all.filter(({ criteria }) => !criteria.includes(`Patient/${other}`));
}

test('it ends when the other hub is suspended, its Subscriptions there with it, and goes on when that is over', async () => {
  expect((await rung()).length).toBeGreaterThan(0);
  await step('suspended');
  const ended = await settled(here, 'Rivers', ({ state }) => state === 'ended');
  expect(ended.reason).toMatch(/suspended/);
  expect(await rung()).toEqual([]);
  await there.take(oru(rivers, { order: 'R3', code: '718-7', value: '11.7', unit: 'g/dL' }));
  await step('live');
  await settled(here, 'Rivers', ({ state }) => state === 'followed');
  expect((await values(here, 'Rivers')).sort()).toEqual([10.4, 11.7, 12.5]);
});

/** Decides where the other hub stands, and asks it again when that is known. */
async function step(state: string): Promise<void> {
  const { database } = here.test;
  await database.query(
    `INSERT INTO participant_step (participant, state, by_whom, note) VALUES ('there', $1, 'ann', 'x')`,
    [state],
  );
  await until(async () => {
    const { json } = await here.get('/api/participants/there/standing');
    return json.state === state || undefined;
  });
  await here.send('POST', `/api/persons/${await patientOf(here, 'Rivers')}/networks`, {}, clinician);
}

test('what a steward takes apart is fetched no longer', async () => {
  const own = 'Rivers&identifier=H1';
  const { patient } = await settled(here, 'Rivers');
  const body = { patient, reason: 'Another human of the same name.' };
  const apart = await here.send('POST', `/api/persons/${patient}/unlink`, body, { role: 'steward' });
  expect(apart.status, apart.text).toBe(200);
  await asked(here, own);
  await settled(here, own, ({ state }) => state === 'apart');
  expect(await rung()).toEqual([]);
  expect(await values(here, own)).toEqual([12.5]);
});

test('a hub out of reach is said to be', async () => {
  await here.send('PUT', '/api/peers/there', { url: `${there.url}/elsewhere`, clientId: 'none' });
  const failed = await asked(here, 'Stone');
  expect(failed).toMatchObject({ state: 'failed' });
  expect(failed.reason).toMatch(/The other hub answered/);
});
