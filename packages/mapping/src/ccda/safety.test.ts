import { describe, expect, it } from 'vitest';
import { convert, documentOf, LOINC, ofType, SNOMED_CT, sectionOf } from './sample.ts';

interface AllergyOptions {
  negated?: boolean;
  agent?: string;
  value?: string;
  concern?: string;
  extra?: string;
}

function allergy({ negated, agent, value, concern = 'active', extra = '' }: AllergyOptions): string {
  return documentOf(
    sectionOf(
      '48765-2',
      `<act classCode="ACT" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.30"/>
        <id root="1.2.826.9" extension="C1"/><code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
        <statusCode code="${concern}"/><effectiveTime><low value="20200101"/></effectiveTime>
        <entryRelationship typeCode="SUBJ">
          <observation classCode="OBS" moodCode="EVN"${negated ? ' negationInd="true"' : ''}>
            <templateId root="2.16.840.1.113883.10.20.22.4.7"/><id root="1.2.826.9" extension="A1"/>
            <code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/><statusCode code="completed"/>
            <effectiveTime><low value="2019"/></effectiveTime>
            <value xsi:type="CD" code="${value ?? '419199007'}" codeSystem="${SNOMED_CT}" displayName="Allergy"/>
            <participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT">
              ${agent ?? '<code code="7980" codeSystem="2.16.840.1.113883.6.88" displayName="penicillin G"/>'}
            </playingEntity></participantRole></participant>${extra}
          </observation>
        </entryRelationship></act>`,
    ),
  );
}

function onlyAllergy(xml: string) {
  const found = ofType(convert(xml), 'AllergyIntolerance');
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('allergies', () => {
  it('an allergy is active and confirmed', () => {
    const fact = onlyAllergy(allergy({}));
    expect(fact.code?.coding?.[0]).toMatchObject({
      system: 'http://www.nlm.nih.gov/research/umls/rxnorm',
      code: '7980',
    });
    expect(fact.clinicalStatus?.coding?.[0]?.code).toBe('active');
    expect(fact.verificationStatus?.coding?.[0]?.code).toBe('confirmed');
    expect(fact).toMatchObject({ type: 'allergy', onsetDateTime: '2019', recordedDate: '2020-01-01' });
  });

  it('a denied substance is refuted and never active', () => {
    const fact = onlyAllergy(allergy({ negated: true }));
    expect(fact.verificationStatus?.coding?.[0]?.code).toBe('refuted');
    expect(fact.clinicalStatus?.coding?.[0]?.code).toBe('inactive');
    expect(fact.code?.coding?.[0]?.code).toBe('7980');
  });

  it.each([
    ['any', '419199007', '<code nullFlavor="NA"/>', '716186003'],
    ['drugs', '416098002', '<code nullFlavor="NA"/>', '409137002'],
    ['drugs by agent', '419199007', `<code code="410942007" codeSystem="${SNOMED_CT}"/>`, '409137002'],
    ['foods', '414285001', '', '429625007'],
  ])('no known allergy: %s', (_name, value, agent, code) => {
    const fact = onlyAllergy(allergy({ negated: true, value, agent }));
    expect(fact.code?.coding?.map((one) => one.code)).toEqual([code]);
  });

  it('a code that says "no known allergies" by itself stays what it says', () => {
    const fact = onlyAllergy(allergy({ value: '160244002', agent: '<code nullFlavor="NA"/>' }));
    expect(fact.code?.coding?.[0]?.code).toBe('160244002');
  });

  it('an act that is null is no allergy, whatever codes it carries', () => {
    const xml = allergy({ agent: '<code nullFlavor="NI"/>' }).replace(
      '<observation classCode',
      '<observation nullFlavor="NASK" classCode',
    );
    const fact = onlyAllergy(xml);
    expect(fact.code?.coding?.[0]?.code).toBe('no-allergy-info');
    expect(fact.clinicalStatus?.coding?.[0]?.code).toBe('inactive');
    expect(fact.verificationStatus?.coding?.[0]?.code).toBe('unconfirmed');
  });

  it('words that say "none known" are no substance', () => {
    const fact = onlyAllergy(allergy({ agent: '<code nullFlavor="OTH"><originalText>NKDA</originalText></code>' }));
    expect(fact.code).toMatchObject({ text: 'NKDA', coding: [{ code: '716186003' }] });
  });

  it('a substance that is only in the words of the value is kept', () => {
    const xml = allergy({ agent: '<code nullFlavor="UNK"/>' }).replace(
      'displayName="Allergy"/>',
      'displayName="Allergy"><originalText>shellfish</originalText></value>',
    );
    const fact = onlyAllergy(xml);
    expect(fact.code?.text).toBe('shellfish');
    expect(fact.clinicalStatus?.coding?.[0]?.code).toBe('active');
  });

  it('a nullified concern is entered in error', () => {
    const fact = onlyAllergy(allergy({ concern: 'nullified' }));
    expect(fact.verificationStatus?.coding?.[0]?.code).toBe('entered-in-error');
    expect(fact.clinicalStatus).toBeUndefined();
  });

  it('an ended concern is not active', () => {
    expect(onlyAllergy(allergy({ concern: 'aborted' })).clinicalStatus?.coding?.[0]?.code).toBe('inactive');
  });

  it('a denied reaction is no reaction of the allergy', () => {
    const reaction = (negated: string): string => `<entryRelationship typeCode="MFST" inversionInd="true">
      <observation classCode="OBS" moodCode="EVN"${negated}><templateId root="2.16.840.1.113883.10.20.22.4.9"/>
        <code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/><statusCode code="completed"/>
        <value xsi:type="CD" code="39579001" codeSystem="${SNOMED_CT}" displayName="Anaphylaxis"/></observation></entryRelationship>`;
    expect(onlyAllergy(allergy({ extra: reaction('') })).reaction?.[0]?.manifestation?.[0]?.coding?.[0]?.code).toBe(
      '39579001',
    );
    const conversion = convert(allergy({ extra: reaction(' negationInd="true"') }));
    expect(ofType(conversion, 'AllergyIntolerance')[0]?.reaction).toBeUndefined();
    const [denied] = ofType(conversion, 'Observation');
    expect(denied?.valueCodeableConcept).toBeUndefined();
    expect(denied?.component?.[0]?.valueCodeableConcept?.coding?.[0]?.code).toBe('2667000');
  });
});

describe('problems', () => {
  const problem = (negated: boolean, code: string, extra = ''): string =>
    documentOf(
      sectionOf(
        '11450-4',
        `<observation classCode="OBS" moodCode="EVN" negationInd="${negated}"><templateId root="2.16.840.1.113883.10.20.22.4.4"/>
          <id root="1.2.826.9" extension="P1"/><code code="55607006" codeSystem="${SNOMED_CT}"/><statusCode code="completed"/>
          ${extra}<value xsi:type="CD" code="${code}" codeSystem="${SNOMED_CT}"/></observation>`,
      ),
    );

  it('a denied problem is refuted', () => {
    const [fact] = ofType(convert(problem(true, '73211009')), 'Condition');
    expect(fact?.verificationStatus?.coding?.[0]?.code).toBe('refuted');
    expect(fact?.clinicalStatus?.coding?.[0]?.code).toBe('inactive');
  });

  it('a denial of all problems says "no current problems"', () => {
    const [fact] = ofType(convert(problem(true, '55607006')), 'Condition');
    expect(fact?.code?.coding?.[0]?.code).toBe('160245001');
  });

  it('a problem that only the narrative names is called so', () => {
    const named = problem(false, 'x', '<text>Tennis elbow</text>').replace(
      /<value[^>]*>/,
      '<value xsi:type="CD" nullFlavor="UNK"/>',
    );
    const [fact] = ofType(convert(named), 'Condition');
    expect(fact?.code?.text).toBe('Tennis elbow');
    expect(fact?.verificationStatus?.coding?.[0]?.code).toBe('confirmed');
  });

  it('an end makes it resolved', () => {
    const time = '<effectiveTime><low value="2019"/><high value="202001"/></effectiveTime>';
    const [fact] = ofType(convert(problem(false, '73211009', time)), 'Condition');
    expect(fact).toMatchObject({ onsetDateTime: '2019', abatementDateTime: '2020-01' });
    expect(fact?.clinicalStatus?.coding?.[0]?.code).toBe('resolved');
  });
});

describe('medications and immunizations', () => {
  const administered = (attributes: string, template: string, extra = ''): string =>
    `<substanceAdministration classCode="SBADM" ${attributes}><templateId root="${template}"/><id root="1.2.826.9" extension="M1"/>
      <statusCode code="completed"/><effectiveTime value="20231005"/>
      <consumable><manufacturedProduct><manufacturedMaterial>
        <code code="140" codeSystem="2.16.840.1.113883.12.292" displayName="Influenza"/>
      </manufacturedMaterial></manufacturedProduct></consumable>${extra}</substanceAdministration>`;
  const refusal = `<entryRelationship typeCode="RSON"><observation classCode="OBS" moodCode="EVN">
    <templateId root="2.16.840.1.113883.10.20.22.4.53"/><code code="PATOBJ" codeSystem="2.16.840.1.113883.5.8"/>
    <statusCode code="completed"/></observation></entryRelationship>`;

  it('a refused immunization was not done, with its reason', () => {
    const entry = administered('moodCode="EVN" negationInd="true"', '2.16.840.1.113883.10.20.22.4.52', refusal);
    const [fact] = ofType(convert(documentOf(sectionOf('11369-6', entry))), 'Immunization');
    expect(fact?.status).toBe('not-done');
    expect(fact?.statusReason?.coding?.[0]?.code).toBe('PATOBJ');
  });

  it('the reason is the value where the code only asks for it', () => {
    const asked = refusal
      .replace(/<code[^>]*>/, `<code code="71798-3" codeSystem="${LOINC}"/>`)
      .replace(
        '</observation>',
        '<value xsi:type="CD" code="IMMUNE" codeSystem="2.16.840.1.113883.5.8"/></observation>',
      );
    const entry = administered('moodCode="EVN" negationInd="true"', '2.16.840.1.113883.10.20.22.4.52', asked);
    const [fact] = ofType(convert(documentOf(sectionOf('11369-6', entry))), 'Immunization');
    expect(fact?.statusReason?.coding?.map(({ code }) => code)).toEqual(['IMMUNE']);
    expect(fact?.extension).toBeUndefined();
  });

  it('a medication not taken is not taken; one intended is a request', () => {
    const template = '2.16.840.1.113883.10.20.22.4.16';
    const denied = administered('moodCode="EVN" negationInd="true"', template);
    const [statement] = ofType(convert(documentOf(sectionOf('10160-0', denied))), 'MedicationStatement');
    expect(statement?.status).toBe('not-taken');
    const planned = administered('moodCode="INT" negationInd="true"', template);
    const [request] = ofType(convert(documentOf(sectionOf('10160-0', planned))), 'MedicationRequest');
    expect(request).toMatchObject({ intent: 'order', doNotPerform: true, status: 'completed' });
  });
});

describe('concerns', () => {
  it('a denied health concern that holds nothing is told as refuted', () => {
    const entry = `<act classCode="ACT" moodCode="EVN" negationInd="true">
      <templateId root="2.16.840.1.113883.10.20.22.4.132" extension="2015-08-01"/>
      <code code="75310-3" codeSystem="${LOINC}"/><statusCode code="active"/><effectiveTime value="20151115"/></act>`;
    const conversion = convert(documentOf(sectionOf('75310-3', entry)));
    const [fact] = ofType(conversion, 'Condition');
    expect(fact?.code?.coding?.[0]?.code).toBe('75310-3');
    expect(fact?.verificationStatus?.coding?.[0]?.code).toBe('refuted');
    expect(fact?.clinicalStatus?.coding?.[0]?.code).toBe('inactive');
    expect(ofType(convert(documentOf(sectionOf('75310-3', entry.replace('"true"', '"false"')))), 'Condition')).toEqual(
      [],
    );
  });
});

describe('observations', () => {
  it('a denied finding is told as absent, not as a value', () => {
    const entry = `<observation classCode="OBS" moodCode="EVN" negationInd="true"><code code="54522-8" codeSystem="${LOINC}"/>
      <statusCode code="completed"/><value xsi:type="CD" code="282145008" codeSystem="${SNOMED_CT}"/></observation>`;
    const [fact] = ofType(convert(documentOf(sectionOf('47420-5', entry))), 'Observation');
    expect(fact?.valueCodeableConcept).toBeUndefined();
    expect(fact?.component?.[0]?.code?.coding?.[0]?.code).toBe('282145008');
  });

  it('a null flavor becomes the reason why there is no value', () => {
    const entry = `<observation classCode="OBS" moodCode="EVN"><code code="2345-7" codeSystem="${LOINC}"/>
      <statusCode code="active"/><value xsi:type="PQ" nullFlavor="ASKU"/></observation>`;
    const [fact] = ofType(convert(documentOf(sectionOf('30954-2', entry))), 'Observation');
    expect(fact?.status).toBe('registered');
    expect(fact?.dataAbsentReason?.coding?.[0]?.code).toBe('asked-unknown');
  });
});

describe('death', () => {
  const DECEASED = '2.16.840.1.113883.10.20.22.4.79';
  const told = (template: string, negated = ''): string =>
    documentOf(
      sectionOf(
        '11450-4',
        `<observation classCode="OBS" moodCode="EVN"${negated}><templateId root="${template}"/><id root="1.2.826.9" extension="X"/>
          <code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/><statusCode code="completed"/><effectiveTime><low value="20240101"/></effectiveTime>
          <value xsi:type="CD" code="419099009" codeSystem="${SNOMED_CT}" displayName="Dead"/></observation>`,
      ),
    );

  it('that an entry tells of is on the patient', () => {
    expect(ofType(convert(told(DECEASED)), 'Patient')[0]?.deceasedDateTime).toBe('2024-01-01');
  });

  it.each([
    ['denied', told(DECEASED, ' negationInd="true"')],
    ['of a relative', told('2.16.840.1.113883.10.20.22.4.47')],
  ])('%s is not', (_name, xml) => {
    const [patient] = ofType(convert(xml), 'Patient');
    expect(patient).not.toHaveProperty('deceasedDateTime');
    expect(patient).not.toHaveProperty('deceasedBoolean');
  });
});
