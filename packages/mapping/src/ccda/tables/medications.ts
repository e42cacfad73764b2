/**
 * Medications, dispenses, immunizations: MedicationStatement, MedicationRequest, MedicationDispense, Immunization.
 */
import type { Row, Table } from '../table.ts';
import { COMMENT, IDENTITY, INDICATION, REASON } from './common.ts';

const MATERIAL = 'consumable/manufacturedProduct/manufacturedMaterial';
const PRODUCT = 'product/manufacturedProduct/manufacturedMaterial';
const INSTRUCTION = 'entryRelationship/act[template=2.16.840.1.113883.10.20.22.4.20,2.16.840.1.113883.10.20.1.49]';
const FREE_TEXT_SIG = 'entryRelationship/substanceAdministration[template=2.16.840.1.113883.10.20.22.4.147]/text';
const REQUEST_MOODS = ['INT', 'RQO', 'PRMS', 'PRP', 'ARQ', 'APT'];
/** Immunization Not Given Reason: the reason is its code, since 2024 its value. */
const REFUSAL = 'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.53]';
const MEDICATION_TEMPLATES = [
  '2.16.840.1.113883.10.20.22.4.16',
  '2.16.840.1.113883.10.20.22.4.42',
  '2.16.840.1.113883.10.20.1.24',
];
const IMMUNIZATION_TEMPLATES = ['2.16.840.1.113883.10.20.22.4.52', '2.16.840.1.113883.10.20.22.4.120'];
const REACTION = 'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.9,2.16.840.1.113883.10.20.1.54]';

/** What the two kinds of medication have in common; the dosage element has another name in each. */
function medicationRows(dosage: string): Row[] {
  return [
    ...IDENTITY,
    [`${MATERIAL}/code`, 'medicationCodeableConcept', 'concept'],
    [`${MATERIAL}/name`, 'medicationCodeableConcept.text', 'organizationName'],
    ['consumable/manufacturedProduct/manufacturedLabeledDrug/code', 'medicationCodeableConcept', 'concept'],
    ['effectiveTime[type=PIVL_TS,EIVL_TS,SXPR_TS]', `${dosage}[0].timing`, 'timing'],
    ['routeCode', `${dosage}[0].route`, 'concept'],
    ['approachSiteCode', `${dosage}[0].site`, 'concept'],
    ['methodCode', `${dosage}[0].method`, 'concept'],
    ['doseQuantity', `${dosage}[0].doseAndRate[0].dose[x]`, 'quantityOrRange'],
    ['rateQuantity', `${dosage}[0].doseAndRate[0].rate[x]`, 'quantityOrRange'],
    ['maxDoseQuantity/numerator', `${dosage}[0].maxDosePerPeriod.numerator`, 'quantity'],
    ['maxDoseQuantity/denominator', `${dosage}[0].maxDosePerPeriod.denominator`, 'quantity'],
    ['administrationUnitCode', `${dosage}[0].additionalInstruction[]`, 'concept'],
    ['precondition/criterion/value', `${dosage}[0].asNeededCodeableConcept`, 'concept'],
    ['precondition/value', `${dosage}[0].asNeededCodeableConcept`, 'concept'],
    [`${INSTRUCTION}/code`, `${dosage}[0].additionalInstruction[]`, 'concept'],
    [`${INSTRUCTION}/text`, `${dosage}[0].patientInstruction`, 'text'],
    [FREE_TEXT_SIG, `${dosage}[0].text`, 'text'],
    [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
    [`entryRelationship/observation[template=${REASON}]/value`, 'reasonCode[]', 'concept'],
    ...COMMENT,
  ];
}

const SUPPLY_ORDER: readonly Row[] = [
  ...IDENTITY,
  [`${PRODUCT}/code`, 'medicationCodeableConcept', 'concept'],
  ['statusCode', 'status', 'code', 'requestStatus'],
  ['effectiveTime[not type=PIVL_TS,EIVL_TS,SXPR_TS]', 'dispenseRequest.validityPeriod', 'period'],
  ['quantity', 'dispenseRequest.quantity', 'quantity'],
  ['repeatNumber', 'dispenseRequest.numberOfRepeatsAllowed', 'repeats'],
  [`${INSTRUCTION}/code`, 'dosageInstruction[0].additionalInstruction[]', 'concept'],
  [`${INSTRUCTION}/text`, 'dosageInstruction[0].patientInstruction', 'text'],
  ['author/time', 'authoredOn', 'dateTime'],
  ['author', 'requester', 'participant'],
  ['performer', 'performer', 'participant'],
  ...COMMENT,
];

export const MEDICATION_TABLES: readonly Table[] = [
  {
    name: 'immunization-activity',
    resource: 'Immunization',
    elements: ['substanceAdministration'],
    templates: IMMUNIZATION_TEMPLATES,
    sections: ['11369-6', '87273-9'],
    moods: ['EVN'],
    rows: [
      ...IDENTITY,
      [`${MATERIAL}/code`, 'vaccineCode', 'concept'],
      [`${MATERIAL}/name`, 'vaccineCode.text', 'organizationName'],
      [`${MATERIAL}/lotNumberText`, 'lotNumber', 'text'],
      ['consumable/manufacturedProduct/manufacturerOrganization', 'manufacturer', 'organization'],
      ['statusCode', 'status', 'code', 'immunizationStatus'],
      ['effectiveTime', 'occurrence[x]', 'start'],
      ['routeCode', 'route', 'concept'],
      ['approachSiteCode', 'site', 'concept'],
      ['doseQuantity', 'doseQuantity', 'quantity'],
      ['repeatNumber', 'protocolApplied[0].doseNumberPositiveInt', 'positive'],
      ['entryRelationship/act[template=2.16.840.1.113883.10.20.22.4.118]', '', 'folded'],
      ['performer', 'performer[].actor', 'participant'],
      ['participant/participantRole[@classCode=SDLOC]', 'location', 'location'],
      [`${REFUSAL}[code=71798-3]/value`, 'statusReason', 'concept'],
      [`${REFUSAL}[not code=71798-3]/code`, 'statusReason', 'concept'],
      [
        'entryRelationship[@typeCode=RSON]/observation[not template=2.16.840.1.113883.10.20.22.4.53]/value',
        'reasonCode[]',
        'concept',
      ],
      [REACTION, 'reaction[].detail', 'statement'],
      ['author/time', 'recorded', 'dateTime'],
      ...COMMENT,
    ],
    rule: 'immunization',
    required: { status: 'completed', vaccineCode: 'absent', 'occurrence[x]': 'absent' },
  },
  {
    name: 'planned-medication',
    resource: 'MedicationRequest',
    elements: ['substanceAdministration'],
    moods: REQUEST_MOODS,
    fixed: { intent: 'order' },
    rows: [
      ...medicationRows('dosageInstruction'),
      ['statusCode', 'status', 'code', 'requestStatus'],
      ['effectiveTime[not type=PIVL_TS,EIVL_TS,SXPR_TS]', 'dosageInstruction[0].timing', 'timing'],
      ['repeatNumber', 'dosageInstruction[0].timing.repeat.count', 'positive'],
      ['author/time', 'authoredOn', 'dateTime'],
      ['author', 'requester', 'participant'],
      ['performer', 'performer', 'participant'],
      ['priorityCode', 'priority', 'code', 'requestPriority'],
    ],
    rule: 'medicationRequest',
    required: { status: 'unknown', medicationCodeableConcept: 'absent' },
  },
  {
    name: 'medication-activity',
    resource: 'MedicationStatement',
    elements: ['substanceAdministration'],
    templates: MEDICATION_TEMPLATES,
    moods: ['EVN'],
    rows: [
      ...medicationRows('dosage'),
      ['statusCode', 'status', 'code', 'medicationStatementStatus'],
      ['effectiveTime[not type=PIVL_TS,EIVL_TS,SXPR_TS][1]', 'effective[x]', 'timeOrPeriod'],
      ['effectiveTime[not type=PIVL_TS,EIVL_TS,SXPR_TS][2]', 'dosage[0].timing', 'timing'],
      ['author/time', 'dateAsserted', 'dateTime'],
      ['informant', 'informationSource', 'participant'],
      ['author', 'informationSource', 'participant'],
    ],
    rule: 'medicationStatement',
    required: { status: 'unknown', medicationCodeableConcept: 'absent' },
  },
  {
    name: 'supply-order',
    resource: 'MedicationRequest',
    elements: ['supply'],
    templates: ['2.16.840.1.113883.10.20.22.4.17'],
    moods: REQUEST_MOODS,
    fixed: { intent: 'order' },
    rows: SUPPLY_ORDER,
    rule: 'medicationRequest',
    required: { status: 'unknown', medicationCodeableConcept: 'parent' },
  },
  {
    // Without a product it is a device, or not said: a supply-request.
    name: 'planned-supply',
    resource: 'MedicationRequest',
    elements: ['supply'],
    templates: ['2.16.840.1.113883.10.20.22.4.43'],
    needs: 'product',
    moods: REQUEST_MOODS,
    fixed: { intent: 'plan' },
    rows: SUPPLY_ORDER,
    rule: 'medicationRequest',
    required: { status: 'unknown', medicationCodeableConcept: 'absent' },
  },
  {
    name: 'medication-dispense',
    resource: 'MedicationDispense',
    elements: ['supply'],
    templates: ['2.16.840.1.113883.10.20.22.4.18', '2.16.840.1.113883.10.20.1.34'],
    rows: [
      ...IDENTITY,
      [`${PRODUCT}/code`, 'medicationCodeableConcept', 'concept'],
      ['statusCode', 'status', 'code', 'dispenseStatus'],
      ['effectiveTime', 'whenHandedOver', 'start'],
      ['quantity', 'quantity', 'quantity'],
      ['performer', 'performer[].actor', 'participant'],
      ...COMMENT,
    ],
    rule: 'dispense',
    required: { status: 'unknown', medicationCodeableConcept: 'parent' },
  },
  {
    name: 'supply-request',
    resource: 'DeviceRequest',
    elements: ['supply'],
    moods: REQUEST_MOODS,
    fixed: { intent: 'plan' },
    rows: [
      ...IDENTITY,
      ['code', 'codeCodeableConcept', 'concept'],
      [`${PRODUCT}/code`, 'codeCodeableConcept', 'concept'],
      ['participant/participantRole[playingDevice]', 'codeReference', 'device'],
      ['statusCode', 'status', 'code', 'requestStatus'],
      ['effectiveTime', 'occurrence[x]', 'timeOrPeriod'],
      ['author/time', 'authoredOn', 'dateTime'],
      ['author', 'requester', 'participant'],
      ['performer', 'performer', 'participant'],
      ...COMMENT,
    ],
    rule: 'deviceRequest',
  },
  {
    name: 'supply-activity',
    resource: 'DeviceUseStatement',
    elements: ['supply'],
    rows: [
      ...IDENTITY,
      ['statusCode', 'status', 'code', 'deviceUseStatus'],
      ['effectiveTime', 'timing[x]', 'timeOrPeriod'],
      ['participant/participantRole[playingDevice]', 'device', 'device'],
      ['participant/participantRole[@classCode=MANU]', 'device', 'device'],
      ['author/time', 'recordedOn', 'dateTime'],
      ['author', 'source', 'participant'],
      ...COMMENT,
    ],
    rule: 'deviceUse',
  },
];
