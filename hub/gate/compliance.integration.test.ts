/** The register of refusals, requests with their clocks, and the safeguards as they stand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';

let hub: TestHub;
const officer = { role: 'privacy-officer' };
const password = 'a-password-of-theirs';
const today = () => new Date().toISOString().slice(0, 10);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const refusals = async (query = ''): Promise<Json[]> => (await hub.get(`/api/refusals${query}`, officer)).json.refusals;

describe('requests that the hub refused', () => {
  it('are counted by kind and caller, each kind with its exception', async () => {
    for (let i = 0; i < 3; i++) {
      expect((await hub.get('/api/reviews', { role: 'integration-engineer' })).status).toBe(403);
    }
    const found = (await refusals()).filter(({ kind }) => kind === 'role');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ day: today(), times: 3, exception: 'privacy', citation: '45 CFR 171.202' });
    expect(found[0]!.decided).toBeUndefined();
  });

  it('do not include what is not there, or is wrong', async () => {
    const before = (await refusals()).reduce((sum, { times }) => sum + times, 0);
    expect((await hub.get('/fhir/Patient/none')).status).toBe(404);
    expect((await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient', gender: 'x' })).status).toBe(422);
    expect((await refusals()).reduce((sum, { times }) => sum + times, 0)).toBe(before);
  });

  it('are decided by an officer in person, with a reason; nobody else sees them', async () => {
    const [{ day, kind, organization, requester, action }] = (await refusals()) as [Json];
    const key = { day, kind, organization, requester, action };
    const decide = (more: object, as: object = officer): Promise<Answer> =>
      hub.send('POST', '/api/refusals/decision', { ...key, ...more }, as);
    expect((await decide({ exception: 'security', note: 'Asked with a key that was stolen.' })).status).toBe(204);
    expect((await refusals())[0]).toMatchObject({
      exception: 'security',
      citation: '45 CFR 171.203',
      decided: { note: 'Asked with a key that was stolen.' },
    });
    expect((await decide({ exception: 'none', note: 'Should have been given.' })).status).toBe(204);
    expect((await refusals())[0]).toMatchObject({ exception: 'none' });
    expect((await decide({ exception: 'because', note: 'x' })).status).toBe(400);
    expect((await decide({ exception: 'privacy', note: 'x', day: '2020-01-01' })).status).toBe(404);
    expect((await decide({ exception: 'privacy', note: 'x' }, { role: 'clinician' })).status).toBe(403);
    expect((await hub.get('/api/refusals', { role: 'steward' })).status).toBe(403);
  });

  it('are a table for an auditor, in which nothing is a formula', async () => {
    await hub.test.database.query(
      `INSERT INTO refusal (day, kind, organization, requester, action, times, first_at, last_at)
       VALUES ($1, 'role', '=cmd|x', 'a "b", c', 'read', 1, now(), now())`,
      [daysAgo(2)],
    );
    const { text, headers } = await hub.get(`/api/refusals.csv?from=${daysAgo(2)}&to=${daysAgo(2)}`, officer);
    expect(headers.get('content-type')).toContain('text/csv');
    const lines = text.trimEnd().split('\r\n');
    expect(lines).toHaveLength(2);
    const cells = [
      'role',
      daysAgo(2),
      "'=cmd|x",
      'a ""b"", c',
      'read',
      1,
      'privacy',
      '45 CFR 171.202',
      'rule',
      'refused',
      '',
    ];
    expect(lines[1]).toBe(cells.map((cell) => `"${cell}"`).join(','));
  });

  it('are asked for by days', async () => {
    expect((await hub.get('/api/refusals?from=2024-02-30', officer)).status).toBe(400);
    expect((await hub.get('/api/refusals?from=2024-03-02&to=2024-03-01', officer)).status).toBe(400);
    expect(await refusals('?from=2024-03-01&to=2024-03-02')).toEqual([]);
  });
});

describe('a request that came by letter', () => {
  const about = { name: 'Wilhelmina Quist', asked: 'All results since 2019.', manner: 'paper' };
  const file = (more: object) =>
    hub.send(
      'POST',
      '/api/information-requests',
      { requester: 'individual', received: today(), about, ...more },
      officer,
    );
  const list = async (query = ''): Promise<Json> => (await hub.get(`/api/information-requests${query}`, officer)).json;
  const found = async (id: string): Promise<Json> => ((await list()).requests as Json[]).find((one) => one.id === id)!;
  const step = (id: string, body: object) =>
    hub.send('POST', `/api/information-requests/${id}/steps`, { day: today(), note: '', ...body }, officer);

  it('has its clocks, and is late when the day is over', async () => {
    const { status, json } = await file({ received: daysAgo(40) });
    expect(status).toBe(201);
    const filed = await found(json.id);
    expect(filed).toMatchObject({ state: 'open', about, received: daysAgo(40) });
    expect(filed.clocks).toEqual([
      { what: 'an answer to the person', by: daysAgo(10), citation: '45 CFR 164.524(b)(2)', isLate: true },
    ]);
    expect((await list('?state=open')).late).toBe(1);
    expect((await step(json.id, { step: 'fulfilled', note: 'Sent by mail.' })).json).toEqual({ state: 'fulfilled' });
    expect((await found(json.id)).clocks[0]).toMatchObject({ met: today(), isLate: true });
    expect((await list('?state=open')).late).toBe(0);
  });

  it('refused as infeasible owes the reason in writing, until it was told', async () => {
    const { json } = await file({ requester: 'payer', received: daysAgo(3) });
    expect((await step(json.id, { step: 'refused' })).status).toBe(400);
    expect((await step(json.id, { step: 'refused', exception: 'infeasibility' })).json.state).toBe('refused');
    const before = await found(json.id);
    expect([before.exception, before.citation]).toEqual(['infeasibility', '45 CFR 171.204']);
    expect(before.clocks).toHaveLength(1);
    expect(before.clocks[0]).toMatchObject({ what: 'the reason in writing', isLate: false });
    expect(before.clocks[0].met).toBeUndefined();
    await step(json.id, { step: 'told', note: 'Letter of today.' });
    const { clocks, steps } = await found(json.id);
    expect(clocks[0]).toMatchObject({ met: today(), isLate: false });
    expect(steps.map((one: Json) => [one.step, one.note])).toEqual([
      ['refused', undefined],
      ['told', 'Letter of today.'],
    ]);
    expect((await step(json.id, { step: 'reopened' })).json.state).toBe('open');
    expect((await found(json.id)).exception).toBeUndefined();
  });

  it('is wrong without a day that has come, a known requester, or an id', async () => {
    expect((await file({ received: '2999-01-01' })).status).toBe(400);
    expect((await file({ requester: 'friend' })).status).toBe(400);
    expect((await file({ about: { ...about, more: 'x' } })).status).toBe(400);
    expect((await step('nothing', { step: 'note' })).status).toBe(404);
  });

  it('is stored sealed: neither who asked nor for what can be read in the database', async () => {
    const { json } = await file({ about: { ...about, name: 'Oddly Named' } });
    await step(json.id, { step: 'note', note: 'Oddly Named called.' });
    const { rows } = await hub.test.database.query(
      `SELECT r::text || array(SELECT s::text FROM information_request_step s WHERE request = r.id)::text AS text,
         encode(about, 'escape') AS bytes FROM information_request r WHERE id = $1`,
      [json.id],
    );
    expect(JSON.stringify(rows)).not.toContain('Oddly');
    expect((await found(json.id)).about.name).toBe('Oddly Named');
  });
});

describe('the safeguards', () => {
  const list = async (): Promise<Json[]> => (await hub.get('/api/safeguards', officer)).json.safeguards;
  const of = async (id: string): Promise<Json> => (await list()).find((one) => one.id === id)!;
  const checked = async (name: string): Promise<Json> =>
    (await list()).flatMap(({ checks }) => checks as Json[]).find((one) => one.name === name)!;
  const attest = (id: string, body: object) =>
    hub.send('POST', `/api/safeguards/${encodeURIComponent(id)}`, { note: 'Seen.', ...body }, officer);

  it('that a program can look at are looked at: what is bad is not made good by anybody’s word', async () => {
    expect(await checked('row-security')).toMatchObject({ state: 'good' });
    await hub.test.database.query('ALTER TABLE index_string DISABLE ROW LEVEL SECURITY');
    expect(await checked('row-security')).toEqual({
      name: 'row-security',
      state: 'bad',
      says: 'Row security is off for index_string.',
    });
    expect((await attest('164.312(a)(1)', { state: 'in-place', until: today() })).status).toBe(204);
    expect(await of('164.312(a)(1)')).toMatchObject({ state: 'not-met', attestation: { state: 'in-place' } });
    await hub.test.database.query('ALTER TABLE index_string ENABLE ROW LEVEL SECURITY');
    expect((await of('164.312(a)(1)')).state).toBe('met');
  });

  it('find a record that was changed in the database', async () => {
    const { status } = await hub.send('PUT', '/fhir/Patient/sealed', { resourceType: 'Patient', id: 'sealed' });
    expect(status).toBe(201);
    expect(await checked('sealed-records')).toMatchObject({ state: 'good' });
    const change = () =>
      hub.test.database.as('all').query('UPDATE resource SET body = set_byte(body, 40, 255 - get_byte(body, 40))');
    await change();
    expect(await checked('sealed-records')).toMatchObject({ state: 'bad' });
    await change();
    expect(await checked('sealed-records')).toMatchObject({ state: 'good' });
  });

  it('find accounts whose passwords are public, and those without a second factor', async () => {
    expect(await checked('demonstration-accounts')).toMatchObject({ state: 'good' });
    const accounts = new Accounts(hub.test.database);
    const clinician = { username: 'clinician', name: 'C', role: 'clinician', organization: 'o' } as const;
    await accounts.make(clinician, 'causeway-clinician');
    expect(await checked('demonstration-accounts')).toMatchObject({ state: 'bad' });
    expect(await checked('second-factors')).toMatchObject({ state: 'bad' });
    await accounts.setPassword('clinician', password);
    expect(await checked('demonstration-accounts')).toMatchObject({ state: 'good' });
  });

  it('find accounts that nobody uses, counting from when they were last signed in by', async () => {
    expect(await checked('idle-accounts')).toMatchObject({ state: 'good' });
    await hub.test.database.query(`UPDATE account SET made = now() - interval '1 year' WHERE username = 'clinician'`);
    expect(await checked('idle-accounts')).toMatchObject({ state: 'attention' });
    const signedIn = await hub.send('POST', '/auth/login', { username: 'clinician', password }, { role: null });
    expect(signedIn.status).toBe(200);
    expect(await checked('idle-accounts')).toMatchObject({ state: 'good' });
  });

  it('tell when the last back-up was made and tried, and whether the audit log is signed', async () => {
    expect(await checked('back-up')).toMatchObject({ state: 'bad' });
    const note = (key: string, days: number) =>
      hub.test.database.query(
        `INSERT INTO hub_state (key, value) VALUES ($1, jsonb_build_object('at', now() - $2 * interval '1 day', 'created', now() - $2 * interval '1 day'))
         ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        [key, days],
      );
    await note('backup', 0.5);
    await note('restore-drill', 100);
    expect(await checked('back-up')).toMatchObject({ state: 'good', says: 'The last back-up is less than a day old.' });
    expect(await checked('restore-drill')).toMatchObject({ state: 'attention' });
    await note('backup', 30);
    expect(await checked('back-up')).toMatchObject({ state: 'bad' });
    await expect.poll(async () => (await checked('audit-log')).state, { timeout: 20_000 }).toBe('attention');
    await hub.test.database.query('UPDATE audit_tree SET wrong = $1', ['Entry 3 is not what was signed.']);
    expect(await checked('audit-log')).toMatchObject({ state: 'bad', says: 'Entry 3 is not what was signed.' });
    await hub.test.database.query('UPDATE audit_tree SET wrong = NULL');
  });

  it('find routes that send in clear to another machine', async () => {
    expect(await checked('routes-in-clear')).toMatchObject({ state: 'good' });
    const routes = [{ name: 'main', to: { dialect: 'hl7v2', host: 'his.example.org', port: 2575 } }];
    const put = await hub.send('PUT', '/api/participants/harbor', { name: 'Harbor', kind: 'hospital', routes });
    expect(put.status, put.text).toBeLessThan(300);
    expect(await checked('routes-in-clear')).toMatchObject({ state: 'bad' });
    expect((await checked('routes-in-clear')).says).toContain('harbor (main)');
    expect(await checked('agreements')).toMatchObject({ state: 'attention' });
  });

  it('that nobody can look at are vouched for, until a day', async () => {
    const id = '164.308(a)(1)(ii)(A)';
    expect((await of(id)).state).toBe('due');
    expect((await attest(id, { state: 'in-place', until: daysAgo(1) })).status).toBe(400);
    expect((await attest(id, { state: 'in-place', until: '2999-01-01' })).status).toBe(400);
    expect((await attest('164.999', { state: 'in-place', until: today() })).status).toBe(404);
    expect((await attest(id, { state: 'in-place', until: today() })).status).toBe(204);
    expect(await of(id)).toMatchObject({ state: 'met', attestation: { note: 'Seen.' } });
    await hub.test.database.query(`UPDATE safeguard_attestation SET until = current_date - 2 WHERE safeguard = $1`, [
      id,
    ]);
    expect((await of(id)).state).toBe('due');
  });

  it('find erasures that were confirmed and not done, or whose traces are left in the files', async () => {
    expect(await checked('erasures')).toMatchObject({ state: 'good' });
    const add = (state: string, more: string) =>
      hub.test.database.query(
        `INSERT INTO erasure (id, state, patients, homes, extent, legal_basis, reason, requested_by, ${more})
         VALUES (gen_random_uuid(), $1, '{}', '{}', 'person', 'x', 'x', 'pia', now() - interval '3 days')`,
        [state],
      );
    await add('confirmed', 'confirmed_at');
    await add('erased', 'erased_at');
    expect(await checked('erasures')).toEqual({
      name: 'erasures',
      state: 'attention',
      says: '1 erasures that were confirmed wait for more than a day; of 1 the files of the database are not cleared.',
    });
    await hub.test.database.query('DELETE FROM erasure');
  });

  it('do not call good what they know nothing of', async () => {
    for (const one of await list()) {
      const isUnknown = (one.checks as Json[]).some(({ state }) => state === 'unknown');
      if (isUnknown) expect([one.id, one.state]).not.toEqual([one.id, 'met']);
    }
    expect((await hub.get('/api/safeguards', { role: 'clinician' })).status).toBe(403);
  });
});
