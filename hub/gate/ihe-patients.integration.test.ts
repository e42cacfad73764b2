/** `$match`, `$ihe-pix` and domains in searches (IHE PDQm and PIXm), over one hub. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';

const [red, blue] = ['urn:oid:1.2.3.1', 'urn:oid:1.2.3.2'];
const fhir = { 'content-type': 'application/fhir+json' };

let hub: TestHub;
const ids: Record<string, string> = {};

const feed = async (family: string, system: string, value: string, more: object = {}) => {
  const human = oneHuman(family) as Json;
  const identifier = [...human.identifier, { system, value }];
  const body = { ...human, identifier, ...more };
  const query = `identifier=${encodeURIComponent(`${system}|${value}`)}`;
  const answer = await hub.send('PUT', `/fhir/Patient?${query}`, body, { headers: fhir });
  expect([200, 201], answer.text).toContain(answer.status);
  ids[value] ??= answer.json.id;
  return answer;
};
const match = (body: object) => hub.send('POST', '/fhir/Patient/$match', body, { headers: fhir });
const pix = (query: Record<string, string>) => hub.get(`/fhir/Patient/$ihe-pix?${new URLSearchParams(query)}`);
const graded = ({ json }: { json: Json }) =>
  (json.entry ?? []).map(({ resource, search }: Json) => [resource.id, search.extension?.[0].valueCode, search.mode]);

beforeAll(async () => {
  hub = await startTestHub();
  await feed('Abernathy', red, 'R-1');
  await feed('Abernathy', blue, 'B-1');
  await feed('Birkenfeld', red, 'R-2', {
    name: [{ family: 'Birkenfeld', given: ['Otto'] }],
    birthDate: '1931-11-30',
    gender: 'male',
    address: [{ line: ['9 Other Road'], city: 'Elsewhere', postalCode: '54321' }],
    telecom: [{ system: 'phone', value: '+15559876543' }],
  });
});
afterAll(() => hub.stop());

describe('Patient/$match', () => {
  it('finds the person the index would join, as certain, with a score', async () => {
    const { json, status } = await match(oneHuman('Abernathy'));
    expect(status).toBe(200);
    expect(json).toMatchObject({ type: 'searchset', total: 1 });
    const [{ resource, search }] = json.entry;
    expect(search.extension).toEqual([
      { url: 'http://hl7.org/fhir/StructureDefinition/match-grade', valueCode: 'certain' },
    ]);
    expect(search.score).toBeGreaterThan(0.9);
    expect(search.score).toBeLessThanOrEqual(1);
    expect(resource.link).toHaveLength(2);
  });

  it('tells the less certain from the certain, and leaves them out where only these are wanted', async () => {
    const { birthDate } = oneHuman('Abernathy') as Json;
    const resource = { resourceType: 'Patient', name: [{ family: 'Abernathy', given: ['S'] }], birthDate };
    const all = await match({ resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] });
    expect(graded(all)).toEqual([[expect.any(String), expect.stringMatching(/^(probable|possible)$/), 'match']]);
    const parameter = [
      { name: 'resource', resource },
      { name: 'onlyCertainMatches', valueBoolean: true },
    ];
    expect((await match({ resourceType: 'Parameters', parameter })).json).toMatchObject({ total: 0 });
  });

  it('gives as many as are wanted, and nobody of whom it is told too little', async () => {
    const parameter = [
      { name: 'resource', resource: oneHuman('Abernathy') },
      { name: 'count', valueInteger: 1 },
    ];
    expect((await match({ resourceType: 'Parameters', parameter })).json.entry).toHaveLength(1);
    const nobody = await match({ resourceType: 'Patient', gender: 'female' });
    expect(nobody.json).toMatchObject({ total: 0, entry: [{ resource: { issue: [{ severity: 'warning' }] } }] });
    const stranger = {
      resourceType: 'Patient',
      name: [{ family: 'Zzyzx', given: ['Quirin'] }],
      birthDate: '1902-06-07',
    };
    expect((await match(stranger)).json).toMatchObject({ total: 0 });
  });

  it.each([
    [{ resourceType: 'Parameters' }, 'required'],
    [{ resourceType: 'Patient', modifierExtension: [{ url: 'urn:x' }] }, 'not-supported'],
  ])('refuses %j', async (body, code) => {
    const { status, json } = await match(body);
    expect([status, json.issue[0].code]).toEqual([400, code]);
  });

  it('tells who is closed to somebody apart from nobody in nothing', async () => {
    const body = JSON.stringify(oneHuman('Abernathy'));
    const hidden = await hub.send('POST', '/fhir/Patient/$match', body, { role: 'patient', headers: fhir });
    const other = JSON.stringify(oneHuman('Zzyzx'));
    const absent = await hub.send('POST', '/fhir/Patient/$match', other, { role: 'patient', headers: fhir });
    expect([hidden.status, hidden.text]).toEqual([absent.status, absent.text]);
  });
});

describe('Patient/$ihe-pix', () => {
  it('gives the numbers and Patients of the person, without the number that was asked by', async () => {
    const { status, json } = await pix({ sourceIdentifier: `${red}|R-1` });
    expect(status).toBe(200);
    const numbers = json.parameter.filter(({ name }: Json) => name === 'targetIdentifier');
    expect(numbers.map(({ valueIdentifier: { system, value } }: Json) => [system, value])).toEqual([[blue, 'B-1']]);
    const patients = json.parameter.filter(({ name }: Json) => name === 'targetId');
    const urls = patients.map(({ valueReference }: Json) => valueReference.reference);
    expect(urls).toEqual(expect.arrayContaining([`${hub.url}/fhir/Patient/${ids['B-1']}`]));
  });

  it('asks by the id of a Patient, and for domains', async () => {
    const { json } = await pix({ sourceIdentifier: `${hub.url}/fhir|Patient/${ids['R-1']}`, targetSystem: blue! });
    expect(json.parameter).toEqual(
      expect.arrayContaining([{ name: 'targetIdentifier', valueIdentifier: { system: blue, value: 'B-1' } }]),
    );
    expect(JSON.stringify(json)).not.toContain('R-1');
  });

  it.each([
    [{ sourceIdentifier: `${red}|nobody` }, 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    [{ sourceIdentifier: 'urn:oid:9.9|1' }, 400, 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
    [{ sourceIdentifier: `${red}|R-1`, targetSystem: 'urn:oid:9.9' }, 403, 'code-invalid', 'targetSystem not found'],
  ])('%j is answered %i, %s, as the profile has it', async (query, status, code, diagnostics) => {
    const answer = await pix(query);
    expect([answer.status, answer.json.issue]).toEqual([
      status,
      [expect.objectContaining({ severity: 'error', code, diagnostics })],
    ]);
  });
});

describe('domains in a search of Patients', () => {
  it('leaves out numbers of others, and says so', async () => {
    const { json } = await hub.get(`/fhir/Patient?family=Abernathy&identifier=${encodeURIComponent(`${blue}|`)}`);
    expect(json.total).toBe(1);
    const [{ resource }] = json.entry;
    expect(resource.identifier).toEqual([expect.objectContaining({ system: blue, value: 'B-1' })]);
    expect(resource.meta.tag).toEqual([expect.objectContaining({ code: 'SUBSETTED' })]);
  });

  it('tells that a domain is not known', async () => {
    const { json } = await hub.get(`/fhir/Patient?family=Abernathy&identifier=${encodeURIComponent('urn:oid:9.9|')}`);
    expect(json).toMatchObject({ total: 0 });
    expect(json.entry[0].resource.issue).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'not-found', diagnostics: 'targetSystem not found' }),
    ]);
  });
});

describe('Patient Identity Feed', () => {
  const sourceOf = (value: string) => pix({ sourceIdentifier: `${red}|${value}` });

  it('takes a duplicate that is resolved: the survivor alone is known, by the numbers of both', async () => {
    await feed('Cadwallader', red, 'R-3', {
      name: [{ family: 'Cadwallader', given: ['Uma'] }],
      birthDate: '1944-04-05',
    });
    await feed('Dragonetti', red, 'R-4', { name: [{ family: 'Dragonetti', given: ['Pia'] }], birthDate: '1977-07-08' });
    expect((await sourceOf('R-4')).status).toBe(200);
    const link = [{ other: { identifier: { system: red, value: 'R-3' } }, type: 'replaced-by' }];
    const merged = { name: [{ family: 'Dragonetti', given: ['Pia'] }], birthDate: '1977-07-08', active: false, link };
    await feed('Dragonetti', red, 'R-4', merged);
    expect((await sourceOf('R-4')).status).toBe(404);
    const survivor = await sourceOf('R-3');
    expect([survivor.status, survivor.text.includes('R-4')]).toEqual([200, false]);
    const both = await hub.get(`/fhir/Patient?identifier=${encodeURIComponent(`${red}|R-3`)}`);
    expect(both.json.entry[0].resource.link).toHaveLength(2);
  });

  it('does not join again what a steward has parted, when the Patient is sent once more', async () => {
    const { json } = await hub.get(`/fhir/Patient?identifier=${encodeURIComponent(`${red}|R-3`)}`);
    const person = json.entry[0].resource.id;
    const body = { patient: ids['R-4'], reason: 'the merge was a mistake' };
    const parted = await hub.send('POST', `/api/persons/${person}/unlink`, body, { role: 'steward' });
    expect(parted.status, parted.text).toBe(200);
    const link = [{ other: { reference: `Patient/${ids['R-3']}` }, type: 'replaced-by' }];
    const again = { name: [{ family: 'Dragonetti', given: ['Pia'] }], birthDate: '1977-07-08', active: false, link };
    await feed('Dragonetti', red, 'R-4', again);
    const found = await hub.get(`/fhir/Patient/${ids['R-3']}`);
    expect(found.json.link).toBeUndefined();
    const one = await hub.get(`/fhir/Patient?identifier=${encodeURIComponent(`${red}|R-3`)}`);
    expect(one.json.entry[0].resource.id).toBe(ids['R-3']);
  });

  it('joins nobody with whom the sender may not see, nor tells that there is one', async () => {
    const closed = { name: [{ family: 'Ellsworth', given: ['Ivy'] }], birthDate: '1951-02-03' };
    await feed('Ellsworth', red, 'R-5', closed);
    const consent = {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: `Patient/${ids['R-5']}` },
      dateTime: '2026-01-01',
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
      provision: { type: 'deny' },
    };
    const filed = await hub.send('POST', '/fhir/Consent', consent, { headers: fhir });
    expect(filed.status, filed.text).toBe(201);
    const as = { role: 'clinician', headers: fhir };
    expect((await hub.get(`/fhir/Patient/${ids['R-5']}`, as)).status).toBe(404);
    for (const other of [
      { reference: `Patient/${ids['R-5']}` },
      { identifier: { system: red, value: 'R-5' } },
      { reference: 'Patient/nobody' },
    ]) {
      const own = { resourceType: 'Patient', name: [{ family: 'Fanshawe' }], link: [{ other, type: 'replaced-by' }] };
      const made = await hub.send('POST', '/fhir/Patient', own, as);
      expect(made.status, made.text).toBe(201);
      expect((await hub.get(`/fhir/Patient?_id=${made.json.id}`, as)).json.entry[0].resource.id).toBe(made.json.id);
    }
    const found = await hub.get(`/fhir/Patient?identifier=${encodeURIComponent(`${red}|R-5`)}`);
    expect(found.json.entry[0].resource.id).toBe(ids['R-5']);
  });

  it('takes a removal: the number is known no more', async () => {
    const query = `identifier=${encodeURIComponent(`${red}|R-2`)}`;
    expect((await hub.send('DELETE', `/fhir/Patient?${query}`)).status).toBe(204);
    expect((await sourceOf('R-2')).status).toBe(404);
  });
});
