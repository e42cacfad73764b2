/** FHIR → v2: where several fields fill one element, each value goes back to its own. */
import { expect, it } from 'vitest';
import { around, EVN, header, PID, PV1, read, relay, resourcesOf, values, written } from './testing.ts';

it('tells identifiers of fields of their own by what they are', () => {
  const back = around(
    header('ADT^A01^ADT_A01'),
    EVN,
    'PID|1|X1^^^OTHER^PI|P1^^^CLINIC^MR|A1|Quill^Ada^^^^^L~Penn^Ada',
    `${PV1}||||||W9^^^CLINIC`,
    'DB1|1|PT|D1^^^CLINIC|Y',
    `IN1|1|PLAN1^Basic${'|'.repeat(14)}Quill^Tom|SPO`,
    `IN2|E1^^^FIRM^EI${'|'.repeat(60)}M1^^^CLINIC`,
  );
  expect(values(back, 'PID-2.1', 'PID-2.5', 'PID-3.1', 'PID-3[2].1', 'PID-4.1', 'PID-9.1')).toEqual([
    'X1',
    'PI',
    'P1',
    undefined,
    'A1',
    'Penn',
  ]);
  expect(values(back, 'PV1-19.1', 'PV1-50.1', 'DB1-3.1', 'IN2-1.1', 'IN2-61.1')).toEqual([
    'V55',
    'W9',
    'D1',
    'E1',
    'M1',
  ]);
});

it('keeps whom one asks for at the organization of a next of kin apart from the next of kin', () => {
  const back = around(
    header('ADT^A08^ADT_A01'),
    EVN,
    PID,
    `NK1|1|Quill^Tom|SPO^Spouse^HL70063|1 High St^^Dorp|+411^PRN^PH||||||||Works Ltd${'|'.repeat(17)}Baum^Eva|+412^^PH|2 Low St^^Dorp`,
    'NK1|2|Quill^Una|CHD^Child^HL70063',
  );
  expect(values(back, 'NK1-2.1', 'NK1-4.1', 'NK1-5.1', 'NK1-13', 'NK1-30.1', 'NK1-31.1', 'NK1-32.1')).toEqual([
    'Quill',
    '1 High St',
    '+411',
    'Works Ltd',
    'Baum',
    '+412',
    '2 Low St',
  ]);
  expect(values(back, 'NK1[2]-13', 'NK1[2]-30')).toEqual([undefined, undefined]);
});

it('gives no use to a number that has none, and puts a second one beside the first where it stood', () => {
  const back = around(
    header('ADT^A08^ADT_A01'),
    EVN,
    `PID|1||P1^^^CLINIC^MR||Quill^Ada||||||||+411^PRN^PH^chat-7^^^^^^^^+412${'|'.repeat(27)}+413^^PH`,
  );
  expect(values(back, 'PID-13.1', 'PID-13.4', 'PID-13.12', 'PID-13[2].1', 'PID-40.1', 'PID-40.2')).toEqual([
    '+411',
    'chat-7',
    '+412',
    undefined,
    '+413',
    undefined,
  ]);
});

it('tells the medical director, the parts of a sub-id and each of several numbers', () => {
  const back = around(
    header('ORU^R01^ORU_R01'),
    PID,
    'OBR|1|PO1|FO1|24323-8^Panel^LN|||20260209||||||||||||||||||F',
    'OBX|1|NM|8867-4^Heart rate^LN|1^2^3^a|60~61.5|/min|||||F|||||11^Baum^Eva~12^Cramer^Ida|||||||||13^Dorn^Leo',
    'OBX|2|SN|8867-4^Heart rate^LN|x.y|^60^-^70|/min|||||F',
  );
  expect(values(back, 'OBX-4.1', 'OBX-4.2', 'OBX-4.3', 'OBX-4.4', 'OBX[2]-4')).toEqual(['1', '2', '3', 'a', 'x.y']);
  expect(values(back, 'OBX-5[1]', 'OBX-5[2]', 'OBX-6.1', 'OBX[2]-5.4', 'OBX[2]-6.1')).toEqual([
    '60',
    '61.5',
    '/min',
    '70',
    '/min',
  ]);
  expect(values(back, 'OBX-16.2', 'OBX-16[2].2', 'OBX-25.2')).toEqual(['Baum', 'Cramer', 'Dorn']);
});

it('says once what several segments say of one specimen or insured person, and the same from then on', () => {
  const spm = 'SPM|1|S1&LAB||119297000^Blood^SCT|||||||P^Patient^HL70369|||Keep cool';
  const insured = `Quill^Tom|SEL|19700101|1 High St^^Dorp`;
  const source = read([
    header('ORU^R01^ORU_R01'),
    PID,
    'OBR|1|PO1|FO1|24323-8^Panel^LN|||20260209||||||||||||||||||F',
    spm,
    'OBR|2|PO2|FO2|24323-8^Panel^LN|||20260209||||||||||||||||||F',
    spm,
    `IN1|1|PLAN1${'|'.repeat(14)}${insured}`,
    `IN1|2|PLAN2${'|'.repeat(14)}${insured}`,
  ]);
  const back = written('ORU', 'R01', resourcesOf(source), relay);
  expect(values(back, 'SPM-11[1].1', 'SPM-11[2].1', 'IN1-16[2].1', 'IN1[2]-16[2].1')).toEqual([
    'P',
    undefined,
    undefined,
    undefined,
  ]);
  expect(written('ORU', 'R01', resourcesOf(back), relay).toBytes()).toEqual(back.toBytes());
});
