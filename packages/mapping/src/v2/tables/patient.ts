/** PID, PD1, NK1: the patient and next of kin (v2.9 chapter 3.4; v2-to-FHIR PID[Patient], PD1[Patient], NK1[RelatedPerson]). */
import type { Row } from '../engine.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition';

export const PID: readonly Row[] = [
  ['PID-1', '', 'structural'],
  ['PID-3', 'identifier[]', 'Identifier'],
  ['PID-2', 'identifier[]', 'Identifier:external'],
  ['PID-4', 'identifier[]', 'Identifier:alternate'],
  ['PID-5', 'name[]', 'HumanName'],
  ['PID-6', `extension(${EXTENSION}/patient-mothersMaidenName).valueString`, 'MaidenName'],
  ['PID-7', 'birthDate', 'birthDate'],
  ['PID-8', 'gender', 'code:gender'],
  ['PID-9', 'name[]', 'HumanName', { clears: 'name[use=old]' }],
  [
    'PID-10',
    'extension[]',
    'race',
    { clears: 'extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-race]' },
  ],
  ['PID-11', 'address[]', 'Address'],
  ['PID-12', 'address[county].district', 'string'],
  ['PID-13', 'telecom[]', 'HomeContactPoint', { clears: 'telecom[use=home]' }],
  ['PID-14', 'telecom[]', 'WorkContactPoint', { clears: 'telecom[use=work]' }],
  ['PID-15', 'communication[].language', 'CodeableConcept'],
  ['PID-16', 'maritalStatus', 'CodeableConcept:maritalStatus'],
  ['PID-17', `extension(${EXTENSION}/patient-religion).valueCodeableConcept`, 'CodeableConcept'],
  ['PID-19', 'identifier[]', 'Ssn', { clears: 'identifier[system=http://hl7.org/fhir/sid/us-ssn]' }],
  ['PID-20', 'identifier[]', 'Licence', { clears: 'identifier[type=DL]' }],
  [
    'PID-22',
    'extension[]',
    'ethnicity',
    { clears: 'extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity]' },
  ],
  ['PID-23', `extension(${EXTENSION}/patient-birthPlace).valueAddress.text`, 'string'],
  ['PID-24', 'multipleBirthBoolean', 'boolean', { when: 'not PID-25 valued or PID-24 in N and PID-25 in 0, 1' }],
  ['PID-25', 'multipleBirthInteger', 'positiveInt', { when: 'not PID-24 in N or not PID-25 in 0, 1' }],
  ['PID-24', '', 'consumed'],
  ['PID-26', `extension(${EXTENSION}/patient-citizenship).extension(code).valueCodeableConcept`, 'CodeableConcept'],
  ['PID-28', `extension(${EXTENSION}/patient-nationality).extension(code).valueCodeableConcept`, 'CodeableConcept'],
  ['PID-29', 'deceasedDateTime', 'dateTime', { clears: 'deceasedDateTime' }],
  ['PID-30', 'deceasedBoolean', 'boolean', { when: 'not PID-29 valued', clears: 'deceasedBoolean' }],
  ['PID-30', '', 'consumed'],
  ['PID-35', `extension{${EXTENSION}/patient-animal}.extension(species).valueCodeableConcept`, 'CodeableConcept'],
  ['PID-36', `extension{${EXTENSION}/patient-animal}.extension(breed).valueCodeableConcept`, 'CodeableConcept'],
  [
    'PID-39',
    'extension(http://hl7.org/fhir/us/core/StructureDefinition/us-core-tribal-affiliation).extension(tribalAffiliation).valueCodeableConcept',
    'CodeableConcept',
  ],
  ['PID-40', 'telecom[]', 'ContactPoint'],
];

export const PD1: readonly Row[] = [
  ['PD1-3', 'generalPractitioner[]', 'Organization'],
  ['PD1-4', 'generalPractitioner[]', 'Practitioner'],
  ['PD1-6', `extension(${EXTENSION}/patient-disability).valueCodeableConcept`, 'CodeableConcept'],
  ['PD1-14', `extension(${EXTENSION}/patient-congregation).valueString`, 'string'],
];

export const NK1: readonly Row[] = [
  ['NK1-1', '', 'structural'],
  ['NK1-2', 'name[]', 'HumanName'],
  ['NK1-3', 'relationship[]', 'CodeableConcept:relationship'],
  ['NK1-4', 'address[]', 'Address'],
  ['NK1-5', 'telecom[]', 'HomeContactPoint'],
  ['NK1-6', 'telecom[]', 'WorkContactPoint'],
  ['NK1-7', 'relationship[]', 'CodeableConcept:contactRole'],
  ['NK1-8', 'period.start', 'dateTime'],
  ['NK1-9', 'period.end', 'dateTime'],
  ['NK1-12', 'identifier[]', 'Identifier:employee'],
  ['NK1-15', 'gender', 'code:gender'],
  ['NK1-16', 'birthDate', 'birthDate'],
  ['NK1-20', 'communication[].language', 'CodeableConcept'],
  ['NK1-33', 'identifier[]', 'Identifier'],
  ['NK1-28', 'extension[]', 'ethnicity'],
  ['NK1-35', 'extension[]', 'race'],
  ['NK1-37', 'identifier[]', 'Ssn'],
  ['NK1-40', 'telecom[]', 'ContactPoint'],
  ['NK1-41', 'telecom[]', 'ContactPoint'],
];
