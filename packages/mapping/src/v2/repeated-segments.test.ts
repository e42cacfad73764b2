import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { DocumentReference, MedicationRequest, Observation, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { Conversion, LedgerEntry } from '../conversion.ts';
import { convertV2 } from './convert.ts';

function convert(type: string, ...segments: string[]): Conversion {
  const text = [`MSH|^~\\&|EHR|HARBOR|HUB|REGION|20260305101500||${type}|C1|P|2.8`, ...segments].join('\r');
  const message = parseMessage(text);
  if (isParseError(message)) throw new Error(message.message);
  return convertV2(message, {
    source: 'harbor',
    receivedAt: '2026-03-05T12:00:00Z',
    messageUri: 'urn:causeway:message:42',
  });
}

function resources<T>({ facts }: Conversion, type: string): T[] {
  return facts.filter(({ resource }) => resource.resourceType === type).map(({ resource }) => resource as unknown as T);
}

function entry({ ledger }: Conversion, source: string): LedgerEntry | undefined {
  return ledger.find((one) => one.source === source);
}

const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida';

describe('segments that come again', () => {
  test('a second timing does not replace the first: it is a dosage of its own', () => {
    const result = convert(
      'RDE^O11',
      PID,
      'ORC|NW|P1^EHR|F1^PHA',
      'RXE||83367^Tablet^RXN|1||TAB',
      'TQ1|1||BID||||||R',
      'TQ1|2||TID||||||S',
    );
    const [request] = resources<MedicationRequest>(result, 'MedicationRequest');
    expect(request!.dosageInstruction![0]!.timing!.code!.coding).toMatchObject([{ code: 'BID' }]);
    expect(request!.priority).toBe('routine');
    expect(request!.dosageInstruction![1]!.timing!.code!.coding).toMatchObject([{ code: 'TID' }]);
    expect(entry(result, 'TQ1[2]-3[1].1.1')?.target).toMatch(/#dosageInstruction\[1\]\.timing\.code/);
    expect(entry(result, 'TQ1[2]-9[1].1.1')?.disposition).toBe('kept');
  });

  test('a priority that the order itself has told is not claimed for the timing', () => {
    const result = convert('ORU^R01', PID, 'OBR|1|P1|F1|718-7^Hb^LN|R', 'TQ1|1||||||||A');
    expect(resources<ServiceRequest>(result, 'ServiceRequest')[0]!.priority).toBe('routine');
    expect(entry(result, 'TQ1[1]-9[1].1.1')?.disposition).toBe('kept');
  });

  test('a second document keeps the text of the first, and results after it are results', () => {
    const result = convert(
      'MDM^T02',
      PID,
      'TXA|1|DS||||||||||D1^EHR',
      'OBX|1|TX|1^Text||First text',
      'OBX|2|ED|1^Scan||Cam^IM^JPEG^Base64^QUJD',
      'TXA|2|DS||||||||||D2^EHR',
      'OBX|3|TX|1^Text||Second text',
      'OBR|1|P1|F1|718-7^Hb^LN',
      'OBX|1|NM|718-7^Hb^LN||7.5|g/dL|||||F',
    );
    const documents = resources<DocumentReference>(result, 'DocumentReference');
    const text = ({ content }: DocumentReference) => Buffer.from(content[0]!.attachment!.data!, 'base64').toString();
    expect(documents.map(text)).toEqual(['First text', 'Second text']);
    expect(resources<Observation>(result, 'Observation')[0]!.valueQuantity).toMatchObject({ value: 7.5 });
    expect(entry(result, 'OBX[2]-5[1].5.1')?.target).toMatch(/#content\[1\]\.attachment\.data$/);
    expect(entry(result, 'OBX[2]-5[1].2.1')?.disposition).toBe('consumed');
  });
});

test('an e-mail address says nothing of home, and a name tells its assembly order in HL7 codes', () => {
  const result = convert(
    'ADT^A08',
    'PID|1||778^^^HARBOR^MR||Sommer^Ida^^^^^^^^^F||||||||^NET^Internet^ida@example.org',
  );
  const [patient] = resources<Patient>(result, 'Patient');
  expect(patient!.name![0]!.extension![0]!.valueCode).toBe('F');
  const other = convert('ORU^R01', PID, `OBR|1|P1|F1|718-7^Hb^LN${'|'.repeat(13)}^NET^Internet^u@example.org`);
  const [request] = resources<ServiceRequest>(other, 'ServiceRequest');
  expect(request!.extension![0]!.valueContactPoint).toEqual({ system: 'email', value: 'u@example.org' });
});
