/** What the checks of the suite `smart` share: a hub with people and an app, and what an app does with it. */
import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AssertionKey,
  assertionKey,
  authorizationRequest,
  authorize,
  type Browser,
  type Decision,
  form,
  pkce,
  publicApp,
  systemToken,
  tokenFor,
  withToken,
} from '../../hub/authorization/testing.ts';
import type { Answer, HubSettings } from '../../hub/testing-calls.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import type { Check as RowCheck } from '../requirement-rows/rows.ts';

/** What the checks share. */
export interface World {
  hub: AskedHub;
  browser: Browser;
  app: string;
  patient: string;
  other: string;
  encounter: string;
  observation: string;
  key: AssertionKey;
  keySets: { server: Server; url: string; requests: string[]; keys: object; cacheControl: string | undefined };
}

export type Check = RowCheck<World>;

export const scopes =
  'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds';
const fhirJson = { 'content-type': 'application/fhir+json' };

export async function makeWorld(settings: HubSettings = {}): Promise<World> {
  const keySets: World['keySets'] = {
    server: undefined!,
    url: '',
    requests: [],
    keys: { keys: [] },
    cacheControl: undefined,
  };
  keySets.server = createServer((request, response) => {
    keySets.requests.push(request.method ?? '');
    const cache = keySets.cacheControl === undefined ? {} : { 'cache-control': keySets.cacheControl };
    response.writeHead(200, { 'content-type': 'application/json', ...cache }).end(JSON.stringify(keySets.keys));
  });
  await new Promise<void>((resolve) => keySets.server.listen(0, '127.0.0.1', resolve));
  keySets.url = `http://127.0.0.1:${(keySets.server.address() as AddressInfo).port}/jwks`;
  const hub = await startAskedHub({ keysFrom: [keySets.url], ...settings });
  const make = async (type: string, resource: object) => {
    const made = await hub.send('POST', `/fhir/${type}`, { resourceType: type, ...resource }, { headers: fhirJson });
    assert.equal(made.status, 201, made.text);
    return made.json.id as string;
  };
  const patient = await make('Patient', { name: [{ family: 'Asked' }] });
  const other = await make('Patient', { name: [{ family: 'Other' }] });

  let observation = '';
  for (const subject of [other, patient, patient]) {
    observation = await make('Observation', {
      status: 'final',
      code: { text: 'weight' },
      subject: { reference: `Patient/${subject}` },
    });
  }
  const encounter = await make('Encounter', {
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: `Patient/${patient}` },
  });
  const app = (await publicApp(hub, scopes, { launch_url: 'https://app.example/start' })).id;
  return {
    hub,
    browser: await hub.signedIn('clinician'),
    app,
    patient,
    other,
    encounter,
    observation,
    key: await assertionKey(),
    keySets,
  };
}

export async function endWorld({ hub, keySets }: World): Promise<void> {
  await hub.stop();
  keySets.server.close();
}

export interface Launched {
  end: URL;
  verifier: string;
  token: Answer;
}

export async function launch(
  world: World,
  scope: string,
  decision: Decision = {},
  more: { [name: string]: string } = {},
): Promise<Launched> {
  const { hub, browser, app, patient } = world;
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, { client: app, scope, challenge, more });
  const end = await authorize(browser, request, { patient, ...decision });
  return { end, verifier, token: await tokenFor(hub, app, end.searchParams.get('code')!, verifier) };
}

export async function fromChart(world: World, scope: string, encounter?: string, more: object = {}): Promise<Launched> {
  const opened = await world.browser.post('/api/launches', {
    client: world.app,
    patient: world.patient,
    ...(encounter ? { encounter } : {}),
    ...more,
  });
  const address = new URL(opened.json.address);
  assert.equal(address.searchParams.get('iss'), `${world.hub.url}/fhir`);
  return launch(world, scope, { patient: undefined }, { launch: address.searchParams.get('launch')! });
}

export const refresh = ({ hub, app }: World, token: string, more: { [name: string]: string } = {}) =>
  form(hub, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: app, ...more });

export function isTokenAnswer({ json, status, headers, text }: Answer): void {
  assert.equal(status, 200, text);
  assert.match(headers.get('content-type')!, /^application\/json/);
  assert.match(headers.get('cache-control')!, /no-store/);
  assert.equal(headers.get('pragma'), 'no-cache');
  assert.match(json.access_token, /^[\x21-\x7e]+$/);
  assert.equal(json.token_type, 'Bearer');
  assert.ok(Number.isInteger(json.expires_in) && json.expires_in > 0 && json.expires_in <= 3600);
  assert.equal(typeof json.scope, 'string');
}

export async function opens(world: World, token: string, path: string): Promise<number> {
  return (await withToken(world.hub, token, path)).status;
}

export async function refusedAssertion(world: World, client: string, signed: string): Promise<void> {
  const answer = await systemToken(world.hub, signed, 'system/Patient.rs');
  assert.equal(answer.json.access_token, undefined, client);
  assert.equal(answer.json.error, 'invalid_client', answer.text);
}
