/**
 * `npm run bench:sign-in`: how many people sign in by a password, and how many services get a token by an assertion signed
 * with ES384 (private_key_jwt), in a second. README.md says what is compared.
 */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runLoad, type Work } from './client/load.ts';
import { type Figures, withUsage } from './measure.ts';
import { rounded, tableHead, tableLines } from './report.ts';
import { type BenchHub, startHub } from './server/hub.ts';
import { machine, versions } from './server/machine.ts';

const clients = 8;
/** What is counted of the token endpoint is what it does, not what it costs to ask. */
const assertions = 4_000;
const password = 'a password for the bench';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '6' }, json: { type: 'string' } },
});

const hub = await startHub();
try {
  await run(hub);
} finally {
  await hub.stop();
}

async function run(measured: BenchHub): Promise<void> {
  const results: Record<string, Figures> = {};
  console.log(tableHead);
  for (const [name, work] of [
    ['password', await passwords(measured)],
    ['token', await tokens(measured)],
  ] as const) {
    await runLoad(work, { seconds: 1 });
    const loaded = await withUsage(measured, clients, () => runLoad(work, { seconds: Number(values.seconds) }));
    results[name] = rounded(loaded);
    for (const line of tableLines(name, results[name])) console.log(line);
  }
  const written = { machine: machine(), versions: versions(measured.postmaster), date: new Date().toISOString() };
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...written, results }, null, 2)}\n`);
}

/** Each client signs in to an account of its own. */
async function passwords({ url, token }: BenchHub): Promise<Work> {
  for (let client = 0; client < clients; client++) {
    const user = { username: `bench${client}`, name: 'Bench', role: 'clinician', organization: 'Bench' };
    const made = await asked(`${url}/api/users`, user, { authorization: `Bearer ${token}` });
    const begun = await post(`${url}/auth/login`, { username: user.username, password: made.password });
    const cookie = begun.headers.get('set-cookie')!.split(';')[0]!;
    await asked(`${url}/auth/password`, { password }, { cookie });
  }
  return workOf(async (client) => (await asked(`${url}/auth/login`, { username: `bench${client}`, password })).user);
}

/** Each token is asked for with an assertion of its own, signed before. */
async function tokens({ url, token }: BenchHub): Promise<Work> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const kid = randomUUID();
  const registered = await asked(
    `${url}/api/clients`,
    {
      client_name: 'Bench',
      grant_types: ['client_credentials'],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES384', use: 'sig' }] },
      scope: 'system/*.rs',
    },
    { authorization: `Bearer ${token}` },
  );
  const { id } = registered.client as { id: string };
  const signed = Array.from({ length: assertions }, () => assertion(id, `${url}/oauth/token`, kid, privateKey));
  return workOf(async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/Patient.rs',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed.pop() ?? assertion(id, `${url}/oauth/token`, kid, privateKey),
    });
    const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body });
    return ((await answer.json()) as { access_token?: string }).access_token;
  });
}

function assertion(id: string, audience: string, kid: string, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 240;
  const claims = { iss: id, sub: id, aud: audience, jti: randomUUID(), exp };
  const text = `${part({ alg: 'ES384', typ: 'JWT', kid })}.${part(claims)}`;
  const signature = sign('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** @param operation returns what it got; nothing is a failure */
function workOf(operation: (client: number) => Promise<unknown>): Work {
  return {
    clients,
    operation: async (client) => {
      if ((await operation(client)) === undefined) throw new Error('An answer was not what was asked for.');
      return { units: 1, resources: 0, bytes: 0 };
    },
    close: () => {},
  };
}

function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function asked(
  url: string,
  body: object,
  headers?: Record<string, string>,
): Promise<{ [name: string]: unknown }> {
  const answer = await post(url, body, headers);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { [name: string]: unknown };
}
