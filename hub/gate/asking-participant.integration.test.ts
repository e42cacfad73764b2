/**
 * An organisation's system asks for somebody it does not know by the hub's ids: a Backend Services client finds the person by
 * `$match`, reads what it may of the record, and submits a document, in a network that requires proof of a relationship.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { assertion, assertionKey, backendService, systemToken, withToken } from '../authorization/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { clinicalDocument, type Person, submission } from './testing-mhd.ts';

const system = 'urn:oid:1.2.826.2';
const treated: Person = { family: 'Ormonde', given: 'Ada', birthDate: '1951-02-03', gender: 'female', number: 'N-1' };
const stranger: Person = {
  family: 'Fairweather',
  given: 'Ivo',
  birthDate: '1969-10-11',
  gender: 'male',
  number: 'N-2',
};
const refusing: Person = {
  family: 'Greenaway',
  given: 'Lia',
  birthDate: '1986-05-06',
  gender: 'female',
  number: 'N-3',
};
const nobody: Person = {
  family: 'Quillfeather',
  given: 'Zeno',
  birthDate: '2001-09-08',
  gender: 'male',
  number: 'N-9',
};
const north = { identifier: { system: 'urn:causeway:participant', value: 'north' } };
const officer = { role: 'privacy-officer' };

let hub: TestHub;
let token: string;

const describedBy = ({ family, given, birthDate, gender }: Person): Json => ({
  resourceType: 'Patient',
  name: [{ family, given: [given] }],
  birthDate,
  gender,
});
const ask = (path: string, method = 'GET', body?: object) => withToken(hub, token, path, method, body);
const match = async (person: Person) => (await ask('/fhir/Patient/$match', 'POST', describedBy(person))).json.entry;
const types = ({ json }: { json: Json }): string[] => [
  ...new Set<string>((json.entry ?? []).map(({ resource }: Json) => resource.resourceType)),
];
const lastOf = async (action: string): Promise<Json> => {
  return (await accessesOf(hub)).findLast((access) => access.action === action)!;
};

async function tokenOf(scope: string): Promise<string> {
  const key = await assertionKey();
  const { id } = await backendService(hub, [key], scope, { organization: 'north' });
  return (await systemToken(hub, await assertion(hub, id, key), scope)).json.access_token;
}

beforeAll(async () => {
  hub = await startTestHub();
  await hub.send('PUT', '/api/participants/north', { name: 'North Hospital', kind: 'hospital' });
  const put = async (type: string, id: string, rest: object) => {
    const { status, text } = await hub.send('PUT', `/fhir/${type}/${id}`, { resourceType: type, id, ...rest });
    expect(status, text).toBe(201);
  };
  for (const [id, person] of Object.entries({ treated, stranger, refusing })) {
    await put('Patient', id, { ...describedBy(person), identifier: [{ system, value: person.number }] });
    const subject = { reference: `Patient/${id}` };
    await put('Observation', id, { status: 'final', code: { coding: [{ code: 'x1' }] }, subject });
  }
  const period = { start: new Date().toISOString() };
  const visit = { status: 'in-progress', class: { code: 'AMB' }, serviceProvider: north, period };
  await put('Encounter', 'visit', { ...visit, subject: { reference: 'Patient/treated' } });
  await put('Consent', 'refusal', {
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: 'Patient/refusing' },
    dateTime: '2026-01-01',
    policyRule: { coding: [{ code: 'OPTIN' }] },
    provision: { type: 'deny', actor: [{ role: { coding: [{ code: 'PRCP' }] }, reference: north }] },
  });
  const { json } = await hub.get('/api/network-policy', officer);
  const relationship = { mode: 'require', daysBack: 365, daysAhead: 30 };
  const policy = { model: 'opt-out', zone: 'UTC', rules: [], relationship };
  const body = { version: json.version, reason: 'A test.', policy };
  expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
  token = await tokenOf('system/*.cruds');
});
afterAll(() => hub.stop());

it('finds somebody whom the organisation treats, and reads the record with the proof beside it', async () => {
  const [{ resource, search }] = await match(treated);
  expect([resource.id, search.extension[0].valueCode]).toEqual(['treated', 'certain']);
  expect(await lastOf('match')).toMatchObject({ organization: 'north', purpose: 'TREAT', patients: ['treated'] });
  const everything = await ask(`/fhir/Patient/${resource.id}/$everything`);
  expect(types(everything)).toEqual(expect.arrayContaining(['Patient', 'Encounter', 'Observation']));
  expect(await lastOf('everything')).toMatchObject({
    organization: 'north',
    purpose: 'TREAT',
    relationship: 'encounter',
  });
});

it('is told who somebody is whom nothing shows to be treated, and no more', async () => {
  const [{ resource }] = await match(stranger);
  expect(resource.id).toBe('stranger');
  expect(types(await ask('/fhir/Patient/stranger/$everything'))).toEqual(['Patient']);
});

it('is told of who refused nothing that tells them from somebody who is not there', async () => {
  const answers = async (person: Person, id: string) => {
    const found = await ask('/fhir/Patient/$match', 'POST', describedBy(person));
    const number = await ask(`/fhir/Patient/$ihe-pix?sourceIdentifier=${system}|${person.number}`);
    const everything = await ask(`/fhir/Patient/${id}/$everything`);
    const all = [found, number, everything];
    return all.map(({ status, text }) => [status, text.replaceAll(person.number, '').replaceAll(id, '')]);
  };
  expect(await answers(refusing, 'refusing')).toEqual(await answers(nobody, 'nobody'));
});

it('asks for no other purpose, and no more than its scopes open', async () => {
  const headers = {
    authorization: `Bearer ${token}`,
    'x-purpose-of-use': 'HMARKT',
    'content-type': 'application/fhir+json',
  };
  const marketing = await hub.send('POST', '/fhir/Patient/$match', describedBy(treated), { role: null, headers });
  expect(marketing.status).toBe(403);
  const narrow = await tokenOf('system/Patient.rs');
  const found = await withToken(hub, narrow, '/fhir/Patient/$match', 'POST', describedBy(treated));
  expect([found.status, found.json.total]).toEqual([200, 1]);
  expect((await withToken(hub, narrow, '/fhir/Patient/treated/$everything')).status).toBe(403);
});

it('submits a document as its organisation’s own, and retrieves it', async () => {
  const bytes = Buffer.from(clinicalDocument(treated, 'N-D1'));
  const { status, json, text } = await ask(
    '/fhir',
    'POST',
    submission('Patient/treated', [{ bytes, contentType: 'text/xml' }]),
  );
  expect(status, text).toBe(200);
  const [, , { response }] = json.entry;
  const { rows } = await hub.test.database.query(`SELECT source FROM message WHERE dialect = 'ccda'`);
  expect(rows).toEqual([{ source: 'north' }]);
  expect((await ask(`/fhir/${response.location}`)).text).toBe(bytes.toString());
  const alone = await tokenOf('system/DocumentReference.rs system/Patient.rs');
  expect((await withToken(hub, alone, `/fhir/${response.location}`)).status).toBe(403);
});
