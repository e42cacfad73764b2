/**
 * Allergies and problems: AllergyIntolerance and Condition.
 */
import type { Row, Table } from '../table.ts';
import { COMMENT, IDENTITY } from './common.ts';

const STATUS_OBSERVATIONS =
  'template=2.16.840.1.113883.10.20.22.4.6,2.16.840.1.113883.10.20.22.4.28,2.16.840.1.113883.10.20.1.39,2.16.840.1.113883.10.20.1.50';
const SEVERITY = 'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.8,2.16.840.1.113883.10.20.1.55]';
const REACTION = 'template=2.16.840.1.113883.10.20.22.4.9,2.16.840.1.113883.10.20.1.54';

const ASSERTED_DATE = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate';
const ALLERGY_ABATEMENT = 'http://hl7.org/fhir/StructureDefinition/allergyintolerance-abatement';

const REACTION_ROWS: readonly Row[] = [
  ['value', 'manifestation[]', 'concept'],
  ['effectiveTime', 'onset', 'start'],
  ['text', 'description', 'text'],
  [`${SEVERITY}/value`, 'severity', 'code', 'severity'],
  ['entryRelationship/observation[code=SEV]/value', 'severity', 'code', 'severity'],
];

/** A concern act that is denied and holds nothing: "no known health concerns". */
export const DENIED_CONCERN: Table = {
  name: 'denied-concern',
  resource: 'Condition',
  elements: ['act'],
  rows: [
    ...IDENTITY,
    ['code', 'code', 'concept'],
    ['effectiveTime[@value]', 'recordedDate', 'dateTime'],
    ['effectiveTime/low', 'recordedDate', 'dateTime'],
    ['author', 'recorder', 'participant'],
  ],
  rule: 'condition',
};

export const CONDITION_TABLES: readonly Table[] = [
  {
    name: 'allergy-intolerance-observation',
    resource: 'AllergyIntolerance',
    elements: ['observation'],
    templates: ['2.16.840.1.113883.10.20.22.4.7', '2.16.840.1.113883.10.20.24.3.90', '2.16.840.1.113883.10.20.1.18'],
    sections: ['48765-2'],
    rows: [
      ...IDENTITY,
      ['participant[@typeCode=CSM]/participantRole/playingEntity/code', 'code', 'concept'],
      ['participant[@typeCode=CSM]/participantRole/playingEntity/name', 'code.text', 'organizationName'],
      ['value', 'type', 'code', 'allergyType'],
      ['value', 'category[]', 'code', 'allergyCategory'],
      ['code', 'type', 'code', 'allergyType'],
      ['code', 'category[]', 'code', 'allergyCategory'],
      ['effectiveTime', 'onset[x]', 'start'],
      ['effectiveTime/high', `extension(${ALLERGY_ABATEMENT}).valueDateTime`, 'dateTime'],
      [`entryRelationship/observation[${STATUS_OBSERVATIONS}]/value`, 'clinicalStatus', 'code', 'clinicalStatus'],
      ['entryRelationship/observation[code=33999-4]/value', 'clinicalStatus', 'code', 'clinicalStatus'],
      [
        'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.145]/value',
        'criticality',
        'code',
        'criticality',
      ],
      [`entryRelationship/observation[${REACTION}]`, 'reaction[]', 'group', REACTION_ROWS],
      [`entryRelationship[@typeCode=MFST]/observation[not ${REACTION}]`, 'reaction[]', 'group', REACTION_ROWS],
      [`${SEVERITY}/value`, 'reaction[0].severity', 'code', 'severity'],
      ['author/time', 'recordedDate', 'dateTime'],
      ['author', 'recorder', 'participant'],
      ['informant', 'asserter', 'participant'],
      ...COMMENT,
    ],
    rule: 'allergy',
  },
  {
    name: 'problem-observation',
    resource: 'Condition',
    elements: ['observation'],
    templates: [
      '2.16.840.1.113883.10.20.22.4.4',
      '2.16.840.1.113883.10.20.1.28',
      '2.16.840.1.113883.10.20.22.4.74.1',
      '2.16.840.1.113883.10.20.22.4.68',
      '2.16.840.1.113883.10.20.22.4.70',
      '2.16.840.1.113883.10.20.22.4.73',
      '2.16.840.1.113883.10.20.22.4.114',
      '2.16.840.1.113883.10.20.24.3.137',
    ],
    sections: [
      '11450-4',
      '11348-0',
      '46240-8',
      '11535-2',
      '46241-6',
      '29308-4',
      '42347-5',
      '10219-4',
      '10218-6',
      '55109-3',
      '59769-0',
      '59768-2',
    ],
    moods: ['EVN'],
    rows: [
      ...IDENTITY,
      ['value', 'code', 'concept'],
      ['code', 'category[]', 'concept'],
      ['effectiveTime/low', 'onset[x]', 'start'],
      ['effectiveTime/high', 'abatement[x]', 'end'],
      ['effectiveTime[@value]', 'onset[x]', 'start'],
      [`entryRelationship/observation[${STATUS_OBSERVATIONS}]/value`, 'clinicalStatus', 'code', 'clinicalStatus'],
      ['entryRelationship/observation[code=33999-4]/value', 'clinicalStatus', 'code', 'clinicalStatus'],
      [`${SEVERITY}/value`, 'severity', 'concept'],
      ['targetSiteCode', 'bodySite[]', 'concept'],
      [
        'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.31,2.16.840.1.113883.10.20.1.38]/value',
        'onset[x]',
        'age',
      ],
      [
        'entryRelationship/act[template=2.16.840.1.113883.10.20.22.4.502]/effectiveTime',
        `extension(${ASSERTED_DATE}).valueDateTime`,
        'dateTime',
      ],
      ['author/time', 'recordedDate', 'dateTime'],
      ['author', 'recorder', 'participant'],
      ['informant', 'asserter', 'participant'],
      ...COMMENT,
    ],
    rule: 'condition',
  },
  {
    name: 'indication',
    resource: 'Condition',
    elements: ['observation'],
    templates: ['2.16.840.1.113883.10.20.22.4.19'],
    moods: ['EVN'],
    rows: [
      ...IDENTITY,
      ['value', 'code', 'concept'],
      ['code', 'category[]', 'concept'],
      ['effectiveTime/low', 'onset[x]', 'start'],
      ['effectiveTime/high', 'abatement[x]', 'end'],
      ['effectiveTime[@value]', 'onset[x]', 'start'],
      ['author/time', 'recordedDate', 'dateTime'],
      ['author', 'recorder', 'participant'],
      ...COMMENT,
    ],
    rule: 'condition',
  },
];
