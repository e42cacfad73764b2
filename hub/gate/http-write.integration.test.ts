import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('writing, as the http page says', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const send = (method: string, path: string, body?: object | string, headers: Record<string, string> = {}) =>
    hub.send(method, `/fhir/${path}`, body && (typeof body === 'string' ? body : JSON.stringify(body)), {
      headers: { ...(body ? json : {}), ...headers },
    });
  const get = (path: string) => hub.get(`/fhir/${path}`);
  const patient = (value: string, more: object = {}) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:write', value }],
    ...more,
  });
  const make = async (resource: object) => (await send('POST', 'Patient', resource)).json.id as string;
  const count = async (value: string) => (await get(`Patient?identifier=urn:write|${value}&_summary=count`)).json.total;
  const put = (id: string, more: object = {}, headers: Record<string, string> = {}) =>
    send('PUT', `Patient/${id}`, { resourceType: 'Patient', id, ...more }, headers);

  describe('http §3.1.0.1 create/update/patch/transaction: Prefer', () => {
    it('returns nothing, the resource or an OperationOutcome, and says which preference it followed', async () => {
      const make = (prefer: string) => send('POST', 'Patient', patient('prefer'), prefer ? { prefer } : {});
      const minimal = await make('return=minimal');
      expect([minimal.status, minimal.text, minimal.headers.get('preference-applied')]).toEqual([
        201,
        '',
        'return=minimal',
      ]);
      expect(minimal.headers.get('location')).toContain('/_history/1');
      expect((await make('return=representation')).json.resourceType).toBe('Patient');
      expect((await make('handling=strict, return=OperationOutcome')).json).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'information' }],
      });
      expect((await make('return=nonsense')).json.resourceType).toBe('Patient');
      expect((await make('')).json.resourceType).toBe('Patient');
      expect((await send('POST', 'Patient', '{', { prefer: 'return=minimal' })).json.resourceType).toBe(
        'OperationOutcome',
      );
    });
  });

  describe('http §3.1.0.4 update', () => {
    it('answers 200 and the new version, ignores versionId and lastUpdated, keeps the rest of meta', async () => {
      const id = await make(patient('update'));
      const answer = await put(id, {
        meta: { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z', tag: [{ system: 'urn:t', code: 'kept' }] },
        active: true,
      });
      expect(answer.status).toBe(200);
      expect(answer.json.meta).toMatchObject({ versionId: '2', tag: [{ system: 'urn:t', code: 'kept' }] });
      expect(Date.parse(answer.json.meta.lastUpdated)).toBeGreaterThan(Date.now() - 60_000);
      expect([answer.headers.get('etag'), answer.headers.get('last-modified')]).toEqual([
        'W/"2"',
        new Date(answer.json.meta.lastUpdated).toUTCString(),
      ]);
      expect((await get(`Patient/${id}`)).text).toBe(answer.text);
    });

    it.each([
      ['no id', { id: undefined }],
      ['another id', { id: 'other' }],
    ])('answers 400 where the body has %s', async (_, more) => {
      const answer = await send('PUT', 'Patient/mine', { resourceType: 'Patient', ...more });
      expect([answer.status, answer.json.issue[0].expression]).toEqual([400, ['id']]);
      expect((await get('Patient/mine')).status).toBe(404);
    });

    it('§3.1.0.4.1 creates under the id that the client chose, and brings back what was deleted', async () => {
      const answer = await put('my.own-ID');
      expect([answer.status, answer.json.id]).toEqual([201, 'my.own-ID']);
      expect(answer.headers.get('location')).toBe(`${hub.url}/fhir/Patient/my.own-ID/_history/1`);
      await send('DELETE', 'Patient/my.own-ID');
      const back = await put('my.own-ID', { active: true });
      expect([back.status, back.headers.get('etag')]).toEqual([201, 'W/"3"']);
      expect((await get('Patient/my.own-ID')).json.active).toBe(true);
      expect((await send('PUT', 'Patient/a_b', { resourceType: 'Patient', id: 'a_b' })).status).toBe(422);
    });

    it('§3.1.0.4.2 rejects what cannot be parsed with 400, what breaks rules with 422, unknown types with 404', async () => {
      expect((await send('PUT', 'Patient/reject', '{"resourceType":"Patient"')).status).toBe(400);
      const wrong = await send('PUT', 'Patient/reject', { resourceType: 'Patient', id: 'reject', gender: 'x' });
      expect([wrong.status, wrong.json.issue[0].expression]).toEqual([422, ['Patient.gender']]);
      expect((await send('PUT', 'Nonsense/1', { resourceType: 'Nonsense', id: '1' })).status).toBe(404);
      expect((await hub.send('PUT', '/fhir/Patient/1', '{}', { role: null, headers: json })).status).toBe(401);
    });
  });

  describe('http §3.1.0.4.3 conditional update', () => {
    const update = (value: string, more: object = {}, headers: Record<string, string> = {}) =>
      send('PUT', `Patient?identifier=urn:write|${value}`, patient(value, more), headers);

    it('creates where nothing matches, updates the one that does, refuses several', async () => {
      const first = await update('conditional');
      expect([first.status, first.headers.get('location')]).toEqual([201, expect.stringMatching(/_history\/1$/)]);
      const second = await update('conditional', { active: true });
      expect([second.status, second.json.id, second.json.meta.versionId]).toEqual([200, first.json.id, '2']);
      await make(patient('conditional'));
      const third = await update('conditional');
      expect([third.status, third.json.issue[0].code]).toEqual([412, 'multiple-matches']);
    });

    it('holds an id that is sent against what matches', async () => {
      const made = await update('stated', { id: 'stated-1' });
      expect([made.status, made.json.id]).toEqual([201, 'stated-1']);
      expect((await update('stated', { id: 'stated-1', active: true })).status).toBe(200);
      expect((await update('stated', { id: 'stated-2' })).status).toBe(400);
      const other = await update('stated-none', { id: 'stated-1' });
      expect([other.status, other.json.issue[0].code]).toEqual([409, 'conflict']);
    });

    it('takes preconditions as well, and needs a condition that filters', async () => {
      await update('both');
      expect((await update('both', {}, { 'if-match': 'W/"7"' })).status).toBe(412);
      expect((await update('both', {}, { 'if-match': 'W/"1"' })).status).toBe(200);
      expect((await send('PUT', 'Patient', patient('x'))).status).toBe(400);
      expect((await send('PUT', 'Patient?_count=1', patient('x'))).status).toBe(400);
      expect((await send('PUT', 'Patient?nonsense=1', patient('x'))).status).toBe(400);
    });
  });

  describe('http §3.1.0.5 managing resource contention', () => {
    it.each([
      ['W/"1"', 200],
      ['"1"', 200],
      ['W/"9", W/"1"', 200],
      ['*', 200],
      ['W/"2"', 412],
      ['W/"abc"', 412],
      ['abc', 400],
      ['W/1', 400],
    ])('If-Match: %s on an update of version 1 is %i', async (tag, status) => {
      const id = await make(patient('contention'));
      const answer = await put(id, { active: true }, { 'if-match': tag });
      expect(answer.status).toBe(status);
      expect((await get(`Patient/${id}`)).json.active).toBe(status === 200 ? true : undefined);
      if (status !== 200) expect(answer.json.issue[0].diagnostics).toMatch(/If-Match/);
    });

    it('If-Match on what is not there is 412; the version of a deletion lets it be brought back', async () => {
      expect((await put('contention-none', {}, { 'if-match': '*' })).status).toBe(412);
      expect((await put('contention-none', {}, { 'if-match': 'W/"1"' })).status).toBe(412);
      const id = await make(patient('contention-back'));
      await send('DELETE', `Patient/${id}`);
      expect((await put(id, {}, { 'if-match': 'W/"1"' })).status).toBe(412);
      expect((await put(id, {}, { 'if-match': '*' })).status).toBe(412);
      expect((await put(id, {}, { 'if-match': 'W/"2"' })).status).toBe(201);
    });

    it('If-None-Match: * lets a PUT create only', async () => {
      expect((await put('create-only', {}, { 'if-none-match': '*' })).status).toBe(201);
      expect((await put('create-only', {}, { 'if-none-match': '*' })).status).toBe(412);
      await send('DELETE', 'Patient/create-only');
      expect((await put('create-only', {}, { 'if-none-match': '*' })).status).toBe(201);
    });

    it('If-Match guards a delete', async () => {
      const id = await make(patient('contention-delete'));
      for (const [tag, status] of [
        ['W/"2"', 412],
        ['nonsense', 400],
        ['W/"1"', 204],
      ] as const) {
        expect([tag, (await send('DELETE', `Patient/${id}`, undefined, { 'if-match': tag })).status]).toEqual([
          tag,
          status,
        ]);
      }
    });
  });

  describe('http §3.1.0.7 delete', () => {
    it('takes a resource from reads and searches, keeps its history, and can be repeated', async () => {
      const id = await make(patient('delete'));
      const first = await send('DELETE', `Patient/${id}`);
      expect([first.status, first.text, first.headers.get('etag')]).toEqual([204, '', 'W/"2"']);
      const again = await send('DELETE', `Patient/${id}`);
      expect([again.status, again.headers.get('etag')]).toEqual([204, 'W/"2"']);
      expect((await send('DELETE', 'Patient/never-there')).status).toBe(204);
      expect((await send('DELETE', 'Nonsense/1')).status).toBe(404);
      expect(await count('delete')).toBe(0);
      expect((await get(`Patient/${id}/_history/1`)).json.identifier[0].value).toBe('delete');
      expect((await get(`Patient/${id}/_history`)).json.total).toBe(2);
    });

    it('answers with an OperationOutcome where that is preferred, and takes no body', async () => {
      const id = await make(patient('delete-outcome'));
      expect((await send('DELETE', `Patient/${id}`, { resourceType: 'Patient' })).status).toBe(400);
      const answer = await send('DELETE', `Patient/${id}`, undefined, { prefer: 'return=OperationOutcome' });
      expect([answer.status, answer.json.issue[0].severity]).toEqual([200, 'information']);
    });
  });

  describe('http §3.1.0.7.1 conditional delete', () => {
    it('deletes all that matches, or nothing', async () => {
      const remove = (query: string, headers = {}) => send('DELETE', `Patient?${query}`, undefined, headers);
      await make(patient('several'));
      await make(patient('several'));
      expect((await remove('identifier=urn:write|nothing')).status).toBe(204);
      expect((await remove('identifier=urn:write|several', { 'if-match': 'W/"1"' })).status).toBe(412);
      expect(await count('several')).toBe(2);
      expect((await remove('identifier=urn:write|several')).status).toBe(204);
      expect(await count('several')).toBe(0);
      expect((await remove('')).status).toBe(400);
      expect((await remove('nonsense=1')).status).toBe(400);
    });
  });

  describe('http §3.1.0.8 create', () => {
    it('answers 201 with Location, ETag and Last-Modified, under an id of its own', async () => {
      const answer = await send('POST', 'Patient', patient('create', { id: 'ignored', meta: { versionId: '9' } }));
      const { id, meta } = answer.json;
      expect([answer.status, meta.versionId]).toEqual([201, '1']);
      expect(id).not.toBe('ignored');
      expect(answer.headers.get('location')).toBe(`${hub.url}/fhir/Patient/${id}/_history/1`);
      expect(answer.headers.get('etag')).toBe('W/"1"');
      expect(answer.headers.get('last-modified')).toBe(new Date(meta.lastUpdated).toUTCString());
      expect((await get(`Patient/${id}`)).text).toBe(answer.text);
    });

    it('refuses what cannot be read with 400, what breaks rules with 422, unknown types with 404, with the place', async () => {
      expect((await send('POST', 'Patient', '{"resourceType":')).status).toBe(400);
      expect((await send('POST', 'Patient', { resourceType: 'Observation' })).status).toBe(400);
      const wrong = await send('POST', 'Patient', { resourceType: 'Patient', birthDate: '2026-02-30', nickname: 'x' });
      expect([wrong.status, wrong.json.issue.length]).toEqual([422, 2]);
      expect(wrong.json.issue.map(({ expression }: { expression: string[] }) => expression[0])).toContain(
        'Patient.birthDate',
      );
      expect((await send('POST', 'Nonsense', { resourceType: 'Nonsense' })).status).toBe(404);
    });

    it('§3.1.0.13: keeps what was sent, digits and order included', async () => {
      const text =
        '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.50e1,"unit":"x"},"code":{"text":"é\\u0301"}}';
      const answer = await send('POST', 'Observation', text);
      expect(answer.text).toContain('"status":"final","valueQuantity":{"value":1.50e1,"unit":"x"},"code":');
    });
  });

  describe('http §3.1.0.8.1 conditional create', () => {
    const create = (condition: string, resource: object = patient('once')) =>
      send('POST', 'Patient', resource, { 'if-none-exist': condition });

    it('creates where nothing matches, answers 200 and what matches, refuses several', async () => {
      const first = await create('identifier=urn:write|once');
      const second = await create('identifier=urn:write|once');
      expect([first.status, second.status, second.json.id]).toEqual([201, 200, first.json.id]);
      expect(second.headers.get('etag')).toBe('W/"1"');
      await make(patient('once'));
      expect((await create('identifier=urn:write|once')).status).toBe(412);
    });

    it('needs a condition that only filters', async () => {
      expect((await create('')).status).toBe(412);
      expect((await create('_sort=_id')).status).toBe(400);
      expect((await create('identifier=urn:write|x&_count=1')).status).toBe(400);
      expect((await create('nonsense=1')).status).toBe(400);
    });
  });

  describe('a merged Patient', () => {
    it('cannot be changed or deleted; what it is made of can', async () => {
      const body = oneHuman('Merged');
      await put('merged-a', body);
      await put('merged-b', body);
      const found = (await get('Patient?family=Merged')).json;
      const merged = found.entry[0].resource.id as string;
      if (found.entry.length !== 1) throw new Error('The two were not linked; the test needs better twins.');
      for (const answer of [
        await put(merged),
        await send('DELETE', `Patient/${merged}`),
        await send('PUT', 'Patient?family=Merged', { resourceType: 'Patient' }),
        await send('DELETE', 'Patient?family=Merged'),
      ]) {
        expect([answer.status, answer.json.issue[0].code]).toEqual([409, 'business-rule']);
      }
      const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
      const about = { ...observation, subject: { reference: `Patient/${merged}` } };
      const made = await send('POST', 'Observation', about);
      expect([made.status, (await get(`Observation/${made.json.id}`)).json.subject]).toEqual([201, about.subject]);
      for (const id of [merged, 'merged-a', 'merged-b']) {
        expect([id, (await get(`Observation?patient=${id}`)).json.total]).toEqual([id, 1]);
        expect((await get(`Patient/${id}/$everything`)).json.entry.length).toBeGreaterThan(1);
      }
      const again = await send(
        'POST',
        'Patient',
        { resourceType: 'Patient', ...body },
        { 'if-none-exist': 'family=Merged' },
      );
      expect([again.status, again.json.id]).toEqual([200, merged]);
      expect((await get(again.headers.get('location')!.split('/fhir/')[1]!)).json.id).toBe(merged);
      expect((await get(`Patient/${merged}/_history`)).json.entry).toHaveLength(1);
      expect((await put('merged-a', { ...body, active: true })).status).toBe(200);
      expect((await get(`Patient/${merged}`)).status).toBe(200);
    });
  });
});
