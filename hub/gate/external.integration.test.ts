/** Signing in through an external provider: `oidc-provider` over a real socket, and a browser that goes back and forth. */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../authorization/testing.ts';
import type { Answer } from '../testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';

const password = 'a-password-of-hers';
const publicUrl = 'https://hub.example';
const clientSecret = 'a secret of the hub there';

/** Who is signed in at the provider, by what, and what it tells of them. */
let atProvider: { id: string; amr: string[]; claims: object };
/** What it tells of others meanwhile, by their ids. */
const claimsOf = new Map<string, object>();
let provider: Provider;
let server: Server;
let issuer: string;
let hub: AttackedHub;

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = new Provider(issuer, {
    clients: [{ client_id: 'hub', client_secret: clientSecret, redirect_uris: [`${publicUrl}/auth/external/back`] }],
    claims: {
      openid: ['sub', 'amr'],
      profile: ['name', 'preferred_username', 'groups', 'site', 'ial', 'mrn', 'birthdate', 'family_name'],
    },
    findAccount: async (_context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...(claimsOf.get(id) ?? atProvider.claims) }),
    }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    cookies: { keys: ['a key of the test'] },
  });
  const accountsFile = join(tmpdir(), `causeway-mapping-${process.pid}.json`);
  writeFileSync(
    accountsFile,
    JSON.stringify({
      role: {
        claim: 'groups',
        values: { privacy: 'privacy-officer', doctors: 'clinician', stewards: 'steward', people: 'patient' },
      },
      organization: { claim: 'site', values: { H1: 'Harbor Hospital' } },
      proofing: { claim: 'ial', values: ['2'], number: 'mrn', system: 'urn:oid:2.999.7' },
    }),
  );
  const secretFile = join(tmpdir(), `causeway-oidc-secret-${process.pid}`);
  writeFileSync(secretFile, `${clientSecret}\n`);
  hub = await startAttackedHub({
    publicUrl,
    requireSecondFactor: 'officers',
    oidcIssuer: issuer,
    oidcClientId: 'hub',
    oidcSecretFile: secretFile,
    oidcAccountsFile: accountsFile,
    oidcName: 'the town',
  });
});
afterAll(async () => {
  await hub?.stop();
  server?.close();
});

/** The provider's own pages sign in whoever the test says, and ask nothing. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!request.url!.startsWith('/interaction/')) return provider.callback()(request, response);
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: atProvider.id, clientId: String(params.client_id) });
  grant.addOIDCScope('openid profile');
  const consent = { grantId: await grant.save() };
  const login = { accountId: atProvider.id, amr: atProvider.amr };
  await provider.interactionFinished(request, response, { login, consent });
}

const doctor = { name: 'Dora Doctor', preferred_username: 'dora', groups: ['staff', 'doctors'], site: 'H1' };

/** From the hub's button to the address with which the provider sends the browser back. */
async function asked(browser: Browser, more: object = {}): Promise<URL> {
  const begun = await browser.post('/auth/external', more);
  expect(begun.status, begun.text).toBe(200);
  let address = new URL(begun.json.address);
  const cookies = new Map<string, string>();
  while (address.origin === issuer) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const next = await fetch(address, { redirect: 'manual', headers: { cookie } });
    for (const line of next.headers.getSetCookie()) {
      const [pair] = line.split(';') as [string];
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    if (next.status < 300 || next.status >= 400) throw new Error(`${address}: ${next.status} ${await next.text()}`);
    address = new URL(next.headers.get('location')!, address);
  }
  return address;
}

const back = (browser: Browser, { pathname, search }: URL): Promise<Answer> => browser.get(`${pathname}${search}`);
const through = async (browser: Browser, more?: object) => back(browser, await asked(browser, more));
const user = async (browser: Browser) => (await browser.get('/auth/session')).json?.user;
const location = (answer: Answer) => answer.headers.get('location');

describe('an external provider', () => {
  it('is offered, and lets in whom its claims map to a role, again and again, with what they say by then', async () => {
    expect((await new Browser(hub).get('/auth/ways')).json).toEqual({ passkey: true, external: { name: 'the town' } });
    atProvider = { id: 'd1', amr: ['pwd'], claims: doctor };
    const browser = new Browser(hub);
    expect(location(await through(browser, { back: '/people?name=x' }))).toBe('/people?name=x');
    const dora = { username: 'dora', name: 'Dora Doctor', role: 'clinician', organization: 'Harbor Hospital' };
    expect(await user(browser)).toEqual(dora);
    atProvider.claims = { ...doctor, groups: ['stewards'], name: 'Dora Steward' };
    const again = new Browser(hub);
    await through(again);
    expect(await user(again)).toMatchObject({ username: 'dora', name: 'Dora Steward', role: 'steward' });
    // What she had as a clinician has ended with that.
    expect(await user(browser)).toBeUndefined();
    expect((await new Browser(hub).post('/auth/login', { username: 'dora', password: '' })).status).toBe(400);
    expect((await new Browser(hub).post('/auth/login', { username: 'dora', password: 'x' })).status).toBe(401);
  });

  it('lets in nobody without a role, an account of another’s name, or a closed one', async () => {
    const accounts = new Accounts(hub.test.database);
    const ann = { username: 'ann', name: 'Ann', role: 'administrator', organization: 'Clinic' } as const;
    await accounts.make(ann, password);
    const refused = '/sign-in?refused=unknown';
    for (const claims of [
      { ...doctor, preferred_username: 'nina', groups: ['cleaners'] },
      { ...doctor, preferred_username: 'nina', site: 'H2' },
      { ...doctor, preferred_username: undefined },
      { ...doctor, preferred_username: 'ann' },
    ]) {
      atProvider = { id: 'n1', amr: ['pwd'], claims };
      const browser = new Browser(hub);
      expect(location(await through(browser))).toBe(refused);
      expect(await user(browser)).toBeUndefined();
    }
    atProvider = { id: 'd1', amr: ['pwd'], claims: doctor };
    await hub.test.database.query(`UPDATE account SET disabled = true WHERE username = 'dora'`);
    expect(location(await through(new Browser(hub)))).toBe(refused);
  });

  it('is believed a second factor only where it says so', async () => {
    const claims = { ...doctor, preferred_username: 'pia', groups: ['privacy'] };
    atProvider = { id: 'p1', amr: ['pwd'], claims };
    const browser = new Browser(hub);
    expect(location(await through(browser, { back: '/emergencies' }))).toBe('/sign-in?goOn=true&back=%2Femergencies');
    expect(await user(browser)).toBeUndefined();
    expect((await browser.get('/auth/step')).json).toEqual({ next: 'enrol' });
    atProvider = { id: 'p1', amr: ['pwd', 'otp', 'mfa'], claims };
    const strong = new Browser(hub);
    await through(strong);
    expect(await user(strong)).toMatchObject({ username: 'pia', role: 'privacy-officer' });
  });

  it('is connected by who is signed in, and then signs in to that account, whatever it claims', async () => {
    const accounts = new Accounts(hub.test.database);
    await accounts.make({ username: 'ben', name: 'Ben', role: 'clinician', organization: 'Clinic' }, password);
    atProvider = { id: 'b1', amr: ['pwd'], claims: { name: 'Benjamin' } };
    const browser = new Browser(hub);
    expect((await browser.post('/auth/external', { connect: true })).status).toBe(401);
    await browser.signIn('ben', password);
    expect(location(await through(browser, { connect: true }))).toBe('/security');
    expect((await browser.get('/auth/security')).json).toMatchObject({ isExternal: true });
    const other = new Browser(hub);
    expect(location(await through(other))).toBe('/');
    expect(await user(other)).toMatchObject({ username: 'ben', name: 'Ben', role: 'clinician' });
    // Nobody else takes the same one.
    await accounts.make({ username: 'cal', name: 'Cal', role: 'clinician', organization: 'Clinic' }, password);
    const cal = new Browser(hub);
    await cal.signIn('cal', password);
    expect(location(await through(cal, { connect: true }))).toBe('/security?refused=taken');
    expect((await browser.delete('/auth/external')).status).toBe(204);
    expect(location(await through(new Browser(hub)))).toBe('/sign-in?refused=unknown');
  });
});

describe('a provider that has proved who a patient is', () => {
  const described = (value: string, family: string, birthDate: string) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:2.999.7', value }],
    name: [{ family, given: ['Ida'] }],
    birthDate,
  });
  const stored = async (...of: Parameters<typeof described>) => {
    const headers = { 'content-type': 'application/fhir+json' };
    const { status, json } = await hub.send('POST', '/fhir/Patient', described(...of), { headers });
    expect(status).toBe(201);
    return json.id as string;
  };
  let last = 0;
  /** What the account of somebody stands for, when they have signed in there. */
  const boundBy = async (claims: object, id = `patient-${++last}`) => {
    const own = { name: 'Ida', preferred_username: id, groups: ['people'], site: 'H1', ial: '2' };
    atProvider = { id, amr: ['pwd'], claims: { ...own, ...claims } };
    const browser = new Browser(hub);
    expect(location(await through(browser))).toBe('/');
    return { id, bindings: (await browser.get('/api/bindings')).json.bindings };
  };
  const larsen = { mrn: 'N-1001', birthdate: '1962-04-05', family_name: 'LARSÉN' };
  let patient: string;
  beforeAll(async () => {
    patient = await stored('N-1001', 'Larsen', '1962-04-05');
  });

  it('says who the account is of, once; what staff ends stays ended', async () => {
    const { id, bindings } = await boundBy(larsen);
    expect(bindings).toMatchObject([{ patient, relation: 'self', proofing: 'external' }]);
    expect(bindings[0].evidence).toContain(issuer);
    expect((await boundBy(larsen, id)).bindings).toHaveLength(1);
    // Nobody else becomes the same person by themselves.
    expect((await boundBy(larsen)).bindings).toEqual([]);
    const by = { role: 'administrator' };
    expect((await hub.send('DELETE', `/api/bindings/${bindings[0].id}`, undefined, by)).status).toBe(204);
    expect((await boundBy(larsen, id)).bindings).toEqual([]);
  });

  it('says it of one account where several of the same person sign in at one moment', async () => {
    await stored('N-4004', 'Fell', '1950-05-06');
    const fell = {
      mrn: 'N-4004',
      birthdate: '1950-05-06',
      family_name: 'Fell',
      groups: ['people'],
      site: 'H1',
      ial: '2',
    };
    const coming = [];
    for (const id of ['fell-1', 'fell-2', 'fell-3', 'fell-4']) {
      const claims = { name: 'Ida', preferred_username: id, ...fell };
      claimsOf.set(id, claims);
      atProvider = { id, amr: ['pwd'], claims };
      const browser = new Browser(hub);
      coming.push({ browser, address: await asked(browser) });
    }
    await Promise.all(coming.map(({ browser, address }) => back(browser, address)));
    const bound = await Promise.all(
      coming.map(async ({ browser }) => (await browser.get('/api/bindings')).json.bindings),
    );
    expect(bound.flat()).toHaveLength(1);
  });

  it('says nothing where it proved less, of who is known otherwise, or of a number that several have', async () => {
    await stored('N-2002', 'Moor', '1971-02-03');
    const moor = { mrn: 'N-2002', birthdate: '1971-02-03', family_name: 'Moor' };
    for (const claims of [
      { ...moor, ial: '1' },
      { ...moor, ial: undefined },
      { ...moor, birthdate: '1971-02-04' },
      { ...moor, family_name: 'Moors' },
      { ...moor, mrn: 'N-2003' },
      { ...moor, mrn: 'N-2002,N-1001' },
      { ...moor, mrn: undefined },
    ]) {
      expect((await boundBy(claims)).bindings, JSON.stringify(claims)).toEqual([]);
    }
    await stored('N-2002', 'Moorland', '1990-09-09');
    expect((await boundBy(moor)).bindings).toEqual([]);
  });

  it('says nothing of accounts that are not of patients', async () => {
    await stored('N-3003', 'Brook', '1980-01-02');
    const claims = { mrn: 'N-3003', birthdate: '1980-01-02', family_name: 'Brook', groups: ['stewards'] };
    expect((await boundBy(claims)).bindings).toEqual([]);
    expect((await boundBy({ ...claims, groups: ['people'] })).bindings).toHaveLength(1);
  });
});

describe('what comes back', () => {
  const refused = '/sign-in?refused=failed';

  it('is good once, and only in the browser that was sent', async () => {
    atProvider = { id: 'd2', amr: ['pwd'], claims: { ...doctor, preferred_username: 'dina' } };
    const [mine, other] = [new Browser(hub), new Browser(hub)];
    const address = await asked(mine);
    expect(location(await back(other, address))).toBe(refused);
    await asked(other);
    // The thief's own request does not make another's answer his.
    expect(location(await back(other, address))).toBe(refused);
    expect(location(await back(mine, address))).toBe('/');
    expect(location(await back(mine, address))).toBe(refused);
    expect(await user(mine)).toMatchObject({ username: 'dina' });
  });

  it('is refused with another state, issuer or code, or an error', async () => {
    for (const change of [
      (query: URLSearchParams) => query.set('state', 'another'),
      (query: URLSearchParams) => query.delete('state'),
      (query: URLSearchParams) => query.set('iss', 'https://evil.example'),
      (query: URLSearchParams) => query.set('code', 'made-up'),
      (query: URLSearchParams) => query.set('error', 'access_denied'),
    ]) {
      const browser = new Browser(hub);
      const address = await asked(browser);
      change(address.searchParams);
      expect(location(await back(browser, address))).toBe(refused);
      expect(await user(browser)).toBeUndefined();
    }
    expect(location(await new Browser(hub).get('/auth/external/back'))).toBe(refused);
  });

  it('leads to no other site, and no other site begins it', async () => {
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 5]) {
      const browser = new Browser(hub);
      expect(location(await through(browser, { back: to }))).toBe('/');
    }
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await new Browser(hub).post('/auth/external', {}, headers)).status).toBe(403);
  });
});
