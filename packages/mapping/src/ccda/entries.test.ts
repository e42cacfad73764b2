import { describe, expect, it } from 'vitest';
import { convert, documentOf, LOINC, ofType, SNOMED_CT, sectionOf } from './sample.ts';

const NCI = '2.16.840.1.113883.3.26.1.1';
const T = '2.16.840.1.113883.10.20.22.4.';

describe('a wrapper', () => {
  const concern = (status: string): string => `<act classCode="ACT" moodCode="EVN"><templateId root="${T}33"/>
    <id root="1.2.826.9" extension="W"/><code code="11535-2" codeSystem="${LOINC}" displayName="Hospital discharge diagnosis"/>
    <text><reference value="#dx"/></text><statusCode code="${status}"/><effectiveTime value="20240226"/>
    <entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN"><templateId root="${T}4"/><id root="1.2.826.9" extension="D"/>
      <code code="282291009" codeSystem="${SNOMED_CT}"/><statusCode code="completed"/><effectiveTime><low value="20240225"/></effectiveTime>
      <value xsi:type="CD" code="233604007" codeSystem="${SNOMED_CT}" displayName="Pneumonia"/></observation></entryRelationship></act>`;
  const narrative = '<list ID="all"><item ID="dx">Pneumonia, left</item></list>';
  const conversion = convert(documentOf(sectionOf('11535-2', concern('active'), narrative)));
  const [condition] = ofType(conversion, 'Condition');

  it('gives its id, code, words and time to what it holds', () => {
    expect(condition?.identifier?.map(({ use, value }) => [use, value])).toEqual([
      [undefined, 'D'],
      ['secondary', 'W'],
    ]);
    expect(condition?.category?.flatMap((one) => one.coding?.map(({ code }) => code))).toContain('11535-2');
    expect(condition?.text?.div).toContain('Pneumonia, left');
    expect(condition?.recordedDate).toBe('2024-02-26');
  });

  it('has its status used only where that of the condition agrees', () => {
    const disposition = (xml: string) =>
      convert(xml).ledger.find(({ source }) => source.endsWith('/entry/act/statusCode/@code'))?.disposition;
    expect(disposition(documentOf(sectionOf('11535-2', concern('active'), narrative)))).toBe('consumed');
    const resolved = concern('active').replace(
      '<low value="20240225"/>',
      '<low value="20240225"/><high value="20240301"/>',
    );
    expect(disposition(documentOf(sectionOf('11535-2', resolved, narrative)))).toBe('kept');
  });

  it('is linked to its place in the narrative', () => {
    const [composition] = ofType(conversion, 'Composition');
    const section = composition?.section?.[0];
    expect(section?.entry).toEqual([
      {
        reference: `Condition/${condition?.id}`,
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/narrativeLink', valueUrl: '#dx' }],
      },
    ]);
    expect(section?.text?.div).toContain('<ul id="all"><li id="dx">Pneumonia, left</li></ul>');
  });
});

describe('a device', () => {
  const part = (template: string, code: string, value: string): string =>
    `<component><observation classCode="OBS" moodCode="EVN"><templateId root="${T}${template}"/><code code="${code}" codeSystem="${NCI}"/>${value}</observation></component>`;
  const udi = '(01)00844588003288(17)141120(10)7654321D(21)10987654d321';
  const xml = sectionOf(
    '47519-4',
    `<procedure classCode="PROC" moodCode="EVN"><templateId root="${T}14"/><id root="1.2.826.9" extension="PR"/>
      <code code="233174007" codeSystem="${SNOMED_CT}" displayName="Pacemaker insertion"/><statusCode code="completed"/><effectiveTime value="20240101"/>
      <participant typeCode="DEV"><participantRole classCode="MANU"><templateId root="${T}37"/><id root="2.16.840.1.113883.3.3719" extension="${udi}"/>
        <playingDevice><code code="14106009" codeSystem="${SNOMED_CT}" displayName="Pacemaker"/></playingDevice>
        <scopingEntity><id root="2.16.840.1.113883.3.3719"/></scopingEntity></participantRole></participant>
      <entryRelationship typeCode="COMP"><organizer classCode="CLUSTER" moodCode="EVN"><templateId root="${T}311"/><id root="2.16.840.1.113883.3.3719" extension="${udi}"/>
        <code code="74711-3" codeSystem="${LOINC}"/><statusCode code="completed"/>
        ${part('304', 'C101722', '<value xsi:type="II" root="1.3.160" extension="00844588003288" displayable="true"/>')}
        ${part('315', 'C101672', '<value xsi:type="ED">7654321D</value>')}
        ${part('319', 'C101671', '<value xsi:type="ED">10987654d321</value>')}
        ${part('309', 'C101670', '<value xsi:type="TS" value="20141120"/>')}
        ${part('301', 'C71898', '<value xsi:type="ED">Beat</value>')}
        ${part('318', 'C106044', `<value xsi:type="CD" code="C113844" codeSystem="${NCI}" displayName="Labeling does not contain MRI safety information"/>`)}
      </organizer></entryRelationship></procedure>`,
  );

  it('is one with all parts of its identifier', () => {
    const found = ofType(convert(documentOf(xml)), 'Device');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      type: { coding: [{ code: '14106009' }] },
      udiCarrier: [{ carrierHRF: udi, deviceIdentifier: '00844588003288', issuer: 'urn:oid:1.3.160' }],
      lotNumber: '7654321D',
      serialNumber: '10987654d321',
      expirationDate: '2014-11-20',
      deviceName: [{ name: 'Beat', type: 'user-friendly-name' }],
      property: [{ valueCode: [{ coding: [{ code: 'C113844' }] }] }],
    });
    expect(ofType(convert(documentOf(xml)), 'Observation')).toEqual([]);
  });
});

describe('other entries', () => {
  it('a supply order says how often it may be filled again', () => {
    const order = `<supply classCode="SPLY" moodCode="INT"><templateId root="${T}17"/><id root="1.2.826.9" extension="S"/><statusCode code="active"/>
      <repeatNumber value="3"/><quantity value="30"/>
      <product><manufacturedProduct><manufacturedMaterial><code code="197806" codeSystem="2.16.840.1.113883.6.88"/></manufacturedMaterial></manufacturedProduct></product></supply>`;
    const [request] = ofType(convert(documentOf(sectionOf('10160-0', order))), 'MedicationRequest');
    expect(request?.dispenseRequest?.numberOfRepeatsAllowed).toBe(2);
  });

  it('a planned supply without a product is a request for a device', () => {
    const order = `<supply classCode="SPLY" moodCode="INT"><templateId root="${T}43"/><id root="1.2.826.9" extension="S"/><statusCode code="active"/>
      <participant typeCode="DEV"><participantRole classCode="MANU"><playingDevice><code code="58938008" codeSystem="${SNOMED_CT}"/></playingDevice></participantRole></participant></supply>`;
    const conversion = convert(documentOf(sectionOf('18776-5', order)));
    expect(ofType(conversion, 'MedicationRequest')).toEqual([]);
    expect(ofType(conversion, 'DeviceRequest')).toHaveLength(1);
  });

  it('a note carries its part of the narrative', () => {
    const note = `<act classCode="ACT" moodCode="EVN"><templateId root="${T}202"/><code code="34109-9" codeSystem="${LOINC}"><translation code="11506-3" codeSystem="${LOINC}"/></code>
      <text><reference value="#note"/></text><statusCode code="completed"/><effectiveTime value="20240226"/></act>`;
    const conversion = convert(
      documentOf(sectionOf('11506-3', note, '<paragraph ID="note">Slept &lt;well&gt;.</paragraph>')),
    );
    const reference = ofType(conversion, 'DocumentReference').find((one) => one.category !== undefined);
    const attachment = reference?.content[0]?.attachment;
    expect(attachment?.contentType).toBe('application/xhtml+xml');
    expect(Buffer.from(attachment?.data ?? '', 'base64').toString()).toContain('<p id="note">Slept &lt;well&gt;.</p>');
  });

  it('the day of the diagnosis is when it was asserted', () => {
    const problem = `<observation classCode="OBS" moodCode="EVN"><templateId root="${T}4"/><id root="1.2.826.9" extension="D"/><code code="64572001" codeSystem="${SNOMED_CT}"/>
      <statusCode code="completed"/><value xsi:type="CD" code="233604007" codeSystem="${SNOMED_CT}"/>
      <entryRelationship typeCode="COMP"><act classCode="ACT" moodCode="EVN"><templateId root="${T}502"/><code code="77975-1" codeSystem="${LOINC}"/>
        <statusCode code="completed"/><effectiveTime value="20240102"/></act></entryRelationship></observation>`;
    const [condition] = ofType(convert(documentOf(sectionOf('11450-4', problem))), 'Condition');
    expect(condition?.extension).toContainEqual({
      url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate',
      valueDateTime: '2024-01-02',
    });
    expect(condition?.recordedDate).toBeUndefined();
  });

  it('a procedure that was not done says why', () => {
    const refused = `<procedure classCode="PROC" moodCode="EVN" negationInd="true"><templateId root="${T}14"/><id root="1.2.826.9" extension="N"/>
      <code code="73761001" codeSystem="${SNOMED_CT}"/><statusCode code="completed"/>
      <entryRelationship typeCode="RSON"><observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.24.3.88"/>
        <code code="77301-0" codeSystem="${LOINC}"/><statusCode code="completed"/><value xsi:type="CD" code="105480006" codeSystem="${SNOMED_CT}" displayName="Refused"/></observation></entryRelationship></procedure>`;
    const [procedure] = ofType(convert(documentOf(sectionOf('47519-4', refused))), 'Procedure');
    expect(procedure).toMatchObject({ status: 'not-done', statusReason: { coding: [{ code: '105480006' }] } });
  });

  it('an author without a name is in Provenance by the time', () => {
    const result = `<observation classCode="OBS" moodCode="EVN"><templateId root="${T}2"/><id root="1.2.826.9" extension="R"/><code code="2951-2" codeSystem="${LOINC}"/>
      <statusCode code="completed"/><value xsi:type="PQ" value="1" unit="1"/><author><time value="20240104"/><assignedAuthor><id nullFlavor="NI"/></assignedAuthor></author></observation>`;
    const conversion = convert(documentOf(sectionOf('30954-2', result)));
    const [observation] = ofType(conversion, 'Observation');
    const provenance = ofType(conversion, 'Provenance').find((one) =>
      one.target.some(({ reference }) => reference === `Observation/${observation?.id}`),
    );
    expect(provenance).toMatchObject({ recorded: '2024-01-04T00:00:00Z' });
  });
});

describe('a medication that is ordered', () => {
  it('has how often and how long in one timing', () => {
    const order = `<substanceAdministration classCode="SBADM" moodCode="INT"><templateId root="${T}16"/><id root="1.2.826.9" extension="M"/><statusCode code="active"/>
      <effectiveTime xsi:type="IVL_TS"><low value="20240102"/><high value="20240109"/></effectiveTime>
      <effectiveTime xsi:type="PIVL_TS" operator="A"><period value="6" unit="h"/></effectiveTime>
      <consumable><manufacturedProduct><manufacturedMaterial><code code="197806" codeSystem="2.16.840.1.113883.6.88"/></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>`;
    const [request] = ofType(convert(documentOf(sectionOf('10160-0', order))), 'MedicationRequest');
    expect(request?.dosageInstruction?.[0]?.timing?.repeat).toEqual({
      frequency: 1,
      period: 6,
      periodUnit: 'h',
      boundsPeriod: { start: '2024-01-02', end: '2024-01-09' },
    });
  });
});

describe('a payer', () => {
  it('has the identifier that the policy names it by', () => {
    const policy = `<act classCode="ACT" moodCode="EVN"><templateId root="${T}60"/><id root="1.2.826.9" extension="CA"/><code code="48768-6" codeSystem="${LOINC}"/><statusCode code="completed"/>
      <entryRelationship typeCode="COMP"><sequenceNumber value="2"/><act classCode="ACT" moodCode="EVN"><templateId root="${T}61"/><id root="1.2.826.9" extension="PO"/><statusCode code="completed"/>
        <performer typeCode="PRF"><templateId root="${T}87"/><assignedEntity><id root="2.16.840.1.113883.6.300" extension="60054"/><code code="PAYOR" codeSystem="2.16.840.1.113883.5.110"/>
          <representedOrganization><name>Good Health</name></representedOrganization></assignedEntity></performer></act></entryRelationship></act>`;
    const conversion = convert(documentOf(sectionOf('48768-6', policy)));
    const [coverage] = ofType(conversion, 'Coverage');
    const payer = ofType(conversion, 'Organization').find(({ name }) => name === 'Good Health');
    expect(coverage).toMatchObject({ order: 2, payor: [{ reference: `Organization/${payer?.id}` }] });
    expect(payer?.identifier?.[0]?.value).toBe('60054');
  });
});

describe('an observation with two values', () => {
  const scored = (
    code: string,
  ): string => `<observation classCode="OBS" moodCode="EVN"><templateId root="${T}86"/><id root="1.2.826.9" extension="A"/>${code}
    <statusCode code="completed"/><value xsi:type="INT" value="2"/><value xsi:type="CD" code="LA6569-3" codeSystem="${LOINC}" displayName="Several days"/></observation>`;

  it.each([
    [`<code code="44250-9" codeSystem="${LOINC}"/>`, { coding: [{ code: '44250-9' }] }],
    ['', { extension: [{ valueCode: 'unknown' }] }],
  ])('has the second as a component of the same question: %s', (code, asked) => {
    const [observation] = ofType(convert(documentOf(sectionOf('10190-7', scored(code)))), 'Observation');
    expect(observation).toMatchObject({
      valueInteger: 2,
      component: [{ code: asked, valueCodeableConcept: { coding: [{ code: 'LA6569-3' }] } }],
    });
  });
});
