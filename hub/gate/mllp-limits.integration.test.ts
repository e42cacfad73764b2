import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { encodeFrame } from '@causeway/hl7v2';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesIn, testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { PersonIndex } from '../identity/index.ts';
import { Receiver } from '../inbox/index.ts';
import { Deliveries } from '../outbox/index.ts';
import { QueryResponder } from '../query/index.ts';
import { FhirRecord, IndexKey } from '../record/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { adt, longAnswered } from '../testing-messages.ts';
import { openMllp } from '../testing-mllp.ts';
import { AccessLog, Agreements, NetworkPolicy, Onboarding, Participants } from '../trust/index.ts';
import { ApplicationAcks } from './application-acks.ts';
import { type MllpOptions, type MllpParts, type MllpServer, startMllp } from './mllp.ts';
import { RefusedMessages } from './refused-messages.ts';
import { Sending } from './sending.ts';
import { V2Gate } from './take-v2.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };
const log = pino({ level: 'silent' });

/** An MLLP server over a database, without what works off the inbox. */
describe('the limits of MLLP connections', () => {
  let test: TestDatabase;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    test = await testDatabase();
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await test.drop();
  });

  const start = async (
    options: Partial<MllpOptions>,
    more: Partial<MllpParts> = {},
  ): Promise<MllpServer & { port: number }> => {
    const database = test.database.as('all');
    const participants = new Participants(database);
    const acks = new ApplicationAcks(database, fixedMasterKey(newDataKey()), log);
    const receiver = new Receiver(test.database, fixedMasterKey(newDataKey()), () => {});
    const record = new FhirRecord(database, fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
    const accessLog = new AccessLog(database, testAudit(database));
    const agreements = new Agreements(database);
    const policy = new NetworkPolicy(database, participants, agreements);
    const onboarding = new Onboarding(database, agreements);
    const sending = new Sending({ policy, agreements, onboarding, erased: (received) => received, log });
    const responder = new QueryResponder({
      record,
      persons: new PersonIndex(database, record),
      database,
      participants,
      policy,
      accessLog,
      log,
    });
    const deliveries = new Deliveries(database, participants);
    const refused = new RefusedMessages(accessLog, log);
    const gate = new V2Gate({ receiver, participants, acks, deliveries, responder, sending, refused, log });
    const server = await startMllp(
      {
        host: '127.0.0.1',
        port: 0,
        tls: undefined,
        maximumFrameBytes: 8 * 1024 * 1024,
        maximumConnections: 100,
        idleMs: 0,
        ...options,
      },
      { gate, acks, participants, refused, log, ...more },
    );
    closing.push(async () => {
      await server.close();
      await acks.stop();
    });
    return { ...server, port: server.port! };
  };
  const stateOf = async (controlId: string) =>
    (await test.database.query('SELECT state, error FROM message WHERE control_id = $1', [controlId])).rows[0];

  it('closes a connection whose certificate is revoked while it lasts', async () => {
    const authority = new TestAuthority();
    closing.push(async () => authority.remove());
    const [own, sender] = [authority.issue('hub'), authority.issue('sender')];
    let isRevoked = false;
    const { tlsPort } = await start(
      {
        tls: { port: 0, ...own, clientCa: authority.certificate, clientRequired: true },
        timing: { askedAgainMs: 50 },
      },
      { revocation: { distrust: async () => (isRevoked ? 'It is revoked.' : undefined) } },
    );
    const [ca, cert, key] = [authority.certificate, sender.certificate, sender.key].map((file) => readFileSync(file));
    const client = await openMllp(tlsPort!, { ca: ca!, cert: cert!, key: key! });
    client.send(adt('A08', person, { controlId: 'TRUSTED' }));
    expect(await client.answer()).toContain('|TRUSTED');
    isRevoked = true;
    await client.closed;
    expect((await accessesIn(test.database)).at(-1)).toMatchObject({
      what: expect.stringMatching(/^MLLP by TLS from/),
    });
  });

  it('closes a connection that is silent for long, and leaves one that is used', async () => {
    const { port } = await start({ idleMs: 300 });
    const [used, silent] = [await openMllp(port), await openMllp(port)];
    const begun = Date.now();
    let isClosed = false;
    void silent.closed.then(() => {
      isClosed = true;
    });
    for (let i = 0; i < 6; i++) {
      used.send(adt('A08', person, { controlId: `USED${i}` }));
      expect(await used.answer()).toContain(`MSA|AA|USED${i}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(isClosed).toBe(true);
    expect(Date.now() - begun).toBeGreaterThan(300);
    await used.closed;
  });

  it('refuses and keeps a frame in which the sender falls silent', async () => {
    const { port } = await start({ timing: { frameSilenceMs: 200 } });
    const client = await openMllp(port);
    client.raw(`\v${adt('A08', person, { controlId: 'SILENT' })}`);
    expect(await client.answer()).toContain('MSA|AR|SILENT');
    await client.closed;
    expect(await stateOf('SILENT')).toMatchObject({ state: 'refused', error: expect.stringContaining('cut off') });
  });

  it('ends a frame that drips', async () => {
    const { port } = await start({ timing: { frameSilenceMs: 500, frameMs: 600 } });
    const client = await openMllp(port);
    client.raw(`\v${adt('A08', person, { controlId: 'DRIP' })}`);
    const drip = setInterval(() => client.raw('x'), 100);
    expect(await client.answer()).toContain('MSA|AR|DRIP');
    clearInterval(drip);
    await client.closed;
  });

  it('gives up a connection whose sender reads no answers', async () => {
    const { port } = await start({ timing: { unreadMs: 300 } });
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.pause();
    for (let i = 0; i < 300 && !socket.destroyed; i++) {
      if (socket.write(encodeFrame(Buffer.from(longAnswered(`DEAF-${i}`))))) continue;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // The system tells of the end only to who reads or writes.
    socket.resume();
    await closed;
  });

  it('reads the large frames of many connections a few at a time, and answers all', async () => {
    const { port } = await start({});
    const note = 'y'.repeat(3 * 1024 * 1024);
    const clients = await Promise.all(Array.from({ length: 12 }, () => openMllp(port)));
    // All frames but their ends: what cannot be read on stays with the senders.
    for (const [i, client] of clients.entries()) {
      client.raw(`\v${adt('A08', person, { controlId: `LARGE${i}` })}NTE|1||${note}\r`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const client of clients) client.raw('\x1c\r');
    for (const [i, client] of clients.entries()) expect(await client.answer()).toContain(`MSA|AA|LARGE${i}`);
    for (const client of clients) client.end();
  });

  it('serves many connections at a time', async () => {
    const { port } = await start({ maximumConnections: 300 });
    const clients = await Promise.all(Array.from({ length: 250 }, () => openMllp(port)));
    await Promise.all(
      clients.map(async (client, i) => {
        for (let n = 0; n < 4; n++) {
          client.send(adt('A08', { ...person, id: `M${i}` }, { controlId: `MANY${i}-${n}` }));
          expect(await client.answer()).toContain(`MSA|AA|MANY${i}-${n}`);
        }
        client.end();
        await client.closed;
      }),
    );
    const { rows } = await test.database.query(`SELECT count(*) AS n FROM message WHERE control_id LIKE 'MANY%'`);
    expect(rows[0]!.n).toBe(1_000);
  });

  it('survives connections that are broken off at any point', async () => {
    const { port } = await start({});
    const frame = Buffer.from(encodeFrame(Buffer.from(adt('A08', person, { controlId: 'RESET' }))));
    for (let at = 0; at < frame.length; at += 25) {
      const client = await openMllp(port);
      client.raw(frame.subarray(0, at));
      client.destroy();
    }
    const client = await openMllp(port);
    client.raw(frame);
    expect(await client.answer()).toContain('MSA|AA|RESET');
    client.end();
  });
});
