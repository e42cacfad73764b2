/** What other converters of HL7 v2 are known to get wrong, each as a test of its own. */
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { describe, expect, test } from 'vitest';
import { convertV2 } from './convert.ts';

const context = { source: 'harbor', receivedAt: '2026-03-05T12:00:00Z', messageUri: 'urn:causeway:message:1' };

function convert(bytes: string | Uint8Array) {
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  return convertV2(message, context);
}

const MSH = 'MSH|^~\\&|EHR|HARBOR|HUB|REGION|20260305101500||';
const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida||19720311|F';
const admission = [`${MSH}ADT^A01|C1|P|2.5.1`, 'EVN|A01|20260305101000', PID, 'PV1|1|I|4E^12^1'];
const names = (conversion: ReturnType<typeof convert>) => conversion.facts.map(({ resource }) => resource.resourceType);

describe('defects of peers', () => {
  test.each([
    ['CR', '\r'],
    ['LF', '\n'],
    ['CR LF', '\r\n'],
  ])('segments ended by %s are all read', (_name, end) => {
    expect(names(convert(admission.join(end)))).toEqual(names(convert(admission.join('\r'))));
    expect(names(convert(admission.join(end)))).toContain('Encounter');
  });

  test('one malformed date costs that date and nothing else', () => {
    const conversion = convert(admission.join('\r').replace('19720311', '-08'));
    expect(names(conversion)).toEqual(names(convert(admission.join('\r'))));
    expect(conversion.ledger.filter(({ disposition }) => disposition === 'rejected')).toHaveLength(1);
  });

  test('a byte order mark before the header does no harm', () => {
    expect(names(convert(Buffer.from(`\uFEFF${admission.join('\r')}`)))).toContain('Patient');
  });

  test('escapes are decoded: delimiters, line breaks, hexadecimal', () => {
    const obx = 'OBX|1|TX|X^Y^L||a \\T\\ b\\.br\\c \\X41\\||||||F';
    const conversion = convert([`${MSH}ORU^R01|C1|P|2.5.1`, PID, 'OBR|1||F1|X^Y^L', obx].join('\r'));
    const observation = conversion.facts.find(({ resource }) => resource.resourceType === 'Observation')!;
    expect(observation.resource).toMatchObject({ valueString: 'a & b\nc A' });
  });

  test('a header with fewer delimiters is read by those it has', () => {
    expect(names(convert(admission.join('\r').replace('MSH|^~\\&|', 'MSH|^~|')))).toContain('Patient');
  });

  test('segments that the message type does not list are converted all the same', () => {
    const conversion = convert(
      [...admission, 'ORC|NW|P1', 'RXE||1^Aspirin^L|1', 'SPM|1|S1||119297000^Blood^SCT'].join('\r'),
    );
    expect(names(conversion)).toEqual(expect.arrayContaining(['MedicationRequest', 'Specimen']));
  });

  test('no resource is made of segments that are not there', () => {
    expect(names(convert(admission.slice(0, 3).join('\r')))).not.toContain('Encounter');
  });

  test('an optional field that is missing fails nothing', () => {
    expect(names(convert(`MSH|^~\\&|||||||ADT^A08|C1|P|2.3\r${PID}`))).toContain('Patient');
  });

  test('a value of megabytes costs no more than its size', () => {
    const value = 'A'.repeat(1_600_000);
    const began = performance.now();
    const conversion = convert(
      [`${MSH}ORU^R01|C1|P|2.5.1`, PID, 'OBR|1||F1|X^Y^L', `OBX|1|TX|X^Y^L||${value}||||||F`].join('\r'),
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(JSON.stringify(conversion.facts)).toContain(value);
  });

  test('two hundred results take memory in proportion to their text', () => {
    const obx = Array.from({ length: 200 }, (_, i) => `OBX|${i + 1}|NM|${1000 + i}-1^Test ${i}^LN||${i}|mg/dL|||||F`);
    const bytes = Buffer.from([`${MSH}ORU^R01|C1|P|2.5.1`, PID, 'OBR|1||F1|X^Y^L', ...obx].join('\r'));
    const conversion = convert(bytes);
    expect(names(conversion).filter((type) => type === 'Observation')).toHaveLength(200);
    expect(JSON.stringify(conversion.facts).length).toBeLessThan(bytes.length * 40);
  });
});
