import { typeCode } from '@causeway/fhir';
import { isConsistent, leafHash, readCheckpoint, readNote } from '@causeway/tlog';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { balpFaults } from '../accesses/testing.ts';
import {
  authorizationRequest,
  authorize,
  Browser,
  pkce,
  publicApp,
  tokenFor,
  withToken,
} from '../authorization/testing.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { Accounts, Bindings } from '../trust/index.ts';

let hub: TestHub;
const password = 'a-password-of-theirs';
const cookies = new Map<string, string>();

beforeAll(async () => {
  hub = await startTestHub();
  for (const key of ['harbor', 'sheriff']) {
    await hub.send('PUT', `/api/participants/${key}`, { name: `The ${key}`, kind: 'hospital', state: 'TX' });
  }
  const accounts = new Accounts(hub.test.database);
  for (const [username, role, organization] of [
    ['pat', 'patient', 'local'],
    ['cara', 'proxy', 'local'],
    ['pia', 'privacy-officer', 'hub'],
    ['ann', 'clinician', 'harbor'],
    ['dep', 'clinician', 'sheriff'],
    ['sue', 'steward', 'hub'],
    ['abe', 'patient', 'local'],
    ['cleo', 'patient', 'local'],
    ['gus', 'patient', 'local'],
  ] as const) {
    await accounts.make({ username, name: `Name of ${username}`, role, organization }, password);
    const { headers } = await hub.send('POST', '/auth/login', { username, password }, { role: null });
    cookies.set(username, headers.get('set-cookie')!.split(';')[0]!);
  }
  for (const id of ['p', 'q']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }], birthDate: '1970-01-01' });
    await put({
      resourceType: 'Condition',
      id: `c-${id}`,
      subject: { reference: `Patient/${id}` },
      code: { text: 'x' },
    });
  }
  const bindings = new Bindings(hub.test.database);
  const bound = { proofing: 'in-person', evidence: 'x', by: 'x', until: undefined } as const;
  for (const [n, username, relation, patient] of [
    [1, 'pat', 'self', 'p'],
    [2, 'cara', 'carer', 'p'],
    [3, 'cara', 'carer', 'q'],
    [4, 'abe', 'self', 'span-a'],
    [5, 'cleo', 'self', 'span-c'],
    [6, 'gus', 'self', 'gone-c'],
  ] as const) {
    await bindings.bind({ ...bound, patient, id: `019a0000-0000-7000-8000-00000000000${n}`, username, relation });
  }
  await as('ann', 'GET', '/fhir/Condition/c-p');
  await as('ann', 'GET', '/fhir/Condition?code:text=x');
  await as('ann', 'GET', '/fhir/Condition/c-q');
  await as('dep', 'GET', '/fhir/Patient/p');
});
afterAll(() => hub.stop());

const put = async (resource: Json) =>
  expect((await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource)).status).toBeLessThan(300);

function as(who: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { cookie: cookies.get(who)!, 'sec-fetch-site': 'same-origin' };
  return hub.send(method, path, body, { role: null, headers });
}

async function events(who: string, query: string): Promise<Json[]> {
  const { status, json } = await as(who, 'GET', `/fhir/AuditEvent?${query}`);
  expect(status).toBe(200);
  return (json.entry ?? []).map((entry: Json) => entry.resource);
}

const patientOf = (event: Json) => event.entity.find((one: Json) => one.role?.code === '1')?.what.reference;
const nameOf = (event: Json) => event.agent.find((one: Json) => one.requestor)?.name;

describe('AuditEvents', () => {
  it('of their own are told to patients, one for each Patient, valid by R4 and by IHE', async () => {
    const found = await events('pat', '_count=100');
    expect(new Set(found.map(patientOf))).toEqual(new Set(['Patient/p']));
    expect(found.map((event) => event.subtype[0].code)).toEqual(expect.arrayContaining(['read', 'search', 'update']));
    for (const event of found) {
      expect(balpFaults(event)).toEqual([]);
      const { json } = await hub.send('POST', '/fhir/AuditEvent/$validate', event);
      expect(json.issue.filter(({ severity }: Json) => severity === 'error' || severity === 'fatal')).toEqual([]);
    }
    // The search found both persons: of the other, and of what was asked for, nothing is told.
    const search = found.find((event) => event.subtype[0].code === 'search' && nameOf(event) === 'ann');
    expect(JSON.stringify(search)).not.toMatch(/Patient\/q|code:text/);
  });

  it('say by which versions of policy, agreements and consents an access was decided', async () => {
    await put({ resourceType: 'Patient', id: 'decided' });
    await put({
      resourceType: 'Consent',
      id: 'decides',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: 'Patient/decided' },
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    });
    const { rows } = await hub.test.database
      .as('all')
      .query('SELECT max(seq) AS seq FROM resource WHERE type = $1', [typeCode('Consent')]);
    const said = (event: Json, type: string) =>
      event.entity.flatMap(({ detail = [] }: Json) => detail).find((one: Json) => one.type === type)?.valueString;
    // A change of a Consent is known within moments.
    const event = await vi.waitFor(
      async () => {
        await as('ann', 'GET', '/fhir/Condition/c-q');
        const [latest] = await events('pia', 'agent=ann&action=read&_count=1');
        expect(said(latest, 'consents')).toBe(String(rows[0]!.seq));
        return latest;
      },
      { timeout: 30_000, interval: 250 },
    );
    expect(said(event, 'policy')).toBe('0');
    expect(said(event, 'agreements')).toMatch(/^\d+$/);
    expect(balpFaults(event)).toEqual([]);
  });

  it('are told to those who act for people, and to privacy officers, and to nobody else', async () => {
    expect(new Set((await events('cara', '_count=200')).map(patientOf))).toEqual(new Set(['Patient/p', 'Patient/q']));
    // Who may see everybody whom an event is about is told what was asked for.
    const [ofBoth] = await events('cara', 'agent=ann&action=search');
    expect(Buffer.from(ofBoth.entity[1].query, 'base64').toString()).toBe('/Condition?code%3Atext=x');
    const all = await events('pia', '_count=200');
    expect(all.some((event) => patientOf(event) === undefined)).toBe(true);
    const search = all.find((event) => event.subtype[0].code === 'search' && nameOf(event) === 'ann');
    expect(Buffer.from(search.entity.at(1).query, 'base64').toString()).toBe('/Condition?code%3Atext=x');
    for (const who of ['ann', 'sue']) expect(await events(who, '')).toEqual([]);
    const [{ id }] = await events('pat', '');
    for (const who of ['ann', 'sue']) expect((await as(who, 'GET', `/fhir/AuditEvent/${id}`)).status).toBe(404);
    expect((await as('pat', 'GET', `/fhir/AuditEvent/${id}`)).json).toMatchObject({ id, resourceType: 'AuditEvent' });
  });

  it('are told to an app as far as its scopes and its user go', async () => {
    const browser = new Browser(hub);
    await browser.signIn('pat', password);
    const tokenWith = async (scope: string) => {
      const { id: client } = await publicApp(hub, scope);
      const { verifier, challenge } = pkce();
      const request = authorizationRequest(hub, { client, scope, challenge });
      const end = await authorize(browser, request, { patient: 'p' });
      return (await tokenFor(hub, client, end.searchParams.get('code')!, verifier)).json.access_token as string;
    };
    const audit = await tokenWith('launch/patient patient/AuditEvent.rs');
    const { status, json } = await withToken(hub, audit, '/fhir/AuditEvent');
    expect(status).toBe(200);
    expect(new Set(json.entry.map(({ resource }: Json) => patientOf(resource)))).toEqual(new Set(['Patient/p']));
    expect((await withToken(hub, audit, `/fhir/AuditEvent/${json.entry[0].resource.id}`)).status).toBe(200);
    expect((await withToken(hub, audit, '/api/patients/p/accesses')).status).toBe(403);
    const other = await tokenWith('launch/patient patient/Condition.rs');
    expect((await withToken(hub, other, '/fhir/AuditEvent')).status).toBe(403);
    expect((await withToken(hub, other, `/fhir/AuditEvent/${json.entry[0].resource.id}`)).status).toBe(403);
    expect((await withToken(hub, other, '/fhir/Condition/c-p')).status).toBe(200);
  });

  it('by an app say to privacy officers alone by which token and from which address, and follow IHE', async () => {
    const [read, ...others] = await events('pia', 'action=read&entity=Condition/c-p&policy=urn:ietf:params:oauth:jti:');
    expect(others).toEqual([]);
    expect(balpFaults(read!)).toEqual([]);
    expect(read!.meta.profile.join()).toMatch(/PatientRead.*Token.*Minimal.*Token.*Comprehensive/);
    const own = await hub.test.database.query(`SELECT encode(id, 'hex') AS id FROM oauth_artifact`);
    const [policy] = read!.agent.find(({ requestor }: Json) => requestor).policy;
    expect(own.rows.map(({ id }) => `urn:ietf:params:oauth:jti:${id}`)).toContain(policy);
    expect(read!.agent[0].network).toEqual({ address: '127.0.0.1', type: '2' });
    expect((await events('pia', 'address=127.0.0.1&agent=ann')).length).toBeGreaterThan(0);
    const [same] = await events('pat', `_id=${read!.id}`);
    expect(same!.agent[0].network.extension[0].valueCode).toBe('masked');
    expect(JSON.stringify(same)).not.toMatch(/127\.0\.0\.1"|OAUTH/);
    for (const query of ['address=127.0.0.1', 'policy=urn'])
      expect((await events('pat', query)).map(({ id }) => id)).toEqual([]);
  });

  it('of others are not there for a patient, by any way of asking', async () => {
    const ofQ = (await events('pia', 'patient=q&_count=100')).map(({ id }) => id);
    expect(ofQ.length).toBeGreaterThan(1);
    expect(await events('pat', 'patient=q')).toEqual([]);
    for (const id of ofQ) expect((await as('pat', 'GET', `/fhir/AuditEvent/${id}`)).status).toBe(404);
    expect((await as('pat', 'GET', '/fhir/AuditEvent/log-1-9999-0')).status).toBe(404);
  });

  it('are found by what is asked for', async () => {
    const every = async (query: string, holds: (event: Json) => boolean) => {
      const found = await events('pia', `${query}&_count=100`);
      expect(found.length, query).toBeGreaterThan(0);
      expect(found.every(holds), query).toBe(true);
    };
    await every('patient=Patient/p', (event) => patientOf(event) === 'Patient/p');
    await every('agent=ann', (event) => nameOf(event) === 'ann');
    // A leaf does not name the account of a patient.
    await every('agent=pat', (event) => nameOf(event) === 'pat');
    await every('agent:identifier=urn:causeway:account|ann', (event) => nameOf(event) === 'ann');
    await every('agent-name=dep', (event) => nameOf(event) === 'dep');
    await every('action=U', ({ action }) => action === 'U');
    await every('subtype=http://hl7.org/fhir/restful-interaction|read', ({ action }) => action === 'R');
    await every('type=rest', ({ type }) => type.code === 'rest');
    await every('outcome=0', ({ outcome }) => outcome === '0');
    await every('entity=Condition/c-q', (event) => JSON.stringify(event).includes('Condition/c-q'));
    await every('date=ge2026-01-01', () => true);
    await every(`source=${hub.url}/fhir`, () => true);
    expect(await events('pia', 'date=lt2020-01-01')).toEqual([]);
    expect((await as('pia', 'GET', '/fhir/AuditEvent?colour=red')).status).toBe(400);
    expect((await as('pia', 'GET', '/fhir/AuditEvent?date=soon')).status).toBe(400);
  });

  it('come in pages without gaps, and are counted', async () => {
    const whole = (await events('cara', 'agent=ann&_count=100')).map(({ id }) => id);
    const paged: string[] = [];
    let path: string | undefined = '/fhir/AuditEvent?agent=ann&_count=1';
    while (path !== undefined) {
      const { json }: Answer = await as('cara', 'GET', path);
      paged.push(...(json.entry ?? []).map((entry: Json) => entry.resource.id));
      path = json.link.find(({ relation }: Json) => relation === 'next')?.url.slice(hub.url.length);
    }
    expect(paged).toEqual(whole);
    const { json } = await as('cara', 'GET', '/fhir/AuditEvent?agent=ann&_total=accurate&_count=1');
    expect(json.total).toBe(whole.length);
    expect((await as('cara', 'GET', '/fhir/AuditEvent?agent=ann&_summary=count')).json).not.toHaveProperty('entry');
  });

  it('are themselves read by an access, which is recorded', async () => {
    await as('pia', 'GET', '/fhir/AuditEvent?patient=p&agent=nobody-of-this-name');
    const [latest] = await events('pia', 'agent=pia&_count=1');
    expect(Buffer.from(latest.entity.find((one: Json) => one.query).query, 'base64').toString()).toContain(
      'nobody-of-this-name',
    );
  });
});

describe('who looked at a record', () => {
  const looked = async (who: string, query = '', patient = 'p') =>
    (await as(who, 'GET', `/api/patients/${patient}/accesses?${query}`)).json.accesses as Json[];

  it('is told with names, and with words that are searched', async () => {
    const found = await looked('pat', 'own=false');
    const read = found.find(({ action, who }) => action === 'read' && who.username === 'ann');
    expect(read).toMatchObject({
      who: { name: 'Name of ann' },
      organization: { key: 'harbor', name: 'The harbor' },
      purpose: 'TREAT',
      type: 'Condition',
      what: '/Condition/c-p',
      isEmergency: false,
    });
    expect(found.find(({ action }) => action === 'search')).not.toHaveProperty('what');
    expect((await looked('pat', 'q=THE+SHER')).map(({ who }) => who.username)).toEqual(['dep']);
    expect(await looked('pat', 'emergency=true')).toEqual([]);
    expect((await looked('pat', 'own=false')).some(({ role }) => role === 'patient')).toBe(false);
    expect((await looked('pat')).some(({ role }) => role === 'patient')).toBe(true);
  });

  it('is told to the person, who acts for it and privacy officers alone', async () => {
    expect((await as('cara', 'GET', '/api/patients/q/accesses')).status).toBe(200);
    expect((await as('pia', 'GET', '/api/patients/q/accesses')).status).toBe(200);
    expect((await as('pat', 'GET', '/api/patients/q/accesses')).status).toBe(404);
    for (const who of ['ann', 'sue']) expect((await as(who, 'GET', '/api/patients/p/accesses')).status).toBe(403);
  });

  it('has a receipt of each that names nobody else', async () => {
    const receiptOf = async (who: string, id: string, patient = 'p') => {
      for (;;) {
        const answer = await as(who, 'GET', `/api/patients/${patient}/accesses/${id}/receipt`);
        if (answer.status !== 409) return answer;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const found = await looked('pat', 'own=false');
    const read = found.find(({ action, who }) => action === 'read' && who.username === 'ann');
    const { json } = await receiptOf('pat', read.id);
    expect(json).toMatchObject({ format: 'causeway.health/audit-receipt/v1', opened: { patient: { id: 'p' } } });
    expect(JSON.parse(json.opened.private.text)).toMatchObject({ what: '/Condition/c-p' });
    expect(json.proof).toContain(`c2sp.org/tlog-proof@v1\nindex ${json.index}\n`);
    const search = found.find(({ action }) => action === 'search');
    const { json: shared } = await receiptOf('pat', search.id);
    expect(shared.opened.patient.id).toBe('p');
    expect(shared.opened.private).toBeUndefined();
    const ofQ = (await looked('pia', 'q=/condition/c-q&limit=200', 'q')).find(({ what }) => what === '/Condition/c-q');
    expect((await receiptOf('pat', ofQ.id)).status).toBe(404);
  });

  it('grows by itself alone, of which there is a proof', async () => {
    const first = (await as('pat', 'GET', '/api/audit/growth?from=1')).text;
    expect(first).toMatch(/^old 1\n(\S{44}\n)+\n.+audit/);
    expect((await as('pat', 'GET', '/api/audit/growth?from=999999')).status).toBe(400);
    expect((await as('pat', 'GET', '/api/audit/growth')).status).toBe(400);
    const [path, note] = [first.slice(0, first.indexOf('\n\n')), first.slice(first.indexOf('\n\n') + 2)];
    const grown = readCheckpoint(readNote(note).text);
    const hashes = path
      .split('\n')
      .slice(1)
      .map((hash) => Buffer.from(hash, 'base64'));
    const { rows } = await hub.test.database.query('SELECT leaves FROM access_log ORDER BY id LIMIT 1');
    const root = leafHash(Buffer.from(rows[0]!.leaves.split('\n')[0]));
    expect(isConsistent({ size: 1, root }, grown, hashes)).toBe(true);
  });

  it('shows the keys of the log to everybody who is signed in', async () => {
    const { json } = await as('pat', 'GET', '/api/audit/keys');
    expect(json.keys[0].verifier).toMatch(/^[^+]+\+[0-9a-f]{8}\+/);
    expect(json.witnesses).toEqual([]);
  });
});

describe('accesses to somebody who was linked with others', () => {
  it('are told of the time of the link alone, without what was asked for, and to those who stayed before and after', async () => {
    const human = oneHuman('Span') as Json;
    const made = async (id: string) => put({ ...human, id });
    await made('span-a');
    await made('span-b');
    const [{ id: person }] = (await as('ann', 'GET', '/fhir/Patient?family=Span')).json.entry.map(
      ({ resource }: Json) => resource,
    );
    const look = async (mark: string) => {
      const path = `/fhir/Condition?patient=${person}&code:text=${mark}`;
      expect((await as('ann', 'GET', path)).status).toBe(200);
      await put({
        resourceType: 'Condition',
        id: 'of-b',
        subject: { reference: 'Patient/span-b' },
        code: { text: mark },
      });
      expect((await as('ann', 'GET', '/fhir/Condition/of-b')).status).toBe(200);
    };
    await look('before');
    await made('span-c');
    await look('during');
    const reason = { patient: 'span-c', reason: 'Another human.' };
    expect((await as('sue', 'POST', `/api/persons/${person}/unlink`, reason)).status).toBe(200);
    await look('after');

    const reads = async (who: string, patient: string) =>
      ((await as(who, 'GET', `/api/patients/${patient}/accesses?q=ann`)).json.accesses as Json[]).filter(
        ({ action, type }) => action === 'read' && type === 'Condition',
      );
    const all = await reads('pia', 'span-a');
    expect(all).toHaveLength(3);
    expect((await reads('pia', 'span-c')).map(({ id }) => id)).toEqual([all[1]!.id]);
    expect((await reads('abe', 'span-a')).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    const [own, ...others] = await reads('cleo', 'span-c');
    expect([own!.id, others, own]).toEqual([all[1]!.id, [], expect.not.objectContaining({ what: expect.anything() })]);
    // Nobody confirmed that they are one person.
    expect((await reads('abe', 'span-a')).some(({ what }) => what !== undefined)).toBe(false);
    const found = (await events('cleo', '_count=200')).filter(
      (event) => nameOf(event) === 'ann' && event.action === 'R',
    );
    expect(found).toHaveLength(1);
    expect(found[0]!.id).toBe(`log-${all[1]!.id.replaceAll('.', '-')}`);
    const eventOf = ({ id }: Json) => `/fhir/AuditEvent/log-${id.replaceAll('.', '-')}`;
    for (const one of [all[0]!, all[2]!]) {
      expect((await as('cleo', 'GET', eventOf(one))).status).toBe(404);
      expect((await as('cleo', 'GET', `/api/patients/span-c/accesses/${one.id}/receipt`)).status).toBe(404);
    }
    expect((await as('abe', 'GET', eventOf(all[0]!))).status).toBe(200);
    const accounted = (await as('pia', 'GET', '/api/patients/span-c/disclosures')).json.lines as Json[];
    expect(accounted.some(({ id }) => id === all[1]!.id)).toBe(true);
    expect(accounted.some(({ id }) => id === all[0]!.id || id === all[2]!.id)).toBe(false);
    expect((await as('sue', 'POST', `/api/persons/${person}/unlink`, { ...reason, patient: 'span-a' })).status).toBe(
      200,
    );
    await look('of the others');
    for (const who of ['abe', 'pia']) {
      expect((await reads(who, 'span-a')).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    }
  });

  it('are told until the Patient is deleted', async () => {
    for (const id of ['gone-a', 'gone-b', 'gone-c']) await put({ ...(oneHuman('Gone') as Json), id });
    const subject = { reference: 'Patient/gone-b' };
    await put({ resourceType: 'Condition', id: 'of-gone', subject, code: { text: 'x' } });
    const look = async () => expect((await as('ann', 'GET', '/fhir/Condition/of-gone')).status).toBe(200);
    const told = async () => (await events('gus', '_count=200')).filter((event) => nameOf(event) === 'ann');
    await look();
    expect(await told()).toHaveLength(1);
    expect((await hub.send('DELETE', '/fhir/Patient/gone-c')).status).toBe(204);
    await look();
    expect(await told()).toHaveLength(1);
  });
});

describe('the accounting of disclosures', () => {
  const accounted = async (who: string) => (await as(who, 'GET', '/api/patients/p/disclosures')).json;

  it('tells what went to other organisations, and marks what the law asks for', async () => {
    const { lines, summary } = await accounted('pat');
    expect(lines.map((line: Json) => line.recipient.key)).toEqual(expect.arrayContaining(['harbor', 'sheriff']));
    const ofHarbor = lines.find((line: Json) => line.recipient.key === 'harbor');
    expect(ofHarbor).toMatchObject({ purpose: { code: 'TREAT', words: 'treatment' }, isRequired: false });
    // The app that the person let in is a recipient; the person itself and who runs the hub are none.
    const others = lines.filter((line: Json) => !['harbor', 'sheriff'].includes(line.recipient.key));
    expect(others.length).toBeGreaterThan(0);
    expect(others.every((line: Json) => line.recipient.name === 'An app' && !line.isRequired)).toBe(true);
    expect(summary.find((one: Json) => one.recipient === 'The harbor').count).toBeGreaterThan(1);
  });

  it('comes as CSV, PDF and FHIR', async () => {
    const csv = await as('pat', 'GET', '/api/patients/p/disclosures?format=csv');
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.text).toContain('"The harbor","not known","Name of ann"');
    const pdf = await as('pat', 'GET', '/api/patients/p/disclosures?format=pdf');
    expect(pdf.text.startsWith('%PDF-')).toBe(true);
    const { json } = await as('pat', 'GET', '/api/patients/p/disclosures?format=fhir');
    expect(json).toMatchObject({ resourceType: 'Bundle', type: 'collection' });
    expect(json.entry.length).toBeGreaterThan(1);
    expect((await as('pat', 'GET', '/api/patients/p/disclosures?format=doc')).status).toBe(400);
    for (const who of ['ann', 'sue']) expect((await as(who, 'GET', '/api/patients/p/disclosures')).status).toBe(403);
  });

  it('leaves out, everywhere and without a word, what is suspended, until that ends', async () => {
    const body = { recipient: 'sheriff', statement: 'oral', evidence: 'Called by the sheriff', until: inDays(29) };
    for (const who of ['pat', 'ann', 'sue'])
      expect((await as(who, 'POST', '/api/patients/p/accounting-holds', body)).status).toBe(403);
    const before = (await accounted('pat')).lines.length;
    expect((await as('pia', 'POST', '/api/patients/p/accounting-holds', { ...body, until: inDays(31) })).status).toBe(
      400,
    );
    const { status, json: hold } = await as('pia', 'POST', '/api/patients/p/accounting-holds', body);
    expect(status).toBe(201);
    const shown = [
      '/api/patients/p/disclosures',
      '/api/patients/p/disclosures?format=csv',
      '/api/patients/p/disclosures?format=fhir',
      '/api/patients/p/accesses',
      '/fhir/AuditEvent?_count=200',
    ];
    for (const who of ['pat', 'cara'])
      for (const path of shown) expect((await as(who, 'GET', path)).text, path).not.toMatch(/sheriff|\bdep\b|hold/i);
    expect((await accounted('pia')).lines.filter((line: Json) => line.isHeld)).toHaveLength(1);
    expect((await as('pia', 'GET', '/api/patients/p/disclosures?format=csv')).text).not.toContain('sheriff');
    expect((await as('pia', 'GET', '/api/patients/p/accounting-holds')).json.holds).toMatchObject([{ by: 'pia' }]);
    expect((await as('pat', 'DELETE', `/api/accounting-holds/${hold.id}`)).status).toBe(403);
    expect((await as('pia', 'DELETE', `/api/accounting-holds/${hold.id}`)).status).toBe(204);
    expect((await accounted('pat')).lines).toHaveLength(before);
    expect((await as('pat', 'GET', '/api/patients/p/accesses')).text).not.toContain('hold');
  });
});

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
