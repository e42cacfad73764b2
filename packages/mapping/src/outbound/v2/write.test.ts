/** FHIR → v2: each type of message, and that what is written says what was read. */
import type { Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../envelope.ts';
import { around, EVN, header, PID, PV1, read, relay, resourcesOf, values, written } from './testing.ts';
import { writeV2 } from './write.ts';

const neighbour: Patient = {
  resourceType: 'Patient',
  id: 'at-the-neighbour',
  identifier: [
    { system: 'urn:other', value: 'X-1' },
    { system: 'urn:oid:2.999.7.1', value: 'N-7' },
  ],
  name: [{ family: 'Quill', given: ['Ada'] }],
};

const own: Envelope = {
  ...relay,
  relayed: false,
  recipient: {
    patient: neighbour,
    identifierSystem: 'urn:oid:2.999.7.1',
    authority: 'NEIGHBOUR',
    application: 'EHR',
    facility: 'NEXT DOOR',
  },
};

describe('ADT', () => {
  it('gives the patient and the visit back', () => {
    const back = around(header('ADT^A01^ADT_A01'), EVN, PID, PV1);
    expect(back.type).toEqual({ code: 'ADT', event: 'A01', structure: 'ADT_A01' });
    expect(values(back, 'MSH-3.1', 'MSH-4', 'MSH-7', 'MSH-10', 'MSH-12')).toEqual([
      'EHR',
      'CLINIC',
      '20260210080910+0100',
      'C42',
      '2.5.1',
    ]);
    expect(values(back, 'PID-3.1', 'PID-3.4.1', 'PID-3.4.2', 'PID-3.5', 'PID-3[2].1', 'PID-3[2].4.1')).toEqual([
      'P1',
      'CLINIC',
      '2.999.2',
      'MR',
      '999-12-3456',
      'USSSA',
    ]);
    expect(values(back, 'PID-5.4', 'PID-5.6', 'PID-5[2].1', 'PID-5[2].7')).toEqual(['Jr', 'PHD', 'Penn', 'M']);
    expect(values(back, 'PID-13[2].4', 'PID-14.1', 'PID-18.1')).toEqual(['ada@example.org', '+41222', 'A77']);
    expect(values(back, 'PV1-2', 'PV1-3.1', 'PV1-3.2', 'PV1-3.3', 'PV1-3.4.1')).toEqual([
      'I',
      'W2',
      '12',
      'B',
      'CLINIC',
    ]);
    expect(values(back, 'PV1-7.1', 'PV1-7.9.2', 'PV1-8.2', 'PV1-19.1', 'PV1-44')).toEqual([
      '10',
      '2.999.3',
      'Baum',
      'V55',
      '20260209110000+0100',
    ]);
  });

  it('gives next of kin, allergies, diagnoses, procedures and insurance back', () => {
    const back = around(
      header('ADT^A08^ADT_A01'),
      EVN,
      PID,
      'NK1|1|Quill^Tom^^^^^L|SPO^Spouse^HL70063|1 High St&&^^Dorp^GE^1200^CH^H|+41333^PRN^PH',
      PV1,
      'AL1|1|DA|7980^Penicillin^RXNORM|SV|Hives',
      'DG1|1||J18.9^Pneumonia^I10|||A|||||||||1',
      'PR1|1||71045^Chest X-ray^C4||20260209120000+0100|||||||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L',
      'GT1|1|G5^^^CLINIC|Quill^Tom',
      'IN1|1|PLAN1^Basic|INS9^^^CLINIC|Insurer Ltd||||||||||||Quill^Tom|SPO',
    );
    expect(values(back, 'NK1-2.1', 'NK1-3.1', 'NK1-5.1', 'AL1-2.1', 'AL1-3.1', 'AL1-4.1', 'AL1-5')).toEqual([
      'Quill',
      'SPO',
      '+41333',
      'DA',
      '7980',
      'SV',
      'Hives',
    ]);
    expect(values(back, 'DG1-3.1', 'DG1-6', 'DG1-15', 'PR1-3.1', 'PR1-5', 'PR1-12.2')).toEqual([
      'J18.9',
      'A',
      '1',
      '71045',
      '20260209120000+0100',
      'Adler',
    ]);
    expect(values(back, 'GT1-2.1', 'GT1-3.1', 'IN1-2.1', 'IN1-2.2', 'IN1-3.1', 'IN1-4.1', 'IN1-17.1')).toEqual([
      'G5',
      'Quill',
      'PLAN1',
      'Basic',
      'INS9',
      'Insurer Ltd',
      'SPO',
    ]);
  });

  it('names what a merge takes the place of', () => {
    const back = around(
      header('ADT^A40^ADT_A39'),
      EVN,
      'PID|1||P1^^^CLINIC^MR||Quill^Ada',
      'MRG|P0^^^CLINIC^MR||||||Quill^Adda',
    );
    expect(values(back, 'PID-3.1', 'MRG-1.1', 'MRG-1.4.1', 'MRG-7.2')).toEqual(['P1', 'P0', 'CLINIC', 'Adda']);
  });

  it('carries only what its structure has, under the destination’s own number', () => {
    const resources = resourcesOf(read([header('ADT^A01^ADT_A01'), EVN, PID, PV1, 'AL1|1||7980^Penicillin^RXNORM']));
    const back = written('ADT', 'A02', resources, own);
    expect(back.all('AL1')).toHaveLength(0);
    expect(values(back, 'MSH-3', 'MSH-5', 'MSH-10', 'PID-3.1', 'PID-3.4.1', 'PID-5.1', 'PV1-3.1')).toEqual([
      'CAUSEWAY',
      'EHR',
      'OUT1',
      'N-7',
      'NEIGHBOUR',
      'Quill',
      'W2',
    ]);
  });

  it('refuses an unknown type, a recipient without a number, and a control id that is too long', () => {
    expect(writeV2({ code: 'ZZZ', event: 'Z01', resources: [] }, own)).toMatch(/ZZZ\^Z01/);
    const unknown = { ...own, recipient: { ...own.recipient, identifierSystem: 'urn:none' } };
    expect(writeV2({ code: 'ADT', event: 'A01', resources: [] }, unknown)).toMatch(/record number/);
    expect(writeV2({ code: 'ADT', event: 'A01', resources: [] }, { ...own, controlId: 'x'.repeat(21) })).toMatch(/20/);
  });
});

describe('orders and results', () => {
  const ORC = 'ORC|RE|PO1^CLINIC|FO1^LAB||CM||||20260208||||';
  const OBR =
    'OBR|1|PO1^CLINIC|FO1^LAB|24323-8^Panel^LN|||20260209080000+0100|||||||||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L' +
    '||||||20260209150000+0100||LAB|F';

  it('gives ORU^R01 back', () => {
    const back = around(
      header('ORU^R01^ORU_R01'),
      PID,
      ORC,
      OBR,
      'NTE|1||Fasting\\T\\rested',
      'OBX|1|NM|2823-3^Potassium^LN||4.2|mmol/L^mmol/L^UCUM|3.5-5.1|N|||F|||20260209080000+0100||11^Baum^Eva',
      'NTE|1||Repeat in a week',
      'OBX|2|SN|2345-7^Glucose^LN||<^5|mg/dL^mg/dL^UCUM|||||F',
      'OBX|3|CWE|600-7^Culture^LN|1|112283007^E. coli^SCT||||||F',
      'OBX|4|TX|8251-1^Comment^LN||one~two||||||F',
      'SPM|1|^S9&LAB||119297000^Blood^SCT|||||||||||||20260209075500+0100|20260209083000+0100',
    );
    expect(values(back, 'OBR-2.1', 'OBR-3.2', 'OBR-4.1', 'OBR-7', 'OBR-16.2', 'OBR-22', 'OBR-24', 'OBR-25')).toEqual([
      'PO1',
      'LAB',
      '24323-8',
      '20260209080000+0100',
      'Adler',
      '20260209150000+0100',
      'LAB',
      'F',
    ]);
    expect(back.get('NTE-3')).toBe('Fasting&rested');
    expect(values(back, 'OBX-2', 'OBX-5', 'OBX-6.1', 'OBX-7', 'OBX-8.1', 'OBX-16.2')).toEqual([
      'NM',
      '4.2',
      'mmol/L',
      '3.5-5.1',
      'N',
      'Baum',
    ]);
    expect(values(back, 'OBX[2]-5.1', 'OBX[2]-5.2', 'OBX[3]-4', 'OBX[3]-5.1', 'OBX[4]-5[2]')).toEqual([
      '<',
      '5',
      '1',
      '112283007',
      'two',
    ]);
    expect(values(back, 'SPM-2.2.1', 'SPM-4.1', 'SPM-17', 'SPM-18')).toEqual([
      'S9',
      '119297000',
      '20260209075500+0100',
      '20260209083000+0100',
    ]);
  });

  it.each(['ORM^O01^ORM_O01', 'OMG^O19^OMG_O19', 'OML^O21^OML_O21'])('gives %s back', (type) => {
    const back = around(
      header(type),
      PID,
      PV1,
      'ORC|NW|PO2^CLINIC|||||||20260210|||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L',
      'OBR|1|PO2^CLINIC||58410-2^CBC^LN|S|20260211080000+0100||||||||||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L' +
        '|||||||||||||||Z00.0^Check^I10',
    );
    expect(values(back, 'ORC-1', 'ORC-2.1', 'ORC-12.2', 'OBR-4.1', 'OBR-5', 'OBR-6', 'OBR-31.1')).toEqual([
      'NW',
      'PO2',
      'Adler',
      '58410-2',
      'S',
      '20260211080000+0100',
      'Z00.0',
    ]);
  });

  it('gives RDE^O11 back', () => {
    const back = around(
      header('RDE^O11^RDE_O11'),
      PID,
      'ORC|NW|RX1^CLINIC',
      'TQ1|1||BID&Twice a day&HL70335|||10^D&day&UCUM|20260210080000+0100',
      'RXE||197696^Amoxicillin 500 mg^RXNORM|500||mg^mg^UCUM||^Take with food|||20|cap^cap^UCUM|2',
      'RXR|PO^Oral^HL70162',
    );
    expect(values(back, 'RXE-2.1', 'RXE-3', 'RXE-5.1', 'RXE-10', 'RXE-12', 'RXR-1.1', 'TQ1-3.1.1', 'TQ1-7')).toEqual([
      '197696',
      '500',
      'mg',
      '20',
      '2',
      'PO',
      'BID',
      '20260210080000+0100',
    ]);
  });

  it('gives VXU^V04 back', () => {
    const back = around(
      header('VXU^V04^VXU_V04'),
      PID,
      'ORC|RE||IM1^CLINIC',
      'RXA|0|1|20260210||08^Hep B^CVX|0.5|mL^mL^UCUM||||||||LOT1|20271231|MSD^Merck^MVX|||CP|A',
      'RXR|IM^Intramuscular^HL70162|LA^Left arm^HL70163',
      'OBX|1|CWE|64994-7^Eligibility^LN|1|V01^Not eligible^HL70064||||||F',
    );
    expect(values(back, 'RXA-3', 'RXA-5.1', 'RXA-6', 'RXA-15', 'RXA-17.1', 'RXA-20', 'RXR-2.1', 'OBX-5.1')).toEqual([
      '20260210',
      '08',
      '0.5',
      'LOT1',
      'MSD',
      'CP',
      'LA',
      'V01',
    ]);
  });
});

describe('appointments and documents', () => {
  it('gives SIU^S12 back', () => {
    const back = around(
      header('SIU^S12^SIU_S12'),
      'SCH|SP1^CLINIC|SF1^CLINIC|||||^Follow-up|CHECKUP^Check^L|30|min|^^^20260301090000+0100^20260301093000+0100' +
        '|||||||||||||||BOOKED',
      PID,
      'RGS|1',
      'AIS|1|A|CARD^Cardiology^L',
      'AIL|1|A|ROOM^7^^CLINIC',
      'AIP|1|A|10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L|D^Doctor^L',
    );
    expect(values(back, 'SCH-1.1', 'SCH-2.1', 'SCH-7.2', 'SCH-9', 'SCH-11.4', 'SCH-11.5', 'SCH-25.1')).toEqual([
      'SP1',
      'SF1',
      'Follow-up',
      '30',
      '20260301090000+0100',
      '20260301093000+0100',
      'BOOKED',
    ]);
    expect(values(back, 'AIS-3.1', 'AIL-3.1', 'AIL-3.2', 'AIP-3.2', 'AIP-4.1')).toEqual([
      'CARD',
      'ROOM',
      '7',
      'Adler',
      'D',
    ]);
  });

  it('gives MDM^T02 back', () => {
    const back = around(
      header('MDM^T02^MDM_T02'),
      EVN,
      PID,
      PV1,
      'TXA|1|11488-4^Consult^LN|TX|20260209110000+0100||20260210070000+0100|||10^Adler^Max^^^Dr^^^NPI&2.999.3&ISO^L' +
        '|||D9^CLINIC|||||AU||AV',
      'OBX|1|TX|11488-4^Consult^LN||First line||||||F',
      'OBX|2|TX|11488-4^Consult^LN||Second \\F\\ line||||||F',
    );
    expect(values(back, 'TXA-2.1', 'TXA-4', 'TXA-9.2', 'TXA-12.1', 'TXA-17', 'TXA-19', 'OBX[2]-5')).toEqual([
      '11488-4',
      '20260209110000+0100',
      'Adler',
      'D9',
      'AU',
      'AV',
      'Second | line',
    ]);
  });
});
