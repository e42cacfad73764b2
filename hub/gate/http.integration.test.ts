import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf, lastRowOf } from '../audit/testing.ts';
import { signToken, tokenKey } from '../secrets/index.ts';
import { type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('the HTTP gate', () => {
  let hub: TestHub;
  let accounts: Accounts;
  beforeAll(async () => {
    hub = await startTestHub({ messageBytes: 256 * 1024, bundleBytes: 256 * 1024 });
    accounts = new Accounts(hub.test.database);
    await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, 'right-password');
    await accounts.make({ username: 'bob', name: 'Bob', role: 'clinician', organization: 'Clinic' }, 'right-password');
  });
  afterAll(() => hub.stop());

  const post = (path: string, body: string | object | Buffer, options: CallOptions = {}) =>
    hub.send('POST', path, body, { ...options, headers: { ...json, ...options.headers } });
  const put = (path: string, body: string | object, headers: Record<string, string> = {}) =>
    hub.send('PUT', path, body, { headers: { ...json, ...headers } });
  const signIn = async (username: string, password: string) => {
    const answer = await hub.send('POST', '/auth/login', { username, password }, { role: null });
    return { status: answer.status, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
  };
  const accesses = (since = 0) => accessesOf(hub, since);
  const lastAccess = () => lastRowOf(hub);
  const make = async (family: string) =>
    (await post('/fhir/Patient', { resourceType: 'Patient', name: [{ family }] })).json.id as string;

  describe('who may do what', () => {
    it('answers 401 without a token and with one that is not right', async () => {
      for (const headers of [
        {},
        { authorization: 'Bearer nonsense' },
        { authorization: 'Bearer a.b.c' },
        { cookie: 'causeway_session=unknown' },
      ]) {
        const answer = await hub.get('/fhir/Patient', { role: null, headers: headers as Record<string, string> });
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(answer.json).toMatchObject({
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'error', code: 'login' }],
        });
      }
    });

    it('takes a token until it expires, however often it was taken before', async () => {
      const key = tokenKey(hub.config.dataDir);
      const token = await signToken(key, { subject: 'short', role: 'clinician', expiresInSeconds: 2 });
      const get = async () =>
        (await hub.get('/fhir/Patient?_count=1', { role: null, headers: { authorization: `Bearer ${token}` } })).status;
      expect(await get()).toBe(200);
      await expect.poll(get, { timeout: 5_000 }).toBe(401);
    });

    it('answers 403 to a role that may not', async () => {
      expect((await post('/fhir/Patient', { resourceType: 'Patient' }, { role: 'steward' })).status).toBe(403);
      expect((await hub.get('/api/reviews', { role: 'clinician' })).status).toBe(403);
      expect((await post('/ccda', '<a/>', { role: 'clinician' })).status).toBe(403);
      expect((await post('/api/messages/x/replay', {}, { role: 'clinician' })).status).toBe(403);
    });

    it('gives a role without business in records none of them', async () => {
      const id = await make('Unseen');
      expect(
        (await hub.get('/fhir/Patient?family=Unseen', { role: 'integration-engineer' })).json.entry,
      ).toBeUndefined();
      expect((await hub.get(`/fhir/Patient/${id}`, { role: 'integration-engineer' })).status).toBe(404);
      expect((await hub.get(`/fhir/Patient/${id}/$everything`, { role: 'integration-engineer' })).status).toBe(404);
      expect((await hub.get('/fhir/_history', { role: 'integration-engineer' })).json.entry).toBeUndefined();
      expect((await hub.get(`/api/persons/${id}`, { role: 'integration-engineer' })).status).toBe(403);
      expect((await hub.get(`/api/persons/${id}`, { role: 'clinician' })).status).toBe(200);
    });

    it('takes a session for reading, and for changes only from its own pages', async () => {
      const { status, cookie } = await signIn('ann', 'right-password');
      expect(status).toBe(200);
      const as = (headers: Record<string, string>) => ({ role: null, headers: { cookie, ...headers } });
      expect((await hub.get('/fhir/Patient', as({}))).status).toBe(200);
      const patient = { resourceType: 'Patient' };
      expect((await post('/fhir/Patient', patient, as({ 'sec-fetch-site': 'same-origin' }))).status).toBe(201);
      expect((await post('/fhir/Patient', patient, as({ 'sec-fetch-site': 'cross-site' }))).status).toBe(403);
      expect((await post('/fhir/Patient', patient, as({ 'sec-fetch-site': 'same-site' }))).status).toBe(403);
      expect((await post('/fhir/Patient', patient, as({ origin: 'https://elsewhere.example' }))).status).toBe(403);
      expect((await post('/fhir/Patient', patient, as({ origin: new URL(hub.url).origin }))).status).toBe(201);
      expect((await hub.send('POST', '/auth/logout', undefined, as({}))).status).toBe(204);
      expect((await hub.get('/fhir/Patient', as({}))).status).toBe(401);
    });

    it('ends a session at its time', async () => {
      const { cookie } = await signIn('ann', 'right-password');
      const get = () => hub.get('/auth/session', { role: null, headers: { cookie } });
      expect((await get()).json.user).toEqual({
        username: 'ann',
        name: 'Ann',
        role: 'clinician',
        organization: 'Clinic',
      });
      await hub.test.database.query(`UPDATE session SET expires = now() - interval '1 second'`);
      expect((await get()).status).toBe(401);
    });

    it('locks an account after five wrong passwords, for a while', async () => {
      for (let i = 0; i < 5; i++) expect((await signIn('bob', 'wrong')).status).toBe(401);
      expect((await signIn('bob', 'right-password')).status).toBe(429);
      await hub.test.database.query(`UPDATE sign_in_attempt SET locked_until = now() - interval '1 second'`);
      expect((await signIn('bob', 'right-password')).status).toBe(200);
      expect((await signIn('nobody', 'wrong')).status).toBe(401);
      expect((await signIn('b\0b', 'wrong')).status).toBe(400);
    });

    it('lets no burst of attempts try more passwords than the lock allows', async () => {
      await accounts.make(
        { username: 'carl', name: 'Carl', role: 'clinician', organization: 'Clinic' },
        'right-password',
      );
      const burst = await Promise.all(
        [...Array.from({ length: 12 }, () => 'wrong'), 'right-password'].map((password) => signIn('carl', password)),
      );
      expect(burst.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(5);
      expect(burst.at(-1)!.status).toBe(429);
    });
  });

  describe('what cannot be right', () => {
    it.each([
      ['no JSON', '{"resourceType":"Patient",', 400, 'structure'],
      ['a duplicate key', '{"resourceType":"Patient","active":true,"active":false}', 400, 'structure'],
      ['another type than the address', '{"resourceType":"Observation"}', 400, 'invariant'],
      ['an unknown element', '{"resourceType":"Patient","nickname":"x"}', 422, undefined],
      ['a wrong date', '{"resourceType":"Patient","birthDate":"2024-02-30"}', 422, undefined],
      ['a wrong code', '{"resourceType":"Patient","gender":"f"}', 422, undefined],
      [
        'bytes that are no UTF-8',
        Buffer.from('{"resourceType":"Patient","name":[{"family":"\xff\xfe"}]}', 'latin1'),
        400,
        'structure',
      ],
      ['nothing', '', 400, undefined],
    ])('refuses a resource with %s as an OperationOutcome', async (_, body, status, code) => {
      const answer = await post('/fhir/Patient', body);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toContain('application/fhir+json');
      expect(answer.json.resourceType).toBe('OperationOutcome');
      const [issue] = answer.json.issue;
      expect(issue).toMatchObject({ severity: 'error', diagnostics: expect.stringMatching(/\w+ \w+/) });
      if (code) expect(issue.code).toBe(code);
      if (status === 422) expect(issue.expression[0]).toMatch(/Patient|nickname|birthDate|gender/);
    });

    it('answers unknown types, ids and addresses', async () => {
      expect((await hub.get('/fhir/Nonsense/1')).status).toBe(404);
      expect((await hub.get('/fhir/Nonsense')).status).toBe(404);
      expect((await post('/fhir/Nonsense', { resourceType: 'Nonsense' })).status).toBe(404);
      expect((await hub.get('/fhir/Patient/none')).json.issue[0].code).toBe('not-found');
      expect((await hub.get('/fhir/Patient/1/2/3/4')).status).toBe(404);
      expect((await hub.get('/nowhere')).json.error).toMatch(/nothing at this address/);
      expect((await hub.send('POST', '/fhir/Patient/1', '[]')).headers.get('allow')).toContain('PUT');
    });

    it('answers 413 to a body over the limit', async () => {
      const answer = await post(
        '/fhir/Patient',
        JSON.stringify({ resourceType: 'Patient', name: [{ text: 'x'.repeat(300_000) }] }),
      );
      expect(answer.status).toBe(413);
      expect(answer.json.issue[0].code).toBe('too-long');
      expect((await post('/inbox', Buffer.alloc(300_000, 0x41))).status).toBe(413);
    });

    it.each(
      [
        ['_cursor=99999999999999999999999'],
        ['_cursor=abc'],
        [`_cursor=${Buffer.from('["abc",5]').toString('base64url')}&_sort=_lastUpdated`],
        [`_cursor=${Buffer.from('[{"a":1},5]').toString('base64url')}`],
        ['_count=x'],
        ['_count=-1'],
        ['_sort=nothing'],
        ['name=%00'],
        ['name:contains=%25%27%3B--'],
        ['birthdate=yesterday'],
        ['birthdate=ge'],
        ['_lastUpdated=0000'],
        ['_lastUpdated=ge9999999'],
        ['gender:nonsense=x'],
        ['nothing=1'],
        ['_include=Patient'],
        ['_has:Observation:patient:code=1'],
        ['general-practitioner.name=x'],
        ['general-practitioner.nothing=x'],
        ['organization:Nonsense.name=x'],
        [`${'name=x&'.repeat(300)}`],
        [`_id=${Array.from({ length: 1_500 }, (_, i) => i).join(',')}`],
        [`${'_include=Patient:organization&'.repeat(60)}`],
      ].map(([query]) => [query!.slice(0, 60), query!]),
    )('answers a search by %s without a fault of its own', async (_, query) => {
      for (const path of [
        '/fhir/Patient',
        '/fhir/Patient/x/_history',
        '/fhir/_history',
        '/fhir/Patient/x/$everything',
      ]) {
        const answer = await hub.get(`${path}?${query}`);
        expect([path, answer.status]).toEqual([
          path,
          expect.toSatisfy((status: number) => [200, 400, 404].includes(status)),
        ]);
        expect(['Bundle', 'OperationOutcome']).toContain(answer.json.resourceType);
      }
    });

    it('names the parameter that is not understood', async () => {
      const answer = await hub.get('/fhir/Patient?birthdat=2000');
      expect(answer.status).toBe(400);
      expect(answer.json.issue[0]).toMatchObject({
        expression: ['birthdat'],
        diagnostics: expect.stringContaining('birthdate'),
      });
      const lenient = await hub.get('/fhir/Patient?birthdat=2000', { headers: { prefer: 'handling=lenient' } });
      expect(lenient.status).toBe(200);
      expect(lenient.json.entry.at(-1).search.mode).toBe('outcome');
    });

    it('refuses hostile XML with the reason, keeps it, and lives', async () => {
      const bomb = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY b${i} "${`&${i ? `b${i - 1}` : 'a'};`.repeat(10)}">`).join('')}]><ClinicalDocument xmlns="urn:hl7-org:v3">&b19;</ClinicalDocument>`;
      const external =
        '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><ClinicalDocument xmlns="urn:hl7-org:v3"><title>&x;</title></ClinicalDocument>';
      const deep = `${'<a>'.repeat(30_000)}`;
      for (const body of [
        bomb,
        external,
        deep,
        '<html/>',
        'plain text',
        '<',
        '\u0000',
        '{',
        '{"resourceType":"Patient"}',
      ]) {
        const answer = await post('/ccda', body, { role: 'system', headers: { 'content-type': 'application/xml' } });
        expect([body.slice(0, 30), answer.status]).toEqual([body.slice(0, 30), 422]);
        expect(answer.json.error).toMatch(/\w+ \w+ \w+/);
        expect(answer.json.error).not.toContain('root:');
      }
      const { rows } = await hub.test.database.query(`SELECT count(*) AS kept FROM message WHERE state = 'refused'`);
      expect(rows[0]!.kept).toBe(9);
      expect((await hub.get('/api/status')).json.refused).toBe(9);
    });
  });

  describe('FHIR', () => {
    it('does as Prefer says', async () => {
      const body = { resourceType: 'Patient', active: true };
      const minimal = await post('/fhir/Patient', body, { headers: { prefer: 'return=minimal' } });
      expect([minimal.status, minimal.text]).toEqual([201, '']);
      expect(minimal.headers.get('location')).toMatch(/\/fhir\/Patient\/[\w-]+\/_history\/1$/);
      const outcome = await post('/fhir/Patient', body, { headers: { prefer: 'return=OperationOutcome' } });
      expect(outcome.json.resourceType).toBe('OperationOutcome');
      expect((await post('/fhir/Patient', body)).json).toMatchObject({ ...body, meta: { versionId: '1' } });
    });

    it('keeps versions apart by ETag, If-Match and If-None-Match', async () => {
      const made = await post('/fhir/Patient', { resourceType: 'Patient', active: true });
      const { id } = made.json;
      expect(made.headers.get('etag')).toBe('W/"1"');
      const next = { resourceType: 'Patient', id, active: false };
      expect((await put(`/fhir/Patient/${id}`, next, { 'if-match': 'W/"7"' })).status).toBe(412);
      const updated = await put(`/fhir/Patient/${id}`, next, { 'if-match': 'W/"1"' });
      expect([updated.status, updated.headers.get('etag')]).toEqual([200, 'W/"2"']);
      expect((await hub.get(`/fhir/Patient/${id}`, { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(304);
      expect((await hub.get(`/fhir/Patient/${id}`, { headers: { 'if-none-match': 'W/"1"' } })).status).toBe(200);
      expect((await hub.get(`/fhir/Patient/${id}/_history/1`)).json.active).toBe(true);
      expect((await hub.get(`/fhir/Patient/${id}/_history/9`)).status).toBe(404);
      expect(
        (await hub.send('DELETE', `/fhir/Patient/${id}`, undefined, { headers: { 'if-match': 'W/"1"' } })).status,
      ).toBe(412);
      expect((await hub.send('DELETE', `/fhir/Patient/${id}`)).status).toBe(204);
      expect((await hub.get(`/fhir/Patient/${id}`)).status).toBe(410);
      expect((await put(`/fhir/Patient/${id}`, { ...next, id: 'other' })).status).toBe(400);
    });

    it('creates once under If-None-Exist', async () => {
      const body = { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: 'once' }] };
      const headers = { 'if-none-exist': 'identifier=urn:x|once' };
      const answers = await Promise.all(Array.from({ length: 4 }, () => post('/fhir/Patient', body, { headers })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
      expect(new Set(answers.map((answer) => answer.json.id)).size).toBe(1);
    });

    it('searches by POST as by GET', async () => {
      await make('Postman');
      const answer = await hub.send('POST', '/fhir/Patient/_search', 'family=Postman', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(answer.status).toBe(200);
      expect(answer.json.entry).toHaveLength(1);
    });

    it('carries out the entries of a batch each for itself', async () => {
      const id = await make('Batchman');
      const answer = await post('/fhir', {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [
          { request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient', active: true } },
          { request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient', gender: 'x' } },
          { request: { method: 'GET', url: `Patient/${id}` } },
          { request: { method: 'GET', url: 'Patient/none' } },
          { request: { method: 'GET', url: 'Patient?family=Batchman' } },
          { request: { method: 'DELETE', url: 'Patient/none' } },
          { request: { method: 'GET', url: 'Nonsense/1' } },
        ],
      });
      expect(answer.status).toBe(200);
      expect(answer.json.entry.map((entry: Json) => entry.response.status.slice(0, 3))).toEqual([
        '201',
        '422',
        '200',
        '404',
        '200',
        '204',
        '404',
      ]);
      expect(answer.json.entry[1].response.outcome.issue[0].severity).toBe('error');
    });

    it('pages $everything and history to the end, each once', async () => {
      const id = await make('Pageman');
      for (let i = 0; i < 7; i++)
        await post('/fhir/Observation', {
          resourceType: 'Observation',
          status: 'final',
          code: { text: `${i}` },
          subject: { reference: `Patient/${id}` },
        });
      const walk = async (path: string) => {
        const seen: string[] = [];
        let next: string | undefined = `${hub.url}${path}`;
        for (let page = 0; next !== undefined && page < 20; page++) {
          const bundle: Json = (await hub.get(next.slice(hub.url.length))).json;
          for (const { resource } of bundle.entry ?? [])
            seen.push(`${resource.resourceType}/${resource.id}/${resource.meta.versionId}`);
          next = bundle.link.find((link: Json) => link.relation === 'next')?.url;
        }
        return seen;
      };
      const all = await walk(`/fhir/Patient/${id}/$everything?_count=3`);
      expect(all).toHaveLength(8);
      expect(new Set(all).size).toBe(8);
      expect(all[0]).toBe(`Patient/${id}/1`);
      expect(await walk(`/fhir/Patient/${id}/$everything?_type=Observation&_count=4`)).toHaveLength(7);
      expect((await hub.get(`/fhir/Patient/${id}/$everything?_type=Nonsense`)).status).toBe(400);
      for (let i = 0; i < 4; i++)
        await put(`/fhir/Patient/${id}`, { resourceType: 'Patient', id, active: i % 2 === 0 });
      expect(await walk(`/fhir/Patient/${id}/_history?_count=2`)).toEqual(
        [5, 4, 3, 2, 1].map((version) => `Patient/${id}/${version}`),
      );
      for (const sort of [
        '',
        '&_sort=_lastUpdated',
        '&_sort=-_lastUpdated',
        '&_sort=date',
        '&_sort=-date',
        '&_sort=_id',
      ]) {
        const searched = await walk(`/fhir/Observation?patient=${id}&_count=2${sort}`);
        expect([sort, searched.length, new Set(searched).size]).toEqual([sort, 7, 7]);
      }
    });
  });

  describe('the record of accesses', () => {
    it('has every access with who, what, about whom, why and how it ended', async () => {
      const id = await make('Logged');
      const since = await lastAccess();
      await hub.get(`/fhir/Patient/${id}`, { role: 'clinician' });
      await hub.get('/fhir/Patient/none', { role: 'clinician' });
      await hub.get('/fhir/Patient?family=Logged', { role: 'clinician' });
      await hub.get(`/fhir/Patient/${id}/$everything`, { role: 'clinician' });
      await hub.get(`/fhir/Patient/${id}/_history`, { role: 'clinician' });
      await post('/fhir/Patient', { resourceType: 'Patient' }, { role: 'steward' });
      const entries = await accesses(since);
      const who = { who: 'test-clinician', role: 'clinician', purpose: 'TREAT' };
      expect(entries).toMatchObject([
        { ...who, action: 'read', what: `/Patient/${id}`, status: 200, patients: [id] },
        { ...who, action: 'read', what: '/Patient/none', status: 404 },
        { ...who, action: 'search', what: '/Patient?family=Logged', status: 200, patients: [id] },
        { ...who, action: 'everything', status: 200, patients: [id] },
        { ...who, action: 'history', status: 200, patients: [id] },
        { who: 'test-steward', action: 'create', what: '/Patient', status: 403 },
      ]);
    });

    it('has each entry of a batch and what a transaction changed', async () => {
      const id = await make('Logbatch');
      const since = await lastAccess();
      const bundle = (type: string, ...entry: object[]) => post('/fhir', { resourceType: 'Bundle', type, entry });
      await bundle(
        'batch',
        { request: { method: 'GET', url: `Patient/${id}` } },
        { request: { method: 'GET', url: 'Patient?family=Logbatch' } },
      );
      await bundle('transaction', {
        request: { method: 'PUT', url: `Patient/${id}` },
        resource: { resourceType: 'Patient', id, active: true },
      });
      const entries = await accesses(since);
      expect(entries.filter(({ patients }) => patients?.includes(id))).toHaveLength(3);
    });

    it('can neither be changed nor shortened', async () => {
      for (const statement of ['UPDATE access_log SET at = now()', 'DELETE FROM access_log', 'TRUNCATE access_log']) {
        await expect(hub.test.database.query(statement)).rejects.toThrow('append-only');
      }
    });
  });
});
