import { describe, expect, it } from 'vitest';
import { readAD, readCD, readED, readEN, readIVL_PQ, readIVL_TS, readTEL } from './datatypes.ts';
import { parseCda } from './document.ts';

const DOCUMENT = `<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <id root="1.2.3" extension="D1"/>
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>
  <title>Summary</title>
  <effectiveTime value="20240102030405+0100"/>
  <setId root="1.2.3" extension="SET"/>
  <versionNumber value="2"/>
  <recordTarget><patientRole><id root="1.2.4" extension="P1"/></patientRole></recordTarget>
  <component><structuredBody>
    <component><section>
      <templateId root="2.16.840.1.113883.10.20.22.2.5.1"/>
      <code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/>
      <title>Problems</title>
      <text><paragraph>Cough</paragraph></text>
      <entry><observation classCode="OBS" moodCode="EVN" negationInd="true"><id root="1.2.5"/></observation></entry>
      <component><section><title>Inner</title></section></component>
    </section></component>
  </structuredBody></component>
</ClinicalDocument>`;

function element(xml: string) {
  const result = parseCda(`<section xmlns="urn:hl7-org:v3"><entry><act>${xml}</act></entry></section>`);
  if (!result.ok) throw new Error(result.error.message);
  return result.document.sections[0]!.entries[0]!.element.children[0]!;
}

describe('parseCda', () => {
  it('reads header, sections and entries', () => {
    const result = parseCda(DOCUMENT);
    if (!result.ok) throw new Error(result.error.message);
    const { header, sections } = result.document;
    expect(header).toMatchObject({
      id: { root: '1.2.3', extension: 'D1' },
      setId: { extension: 'SET' },
      versionNumber: '2',
      title: 'Summary',
    });
    expect(header?.recordTargets).toHaveLength(1);
    expect(sections).toHaveLength(1);
    expect(sections[0]).toMatchObject({ title: 'Problems', code: { code: '11450-4' } });
    expect(sections[0]?.sections[0]?.title).toBe('Inner');
    expect(sections[0]?.entries[0]).toMatchObject({ kind: 'observation', negated: true, ids: [{ root: '1.2.5' }] });
  });

  it('reads fragments', () => {
    const result = parseCda('<observation xmlns="urn:hl7-org:v3"/>');
    expect(result.ok && result.document.looseEntries).toHaveLength(1);
  });

  it('refuses what is not CDA', () => {
    const result = parseCda('<Patient xmlns="http://hl7.org/fhir"/>');
    expect(!result.ok && result.error.code).toBe('not-cda');
  });
});

describe('data types', () => {
  it('CD with translation, qualifier and original text', () => {
    const read = readCD(
      element(`<value code="1" codeSystem="1.2"><originalText>one</originalText>
        <qualifier><name code="n"/><value code="v"/></qualifier><translation code="2" codeSystem="1.3"/></value>`),
    );
    expect(read).toMatchObject({
      code: '1',
      translations: [{ code: '2', codeSystem: '1.3' }],
      qualifiers: [{ name: { code: 'n' }, value: { code: 'v' } }],
    });
    expect(read.originalText?.text).toBe('one');
  });

  it('intervals with open and unknown bounds', () => {
    expect(readIVL_TS(element('<time><low value="2020"/><high nullFlavor="UNK"/></time>'))).toMatchObject({
      low: { value: '2020' },
      high: { nullFlavor: 'UNK' },
    });
    expect(readIVL_TS(element('<time value="2021"/>')).center?.value).toBe('2021');
    expect(readIVL_PQ(element('<value><high value="5" unit="mg" inclusive="false"/></value>'))).toMatchObject({
      high: { value: '5', unit: 'mg' },
      highClosed: false,
    });
  });

  it('names, addresses, telecoms and references', () => {
    expect(
      readEN(element('<name use="L"><given>Ann</given><given qualifier="CL">A.</given><family>Ole</family></name>'))
        .parts,
    ).toEqual([
      { kind: 'given', qualifier: undefined, text: 'Ann' },
      { kind: 'given', qualifier: 'CL', text: 'A.' },
      { kind: 'family', qualifier: undefined, text: 'Ole' },
    ]);
    expect(readAD(element('<addr use="HP"><city>Bay</city></addr>'))).toMatchObject({
      use: 'HP',
      parts: [{ kind: 'city', text: 'Bay' }],
    });
    expect(readTEL(element('<telecom value="tel:1" use="HP"/>'))).toMatchObject({ value: 'tel:1', use: 'HP' });
    expect(readED(element('<text mediaType="text/plain"><reference value="#a"/></text>')).reference).toBe('#a');
  });
});
