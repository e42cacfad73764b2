/** A message as it came, from its resources and its ledger. */
import { forEachAtom, isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import { describe, expect, it } from 'vitest';
import { convertV2 } from '../../v2/index.ts';
import { restoreV2 } from './restore.ts';
import { context, relay } from './testing.ts';
import { writeV2 } from './write.ts';

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
  const restored = read(restoreV2(message, ledger, relay));
  const [before, after] = [leavesOf(source), leavesOf(restored)];
  const mapped = ledger.filter(({ disposition }) => disposition === 'mapped');
  expect(mapped.length).toBeGreaterThan(5);
  const lost = mapped.filter(({ source: at }) => before.get(at) !== after.get(at)).map(({ source: at }) => at);
  return { restored, lost, alone: read(writeV2(message, relay)) };
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
    expect(alone.get('PID-2.1')).toBe('OLD1');
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

  it('tells the parts of a place apart, of however many words each is', () => {
    const { lost, alone } = lostOf(
      MSH('ADT^A01^ADT_A01'),
      'EVN||20260210080000+0100',
      'PID|1||P1^^^CLINIC^MR||Quill^Ada',
      'PV1|1|I|Ward 3 West^Room 12^Bed B^CLINIC^^^Main House^Floor 2|||Ward 3 West^^Bed C^CLINIC',
    );
    expect(lost).toEqual([]);
    expect(['PV1-3.1', 'PV1-3.2', 'PV1-3.3', 'PV1-3.7', 'PV1-3.8', 'PV1-6.3'].map((path) => alone.get(path))).toEqual([
      'Ward 3 West',
      'Room 12',
      'Bed B',
      'Main House',
      'Floor 2',
      'Bed C',
    ]);
    expect(alone.get('PV1-6.2')).toBeUndefined();
  });

  it('cuts texts that several leaves are joined in where they were joined', () => {
    const { lost } = lostOf(
      MSH('MDM^T02^MDM_T02'),
      'EVN||20260210080000+0100',
      'PID|1||P1^^^CLINIC^MR^Old Dorp Site^^^GE&Geneva Canton^AG&Some, agency||Quill^Ada|Quill Penny^Ada Ann^Of Dorp|' +
        '||||1 High St^^Dorp^GE^1200^CH^H^^Dorp Land&of Dorp',
      'TXA|1|PN^Progress note^L|TX|||20260210070000+0100||||||DOC1^CLINIC||||||AU||AV',
      'OBX|1|TX|PN^Progress note^L||A first line^with; parts, of it',
      'OBX|2|TX|PN^Progress note^L||and a second',
    );
    expect(lost).toEqual([]);
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
