/** `$summary`: who gets which summary of whom. What it is made of is `packages/mapping`'s, and `npm run conformance -- ips` its judge. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { ridOf } from '../record/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { accessOf, ofTypes } from '../trust/index.ts';
import { Authenticator } from './authenticate.ts';

const icd10 = (code: string) => ({ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] });
const subject = { reference: 'Patient/p' };

let hub: TestHub;
let authenticator: Authenticator;
beforeAll(async () => {
  hub = await startTestHub();
  const called = vi.spyOn(Authenticator.prototype, 'caller');
  const identifier = [{ system: 'urn:numbers', value: '7' }];
  await put({ resourceType: 'Patient', id: 'p', identifier, name: [{ family: 'Doe' }], birthDate: '1950-02-03' });
  await put({ resourceType: 'Condition', id: 'plain', subject, code: icd10('I10') });
  await put({ resourceType: 'Condition', id: 'hiv', subject, code: icd10('B20') });
  await put({ resourceType: 'Condition', id: 'other', subject: { reference: 'Patient/q' }, code: icd10('I10') });
  authenticator = called.mock.contexts[0] as Authenticator;
  called.mockRestore();
});
afterAll(() => hub.stop());

async function put(resource: Json): Promise<void> {
  const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (status > 201) throw new Error(text);
}

const idsIn = ({ json }: { json: Json }): string[] => json.entry.map(({ resource }: Json) => resource.id);
const summary = (query = '', path = 'Patient/p/$summary') => hub.get(`/fhir/${path}${query}`);

it('is a document of the person, by GET and by POST', async () => {
  const answer = await summary();
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-type')).toContain('application/fhir+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.json).toMatchObject({ resourceType: 'Bundle', type: 'document' });
  expect(idsIn(answer)).toEqual(expect.arrayContaining(['p', 'plain', 'hiv']));
  expect(idsIn(answer)).not.toContain('other');
  expect(answer.json.entry[1].fullUrl).toBe(`${hub.url}/fhir/Patient/p`);
  expect(answer.json.entry[0].resource.confidentiality).toBe('R');
  const profile = 'http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips';
  const body = { resourceType: 'Parameters', parameter: [{ name: 'profile', valueCanonical: profile }] };
  const headers = { 'content-type': 'application/fhir+json' };
  const posted = await hub.send('POST', '/fhir/Patient/p/$summary', body, { headers });
  expect(posted.status, posted.text).toBe(200);
  expect(idsIn(posted)).toContain('plain');
});

it('is written as XML, too', async () => {
  const { status, text } = await summary('?_format=xml');
  expect(status).toBe(200);
  expect(text).toContain('<Bundle xmlns="http://hl7.org/fhir">');
});

it('is found by a number of the person, where one person has it', async () => {
  const found = await summary('?identifier=urn:numbers|7', 'Patient/$summary');
  expect(found.status, found.text).toBe(200);
  expect(idsIn(found)).toContain('p');
  const asked = async (query: string) => (await summary(query, 'Patient/$summary')).status;
  expect(await asked('?identifier=urn:numbers|8')).toBe(404);
  expect(await asked('')).toBe(400);
  const identifier = [{ system: 'urn:numbers', value: '9' }];
  for (const id of ['a', 'b']) await put({ resourceType: 'Patient', id, identifier, name: [{ family: id }] });
  expect(await asked('?identifier=urn:numbers|9')).toBe(422);
});

it('tells of nobody who is not there, and by no other profile', async () => {
  expect((await summary('', 'Patient/nobody/$summary')).status).toBe(404);
  expect((await summary('?profile=http://example.org/other')).status).toBe(422);
  expect((await summary('?unknown=1')).status).toBe(400);
});

it('tells of the whole person by any of its Patients', async () => {
  await put({ ...oneHuman('Twain'), id: 'one' });
  await put({ ...oneHuman('Twain'), id: 'two' });
  for (const id of ['one', 'two'])
    await put({
      resourceType: 'Condition',
      id: `of-${id}`,
      subject: { reference: `Patient/${id}` },
      code: { text: id },
    });
  const whole = await summary('', 'Patient/two/$summary');
  expect(idsIn(whole)).toEqual(expect.arrayContaining(['of-one', 'of-two']));
  expect(whole.json.entry.filter(({ resource }: Json) => resource.resourceType === 'Patient')).toHaveLength(1);
});

it('is refused to those who may see nothing of the person', async () => {
  const asked = async (role: string | null) => (await hub.get('/fhir/Patient/p/$summary', { role })).status;
  expect(await asked(null)).toBe(401);
  expect(await asked('patient')).toBe(404);
  expect(await asked('integration-engineer')).toBe(404);
});

it('tells nothing of what is hidden from the caller', async () => {
  const { rows } = await hub.test.database.query(`SELECT home FROM patient_home WHERE rid = $1`, [ridOf('p')]);
  const access = accessOf({ username: 'p', name: 'P', role: 'patient', organization: 'o', homes: [rows[0]!.home] });
  const asked = (as: typeof access) => {
    const authorization = `Bearer ${authenticator.lend({ ...as, site: undefined }).token}`;
    return hub.get('/fhir/Patient/p/$summary', { headers: { authorization } });
  };
  expect(idsIn(await asked(access))).toEqual(expect.arrayContaining(['plain', 'hiv']));
  const narrow = await asked(ofTypes(access, ['Patient', 'Observation']));
  expect(narrow.status, narrow.text).toBe(200);
  expect(narrow.text).not.toMatch(/B20|I10/);
  expect(narrow.text).toContain('no-problem-info');
});

it('is recorded as an access to the person, and told of by the CapabilityStatement', async () => {
  await summary('?_format=json');
  const summaries = (await accessesOf(hub)).filter(({ what }) => what === '/Patient/p/$summary?_format=json');
  expect(summaries.map(({ action, patients }) => ({ action, patients }))).toEqual([
    { action: 'summary', patients: ['p'] },
  ]);
  const { json } = await hub.get('/fhir/metadata');
  const patient = json.rest[0].resource.find(({ type }: Json) => type === 'Patient');
  expect(patient.operation).toContainEqual({
    name: 'summary',
    definition: 'http://hl7.org/fhir/uv/ips/OperationDefinition/summary',
  });
});
