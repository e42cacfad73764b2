/** GT1, IN1, IN2, FT1: guarantor, coverage, charges (v2.9 chapter 6; v2-to-FHIR IN1[Coverage] for the facts it covers). */
import type { Row } from '../engine.ts';

export const GT1: readonly Row[] = [
  ['GT1-1', '', 'structural'],
  ['GT1-2', 'identifier[]', 'Identifier'],
  ['GT1-3', 'name[]', 'HumanName'],
  ['GT1-5', 'address[]', 'Address'],
  ['GT1-6', 'telecom[]', 'HomeContactPoint'],
  ['GT1-7', 'telecom[]', 'WorkContactPoint'],
  ['GT1-8', 'birthDate', 'birthDate'],
  ['GT1-9', 'gender', 'code:gender'],
  ['GT1-11', 'relationship[]', 'CodeableConcept:relationship'],
  ['GT1-12', 'identifier[]', 'Ssn'],
  ['GT1-13', 'period.start', 'dateTime'],
  ['GT1-17', 'address[]', 'Address', { with: { use: 'work' } }],
  ['GT1-14', 'period.end', 'dateTime'],
  ['GT1-18', 'telecom[]', 'WorkContactPoint'],
  ['GT1-19', 'identifier[]', 'Identifier:employee'],
  ['GT1-44', 'extension[]', 'ethnicity'],
  ['GT1-55', 'extension[]', 'race'],
  ['GT1-36', 'communication[].language', 'CodeableConcept'],
  ['GT1-45', 'name[]', 'HumanName'],
  ['GT1-46', 'telecom[]', 'ContactPoint'],
];

const classOf = (code: string) => ({
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code }] },
});

export const IN1: readonly Row[] = [
  ['IN1-1', '', 'structural'],
  ['IN1-2.1', 'class[plan].value', 'string', { with: classOf('plan') }],
  ['IN1-2.2', 'class[plan].name', 'string', { with: classOf('plan') }],
  ['IN1-8', 'class[group].value', 'string', { with: classOf('group') }],
  ['IN1-9', 'class[group].name', 'string', { with: classOf('group') }],
  ['IN1-10', 'identifier[]', 'Identifier'],
  ['IN1-11', 'policyHolder', 'Organization'],
  ['IN1-12', 'period.start', 'dateTime'],
  ['IN1-13', 'period.end', 'dateTime'],
  ['IN1-15', 'type', 'CodeableConcept'],
  ['IN1-17', 'relationship', 'CodeableConcept:coverageRelationship'],
  ['IN1-22', 'order', 'positiveInt'],
  ['IN1-35', 'class[subplan].value', 'string', { with: classOf('subplan') }],
  [
    'IN1-36',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MB' }] } } },
  ],
  ['IN1-37', 'costToBeneficiary[deductible].valueMoney', 'Money', { with: { type: { text: 'Policy deductible' } } }],
  ['IN1-49', 'identifier[]', 'Identifier'],
];

/** The insured person, when it is not the patient. */
export const IN1_SUBSCRIBER: readonly Row[] = [
  ['IN1-16', 'name[]', 'HumanName'],
  ['IN1-18', 'birthDate', 'birthDate'],
  ['IN1-19', 'address[]', 'Address'],
  ['IN1-43', 'gender', 'code:gender'],
];

export const IN2: readonly Row[] = [
  [
    'IN2-6',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MC' }] } } },
  ],
  [
    'IN2-8',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MA' }] } } },
  ],
  ['IN2-10', 'identifier[]', 'PlainIdentifier', { with: { type: { text: 'Military ID' } } }],
  ['IN2-61', 'identifier[]', 'Identifier:member'],
];

export const IN2_SUBSCRIBER: readonly Row[] = [
  ['IN2-1', 'identifier[]', 'Identifier:employee'],
  ['IN2-2', 'identifier[]', 'Ssn'],
  ['IN2-7', 'name[]', 'HumanName'],
  ['IN2-34', 'communication[].language', 'CodeableConcept'],
  ['IN2-63', 'telecom[]', 'HomeContactPoint'],
  ['IN2-64', 'telecom[]', 'WorkContactPoint'],
];

/** AUT: an authorization as the answer to a preauthorization. */
export const AUT: readonly Row[] = [
  ['AUT-4', 'preAuthPeriod.start', 'dateTime'],
  ['AUT-5', 'preAuthPeriod.end', 'dateTime'],
  ['AUT-6', 'preAuthRef', 'string'],
  ['AUT-7', 'total[limit].amount', 'Money', { with: { category: { text: 'Reimbursement limit' } } }],
  ['AUT-10', 'created', 'dateTime'],
  ['AUT-28', 'processNote[].text', 'string'],
];

export const FT1: readonly Row[] = [
  ['FT1-1', '', 'structural'],
  ['FT1-2', 'identifier[]', 'PlainIdentifier'],
  ['FT1-4', 'occurrenceDateTime', 'dateTime'],
  ['FT1-5', 'enteredDate', 'dateTime'],
  ['FT1-6', '', 'consumed'],
  ['FT1-7', 'code', 'CodeableConcept'],
  ['FT1-10', 'quantity.value', 'decimal'],
  ['FT1-11', 'priceOverride', 'Money'],
  ['FT1-12', 'priceOverride', 'Money', { when: 'not FT1-11 valued' }],
  ['FT1-13', 'costCenter', 'CodedOrganization'],
  ['FT1-19', 'reason[]', 'CodeableConcept'],
  ['FT1-20', 'performer[].actor', 'Practitioner'],
  ['FT1-24', 'enterer', 'Practitioner'],
  ['FT1-29', 'productCodeableConcept', 'CodeableConcept'],
  ['FT1-32', 'performingOrganization', 'Organization'],
  ['FT1-33', 'requestingOrganization', 'Organization'],
];
