/** What the checks of the suite `udap` share: a hub in two trust communities, made for the run, and clients of these. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appClaims,
  assertionClaims,
  authorize,
  type Browser,
  b2b,
  form,
  pkce,
  redirectUri,
  statementClaims,
  systemToken,
  type TestHolder,
  testRoot,
  writeCommunity,
} from '../../hub/authorization/testing.ts';
import type { Answer } from '../../hub/testing-calls.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import type { Check as RowCheck } from '../requirement-rows/rows.ts';

export type Check = RowCheck<World>;

export interface World {
  hub: AskedHub;
  browser: Browser;
  folder: string;
  /** The roots of both communities. */
  root: TestHolder;
  other: TestHolder;
  revoked: TestHolder;
  patient: string;
}

/** The address under which the hub is known; it is asked where it listens. */
export const base = 'https://hub.example';
export const registration = `${base}/oauth/register`;
export const tokenEndpoint = `${base}/oauth/token`;
export const organization = 'https://harbor.example';
export const scope = 'system/Patient.rs';

export async function makeWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-udap-'));
  const [root, other] = await Promise.all([testRoot('One', 'RS256'), testRoot('Two')]);
  const revoked = await root.issue('Revoked', 'https://revoked.example');
  const communities = [
    await writeCommunity(folder, {
      uri: 'https://one.example',
      name: 'one',
      root,
      server: await root.issue('Hub', `${base}/fhir`, { alg: 'RS256' }),
      revoked: await root.revocations([revoked]),
    }),
    await writeCommunity(folder, {
      uri: 'https://two.example',
      name: 'two',
      root: other,
      server: await other.issue('Hub', `${base}/fhir`),
      revocation: 'off',
    }),
  ];
  const file = join(folder, 'udap.json');
  writeFileSync(file, JSON.stringify({ communities }));
  const hub = await startAskedHub({ publicUrl: base, udap: file });
  const headers = { 'content-type': 'application/fhir+json' };
  const made = await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers });
  await hub.send('PUT', '/api/participants/harbor', { name: 'Harbor Hospital', kind: 'hospital' });
  return { hub, browser: await hub.signedIn('clinician'), folder, root, other, revoked, patient: made.json.id };
}

export async function endWorld({ hub, folder }: World): Promise<void> {
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
}

export interface Client {
  id: string;
  uri: string;
  holder: TestHolder;
  statement: string;
  registered: Answer;
}

export function metadata({ hub }: World, query = ''): Promise<Answer> {
  return hub.send('GET', `/fhir/.well-known/udap${query}`, undefined, { role: null });
}

export function register({ hub }: World, statement: string, more: object = {}): Promise<Answer> {
  return hub.send('POST', '/oauth/register', { software_statement: statement, udap: '1', ...more }, { role: null });
}

let last = 0;

export async function newUri(world: World): Promise<{ uri: string; holder: TestHolder }> {
  const uri = `https://client-${++last}.example`;
  return { uri, holder: await world.root.issue('Client', uri, { alg: 'RS256' }) };
}

/** A registered client with a URI of its own: a service, or with `appClaims` an app. */
export async function newClient(world: World, more: object = {}): Promise<Client> {
  const { uri, holder } = await newUri(world);
  const statement = await holder.sign(statementClaims(uri, registration, more));
  const registered = await register(world, statement);
  assert.equal(registered.status, 201, registered.text);
  return { id: registered.json.client_id, uri, holder, statement, registered };
}

/** A service whose organisation an administrator has said. */
export async function newService(world: World): Promise<Client> {
  const client = await newClient(world);
  const said = { organization, participant: 'harbor' };
  const approved = await world.hub.send('PUT', `/api/clients/${client.id}/organizations`, said);
  assert.equal(approved.status, 200, approved.text);
  return client;
}

export async function serviceToken(
  { hub }: World,
  { id, holder }: Pick<Client, 'id' | 'holder'>,
  claims: object = {},
  header: object = {},
): Promise<Answer> {
  const all = assertionClaims(id, tokenEndpoint, { ...b2b(organization), ...claims });
  return systemToken(hub, await holder.sign(all, header), scope);
}

/** What an app asks its user's browser for. */
export function appRequest(client: string, challenge: string, more: object = {}): URLSearchParams {
  const all = {
    response_type: 'code',
    client_id: client,
    redirect_uri: redirectUri,
    scope: appClaims.scope,
    state: 'abc',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  return new URLSearchParams(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** A code, and what is needed to use it. */
export async function newCode(world: World, client: Client): Promise<{ code: string; verifier: string; end: URL }> {
  const { verifier, challenge } = pkce();
  const end = await authorize(world.browser, appRequest(client.id, challenge), { patient: world.patient });
  return { code: end.searchParams.get('code')!, verifier, end };
}

export async function useCode(
  { hub }: World,
  { id, holder }: Pick<Client, 'id' | 'holder'>,
  fields: { [name: string]: string | undefined },
): Promise<Answer> {
  const all = {
    grant_type: 'authorization_code',
    redirect_uri: redirectUri,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await holder.sign(assertionClaims(id, tokenEndpoint)),
    udap: '1',
    ...fields,
  };
  const sent = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return form(hub, '/oauth/token', Object.fromEntries(sent));
}

export function isRefused({ status, json, text }: Answer, wanted: number, code: string): void {
  assert.deepEqual(
    [status, json?.error, json?.access_token, json?.client_id],
    [wanted, code, undefined, undefined],
    text,
  );
}
