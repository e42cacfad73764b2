import { describe, expect, it } from 'vitest';
import { convert, documentOf, LOINC, ofType, SNOMED_CT, sectionOf } from './sample.ts';

const RESULTS = `<organizer classCode="BATTERY" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.1"/>
  <id root="1.2.826.9" extension="R1"/><code code="24323-8" codeSystem="${LOINC}"/><statusCode code="completed"/>
  <author><time value="20240228"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="1234567893"/></assignedAuthor></author>
  <component><observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.2"/>
    <id root="1.2.826.9" extension="R1.1"/>
    <code code="2951-2" codeSystem="${LOINC}"><originalText><reference value="#na"/></originalText>
      <translation code="NA" codeSystem="1.2.826.50" displayName="Sodium"/></code>
    <statusCode code="completed"/><effectiveTime value="202402271530+0100"/>
    <value xsi:type="PQ" value="138" unit="mmol/L"/>
    <interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"/>
    <referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="135" unit="mmol/L"/><high value="145" unit="mmol/L"/></value></observationRange></referenceRange>
  </observation></component></organizer>`;
const NARRATIVE =
  '<table><tbody><tr ID="row"><td ID="na">Sodium in serum</td><td onclick="x()">138</td></tr></tbody></table><linkHtml href="javascript:x()">l</linkHtml>';

describe('convertCcda', () => {
  it('the patient comes first, with race and former name', () => {
    const { facts } = convert(documentOf(''));
    expect(facts[0]).toMatchObject({ mode: 'merge', asOf: '2024-03-01T10:15:00+01:00' });
    expect(facts[0]?.resource).toMatchObject({
      resourceType: 'Patient',
      gender: 'female',
      birthDate: '1962-04-05',
      identifier: [{ system: 'urn:oid:1.2.826.2', value: 'MRN-1' }],
      name: [
        { given: ['Ida'], family: 'Marsh', use: 'usual' },
        { given: ['Ida'], family: 'Lowe', use: 'maiden' },
      ],
      telecom: [{ system: 'phone', value: '+44-1632-960001', use: 'mobile' }],
      extension: [{ url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race' }],
    });
  });

  it('results: report, observation, range, translation, original text', () => {
    const conversion = convert(documentOf(sectionOf('30954-2', RESULTS, NARRATIVE)));
    const [report] = ofType(conversion, 'DiagnosticReport');
    const [observation] = ofType(conversion, 'Observation');
    expect(report?.result?.[0]?.reference).toBe(`Observation/${observation?.id}`);
    expect(observation).toMatchObject({
      status: 'final',
      code: {
        text: 'Sodium in serum',
        coding: [
          { system: 'http://loinc.org', code: '2951-2' },
          { system: 'urn:oid:1.2.826.50', code: 'NA', display: 'Sodium' },
        ],
      },
      effectiveDateTime: '2024-02-27T15:30:00+01:00',
      valueQuantity: { value: 138, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
      referenceRange: [{ low: { value: 135 }, high: { value: 145 } }],
    });
  });

  it('names one practitioner once and says who authored what', () => {
    const conversion = convert(documentOf(sectionOf('30954-2', RESULTS, NARRATIVE)));
    expect(ofType(conversion, 'Practitioner')).toHaveLength(1);
    expect(ofType(conversion, 'Organization')).toHaveLength(1);
    const [report] = ofType(conversion, 'DiagnosticReport');
    const targets = ofType(conversion, 'Provenance').flatMap((one) => one.target.map((target) => target.reference));
    expect(targets).toContain(`DiagnosticReport/${report?.id}`);
  });

  it('keeps the narrative, without what could run', () => {
    const [composition] = ofType(convert(documentOf(sectionOf('30954-2', RESULTS, NARRATIVE))), 'Composition');
    const div = composition?.section?.[0]?.text?.div;
    expect(div).toContain('<td id="na">Sodium in serum</td><td>138</td>');
    expect(div).not.toMatch(/onclick|javascript/);
  });

  it('gives the same fact the same id in a later document', () => {
    const first = convert(documentOf(sectionOf('30954-2', RESULTS)));
    const later = convert(
      documentOf(sectionOf('30954-2', RESULTS.replace('value="138"', 'value="139"'))).replace('DOC-7', 'DOC-8'),
    );
    const id = (conversion: typeof first) => ofType(conversion, 'Observation')[0]?.id;
    expect(id(later)).toBe(id(first));
    expect(ofType(later, 'Composition')[0]?.id).not.toBe(ofType(first, 'Composition')[0]?.id);
    expect(convert(documentOf(sectionOf('30954-2', RESULTS)))).toEqual(first);
  });

  it('tells two statements under one id apart', () => {
    const observation = (code: string): string =>
      `<entry><observation classCode="OBS" moodCode="EVN"><id root="1.2.826.9" extension="same"/><code code="${code}" codeSystem="${LOINC}"/>
      <statusCode code="completed"/><value xsi:type="PQ" value="1" unit="1"/></observation></entry>`;
    const found = ofType(
      convert(documentOf(sectionOf('30954-2', observation('1-8') + observation('2-6')))),
      'Observation',
    );
    expect(found.map((one) => one.code?.coding?.[0]?.code)).toEqual(['1-8', '2-6']);
  });

  it('keeps every code of an unknown template', () => {
    const entry = `<act classCode="ACT" moodCode="EVN"><templateId root="1.2.826.77"/><code code="X1" codeSystem="1.2.826.51"/>
      <statusCode code="completed"/><priorityCode code="UR" codeSystem="2.16.840.1.113883.5.7"/>
      <entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN"><code code="X2" codeSystem="1.2.826.51"/>
      <value xsi:type="CD" code="X3" codeSystem="1.2.826.51"/></observation></entryRelationship></act>`;
    const text = JSON.stringify(convert(documentOf(sectionOf('99999-9', entry))).facts);
    for (const code of ['X1', 'UR', 'X2', 'X3']) expect(text).toContain(`"code":"${code}"`);
  });

  it('leaves out a day that is not in the calendar, and says so', () => {
    const entry = `<procedure classCode="PROC" moodCode="EVN"><code code="80146002" codeSystem="${SNOMED_CT}"/>
      <statusCode code="completed"/><effectiveTime value="20240230"/></procedure>`;
    const conversion = convert(documentOf(sectionOf('47519-4', entry)));
    expect(ofType(conversion, 'Procedure')[0]).toMatchObject({ status: 'completed' });
    expect(ofType(conversion, 'Procedure')[0]?.performedDateTime).toBeUndefined();
    expect(conversion.issues.map((issue) => issue.code)).toContain('value');
    expect(conversion.ledger.filter((entry) => entry.disposition === 'rejected')).toHaveLength(1);
  });

  it('refers an unstructured document to the original', () => {
    const xml = documentOf('').replace(
      '<structuredBody></structuredBody>',
      '<nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0=</text></nonXMLBody>',
    );
    const conversion = convert(xml);
    expect(ofType(conversion, 'DocumentReference')[0]?.content[0]?.attachment).toMatchObject({
      contentType: 'application/pdf',
      url: 'urn:causeway:message:7#nonXMLBody',
    });
    expect(JSON.stringify(conversion.facts)).not.toContain('JVBERi0=');
  });

  it('names the document that it replaces', () => {
    const header =
      '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.826.1" extension="DOC-6"/></parentDocument></relatedDocument>';
    const [reference] = ofType(convert(documentOf('', header)), 'DocumentReference');
    expect(reference?.relatesTo?.[0]).toMatchObject({ code: 'replaces', target: { identifier: { value: 'DOC-6' } } });
  });

  it('leaves out a language that is not named', () => {
    const xml = documentOf('').replace(
      '<raceCode',
      '<languageCommunication><preferenceInd value="true"/></languageCommunication><raceCode',
    );
    expect(ofType(convert(xml), 'Patient')[0]).not.toHaveProperty('communication');
  });
});
