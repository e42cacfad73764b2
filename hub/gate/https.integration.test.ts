import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownFetch } from '../own-fetch.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { TestAuthority, type TestCertificate } from '../testing-certificates.ts';
import { type TlsClient, tlsClient } from '../testing-https.ts';
import { adt } from '../testing-messages.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };
const hl7 = { 'content-type': 'application/hl7-v2' };
const usual = getCACertificates('default');

let authority: TestAuthority;
let strangers: TestAuthority;
let server: TestCertificate;
let labs: TestCertificate;
let folder: string;
let hub: TestHub;
let lab: TlsClient;
let clinic: TlsClient;
let stranger: TlsClient;
let nobody: TlsClient;
const files = () => ({ certificate: join(folder, 'hub.pem'), key: join(folder, 'hub.key') });
const use = (one: TestCertificate) => {
  copyFileSync(one.certificate, files().certificate);
  copyFileSync(one.key, files().key);
};

beforeAll(async () => {
  authority = new TestAuthority();
  strangers = new TestAuthority('Strangers');
  server = authority.issue('hub');
  folder = mkdtempSync(join(tmpdir(), 'causeway-https-'));
  setDefaultCACertificates([...usual, readFileSync(authority.certificate, 'utf8')]);
  use(server);
  hub = await startTestHub({
    tlsCertificate: files().certificate,
    tlsKey: files().key,
    tlsClientCa: authority.certificate,
  });
  labs = authority.issue('lab');
  lab = tlsClient(authority, labs);
  clinic = tlsClient(authority, authority.issue('clinic'));
  stranger = tlsClient(authority, strangers.issue('stranger'));
  nobody = tlsClient(authority);
  const registered = { name: 'The Laboratory', kind: 'lab', sendingFacility: 'LAB' };
  const transport = { certificates: [labs.fingerprint] };
  await hub.send('PUT', '/api/participants/lab', { ...registered, transport });
  await hub.send('PUT', '/api/participants/lab/settings', { oid: '2.16.840.1.113883.19.7' });
  const body = { name: 'The Clinic', kind: 'practice', sendingFacility: 'CLINIC' };
  expect((await hub.send('PUT', '/api/participants/clinic', body)).status).toBe(200);
});
afterAll(async () => {
  for (const client of [lab, clinic, stranger, nobody]) client.close();
  await hub.stop();
  setDefaultCACertificates(usual);
  authority.remove();
  strangers.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The certificate that the hub shows, to a client that speaks these versions. */
function shown(options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const to = { port: Number(new URL(hub.url).port), host: '127.0.0.1', ca: readFileSync(authority.certificate) };
    const socket = connectTls({ ...to, ...options }, () => {
      resolve(socket.getPeerX509Certificate()!.fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('HTTPS', () => {
  it('is spoken by TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await shown({ minVersion: version, maxVersion: version })).toBe(server.fingerprint);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(shown(old)).rejects.toThrow(/protocol version|alert/i);
  });

  it('tells browsers to come back by it, sets cookies for it alone, and names addresses of it', async () => {
    expect(hub.url).toMatch(/^https:/);
    for (const path of ['/fhir/metadata', '/oauth/jwks', '/fhir/Patient/none', '/nowhere']) {
      expect((await hub.get(path)).headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
    const wrong = { username: 'ann', password: 'wrong' };
    const out = await hub.send('POST', '/auth/logout', wrong, { role: null });
    expect(out.headers.get('set-cookie')).toMatch(/^__Host-causeway_session=.*; Secure/);
    const { json } = await hub.get('/fhir/.well-known/smart-configuration', { role: null });
    expect(json.token_endpoint).toBe(`${hub.url}/oauth/token`);
  });

  it('closes a connection that speaks plain HTTP, and answers the next one', async () => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await hub.get('/fhir/Patient')).status).toBe(200);
  });

  it('is asked by the command line, which knows the hub by its certificate whatever its names are', async () => {
    const url = `${hub.url}/fhir/metadata`;
    const named = authority.issue('elsewhere', 'DNS:hub.example');
    expect((await ownFetch(server.certificate)(url, {})).status).toBe(200);
    await expect(ownFetch(named.certificate)(url, {})).rejects.toThrow(/certificate/);
  });
});

describe('messages by client certificate', () => {
  const answer = async (response: Response) => [response.status, /\rMSA\|(\w\w)/.exec(await response.text())?.[1]];
  const send = (client: TlsClient, controlId: string, facility: string, headers: object = {}) =>
    client
      .fetch(`${hub.url}/hl7`, {
        method: 'POST',
        headers: { ...hl7, ...headers },
        body: adt('A08', person, { controlId, facility }),
      })
      .then(answer);
  const kept = async (controlId: string) =>
    (await hub.test.database.query('SELECT state, source, error FROM message WHERE control_id = $1', [controlId])).rows;

  it('are those of the participant that it stands for, without a token', async () => {
    expect(await send(lab, 'S1', 'LAB')).toEqual([200, 'AA']);
    expect(await send(lab, 'S2', 'SUBSTATION')).toEqual([200, 'AA']);
    expect(await kept('S2')).toMatchObject([{ source: 'lab' }]);
    expect(await send(lab, 'S3', 'CLINIC')).toEqual([400, 'AR']);
    expect(await kept('S3')).toMatchObject([{ state: 'refused', error: expect.stringContaining('stands for lab') }]);
  });

  it('are refused without it, whatever token comes with them', async () => {
    const asLab = { authorization: `Bearer ${await hub.token('system', 'site:lab')}` };
    const asHub = { authorization: `Bearer ${await hub.token('system')}` };
    for (const [client, controlId, headers] of [
      [nobody, 'N1', asLab],
      [nobody, 'N2', asHub],
      [clinic, 'N3', asLab],
    ] as const) {
      expect(await send(client, controlId, 'LAB', headers)).toEqual([400, 'AR']);
      const [message] = await kept(controlId);
      expect(message).toMatchObject({ state: 'refused', error: expect.stringContaining('client certificate only') });
    }
    expect(await send(lab, 'N4', 'LAB', asLab)).toEqual([200, 'AA']);
    const asClinic = { authorization: `Bearer ${await hub.token('system', 'site:clinic')}` };
    expect((await send(lab, 'N5', 'LAB', asClinic))[0]).toBe(403);
    expect(await send(nobody, 'N6', 'CLINIC', asClinic)).toEqual([200, 'AA']);
    expect((await send(nobody, 'N7', 'CLINIC'))[0]).toBe(401);
    expect((await send(clinic, 'N8', 'CLINIC'))[0]).toBe(401);
  });

  it('may be documents and Bundles', async () => {
    const document = (id: string) =>
      `<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="${id}"/><custodian><assignedCustodian><representedCustodianOrganization><id root="2.16.840.1.113883.19.7"/></representedCustodianOrganization></assignedCustodian></custodian></ClinicalDocument>`;
    const bundle = (id: string) =>
      JSON.stringify({ resourceType: 'Bundle', type: 'collection', identifier: { value: id } });
    const post = async (client: TlsClient, body: string, headers: Record<string, string> = {}) =>
      (await client.fetch(`${hub.url}/inbox`, { method: 'POST', body, headers })).status;
    expect(await post(lab, document('D1'))).toBe(202);
    expect(await post(lab, bundle('B1'))).toBe(202);
    expect(await kept('1.2.3^D1')).toMatchObject([{ source: 'lab' }]);
    expect(await kept('B1')).toMatchObject([{ source: 'lab' }]);
    const asHub = { authorization: `Bearer ${await hub.token('system')}` };
    const asLab = { authorization: `Bearer ${await hub.token('system', 'site:lab')}` };
    expect(await post(nobody, document('D2'), asHub)).toBe(422);
    expect(await post(nobody, document('D3'), asLab)).toBe(422);
    expect(await post(nobody, bundle('B3'), asLab)).toBe(422);
    expect(await kept('1.2.3^D2')).toMatchObject([{ source: 'lab', state: 'refused' }]);
    expect(await post(nobody, bundle('B2'), asHub)).toBe(202);
  });

  it('open nothing but the inbox', async () => {
    for (const path of ['/fhir/Patient', '/api/status', '/api/participants']) {
      expect((await lab.fetch(`${hub.url}${path}`)).status).toBe(401);
    }
  });

  it('are not taken by one of another authority, nor is anything that asks who it is', async () => {
    const authorization = `Bearer ${await hub.token('system')}`;
    const refused = await stranger.fetch(`${hub.url}/fhir/Patient`, { headers: { authorization } });
    expect([refused.status, await refused.text()]).toEqual([401, expect.stringContaining('of no authority')]);
    expect((await send(stranger, 'X1', 'CLINIC', { authorization }))[0]).toBe(401);
    expect((await stranger.fetch(`${hub.url}/fhir/metadata`)).status).toBe(200);
  });

  it('are known over a connection that goes on with an earlier handshake', async () => {
    const tls = { cert: readFileSync(labs.certificate), key: readFileSync(labs.key) };
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const to = { ...tls, minVersion: version, maxVersion: version };
      const first = await over({ ...to }, `R1${version}`);
      const again = await over({ ...to, session: first.session }, `R2${version}`);
      expect([first.isReused, again.isReused, first.status, again.status]).toEqual([false, true, 200, 200]);
    }
  });

  it('end in thirty days, or do not: those are told that are in use here', async () => {
    const { json } = await hub.get('/api/certificates');
    expect(json.certificates).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'HTTPS', state: 'soon' }),
        expect.objectContaining({ what: 'the authority of HTTPS clients' }),
        expect.objectContaining({ what: 'connects to the hub', participant: 'lab', fingerprint: labs.fingerprint }),
      ]),
    );
  });
});

/** Sends a message over a connection of its own; `session`: by which a next one may go on. */
function over(tls: ConnectionOptions, controlId: string) {
  return new Promise<{ isReused: boolean; status: number; session: Buffer }>((resolve, reject) => {
    const body = adt('A08', person, { controlId, facility: 'LAB' });
    const to = { port: Number(new URL(hub.url).port), host: '127.0.0.1', ca: readFileSync(authority.certificate) };
    const socket = connectTls({ ...to, ...tls });
    let session = Buffer.alloc(0);
    socket.on('session', (given) => (session = given));
    socket.on('error', reject);
    socket.on('data', (data) => {
      resolve({ isReused: socket.isSessionReused(), status: Number(data.toString().split(' ')[1]), session });
      socket.destroy();
    });
    const head = ['POST /hl7 HTTP/1.1', 'host: hub', 'content-type: application/hl7-v2'];
    socket.write([...head, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
  });
}

it('a certificate that is renewed under load loses no request, and is shown', async () => {
  const renewed = authority.issue('renewed');
  const authorization = `Bearer ${await hub.token('administrator')}`;
  const statuses: (number | string)[] = [];
  let isOver = false;
  const load = async (fresh: boolean) => {
    let client = tlsClient(authority);
    while (!isOver) {
      const asked = client.fetch(`${hub.url}/fhir/Patient?_count=1`, { headers: { authorization } });
      statuses.push(await asked.then(({ status }) => status).catch((error) => String(error)));
      if (!fresh) continue;
      client.close();
      client = tlsClient(authority);
    }
    client.close();
  };
  const running = [load(false), load(false), load(true)];
  copyFileSync(renewed.certificate, files().certificate);
  // Half of it is there: what was good goes on.
  expect(await shown()).toBe(server.fingerprint);
  copyFileSync(renewed.key, files().key);
  await expect.poll(() => shown(), { timeout: 20_000, interval: 100 }).toBe(renewed.fingerprint);
  const before = statuses.length;
  await expect.poll(() => statuses.length).toBeGreaterThan(before + 10);
  isOver = true;
  await Promise.all(running);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
