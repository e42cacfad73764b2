/** Client certificates that their authority revoked: no connection by MLLP, no answer by HTTPS, and one event each. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { encodeFrame } from '@causeway/hl7v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import type { HubSettings } from '../testing-calls.ts';
import { TestAuthority, type TestCertificate } from '../testing-certificates.ts';
import { tlsClient } from '../testing-https.ts';
import { adt } from '../testing-messages.ts';
import { openMllp } from '../testing-mllp.ts';
import { register } from './testing.ts';
import { type TestHolder, testRoot } from './udap/testing.ts';
import { TestRevocation, type Way } from './udap/testing-revocation.ts';
import { PemConverter } from './udap/x509.ts';

const usual = getCACertificates('default');
const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };

let folder: string;
let servers: TestAuthority;
let root: TestHolder;
let service: TestRevocation;
const hubs: TestHub[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-revoked-'));
  servers = new TestAuthority();
  setDefaultCACertificates([...usual, readFileSync(servers.certificate, 'utf8')]);
  root = await testRoot('Clients');
  service = await TestRevocation.start(root);
  writeFileSync(join(folder, 'clients.pem'), root.certificate.toString('pem'));
});
afterAll(async () => {
  for (const hub of hubs) await hub.stop();
  setDefaultCACertificates(usual);
  service.stop();
  servers.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function started(start: typeof startTestHub, settings: HubSettings = {}): Promise<TestHub> {
  const own = servers.issue('hub');
  const [clients, keysFrom] = [join(folder, 'clients.pem'), [service.url]];
  const hub = await start({
    ...{ tlsCertificate: own.certificate, tlsKey: own.key, tlsClientCa: clients },
    ...{ mllpTlsPort: 0, mllpTlsCertificate: own.certificate, mllpTlsKey: own.key, mllpTlsClientCa: clients },
    keysFrom,
    ...settings,
  });
  hubs.push(hub);
  return hub;
}

let last = 0;
/** A certificate of a client, with its files. */
async function client(ways: readonly Way[], by?: TestHolder): Promise<{ holder: TestHolder; files: TestCertificate }> {
  const name = `client-${++last}`;
  const holder = by ? await by.issue(name, undefined) : await service.issue(name, `https://${name}.example`, ways);
  const path = (end: string) => join(folder, `${name}.${end}`);
  const key = await crypto.subtle.exportKey('pkcs8', holder.keys.privateKey);
  writeFileSync(path('pem'), [holder.certificate, ...holder.between].map((one) => one.toString('pem')).join('\n'));
  writeFileSync(path('key'), PemConverter.encode(key, 'PRIVATE KEY'));
  return { holder, files: { certificate: path('pem'), key: path('key'), fingerprint: '' } };
}

/** The first acknowledgement; undefined where the hub ends the connection. */
async function byMllp(hub: TestHub, { certificate, key }: TestCertificate): Promise<string | undefined> {
  const ca = readFileSync(servers.certificate);
  const connection = await openMllp(hub.mllpTlsPort, { ca, cert: readFileSync(certificate), key: readFileSync(key) });
  connection.send(adt('A08', person, { controlId: `C${last}` }));
  const answer = await connection.answer().catch(() => '');
  connection.end();
  await connection.closed;
  return /\rMSA\|(\w\w)/.exec(answer)?.[1];
}

/** How a token is asked for by a certificate; 200 where it is given. */
async function byHttps(hub: TestHub, files: TestCertificate, id: string): Promise<number> {
  const over = tlsClient(servers, files);
  try {
    const asked = { grant_type: 'client_credentials', client_id: id, scope: 'system/Patient.rs' };
    const body = String(new URLSearchParams(asked));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return (await over.fetch(`${hub.url}/oauth/token`, { method: 'POST', headers, body })).status;
  } finally {
    over.close();
  }
}

async function registered(hub: TestHub, { certificate }: TestHolder): Promise<string> {
  const described = {
    client_name: 'A service',
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: certificate.subject,
    scope: 'system/*.rs',
  };
  return (await register(hub, described)).id;
}

describe('certificates that name a list or a responder', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await started(startAttackedHub);
  });

  it.each([['ocsp'], ['crl']] as Way[][])('by %s: one that is revoked opens nothing', async (way) => {
    const [good, bad] = [await client([way!]), await client([way!])];
    service.revoked.add(bad.holder);
    const ids = [await registered(hub, good.holder), await registered(hub, bad.holder)] as const;
    expect(await byMllp(hub, good.files)).toBe('AA');
    expect(await byHttps(hub, good.files, ids[0])).toBe(200);
    expect(await leavingOneEvent(hub, 'MLLP', () => byMllp(hub, bad.files))).toBeUndefined();
    expect((await accessesOf(hub)).at(-1)).toMatchObject({ who: 'unknown', status: 403 });
    expect(await leavingOneEvent(hub, 'HTTPS', () => byHttps(hub, bad.files, ids[1]))).toBe(401);
    expect((await accessesOf(hub)).at(-1)).toMatchObject({ who: 'unknown', status: 401 });
    const { rows } = await hub.test.database.query('SELECT 1 FROM message WHERE control_id = $1', [`C${last}`]);
    expect(rows).toHaveLength(1);
  });

  it('one that stands for a participant is named where it is refused', async () => {
    const { holder, files } = await client(['ocsp']);
    const transport = { certificates: [fingerprintOf(holder)] };
    const body = { name: 'Lab', kind: 'lab', sendingFacility: 'LAB', transport };
    expect((await hub.send('PUT', '/api/participants/lab', body)).status).toBe(200);
    service.revoked.add(holder);
    await leavingOneEvent(hub, 'MLLP', () => byMllp(hub, files));
    expect((await accessesOf(hub)).at(-1)).toMatchObject({ who: 'site:lab', what: 'MLLP by TLS', status: 403 });
  });

  it('where nobody answers, one is refused, and one that names nobody is taken', async () => {
    service.state = 'fails';
    try {
      expect(await byMllp(hub, (await client(['ocsp'])).files)).toBeUndefined();
      expect(await byMllp(hub, (await client([])).files)).toBe('AA');
    } finally {
      service.state = 'answers';
    }
  });
});

it('where that is allowed, one is taken while nobody answers', async () => {
  const hub = await started(startTestHub, { clientRevocation: 'reachable' });
  service.state = 'fails';
  expect(await byMllp(hub, (await client(['ocsp'])).files)).toBe('AA');
  service.state = 'answers';
});

it('by lists in files, of each certificate of a path, where all must be told of', async () => {
  const middle = await root.authority('Middle');
  const [ofRoot, ofMiddle] = [join(folder, 'root.crl'), join(folder, 'middle.crl')];
  const [good, bad] = [await client([], middle), await client([], middle)];
  writeFileSync(ofRoot, await root.revocations([]));
  writeFileSync(ofMiddle, await middle.revocations([bad.holder]));
  const hub = await started(startTestHub, { clientRevocation: 'required', clientCrls: [ofRoot, ofMiddle] });
  expect(await byMllp(hub, good.files)).toBe('AA');
  expect(await byMllp(hub, bad.files)).toBeUndefined();
  // A session that is gone on with brings no path: that of the first connection counts.
  const sessions = await Promise.all(
    (['TLSv1.2', 'TLSv1.3'] as const).map((version) => sessionOf(hub, good.files, version)),
  );
  for (const session of sessions) expect(await resumed(hub, good.files, session)).toBe('AA');
  writeFileSync(ofRoot, await root.revocations([middle]));
  expect(await byMllp(hub, good.files)).toBeUndefined();
  for (const session of sessions) expect(await resumed(hub, good.files, session)).toBeUndefined();
});

interface TlsSession {
  version: 'TLSv1.2' | 'TLSv1.3';
  session?: Buffer;
}

function settings(
  hub: TestHub,
  { certificate, key }: TestCertificate,
  { version, session }: TlsSession,
): ConnectionOptions {
  const [ca, cert, own] = [servers.certificate, certificate, key].map((file) => readFileSync(file));
  const to = { host: '127.0.0.1', port: hub.mllpTlsPort, minVersion: version, maxVersion: version };
  return { ...to, ca: ca!, cert: cert!, key: own!, ...(session ? { session } : {}) };
}

async function sessionOf(hub: TestHub, files: TestCertificate, version: TlsSession['version']): Promise<TlsSession> {
  const socket = connect(settings(hub, files, { version }));
  socket.resume();
  const [session] = await once(socket, 'session');
  socket.destroy();
  return { version, session };
}

/** The first acknowledgement over a session that is gone on with; undefined where the hub ends the connection. */
async function resumed(hub: TestHub, files: TestCertificate, session: TlsSession): Promise<string | undefined> {
  const socket = connect(settings(hub, files, session));
  await once(socket, 'secureConnect');
  expect(socket.isSessionReused()).toBe(true);
  socket.on('error', () => {});
  socket.write(encodeFrame(Buffer.from(adt('A08', person, { controlId: `R${++last}` }))));
  const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.destroy();
  return Buffer.isBuffer(answer) ? /\rMSA\|(\w\w)/.exec(String(answer))?.[1] : undefined;
}

function fingerprintOf({ certificate }: TestHolder): string {
  return new X509Certificate(Buffer.from(certificate.rawData)).fingerprint256;
}
