/**
 * A18: every route that is registered, asked by nobody, by a patient who is bound to no person, by an integration
 * engineer, who has no business in charts, and by an auditor, who sees who did what and changes nothing. A new route fails
 * until it refuses them, or stands here with its reason. Each request that is refused leaves exactly one event, whatever
 * the route.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import { FhirAddresses } from './fhir-addresses.ts';

const canary = 'Wqxcanary';
const filled: { [parameter: string]: string } = { ':type': 'Patient', ':id': 'hidden', ':target': 'Observation' };

let hub: AttackedHub;
let routes: string[];
const tokens = new Map<string, Promise<string>>();

// A hub for each asker: of all strangers together some hundred refusals are told each.
beforeEach(async () => {
  tokens.clear();
  const added = vi.spyOn(FhirAddresses.prototype, 'add');
  // So it is of one address, so that each request comes from another.
  hub = await startAttackedHub({ trustedProxies: ['127.0.0.1'] });
  hub.secret(canary);
  routes = [
    ...new Set(added.mock.calls.flatMap(([methods, url]) => [methods].flat().map((method) => `${method} ${url}`))),
  ].sort();
  added.mockRestore();
  await hub.send('PUT', '/fhir/Patient/hidden', { resourceType: 'Patient', id: 'hidden', name: [{ family: canary }] });
  const subject = { reference: 'Patient/hidden' };
  const code = { text: canary, coding: [{ code: 'x' }] };
  await hub.send('PUT', '/fhir/Observation/hidden', {
    resourceType: 'Observation',
    id: 'hidden',
    status: 'final',
    code,
    subject,
  });
});
afterEach(() => hub.stop());

let asker = 0;
const from = () => ({ 'x-forwarded-for': `198.18.${asker >> 8}.${asker++ & 255}` });

/** Asks a route, its parameters filled in, as one who knows how would. */
async function asked(route: string, role: string | null): Promise<{ status: number; text: string }> {
  const [method, url] = route.split(' ') as [string, string];
  const path = url.replaceAll(/:[a-z]+/gi, (name) => filled[name] ?? 'none').replace(/\*$/, 'none');
  const isFhir = url.startsWith('/fhir');
  const type = url.endsWith('_search')
    ? 'application/x-www-form-urlencoded'
    : isFhir
      ? 'application/fhir+json'
      : 'application/json';
  const body = isFhir ? '{"resourceType":"Parameters"}' : '{}';
  const headers: Record<string, string> = { 'content-type': type, ...from() };
  if (role !== null) headers.authorization = `Bearer ${await tokenOf(role)}`;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return hub.send(method, path, hasBody ? body : undefined, { role: null, headers });
}

const tokenOf = (role: string): Promise<string> => {
  if (!tokens.has(role)) tokens.set(role, hub.token(role));
  return tokens.get(role)!;
};

const refusals = [401, 403, 404, 405];

/** Reasons for which a route answers somebody who may see nothing. */
type Reasons = { [route: string]: string };

const toAnybody: Reasons = {
  'GET /brands': 'SMART has it open: how users recognise where their record is',
  'GET /auth/demo-accounts': 'the accounts of the demonstration, none elsewhere',
  'POST /auth/login': 'signs in',
  'POST /auth/login/passkey': 'signs in',
  'POST /auth/login/passkey/options': 'a challenge to sign in by',
  'POST /auth/logout': 'ends a session, if there is one',
  'POST /auth/register': 'takes up an invitation, by its code',
  'GET /auth/ways': 'how one can sign in here',
  'GET /fhir/metadata': 'FHIR has it open: what the server can do',
  'GET /fhir/.well-known/smart-configuration': 'SMART has it open: where to authorize',
  'GET /fhir/.well-known/udap': 'UDAP has it open: how clients of a trust community register',
  'GET /oauth/.well-known/oauth-authorization-server': 'RFC 8414 has it open',
  'GET /oauth/.well-known/udap':
    'UDAP has it open: how resource holders of a trust community register for signing users in',
  'GET /oauth/.well-known/openid-configuration': 'OpenID Discovery has it open',
  'GET /oauth/jwks': 'public keys',
  'GET /oauth/smart-style.json': 'colours',
  'GET /oauth/idp/back': 'sends who was asked nothing to the page for signing in',
  'GET /oauth/authorize': 'asks the user to sign in',
  'GET /oauth/authorize/:uid': 'goes on with that, by the cookie of the browser that was asked',
  'POST /oauth/authorize': 'asks the user to sign in',
  'POST /oauth/introspect': 'authenticates the client by itself',
  'POST /oauth/par': 'authenticates the client by itself',
  'POST /oauth/register': 'what is registered waits for an administrator',
  'POST /oauth/revoke': 'authenticates the client by itself',
  'POST /oauth/token': 'authenticates the client by itself',
  'POST /witness/add-checkpoint':
    'a log is known by its signature; what nobody signed is refused as the protocol has it (400)',
};

const nothingFound = 'a search, which finds nothing';
const wrongFirst = 'says what the request lacks before it looks for anything';
const toSignedIn: Reasons = {
  ...toAnybody,
  'GET /api/apps': 'the user’s own connections',
  'GET /api/audit/growth': wrongFirst,
  'GET /api/audit/keys': 'public keys of the log, by which receipts are checked',
  'GET /api/bindings': 'the user’s own',
  'GET /api/emergency': 'the user’s own',
  'GET /api/identifier-systems': 'names of organisations',
  'GET /api/launchable-apps': 'names of apps',
  'POST /api/health-link-relay': wrongFirst,
  'POST /api/launches': wrongFirst,
  'GET /api/notices': 'the user’s own',
  'POST /api/notices/read': 'the user’s own',
  'GET /api/subscriptions': 'the user’s own',
  'POST /api/subscriptions/:id': wrongFirst,
  'GET /fhir': nothingFound,
  'GET /fhir/:type': nothingFound,
  'GET /fhir/:type/:id/:target': nothingFound,
  'GET /fhir/_history': nothingFound,
  'GET /fhir/:type/_history': nothingFound,
  'GET /fhir/Patient/$everything': nothingFound,
  'POST /fhir/Patient/$everything': nothingFound,
  'POST /fhir/_search': nothingFound,
  'POST /fhir/:type/_search': nothingFound,
  'POST /fhir/:type/:id/:target/_search': nothingFound,
  'GET /fhir/Subscription/$status': nothingFound,
  'POST /fhir/Subscription/$status': nothingFound,
  'GET /fhir/$meta': 'labels that a search finds: none',
  'POST /fhir/$meta': 'labels that a search finds: none',
  'GET /fhir/:type/$meta': 'labels that a search finds: none',
  'POST /fhir/:type/$meta': 'labels that a search finds: none',
  'GET /fhir/$graphql': wrongFirst,
  'POST /fhir/$graphql': wrongFirst,
  'GET /fhir/:type/:id/$graphql': wrongFirst,
  'POST /fhir/:type/:id/$graphql': wrongFirst,
  'GET /fhir/:type/:id/$graph': wrongFirst,
  'POST /fhir/:type/:id/$graph': wrongFirst,
  'GET /fhir/DocumentReference/$docref': wrongFirst,
  'POST /fhir/DocumentReference/$docref': wrongFirst,
  'GET /fhir/Patient/$summary': wrongFirst,
  'POST /fhir/Patient/$summary': wrongFirst,
  'POST /fhir/Patient/$match': wrongFirst,
  'GET /fhir/Patient/$ihe-pix': wrongFirst,
  'POST /fhir/Patient/$ihe-pix': wrongFirst,
  'GET /fhir/Observation/$lastn': wrongFirst,
  'POST /fhir/Observation/$lastn': wrongFirst,
  'GET /fhir/:type/:id/$validate': wrongFirst,
  'POST /fhir/:type/$validate': 'looks at what was sent',
  'POST /fhir/:type/:id/$validate': 'looks at what was sent',
};

const toEngineers: Reasons = {
  ...toSignedIn,
  'GET /api/messages': 'engineers see messages',
  'POST /api/messages/:id/replay': 'engineers see messages',
  'GET /api/not-mapped': 'engineers look after maps',
  'GET /api/reprocess': 'engineers look after maps',
  'POST /api/reprocess': 'engineers look after maps',
  'POST /api/reprocess/preview': 'engineers look after maps',
  'DELETE /api/reprocess/:id': 'engineers look after maps',
  'GET /api/certificates': 'engineers look after connections',
  'GET /api/connectors': 'engineers look after connections',
  'POST /api/connectors/proposed-map': wrongFirst,
  'PUT /api/connectors/:key/map': wrongFirst,
  'GET /api/participants': 'engineers look after connections',
  'GET /api/deliveries': 'engineers look after connections',
  'POST /api/deliveries/replay': wrongFirst,
  'POST /api/deliveries/:id/replay': wrongFirst,
  'POST /api/participants/:key/routes/:name/test': wrongFirst,
  'POST /api/route-filters/try': wrongFirst,
  'GET /api/peers': 'engineers look after connections',
  'GET /api/standings': 'engineers look after connections',
  'GET /api/loops': 'engineers see what was not acknowledged, without the persons',
  'GET /api/recalls': 'engineers see what was not acknowledged, without the persons',
  'GET /api/status': 'counts of messages and resources',
  'POST /ccda': 'engineers may send messages',
  'POST /hl7': 'engineers may send messages',
  'POST /inbox': 'engineers may send messages',
};

const toAuditors: Reasons = {
  ...toSignedIn,
  'GET /api/audit/proof': wrongFirst,
  'GET /api/audit/status': 'auditors hold the log to its word',
  'GET /api/audit/witness': 'auditors hold the log to its word',
  'GET /audit/checkpoint': 'auditors hold the log to its word',
  'GET /audit/keys': 'auditors hold the log to its word',
  'GET /api/patients/:id/accesses': 'auditors see who looked at whom',
  'GET /api/patients/:id/accesses/:access/receipt': wrongFirst,
  'GET /api/patients/:id/disclosures': 'auditors see to whom it was given out',
  'GET /api/refusals': 'auditors read the register',
  'GET /api/refusals.csv': 'auditors read the register',
  'GET /api/information-requests': 'auditors read the register, without its texts',
  'GET /api/safeguards': 'auditors read what was found',
};

it('all routes are known', () => {
  expect(routes.length).toBeGreaterThan(100);
  const gone = Object.keys(toEngineers).filter((route) => !routes.includes(route));
  expect(gone, 'reasons of routes that there are no more').toEqual([]);
});

it('the token of an organisation’s system opens nothing by which people run the network', async () => {
  const authorization = `Bearer ${await hub.token('system', 'site:north')}`;
  const opened: string[] = [];
  for (const route of routes) {
    const [method, url] = route.split(' ') as [string, string];
    if (!url.startsWith('/api/') || `${method} ${url}` in toAnybody) continue;
    const body = method === 'GET' || method === 'HEAD' ? undefined : '{}';
    const headers = { authorization, 'content-type': 'application/json' };
    const path = url.replaceAll(/:[a-z]+/gi, (name) => filled[name] ?? 'none');
    const { status } = await hub.send(method, path, body, { role: null, headers });
    if (status !== 403) opened.push(`${route} ${status}`);
  }
  expect(opened).toEqual([]);
});

it.each([
  ['nobody', null, toAnybody],
  ['a patient who is bound to no person', 'patient', toSignedIn],
  ['an integration engineer', 'integration-engineer', toEngineers],
  ['an auditor', 'auditor', toAuditors],
] as const)('every route refuses %s, or has its reason', async (_, role, reasons) => {
  const opened: string[] = [];
  for (const route of routes) {
    const { status, text } = await asked(route, role);
    expect(text, route).not.toContain(canary);
    expect(status, route).toBeLessThan(500);
    const reason = reasons[route.replace(/^HEAD/, 'GET')];
    if (reason === undefined && !refusals.includes(status)) opened.push(`${route} ${status}`);
    if (reason === nothingFound && route.startsWith('GET') && status === 200)
      expect([route, JSON.parse(text).entry ?? []]).toEqual([route, []]);
  }
  expect(opened).toEqual([]);
});
