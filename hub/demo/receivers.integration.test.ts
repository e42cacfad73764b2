import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFrame, MllpDecoder } from '@causeway/hl7v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SiteReceiver, startHospital } from './hospital-receiver.ts';
import { startPractice } from './practice-receiver.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-receivers-'));
let hospital: SiteReceiver;
let practice: SiteReceiver & { url: string };

beforeAll(async () => {
  hospital = await startHospital(join(folder, 'hospital'), 'OWN');
  practice = await startPractice(join(folder, 'practice'), 'urn:oid:2.999.5');
});
afterAll(async () => {
  await hospital.close();
  await practice.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the hospital', () => {
  const oru = (controlId: string, authority: string, segments = 'OBR|1\rOBX|1|NM|X||1\r', type = 'ORU^R01') =>
    `MSH|^~\\&|A|B|C|D|20250101||${type}|${controlId}|P|2.5.1\rPID|1||77^^^${authority}^MR\r${segments}`;
  const answerTo = (...messages: string[]) =>
    new Promise<string[]>((resolve, reject) => {
      const answers: string[] = [];
      const decoder = new MllpDecoder();
      const socket = connect(hospital.port, '127.0.0.1');
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        answers.push(...decoder.push(chunk).map(({ content }) => Buffer.from(content).toString()));
        if (answers.length < messages.length) return;
        socket.destroy();
        resolve(answers);
      });
      for (const message of messages) socket.write(encodeFrame(Buffer.from(message)));
    });

  it('keeps what concerns its own patients, once for each control id', async () => {
    const answers = await answerTo(oru('C1', 'OWN'), oru('C1', 'OWN'), oru('C2', 'OWN'));
    for (const answer of answers) expect(answer).toContain('MSA|AA|C');
    expect(readdirSync(join(folder, 'hospital')).sort()).toEqual(['C1.hl7', 'C2.hl7']);
    expect(readFileSync(join(folder, 'hospital', 'C1.hl7'), 'utf8')).toBe(oru('C1', 'OWN'));
  });

  it('refuses what it cannot file, and says where the fault lies', async () => {
    const [stranger, event, bare, path] = await answerTo(
      oru('C3', 'OTHER'),
      oru('C4', 'OWN', '', 'DFT^P03'),
      oru('C5', 'OWN', 'OBR|1\r'),
      oru('../C6', 'OWN'),
    );
    expect(stranger).toMatch(/MSA\|AE\|C3\r[\s\S]*PID\^1\^3/);
    expect(event).toMatch(/MSA\|AE\|C4\r[\s\S]*MSH\^1\^9/);
    expect(bare).toMatch(/MSA\|AE\|C5\r[\s\S]*OBX/);
    expect(path).toContain('MSA|AE|../C6');
    expect(readdirSync(folder).sort()).not.toContain('C6.hl7');
  });
});

describe('the practice', () => {
  const subject = (system: string) => ({ identifier: { system, value: '5' } });
  const bundle = (id: string, system: string, more: object = {}) => ({
    resourceType: 'Bundle',
    type: 'transaction',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` },
    entry: [
      {
        resource: { resourceType: 'Observation', id: 'o', subject: subject(system) },
        request: { method: 'PUT', url: 'Observation/o' },
      },
    ],
    ...more,
  });
  const post = (body: unknown) =>
    fetch(practice.url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

  it('keeps what concerns its own patients, once for each Bundle', async () => {
    for (let i = 0; i < 2; i++) expect((await post(bundle('b-1', 'urn:oid:2.999.5'))).status).toBe(200);
    expect(readdirSync(join(folder, 'practice'))).toEqual(['b-1.json']);
  });

  it('refuses anything else with an OperationOutcome', async () => {
    const bad = [
      '{',
      'null',
      bundle('b-2', 'urn:oid:2.999.6'),
      bundle('../b-3', 'urn:oid:2.999.5'),
      bundle('b-4', 'urn:oid:2.999.5', { type: 'batch' }),
      bundle('b-5', 'urn:oid:2.999.5', { entry: [] }),
      bundle('b-6', 'urn:oid:2.999.5', { entry: [null] }),
    ];
    for (const body of bad) {
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { resourceType: string }).resourceType).toBe('OperationOutcome');
    }
    expect((await fetch(practice.url)).status).toBe(404);
    expect(readdirSync(join(folder, 'practice'))).toEqual(['b-1.json']);
  });
});
