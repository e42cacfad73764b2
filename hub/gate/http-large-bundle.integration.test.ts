/** Batches and transactions that are too large to be read as one text (FHIR R4 §3.1.0.11): the same rules hold. */
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contents, ended, statusOf } from '../bulk/testing.ts';
import { type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };
/** Above what is read as one text. */
const largeBytes = 6 * 1024 * 1024;

describe('large bundles', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ bundleBytes: 16 * 1024 * 1024 });
  });
  afterAll(() => hub.stop());

  const padding = 'á "quoted" \\ text '.repeat(400);
  /** Fills a Bundle up with Observations of a patient until it is large. */
  const large = (type: string, code: string, entries: object[], after: object[] = [], subject = 'urn:uuid:large') => {
    const filling = [];
    for (let bytes = 0; bytes < largeBytes; bytes += padding.length) {
      const resource = {
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'urn:large', code }] },
        ...(subject ? { subject: { reference: subject } } : {}),
        note: [{ text: padding }],
      };
      filling.push({ resource, request: { method: 'POST', url: 'Observation' } });
    }
    return { resourceType: 'Bundle', type, entry: [...entries, ...filling, ...after] };
  };
  const post = (body: object | Buffer, headers: object = {}, options: CallOptions = {}) =>
    hub.send('POST', '/fhir', Buffer.isBuffer(body) ? body : JSON.stringify(body), {
      ...options,
      headers: { ...json, ...headers },
    });
  const patient = (value: string, more: object = {}) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:large', value }],
    ...more,
  });
  const made = (resource: Json, request: object = {}) => ({
    fullUrl: 'urn:uuid:large',
    resource,
    request: { method: 'POST', url: resource.resourceType, ...request },
  });
  const count = async (query: string) => (await hub.get(`/fhir/${query}&_summary=count`)).json.total;
  const statuses = (answer: Json) => answer.json.entry.map((entry: Json) => entry.response.status);

  it('carries a transaction out in order, its references put right', async () => {
    await hub.send(
      'PUT',
      '/fhir/Basic/large-gone',
      { resourceType: 'Basic', id: 'large-gone', code: { text: 'x' } },
      { headers: json },
    );
    const answer = await post(
      large(
        'transaction',
        'order',
        [
          { request: { method: 'GET', url: 'Basic/large-put' } },
          {
            resource: { resourceType: 'Basic', id: 'large-put', code: { text: 'é' } },
            request: { method: 'PUT', url: 'Basic/large-put' },
          },
        ],
        [
          made(patient('order', { meta: { tag: [{ system: 'urn:large', code: 'kept' }] } })),
          { request: { method: 'DELETE', url: 'Basic/large-gone' } },
        ],
      ),
    );
    expect(answer.status).toBe(200);
    const told = statuses(answer);
    expect([told[0], told[1], told.at(-2), told.at(-1)]).toEqual(['200', '201', '201', '204']);
    expect(answer.json.entry[0].resource.code.text).toBe('é');
    expect(new Set(told.slice(2, -2))).toEqual(new Set(['201']));
    const id = answer.json.entry.at(-2).response.location.split('/')[1];
    expect(await count(`Observation?patient=${id}`)).toBe(told.length - 4);
    const one = answer.json.entry[5].response;
    const stored = await hub.get(`/fhir/${one.location}`);
    expect(stored.json).toMatchObject({ subject: { reference: `Patient/${id}` }, note: [{ text: padding }] });
    expect([stored.headers.get('etag'), stored.json.meta.lastUpdated]).toEqual([one.etag, one.lastModified]);
    expect((await hub.get('/fhir/Basic/large-gone')).status).toBe(410);
    const meta = await hub.get('/fhir/Patient/$meta');
    expect(meta.json.parameter[0].valueMeta.tag).toContainEqual({ system: 'urn:large', code: 'kept' });
  });

  it('stores next versions of what is there, found by what they say now', async () => {
    const puts = (code: string) => {
      const sent = large('transaction', code, [], [], '');
      const entry = sent.entry.map((one, i) => {
        const id = `large-next-${i}`;
        const { resource } = one as { resource: object };
        return { resource: { ...resource, id }, request: { method: 'PUT', url: `Observation/${id}` } };
      });
      return { ...sent, entry };
    };
    expect(new Set(statuses(await post(puts('before'))))).toEqual(new Set(['201']));
    const answer = await post(puts('next'));
    expect(new Set(statuses(answer))).toEqual(new Set(['200']));
    expect(answer.json.entry[7].response.location).toBe('Observation/large-next-7/_history/2');
    const entries = answer.json.entry.length;
    expect([await count('Observation?code=before'), await count('Observation?code=next')]).toEqual([0, entries]);
    const [first, next] = [1, 2].map((version) => hub.get(`/fhir/Observation/large-next-7/_history/${version}`));
    expect([(await first!).json.code.coding[0].code, (await next!).json.code.coding[0].code]).toEqual([
      'before',
      'next',
    ]);
  });

  it('answers with the resources as they are stored where that is preferred', async () => {
    const sent = large('transaction', 'representation', [made(patient('representation'))]);
    const answer = await post(sent, { prefer: 'return=representation' });
    expect(answer.status).toBe(200);
    const { id, meta } = answer.json.entry.at(-1).resource;
    expect((await hub.get(`/fhir/Observation/${id}`)).json).toEqual(answer.json.entry.at(-1).resource);
    expect(meta.lastUpdated).toBe(answer.json.entry.at(-1).response.lastModified);
    const batch = await post(large('batch', 'batch-representation', [], [], ''), { prefer: 'return=representation' });
    expect(batch.json.entry.at(-1).resource.note[0].text).toBe(padding);
  });

  it('gives a transaction a later time than what was committed while it was prepared', async () => {
    const other = async () => {
      const resource = { resourceType: 'Basic', code: { text: 'meanwhile' } };
      return (await hub.send('POST', '/fhir/Basic', resource, { headers: json })).json.meta.lastUpdated as string;
    };
    const sending = post(large('transaction', 'time', [made(patient('time'))]), { prefer: 'return=representation' });
    let isDone = false;
    sending.finally(() => {
      isDone = true;
    });
    let last = '';
    while (!isDone) last = await other();
    const answer = await sending;
    const times = new Set(answer.json.entry.map((entry: Json) => entry.response.lastModified));
    expect(times.size).toBe(1);
    const { resource } = answer.json.entry.at(-1);
    expect(times).toContain(resource.meta.lastUpdated);
    expect((await hub.get(`/fhir/Observation/${resource.id}`)).json).toEqual(resource);
    const newer = await hub.get(`/fhir/Basic?_lastUpdated=gt${resource.meta.lastUpdated}&_count=1000`);
    for (const { resource: one } of newer.json.entry ?? [])
      expect(one.meta.lastUpdated > resource.meta.lastUpdated).toBe(true);
    expect(last).not.toBe('');
  });

  it('creates under a condition once', async () => {
    const person = { name: [{ family: 'Largeness', given: ['Lara'] }], birthDate: '1980-04-05', gender: 'female' };
    const sent = () =>
      large('transaction', 'condition', [
        made(patient('condition', person), { ifNoneExist: 'identifier=urn:large|condition' }),
      ]);
    expect(statuses(await post(sent()))[0]).toBe('201');
    const again = await post(sent(), { prefer: 'return=representation' });
    expect(statuses(again)[0]).toBe('200');
    expect(again.json.entry[0].resource.name[0].family).toBe('Largeness');
    expect(await count('Patient?identifier=urn:large|condition')).toBe(1);
    expect(await count(`Observation?patient=${again.json.entry[0].resource.id}&code=condition`)).toBe(
      2 * (again.json.entry.length - 1),
    );
  });

  it('changes nothing where one entry is wrong, and says which', async () => {
    const at = large('transaction', 'wrong', []).entry.length;
    const wrong: [object, number, string][] = [
      [
        { resource: { resourceType: 'Patient', gender: 'nonsense' }, request: { method: 'POST', url: 'Patient' } },
        422,
        `Bundle.entry[${at}]`,
      ],
      [
        { resource: { resourceType: 'Nonsense' }, request: { method: 'POST', url: 'Patient' } },
        400,
        `Bundle.entry[${at}].resource`,
      ],
      [{ resource: patient('wrong'), request: { method: 'POST', url: 'Observation' } }, 400, `Bundle.entry[${at}]`],
      [{ resource: patient('wrong') }, 400, `Bundle.entry[${at}].request`],
      [
        made(
          patient('wrong', { link: [{ other: { reference: 'Patient?identifier=urn:large|none' }, type: 'refer' }] }),
        ),
        412,
        `Bundle.entry[${at}]`,
      ],
    ];
    for (const [entry, status, place] of wrong) {
      const answer = await post(large('transaction', 'wrong', [], [entry]));
      expect([answer.status, answer.json.issue[0].expression?.[0]]).toEqual([status, expect.stringContaining(place)]);
    }
    const text = JSON.stringify(large('transaction', 'wrong', [made(patient('wrong'))]), null, 1);
    const twice = text.replace(
      /"status": "final",(?![\s\S]*"status": "final")/,
      '"status": "final",\n"status": "final",',
    );
    const line = twice.slice(0, twice.lastIndexOf('"status"')).split('\n').length;
    const answer = await post(Buffer.from(twice));
    expect([answer.status, answer.json.issue[0].diagnostics]).toEqual([
      400,
      expect.stringMatching(`^Line ${line}, column 1:`),
    ]);
    expect(await count('Observation?code=wrong')).toBe(0);
    expect(await count('Patient?identifier=urn:large|wrong')).toBe(0);
  });

  it('keeps what is wrong with an entry of a batch with that entry', async () => {
    const answer = await post(
      large(
        'batch',
        'batch',
        [{ resource: { resourceType: 'Patient', gender: 'nonsense' }, request: { method: 'POST', url: 'Patient' } }],
        [
          { resource: { resourceType: 'Nonsense' }, request: { method: 'POST', url: 'Patient' } },
          { request: { method: 'GET', url: 'Observation?code=batch&_count=1' } },
          { request: { method: 'GET', url: 'Patient/none' } },
        ],
        '',
      ),
    );
    const told = statuses(answer);
    expect([told[0], ...told.slice(-3)]).toEqual(['422', '400', '200', '404']);
    expect(new Set(told.slice(1, -3))).toEqual(new Set(['201']));
    expect(answer.json.entry.at(-2).resource.total ?? told.length - 4).toBe(told.length - 4);
    expect(await count('Observation?code=batch')).toBe(told.length - 4);
  });

  it('refuses what is no UTF-8, too long, too many, of another type, or sent without a right to', async () => {
    const text = JSON.stringify(large('transaction', 'refused', [made(patient('refused'))]));
    const bytes = Buffer.from(text);
    bytes[Math.floor(text.length / 2)] = 0xff;
    expect((await post(bytes)).status).toBe(400);
    expect((await post(Buffer.concat([Buffer.from(text), Buffer.alloc(11 * 1024 * 1024, 0x20)]))).status).toBe(413);
    expect(
      (
        await post({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: Array(10_001).fill(made(patient('refused', { text: { status: 'empty', div: 'x'.repeat(500) } }))),
        })
      ).json.issue[0].code,
    ).toBe('too-costly');
    expect((await post(large('collection', 'refused', [made(patient('refused'))]))).status).toBe(400);
    expect((await post(Buffer.from(text), { 'content-type': 'text/csv' })).status).toBe(415);
    expect((await post(Buffer.from(text), {}, { role: null })).status).toBe(401);
    expect(await count('Observation?code=refused')).toBe(0);
  });

  it('carries out those that come at once, and one within another', async () => {
    const some = ['one', 'two', 'three'].map((code) => post(large('transaction', code, [made(patient(code))])));
    for (const answer of await Promise.all(some)) expect(answer.status).toBe(200);
    const inner = {
      resource: large('transaction', 'inner', [made(patient('inner'))]),
      request: { method: 'POST', url: '/' },
    };
    const answer = await post({ resourceType: 'Bundle', type: 'batch', entry: [inner] });
    expect(statuses(answer)).toEqual(['200']);
    expect(await count('Observation?code=inner')).toBe(inner.resource.entry.length - 1);
  });

  it('answers later where that is preferred', async () => {
    const begun = await post(large('transaction', 'later', [made(patient('later'))]), { prefer: 'respond-async' });
    expect(begun.status).toBe(202);
    const done = await ended(hub, statusOf(hub, begun));
    const [answer] = await contents(hub, done.json.output);
    expect(new Set(statuses({ json: answer }))).toEqual(new Set(['201']));
    const tooLong = Buffer.alloc(17 * 1024 * 1024, 0x20);
    expect((await post(tooLong, { prefer: 'respond-async' })).status).toBe(413);
  });

  it('stores nothing of a body that ends early, and goes on', async () => {
    const text = JSON.stringify(large('transaction', 'early', [made(patient('early'))]));
    const token = await hub.token('administrator');
    await new Promise<void>((done) => {
      const sending = request(`${hub.url}/fhir`, {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${token}` },
      });
      sending.on('error', () => done());
      sending.write(text.slice(0, text.length - 100), () => sending.destroy());
    });
    expect((await post(large('transaction', 'after', [made(patient('after'))]))).status).toBe(200);
    expect(await count('Observation?code=early')).toBe(0);
    expect(readdirSync(join(hub.config.dataDir, 'spool'))).toEqual([]);
  });
});
