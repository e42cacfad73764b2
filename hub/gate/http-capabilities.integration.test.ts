import { searchParameters, validate } from '@causeway/fhir';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

describe('http §3.1.0.10 capabilities', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const get = (query = '', headers: Record<string, string> = {}) =>
    hub.get(`/fhir/metadata${query}`, { role: null, headers });

  it.each([
    ['', 'CapabilityStatement'],
    ['?mode=full', 'CapabilityStatement'],
    ['?mode=normative', 'CapabilityStatement'],
    ['?mode=terminology', 'TerminologyCapabilities'],
  ])('answers %s to anybody with a valid %s', async (query, type) => {
    const { status, json, headers } = await get(query);
    expect([status, json.resourceType, json.kind]).toEqual([200, type, 'instance']);
    expect(headers.get('etag')).toMatch(/^W\/"\w+"$/);
    expect(json.implementation.url).toBe(`${hub.url}/fhir`);
    expect(validate(json).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('tells where apps are authorized, as the SMART configuration does', async () => {
    const { extension } = (await get()).json.rest[0].security;
    const told = (await hub.get('/fhir/.well-known/smart-configuration', { role: null })).json;
    const { extension: uris } = extension.find(({ url }: Json) => url.endsWith('/StructureDefinition/oauth-uris'));
    expect(uris).toContainEqual({ url: 'authorize', valueUri: told.authorization_endpoint });
    expect(uris).toContainEqual({ url: 'token', valueUri: told.token_endpoint });
  });

  it('refuses a mode that is none, and formats and versions it does not speak', async () => {
    expect((await get('?mode=nonsense')).status).toBe(400);
    expect((await get('', { accept: 'application/fhir+json; fhirVersion=3.0' })).status).toBe(406);
  });

  it('answers 304 to who has it, with an ETag that differs where the answer does', async () => {
    const tag = (await get()).headers.get('etag')!;
    expect((await get('', { 'if-none-match': tag })).status).toBe(304);
    expect((await get('?mode=normative')).headers.get('etag')).not.toBe(tag);
  });

  it('leaves out of the normative portions what is for trial use', async () => {
    const patient = ({ json }: { json: Json }) => json.rest[0].resource.find((one: Json) => one.type === 'Patient');
    expect(patient(await get()).conditionalDelete).toBe('multiple');
    expect(patient(await get('?mode=normative')).conditionalDelete).toBeUndefined();
  });

  it('is true: every search parameter it lists is understood, every operation and interaction is there', async () => {
    const [rest] = (await get()).json.rest;
    expect(rest.interaction.map(({ code }: Json) => code)).toEqual([
      'transaction',
      'batch',
      'history-system',
      'search-system',
    ]);
    for (const type of ['Patient', 'Observation', 'Encounter']) {
      const resource = rest.resource.find((one: Json) => one.type === type);
      expect(resource.searchParam.length).toBeGreaterThan(searchParameters(type).length / 2);
      for (const { name, type: kind } of resource.searchParam) {
        if (!['token', 'string', 'reference'].includes(kind)) continue;
        const answer = await hub.get(`/fhir/${type}?${name}=${kind === 'reference' ? 'Patient/a' : 'a'}&_count=1`);
        expect([type, name, answer.status]).toEqual([type, name, 200]);
      }
      for (const { name } of resource.operation ?? []) {
        const sentences = await Promise.all(
          [`${type}/$${name}`, `${type}/none/$${name}`].map(
            async (path) => (await hub.get(`/fhir/${path}`)).json?.issue?.[0]?.diagnostics ?? '',
          ),
        );
        const isThere = sentences.some((sentence) => !sentence.includes('no such operation'));
        expect([type, name, isThere]).toEqual([type, name, true]);
      }
      const patch = await hub.send('PATCH', `/fhir/${type}/none`, '[]', {
        headers: { 'content-type': 'application/json-patch+json' },
      });
      const codes = resource.interaction.map(({ code }: Json) => code);
      expect(codes.includes('patch')).toBe(patch.status !== 405);
    }
  });

  it('is answered by no other method', async () => {
    const answer = await hub.send('DELETE', '/fhir/metadata');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
