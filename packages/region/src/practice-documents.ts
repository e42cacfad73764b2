/** The practice's documents: C-CDA R2.1 header (US Realm), Continuity of Care Document and Referral Note. */

import { compactDate, HOUR_MS } from './calendar.ts';
import type { Chart } from './practice-chart.ts';
import {
  reasonForReferralSection,
  resultsSection,
  socialHistorySection,
  vitalSignsSection,
} from './practice-observations.ts';
import {
  allergiesSection,
  encountersSection,
  immunizationsSection,
  medicationsSection,
  type PracticePatient,
  problemsSection,
  proceduresSection,
} from './practice-sections.ts';
import { type Clinician, OIDS, siteOf, TOWN } from './sites.ts';
import { templates, time, xml } from './xml.ts';

const SITE = siteOf('millbrook-practice');
const LOINC = '2.16.840.1.113883.6.1';

/** A Continuity of Care Document (template 2.16.840.1.113883.10.20.22.1.2). */
export function ccd(about: PracticePatient, chart: Chart, id: string): string {
  const sections = [
    allergiesSection(about, chart),
    medicationsSection(about, chart),
    problemsSection(about, chart),
    resultsSection(about, chart),
    vitalSignsSection(about, chart),
    immunizationsSection(about, chart),
    proceduresSection(about, chart),
    encountersSection(about, chart),
    socialHistorySection(about, chart),
  ];
  const type = {
    template: '2.16.840.1.113883.10.20.22.1.2:2015-08-01',
    code: '34133-9',
    title: 'Continuity of care document',
  };
  return documentOf(about, chart, id, type, sections);
}

/** A Referral Note (template 2.16.840.1.113883.10.20.22.1.14) to a department of the hospital. */
export function referralNote(about: PracticePatient, chart: Chart, department: string, id: string): string {
  const sections = [
    reasonForReferralSection(about, chart, department),
    problemsSection(about, chart),
    medicationsSection(about, chart),
    allergiesSection(about, chart),
  ];
  const type = { template: '2.16.840.1.113883.10.20.22.1.14:2015-08-01', code: '57133-1', title: 'Referral note' };
  return documentOf(about, chart, id, type, sections);
}

interface DocumentType {
  template: string;
  code: string;
  title: string;
}

function documentOf(
  about: PracticePatient,
  chart: Chart,
  id: string,
  type: DocumentType,
  sections: readonly string[],
): string {
  const doctor = about.story.familyDoctor;
  const body = sections.map((section) => `<component>${section}</component>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<realmCode code="US"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
${templates('2.16.840.1.113883.10.20.22.1.1:2015-08-01', type.template)}
<id root="${OIDS.practiceDocument}" extension="${id}"/>
<code code="${type.code}" codeSystem="${LOINC}" codeSystemName="LOINC" displayName="${type.title}"/>
<title>${type.title}, ${SITE.name}</title>
<effectiveTime value="${time(chart.at)}"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
<languageCode code="en-US"/>
${recordTarget(about)}
<author><time value="${time(chart.at)}"/>${assignedAuthor(doctor)}</author>
<custodian><assignedCustodian><representedCustodianOrganization><id root="${OIDS.practice}"/><name>${SITE.name}</name>${phone()}${address()}</representedCustodianOrganization></assignedCustodian></custodian>
<documentationOf><serviceEvent classCode="PCPR"><effectiveTime><low value="${compactDate(about.registration.since)}"/><high value="${compactDate(chart.at)}"/></effectiveTime><performer typeCode="PRF"><functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88" displayName="Primary care physician"/>${assignedEntity(doctor)}</performer></serviceEvent></documentationOf>
<componentOf><encompassingEncounter><id root="${OIDS.practiceVisit}" extension="${chart.visit.id}"/><effectiveTime><low value="${time(chart.visit.at)}"/><high value="${time(chart.visit.at + HOUR_MS / 3)}"/></effectiveTime></encompassingEncounter></componentOf>
<component><structuredBody>
${body}
</structuredBody></component>
</ClinicalDocument>
`;
}

function recordTarget({ person, known, registration }: PracticePatient): string {
  const { address: home } = known;
  const given = [known.given, known.middle].filter(Boolean).map((name) => `<given>${xml(name!)}</given>`);
  const suffix = known.suffix ? `<suffix>${known.suffix}</suffix>` : '';
  const sex = known.sex === 'F' ? 'Female' : 'Male';
  const lines = home
    ? `<addr use="HP"><streetAddressLine>${xml(home.line)}</streetAddressLine><city>${home.city}</city><state>${home.state}</state><postalCode>${home.zip}</postalCode><country>US</country></addr>`
    : '<addr nullFlavor="UNK"/>';
  const telecom = [
    known.phone && `<telecom use="HP" value="tel:+1-${known.phone}"/>`,
    known.mobile && `<telecom use="MC" value="tel:+1-${known.mobile}"/>`,
    known.email && `<telecom value="mailto:${known.email}"/>`,
  ].filter(Boolean);
  return `<recordTarget><patientRole><id root="${SITE.oid}" extension="${registration.number}"/>${lines}${telecom.join('') || '<telecom nullFlavor="UNK"/>'}<patient><name use="L">${given.join('')}<family>${xml(known.family)}</family>${suffix}</name><administrativeGenderCode code="${known.sex}" codeSystem="2.16.840.1.113883.5.1" displayName="${sex}"/><birthTime value="${known.birthDate?.replaceAll('-', '')}"/><maritalStatusCode code="${person.marital}" codeSystem="2.16.840.1.113883.5.2"/><raceCode code="${person.race}" codeSystem="2.16.840.1.113883.6.238"/><ethnicGroupCode nullFlavor="UNK"/><languageCommunication><languageCode code="${person.language}"/><preferenceInd value="true"/></languageCommunication></patient><providerOrganization><id root="${OIDS.practice}"/><name>${SITE.name}</name>${phone()}${address()}</providerOrganization></patientRole></recordTarget>`;
}

function assignedAuthor(doctor: Clinician): string {
  return `<assignedAuthor><id root="${OIDS.npi}" extension="${doctor.npi}"/>${address()}${phone()}<assignedPerson>${personName(doctor)}</assignedPerson><representedOrganization><id root="${OIDS.practice}"/><name>${SITE.name}</name></representedOrganization></assignedAuthor>`;
}

function assignedEntity(doctor: Clinician): string {
  return `<assignedEntity><id root="${OIDS.npi}" extension="${doctor.npi}"/>${address()}${phone()}<assignedPerson>${personName(doctor)}</assignedPerson></assignedEntity>`;
}

function personName(doctor: Clinician): string {
  return `<name><given>${doctor.given}</given><family>${doctor.family}</family><suffix>${doctor.degree}</suffix></name>`;
}

function address(): string {
  return `<addr use="WP"><streetAddressLine>${SITE.street}</streetAddressLine><city>${TOWN.city}</city><state>${TOWN.state}</state><postalCode>04101</postalCode><country>US</country></addr>`;
}

function phone(): string {
  return `<telecom use="WP" value="tel:+1-207-${SITE.phone}"/>`;
}
