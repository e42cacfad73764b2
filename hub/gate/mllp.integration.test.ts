import { encodeFrame } from '@causeway/hl7v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt, longAnswered } from '../testing-messages.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };
const framed = (message: string) => Buffer.from(encodeFrame(Buffer.from(message)));

describe('the MLLP gate', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ messageBytes: 64 * 1024, mllpConnections: 4 });
  });
  afterAll(() => hub.stop());

  const stored = async (controlId: string) => {
    const { rows } = await hub.test.database.query(
      'SELECT id, state, error, size, source FROM message WHERE control_id = $1 ORDER BY seq',
      [controlId],
    );
    return rows;
  };

  it('has the bytes on disk before the answer arrives', async () => {
    const client = await hub.mllp();
    for (let i = 0; i < 5; i++) {
      client.send(adt('A08', person, { controlId: `DUR${i}` }));
      expect(await client.answer()).toContain(`MSA|AA|DUR${i}`);
      expect(await stored(`DUR${i}`)).toHaveLength(1);
    }
    client.end();
    await client.closed;
  });

  it('reads frames however the stream is cut', async () => {
    const client = await hub.mllp();
    const bytes = framed(adt('A08', person, { controlId: 'CUT1' }));
    for (let at = 0; at < bytes.length; at += 37) {
      client.raw(bytes.subarray(at, at + 37));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await client.answer()).toContain('MSA|AA|CUT1');
    client.raw(
      Buffer.concat([
        framed(adt('A08', person, { controlId: 'CUT2' })),
        framed(adt('A08', person, { controlId: 'CUT3' })),
      ]),
    );
    expect(await client.answer()).toContain('MSA|AA|CUT2');
    expect(await client.answer()).toContain('MSA|AA|CUT3');
    client.end();
  });

  it('answers pipelined messages in their order, refusals among them', async () => {
    const messages = Array.from({ length: 600 }, (_, i) =>
      i % 7 === 3
        ? `MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08^ADT_A01|PIPE${i}|P\rPID|1\r`
        : adt('A08', person, { controlId: `PIPE${i}` }),
    );
    const answers = await hub.deliver(...messages);
    answers.forEach((answer, i) => {
      expect(answer).toContain(`MSA|${i % 7 === 3 ? 'AR' : 'AA'}|PIPE${i}`);
    });
  });

  it('answers a sender that closes its side right after the last message', async () => {
    const client = await hub.mllp();
    client.raw(framed(adt('A08', person, { controlId: 'LAST' })));
    client.end();
    expect(await client.answer()).toContain('MSA|AA|LAST');
    await client.closed;
  });

  it('refuses a truncated frame with the reason and keeps what came', async () => {
    const client = await hub.mllp();
    const bytes = framed(adt('A08', person, { controlId: 'TRUNC' }));
    client.raw(bytes.subarray(0, bytes.length - 40));
    client.end();
    const answer = await client.answer();
    expect(answer).toContain('MSA|AR|TRUNC');
    expect(answer).toMatch(/\rERR\|.*cut off after \d+ bytes/);
    await client.closed;
    const [row] = await stored('TRUNC');
    expect(row).toMatchObject({ state: 'refused' });
    expect(row!.error).toContain('cut off');
    expect(row!.size).toBe(bytes.length - 41);
  });

  it('refuses a frame over the limit, goes on with the next, and keeps its beginning', async () => {
    const client = await hub.mllp();
    const large = `${adt('A08', person, { controlId: 'LARGE' })}NTE|1||${'x'.repeat(200_000)}\r`;
    client.raw(framed(large));
    client.send(adt('A08', person, { controlId: 'AFTER' }));
    const answer = await client.answer();
    expect(answer).toContain('MSA|AR|LARGE');
    expect(answer).toMatch(/\rERR\|.*more than 65536 bytes/);
    expect(await client.answer()).toContain('MSA|AA|AFTER');
    expect(await stored('LARGE')).toMatchObject([{ state: 'refused', size: 65536 }]);
    client.end();
  });

  it.each([
    [
      'an unknown charset',
      'MSH|^~\\&|EHR|CLINIC|||20240301090000||ADT^A08^ADT_A01|NOCHARSET|P|2.5.1||||||KLINGON\rPID|1||1\r',
      'NOCHARSET',
      /MSH\^1\^18/,
    ],
    ['no MSH-9', 'MSH|^~\\&|EHR|CLINIC|||20240301090000|||NOTYPE|P|2.5.1\rPID|1||1\r', 'NOTYPE', /MSH\^1\^9/],
    ['no MSH-10', 'MSH|^~\\&|EHR|CLINIC|||20240301090000||ADT^A08^ADT_A01||P|2.5.1\rPID|1||1\r', '', /MSH\^1\^10/],
    [
      'no MSH-12',
      'MSH|^~\\&|EHR|CLINIC|||20240301090000||ADT^A08^ADT_A01|NOVERSION|P\rPID|1||1\r',
      'NOVERSION',
      /MSH\^1\^12/,
    ],
    ['no MSH', 'PID|1||1\r', '', /^/],
    ['no bytes', '', '', /^/],
  ])('refuses a message with %s, with place and reason, and keeps its bytes', async (_, message, controlId, place) => {
    const bytes = Buffer.from(message, 'latin1');
    const client = await hub.mllp();
    client.send(bytes);
    const answer = await client.answer();
    client.end();
    expect(answer).toMatch(new RegExp(`MSA\\|AR(\\|${controlId})?`));
    const error = /\rERR\|(.*)\r/.exec(answer)?.[1];
    expect(error).toMatch(place);
    const { rows } = await hub.test.database.query(
      `SELECT id, error FROM message WHERE state = 'refused' AND digest = sha256($1)`,
      [bytes],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.error).toMatch(/\w{3,}/);
    const opened = await hub.get(`/api/messages/${rows[0]!.id}`);
    expect(opened.status).toBe(200);
    expect(opened.json.state).toBe('refused');
  });

  it('rejects a query, which it has no answer for, and keeps it', async () => {
    const query = 'MSH|^~\\&|EHR|CLINIC|||20240301||QBP^Q25^QBP_Q21|ASK1|P|2.5\rQPD|Q25^Find^HL7|T1|1\rRCP|I\r';
    const [answer] = await hub.deliver(query);
    expect(answer).toContain('MSA|AR|ASK1');
    expect(answer).toContain('200^Unsupported message type');
    expect(await stored('ASK1')).toMatchObject([{ state: 'refused', error: expect.stringContaining('FHIR') }]);
  });

  it('skips garbage between frames and answers the frames', async () => {
    const client = await hub.mllp();
    client.raw(
      Buffer.concat([
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        framed(adt('A08', person, { controlId: 'GARB1' })),
        Buffer.alloc(10_000, 0x2e),
        framed(adt('A08', person, { controlId: 'GARB2' })),
      ]),
    );
    expect(await client.answer()).toContain('MSA|AA|GARB1');
    expect(await client.answer()).toContain('MSA|AA|GARB2');
    client.end();
  });

  it('does as MSH-15 says in enhanced mode', async () => {
    const client = await hub.mllp();
    client.send(adt('A08', person, { controlId: 'ENH-AL', header: { 15: 'AL', 16: 'NE' } }));
    expect(await client.answer()).toContain('MSA|CA|ENH-AL');
    client.send(adt('A08', person, { controlId: 'ENH-NE', header: { 15: 'NE', 16: 'NE' } }));
    client.send(adt('A08', person, { controlId: 'ENH-ER', header: { 15: 'ER', 16: 'NE' } }));
    client.send(adt('A08', person, { controlId: 'ENH-SU', header: { 15: 'SU', 16: 'NE' } }));
    expect(await client.answer()).toContain('MSA|CA|ENH-SU');
    client.send('MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08^ADT_A01|ENH-BAD|P||||ER|NE\rPID|1\r');
    expect(await client.answer()).toContain('MSA|CR|ENH-BAD');
    for (const controlId of ['ENH-AL', 'ENH-NE', 'ENH-ER', 'ENH-SU']) expect(await stored(controlId)).toHaveLength(1);
    client.end();
  });

  it('closes connections beyond the limit and takes new ones when others have gone', async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const clients = await Promise.all(Array.from({ length: 4 }, () => hub.mllp()));
    const fifth = await hub.mllp();
    await fifth.closed;
    for (const client of clients) client.end();
    await Promise.all(clients.map(({ closed }) => closed));
    expect((await hub.deliver(adt('A08', person, { controlId: 'ROOM' })))[0]).toContain('MSA|AA|ROOM');
  });

  it('holds back a sender that reads no answers', async () => {
    const { connect } = await import('node:net');
    const socket = connect(hub.mllpPort, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.pause();
    let made = 0;
    const chunk = () => framed(longAnswered(`UNREAD-${made++}`));
    const drained = () =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), 2_000);
        socket.once('drain', () => {
          clearTimeout(timer);
          resolve(true);
        });
      });
    let held = false;
    while (!held && made < 500) held = !socket.write(chunk()) && !(await drained());
    const count = async () =>
      (await hub.test.database.query(`SELECT count(*) AS n FROM message WHERE control_id LIKE 'UNREAD-%'`)).rows[0]!.n;
    const before = await count();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await count()).toBe(before);
    expect(before).toBeLessThan(made * 100);
    socket.destroy();
  });
});
