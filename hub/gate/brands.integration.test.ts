/** SMART App Launch 2.2, "User-access Brands and Endpoints". */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';

const portal = 'http://hl7.org/fhir/StructureDefinition/organization-portal';
const harbor = {
  resourceType: 'Organization',
  name: 'Harbor Hospital',
  alias: ['Harbour'],
  identifier: [{ system: 'urn:ietf:rfc:3986', value: 'https://harbor.example' }],
  telecom: [{ system: 'url', value: 'https://harbor.example' }],
  address: [{ city: 'Harbor', state: 'MA', country: 'US' }],
  extension: [
    {
      url: 'http://hl7.org/fhir/StructureDefinition/organization-brand',
      extension: [{ url: 'brandLogo', valueUrl: 'https://harbor.example/logo.svg' }],
    },
    {
      url: portal,
      extension: [
        { url: 'portalName', valueString: 'MyHarbor' },
        { url: 'portalUrl', valueUrl: 'https://my.harbor.example' },
      ],
    },
  ],
};

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
  await hub.send('PUT', '/api/participants/harbor', { name: 'Harbor Hospital', kind: 'hospital' });
});
afterAll(() => hub.stop());

const get = (headers: Record<string, string> = {}) =>
  hub.send('GET', '/brands', undefined, { role: null, headers: { origin: 'https://any.example', ...headers } });

// biome-ignore lint/suspicious/noExplicitAny: resources of many shapes.
const organizations = (bundle: any) =>
  // biome-ignore lint/suspicious/noExplicitAny: likewise.
  bundle.entry.map(({ resource }: any) => resource).filter((one: any) => one.resourceType === 'Organization');

test('the network’s brand leads to the FHIR base, by any origin, and is the one that discovery names', async () => {
  const told = (await hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null })).json;
  expect(told.user_access_brand_bundle).toBe(`${hub.url}/brands`);
  const answer = await get();
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  expect(answer.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
  const primary = organizations(answer.json).filter(({ identifier = [] }) =>
    identifier.some(({ value }: { value: string }) => value === told.user_access_brand_identifier.value),
  );
  expect(primary).toHaveLength(1);
  const endpoint = answer.json.entry[0].resource;
  expect([endpoint.resourceType, endpoint.address]).toEqual(['Endpoint', `${hub.url}/fhir`]);
  expect(primary[0].endpoint).toEqual([{ reference: `Endpoint/${endpoint.id}` }]);
});

test('a participant’s brand is shown as it was given, with its portal leading here, and is valid', async () => {
  const put = await hub.send('PUT', '/api/participants/harbor/brand', harbor);
  expect([put.status, put.text]).toEqual([200, expect.anything()]);
  const answer = await get();
  const shown = organizations(answer.json).find(({ id }: { id: string }) => id === 'harbor');
  expect(shown).toMatchObject({ ...harbor, extension: expect.anything() });
  expect(shown.extension[1].extension).toContainEqual({
    url: 'portalEndpoint',
    valueReference: { reference: 'Endpoint/fhir' },
  });
  const validated = await hub.send('POST', '/fhir/Bundle/$validate', answer.json, {
    headers: { 'content-type': 'application/fhir+json' },
  });
  expect(validated.json.issue.map(({ severity }: { severity: string }) => severity)).toEqual(['information']);
});

test('a change is told by ETag and timestamp, and by nothing else', async () => {
  const first = await get();
  const tag = first.headers.get('etag')!;
  expect(tag).toMatch(/^W\/"/);
  expect((await get({ 'if-none-match': tag })).status).toBe(304);
  expect((await get()).json.timestamp).toBe(first.json.timestamp);
  await hub.send('PUT', '/api/brand', { ...harbor, name: 'Our network', identifier: undefined });
  const next = await get({ 'if-none-match': tag });
  expect([next.status, next.json.timestamp > first.json.timestamp]).toEqual([200, true]);
  expect(organizations(next.json)[0].name).toBe('Our network');
  expect((await hub.send('DELETE', '/api/participants/harbor/brand')).status).toBe(204);
  expect(organizations((await get()).json).map(({ id }: { id: string }) => id)).toEqual(['network']);
});

test('only what is a brand is taken, and only of administrators', async () => {
  const wrong = [
    { ...harbor, resourceType: 'Patient' },
    { ...harbor, name: undefined },
    { ...harbor, telecom: [] },
    { ...harbor, telecom: [{ system: 'url', value: 'javascript:alert(1)' }] },
    { ...harbor, endpoint: [{ reference: 'Endpoint/x' }] },
    { ...harbor, address: 'Harbor' },
    { ...harbor, extension: [{ url: 'https://other.example', valueString: 'x' }] },
    { ...harbor, extension: [{ url: portal, extension: [{ url: 'portalUrl', valueUrl: 'javascript:alert(1)' }] }] },
  ];
  for (const brand of wrong) {
    expect((await hub.send('PUT', '/api/participants/harbor/brand', brand)).status, JSON.stringify(brand)).toBe(400);
  }
  expect((await hub.send('PUT', '/api/participants/none/brand', harbor)).status).toBe(404);
  expect((await hub.send('PUT', '/api/brand', harbor, { role: 'clinician' })).status).toBe(403);
});

test('the identifier of the network is nobody else’s', async () => {
  const identifier = [{ system: 'urn:ietf:rfc:3986', value: hub.url }];
  await hub.send('PUT', '/api/participants/harbor/brand', { ...harbor, identifier });
  const shown = organizations((await get()).json).filter((one: { identifier?: { value: string }[] }) =>
    one.identifier?.some(({ value }) => value === hub.url),
  );
  expect(shown.map(({ id }: { id: string }) => id)).toEqual(['network']);
});
