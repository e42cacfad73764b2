import { parseXml } from '@causeway/ccda';
import type {
  AllergyIntolerance,
  Condition,
  MedicationStatement,
  Observation,
  Organization,
  Resource,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { writeCcda } from './document.ts';
import { OPTIONS, PATIENT, record, STAY } from './sample.ts';
import { below, ofType, readBack, sectionOf, write } from './testing.ts';

describe('a continuity of care document', () => {
  it('is the same for the same record', () => {
    expect(writeCcda(record(), OPTIONS).xml).toBe(writeCcda(record(), OPTIONS).xml);
  });

  it('has the header that the options tell', () => {
    const root = write();
    expect(root.child('id')?.attr('root')).toBe(OPTIONS.id);
    expect(root.child('effectiveTime')?.attr('value')).toBe('20260305101500-0500');
    expect(root.child('code')?.attr('code')).toBe('34133-9');
    expect(below(root.child('custodian'), 'name')[0]?.text).toBe('Harbor Region');
    const role = root.find('recordTarget', 'patientRole');
    expect(role?.child('id')?.attr('extension')).toBe('P-17');
    expect(role?.find('patient', 'birthTime')?.attr('value')).toBe('195703');
    expect(role?.find('addr', 'state')?.text).toBe('ME');
  });

  it('says of a required section without entries that there is no information', () => {
    const root = write([PATIENT]);
    for (const code of ['48765-2', '10160-0', '11450-4', '30954-2', '8716-3', '29762-2']) {
      const section = sectionOf(root, code);
      expect(section?.attr('nullFlavor')).toBe('NI');
      expect(section?.child('text')?.allText).toContain('no information');
    }
    expect(sectionOf(root, '11369-6')).toBeUndefined();
  });

  it('points from each entry to the row of the narrative that tells of it', () => {
    const root = write();
    const ids = new Set(
      below(root, 'text')
        .flatMap((text) => [...below(text, 'tr'), ...below(text, 'paragraph')])
        .map((one) => one.attr('ID')),
    );
    const references = below(root, 'reference')
      .map((one) => one.attr('value'))
      .filter((value) => value?.startsWith('#'));
    expect(references.length).toBeGreaterThan(8);
    expect(references.filter((value) => !ids.has(value!.slice(1)))).toEqual([]);
  });

  it('writes text as text', () => {
    const { xml } = writeCcda(record(), OPTIONS);
    expect(xml).toContain('High blood pressure &lt;treated&gt;');
    expect(xml).toContain("O'Brien &amp; Söhne");
    const odd = structuredClone(PATIENT);
    odd.name = [{ family: 'A', given: [null as never, 'B'] }];
    expect(writeCcda([odd], OPTIONS).xml).toContain('<given>B</given>');
    odd.name = [{ family: 'A\u0000B\uD800', given: ['"<x a="1">'] }];
    expect(parseXml(writeCcda([odd], OPTIONS).xml).ok).toBe(true);
  });

  it('comes back with codes, values, times and their precision', () => {
    const facts = readBack(record());
    const [allergy] = ofType<AllergyIntolerance>(facts, 'AllergyIntolerance');
    expect(allergy).toMatchObject({
      type: 'allergy',
      category: ['medication'],
      criticality: 'high',
      onsetDateTime: '1998',
      code: { coding: [{ code: '7980' }] },
      reaction: [{ severity: 'moderate', manifestation: [{ coding: [{ code: '247472004' }] }] }],
    });
    const problem = ofType<Condition>(facts, 'Condition').find(({ code }) => code?.coding?.[0]?.code === '38341003');
    expect(problem).toMatchObject({ onsetDateTime: '2019-06', clinicalStatus: { coding: [{ code: 'active' }] } });
    expect(problem?.note?.[0]?.text).toBe('Checked at home & by us');
    const [medication] = ofType<MedicationStatement>(facts, 'MedicationStatement');
    expect(medication?.dosage?.[0]).toMatchObject({
      text: 'One tablet each morning',
      timing: { repeat: { period: 1, periodUnit: 'd' } },
    });
    const observations = ofType<Observation>(facts, 'Observation');
    const valueAt = (code: string) =>
      observations.find((one) => one.code.coding?.[0]?.code === code)?.valueQuantity?.value;
    expect([valueAt('2345-7'), valueAt('8480-6'), valueAt('8462-4')]).toEqual([110, 142, 88]);
  });
});

describe('what is denied or unknown', () => {
  const noAllergy: AllergyIntolerance = {
    resourceType: 'AllergyIntolerance',
    id: 'none',
    patient: { reference: `Patient/${PATIENT.id}` },
    clinicalStatus: { coding: [{ code: 'active' }] },
    code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003', display: 'No known allergy' }] },
  };

  it('is told as C-CDA denies: no known allergy', () => {
    const [observation] = below(sectionOf(write([PATIENT, noAllergy]), '48765-2'), 'observation');
    expect(observation?.attr('negationInd')).toBe('true');
    expect(below(observation, 'playingEntity')[0]?.child('code')?.attr('nullFlavor')).toBe('NA');
    const [back] = ofType<AllergyIntolerance>(readBack([PATIENT, noAllergy]), 'AllergyIntolerance');
    expect(back?.code?.coding?.[0]?.code).toBe('716186003');
  });

  it.each([
    ['no-known-allergies', '716186003'],
    ['no-known-medication-allergies', '409137002'],
    ['no-known-food-allergies', '429625007'],
  ])('as the International Patient Summary has it: %s', (code, expected) => {
    const system = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';
    const none = { ...noAllergy, code: { coding: [{ system, code }] } };
    const [observation] = below(sectionOf(write([PATIENT, none]), '48765-2'), 'observation');
    expect(observation?.attr('negationInd')).toBe('true');
    const [back] = ofType<AllergyIntolerance>(readBack([PATIENT, none]), 'AllergyIntolerance');
    expect(back?.code?.coding?.[0]?.code).toBe(expected);
  });

  it.each(['160245001', '396782006', 'no-known-problems'])('no known problem (%s)', (code) => {
    const none: Condition = {
      resourceType: 'Condition',
      id: 'none',
      subject: { reference: `Patient/${PATIENT.id}` },
      code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    };
    const [observation] = below(sectionOf(write([PATIENT, none]), '11450-4'), 'observation');
    expect(observation?.attr('negationInd')).toBe('true');
    expect(observation?.child('value')?.attr('code')).toBe('55607006');
    const [back] = ofType<Condition>(readBack([PATIENT, none]), 'Condition');
    expect(back?.code?.coding?.[0]?.code).toBe('160245001');
  });

  it('a refuted problem, and a medicine that is not taken', () => {
    const refuted: Condition = {
      resourceType: 'Condition',
      id: 'refuted',
      subject: { reference: `Patient/${PATIENT.id}` },
      verificationStatus: { coding: [{ code: 'refuted' }] },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '73211009' }] },
    };
    const notTaken: MedicationStatement = {
      resourceType: 'MedicationStatement',
      id: 'not-taken',
      subject: { reference: `Patient/${PATIENT.id}` },
      status: 'not-taken',
      medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '1191' }] },
    };
    const root = write([PATIENT, refuted, notTaken]);
    expect(below(sectionOf(root, '11450-4'), 'observation')[0]?.attr('negationInd')).toBe('true');
    expect(below(sectionOf(root, '10160-0'), 'substanceAdministration')[0]?.attr('negationInd')).toBe('true');
    const facts = readBack([PATIENT, refuted, notTaken]);
    expect(ofType<Condition>(facts, 'Condition')[0]?.verificationStatus?.coding?.[0]?.code).toBe('refuted');
    expect(ofType<MedicationStatement>(facts, 'MedicationStatement')[0]?.status).toBe('not-taken');
  });

  it('is a null flavor where data are absent for a reason', () => {
    const asked: Observation = {
      resourceType: 'Observation',
      id: 'asked',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
      dataAbsentReason: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'asked-unknown' }],
      },
    };
    const root = write([PATIENT, asked]);
    expect(below(sectionOf(root, '30954-2'), 'value')[0]?.attr('nullFlavor')).toBe('ASKU');
    expect(root.find('recordTarget', 'patientRole', 'patient', 'raceCode')?.attr('nullFlavor')).toBe('UNK');
  });

  it('never tells of what was entered in error, and says what it leaves out', () => {
    const wrong: Condition = {
      resourceType: 'Condition',
      id: 'wrong',
      subject: { reference: `Patient/${PATIENT.id}` },
      verificationStatus: { coding: [{ code: 'entered-in-error' }] },
      code: { text: 'Wrong person' },
    };
    const { xml, omitted } = writeCcda([PATIENT, wrong], OPTIONS);
    expect(xml).not.toContain('Wrong person');
    expect(omitted.map(({ reference }) => reference)).toEqual(['Condition/wrong']);
  });
});

describe('a discharge summary', () => {
  const summary = { ...OPTIONS, kind: 'discharge-summary' as const };

  it('is of the stay, with its diagnoses and disposition', () => {
    const root = write(record(), summary);
    const stay = root.find('componentOf', 'encompassingEncounter');
    expect(stay?.find('effectiveTime', 'low')?.attr('value')).toBe('20260201080000-0500');
    expect(stay?.find('effectiveTime', 'high')?.attr('value')).toBe('20260204113000-0500');
    expect(stay?.child('dischargeDispositionCode')?.attr('code')).toBe('home');
    const diagnoses = below(sectionOf(root, '11535-2'), 'value').map((one) => one.attr('code'));
    expect(diagnoses).toContain('38341003');
    expect(below(sectionOf(root, '10183-2'), 'manufacturedMaterial')).toHaveLength(1);
  });

  it('has the results and procedures of the stay alone', () => {
    const root = write(record(), summary);
    expect(below(sectionOf(root, '30954-2'), 'observation')).toHaveLength(1);
    expect(sectionOf(root, '47519-4')?.attr('nullFlavor')).toBe('NI');
    const other = { ...summary, encounter: 'Encounter/other' };
    const elsewhere = { ...STAY, id: 'other', period: { start: '2020-01-01', end: '2020-01-02' }, diagnosis: [] };
    const earlier = write([...record(), elsewhere], other);
    expect(sectionOf(earlier, '30954-2')?.attr('nullFlavor')).toBe('NI');
  });

  it('takes its course from the newest document that tells of it', () => {
    const composition = (date: string, words: string): Resource => ({
      resourceType: 'Composition',
      id: date,
      status: 'final',
      type: { text: 'Discharge summary' },
      date,
      title: 'Discharge summary',
      author: [{ display: 'A' }],
      section: [
        {
          title: 'Course',
          code: { coding: [{ system: 'http://loinc.org', code: '8648-8' }] },
          text: {
            status: 'generated',
            div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${words} <b>at</b> <i>once</i></p><ul><li>one</li></ul></div>`,
          },
        },
      ],
    });
    const root = write(
      [...record(), composition('2026-02-04', 'Recovered'), composition('2026-02-03', 'Ill')],
      summary,
    );
    const text = sectionOf(root, '8648-8')?.child('text');
    expect(text?.allText).toBe('Recovered at once one');
    expect(text?.children.map(({ name }) => name)).toEqual(['paragraph', 'list']);
  });
});

describe('a referral note', () => {
  const request: ServiceRequest = {
    resourceType: 'ServiceRequest',
    id: 'referral',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${PATIENT.id}` },
    code: { text: 'Referral to cardiology' },
    reasonCode: [{ text: 'Chest pain' }],
    performer: [{ reference: 'Organization/heart' }],
    note: [{ text: 'Please see soon.' }],
  };
  const heart: Organization = { resourceType: 'Organization', id: 'heart', name: 'Heart clinic' };
  const note = { ...OPTIONS, kind: 'referral-note' as const, request: 'ServiceRequest/referral' };

  it('says what is asked for and why, and for whom it is', () => {
    const root = write([...record(), request, heart], note);
    expect(root.child('code')?.attr('code')).toBe('57133-1');
    const recipient = root.find('informationRecipient', 'intendedRecipient');
    expect(recipient?.find('receivedOrganization', 'name')?.text).toBe('Heart clinic');
    const reason = sectionOf(root, '42349-1')?.child('text');
    expect(reason?.all('paragraph').map(({ text }) => text)).toEqual([
      'Asked for: Referral to cardiology',
      'Reason: Chest pain',
      'Please see soon.',
    ]);
    for (const code of ['51848-0', '48765-2', '10160-0', '11450-4', '18776-5'])
      expect(sectionOf(root, code), code).toBeDefined();
  });

  it('has every section that it must have of an empty record too', () => {
    const root = write([PATIENT], { ...OPTIONS, kind: 'referral-note' as const });
    expect(sectionOf(root, '42349-1')?.attr('nullFlavor')).toBe('NI');
    expect(
      root.find('informationRecipient', 'intendedRecipient', 'informationRecipient', 'name')?.attr('nullFlavor'),
    ).toBe('UNK');
  });
});

describe('a later version', () => {
  const setId = { root: '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e03', extension: 'ward.files.1' };
  const before = '8f3f7e5a-3a56-4c58-9d0b-6f1d4a0c1e04';

  it('names its set, its number and the version whose place it takes', () => {
    const root = write(record(), { ...OPTIONS, version: { setId, number: 3, replaces: { id: before, number: 2 } } });
    expect(root.children.map(({ name }) => name).join()).toMatch(
      /languageCode,setId,versionNumber,recordTarget.*,documentationOf,relatedDocument,component$/,
    );
    const said = (from: typeof root | undefined) => [
      from?.child('setId')?.attr('root'),
      from?.child('setId')?.attr('extension'),
      from?.child('versionNumber')?.attr('value'),
    ];
    expect(said(root)).toEqual([setId.root, setId.extension, '3']);
    expect(root.child('relatedDocument')?.attr('typeCode')).toBe('RPLC');
    const parent = root.find('relatedDocument', 'parentDocument');
    expect([parent?.child('id')?.attr('root'), ...said(parent)]).toEqual([before, setId.root, setId.extension, '2']);
    const first = write(record(), { ...OPTIONS, version: { setId, number: 1 } });
    expect([said(first)[2], first.child('relatedDocument')]).toEqual(['1', undefined]);
  });

  it.each(['ccd', 'discharge-summary', 'referral-note'] as const)(
    'of a %s that is withdrawn says that, and nothing else',
    (kind) => {
      const withdrawn = 'What this document told does not hold.';
      const root = write(record(), { ...OPTIONS, kind, withdrawn });
      expect(root.child('title')?.text).toMatch(/^Withdrawn: /);
      const sections = below(root, 'section');
      const required = below(write([PATIENT], { ...OPTIONS, kind }), 'section');
      expect(sections.map((one) => one.child('code')?.attr('code'))).toEqual(
        required.map((one) => one.child('code')?.attr('code')),
      );
      for (const one of sections) {
        expect([one.attr('nullFlavor'), one.child('text')?.allText, one.all('entry')]).toEqual(['NI', withdrawn, []]);
      }
      expect(root.find('recordTarget', 'patientRole', 'id')?.attr('extension')).toBe('P-17');
    },
  );
});

it('a document needs a patient', () => {
  expect(() => writeCcda([STAY], OPTIONS)).toThrow(RangeError);
});
