import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';

describe('Binary in its own form (https://hl7.org/fhir/R4/binary.html#rest)', () => {
  let hub: AttackedHub;
  beforeAll(async () => {
    hub = await startAttackedHub();
  });
  afterAll(() => hub.stop());

  const fhir = { accept: 'application/fhir+json' };
  const send = (method: string, path: string, body: Buffer | string, headers: Record<string, string>) =>
    hub.send(method, `/fhir/${path}`, body, { headers });
  const bytesOf = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${hub.url}/fhir/${path}`, {
      headers: { authorization: `Bearer ${await hub.token('administrator')}`, ...headers },
    });
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
  };

  it('takes bytes of any type and gives them back as they were, or as a resource', async () => {
    const bytes = randomBytes(5_000);
    const made = await send('POST', 'Binary', bytes, { 'content-type': 'image/png', ...fhir });
    expect([made.status, made.json.resourceType, made.json.contentType]).toEqual([201, 'Binary', 'image/png']);
    const { id } = made.json;
    for (const accept of ['*/*', 'image/png', 'image/*', 'text/html, */*;q=0.1', 'application/octet-stream']) {
      const answer = await bytesOf(`Binary/${id}`, { accept });
      expect([accept, answer.status, answer.headers.get('content-type')]).toEqual([accept, 200, 'image/png']);
      expect(answer.bytes.equals(bytes)).toBe(true);
      expect(answer.headers.get('etag')).toBe('W/"1"');
    }
    for (const accept of ['text/html', 'application/json']) {
      const { status } = await leavingOneEvent(hub, accept, () => bytesOf(`Binary/${id}`, { accept }));
      expect([accept, status]).toEqual([accept, 406]);
    }
    const resource = await hub.get(`/fhir/Binary/${id}`, { headers: fhir });
    expect(Buffer.from(resource.json.data, 'base64').equals(bytes)).toBe(true);
    expect((await hub.get(`/fhir/Binary/${id}?_format=json`)).json.resourceType).toBe('Binary');
    expect((await bytesOf(`Binary/${id}/_history/1`)).bytes.equals(bytes)).toBe(true);
    expect((await bytesOf(`Binary/${id}`, { 'if-none-match': 'W/"1"' })).status).toBe(304);
  });

  it('updates under the id of the address, versions and preconditions as ever', async () => {
    const put = (text: string, headers = {}) =>
      send('PUT', 'Binary/mine', text, { 'content-type': 'text/plain; charset=utf-8', ...fhir, ...headers });
    expect((await put('one')).status).toBe(201);
    expect((await put('two', { 'if-match': 'W/"9"' })).status).toBe(412);
    expect((await put('two', { 'if-match': 'W/"1"' })).status).toBe(200);
    const answer = await bytesOf('Binary/mine');
    expect([answer.bytes.toString(), answer.headers.get('content-type')]).toEqual(['two', 'text/plain; charset=utf-8']);
    expect((await hub.send('DELETE', '/fhir/Binary/mine')).status).toBe(204);
    expect((await bytesOf('Binary/mine')).status).toBe(410);
  });

  it('tells a browser not to trust the content, whatever it says it is', async () => {
    const script = '<html><script>alert(1)</script></html>';
    hub.secret(script);
    const { id } = (await send('POST', 'Binary', script, { 'content-type': 'text/html', ...fhir })).json;
    const { headers } = await bytesOf(`Binary/${id}`);
    expect(headers.get('content-disposition')).toBe('attachment');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const resource = { resourceType: 'Binary', contentType: 'text/html\r\nx-evil: 1', data: 'eA==' };
    const made = await send('POST', 'Binary', JSON.stringify(resource), {
      'content-type': 'application/fhir+json',
      ...fhir,
    });
    if (made.status === 201) {
      const answer = await bytesOf(`Binary/${made.json.id}`);
      expect([answer.headers.get('x-evil'), answer.headers.get('content-type')]).toEqual([
        null,
        'application/octet-stream',
      ]);
    } else {
      expect(made.status).toBe(422);
    }
  });

  it('keeps X-Security-Context', async () => {
    await hub.send('PUT', '/fhir/Patient/ctx', '{"resourceType":"Patient","id":"ctx"}', {
      headers: { 'content-type': 'application/fhir+json' },
    });
    const made = await send('POST', 'Binary', 'x', {
      'content-type': 'text/plain',
      'x-security-context': 'Patient/ctx',
      ...fhir,
    });
    expect(made.json.securityContext).toEqual({ reference: 'Patient/ctx' });
    expect((await bytesOf(`Binary/${made.json.id}`)).headers.get('x-security-context')).toBe('Patient/ctx');
    const wrong = await send('POST', 'Binary', 'x', {
      'content-type': 'text/plain',
      'x-security-context': 'a b',
      ...fhir,
    });
    expect(wrong.status).toBe(400);
  });

  it('takes a Binary as a resource too, and JSON that is none as content', async () => {
    const resource = JSON.stringify({ resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' });
    for (const type of ['application/fhir+json', 'application/json']) {
      const made = await send('POST', 'Binary', resource, { 'content-type': type, ...fhir });
      expect((await bytesOf(`Binary/${made.json.id}`)).bytes.toString()).toBe('hello');
    }
    const made = await send('POST', 'Binary', '{"a":1}', { 'content-type': 'application/json', ...fhir });
    expect((await bytesOf(`Binary/${made.json.id}`)).bytes.toString()).toBe('{"a":1}');
    expect(
      (await send('POST', 'Binary', '{"resourceType":"Patient"}', { 'content-type': 'application/fhir+json' })).status,
    ).toBe(400);
    expect((await send('POST', 'Binary', 'x', { 'content-type': 'nonsense' })).status).toBe(415);
  });
});
