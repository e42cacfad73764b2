import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('http §3.1.0.12 history', () => {
  let hub: TestHub;
  const times: string[] = [];
  beforeAll(async () => {
    hub = await startTestHub();
    await put({ resourceType: 'Organization', id: 'first' });
    for (const active of [true, false]) {
      await put({ resourceType: 'Patient', id: 'h', active });
      times.push(new Date().toISOString());
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await send('DELETE', '/Patient/h');
    times.push(new Date().toISOString());
  });
  afterAll(() => hub.stop());

  const send = (method: string, path: string, body?: object) =>
    hub.send(method, `/fhir${path}`, body && JSON.stringify(body), { headers: body ? json : {} });
  const put = (resource: Json) => send('PUT', `/${resource.resourceType}/${resource.id}`, resource);
  const get = (path: string) => hub.get(`/fhir${path}`);
  const versions = async (path: string) =>
    ((await get(path)).json.entry ?? []).map(({ response }: Json) => response.etag.slice(3, -1));

  it('lists the versions of a resource, the oldest last and deletions included, with the total', async () => {
    const { json: bundle, status } = await get('/Patient/h/_history');
    expect([status, bundle.type, bundle.total]).toEqual([200, 'history', 3]);
    expect(bundle.entry.map(({ request, response }: Json) => [request.method, request.url, response.status])).toEqual([
      ['DELETE', 'Patient/h', '204'],
      ['PUT', 'Patient/h', '200'],
      ['PUT', 'Patient/h', '201'],
    ]);
    expect(bundle.entry[0].resource).toBeUndefined();
    expect(bundle.entry[1].resource).toMatchObject({ id: 'h', active: false, meta: { versionId: '2' } });
    for (const { fullUrl, response } of bundle.entry) {
      expect(fullUrl).toBe(`${hub.url}/fhir/Patient/h`);
      expect(Date.parse(response.lastModified)).toBeGreaterThan(0);
    }
  });

  it('shows a create as POST to its type, and names a deleted resource by its own id on every level', async () => {
    const made = (await send('POST', '/Patient', { resourceType: 'Patient' })).json;
    const own = (await get(`/Patient/${made.id}/_history`)).json.entry[0];
    expect([own.request, own.response.status]).toEqual([{ method: 'POST', url: 'Patient' }, '201']);
    for (const path of ['/Patient/_history', '/_history']) {
      const urls = (await get(path)).json.entry.map(({ request }: Json) => `${request.method} ${request.url}`);
      expect(urls).toContain('DELETE Patient/h');
    }
  });

  it('lists a type and everything', async () => {
    const types = async (path: string) =>
      new Set((await get(path)).json.entry.map(({ fullUrl }: Json) => fullUrl.split('/').at(-2)));
    expect(await types('/Patient/_history')).toEqual(new Set(['Patient']));
    expect(await types('/_history')).toEqual(new Set(['Patient', 'Organization']));
  });

  it('_since: what was made at or after an instant', async () => {
    expect(await versions(`/Patient/h/_history?_since=${times[0]}`)).toEqual(['3', '2']);
    expect(await versions(`/Patient/h/_history?_since=${times[2]!.replace('Z', '+00:00')}`)).toEqual([]);
    expect(await versions('/Patient/h/_history?_since=2001-01-01')).toHaveLength(3);
  });

  it('_at: what was current at some time in a period', async () => {
    expect(await versions(`/Patient/h/_history?_at=${times[0]}`)).toEqual(['1']);
    expect(await versions(`/Patient/h/_history?_at=${times[1]}`)).toEqual(['2']);
    expect(await versions(`/Patient/h/_history?_at=${times[2]}`)).toEqual(['3']);
    expect(await versions('/Patient/h/_history?_at=2001')).toEqual([]);
    expect(await versions(`/Patient/h/_history?_at=${times[0]!.slice(0, 4)}`)).toEqual(['3', '2', '1']);
    expect(await versions(`/Organization/_history?_at=${times[1]}`)).toEqual(['1']);
  });

  it('_count: pages to the end, each version once, and stays so while things change', async () => {
    const seen: string[] = [];
    let next: string | undefined = '/Patient/h/_history?_count=1';
    while (next !== undefined) {
      const bundle: Json = (await get(next)).json;
      seen.push(...bundle.entry.map(({ response }: Json) => response.etag));
      if (seen.length === 1) await put({ resourceType: 'Patient', id: 'h' });
      next = bundle.link.find((link: Json) => link.relation === 'next')?.url.slice(`${hub.url}/fhir`.length);
    }
    expect(seen).toEqual(['W/"3"', 'W/"2"', 'W/"1"']);
    expect((await get('/Patient/h/_history?_count=1')).json.total).toBe(4);
  });

  it.each([
    ['/Patient/none/_history', 404],
    ['/Patient/none/_history?_since=2001-01-01', 404],
    ['/Nonsense/_history', 404],
    ['/Patient/h/_history?_since=nonsense', 400],
    ['/Patient/h/_history?_at=13-13-13', 400],
    ['/Patient/h/_history?_count=x', 400],
    ['/Patient/h/_history?_count=1&_count=2', 400],
    ['/Patient/h/_history?_sort=_lastUpdated', 400],
    ['/Patient/h/_history?family=x', 400],
    ['/Patient/h/_history?_sort=-_lastUpdated', 200],
    ['/Patient/h/_history?_sort=none', 200],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});
