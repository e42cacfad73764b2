import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('reading, as the http page says', () => {
  let hub: TestHub;
  let id: string;
  beforeAll(async () => {
    hub = await startTestHub();
    id = (await send('POST', 'Patient', { resourceType: 'Patient', active: true, name: [{ family: 'Read' }] })).json.id;
  });
  afterAll(() => hub.stop());

  const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    hub.send(method, `/fhir/${path}`, body && JSON.stringify(body), { headers: { ...(body ? json : {}), ...headers } });
  const get = (path: string, headers: Record<string, string> = {}, options: CallOptions = {}) =>
    hub.get(`/fhir/${path}`, { ...options, headers });

  describe('http §3.1.0.1 general considerations', () => {
    it('Service Base URL: answers an address with a slash at its end as without', async () => {
      for (const path of [`Patient/${id}`, 'Patient', `Patient/${id}/_history`, 'metadata']) {
        expect([path, (await get(`${path}/`)).status]).toEqual([path, 200]);
      }
      expect((await get('Patient/?family=Read')).json.total).toBe(1);
      expect(
        (await hub.send('POST', '/fhir/', '{"resourceType":"Bundle","type":"batch"}', { headers: json })).status,
      ).toBe(200);
    });

    it('Service Base URL: types and ids are case sensitive', async () => {
      expect((await get(`patient/${id}`)).status).toBe(404);
      expect((await get(`Patient/${id.toUpperCase()}`)).status).toBe(404);
    });

    it('Service Base URL: decodes addresses as UTF-8', async () => {
      await send('POST', 'Patient', { resourceType: 'Patient', name: [{ family: 'Çelik' }] });
      expect((await get('Patient?family=%C3%87elik')).json.total).toBe(1);
      const broken = await get('Patient?family=%E0%A4%A');
      expect([200, 400]).toContain(broken.status);
      const address = await get('Patient/%E0%A4%A');
      expect([address.status, address.json.resourceType]).toEqual([400, 'OperationOutcome']);
    });

    it('Resource Metadata and Versioning: the version is a weak ETag, the time Last-Modified', async () => {
      const answer = await get(`Patient/${id}`);
      expect(answer.headers.get('etag')).toBe(`W/"${answer.json.meta.versionId}"`);
      const time = Date.parse(answer.headers.get('last-modified')!);
      expect(time).toBe(Math.floor(Date.parse(answer.json.meta.lastUpdated) / 1000) * 1000);
      expect(answer.headers.get('date')).toMatch(/GMT$/);
    });

    it.each([
      ['GET', 'Patient/none', 404],
      ['GET', 'Nonsense', 404],
      ['GET', 'Nonsense/1', 404],
      ['GET', 'Patient/1/2/3/4/5', 404],
      ['GET', 'Patient/$nonsense', 404],
      ['POST', 'Patient/$nonsense', 404],
      ['GET', '$nonsense', 404],
      ['GET', `Patient/${'x'.repeat(65)}`, 404],
      ['GET', `Patient/${'x'.repeat(500)}`, 414],
      ['GET', 'Patient/a%20b', 404],
      ['GET', 'Patient?nonsense=1', 400],
      ['POST', 'metadata', 405],
      ['DELETE', 'Patient/1/_history', 405],
      ['POST', 'Patient/1', 405],
      ['PUT', '_history', 405],
      ['DELETE', '', 405],
    ])('HTTP Status Codes: %s /%s is answered with an OperationOutcome that helps', async (method, path, status) => {
      const answer = await send(method, path, method === 'POST' ? { resourceType: 'Patient' } : undefined);
      expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
      expect(answer.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
      const [issue] = answer.json.issue;
      expect([issue.severity, issue.code]).toEqual(['error', expect.stringMatching(/^[a-z-]+$/)]);
      expect(issue.diagnostics).toMatch(/^[A-Z].*\w+ \w+ \w+.*[.?]$/);
      if (status === 405) expect(answer.headers.get('allow')).toMatch(/^[A-Z, ]+$/);
    });

    it('HTTP Status Codes: Allow names what an address takes', async () => {
      const allow = async (method: string, path: string) => (await send(method, path)).headers.get('allow');
      expect(await allow('DELETE', 'metadata')).toBe('GET, HEAD');
      expect(await allow('PUT', 'Patient/_search')).toContain('POST');
      expect((await allow('POST', 'Patient/1'))!.split(', ')).toEqual(
        expect.arrayContaining(['GET', 'HEAD', 'PUT', 'DELETE']),
      );
    });

    it.each([
      [{}, 'application/fhir+json'],
      [{ accept: '*/*' }, 'application/fhir+json'],
      [{ accept: 'application/*' }, 'application/fhir+json'],
      [{ accept: 'application/json' }, 'application/json'],
      [{ accept: 'text/json' }, 'text/json'],
      [{ accept: 'application/json+fhir' }, 'application/fhir+json'],
      [{ accept: 'application/fhir+json; fhirVersion=4.0' }, 'application/fhir+json'],
      [{ accept: 'text/html, application/fhir+json;q=0.5' }, 'application/fhir+json'],
      [{ accept: 'APPLICATION/FHIR+JSON' }, 'application/fhir+json'],
    ])('Content Types: %j is answered as %s', async (headers, type) => {
      const answer = await get(`Patient/${id}`, headers as Record<string, string>);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
    });

    it.each([
      ['text/turtle', ''],
      ['application/fhir+turtle', ''],
      ['text/html', ''],
      ['application/fhir+json; fhirVersion=3.0', ''],
      ['application/fhir+json; q=0', ''],
      ['*/*', '?_format=ttl'],
      ['application/fhir+json', '?_format=text/html'],
    ])('Content Types: Accept %s%s is 406', async (accept, query) => {
      for (const path of [`Patient/${id}`, 'Patient', 'metadata', '_history']) {
        const answer = await get(`${path}${query}`, { accept });
        expect([path, answer.status, answer.json.resourceType]).toEqual([path, 406, 'OperationOutcome']);
      }
      const made = await send('POST', `Patient${query}`, { resourceType: 'Patient', language: 'x-406' }, { accept });
      expect(made.status).toBe(406);
      expect((await get('Patient?_id=none&_summary=count')).json.total).toBe(0);
    });

    it('Content Types: a body in a format that is not read is 415', async () => {
      for (const type of [
        'text/turtle',
        'text/plain',
        'application/fhir+json; fhirVersion=5.0',
        'application/json; charset=latin1',
      ]) {
        const answer = await send('POST', 'Patient', { resourceType: 'Patient' }, { 'content-type': type });
        expect([type, answer.status]).toEqual([type, 415]);
        expect(answer.json.issue[0].code).toBe('not-supported');
      }
      for (const type of [
        'application/json',
        'application/fhir+json;charset=UTF-8',
        'application/fhir+json; fhirVersion=4.0',
      ]) {
        const answer = await send('POST', 'Patient', { resourceType: 'Patient' }, { 'content-type': type });
        expect([type, answer.status]).toEqual([type, 201]);
      }
    });

    it.each(['json', 'application/json', 'application/fhir+json', 'application/fhir%2Bjson'])(
      'General parameters: _format=%s overrides Accept',
      async (format) => {
        const answer = await get(`Patient/${id}?_format=${format}`, { accept: 'text/html' });
        expect([answer.status, answer.json.id]).toEqual([200, id]);
      },
    );

    it('General parameters: a wrong value is an error', async () => {
      for (const query of [
        '_pretty=yes',
        '_summary=nonsense',
        '_elements=a b',
        '_summary=true&_elements=name',
        '_summary=count',
      ]) {
        expect([query, (await get(`Patient/${id}?${query}`)).status]).toEqual([query, 400]);
      }
    });
  });

  describe('http §3.1.0.1 conditional read', () => {
    it('answers 304 with the ETag where If-None-Match names the version', async () => {
      for (const tag of ['W/"1"', '"1"', 'W/"7", W/"1"', '*']) {
        const answer = await get(`Patient/${id}`, { 'if-none-match': tag });
        expect([tag, answer.status, answer.text, answer.headers.get('etag')]).toEqual([tag, 304, '', 'W/"1"']);
      }
      expect((await get(`Patient/${id}`, { 'if-none-match': 'W/"2"' })).status).toBe(200);
      expect((await get(`Patient/${id}`, { 'if-none-match': 'nonsense' })).status).toBe(400);
    });

    it('answers 304 where nothing changed since If-Modified-Since, which If-None-Match overrules', async () => {
      const modified = (await get(`Patient/${id}`)).headers.get('last-modified')!;
      const earlier = new Date(Date.parse(modified) - 60_000).toUTCString();
      const since = (date: string, more: Record<string, string> = {}) =>
        get(`Patient/${id}`, { 'if-modified-since': date, ...more }).then(({ status }) => status);
      expect(await since(modified)).toBe(304);
      expect(await since(new Date(Date.now() + 60_000).toUTCString())).toBe(304);
      expect(await since(earlier)).toBe(200);
      expect(await since('nonsense')).toBe(200);
      expect(await since(modified, { 'if-none-match': 'W/"2"' })).toBe(200);
      expect(await since(earlier, { 'if-none-match': 'W/"1"' })).toBe(304);
    });
  });

  describe('http §3.1.0.2 read', () => {
    it('answers the resource with its id', async () => {
      expect((await get(`Patient/${id}`)).json).toMatchObject({ resourceType: 'Patient', id, active: true });
    });

    it('tells unknown from deleted: 404 and 410, the latter with the ETag of the deletion', async () => {
      const made = (await send('POST', 'Patient', { resourceType: 'Patient' })).json.id;
      const removed = await send('DELETE', `Patient/${made}`);
      expect(removed.headers.get('etag')).toBe('W/"2"');
      const gone = await get(`Patient/${made}`);
      expect([gone.status, gone.headers.get('etag'), gone.json.issue[0].code]).toEqual([410, 'W/"2"', 'deleted']);
      expect(gone.headers.get('last-modified')).toBe(removed.headers.get('last-modified'));
      const unknown = await get('Patient/unknown');
      expect([unknown.status, unknown.headers.get('etag')]).toEqual([404, null]);
    });

    it('takes no parameters of searches, unless asked to be lenient', async () => {
      const answer = await get(`Patient/${id}?family=Read`);
      expect([answer.status, answer.json.issue[0].expression]).toEqual([400, ['family']]);
      expect((await get(`Patient/${id}?family=Read`, { prefer: 'handling=lenient' })).status).toBe(200);
    });

    it('HEAD is answered as GET, without a body (§3.1.0.16)', async () => {
      for (const path of [
        `Patient/${id}`,
        `Patient/${id}/_history/1`,
        'Patient?family=Read',
        `Patient/${id}/_history`,
        'metadata',
      ]) {
        const [whole, head] = [await get(path), await send('HEAD', path)];
        expect([path, head.status, head.text]).toEqual([path, 200, '']);
        for (const name of ['etag', 'last-modified', 'content-type', 'content-length']) {
          expect([path, name, head.headers.get(name)]).toEqual([path, name, whole.headers.get(name)]);
        }
      }
      expect((await send('HEAD', 'Patient/none')).status).toBe(404);
    });
  });

  describe('http §3.1.0.3 vread', () => {
    it('answers the version with its id and number, 410 for one that is a deletion, 404 for others', async () => {
      const made = (await send('POST', 'Patient', { resourceType: 'Patient' })).json.id;
      await send('PUT', `Patient/${made}`, { resourceType: 'Patient', id: made, active: true });
      await send('DELETE', `Patient/${made}`);
      await send('PUT', `Patient/${made}`, { resourceType: 'Patient', id: made, active: false });
      const version = (number: string | number) => get(`Patient/${made}/_history/${number}`);
      for (const number of [1, 2, 4]) {
        const answer = await version(number);
        expect([answer.status, answer.json.id, answer.json.meta.versionId]).toEqual([200, made, String(number)]);
        expect(answer.headers.get('etag')).toBe(`W/"${number}"`);
        expect(answer.headers.get('last-modified')).toMatch(/GMT$/);
      }
      const deletion = await version(3);
      expect([deletion.status, deletion.headers.get('etag')]).toEqual([410, 'W/"3"']);
      for (const number of [0, 5, '01x', 'abc', '99999999999999', '-1'])
        expect((await version(number)).status).toBe(404);
      expect((await get('Patient/unknown/_history/1')).status).toBe(404);
    });
  });
});
