/** Documents and submissions of them for tests. */
import { createHash, randomUUID } from 'node:crypto';
import type { Json } from '../testing-calls.ts';

export const mhdProfiles = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition';
export const mhdListTypes = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes';
const snomed = '2.16.840.1.113883.6.96';

export interface Person {
  family: string;
  given: string;
  birthDate: string;
  gender: 'female' | 'male';
  /** Of the domain `urn:oid:1.2.826.2`. */
  number: string;
}

/** A C-CDA with one problem. */
export function clinicalDocument(person: Person, id: string, problem = '38341003'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.826.1" extension="${id}"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary of care</title>
<effectiveTime value="20240302101500+0000"/>
<recordTarget><patientRole><id root="1.2.826.2" extension="${person.number}"/><patient>
<name><given>${person.given}</given><family>${person.family}</family></name>
<administrativeGenderCode code="${person.gender === 'female' ? 'F' : 'M'}" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="${person.birthDate.replaceAll('-', '')}"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Saltby Surgery</name></representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody><component><section><templateId root="2.16.840.1.113883.10.20.22.2.5.1"/>
<code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/><title>Problems</title><text>As told.</text>
<entry><act classCode="ACT" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.3"/>
<id root="1.2.826.11" extension="C-${id}"/><code code="CONC" codeSystem="2.16.840.1.113883.5.6"/><statusCode code="active"/>
<effectiveTime><low value="20200101"/></effectiveTime>
<entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">
<templateId root="2.16.840.1.113883.10.20.22.4.4"/><id root="1.2.826.12" extension="${id}"/>
<code code="55607006" codeSystem="${snomed}"/><statusCode code="completed"/><effectiveTime><low value="20200101"/></effectiveTime>
<value xsi:type="CD" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" code="${problem}" codeSystem="${snomed}"/>
</observation></entryRelationship></act></entry></section></component></structuredBody></component></ClinicalDocument>`;
}

export interface SubmittedFile {
  bytes: Buffer;
  contentType: string;
  /** Changes of its DocumentReference. */
  reference?: Json;
  attachment?: Json;
}

export const uniqueId = (): Json => ({ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` });

/** A Provide Document Bundle of documents of a patient. */
export function submission(patient: string, files: SubmittedFile[], more: Json[] = [], metadata = 'Minimal'): Json {
  const subject = { reference: patient };
  const entries = files.flatMap(({ bytes, contentType, reference, attachment }) => {
    const [document, binary] = [`urn:uuid:${randomUUID()}`, `urn:uuid:${randomUUID()}`];
    const hash = createHash('sha1').update(bytes).digest('base64');
    return [
      {
        fullUrl: document,
        resource: {
          resourceType: 'DocumentReference',
          masterIdentifier: uniqueId(),
          status: 'current',
          subject,
          content: [{ attachment: { contentType, url: binary, size: bytes.length, hash, ...attachment } }],
          ...reference,
        },
        request: { method: 'POST', url: 'DocumentReference' },
      },
      {
        fullUrl: binary,
        resource: { resourceType: 'Binary', contentType, data: bytes.toString('base64') },
        request: { method: 'POST', url: 'Binary' },
      },
    ];
  });
  const list = {
    resourceType: 'List',
    extension: [
      { url: `${mhdProfiles}/ihe-sourceId`, valueIdentifier: { value: 'urn:oid:1.2.826.3' } },
      {
        url: `${mhdProfiles}/ihe-designationType`,
        valueCodeableConcept: { coding: [{ system: 'http://loinc.org', code: '34133-9' }] },
      },
    ],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: mhdListTypes, code: 'submissionset' }] },
    subject,
    date: '2026-01-02T10:00:00Z',
    entry: entries.flatMap(({ fullUrl, resource }) =>
      resource.resourceType === 'DocumentReference' ? [{ item: { reference: fullUrl } }] : [],
    ),
  };
  return {
    resourceType: 'Bundle',
    meta: { profile: [`${mhdProfiles}/IHE.MHD.${metadata}.ProvideBundle`] },
    type: 'transaction',
    entry: [
      { fullUrl: `urn:uuid:${randomUUID()}`, resource: list, request: { method: 'POST', url: 'List' } },
      ...entries,
      ...more,
    ],
  };
}
