/** A message as it came, from its resources and its ledger. */
import { forEachAtom, isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import { describe, expect, it } from 'vitest';
import type { ConversionContext } from '../../conversion.ts';
import { convertV2 } from '../../v2/index.ts';
import type { Envelope } from '../envelope.ts';
import { restoreV2 } from './restore.ts';
import { writeV2 } from './write.ts';

const context: ConversionContext = {
  source: 'the-clinic',
  receivedAt: '2026-03-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:1',
};
const envelope: Envelope = {
  controlId: 'OUT1',
  deliveryId: '01890000-0000-7000-8000-000000000001',
  time: context.receivedAt,
  kind: 'new',
  recipient: { patient: { resourceType: 'Patient' }, identifierSystem: 'urn:oid:2.999.7.1' },
  origin: { key: 'the-clinic', name: 'The Clinic' },
};

function read(bytes: Uint8Array | string): Message {
  if (typeof bytes === 'string') throw new Error(bytes);
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

function leavesOf(message: Message): Map<string, string> {
  const leaves = new Map<string, string>();
  forEachAtom(message, ({ segment, occurrence, field, repetition, component, subcomponent, value }) => {
    leaves.set(`${segment}[${occurrence}]-${field}[${repetition}].${component}.${subcomponent}`, value);
  });
  return leaves;
}

/** Converts, restores, and gives the mapped atoms whose leaf is not what it was. */
function lostOf(...lines: string[]): { restored: Message; lost: string[]; alone: Message } {
  const source = read(new TextEncoder().encode(`${lines.join('\r')}\r`));
  const { facts, ledger } = convertV2(source, context);
  const message = { ...source.type, resources: facts.map(({ resource }) => resource) };
  const restored = read(restoreV2(message, ledger, envelope));
  const [before, after] = [leavesOf(source), leavesOf(restored)];
  const mapped = ledger.filter(({ disposition }) => disposition === 'mapped');
  expect(mapped.length).toBeGreaterThan(5);
  const lost = mapped.filter(({ source: at }) => before.get(at) !== after.get(at)).map(({ source: at }) => at);
  return { restored, lost, alone: read(writeV2(message, { ...envelope, relayed: true })) };
}

const MSH = (type: string) => `MSH|^~\\&|EHR^2.999.1^ISO|CLINIC|HUB|REGION|20260210080910+0100||${type}|C42|P|2.5.1`;

describe('restoreV2', () => {
  it('puts each identifier, name, address line and number where it stood', () => {
    const { lost, restored, alone } = lostOf(
      MSH('ADT^A01^ADT_A01'),
      'EVN||20260210080000+0100',
      'PID|1|OLD1^^^CLINIC^PI|P1^4^M11^CLINIC^MR|ALT1^^^CLINIC|Quill&van&Quill^Ada^Rose^^Dr^PHD^L||19700405|F|Penny^Ada|' +
        '|1 High St&High Street&1^Flat 2^Dorp^GE^1200^CH^H||+41791^PRN^PH^ada@example.org~+41792^PRN^PH|+41222^WPN^PH' +
        '||||||||||||||||||||||||||+41999^PRS^CP',
      'PV1|1|I|W2^12^B^CLINIC||||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L|11^Baum^Eva',
      'PV2|||^Cough|||||||||||12^Cramer^Ida',
    );
    expect(lost).toEqual([]);
    expect(restored.get('PID-2.1')).toBe('OLD1');
    expect(restored.get('PID-11.1.2')).toBe('High Street');
    expect(alone.get('PID-2.1')).toBeUndefined();
  });

  it('keeps the order of segments and what stands beside what', () => {
    const { lost, restored } = lostOf(
      MSH('ORU^R01^ORU_R01'),
      'PID|1||P1^^^CLINIC^MR||Quill^Ada',
      'ORC|RE|PO1^CLINIC|FO1^LAB|||||||||10^Adler^Max',
      'OBR|1|PO1^CLINIC|FO1^LAB|24323-8^Panel^LN|||20260209080000+0100|||||||||10^Adler^Max||||||20260209150000+0100||LAB|F',
      'NTE|1||Fasting',
      'NTE|2||Rested',
      'OBX|1|NM|2823-3^Potassium^LN||4.2|mmol/l|3.5-5.1|H|||F|||20260209080000+0100|L1^Lab One^L|11^Baum^Eva',
      'NTE|1||Repeat in a week~or sooner',
      'OBX|2|TX|8251-1^Comment^LN||one~two||||||F',
      'OBX|3|ST|5778-6^Color^LN||dark yellow|hue||||F|F',
    );
    expect(lost).toEqual([]);
    expect(restored.segments.map(({ name }) => name).join(' ')).toBe('MSH PID ORC OBR NTE NTE OBX NTE OBX OBX');
  });

  it('says nothing that the ledger keeps or rejects', () => {
    const { restored } = lostOf(
      MSH('ADT^A08^ADT_A01'),
      'EVN||20260210080000+0100',
      'PID|1||P1^^^CLINIC^MR||Quill^Ada||19701340|F',
      'ZPI|1|local',
    );
    expect(restored.get('PID-7')).toBeUndefined();
    expect(restored.all('ZPI')).toHaveLength(0);
  });
});
