import { isParseError, parseMessage } from '@causeway/hl7v2';
import { expect, test } from 'vitest';
import { convertV2 } from '../../v2/index.ts';
import type { Envelope } from '../envelope.ts';
import { writeV2 } from './write.ts';

const time = '2026-03-01T00:00:00.000Z';
const envelope: Envelope = {
  controlId: 'OUT1',
  deliveryId: '01890000-0000-7000-8000-000000000001',
  time,
  kind: 'new',
  recipient: { patient: { resourceType: 'Patient' }, identifierSystem: '' },
  origin: { key: 'clinic', name: 'Clinic' },
  relayed: true,
};

const many = Array.from({ length: 5_000 }, (_, i) => i);
const head = (type: string) => `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20260210080910+0100||${type}|C42|P|2.5.1`;
const kin = many.map((i) => `NK1|1|Doe^Al|SPO^Spouse|Street ${i}^^Town|||N^Next of kin`).join('\r');
const orders = many.map((i) => `OBR|${i}|P${i}^A|F${i}^B|718-7^Hb^LN|||20260101`).join('\r');

test.each([
  ['statements of one kin', [head('ADT^A08'), 'PID|1||7^^^A^MR||Doe^Jo', kin].join('\r'), 'Street 4999^^Town'],
  ['orders', [head('ORU^R01'), 'PID|1||7^^^A^MR||Doe^Jo', orders].join('\r'), 'F4999^B'],
])('%s by the thousand are written in no more time than they are many', (_, text, told) => {
  const message = parseMessage(text);
  if (isParseError(message)) throw new Error(message.message);
  const context = { source: 'clinic', receivedAt: time, messageUri: 'urn:causeway:message:1' };
  const resources = convertV2(message, context).facts.map(({ resource }) => resource);
  const { code, event } = message.type;
  const before = process.cpuUsage();
  const bytes = writeV2({ code, event, resources }, envelope);
  const { user, system } = process.cpuUsage(before);
  expect(Buffer.from(bytes as Uint8Array).toString()).toContain(told);
  expect((user + system) / 1_000).toBeLessThan(2_500);
});
