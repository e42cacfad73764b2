import { parseCda } from '@causeway/ccda';
import { describe, expect, it } from 'vitest';
import type { Conversion } from '../conversion.ts';
import { convertCcda } from './convert.ts';
import { documentOf, LOINC, SNOMED_CT, sectionOf } from './sample.ts';

const T = '2.16.840.1.113883.10.20.22.4';
const id = (extension: string): string => `<id root="1.2.826.9" extension="${extension}"/>`;
const author = (npi: string, time: string): string =>
  `<author><time value="${time}"/><assignedAuthor><id root="2.16.840.1.113883.4.6" extension="${npi}"/><assignedPerson><name><family>Reed</family></name></assignedPerson></assignedAuthor></author>`;
const problem = (key: string, code: string, more = ''): string =>
  `<entry><act classCode="ACT" moodCode="EVN"><templateId root="${T}.3"/>${id(`C${key}`)}<code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>
  <statusCode code="active"/><effectiveTime><low value="20200101"/></effectiveTime>${author('1234567893', '20240102')}
  <entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN"><templateId root="${T}.4"/>${id(key)}
  <code code="55607006" codeSystem="${SNOMED_CT}"/><text><reference value="#n${key}"/></text><statusCode code="completed"/>
  <value xsi:type="CD" code="${code}" codeSystem="${SNOMED_CT}" displayName="Problem"/>${more}</observation></entryRelationship></act></entry>`;
const result = (key: string, more = ''): string =>
  `<entry><observation classCode="OBS" moodCode="EVN"><templateId root="${T}.2"/>${id(key)}<code code="2345-7" codeSystem="${LOINC}"/>
  <statusCode code="completed"/><effectiveTime value="20240226080000+0100"/><value xsi:type="PQ" value="9.10" unit="mg/dL"/>
  <methodCode code="M1" codeSystem="1.2.3"/>${author(`12345${key.length}7893`, '20240226')}${more}</observation></entry>`;
const reference = (to: string): string =>
  `<entryRelationship typeCode="REFR"><act classCode="ACT" moodCode="EVN"><templateId root="${T}.122"/>${id(to)}<code nullFlavor="NP"/><statusCode code="completed"/></act></entryRelationship>`;
const death = `<entry><observation classCode="OBS" moodCode="EVN"><templateId root="${T}.79"/>${id('D')}<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
  <statusCode code="completed"/><effectiveTime><low value="20240227"/></effectiveTime><value xsi:type="CD" code="419099009" codeSystem="${SNOMED_CT}"/></observation></entry>`;
const plan = `<entry><observation classCode="OBS" moodCode="RQO"><templateId root="${T}.44"/>${id('PL')}<code code="2345-7" codeSystem="${LOINC}"/><statusCode code="active"/></observation></entry>`;
const prefixed = `<x:entry xmlns:x="urn:hl7-org:v3"><x:observation classCode="OBS" moodCode="EVN"><x:id root="1.2.826.9" extension="X"/><x:code code="8480-6" codeSystem="${LOINC}"/><x:value xsi:type="PQ" value="1" unit="1"/></x:observation></x:entry>`;

const narrative = '<paragraph ID="nP1">The first &amp; the <content ID="nP2">second</content></paragraph>';
const DOCUMENTS: Record<string, string> = {
  'statements told twice, in one section and in another': documentOf(
    sectionOf('11450-4', problem('P1', '38341003') + problem('P1', '38341003') + problem('P2', '1'), narrative) +
      sectionOf('11348-0', problem('P1', '38341003') + problem('P2', '2'), narrative),
  ),
  'references to entries before and behind': documentOf(
    sectionOf('11450-4', problem('P1', '38341003', reference('R1')), narrative) +
      sectionOf('30954-2', result('R1', reference('P1')) + result('R1') + result('R22')),
  ),
  'what is gathered from entries': documentOf(
    sectionOf('29762-2', death) +
      sectionOf('18776-5', plan) +
      sectionOf('75310-3', problem('P3', '3').replace('<value', '<!-- told --><value')),
  ),
  'prefixes and namespaces of their own': documentOf(sectionOf('30954-2', prefixed + result('R1'))),
  'a section within a section': documentOf(
    sectionOf('11450-4', problem('P1', '38341003'), narrative).replace(
      '</section>',
      `${sectionOf('30954-2', result('R1'))}</section>`,
    ),
  ),
};

const CONTEXT = { source: 'test-clinic', receivedAt: '2024-03-02T00:00:00Z', messageUri: 'urn:causeway:message:7' };

function convert(xml: string, whole?: number): Conversion {
  const parsed = parseCda(xml, {}, whole);
  if (!parsed.ok) throw new Error(parsed.error.message);
  expect(parsed.document.xml.isFolded).toBe(whole === 0);
  return convertCcda(parsed.document, CONTEXT);
}

describe('a document whose entries are not kept in memory', () => {
  for (const [name, xml] of Object.entries(DOCUMENTS)) {
    it(`is converted as one that is in memory whole: ${name}`, () => {
      const whole = convert(xml);
      expect(whole.facts.length).toBeGreaterThan(4);
      expect(convert(xml, 0)).toEqual(whole);
    });
  }
});
