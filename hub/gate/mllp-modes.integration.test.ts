import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeFrame, type FieldValues } from '@causeway/hl7v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHub } from '../main.ts';
import { mllpReceiver } from '../outbox/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt } from '../testing-messages.ts';
import { type MllpClient, openMllp } from '../testing-mllp.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };
const framed = (message: string) => Buffer.from(encodeFrame(Buffer.from(message)));
const field = (answer: string, segment: string, n: number) => {
  const line = answer.split('\r').find((one) => one.startsWith(`${segment}|`));
  return line?.split('|')[segment === 'MSH' ? n - 1 : n];
};

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ messageBytes: 256 * 1024 });
});
afterAll(() => hub.stop());

const stored = async (controlId: string) =>
  (
    await hub.test.database.query(
      `SELECT m.id, m.seq, m.state, m.error, a.state AS ack, a.code, a.control_id AS ack_id, a.error AS ack_error
       FROM message m LEFT JOIN application_ack a ON a.message = m.id WHERE m.control_id = $1 ORDER BY m.seq`,
      [controlId],
    )
  ).rows;
/** Resolves when the application acknowledgement of a message has a state. */
const acknowledged = async (controlId: string, state: string) => {
  for (let tries = 0; tries < 400; tries++) {
    const [row] = await stored(controlId);
    if (row?.ack === state) return row;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`The acknowledgement of ${controlId} is ${JSON.stringify(await stored(controlId))}.`);
};
const send = (client: MllpClient, controlId: string, header: FieldValues, event = 'A08') =>
  client.send(adt(event, person, { controlId, header }));

describe('enhanced mode', () => {
  it('says CA when a message is on disk, AA when it is in the record, and notes the reply to that', async () => {
    const client = await hub.mllp();
    send(client, 'ENH1', { 15: 'AL', 16: 'AL' });
    const commit = await client.answer();
    expect(field(commit, 'MSA', 1)).toBe('CA');
    expect((await stored('ENH1'))[0]).toMatchObject({ state: expect.stringMatching(/received|processed/) });
    const application = await client.answer();
    expect([field(application, 'MSA', 1), field(application, 'MSA', 2)]).toEqual(['AA', 'ENH1']);
    expect([field(application, 'MSH', 15), field(application, 'MSH', 16)]).toEqual(['AL', 'NE']);
    const row = await acknowledged('ENH1', 'sent');
    expect(row).toMatchObject({ state: 'processed', code: 'AA', ack_id: field(application, 'MSH', 10) });
    client.send(`MSH|^~\\&|EHR|CLINIC|||20240301||ACK^A08^ACK|REPLY1|P|2.5.1\rMSA|CA|${row.ack_id}\r`);
    await acknowledged('ENH1', 'confirmed');
    expect((await hub.get(`/api/messages/${row.id}`)).json.applicationAcknowledgement).toMatchObject({
      state: 'confirmed',
      code: 'AA',
    });
    expect((await stored('REPLY1'))[0]).toMatchObject({ state: 'kept', ack: null });
    expect(client.pending()).toBe(0);
    client.end();
    await client.closed;
  });

  it.each([
    ['NE', 'AL', ['AA']],
    ['ER', 'SU', ['AA']],
    ['AL', 'ER', ['CA']],
    ['AL', 'NE', ['CA']],
    ['NE', 'NE', []],
    ['SU', 'AL', ['CA', 'AA']],
  ] as const)('MSH-15 %s and MSH-16 %s of a good message: %j', async (accept, application, expected) => {
    const client = await hub.mllp();
    const controlId = `WISH${accept}${application}`;
    send(client, controlId, { 15: accept, 16: application });
    const codes: (string | undefined)[] = [];
    for (const _ of expected) codes.push(field(await client.answer(), 'MSA', 1));
    expect(codes).toEqual(expected);
    client.end();
    await client.closed;
    expect(client.pending()).toBe(0);
    if (application === 'ER') await acknowledged(controlId, 'unwanted');
  });

  it.each([
    ['AL', 'AL', ['CR']],
    ['ER', 'NE', ['CR']],
    ['NE', 'ER', ['AR']],
    ['SU', 'SU', []],
  ] as const)('MSH-15 %s and MSH-16 %s of a message without version: %j', async (accept, application, expected) => {
    const client = await hub.mllp();
    client.send(`MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08^ADT_A01|BAD|P||||${accept}|${application}\rPID|1\r`);
    for (const code of expected) expect(field(await client.answer(), 'MSA', 1)).toBe(code);
    client.end();
    await client.closed;
    expect(client.pending()).toBe(0);
  });

  it('answers nothing to an acknowledgement of original mode, and a commit to one of an application that asks', async () => {
    const client = await hub.mllp();
    client.send('MSH|^~\\&|EHR|CLINIC|||20240301||ACK^A08^ACK|STRAY1|P|2.5.1\rMSA|AA|NOBODYS\r');
    client.send('MSH|^~\\&|EHR|CLINIC|||20240301||ACK^A08^ACK|STRAY2|P|2.5.1|||AL|NE\rMSA|CA|NOBODYS\r');
    client.send('MSH|^~\\&|EHR|CLINIC|||20240301||ACK^A08^ACK|STRAY3|P|2.5.1|||AL|NE\rMSA|AA|NOBODYS\r');
    const answer = await client.answer();
    expect([field(answer, 'MSA', 1), field(answer, 'MSA', 2)]).toEqual(['CA', 'STRAY3']);
    client.end();
    await client.closed;
    expect(client.pending()).toBe(0);
  });

  it('keeps it where there is no way to the sender, and sends it when the sender connects', async () => {
    const header = { 4: 'FARAWAY', 15: 'AL', 16: 'AL' };
    const response = await hub.send('POST', '/hl7', adt('A08', person, { controlId: 'GONE1', header }), {
      headers: { 'content-type': 'application/hl7-v2' },
    });
    expect(field(response.text, 'MSA', 1)).toBe('CA');
    await acknowledged('GONE1', 'kept');
    expect((await hub.get('/api/status')).json.acknowledgementsKept).toBe(1);
    const back = await hub.mllp();
    send(back, 'BACK1', { 4: 'FARAWAY', 15: 'NE', 16: 'AL' });
    const answers = [await back.answer(), await back.answer()].map((answer) => field(answer, 'MSA', 2));
    expect(answers.sort()).toEqual(['BACK1', 'GONE1']);
    back.end();
  });

  it('sends it another way when the connection breaks off before', async () => {
    const client = await hub.mllp();
    send(client, 'BROKEN1', { 4: 'FARAWAY2', 15: 'AL', 16: 'AL' });
    expect(field(await client.answer(), 'MSA', 1)).toBe('CA');
    client.destroy();
    await client.closed;
    const row = await Promise.any([acknowledged('BROKEN1', 'kept'), acknowledged('BROKEN1', 'sent')]);
    expect(row.code).toBe('AA');
  });

  it('sends it to the endpoint of the participant where there is one, after the connection is gone', async () => {
    const receiver = await mllpReceiver();
    const participant = { kind: 'hospital', sendingFacility: 'ROUTED', endpoint: receiver.endpoint };
    const put = await hub.send('PUT', '/api/participants/routed', { name: 'Routed', ...participant });
    expect(put.status).toBe(200);
    const response = await hub.send(
      'POST',
      '/hl7',
      adt('A08', person, { controlId: 'ROUTE1', header: { 4: 'ROUTED', 15: 'AL', 16: 'AL' } }),
      {
        headers: { 'content-type': 'application/hl7-v2' },
      },
    );
    expect(field(response.text, 'MSA', 1)).toBe('CA');
    await acknowledged('ROUTE1', 'confirmed');
    expect(receiver.messages.map((one) => [one.get('MSA-1'), one.get('MSA-2'), one.get('MSH-15')])).toEqual([
      ['AA', 'ROUTE1', 'AL'],
    ]);
    await receiver.close();
  });

  it('sends the application acknowledgement again when the message comes again', async () => {
    const client = await hub.mllp();
    send(client, 'AGAIN1', { 15: 'NE', 16: 'AL' });
    expect(field(await client.answer(), 'MSA', 2)).toBe('AGAIN1');
    await acknowledged('AGAIN1', 'sent');
    send(client, 'AGAIN1', { 15: 'NE', 16: 'AL' });
    expect(field(await client.answer(), 'MSA', 2)).toBe('AGAIN1');
    client.end();
  });
});

describe('a connection', () => {
  it('waits at its end for no acknowledgement that is not owed any more', async () => {
    const client = await hub.mllp();
    send(client, 'OVER1', { 15: 'NE', 16: 'AL' });
    await client.answer();
    const { ack_id } = await acknowledged('OVER1', 'sent');
    client.send(`MSH|^~\\&|EHR|CLINIC|||20240301||ACK^A08^ACK|OVER2|P|2.5.1\rMSA|CA|${ack_id}\r`);
    await acknowledged('OVER1', 'confirmed');
    send(client, 'OVER1', { 15: 'AL', 16: 'AL' });
    send(client, 'OVER1', { 15: 'NE', 16: 'AL' });
    const begun = Date.now();
    client.end();
    await client.closed;
    expect(Date.now() - begun).toBeLessThan(15_000);
  });
});

describe('sequence numbers', () => {
  const numbered = async (client: MllpClient, number: number | string, controlId: string, header: FieldValues = {}) => {
    send(client, controlId, { 3: 'SEQ', 13: String(number), ...header });
    const answer = await client.answer();
    return [field(answer, 'MSA', 1), field(answer, 'MSA', 4)];
  };

  it('starts, goes on, refuses a gap, takes what was refused when its turn has come, and forgets nothing', async () => {
    const client = await hub.mllp();
    // Section 2.10.1: the first message of a link says nothing, not even a type.
    client.send('MSH|^~\\&|SEQ|CLINIC|||20240301||^|SEQ-0|P|2.3|0\r');
    const start = await client.answer();
    expect([field(start, 'MSA', 1), field(start, 'MSA', 2), field(start, 'MSA', 4)]).toEqual(['AA', 'SEQ-0', '-1']);
    expect(await numbered(client, 5, 'SEQ-5')).toEqual(['AA', '5']);
    expect(await numbered(client, 6, 'SEQ-6')).toEqual(['AA', '6']);
    expect(await numbered(client, 8, 'SEQ-8')).toEqual(['AR', '7']);
    expect((await stored('SEQ-8'))[0]).toMatchObject({ state: 'refused', error: expect.stringContaining('expects 7') });
    // The acknowledgement was lost: the same message again is taken for the same.
    expect(await numbered(client, 6, 'SEQ-6')).toEqual(['AA', '7']);
    expect(await numbered(client, 6, 'SEQ-6-OTHER')).toEqual(['AR', '7']);
    expect(await numbered(client, 7, 'SEQ-7')).toEqual(['AA', '7']);
    expect(await numbered(client, 8, 'SEQ-8')).toEqual(['AA', '8']);
    await hub.settled();
    const [seven, eight] = [(await stored('SEQ-7'))[0]!, (await stored('SEQ-8'))[0]!];
    expect([seven.state, eight.state]).toEqual(['processed', 'processed']);
    expect(eight.seq).toBeGreaterThan(seven.seq);
    // Another link of the same sender counts for itself.
    expect(await numbered(client, 1, 'SEQ-OTHER', { 3: 'SEQ2' })).toEqual(['AA', '1']);
    client.end();
    await client.closed;
    const again = await hub.mllp();
    again.send('MSH|^~\\&|SEQ|CLINIC|||20240301||ADT^A08|SEQ-00|P|2.3|0\r');
    expect(field(await again.answer(), 'MSA', 4)).toBe('9');
    again.send('MSH|^~\\&|SEQ|CLINIC|||20240301||ADT^A08|SEQ-RE|P|2.3|-1\r');
    expect(field(await again.answer(), 'MSA', 4)).toBe('-1');
    expect(await numbered(again, 100, 'SEQ-100')).toEqual(['AA', '100']);
    again.end();
  });

  it('takes messages that are sent without waiting in their order, and none after a gap', async () => {
    const client = await hub.mllp();
    for (const number of [1, 2, 3, 5, 4, 5]) send(client, `PIPED-${number}`, { 3: 'PIPED', 13: String(number) });
    const answers: string[] = [];
    for (let i = 0; i < 6; i++) answers.push(await client.answer());
    expect(answers.map((answer) => [field(answer, 'MSA', 1), field(answer, 'MSA', 4)])).toEqual([
      ['AA', '1'],
      ['AA', '2'],
      ['AA', '3'],
      ['AR', '4'],
      ['AA', '4'],
      ['AA', '5'],
    ]);
    client.end();
  });

  it('refuse by CR in enhanced mode, and nothing more comes of it until the message is taken', async () => {
    const client = await hub.mllp();
    const header = (number: number) => ({ 3: 'SEQENH', 13: String(number), 15: 'AL', 16: 'AL' });
    send(client, 'SEQENH-1', { ...header(1), 16: 'NE' });
    expect(field(await client.answer(), 'MSA', 1)).toBe('CA');
    send(client, 'SEQENH-3', header(3));
    const refusal = await client.answer();
    expect([field(refusal, 'MSA', 1), field(refusal, 'MSA', 4)]).toEqual(['CR', '2']);
    expect((await stored('SEQENH-3'))[0]!.ack).toBeNull();
    send(client, 'SEQENH-2', { ...header(2), 16: 'NE' });
    expect(field(await client.answer(), 'MSA', 1)).toBe('CA');
    send(client, 'SEQENH-3', header(3));
    const codes = [field(await client.answer(), 'MSA', 1), field(await client.answer(), 'MSA', 1)];
    expect(codes).toEqual(['CA', 'AA']);
    client.end();
  });

  it('are none where the participant says so', async () => {
    const transport = { sequenceNumbers: false };
    await hub.send('PUT', '/api/participants/odd', { name: 'Odd', kind: 'lab', sendingFacility: 'ODD', transport });
    const client = await hub.mllp();
    for (const number of [3, 1, 9])
      expect(await numbered(client, number, `ODD-${number}`, { 4: 'ODD' })).toEqual(['AA', undefined]);
    client.end();
  });
});

describe('charsets', () => {
  it.each([
    ['8859/1', 'latin1', 'Müßig'],
    ['8859/1~UNICODE UTF-8', 'latin1', 'Größe'],
    ['UNICODE UTF-8', 'utf8', 'Łazarz漢'],
    ['UNICODE UTF-16', 'utf16le', 'Zürcher漢'],
  ] as const)('%s is read and answered as such', async (charset, encoding, family) => {
    const controlId = `CHARSET-${encoding}-${charset.length}`;
    const message = adt(
      'A04',
      { ...person, id: controlId, family },
      { controlId, header: { 3: 'Zürich', 18: charset } },
    );
    const client = await hub.mllp();
    client.send(Buffer.from(message.replaceAll('\\R\\', '~'), encoding));
    const answer = (await client.answerBytes()).toString(encoding);
    expect(answer).toContain('|Zürich|');
    expect([field(answer, 'MSA', 1), field(answer, 'MSH', 18)]).toEqual(['AA', charset.split('~')[0]]);
    await hub.settled();
    const found = await hub.get(`/fhir/Patient?family:exact=${encodeURIComponent(family)}`);
    expect(found.json.entry).toHaveLength(1);
    client.end();
  });
});

it('reads and writes framing in big-endian UTF-16, two bytes for each character', async () => {
  const socket = connect(hub.mllpPort, '127.0.0.1');
  const header = { 3: 'Zürich', 18: 'UNICODE UTF-16' };
  for (const controlId of ['WIDE-1', 'WIDE-2']) {
    const message = adt('A04', { ...person, id: 'WIDE', family: 'Wide漢' }, { controlId, header });
    socket.write(encodeFrame(Buffer.from(message, 'utf16le').swap16(), true));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.subarray(0, 4)).toEqual(Buffer.from([0, 0x0b, 0, 0x4d]));
    expect(answer.subarray(-4)).toEqual(Buffer.from([0, 0x1c, 0, 0x0d]));
    const text = Buffer.from(answer).swap16().toString('utf16le');
    expect([field(text, 'MSA', 1), field(text, 'MSA', 2)]).toEqual(['AA', controlId]);
    expect(text).toContain('Zürich');
  }
  socket.end();
});

describe('what other engines get wrong', () => {
  it('handles each message of a kept connection once', async () => {
    const client = await hub.mllp();
    for (let i = 0; i < 5; i++) {
      send(client, `KEPT${i}`, {});
      expect(field(await client.answer(), 'MSA', 2)).toBe(`KEPT${i}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.pending()).toBe(0);
    for (let i = 0; i < 5; i++) expect(await stored(`KEPT${i}`)).toHaveLength(1);
    client.end();
  });

  it('answers every message of one chunk', async () => {
    const client = await hub.mllp();
    client.raw(
      Buffer.concat(Array.from({ length: 20 }, (_, i) => framed(adt('A08', person, { controlId: `CHUNK${i}` })))),
    );
    for (let i = 0; i < 20; i++) expect(field(await client.answer(), 'MSA', 2)).toBe(`CHUNK${i}`);
    client.end();
  });

  it.each([
    ['a byte order mark', '\ufeffMSG'],
    ['a vertical tab left in the file', '\vMSG'],
    ['blank lines before', '\r\n\r\nMSG'],
  ])('reads a message with %s', async (name, frame) => {
    const controlId = `ODD${name.length}${frame.length}`;
    const client = await hub.mllp();
    client.send(frame.replace('MSG', adt('A08', person, { controlId })));
    expect(field(await client.answer(), 'MSA', 1)).toBe('AA');
    await hub.settled();
    expect((await stored(controlId))[0]).toMatchObject({ state: 'processed' });
    client.end();
  });

  it('reads CR, LF and CRLF alike', async () => {
    for (const [name, end] of [
      ['CR', '\r'],
      ['LF', '\n'],
      ['BOTH', '\r\n'],
    ] as const) {
      const message = adt('A04', { ...person, id: `END${name}`, family: `Ending${name}` }, { controlId: `END${name}` });
      const [answer] = await hub.deliver(message.replaceAll('\r', end));
      expect(field(answer!, 'MSA', 1)).toBe('AA');
    }
    await hub.settled();
    for (const name of ['CR', 'LF', 'BOTH']) {
      expect((await hub.get(`/fhir/Patient?family=Ending${name}`)).json.entry).toHaveLength(1);
    }
  });

  it('takes a batch apart and answers each message, in a batch', async () => {
    const bad = 'MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08|BATCH-BAD|P\rPID|1\r';
    const batch = `FHS|^~\\&|EHR|CLINIC|HUB|REGION|||||F1\rBHS|^~\\&|EHR|CLINIC|HUB|REGION|||||B1\r${adt('A08', person, { controlId: 'BATCH-1' })}${bad}${adt('A08', person, { controlId: 'BATCH-2' })}BTS|3\rFTS|1\r`;
    const client = await hub.mllp();
    client.send(batch);
    const answer = await client.answer();
    const lines = answer.split('\r').filter((one) => !one.startsWith('ERR'));
    expect(lines.map((one) => one.slice(0, 3))).toEqual([
      'FHS',
      'BHS',
      'MSH',
      'MSA',
      'MSH',
      'MSA',
      'MSH',
      'MSA',
      'BTS',
      'FTS',
      '',
    ]);
    expect(lines[0]).toMatch(/^FHS\|\^~\\&\|HUB\|REGION\|EHR\|CLINIC\|\|\|\|\|[0-9a-f]{20}\|F1$/);
    expect(lines.filter((one) => one.startsWith('MSA'))).toEqual([
      'MSA|AA|BATCH-1',
      'MSA|AR|BATCH-BAD',
      'MSA|AA|BATCH-2',
    ]);
    await hub.settled();
    for (const controlId of ['BATCH-1', 'BATCH-2']) expect((await stored(controlId))[0]!.state).toBe('processed');
    expect((await stored('BATCH-BAD'))[0]!.state).toBe('refused');
    const { rows } = await hub.test.database.query(
      `SELECT state, size FROM message WHERE type = 'batch' AND control_id = 'F1'`,
    );
    expect(rows).toHaveLength(1);
    client.end();
  });

  it('takes a message that was cut off when it comes whole, though its bytes are the same', async () => {
    const message = adt('A04', { ...person, id: 'CUTWHOLE', family: 'Cutwhole' }, { controlId: 'CUTWHOLE' });
    const cut = await hub.mllp();
    cut.raw(`\v${message}`);
    cut.end();
    expect(field(await cut.answer(), 'MSA', 1)).toBe('AR');
    const [answer] = await hub.deliver(message);
    expect(field(answer!, 'MSA', 1)).toBe('AA');
    await hub.settled();
    expect((await stored('CUTWHOLE'))[0]).toMatchObject({ state: 'processed', error: null });
    expect((await hub.get('/fhir/Patient?family=Cutwhole')).json.entry).toHaveLength(1);
  });

  it('takes it with its original where that was erased meanwhile', async () => {
    const message = adt('A04', { ...person, id: 'ERASEDCUT', family: 'Erasedcut' }, { controlId: 'ERASEDCUT' });
    const cut = await hub.mllp();
    cut.raw(`\v${message}`);
    cut.end();
    expect(field(await cut.answer(), 'MSA', 1)).toBe('AR');
    await hub.test.database.query(`UPDATE message SET sealing_key = NULL, body = '' WHERE control_id = 'ERASEDCUT'`);
    const [answer] = await hub.deliver(message);
    expect(field(answer!, 'MSA', 1)).toBe('AA');
    await hub.settled();
    const [row] = await stored('ERASEDCUT');
    expect(row).toMatchObject({ state: 'processed', error: null });
    expect((await hub.get('/fhir/Patient?family=Erasedcut')).json.entry).toHaveLength(1);
    expect((await hub.get(`/api/messages/${row!.id}`)).text).toContain('Erasedcut');
  });
});

it('knows after a restart which number is expected, and which acknowledgements are owed', async () => {
  const first = await startTestHub();
  const header = (number: number) => ({ 3: 'RESTART', 4: 'FARAWAY3', 13: String(number), 15: 'AL', 16: 'AL' });
  const headers = { 'content-type': 'application/hl7-v2' };
  const message = adt('A08', person, { controlId: 'RESTART1', header: header(1) });
  expect(field((await first.send('POST', '/hl7', message, { headers })).text, 'MSA', 4)).toBe('1');
  await first.settled();
  await first.rest();
  const quiet = { say: () => {}, count: () => {}, fail: () => {} };
  const second = await startHub(first.config, quiet, async () => undefined);
  try {
    const client = await openMllp(second.mllp.port!);
    client.send(adt('A08', person, { controlId: 'RESTART3', header: header(3) }));
    const refusal = await client.answer();
    expect([field(refusal, 'MSA', 1), field(refusal, 'MSA', 4)]).toEqual(['CR', '2']);
    client.send(adt('A08', person, { controlId: 'RESTART2', header: header(2) }));
    const answers = [await client.answer(), await client.answer(), await client.answer()];
    expect(answers.map((one) => `${field(one, 'MSA', 1)} ${field(one, 'MSA', 2)}`).sort()).toEqual([
      'AA RESTART1',
      'AA RESTART2',
      'CA RESTART2',
    ]);
    client.end();
    await client.closed;
  } finally {
    await second.stop();
    await first.stop();
  }
});
