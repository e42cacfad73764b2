import { isParseError, parseMessage } from '@causeway/hl7v2';
import type {
  ChargeItem,
  Coverage,
  Flag,
  MedicationRequest,
  Observation,
  Patient,
  RelatedPerson,
} from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { Conversion } from '../conversion.ts';
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

const kept = ({ ledger }: Conversion) => ledger.filter((one) => one.disposition === 'kept').map((one) => one.source);

const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida';

describe('what a segment says and Patient has no element for', () => {
  test('is an observation of its own, which "" withdraws', () => {
    const told = convert('ADT^A08', PID, 'PD1|S^Spouse dependent^HL70223||||||Y^Yes^HL70315');
    const stated = resources<Observation>(told, 'Observation');
    expect(stated.map((item) => item.code.text)).toEqual(['Living dependency', 'Living will']);
    expect(stated[0]!.valueCodeableConcept?.coding?.[0]).toMatchObject({ code: 'S', display: 'Spouse dependent' });
    expect(kept(told)).toEqual([]);
    const withdrawn = resources<Observation>(convert('ADT^A08', PID, 'PD1|""'), 'Observation')[0]!;
    expect(withdrawn).toMatchObject({ id: stated[0]!.id, status: 'entered-in-error' });
  });

  test('an accident tells its parts as components', () => {
    const result = convert('BAR^P05', PID, 'ACC|20260301||Route 5||Y|N||Fall from a ladder');
    expect(resources<Observation>(result, 'Observation')[0]).toMatchObject({
      effectiveDateTime: '2026-03-01',
      valueString: 'Fall from a ladder',
      component: [{ valueString: 'Route 5' }, { valueBoolean: true }, { valueBoolean: false }],
    });
    expect(kept(result)).toEqual([]);
  });

  test('a restriction of access is a flag, ended by its deletion', () => {
    const arv = (action: string) => convert('ADT^A08', PID, `ARV|1|${action}|DEM^All demographic data^HL70717`);
    expect(resources<Flag>(arv('A'), 'Flag')[0]!.status).toBe('active');
    expect(resources<Flag>(arv('D'), 'Flag')[0]!.status).toBe('inactive');
  });
});

test('an identifier is called by its authority, facility and agency', () => {
  const pid = 'PID|1||778^^^HARBOR^MR^West Wing&1.2.3&ISO^^^MI&Michigan^REG&Registry||Sommer^Ida';
  const patient = resources<Patient>(convert('ADT^A08', pid), 'Patient')[0]!;
  expect(patient.identifier![0]!.assigner).toEqual({
    display: 'HARBOR, West Wing, Registry (REG), Michigan (MI)',
    identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' },
  });
});

test('an OID names a coding system that its name does not, and confirms one that does', () => {
  const obx = (code: string) => convert('ORU^R01', PID, 'OBR|1|P1|F1|1^Test|||', `OBX|1|ST|${code}||x|||||F`);
  const coding = (code: string) => resources<Observation>(obx(code), 'Observation')[0]!.code.coding![0]!;
  expect(coding('G^Glucose^LAB^^^^^^^^^^^1.2.3.4').system).toBe('urn:oid:1.2.3.4');
  expect(coding('2345-7^Glucose^LN^^^^^^^^^^^2.16.840.1.113883.6.1').system).toBe('http://loinc.org');
  expect(coding('2345-7^Glucose^LN^^^^^^^^^^^^1.9.8.7').extension![0]!.valueUri).toBe('urn:oid:1.9.8.7');
});

test('results of a laboratory section are laboratory, others are not said to be', () => {
  const category = (section: string) =>
    resources<Observation>(
      convert('ORU^R01', PID, `OBR|1|P1|F1|1^Test${'|'.repeat(20)}${section}|F`, 'OBX|1|ST|1^Test||x|||||F'),
      'Observation',
    )[0]!.category;
  expect(category('CH')![0]!.coding![0]!.code).toBe('laboratory');
  expect(category('RAD')).toBeUndefined();
});

test('what is encoded for another drug than was asked for is a request based on it', () => {
  const requests = resources<MedicationRequest>(
    convert('RDE^O11', PID, 'ORC|NW|P1^EHR', 'RXO|A^Drug A^L|1||mg', 'RXE||B^Drug B^L|1||mg'),
    'MedicationRequest',
  );
  expect(requests.map((item) => item.intent)).toEqual(['original-order', 'order']);
  expect(requests[1]!.basedOn).toEqual([{ reference: `MedicationRequest/${requests[0]!.id}` }]);
  expect(requests[1]!.identifier![0]!.value).toBe('P1');
});

test('a charge keeps its own code beside the procedure; the extended amount is its price', () => {
  const ft1 = 'FT1|1|T1|||||55^Visit^L|||2|30.00|15.00|||||||||||||99213^Office visit^C4';
  const item = resources<ChargeItem>(convert('DFT^P03', PID, ft1), 'ChargeItem')[0]!;
  expect(item.code.coding!.map((coding) => coding.code)).toEqual(['55', '99213']);
  expect(item.priceOverride!.value).toBe(30);
});

test('what insurance knows of a patient who is the insured does not replace the registration', () => {
  const in1 = 'IN1|1|PLAN|7|Insurer||||||||||||Sommer^Ida M|SEL';
  const in2 = `IN2||${'|'.repeat(60)}555 1234${'|'.repeat(9)}SEL^Self`;
  const result = convert('ADT^A08', PID, in1, in2);
  const patient = resources<Patient>(result, 'Patient')[0]!;
  expect(patient.telecom).toBeUndefined();
  expect(resources<Coverage>(result, 'Coverage')[0]!.subscriber).toEqual({ reference: `Patient/${patient.id}` });
  const self = resources<RelatedPerson>(result, 'RelatedPerson')[0]!;
  expect(self.relationship![0]!.coding![0]!.code).toBe('ONESELF');
  expect(self.name![0]!.given).toEqual(['Ida M']);
});
