/** STF, PRA, LAN, LOC, LDP, OM1, OM2, OM4: master files of staff, locations and tests (v2.9 chapters 8 and 15). */
import type { Row } from '../engine.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition';

export const STF_PRACTITIONER: readonly Row[] = [
  ['STF-1', '', 'consumed'],
  ['STF-2', 'identifier[]', 'Identifier'],
  ['STF-3', 'name[]', 'HumanName'],
  ['STF-5', 'gender', 'code:gender'],
  ['STF-6', 'birthDate', 'birthDate'],
  ['STF-10', 'telecom[]', 'ContactPoint'],
  ['STF-11', 'address[]', 'Address'],
  ['STF-15', 'telecom[].value', 'string', { with: { system: 'email' } }],
  ['STF-18', `extension(${EXTENSION}/practitioner-job-title).valueCodeableConcept`, 'TextConcept'],
  ['STF-22', 'identifier[]', 'Licence'],
];

export const STF_ROLE: readonly Row[] = [
  ['STF-4', 'code[]', 'CodeableConcept'],
  ['STF-8', 'organization', 'CodedOrganization'],
  ['STF-9', 'specialty[]', 'CodeableConcept'],
  ['STF-12', 'period.start', 'dateTime'],
  ['STF-13', 'period.end', 'dateTime'],
  ['STF-19', 'code[]', 'CodeableConcept'],
  ['STF-20', `extension(${EXTENSION}/practitionerrole-employmentStatus).valueCodeableConcept`, 'CodeableConcept'],
];

export const PRA_PRACTITIONER: readonly Row[] = [
  ['PRA-1', '', 'consumed'],
  ['PRA-6', 'identifier[]', 'PractitionerNumber'],
];

export const PRA_ROLE: readonly Row[] = [
  ['PRA-2', 'code[]', 'CodeableConcept'],
  ['PRA-3', 'code[]', 'CodeableConcept'],
  ['PRA-5.1', 'specialty[]', 'TextConcept'],
  ['PRA-8', 'period.start', 'dateTime'],
  ['PRA-10', 'period.end', 'dateTime'],
];

/** A language the practitioner speaks; what for and how well (LAN-3, LAN-4) has no place in R4. */
export const LAN: readonly Row[] = [
  ['LAN-1', '', 'structural'],
  ['LAN-2', 'communication[]', 'CodeableConcept'],
];

/** A degree: EDU into one qualification. */
export const EDU: readonly Row[] = [
  ['EDU-1', '', 'structural'],
  ['EDU-2', 'qualification[edu].code', 'CodeableConcept'],
  ['EDU-3', 'qualification[edu].period', 'Period'],
  ['EDU-6', 'qualification[edu].issuer', 'Organization'],
];

/** A certificate: CER into one qualification. */
export const CER: readonly Row[] = [
  ['CER-1', '', 'structural'],
  ['CER-2', 'qualification[cer].identifier[]', 'PlainIdentifier'],
  ['CER-4', 'qualification[cer].issuer', 'Organization'],
  ['CER-10', 'qualification[cer].code', 'CodeableConcept'],
  ['CER-25', 'qualification[cer].period.start', 'dateTime'],
  ['CER-27', 'qualification[cer].period.end', 'dateTime'],
];

export const LOC: readonly Row[] = [
  ['LOC-2', 'description', 'string'],
  ['LOC-3', 'type[]', 'CodeableConcept'],
  ['LOC-4', 'managingOrganization', 'Organization'],
  ['LOC-5', 'address', 'Address'],
  ['LOC-6', 'telecom[]', 'ContactPoint'],
  ['LOC-7', 'identifier[]', 'CodedIdentifier'],
];

export const LDP: readonly Row[] = [
  ['LDP-2', 'type[]', 'CodeableConcept'],
  ['LDP-11', 'telecom[]', 'ContactPoint'],
];

export const OM1: readonly Row[] = [
  ['OM1-1', '', 'structural'],
  ['OM1-2', 'code', 'CodeableConcept'],
  ['OM1-7', 'identifier[]', 'CodedIdentifier'],
  ['OM1-9', 'preferredReportName', 'string'],
  ['OM1-14', 'method', 'CodeableConcept'],
  ['OM1-18', 'category[]', 'TableConcept:0174'],
];

export const OM2: readonly Row[] = [
  ['OM2-1', '', 'structural'],
  ['OM2-2', 'quantitativeDetails.customaryUnit', 'CodeableConcept'],
  ['OM2-3', 'quantitativeDetails.decimalPrecision', 'integer'],
  ['OM2-4', 'quantitativeDetails.unit', 'CodeableConcept'],
  ['OM2-5', 'quantitativeDetails.conversionFactor', 'decimal'],
];

export const OM4: readonly Row[] = [
  ['OM4-1', '', 'structural'],
  ['OM4-3', 'typeTested[first].container.description', 'string'],
  ['OM4-6', 'typeCollected', 'CodeableConcept'],
  ['OM4-8', 'typeTested[first].container.preparation', 'string'],
  ['OM4-11', 'typeTested[first].container.minimumVolumeQuantity', 'Quantity'],
  ['OM4-12', 'typeTested[first].requirement', 'string'],
];
