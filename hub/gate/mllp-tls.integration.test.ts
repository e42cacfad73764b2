import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mllpReceiver } from '../outbox/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { TestAuthority, type TestCertificate } from '../testing-certificates.ts';
import { adt } from '../testing-messages.ts';
import { openMllp } from '../testing-mllp.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };
const code = (answer: string) => /\rMSA\|(\w\w)/.exec(answer)?.[1];

let authority: TestAuthority;
let strangers: TestAuthority;
let server: TestCertificate;
let lab: TestCertificate;
let clinic: TestCertificate;
let folder: string;
beforeAll(() => {
  authority = new TestAuthority();
  strangers = new TestAuthority('Strangers');
  server = authority.issue('hub');
  lab = authority.issue('lab');
  clinic = authority.issue('clinic');
  folder = mkdtempSync(join(tmpdir(), 'causeway-tls-'));
});
afterAll(() => {
  authority.remove();
  strangers.remove();
  rmSync(folder, { recursive: true, force: true });
});

const trust = (more: ConnectionOptions = {}): ConnectionOptions => ({
  ca: readFileSync(authority.certificate),
  ...more,
});
const as = ({ certificate, key }: TestCertificate) =>
  trust({ cert: readFileSync(certificate), key: readFileSync(key) });

describe('MLLP over TLS', () => {
  let hub: TestHub;
  const files = () => ({ certificate: join(folder, 'hub.pem'), key: join(folder, 'hub.key') });
  const use = (one: TestCertificate) => {
    copyFileSync(one.certificate, files().certificate);
    copyFileSync(one.key, files().key);
  };
  beforeAll(async () => {
    use(server);
    hub = await startTestHub({
      mllpTlsPort: 0,
      mllpTlsCertificate: files().certificate,
      mllpTlsKey: files().key,
      mllpTlsClientCa: authority.certificate,
    });
    const transport = { certificates: [lab.fingerprint] };
    const body = { name: 'The Laboratory', kind: 'lab', sendingFacility: 'LAB', transport };
    expect((await hub.send('PUT', '/api/participants/lab', body)).status).toBe(200);
    await hub.send('PUT', '/api/participants/clinic', {
      name: 'The Clinic',
      kind: 'practice',
      sendingFacility: 'CLINIC',
    });
  });
  afterAll(() => hub.stop());

  const send = async (port: number, tls: ConnectionOptions | undefined, controlId: string, facility: string) => {
    const client = await openMllp(port, tls);
    client.send(adt('A08', person, { controlId, facility }));
    const answer = await client.answer();
    client.end();
    await client.closed;
    const { rows } = await hub.test.database.query('SELECT state, source, error FROM message WHERE control_id = $1', [
      controlId,
    ]);
    return { answer: code(answer), ...rows[0] };
  };

  it('takes messages by TLS and without, side by side', async () => {
    expect(await send(hub.mllpTlsPort, as(clinic), 'TLS1', 'CLINIC')).toMatchObject({ answer: 'AA', source: 'clinic' });
    expect(await send(hub.mllpPort, undefined, 'PLAIN1', 'CLINIC')).toMatchObject({ answer: 'AA', source: 'clinic' });
  });

  it('answers a sender that closes its side after the last message', async () => {
    const client = await openMllp(hub.mllpTlsPort, as(clinic));
    client.send(adt('A08', person, { controlId: 'TLSLAST', facility: 'CLINIC' }));
    client.end();
    expect(code(await client.answer())).toBe('AA');
    await client.closed;
  });

  it.each([
    ['without a certificate', () => trust()],
    ['with one of another authority', () => as(strangers.issue('stranger'))],
  ])('closes a connection %s', async (_, tls) => {
    const client = await openMllp(hub.mllpTlsPort, tls()).catch(() => undefined);
    // With TLS 1.3 the client learns of it after its own handshake.
    client?.send(adt('A08', person, { controlId: 'NOBODY' }));
    await client?.closed;
    const { rows } = await hub.test.database.query(`SELECT 1 FROM message WHERE control_id = 'NOBODY'`);
    expect(rows).toHaveLength(0);
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await openMllp(hub.mllpTlsPort, { ...as(clinic), minVersion: version, maxVersion: version });
      client.end();
      await client.closed;
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(openMllp(hub.mllpTlsPort, { ...as(clinic), ...old })).rejects.toThrow(/protocol version|alert/i);
  });

  it('takes a certificate for the participant that it stands for, and no message of that one without it', async () => {
    expect(await send(hub.mllpTlsPort, as(lab), 'LAB1', 'LAB')).toMatchObject({ answer: 'AA', source: 'lab' });
    expect(await send(hub.mllpTlsPort, as(lab), 'LAB2', 'SUBSTATION')).toMatchObject({ answer: 'AA', source: 'lab' });
    expect(await send(hub.mllpTlsPort, as(lab), 'LAB3', 'CLINIC')).toMatchObject({
      answer: 'AR',
      state: 'refused',
      error: expect.stringContaining('certificate stands for lab'),
    });
    for (const [port, tls, controlId] of [
      [hub.mllpPort, undefined, 'LAB4'],
      [hub.mllpTlsPort, as(clinic), 'LAB5'],
    ] as const) {
      expect(await send(port, tls, controlId, 'LAB')).toMatchObject({
        answer: 'AR',
        state: 'refused',
        error: expect.stringContaining('with its client certificate only'),
      });
    }
  });

  it('takes no acknowledgement for another participant’s', async () => {
    const secure = await openMllp(hub.mllpTlsPort, as(lab));
    secure.send(adt('A08', person, { controlId: 'LABENH', facility: 'LAB', header: { 15: 'NE', 16: 'AL' } }));
    const application = /^MSH(?:\|[^|]*){8}\|([^|]*)/.exec(await secure.answer())?.[1];
    const ack = (controlId: string) =>
      `MSH|^~\\&|EHR|LAB|||20240301||ACK^A08^ACK|${controlId}|P|2.5.1\rMSA|CR|${application}\r`;
    const state = async () =>
      (await hub.test.database.query(`SELECT state FROM application_ack WHERE control_id = $1`, [application])).rows[0]!
        .state;
    const plain = await openMllp(hub.mllpPort);
    plain.send(ack('FORGED'));
    plain.end();
    await plain.closed;
    // Written to the connection it is, whether that is noted already or not.
    expect(await state()).toMatch(/^(due|sent)$/);
    secure.send(ack('GENUINE'));
    secure.end();
    await secure.closed;
    expect(await state()).toBe('refused');
  });

  it('counts connections that do not finish their handshake', async () => {
    const small = await startTestHub({
      mllpConnections: 2,
      mllpTlsPort: 0,
      mllpTlsCertificate: server.certificate,
      mllpTlsKey: server.key,
    });
    const silent = await Promise.all([openMllp(small.mllpTlsPort), openMllp(small.mllpTlsPort)]);
    await expect(openMllp(small.mllpTlsPort, trust())).rejects.toThrow();
    for (const one of silent) one.destroy();
    await Promise.all(silent.map(({ closed }) => closed));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const client = await openMllp(small.mllpTlsPort, trust());
    client.send(adt('A08', person, { controlId: 'NOCERT' }));
    expect(code(await client.answer())).toBe('AA');
    client.end();
    await small.stop();
  });

  it('uses a renewed certificate, and the one before while the new one cannot be used', async () => {
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: hub.mllpTlsPort, host: '127.0.0.1', ...as(clinic) }, () => {
          resolve(socket.getPeerX509Certificate()!.fingerprint256);
          socket.destroy();
        });
        socket.once('error', reject);
      });
    expect(await shown()).toBe(server.fingerprint);
    const renewed = authority.issue('renewed');
    copyFileSync(renewed.certificate, files().certificate);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await shown()).toBe(server.fingerprint);
    copyFileSync(renewed.key, files().key);
    for (let tries = 0; (await shown()) !== renewed.fingerprint; tries++) {
      if (tries > 50) throw new Error('The renewed certificate is not in use.');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
});

it('does not start with a certificate that cannot be used', async () => {
  const settings = { mllpTlsPort: 0, mllpTlsCertificate: server.certificate, mllpTlsKey: lab.key };
  await expect(startTestHub(settings)).rejects.toThrow(/certificate for MLLP over TLS cannot be used/);
});

it('sends by TLS, with its own certificate, to who has one for the name that is expected', async () => {
  const hub = await startTestHub();
  const receiver = await mllpReceiver(() => 'accept', {
    cert: readFileSync(server.certificate),
    key: readFileSync(server.key),
    ca: readFileSync(authority.certificate),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const endpoint = {
    ...receiver.endpoint,
    tls: { ca: authority.certificate, certificate: clinic.certificate, key: clinic.key },
  };
  const put = (tls: object) =>
    hub.send('PUT', '/api/participants/far', {
      name: 'Far',
      kind: 'practice',
      sendingFacility: 'FAR',
      endpoint: { ...endpoint, tls },
    });
  const headers = { 'content-type': 'application/hl7-v2' };
  const ask = async (controlId: string) => {
    const message = adt('A08', person, { controlId, facility: 'FAR', header: { 15: 'AL', 16: 'AL' } });
    expect(code((await hub.send('POST', '/hl7', message, { headers })).text)).toBe('CA');
    for (let tries = 0; tries < 200; tries++) {
      const { rows } = await hub.test.database.query(
        `SELECT a.state, a.error FROM application_ack a JOIN message m ON m.id = a.message
         WHERE m.control_id = $1 AND (a.state = 'confirmed' OR a.error IS NOT NULL)`,
        [controlId],
      );
      if (rows[0]) return rows[0];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('nothing came of the acknowledgement');
  };
  try {
    expect((await put(endpoint.tls)).status).toBe(200);
    expect(await ask('OUT1')).toEqual({ state: 'confirmed', error: null });
    expect(receiver.messages.map((one) => one.get('MSA-2'))).toEqual(['OUT1']);
    await put({ ...endpoint.tls, serverName: 'elsewhere.example' });
    expect((await ask('OUT2')).error).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    await put({ ca: strangers.certificate, certificate: clinic.certificate, key: clinic.key });
    expect((await ask('OUT3')).error).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/);
    await put({ ca: '/nowhere/ca.pem' });
    expect((await ask('OUT4')).error).toContain('ENOENT');
    expect(receiver.messages).toHaveLength(1);
    expect((await put({ ca: 'relative.pem' })).status).toBe(400);
    expect((await put({ certificate: clinic.certificate })).status).toBe(400);
  } finally {
    await receiver.close();
    await hub.stop();
  }
});
