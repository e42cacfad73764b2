/** What is refused by an acknowledgement leaves one event each, which says whose it was and nothing of the message. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { adt } from '../testing-messages.ts';
import { openMllp } from '../testing-mllp.ts';

const person = { id: 'SECRET-4711', family: 'Hiddenname', given: 'Ines', birth: '19710203', sex: 'F' };
const code = (answer: string) => /\rMSA\|(\w\w)/.exec(answer)?.[1];

const authority = new TestAuthority();
let hub: AttackedHub;
let asLab: ConnectionOptions;

beforeAll(async () => {
  const [server, lab] = [authority.issue('hub'), authority.issue('lab')];
  hub = await startAttackedHub({
    mllpTlsPort: 0,
    mllpTlsCertificate: server.certificate,
    mllpTlsKey: server.key,
    mllpTlsClientCa: authority.certificate,
  });
  hub.secret(person.family, person.id);
  const ca = readFileSync(authority.certificate);
  asLab = { ca, cert: readFileSync(lab.certificate), key: readFileSync(lab.key) };
  const transport = { certificates: [lab.fingerprint] };
  for (const [key, more] of [
    ['lab', { transport }],
    ['clinic', {}],
  ] as const) {
    const body = { name: key, kind: 'lab', sendingFacility: key.toUpperCase(), ...more };
    expect((await hub.send('PUT', `/api/participants/${key}`, body)).status).toBe(200);
  }
});
afterAll(async () => {
  await hub?.stop();
  authority.remove();
});

/** The first acknowledgement of a message; undefined where none comes, until the hub closes the connection. */
async function answered(message: string, { tls, isCutOff = false }: { tls?: ConnectionOptions; isCutOff?: boolean }) {
  const client = await openMllp(tls ? hub.mllpTlsPort : hub.mllpPort, tls);
  if (isCutOff) client.raw(`\x0b${message}`);
  else client.send(message);
  client.end();
  const answer = await client.answer().catch(() => '');
  await client.closed;
  return code(answer);
}

const from = (facility: string, more: object = {}) => adt('A08', person, { controlId: 'REFUSED', facility, ...more });
const ask = (type: string, facility: string) =>
  `MSH|^~\\&|EHR|${facility}|HUB|HUB|20240301||${type}|ASK|P|2.5.1\rQPD|Q22^Find^HL7|T1|@PID.5.1^${person.family}\rRCP|I\r`;

/** What the last event says. */
async function lastEvent() {
  return (await accessesOf(hub)).at(-1)!;
}

describe('by MLLP', () => {
  it.each([
    ['what is no message', `MSH|^~\\&|EHR|CLINIC|||20240301||${''}|M1|P|2.5.1\rPID|1||${person.id}\r`, 'AR', 400],
    ['a message without a header', `PID|1||${person.id}||${person.family}\r`, 'AR', 400],
    ['a message of a participant without its certificate', from('LAB'), 'AR', 403],
    ['a query of no kind that is answered', ask('QBP^Z99^QBP_Q21', 'CLINIC'), 'AR', 400],
    ['a query of somebody who may not ask', ask('QBP^Q22^QBP_Q21', 'CLINIC'), 'AR', 403],
    [
      'an acknowledgement in the name of another',
      'MSH|^~\\&|EHR|LAB|||20240301||ACK^A08^ACK|FORGED|P|2.5.1\rMSA|CR|1\r',
      undefined,
      403,
    ],
  ])('%s', async (what, message, expected, status) => {
    expect(await leavingOneEvent(hub, what, () => answered(message, {}))).toBe(expected);
    const event = await lastEvent();
    expect(event.status).toBe(status);
    expect(event.organization).toBe(/^(?:query)$/.test(event.action) ? 'clinic' : 'none');
    if (event.action === 'refused') expect(event.what).toMatch(/^HL7 v2 message [\da-f-]{36} from [\da-f.:]+$/);
  });

  it('a number out of order', async () => {
    const numbered = (number: number) =>
      answered(from('CLINIC', { header: { 3: 'NUMBERED', 13: String(number) } }), {});
    expect(await numbered(1)).toBe('AA');
    expect(await leavingOneEvent(hub, 'out of order', () => numbered(7))).toBe('AR');
    expect(await lastEvent()).toMatchObject({ action: 'refused', status: 400 });
  });

  it('a message that was cut off', async () => {
    const cutOff = () => answered(from('CLINIC').slice(0, -20), { isCutOff: true });
    expect(await leavingOneEvent(hub, 'cut off', cutOff)).toBe('AR');
    expect(await lastEvent()).toMatchObject({ action: 'refused', status: 400 });
  });

  it('a message in the name of another, by whose certificate it came', async () => {
    expect(await leavingOneEvent(hub, 'impostor', () => answered(from('CLINIC'), { tls: asLab }))).toBe('AR');
    const event = await lastEvent();
    expect(event).toMatchObject({ who: 'site:lab', organization: 'lab', action: 'send', status: 403 });
    expect(event.what).toMatch(/^HL7 v2 message [\da-f-]{36}$/);
  });

  it('each message of a batch', async () => {
    const before = (await accessesOf(hub)).length;
    const batch = ['BHS|^~\\&|EHR|LAB', from('LAB').trim(), from('LAB').trim(), 'BTS|2', ''].join('\r');
    await answered(batch, {});
    expect((await accessesOf(hub)).slice(before)).toMatchObject([{ status: 403 }, { status: 403 }]);
  });

  it('one of a sender that nobody let onto the network, and none of one that is taken', async () => {
    const officer = { role: 'privacy-officer' };
    const require = async (requireAgreements: boolean) => {
      const { json } = await hub.get('/api/network-policy', officer);
      const policy = { model: 'opt-out', zone: 'UTC', rules: [], requireAgreements };
      const body = { version: json.version, reason: 'A test.', policy };
      expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
    };
    await require(true);
    const stranger = () => answered(from('NOWHERE'), {});
    expect(await leavingOneEvent(hub, 'unknown sender', stranger)).toBe('AR');
    expect(await lastEvent()).toMatchObject({ who: 'unknown', status: 403 });
    await require(false);
    const before = (await accessesOf(hub)).length;
    expect(await answered(from('NOWHERE'), {})).toBe('AA');
    expect((await accessesOf(hub)).slice(before)).toEqual([]);
  });
});

it('by HTTP, the caller is named', async () => {
  const headers = {
    authorization: `Bearer ${await hub.token('system', 'feed')}`,
    'content-type': 'application/hl7-v2',
  };
  const send = (message: string) => hub.send('POST', '/hl7', message, { headers });
  const numbered = (number: number) => from('NUMBERS', { header: { 13: String(number) } });
  expect((await send(numbered(1))).status).toBe(200);
  for (const message of [`MSH|^~\\&|EHR|CLINIC|||20240301|||H1|P|2.5.1\rPID|1||${person.id}\r`, numbered(9)]) {
    // Answered by an acknowledgement; that each leaves one event is seen to by `send`.
    expect((await send(message)).status).toBe(400);
    const event = await lastEvent();
    expect(event).toMatchObject({ who: 'feed', action: 'send', status: 400 });
    expect(event.what).toMatch(/^HL7 v2 message [\da-f-]{36}$/);
  }
});

it('nothing of the messages is told', async () => {
  const told = JSON.stringify((await accessesOf(hub)).filter(({ action }) => action !== 'query'));
  for (const text of [person.family, person.id, 'NOWHERE', 'REFUSED']) expect(told).not.toContain(text);
});
