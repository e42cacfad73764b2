import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import type { DiagnosticReport, Encounter, EpisodeOfCare, Observation, Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversion, ConversionContext, Fact } from '../conversion.ts';
import { convertV2 } from './convert.ts';

const context: ConversionContext = {
  source: 'harbor',
  receivedAt: '2026-03-05T12:00:00Z',
  timeZone: 'Europe/Zurich',
  messageUri: 'urn:causeway:message:42',
};

const MSH = 'MSH|^~\\&|EHR|HARBOR|HUB|REGION|20260305101500||';

function parsed(text: string): Message {
  const message = parseMessage(text);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

function convert(type: string, ...segments: string[]): Conversion {
  return convertV2(parsed([`${MSH}${type}|C1|P|2.5.1`, ...segments].join('\r')), context);
}

function facts<T>(conversion: Conversion, type: string): (Fact & { resource: T })[] {
  return conversion.facts.filter((fact) => fact.resource.resourceType === type) as unknown as (Fact & {
    resource: T;
  })[];
}

const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida^M||19720311|F|||Seeweg 4^^Brienz^BE^3855^CH||^PRN^PH^^^33^5551234';
const PV1 = 'PV1|1|I|4E^12^1^HARBOR||||1001^Keller^Jon^^^DR||||||||||||V55^^^HARBOR^VN';

describe('ADT', () => {
  test('A01 admits: patient, encounter in progress, one practitioner, a provenance of them', () => {
    const result = convert('ADT^A01', 'EVN|A01|20260305101000', PID, PV1.concat('|'.repeat(25), '20260305100000'));
    const [patient] = facts<Patient>(result, 'Patient');
    expect(patient!.mode).toBe('merge');
    expect(patient!.key).toBe('Patient|urn:causeway:authority:harbor:HARBOR|778');
    expect(patient!.resource.birthDate).toBe('1972-03-11');
    expect(patient!.resource.gender).toBe('female');
    expect(patient!.resource.telecom?.[0]).toMatchObject({ system: 'phone', use: 'home', value: '33 5551234' });
    const [encounter] = facts<Encounter>(result, 'Encounter');
    expect(encounter!.resource.status).toBe('in-progress');
    expect(encounter!.resource.class?.code).toBe('IMP');
    expect(encounter!.resource.period?.start).toBe('2026-03-05T10:00:00+01:00');
    expect(encounter!.asOf).toBe('2026-03-05T10:10:00+01:00');
    expect(facts(result, 'Practitioner')).toHaveLength(1);
    const [provenance] = facts<{ target: { reference: string }[] }>(result, 'Provenance');
    expect(provenance!.resource.target.map((item) => item.reference).sort()).toEqual(
      [`Encounter/${encounter!.resource.id}`, `Patient/${patient!.resource.id}`].sort(),
    );
    for (const fact of result.facts) expect(fact.resource.meta?.source).toBe(context.messageUri);
  });

  test('the same facts get the same ids in another message', () => {
    const first = convert('ADT^A01', PID, PV1);
    const second = convert('ADT^A03', PID, PV1);
    for (const type of ['Patient', 'Encounter', 'Practitioner']) {
      expect(facts<Patient>(second, type)[0]!.resource.id).toBe(facts<Patient>(first, type)[0]!.resource.id);
    }
  });

  test('A03, A11, A13 and A12 set and take back what they say', () => {
    const status = (event: string) => facts<Encounter>(convert(`ADT^${event}`, PID, PV1), 'Encounter')[0]!;
    expect(status('A03').resource.status).toBe('finished');
    expect(status('A11').resource.status).toBe('cancelled');
    expect(status('A12').resource.status).toBe('in-progress');
    const undone = status('A13');
    expect(undone.resource.status).toBe('in-progress');
    expect(undone.clears).toContain('period.end');
  });

  test('"" deletes, an empty field leaves', () => {
    const result = convert('ADT^A08', 'PID|1||778^^^HARBOR^MR||Sommer^Ida||""|F|||""||""|||""', PV1);
    const [patient] = facts<Patient>(result, 'Patient');
    expect(patient!.clears).toEqual(
      expect.arrayContaining(['birthDate', 'address', 'telecom[use=home]', 'maritalStatus']),
    );
    expect(patient!.clears).not.toContain('telecom[use=work]');
    expect(patient!.resource.birthDate).toBeUndefined();
    expect(patient!.resource.name?.[0]?.family).toBe('Sommer');
  });

  test('A40 merges the retired identifier into the surviving one', () => {
    const result = convert('ADT^A40', PID, 'MRG|779^^^HARBOR^MR||||||Sommer^Ida');
    const [survivor, retired] = facts<Patient>(result, 'Patient');
    expect(result.identityEvents).toEqual([
      {
        kind: 'merge',
        surviving: `Patient/${survivor!.resource.id}`,
        retired: `Patient/${retired!.resource.id}`,
        at: '2026-03-05T10:15:00+01:00',
      },
    ]);
    expect(retired!.resource.active).toBe(false);
    expect(retired!.resource.link?.[0]?.type).toBe('replaced-by');
  });

  test('a date that cannot be is an issue, not a throw', () => {
    const result = convert('ADT^A08', 'PID|1||778^^^HARBOR^MR||Sommer^Ida||20240230');
    expect(facts<Patient>(result, 'Patient')[0]!.resource.birthDate).toBeUndefined();
    expect(result.issues).toContainEqual(expect.objectContaining({ code: 'value', source: 'PID[1]-7[1].1.1' }));
    expect(result.ledger.find((entry) => entry.source === 'PID[1]-7[1].1.1')?.disposition).toBe('rejected');
  });

  test('a patient without identifier is filed on its own and listed', () => {
    const result = convert('ADT^A04', 'PID|1||||Unknown^John');
    expect(facts<Patient>(result, 'Patient')[0]!.key).toContain('unidentified');
    expect(result.issues.some((issue) => issue.code === 'required')).toBe(true);
  });

  test('race and ethnicity follow US Core; birth sex is not invented', () => {
    const result = convert(
      'ADT^A08',
      'PID|1||778^^^HARBOR^MR||Sommer^Ida|||F||2106-3^White^HL70005||||||||||||H^Hispanic^HL70189',
    );
    const extensions = facts<Patient>(result, 'Patient')[0]!.resource.extension ?? [];
    expect(extensions.map((item) => item.url.split('/').pop())).toEqual(['us-core-race', 'us-core-ethnicity']);
    expect(extensions[1]!.extension?.[0]?.valueCoding?.code).toBe('2135-2');
  });
});

const OBR = (status: string) =>
  `OBR|1|P1^HARBOR|F1^LAB|24323-8^Metabolic panel^LN|||20260305080000|||||||||1001^Keller^Jon||||||20260305093000|||${status}`;
const OBX = (n: number, code: string, value: string, status: string) =>
  `OBX|${n}|NM|${code}^Test^LN||${value}|mg/dl|70-100|H|||${status}`;

describe('ORU', () => {
  test('results are facts of their own, keyed by order and test', () => {
    const result = convert(
      'ORU^R01',
      PID,
      'ORC|RE',
      OBR('F'),
      OBX(1, '2345-7', '102', 'F'),
      OBX(2, '2160-0', '0.9', 'F'),
    );
    const [glucose] = facts<Observation>(result, 'Observation');
    expect(glucose!.key).toBe('Observation|urn:causeway:authority:harbor:LAB|F1|24323-8|2345-7|');
    expect(glucose!.mode).toBe('replace');
    expect(glucose!.asOf).toBe('2026-03-05T09:30:00+01:00');
    expect(glucose!.resource.valueQuantity).toEqual({
      value: 102,
      unit: 'mg/dl',
      system: 'http://unitsofmeasure.org',
      code: 'mg/dL',
    });
    expect(glucose!.resource.referenceRange?.[0]).toMatchObject({
      low: { value: 70 },
      high: { value: 100 },
      text: '70-100',
    });
    const [report] = facts<DiagnosticReport>(result, 'DiagnosticReport');
    expect(report!.resource.status).toBe('final');
    expect(report!.resource.result).toHaveLength(2);
    expect(report!.adds).toContain('result');
  });

  test('a correction of one result revises that one and leaves the other', () => {
    const first = convert('ORU^R01', PID, OBR('F'), OBX(1, '2345-7', '102', 'F'), OBX(2, '2160-0', '0.9', 'F'));
    const second = convert('ORU^R01', PID, OBR('C'), OBX(1, '2345-7', '98', 'C'));
    expect(facts(second, 'Observation')).toHaveLength(1);
    const revised = facts<Observation>(second, 'Observation')[0]!;
    expect(revised.resource.id).toBe(facts<Observation>(first, 'Observation')[0]!.resource.id);
    expect(revised.resource.status).toBe('corrected');
    expect(facts<DiagnosticReport>(second, 'DiagnosticReport')[0]!.resource.status).toBe('corrected');
  });

  test.each([
    ['D', 'entered-in-error'],
    ['W', 'entered-in-error'],
    ['X', 'cancelled'],
    ['P', 'preliminary'],
    ['R', 'registered'],
  ])('OBX-11 %s is %s', (code, status) => {
    const result = convert('ORU^R01', PID, OBR('P'), OBX(1, '2345-7', '102', code));
    expect(facts<Observation>(result, 'Observation')[0]!.resource.status).toBe(status);
  });

  test('a report withdrawn whole withdraws its results', () => {
    const result = convert('ORU^R01', PID, OBR('X'), OBX(1, '2345-7', '102', 'F'));
    expect(facts<DiagnosticReport>(result, 'DiagnosticReport')[0]!.resource.status).toBe('cancelled');
    expect(facts<Observation>(result, 'Observation')[0]!.resource.status).toBe('cancelled');
  });

  test.each([
    ['SN', '>^100', { valueQuantity: { value: 100, comparator: '>' } }],
    ['SN', '^1^:^128', { valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }],
    ['SN', '^5^-^10', { valueRange: { low: { value: 5 }, high: { value: 10 } } }],
    ['NM', 'haemolysed', { valueString: 'haemolysed' }],
    [
      'CWE',
      '260415000^not detected^SCT',
      {
        valueCodeableConcept: {
          coding: [{ system: 'http://snomed.info/sct', code: '260415000', display: 'not detected' }],
        },
      },
    ],
    ['TX', 'line one~line two', { valueString: 'line one\nline two' }],
    ['DT', '20260301', { valueDateTime: '2026-03-01' }],
    ['TM', '0830', { valueTime: '08:30:00' }],
  ])('OBX-2 %s with %s', (type, value, expected) => {
    const result = convert('ORU^R01', PID, OBR('F'), `OBX|1|${type}|2345-7^Test^LN||${value}||||||F`);
    expect(facts<Observation>(result, 'Observation')[0]!.resource).toMatchObject(expected);
  });

  test('local codes carry a system of the sender, or the one it registered', () => {
    const text = [`${MSH}ORU^R01|C1|P|2.5.1`, PID, OBR('F'), 'OBX|1|NM|GLU^Glucose^L||5.5|mmol/L|||||F'].join('\r');
    const system = (extra: Partial<ConversionContext>) =>
      facts<Observation>(convertV2(parsed(text), { ...context, ...extra }), 'Observation')[0]!.resource.code.coding?.[0]
        ?.system;
    expect(system({})).toBe('urn:causeway:codesystem:harbor:L');
    expect(system({ codeSystems: { L: 'https://harbor.example/tests' } })).toBe('https://harbor.example/tests');
  });
});

describe('other messages', () => {
  test('MDM T02 is a document with its text, T11 withdraws it', () => {
    const lines = [
      'OBX|1|TX|18842-5^Discharge summary^LN||Admitted with cough.||||||F',
      'OBX|2|TX|18842-5^Discharge summary^LN||Home today.||||||F',
    ];
    const txa = 'TXA|1|DS|TX|20260305090000|||||||||DOC7^^^^|||||AU||AV';
    const made = facts<{ content: { attachment: { data: string } }[]; status: string; id: string }>(
      convert('MDM^T02', PID, PV1, txa, ...lines),
      'DocumentReference',
    )[0]!;
    expect(Buffer.from(made.resource.content[0]!.attachment.data, 'base64').toString()).toBe(
      'Admitted with cough.\nHome today.',
    );
    expect(made.resource.status).toBe('current');
    const withdrawn = facts<{ status: string; id: string }>(convert('MDM^T11', PID, PV1, txa), 'DocumentReference')[0]!;
    expect(withdrawn.resource).toMatchObject({ status: 'entered-in-error', id: made.resource.id });
  });

  test('SIU books, moves and cancels one appointment', () => {
    const sch =
      'SCH|A1^HARBOR|B1^HARBOR|||||CHECKUP^Check-up|ROUTINE|30|min|^^30^20260310090000^20260310093000|1001^Keller^Jon||||1001^Keller^Jon||||1001^Keller^Jon|||||';
    const booked = facts<{ status: string; id: string; start: string; participant: unknown[] }>(
      convert('SIU^S12', sch, PID, 'RGS|1', 'AIP|1||1001^Keller^Jon|D'),
      'Appointment',
    )[0]!;
    expect(booked.resource).toMatchObject({ status: 'booked', start: '2026-03-10T09:00:00+01:00' });
    const cancelled = facts<{ status: string; id: string }>(convert('SIU^S15', sch, PID), 'Appointment')[0]!;
    expect(cancelled.resource).toMatchObject({ status: 'cancelled', id: booked.resource.id });
    expect(facts<{ status: string }>(convert('SIU^S26', sch, PID), 'Appointment')[0]!.resource.status).toBe('noshow');
  });

  test('VXU is an immunization', () => {
    const result = convert(
      'VXU^V04',
      PID,
      'ORC|RE||65929^HARBOR',
      'RXA|0|1|20260301||08^HEPB^CVX|0.5|mL^^UCUM||||||||LOT9|20270101|MSD^Merck^MVX|||CP|A',
      'RXR|C28161^IM^NCIT|LT^Left thigh^HL70163',
    );
    expect(facts(result, 'Immunization')[0]!.resource).toMatchObject({
      status: 'completed',
      lotNumber: 'LOT9',
      occurrenceDateTime: '2026-03-01',
      doseQuantity: { value: 0.5, code: 'mL' },
    });
  });

  test('allergies and diagnoses of any message are facts', () => {
    const result = convert(
      'ADT^A01',
      PID,
      PV1,
      'AL1|1|DA|7980^Penicillin^RXNORM|SV|Hives',
      'DG1|1||I50.9^Heart failure^I10|||A',
    );
    expect(facts(result, 'AllergyIntolerance')[0]!.resource).toMatchObject({
      category: ['medication'],
      criticality: 'high',
      reaction: [{ severity: 'severe', manifestation: [{ text: 'Hives' }] }],
    });
    expect(facts(result, 'Condition')[0]!.resource).toMatchObject({
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I50.9' }] },
    });
    expect(facts<Encounter>(result, 'Encounter')[0]!.resource.diagnosis).toHaveLength(1);
  });

  test('an unknown message type converts what it holds', () => {
    const result = convert('ZZZ^Z99', PID, PV1, 'ZPI|1|local');
    expect(facts(result, 'Patient')).toHaveLength(1);
    expect(
      result.ledger.filter((entry) => entry.source.startsWith('ZPI')).every((entry) => entry.disposition === 'kept'),
    ).toBe(true);
  });
});

const segments = [
  PID,
  PV1,
  'ORC|RE|P1|F1',
  OBR('F'),
  OBX(1, '2345-7', '102', 'F'),
  'NTE|1||A remark',
  'TXA|1|DS|TX',
  'SCH|A1|B1',
  'AIP|1||1^K^J',
  'MRG|1',
  'RXA|0|1|2026',
  'RXE||1^D|5||mg',
  'TQ1|1|1|BID',
  'GT1|1|7|A^B',
  'IN1|1|P|C|D',
  'FT1|1|2',
  'SPM|1|A^B',
  'PRT|1|AD||AD|1^A',
  'DG1|1||X',
  'AL1|1||Y',
  'NK1|1|Z^Z',
];
const noise = fc
  .array(fc.constantFrom('|', '^', '~', '&', '""', '\\T\\', '2026', 'A', '9', 'é', '-', '>', ' '), { maxLength: 30 })
  .map((parts) => parts.join(''));

describe('any message', () => {
  test('as many visits as there may be take no more than their number', () => {
    const visit = 'PV1|1|I|4E^12^1^HARBOR||||1001^Keller^Jon^^^DR';
    const message = parsed(
      [`${MSH}ORU^R01|C1|P|2.5.1`, PID, ...Array.from({ length: 25_000 }, () => visit)].join('\r'),
    );
    const before = process.cpuUsage();
    expect(facts(convertV2(message, context), 'Encounter')).toHaveLength(25_000);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });

  test('an episode of care that a visit names is of the visit’s patient', () => {
    const visits = ['E1', 'E2'].map((id) => `${PV1}${'|'.repeat(35)}${id}^^^HARBOR`);
    const found = facts<EpisodeOfCare>(convert('ADT^A01', PID, ...visits), 'EpisodeOfCare');
    const [patient] = facts<Patient>(convert('ADT^A01', PID), 'Patient');
    expect(found.map(({ resource }) => resource.patient)).toEqual(
      found.map(() => ({ reference: `Patient/${patient!.resource.id}` })),
    );
    expect(found).toHaveLength(2);
  });

  test('no resource holds control characters, which FHIR strings may not', () => {
    const doctor = '1001^Keller\u0000^Jon^^^DR^^NPI&2.16.840.1\u0000.113&ISO^L^^^NP\u0001I';
    expect(JSON.stringify(convert('ADT^A01', PID.replace('778', '77\ud8008')).facts)).not.toMatch(/\\ud8/);
    const visit = `PV1|1|I|4\u0000E|||${doctor}|${doctor}||||||||||||V5\u00005^^^HARBOR&1.\u00022&ISO^VN`;
    const result = convert('ADT^A0\u00001', PID.replace('778', '7\u000078'), visit, `ROL|1|AD|PP|${doctor}`);
    expect(JSON.stringify(result.facts)).not.toMatch(/\\u00[01]/);
  });

  test('never throws, accounts for every atom once, and refers only to what it states', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          'ADT^A01',
          'ADT^A13',
          'ADT^A40',
          'ADT^A24',
          'ORU^R01',
          'MDM^T02',
          'SIU^S12',
          'RDE^O11',
          'RDS^O13',
          'VXU^V04',
          'DFT^P03',
          'XXX',
        ),
        fc.array(fc.tuple(fc.constantFrom(...segments), noise, fc.nat({ max: 60 })), { maxLength: 12 }),
        (type, parts) => {
          const body = parts.map(([segment, extra, at]) => segment.slice(0, 4 + at) + extra + segment.slice(4 + at));
          const result = convert(type, ...body);
          const ids = new Set(result.facts.map((fact) => `${fact.resource.resourceType}/${fact.resource.id}`));
          expect(ids.size).toBe(result.facts.length);
          expect(new Set(result.ledger.map((entry) => entry.source)).size).toBe(result.ledger.length);
          for (const found of JSON.stringify(result.facts).matchAll(/"reference":"([A-Z][^"]*)"/g))
            expect(ids).toContain(found[1]);
          for (const entry of result.ledger) {
            if (entry.disposition === 'mapped') expect(ids).toContain(entry.target!.split('#')[0]);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
