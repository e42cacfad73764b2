/** Elements that the network hides (docs/access.md, 7 Redaction): not given out, not searched by, not erased. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Answer, Json } from '../testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';

let hub: AttackedHub;
let headers: Record<string, string>;
beforeAll(async () => {
  hub = await startAttackedHub();
  hub.secret('Millbrook', 'Mill Lane', '1980-02-03', 'Elsewhere');
  await put({
    resourceType: 'Patient',
    id: 'p',
    name: [{ family: 'Doe' }],
    birthDate: '1980-02-03',
    address: [{ city: 'Millbrook' }],
  });
  await put({ resourceType: 'Patient', id: 'q', name: [{ family: 'Roe' }] });
  const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'SDV' }];
  for (const [id, more] of [
    ['safe', {}],
    ['protected', { meta: { security } }],
  ] as const) {
    const note = [{ text: id === 'safe' ? 'plain' : 'lives at Mill Lane' }];
    await put({ resourceType: 'Condition', id, ...more, subject: { reference: 'Patient/p' }, note });
  }
  await put({
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { text: 'c' },
    subject: { reference: 'Patient/p' },
  });
  const redactions = [
    { elements: ['Patient.address', 'Location.position'], roles: ['clinician'] },
    { elements: ['Patient.birthDate'], roles: ['clinician'], keep: 'year' },
    { elements: ['Condition.note'], roles: ['clinician'], labels: ['violence'] },
  ];
  const { version } = (await hub.get('/api/network-policy')).json;
  const policy = { model: 'opt-out', zone: 'UTC', rules: [], redactions };
  const changed = await hub.send('PUT', '/api/network-policy', { version, reason: 'Protected persons.', policy });
  expect(changed.status, changed.text).toBe(200);
  headers = { authorization: `Bearer ${await hub.token('clinician')}` };
});
afterAll(() => hub.stop());

async function put(resource: Json): Promise<void> {
  const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (status > 201) throw new Error(text);
}

const get = (path: string): Promise<Answer> => hub.get(`/fhir/${path}`, { role: null, headers });
const send = (method: string, path: string, body?: object, type = 'application/fhir+json'): Promise<Answer> =>
  hub.send(method, `/fhir${path}`, body && JSON.stringify(body), {
    role: null,
    headers: { ...headers, 'content-type': type },
  });

it('gives out the rest, marked, whether or not there was anything to hide', async () => {
  const { json } = await get('Patient/p');
  expect(json).toMatchObject({ name: [{ family: 'Doe' }], birthDate: '1980' });
  expect(json.address).toBeUndefined();
  const marks = ({ meta }: Json) => [...meta.security, ...meta.tag].map(({ code }: Json) => code);
  expect(marks(json)).toEqual(['REDACTED', 'SUBSETTED']);
  expect(marks((await get('Patient/q')).json)).toEqual(['REDACTED', 'SUBSETTED']);
  expect((await get('Observation/o')).json.meta.security).toBeUndefined();
  expect((await hub.get('/fhir/Patient/p')).json).toMatchObject({ birthDate: '1980-02-03', address: [{}] });
  expect((await get('Condition/safe')).json.note).toHaveLength(1);
  expect((await get('Condition/protected')).json.note).toBeUndefined();
});

it('gives it out by no other way', async () => {
  for (const path of [
    'Patient/p/_history',
    'Patient/p/_history/1',
    'Patient?family=Doe',
    'Patient?_elements=address,birthDate',
    'Patient/p/$everything',
    'Observation?_include=Observation:subject',
    'Patient/_history',
    'Condition?_id=protected',
  ]) {
    const { status, text } = await get(path);
    expect(status, path).toBe(200);
    expect(text).not.toMatch(/Millbrook|02-03|Mill Lane/);
  }
  const query = '{Patient(id: "p") {birthDate address {city}} PatientList {address {city} birthDate}}';
  const { text } = await send('POST', '/$graphql', { query }, 'application/json');
  expect(text).toContain('1980');
  expect(text).not.toMatch(/Millbrook|02-03/);
});

it('refuses searches that tell of it, the same whether or not a value is there (A13)', async () => {
  for (const search of [
    'Patient?birthdate=',
    'Patient?birthdate:missing=',
    'Patient?address-city=',
    'Patient?address=',
    'Patient?_filter=birthdate eq ',
    'Patient?_filter=not(address co ',
    'Patient?_content=',
    'Patient?_text=',
    'Observation?subject:Patient.birthdate=',
    'Observation?patient.address=',
    'Location?near=',
    'Condition?_content=',
  ]) {
    const values = search.includes(':missing')
      ? ['true', 'false']
      : search.includes('near')
        ? ['1|2', '3|4']
        : ['1980-02-03', '1981'];
    const answers: Answer[] = [];
    for (const value of values) answers.push(await get(`${search}${value}${search.includes('not(') ? ')' : ''}`));
    expect(
      answers.map(({ status }) => status),
      search,
    ).toEqual([403, 403]);
    expect(answers[0]!.text).toBe(answers[1]!.text);
    expect(answers[0]!.text).toContain('hidden from this access');
  }
  for (const search of [
    'Patient?_sort=birthdate',
    'Patient?_sort=-address',
    'Patient?family=Doe&birthdate=1980&_summary=count',
    'Patient?_has:Observation:subject:patient.birthdate=1980',
    'Group?member:Patient.birthdate=1980',
    '?_type=Patient&birthdate=1980',
    'Patient/p/Observation?subject:Patient.birthdate=1980',
  ]) {
    expect((await get(search)).status, search).toBe(403);
  }
  expect((await get('Patient?family=Doe')).json.entry).toHaveLength(1);
  expect((await hub.get('/fhir/Patient?birthdate=1980-02-03')).json.entry).toHaveLength(1);
  const conditional = await send('DELETE', '/Patient?birthdate=1980-02-03');
  expect(conditional.status).toBe(403);
});

it('lets nobody halve the years', async () => {
  let low = 1900;
  let high = 2000;
  const answers = new Set<number>();
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const { status, json } = await get(`Patient?birthdate=ge${middle}&_id=p`);
    answers.add(status);
    if (json.entry?.length > 0) low = middle;
    else high = middle;
  }
  expect([...answers]).toEqual([403]);
});

it('refuses changes of what is seen in part, and stores no copy that lacks it', async () => {
  const read = (await get('Patient/p')).json;
  expect((await send('PUT', '/Patient/p', { ...read, active: true })).status).toBe(403);
  for (const value of ['Millbrook', 'Elsewhere']) {
    const patch = [{ op: 'test', path: '/address/0/city', value }];
    expect((await send('PATCH', '/Patient/p', patch, 'application/json-patch+json')).status).toBe(403);
  }
  expect((await send('DELETE', '/Patient/p')).status).toBe(403);
  const entry = [{ resource: read, request: { method: 'PUT', url: 'Patient/p' } }];
  const transaction = { resourceType: 'Bundle', type: 'transaction', entry };
  const refused = await leavingOneEvent(hub, 'a transaction', () => send('POST', '', transaction));
  expect(refused.status).toBe(403);
  // Somebody who sees it whole would still erase what the copy lacks.
  expect((await hub.send('PUT', '/fhir/Patient/p', read)).status).toBe(409);
  expect((await hub.get('/fhir/Patient/p')).json.address).toHaveLength(1);
  expect((await send('PUT', '/Condition/safe', (await get('Condition/safe')).json)).status).toBe(200);
  expect((await send('PUT', '/Condition/protected', (await get('Condition/protected')).json)).status).toBe(403);
  expect((await send('POST', '/Patient', { resourceType: 'Patient', address: [{ city: 'New' }] })).status).toBe(201);
});

it('is refused by the policy where it would take what belongs together apart', async () => {
  const { version } = (await hub.get('/api/network-policy')).json;
  const policy = { model: 'opt-out', zone: 'UTC', rules: [], redactions: [{ elements: ['Observation.subject'] }] };
  const { status, text } = await hub.send('PUT', '/api/network-policy', { version, reason: 'x', policy });
  expect(status).toBe(400);
  expect(text).toContain('Observation.subject');
});

it('shows privacy officers by rules not in force how a resource would look, and nobody else', async () => {
  const officer = { role: 'privacy-officer' };
  const elements = (await hub.get('/api/redactable-elements?type=Patient', officer)).json.elements;
  expect(elements).toContainEqual({ path: 'Patient.birthDate', isDate: true });
  expect((await hub.get('/api/redactable-elements', officer)).json.types).toContain('Patient');
  expect((await hub.get('/api/redactable-elements?type=Nothing', officer)).status).toBe(400);
  const rule = { elements: ['Patient.address'], purposes: ['HPAYMT'] };
  const preview = (over: object, role = 'privacy-officer') =>
    hub.send(
      'POST',
      '/api/redaction-preview',
      { resource: 'Patient/p', as: { role: 'clinician', purpose: 'HPAYMT' }, redactions: [rule], ...over },
      { role },
    );
  const { status, json } = await preview({});
  expect([status, json.changed]).toEqual([200, ['address']]);
  expect(json.shown).toMatchObject({ name: [{ family: 'Doe' }], birthDate: '1980-02-03' });
  expect(json.shown).not.toHaveProperty('address');
  const treating = await preview({ as: { role: 'clinician', purpose: 'TREAT' } });
  expect([treating.json.changed, treating.json.shown.address]).toEqual([[], [{ city: 'Millbrook' }]]);
  const wrong = [
    [{ redactions: [{ elements: ['Patient.id'] }] }, 400],
    [{ as: { role: 'nobody', purpose: 'TREAT' } }, 400],
    [{ resource: 'Patient' }, 400],
    // What an officer may not read is not shown either.
    [{ resource: 'Observation/o' }, 404],
    [{ resource: 'Patient/none' }, 404],
  ] as const;
  for (const [over, expected] of wrong) expect([over, (await preview(over)).status]).toEqual([over, expected]);
  expect((await preview({}, 'clinician')).status).toBe(403);
  expect((await hub.get('/api/redactable-elements?type=Patient', { role: 'clinician' })).status).toBe(403);
});
