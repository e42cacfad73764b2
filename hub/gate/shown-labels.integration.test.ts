/** The hub's labels as apps see them: given out by every read, found by `_security`, and not said back to it. */
import { label } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ridOf } from '../record/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const hiv = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'B20' }] };
const plain = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I10' }] };

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  await put({ resourceType: 'Patient', id: 'p', name: [{ family: 'Doe' }] });
  await put(condition('hiv', hiv));
  await put(condition('plain', plain));
  await put(condition('said', plain, [{ system: confidentiality, code: 'R' }]));
  await put({
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: plain,
    subject: { reference: 'Patient/p' },
    focus: [{ reference: 'Condition/hiv' }],
  });
});
afterAll(() => hub.stop());

const condition = (id: string, code: object, security?: object[]) => ({
  resourceType: 'Condition',
  id,
  ...(security ? { meta: { security } } : {}),
  code,
  subject: { reference: 'Patient/p' },
});

async function put(resource: Json): Promise<Json> {
  const { status, text, json } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (status > 201) throw new Error(text);
  return json;
}

const codes = (resource: Json): string[] => (resource.meta?.security ?? []).map(({ code }: Json) => code);
const found = async (search: string): Promise<string[]> =>
  (await hub.resources(search)).map(({ id }: Json) => id).sort();

it('gives them out with every read', async () => {
  const get = async (path: string) => (await hub.get(`/fhir/${path}`)).json;
  const of = (bundle: Json) => bundle.entry.map(({ resource }: Json) => resource).find(({ id }: Json) => id === 'hiv');
  expect(codes(await get('Condition/hiv'))).toEqual(['HIV']);
  expect(codes(await get('Condition/hiv/_history/1'))).toEqual(['HIV']);
  expect(codes(of(await get('Condition/hiv/_history')))).toEqual(['HIV']);
  expect(codes(of(await get('Condition?patient=p')))).toEqual(['HIV']);
  expect(codes(of(await get('Condition?patient=p&_elements=code')))).toEqual(['HIV']);
  expect(codes(of(await get('Patient/p/$everything')))).toEqual(['HIV']);
  expect(codes(of(await get('Observation?_include=Observation:focus')))).toEqual(['HIV']);
  const { json } = await hub.send('POST', '/fhir/$graphql', {
    query: '{Condition(id: "hiv") {meta {security {code}}}}',
  });
  expect(codes(json.data.Condition)).toEqual(['HIV']);
  expect((await get('Condition/hiv/$meta')).parameter[0].valueMeta.security).toHaveLength(1);
  expect((await get('Condition/$meta')).parameter[0].valueMeta.security.map(({ code }: Json) => code)).toEqual(
    expect.arrayContaining(['HIV', 'R']),
  );
  expect(codes(await get('Condition/plain'))).toEqual([]);
  const answered = await put({ ...condition('new', hiv) });
  expect(codes(answered)).toEqual(['HIV']);
});

it('finds them by _security, with those of the source', async () => {
  expect(await found('Condition?_security=HIV&_id=hiv,plain,said')).toEqual(['hiv']);
  expect(await found(`Condition?_security=${actCode}|HIV&_id=hiv,plain,said`)).toEqual(['hiv']);
  expect(await found(`Condition?_security=${confidentiality}|R`)).toEqual(['said']);
  expect(await found(`Condition?_security=${confidentiality}|`)).toEqual(['said']);
  expect(await found(`Condition?patient=p&_security:not=HIV`)).toEqual(['plain', 'said']);
  expect(await found('Condition?patient=p&_security:missing=true')).toEqual(['plain']);
  expect(await found('Condition?patient=p&_security:missing=false&_id=hiv,said')).toEqual(['hiv', 'said']);
  expect(await found('Observation?focus:Condition._security=HIV')).toEqual(['o']);
  expect(await found('Patient?_has:Condition:subject:_security=HIV')).toEqual(['p']);
  expect(await found('Patient?_has:Condition:subject:_security=PSY')).toEqual([]);
  expect(await found('Condition?_filter=_security eq HIV and code eq B20&_id=hiv')).toEqual(['hiv']);
});

it('finds none that are hidden', async () => {
  await put({ ...condition('notes', plain), meta: { security: [{ system: actCode, code: 'PSYTHPN' }] } });
  const headers = { authorization: `Bearer ${await hub.token('clinician')}` };
  const { json } = await hub.get('/fhir/Condition?_security=PSYTHPN&_total=accurate', { role: null, headers });
  expect(json.total).toBe(0);
  expect((await hub.get('/fhir/Condition?_security=PSYTHPN&_total=accurate')).json.total).toBe(1);
});

it('takes them off what is written back, and keeps those of the source', async () => {
  await put({ ...condition('back', hiv), meta: { security: [{ system: confidentiality, code: 'R' }] } });
  const read = (await hub.get('/fhir/Condition/back')).json;
  expect(codes(read).sort()).toEqual(['HIV', 'R']);
  const said = async () => codes(await put({ ...(await hub.get('/fhir/Condition/back')).json, code: plain }));
  expect(await said()).toEqual(['R']);
  await put({ ...condition('back', hiv), meta: { security: [{ system: confidentiality, code: 'R' }] } });
  const entry = [{ resource: { ...read, code: plain }, request: { method: 'PUT', url: 'Condition/back' } }];
  await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  expect(codes((await hub.get('/fhir/Condition/back')).json)).toEqual(['R']);
  await put({ ...condition('back', hiv), meta: { security: [{ system: confidentiality, code: 'R' }] } });
  const patch = [
    { op: 'test', path: '/meta/security/1/code', value: 'HIV' },
    { op: 'replace', path: '/code', value: plain },
  ];
  const headers = { 'content-type': 'application/json-patch+json' };
  const patched = await hub.send('PATCH', '/fhir/Condition/back', JSON.stringify(patch), { headers });
  expect(patched.status, patched.text).toBe(200);
  expect(codes(patched.json)).toEqual(['R']);
});

it('shows the labels of now, under the version and the ETag that there were', async () => {
  await put(condition('later', plain));
  const before = await hub.get('/fhir/Condition/later');
  await hub.test.database.query('UPDATE resource SET labels = $1 WHERE rid = $2', [label.hiv, ridOf('later')]);
  const after = await hub.get('/fhir/Condition/later');
  expect(codes(after.json)).toEqual(['HIV']);
  expect([after.headers.get('etag'), after.json.meta.lastUpdated]).toEqual([
    before.headers.get('etag'),
    before.json.meta.lastUpdated,
  ]);
  expect(await found('Condition?_security=HIV&_id=later')).toEqual(['later']);
});

it('gives documents what came with them, also when somebody changes them later', async () => {
  await hub.send('PUT', '/api/participants/clinic', { name: 'Clinic', kind: 'clinic', sendingFacility: 'CLINIC' });
  await hub.take(
    [
      'MSH|^~\\&|LIS|CLINIC|HUB|HUB|20260101||ORU^R01|1|P|2.5.1',
      'PID|1||4711^^^CLINIC^MR||Roe^Jane||19800203|F',
      'OBR|1||F1|A^A panel^L|||20260101',
      'OBX|1|ST|75622-1^HIV 1 and 2^LN||positive||||||F',
      '',
    ].join('\r'),
  );
  const [report] = (await hub.resources('DiagnosticReport')) as Json[];
  expect(codes(report)).toEqual(['HIV']);
  expect(codes(await put({ ...report, conclusion: 'as expected' }))).toEqual(['HIV']);
  const { json } = await hub.get(`/fhir/DiagnosticReport/${report.id}`);
  expect(codes(json)).toEqual(['HIV']);
});
