/** FHIR → v2: guarantors, insurance, charges, referrals. */
import { expect, it } from 'vitest';
import { around, EVN, header, PID, PV1, values } from './testing.ts';

it('tells the relationship to the insured and to the insurance apart, and the type of a guarantor', () => {
  const back = around(
    header('ADT^A01^ADT_A01'),
    EVN,
    PID,
    PV1,
    `GT1|1|G5^^^CLINIC|Quill^Tom${'|'.repeat(7)}P/F|SPO^Spouse^HL70063${'|'.repeat(31)}Penny Ada`,
    `IN1|1|PLAN1^Basic|INS9^^^CLINIC|Insurer Ltd${'|'.repeat(12)}Quill^Tom|PAR^Parent^HL70063`,
    `IN2|${'|'.repeat(71)}CHD^Child^HL70063`,
  );
  expect(values(back, 'GT1-10', 'GT1-11.1', 'GT1-42', 'IN1-17.1', 'IN2-72.1', 'IN2-72.3')).toEqual([
    'P/F',
    'SPO',
    'Penny Ada',
    'PAR',
    'CHD',
    'HL70063',
  ]);
});

it('gives the charges of an order back, and to whom its results are copied', () => {
  const back = around(
    header('ORM^O01^ORM_O01'),
    PID,
    'ORC|NW|PO1^CLINIC',
    `OBR|1|PO1^CLINIC||24323-8^Panel^LN${'|'.repeat(24)}10^Adler^Max~11^Baum^Eva`,
    'FT1|1|T9||20260209|20260210|CG|XR1^X-ray^L|||2|100&USD||RAD^Radiology^L||||||R07^Chest pain^I10|10^Adler^Max|||' +
      `|11^Baum^Eva|71045^Chest X-ray^C4||||0182^Aspirin^NDC|||||ITEM7^^L|MODEL7${'|'.repeat(7)}RX7|5^tbl`,
    'NTE|1||Charged twice',
    'BLG|||B7^^^CLINIC^AN',
  );
  expect(values(back, 'OBR-28.2', 'OBR-28[2].2', 'FT1-2', 'FT1-7.1', 'FT1-11.1.2', 'FT1-25.1', 'FT1-35')).toEqual([
    'Adler',
    'Baum',
    'T9',
    'XR1',
    'USD',
    '71045',
    'MODEL7',
  ]);
  expect(values(back, 'FT1-29.1', 'FT1-34.1', 'FT1-42', 'FT1-43.1', 'BLG-3.1', 'NTE-3')).toEqual([
    '0182',
    'ITEM7',
    'RX7',
    '5',
    'B7',
    'Charged twice',
  ]);
});

it('gives a referral back as such', () => {
  const back = around(
    header('ADT^A01^ADT_A01'),
    EVN,
    PID,
    PV1,
    'RF1|A|R^Routine|EXT^External^L|||R7^CLINIC|20260301|20260401|20260210|M54^Back pain^I10||||||||||10^Adler^Max',
  );
  expect(values(back, 'RF1-1', 'RF1-2', 'RF1-3.1', 'RF1-6.1', 'RF1-7', 'RF1-10.1', 'RF1-20.2')).toEqual([
    'A',
    'R',
    'EXT',
    'R7',
    '20260301',
    'M54',
    'Adler',
  ]);
  expect(back.all('ORC')).toHaveLength(0);
});
