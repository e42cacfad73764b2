/** Servers that the hub connects to, by MLLP and by HTTPS, whose certificate is revoked or of which that cannot be learned. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from '../outbox/testing.ts';
import { newId } from '../record/index.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt } from '../testing-messages.ts';
import { CertificateRevocation } from './certificate-revocation.ts';
import { ConnectionRevocation } from './connection-revocation.ts';
import { RevocationSources } from './revocation-sources.ts';
import { type TestHolder, testRoot } from './udap/testing.ts';
import { TestRevocation } from './udap/testing-revocation.ts';

const usual = getCACertificates('default');
let folder: string;
let ca: string;
let root: TestHolder;
let service: TestRevocation;
/** The certificates by which the servers are known. */
let good: Awaited<ReturnType<TestRevocation['tls']>>;
let bad: typeof good;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-servers-'));
  root = await testRoot('Servers');
  ca = join(folder, 'ca.pem');
  writeFileSync(ca, root.certificate.toString('pem'));
  setDefaultCACertificates([...usual, root.certificate.toString('pem')]);
  service = await TestRevocation.start(root);
  good = await service.tls('good', ['ocsp']);
  bad = await service.tls('bad', ['crl']);
  service.revoked.add(bad.holder);
});
afterAll(() => {
  service?.stop();
  setDefaultCACertificates(usual);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  service.state = 'answers';
});

interface Web {
  url: string;
  requests: string[];
  server: Server;
}

/** A server that answers everything with nothing. */
async function web({ cert, key }: typeof good): Promise<Web> {
  const requests: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    request.on('end', () => response.end('{}'));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server };
}

function closed({ server }: Web): void {
  server.close();
  server.closeAllConnections();
}

describe('a delivery', () => {
  let test: TestDatabase;
  let outbox: TestOutbox;
  let sources: RevocationSources;
  let receiver: TestReceiver | undefined;
  let taken: Web | undefined;
  beforeAll(async () => {
    test = await testDatabase();
    sources = new RevocationSources([service.url], pino({ level: 'silent' }));
    const certificates = new CertificateRevocation({ rule: 'named', lists: [], sources });
    const revocation = new ConnectionRevocation(certificates, pino({ level: 'silent' }), 'server');
    outbox = await testOutbox(test.database, undefined, undefined, {}, (socket) => revocation.distrust(socket));
    outbox.sender();
  });
  afterAll(async () => {
    await outbox?.stop();
    await receiver?.close();
    if (taken) closed(taken);
    sources?.close();
    await test?.drop();
  });

  it('waits where the certificate is revoked, says so, and nothing leaves; it goes when another is there', async () => {
    receiver = await mllpReceiver(() => 'accept', { cert: bad.cert, key: bad.key });
    taken = await web(bad);
    await outbox.endpoint(sites.hospital, { ...receiver.endpoint, tls: { ca } });
    await outbox.endpoint(sites.practice, { dialect: 'fhir', url: `${taken.url}/fhir`, tls: { ca } });
    const { lab } = await outbox.register('Ada', 'hospital', 'practice', 'lab');
    const sender = outbox.sender();
    await sender.start();
    await outbox.say(sites.lab, {
      resourceType: 'DiagnosticReport',
      id: newId(),
      status: 'final',
      identifier: [{ system: 'urn:causeway:authority:ellery-lab:LIS', value: 'F-1' }],
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: `Patient/${lab}` },
    } as never);
    await vi.waitFor(async () =>
      expect((await outbox.rows()).map(({ destination, state }) => [destination, state])).toHaveLength(2),
    );
    // Tried again and again, over connections that might go on with the session of one before.
    const attempts = async () => (await outbox.rows()).map((row) => row.attempts);
    await vi.waitFor(async () => expect(Math.min(...(await attempts()))).toBeGreaterThan(6), { timeout: 20_000 });
    const down = async () => (await outbox.deliveries.status()).destinationsDown;
    await vi.waitFor(async () => expect(await down()).toHaveLength(2), { timeout: 20_000 });
    const revoked = /the certificate of CN=bad is revoked\.$/;
    for (const { reason } of await down()) expect(reason).toMatch(revoked);
    for (const { last_error } of await outbox.rows()) expect(last_error).toMatch(revoked);
    expect([receiver.messages, taken.requests]).toEqual([[], []]);
    receiver.become(good);
    taken.server.setSecureContext(good);
    await vi.waitFor(
      async () => expect((await outbox.rows()).map(({ state }) => state)).toEqual(['delivered', 'delivered']),
      {
        timeout: 20_000,
      },
    );
    expect(await down()).toEqual([]);
  });
});

describe('a hub', () => {
  let hub: TestHub;
  let server: Web;
  let receiver: TestReceiver;
  beforeAll(async () => {
    [server, receiver] = await Promise.all([web(bad), mllpReceiver(() => 'accept', { cert: bad.cert, key: bad.key })]);
    hub = await startTestHub({ keysFrom: [service.url], sendTo: [server.url], peersAt: [server.url] });
    const routes = [
      { name: 'mllp', to: { ...receiver.endpoint, tls: { ca } } },
      { name: 'fhir', to: { dialect: 'fhir', url: `${server.url}/fhir` } },
    ];
    const body = { name: 'Clinic', kind: 'practice', routes };
    expect((await hub.send('PUT', '/api/participants/clinic', body)).status).toBe(200);
  });
  afterAll(async () => {
    await hub?.stop();
    await receiver?.close();
    closed(server);
  });
  const become = (one: typeof good) => {
    receiver.become(one);
    server.server.setSecureContext(one);
    // A connection that is kept goes on by the certificate that it began with.
    server.server.closeAllConnections();
  };
  const tried = async (route: string) =>
    (await hub.send('POST', `/api/participants/clinic/routes/${route}/test`, {})).json;

  it.each(['mllp', 'fhir'])('tries a route by %s, and says that the certificate is revoked', async (route) => {
    become(bad);
    expect(await tried(route)).toMatchObject({ ok: false, found: expect.stringContaining('CN=bad is revoked') });
    become(good);
    expect(await tried(route)).toMatchObject({ ok: true });
  });

  it('shows which responder gives no answer where one is needed', async () => {
    become(await service.tls('other', ['ocsp']));
    service.state = 'fails';
    expect(await tried('fhir')).toMatchObject({ ok: false, found: expect.stringContaining('cannot be learned now') });
    expect((await hub.get('/api/status')).json.revocationSilent).toMatchObject([
      { address: `${service.url}/ocsp`, reason: 'it is answered with 500' },
    ]);
  });

  it('asks another hub nothing whose certificate is revoked', async () => {
    become(bad);
    const before = server.requests.length;
    await hub.send('PUT', '/api/participants/there', { name: 'There', kind: 'hub' });
    expect((await hub.send('PUT', '/api/peers/there', { url: `${server.url}/fhir`, clientId: 'here' })).status).toBe(
      200,
    );
    await hub.take(adt('A04', { id: '1', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' }));
    const [{ id }] = await hub.resources('Patient');
    const clinician = { role: 'clinician' };
    expect((await hub.send('POST', `/api/persons/${id}/networks`, {}, clinician)).status).toBe(202);
    await vi.waitFor(async () => {
      const { json } = await hub.get(`/api/persons/${id}/networks`, clinician);
      expect(json.networks[0]).toMatchObject({ state: 'failed', reason: expect.stringContaining('CN=bad is revoked') });
    });
    expect(server.requests.length).toBe(before);
  });
});
