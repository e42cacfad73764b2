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

const admission = (...segments: string[]) =>
  [head('ADT^A01'), 'PID|1||7^^^A^MR||Doe^Jo||||||||||||AC1^^^A^AN', 'PV1|1|I', ...segments].join('\r');
const guarantors = admission(
  ...many.map((i) => `GT1|${i}|G${i}^^^A|Doe^Al${i}||Street ${i}${'|'.repeat(15)}1${'|'.repeat(10)}M`),
);
const insurances = admission(...many.map((i) => `IN1|${i}|P${i}|I${i}^^^A|Payor ${i}${'|'.repeat(13)}SEL`));
const diagnoses = admission(...many.map((i) => `DG1|${i}||D${i}^Cause ${i}^L|||A`));
const vaccines = many
  .map((i) => `ORC|RE||F${i}^B\rRXA|0|1|20260101||03^MMR^CVX|1\rOBX|1|ST|X^x^L||seen ${i}`)
  .join('\r');

test.each([
  ['statements of one kin', [head('ADT^A08'), 'PID|1||7^^^A^MR||Doe^Jo', kin].join('\r'), 'Street 4999^^Town'],
  ['guarantors, with what is told of them,', guarantors, 'Doe^Al4999'],
  ['insurances', insurances, 'Payor 4999'],
  ['diagnoses', diagnoses, 'Cause 4999'],
  ['vaccines', [head('VXU^V04'), 'PID|1||7^^^A^MR||Doe^Jo', vaccines].join('\r'), 'seen 4999'],
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
