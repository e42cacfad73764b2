/** Jobs go by the access that whoever asked for them has now: what is taken back meanwhile is neither stored nor given out. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type AssertionKey,
  assertion,
  assertionKey,
  Browser,
  backendService,
  form,
  systemToken,
} from '../authorization/testing.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { type AskedHub, contents, ended, kickOff, kickOffHeaders, pathIn, statusOf, withBearer } from './testing.ts';

let hub: TestHub;
let key: AssertionKey;

const organization = { identifier: { system: 'urn:causeway:participant', value: 'north' } };
const officer = { role: 'privacy-officer' } as const;
const observation = (id: string, patient: string, code = 'x1') => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ code }] },
  subject: { reference: `Patient/${patient}` },
});

beforeAll(async () => {
  hub = await startTestHub();
  key = await assertionKey();
  await hub.send('PUT', '/api/participants/north', { name: 'North Hospital', kind: 'hospital' });
  for (const id of ['p1', 'p2']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }] });
    await put(observation(`o-${id}`, id));
  }
});
afterAll(() => hub.stop());

async function put(resource: { resourceType: string; id: string; [element: string]: unknown }): Promise<void> {
  const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (status > 201) throw new Error(text);
}

async function policy(over: object): Promise<void> {
  const { json } = await hub.get('/api/network-policy', officer);
  const decided = { model: 'opt-out', zone: 'UTC', rules: [], ...over };
  const body = { version: json.version, reason: 'A test.', policy: decided };
  expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
}

const refusal = (id: string, patient: string) =>
  put({
    resourceType: 'Consent',
    id,
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: '2026-01-01',
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    provision: { type: 'deny', actor: [{ role: { coding: [{ code: 'PRCP' }] }, reference: organization }] },
  });

/** A client of the organisation, and how it asks. */
async function service(scope = 'system/*.rs') {
  const { id } = await backendService(hub, [key], scope, { organization: 'north' });
  const token = async () => {
    const answer = await systemToken(hub, await assertion(hub, id, key), scope);
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.json.access_token as string;
  };
  const state = async (state: string) =>
    expect((await hub.send('PUT', `/api/clients/${id}/state`, { state })).status).toBe(200);
  return { id, token, state, asking: async () => withBearer(hub, await token()) };
}

/** A signed-in browser, asking as the tests of jobs do. */
function asBrowser(browser: Browser): AskedHub {
  const send: AskedHub['send'] = (method, path) => {
    if (method !== 'GET') throw new Error('It only reads.');
    return browser.get(path, kickOffHeaders);
  };
  return { url: hub.url, send, get: (path) => send('GET', path) };
}

/** An export that is whole, and waits to be downloaded. */
async function waiting(asked: AskedHub, type = 'Observation'): Promise<{ status: string; output: { url: string }[] }> {
  const status = statusOf(hub, await kickOff(asked, `/fhir/$export?_type=${type}`));
  const { json } = await ended(asked, status);
  expect(json.output).toHaveLength(1);
  return { status, output: json.output };
}

/** The job has ended, its status says why, and its files are closed. */
async function closed(asked: AskedHub, status: string, why: RegExp, output: { url: string }[] = []): Promise<void> {
  const answer = await ended(asked, status);
  expect([answer.status, answer.json.resourceType, answer.json.issue[0].code]).toEqual([
    403,
    'OperationOutcome',
    'forbidden',
  ]);
  expect(answer.json.issue[0].diagnostics).toMatch(why);
  for (const { url } of output) expect((await asked.get(pathIn(hub, url))).status).toBe(403);
  const kept = await hub.test.database.query(
    'SELECT (SELECT count(*) FROM bulk_part WHERE job = $1) + (SELECT count(*) FROM bulk_file WHERE job = $1) AS n',
    [status.split('/').at(-1)],
  );
  expect(kept.rows[0]!.n).toBe(0);
}

/** Holds a table closed while something begins that needs it, and until something else was done. */
async function whileHeld(table: string, begin: () => Promise<void>, act: () => Promise<void>): Promise<void> {
  await hub.test.database.transaction(async (transaction) => {
    await transaction.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    await begin();
    await vi.waitFor(
      async () => {
        const { rows } = await hub.test.database.query(
          'SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::regclass LIMIT 1',
          [table],
        );
        expect(rows).toHaveLength(1);
      },
      { timeout: 20_000, interval: 20 },
    );
    await act();
  });
}

const uploading = { ...kickOffHeaders, 'content-type': 'application/fhir+ndjson' };
const lines = (prefix: string, count: number, note: string) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ ...observation(`${prefix}${i}`, 'p1', 'x2'), note: [{ text: note }] }),
  )
    .join('\n')
    .concat('\n');

describe('files that wait', () => {
  it('are closed when the client was suspended, also after it may ask again', async () => {
    const client = await service();
    const { status, output } = await waiting(await client.asking());
    await client.state('suspended');
    // Whoever looks first closes them; an administrator here.
    await closed(hub, status, /suspended/, output);
    await client.state('active');
    await closed(await client.asking(), status, /suspended/, output);
  });

  it('are closed when the token was revoked by which they were asked for, and not when it merely expired', async () => {
    const client = await service();
    const token = await client.token();
    const { status, output } = await waiting(withBearer(hub, token));
    const other = await waiting(await client.asking());
    const fields = {
      token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(hub, client.id, key),
    };
    expect((await form(hub, '/oauth/revoke', fields)).status).toBe(200);
    await closed(await client.asking(), status, /token/, output);
    await hub.test.database.query(
      `UPDATE bulk_job SET access = jsonb_set(access, '{cameOf,tokenUntil}', to_jsonb(now() - interval '1 s'))
       WHERE id = $1 AND access->'cameOf' ? 'tokenUntil'`,
      [other.status.split('/').at(-1)],
    );
    await hub.test.database.query(`DELETE FROM oauth_artifact WHERE kind = 'ClientCredentials'`);
    expect(await contents(await client.asking(), other.output)).toHaveLength(2);
  });

  it('are closed when the account was, or its role allows no exports any more', async () => {
    const user = { username: 'exporter', name: 'Exporter', role: 'administrator', organization: 'local' };
    const made = await hub.send('POST', '/api/users', user);
    const browser = new Browser(hub);
    await browser.signIn('exporter', made.json.password);
    const chosen = await browser.post('/auth/password', { password: 'one that was chosen' });
    expect([chosen.status, chosen.text]).toEqual([200, chosen.text]);
    const own = asBrowser(browser);
    const { status, output } = await waiting(own);
    const other = await waiting(own);
    expect((await hub.send('PATCH', '/api/users/exporter', { role: 'steward' })).status).toBe(200);
    await closed(hub, status, /steward/, output);
    expect((await hub.send('PATCH', '/api/users/exporter', { isDisabled: true })).status).toBe(200);
    await closed(hub, other.status, /closed/, other.output);
  });

  it('hold no more than a consent leaves when they are downloaded', async () => {
    const client = await service();
    const asked = await client.asking();
    const { output } = await waiting(asked);
    expect((await contents(asked, output)).map(({ id }) => id).sort()).toEqual(['o-p1', 'o-p2']);
    await refusal('c-wait', 'p2');
    expect((await contents(asked, output)).map(({ id }) => id)).toEqual(['o-p1']);
    await hub.send('DELETE', '/fhir/Consent/c-wait');
  });

  it('a download ends where its client is suspended', async () => {
    const client = await service();
    const stored = await hub.send('POST', '/fhir/$import', lines('d', 1_500, 'z'), { headers: uploading });
    expect((await ended(hub, statusOf(hub, stored))).status).toBe(200);
    const asked = await client.asking();
    const { status, output } = await waiting(asked);
    let download!: Promise<string>;
    await whileHeld(
      'consent_provision',
      async () => {
        download = asked.get(pathIn(hub, output[0]!.url), { headers: { 'accept-encoding': 'identity' } }).then(
          ({ status, text }) => `${status}, whole, ${text.split('\n').length} lines`,
          () => 'broken off',
        );
      },
      () => client.state('suspended'),
    );
    expect(await download).toBe('broken off');
    await closed(hub, status, /suspended/, output);
  }, 60_000);
});

describe('a request that is answered later', () => {
  const asNorth = async () => withBearer(hub, await hub.token('clinician', 'site:north'));
  const strict = {
    redactions: [{ elements: ['Observation.note'] }],
    relationship: { mode: 'require', daysBack: 30, daysAhead: 30 },
  };
  const answered = async (asked: AskedHub, path: string): Promise<{ status: string; output: { url: string }[] }> => {
    const begun = await asked.get(path, { headers: { prefer: 'respond-async' } });
    expect(begun.status).toBe(202);
    const status = statusOf(hub, begun);
    return { status, output: (await ended(asked, status)).json.output };
  };
  const idsIn = ([bundle]: Json[]) => (bundle.entry ?? []).map(({ resource }: Json) => resource.id).sort();

  it('is closed when a consent hides something of its answer, and when an element of it is redacted', async () => {
    const asked = await asNorth();
    const first = await answered(asked, '/fhir/Observation?code=x1');
    expect(idsIn(await contents(asked, first.output))).toEqual(['o-p1', 'o-p2']);
    await refusal('c-later', 'p2');
    // The status does not look into the answer; a download does, and ends the job.
    for (const { url } of first.output) expect((await asked.get(pathIn(hub, url))).status).toBe(403);
    await closed(asked, first.status, /hidden/, first.output);
    const second = await answered(asked, '/fhir/Observation?code=x1');
    expect(idsIn(await contents(asked, second.output))).toEqual(['o-p1']);
    await policy(strict);
    for (const { url } of second.output) expect((await asked.get(pathIn(hub, url))).status).toBe(403);
    await hub.send('DELETE', '/fhir/Consent/c-later');
  });

  it('is answered by what the network asks for of a relationship, as it is at once', async () => {
    const asked = await asNorth();
    expect((await asked.get('/fhir/Observation?code=x1')).json.entry ?? []).toEqual([]);
    const { output } = await answered(asked, '/fhir/Observation?code=x1');
    expect(idsIn(await contents(asked, output))).toEqual([]);
  });
});

describe('what an organisation asked for that has no agreement any more', () => {
  it('neither is stored nor waits any more', async () => {
    const site = withBearer(hub, await hub.token('system', 'site:north'));
    const whole = await waiting(site, 'Patient');
    const count = 1_200;
    let begun!: Answer;
    await whileHeld(
      'index_token',
      async () => {
        begun = await site.send('POST', '/fhir/$import', lines('i', count, 'y'.repeat(900)), { headers: uploading });
        expect([begun.status, begun.text]).toEqual([202, begun.text]);
      },
      () => policy({ requireAgreements: true }),
    );
    const status = statusOf(hub, begun);
    await closed(hub, status, /not live on the network.* resources had been stored/);
    const { rows } = await hub.test.database.query('SELECT done FROM bulk_job WHERE id = $1', [
      status.split('/').at(-1),
    ]);
    expect(rows[0]!.done).toBeLessThan(count);
    expect((await site.send('POST', '/fhir/$import', lines('k', 1, ''), { headers: uploading })).status).toBe(403);
    await closed(hub, whole.status, /not live on the network/, whole.output);
  }, 60_000);
});
