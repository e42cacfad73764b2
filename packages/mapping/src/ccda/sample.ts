/**
 * Small documents for the tests of this folder: a header around the sections or entries that a test is about.
 */
import { parseCda } from '@causeway/ccda';
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { Conversion } from '../conversion.ts';
import { convertCcda } from './convert.ts';

export const LOINC = '2.16.840.1.113883.6.1';
export const SNOMED_CT = '2.16.840.1.113883.6.96';

export function documentOf(body: string, header = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <id root="1.2.826.1" extension="DOC-7"/>
  <code code="34133-9" codeSystem="${LOINC}" displayName="Summary of episode note"/>
  <title>Summary of care</title>
  <effectiveTime value="20240301101500+0100"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <recordTarget><patientRole>
    <id root="1.2.826.2" extension="MRN-1"/>
    <addr use="HP"><streetAddressLine>5 Quay Road</streetAddressLine><city>Saltby</city></addr>
    <telecom use="MC" value="tel:+44-1632-960001"/>
    <patient>
      <name use="L"><given>Ida</given><family>Marsh</family></name>
      <name><given>Ida</given><family qualifier="BR">Lowe</family></name>
      <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
      <birthTime value="19620405"/>
      <raceCode code="2106-3" codeSystem="2.16.840.1.113883.6.238" displayName="White"/>
    </patient>
  </patientRole></recordTarget>
  <author>
    <time value="20240301101000+0100"/>
    <assignedAuthor><id root="2.16.840.1.113883.4.6" extension="1234567893"/>
      <assignedPerson><name><given>Tom</given><family>Reed</family></name></assignedPerson>
      <representedOrganization><id root="1.2.826.3"/><name>Saltby Surgery</name></representedOrganization>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Saltby Surgery</name></representedCustodianOrganization></assignedCustodian></custodian>
  ${header}
  <component><structuredBody>${body}</structuredBody></component>
</ClinicalDocument>`;
}

export function sectionOf(loinc: string, entries: string, narrative = '<paragraph>As told.</paragraph>'): string {
  return `<component><section>
    <code code="${loinc}" codeSystem="${LOINC}"/><title>Section</title><text>${narrative}</text>
    ${entries === '' ? '' : entries.startsWith('<entry') ? entries : `<entry>${entries}</entry>`}
  </section></component>`;
}

export function convert(xml: string): Conversion {
  const parsed = parseCda(xml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return convertCcda(parsed.document, {
    source: 'test-clinic',
    receivedAt: '2024-03-02T00:00:00Z',
    messageUri: 'urn:causeway:message:7',
  });
}

/** All facts of one type. */
export function ofType<T extends ResourceType>(
  conversion: Conversion,
  type: T,
): Extract<Resource, { resourceType: T }>[] {
  return conversion.facts
    .map((fact) => fact.resource)
    .filter((resource): resource is Extract<Resource, { resourceType: T }> => resource.resourceType === type);
}
