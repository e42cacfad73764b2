import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, kickOffHeaders, statusOf } from '../bulk/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const codeSystem = { resourceType: 'CodeSystem', url: 'urn:test:cs', status: 'active', content: 'complete' };
const definitions: Json[] = [
  {
    resourceType: 'SearchParameter',
    url: 'urn:test:sp',
    name: 'shade',
    status: 'active',
    description: 'x',
    code: 'shade',
    base: ['Basic'],
    type: 'token',
    expression: "Basic.extension('urn:shade').value.ofType(code)",
  },
  codeSystem,
  { resourceType: 'ValueSet', url: 'urn:test:vs', status: 'active' },
  {
    resourceType: 'StructureDefinition',
    url: 'urn:test:sd',
    name: 'Shade',
    status: 'active',
    kind: 'complex-type',
    abstract: false,
    type: 'Extension',
  },
];
const stored = async (type: string) => (await hub.get(`/fhir/${type}?_summary=count`)).json.total;

describe.each(['clinician', 'system'])('definitions, by which the whole hub goes, and the role %s', (role) => {
  it.each(definitions)('may not change a $resourceType', async (resource) => {
    const { resourceType: type } = resource;
    const own = (id: string) => ({ ...resource, id });
    const kept = await hub.send('PUT', `/fhir/${type}/kept`, own('kept'));
    expect([200, 201]).toContain(kept.status);
    const patch = [{ op: 'replace', path: '/status', value: 'retired' }];
    const request = (method: string, url: string) => ({ resource: own('new'), request: { method, url } });
    const bundle = (kind: string) => ({ resourceType: 'Bundle', type: kind, entry: [request('PUT', `${type}/new`)] });
    const labels = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };
    const mutation = `mutation ($res: ${type}_Input!) {${type}Create(res: $res) {id}}`;
    const headers = { 'content-type': 'application/json-patch+json' };
    const refused = [
      await hub.send('POST', `/fhir/${type}`, resource, { role }),
      await hub.send('PUT', `/fhir/${type}/new`, own('new'), { role }),
      await hub.send('PUT', `/fhir/${type}?url=urn:none`, resource, { role }),
      await hub.send('PATCH', `/fhir/${type}/kept`, JSON.stringify(patch), { role, headers }),
      await hub.send('DELETE', `/fhir/${type}/kept`, undefined, { role }),
      await hub.send('DELETE', `/fhir/${type}?url=${resource.url}`, undefined, { role }),
      await hub.send('POST', `/fhir/${type}/kept/$meta-add`, labels, { role }),
      await hub.send('POST', '/fhir', bundle('transaction'), { role }),
      await hub.send('POST', '/fhir/$graphql', { query: mutation, variables: { res: resource } }, { role }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    const { json } = await hub.send('POST', '/fhir', bundle('batch'), { role });
    expect(json.entry[0].response).toMatchObject({ status: '403', outcome: { issue: [{ code: 'forbidden' }] } });
    expect(await stored(type)).toBe(1);
    expect((await hub.get(`/fhir/${type}/kept`)).text).toBe(kept.text);
  });
});

it('an import by another role than the administrator leaves them out, and says so', async () => {
  const lines = [
    { ...codeSystem, id: 'imported' },
    { resourceType: 'Basic', id: 'imported', code: { text: 'x' } },
  ];
  const begun = await hub.send('POST', '/fhir/$import', lines.map((one) => `${JSON.stringify(one)}\n`).join(''), {
    headers: { 'content-type': 'application/fhir+ndjson', ...kickOffHeaders },
    role: 'system',
  });
  const done = await ended(hub, statusOf(hub, begun));
  expect(done.json).toMatchObject({ output: [{ count: 1 }], error: [{ count: 1 }] });
  expect([await stored('CodeSystem'), await stored('Basic')]).toEqual([1, 1]);
});
