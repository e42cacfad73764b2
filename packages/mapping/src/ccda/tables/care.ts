/**
 * Procedures, encounters, acts, care teams, payers and family history.
 */
import type { Row, Table } from '../table.ts';
import { COMMENT, IDENTITY, INDICATION, REASON } from './common.ts';

const REQUEST_MOODS = ['INT', 'RQO', 'PRMS', 'PRP', 'ARQ', 'APT'];

const PROCEDURE_METHOD = 'http://hl7.org/fhir/StructureDefinition/procedure-method';

const PROCEDURE: readonly Row[] = [
  ...IDENTITY,
  ['code', 'code', 'concept'],
  ['statusCode', 'status', 'code', 'procedureStatus'],
  ['effectiveTime', 'performed[x]', 'timeOrPeriod'],
  ['targetSiteCode', 'bodySite[]', 'concept'],
  ['approachSiteCode', 'bodySite[]', 'concept'],
  ['methodCode', `extension(${PROCEDURE_METHOD}).valueCodeableConcept`, 'concept'],
  ['value', 'outcome', 'concept'],
  [
    'performer',
    'performer[]',
    'group',
    [
      ['.', 'actor', 'participant'],
      ['sdtc:functionCode', 'function', 'concept'],
      ['functionCode', 'function', 'concept'],
    ],
  ],
  ['participant[@typeCode=LOC]/participantRole', 'location', 'location'],
  ['participant/participantRole[playingDevice]', 'focalDevice[].manipulated', 'device'],
  ['author', 'recorder', 'participant'],
  ['informant', 'asserter', 'participant'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
  [`.[@negationInd=true]/entryRelationship/observation[template=${REASON}]/value`, 'statusReason', 'concept'],
  [`entryRelationship/observation[template=${REASON}]/value`, 'reasonCode[]', 'concept'],
  ...COMMENT,
];

const REQUEST: readonly Row[] = [
  ...IDENTITY,
  ['code', 'code', 'concept'],
  ['statusCode', 'status', 'code', 'serviceRequestStatus'],
  ['effectiveTime', 'occurrence[x]', 'timeOrPeriod'],
  ['targetSiteCode', 'bodySite[]', 'concept'],
  ['approachSiteCode', 'bodySite[]', 'concept'],
  ['methodCode', 'orderDetail[]', 'concept'],
  ['priorityCode', 'priority', 'code', 'requestPriority'],
  ['participant[@typeCode=LOC]/participantRole', 'locationReference[]', 'location'],
  ['participant[@typeCode=RESP,REFT,REFB]/participantRole', 'performer[]', 'participant'],
  ['author/time', 'authoredOn', 'dateTime'],
  ['author', 'requester', 'participant'],
  ['performer', 'performer[]', 'participant'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
  [`entryRelationship/observation[template=${REASON}]/value`, 'reasonCode[]', 'concept'],
  ...COMMENT,
];

/** Who took part in an encounter: as what, and when. */
export const ENCOUNTER_PARTICIPANT: readonly Row[] = [
  ['.', 'individual', 'participant'],
  ['sdtc:functionCode', 'type[]', 'concept'],
  ['functionCode', 'type[]', 'concept'],
  ['time', 'period', 'period'],
];

const ENCOUNTER: readonly Row[] = [
  ...IDENTITY,
  ['code', 'type[]', 'concept'],
  ['statusCode', 'status', 'code', 'encounterStatus'],
  ['effectiveTime', 'period', 'period'],
  ['effectiveTime[@value]', 'period.start', 'dateTime'],
  ['priorityCode', 'priority', 'concept'],
  ['sdtc:dischargeDispositionCode', 'hospitalization.dischargeDisposition', 'concept'],
  ['dischargeDispositionCode', 'hospitalization.dischargeDisposition', 'concept'],
  ['performer', 'participant[]', 'group', ENCOUNTER_PARTICIPANT],
  ['participant[@typeCode=LOC]/participantRole[not @classCode=SDLOC]', 'location[].location', 'location'],
  ['participant/participantRole[@classCode=SDLOC]', 'location[].location', 'location'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
  [`entryRelationship/observation[template=${REASON}]/value`, 'reasonCode[]', 'concept'],
];

/** A member named at the organizer itself. */
export const CARE_TEAM_PARTICIPANT: readonly Row[] = [
  ['participantRole', 'member', 'participant'],
  ['sdtc:functionCode', 'role[]', 'concept'],
  ['functionCode', 'role[]', 'concept'],
  ['time', 'period', 'period'],
];

/** A performer of the documented service, as a member of the care team. */
export const CARE_TEAM_PERFORMER: readonly Row[] = [
  [
    '.',
    'participant[]',
    'group',
    [
      ['.', 'member', 'participant'],
      ['functionCode', 'role[]', 'concept'],
      ['sdtc:functionCode', 'role[]', 'concept'],
      ['time', 'period', 'period'],
    ],
  ],
];

export const CARE_TABLES: readonly Table[] = [
  {
    name: 'family-history-organizer',
    resource: 'FamilyMemberHistory',
    elements: ['organizer'],
    templates: ['2.16.840.1.113883.10.20.22.4.45', '2.16.840.1.113883.10.20.1.23'],
    sections: ['10157-6'],
    rows: [
      ...IDENTITY,
      ['subject/relatedSubject/subject/sdtc:id', 'identifier[]', 'identifier'],
      ['effectiveTime', 'date', 'start'],
      ['component/observation[code=39016-1]/value', 'deceased[x]', 'age'],
      ['subject/relatedSubject/code', 'relationship', 'concept'],
      ['subject/relatedSubject/subject/name', 'name', 'organizationName'],
      ['subject/relatedSubject/subject/administrativeGenderCode', 'sex', 'concept'],
      ['subject/relatedSubject/subject/birthTime', 'bornDate', 'date'],
      ['subject/relatedSubject/subject/sdtc:deceasedInd', 'deceasedBoolean', 'boolean'],
      ['subject/relatedSubject/subject/sdtc:deceasedTime', 'deceasedDate', 'date'],
      [
        'component/observation[not code=39016-1]',
        'condition[]',
        'group',
        [
          ['value', 'code', 'concept'],
          [
            'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.31,2.16.840.1.113883.10.20.1.38]/value',
            'onset[x]',
            'age',
          ],
          [
            'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.516]/value',
            'onset[x]',
            'quantityOrRange',
          ],
          ['effectiveTime', 'onset[x]', 'during'],
          ['entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.47]/value', 'outcome', 'concept'],
          ...COMMENT,
        ],
      ],
    ],
    rule: 'familyHistory',
    required: { status: 'completed', relationship: 'absent' },
  },
  {
    name: 'care-team-organizer',
    resource: 'CareTeam',
    elements: ['organizer'],
    templates: ['2.16.840.1.113883.10.20.22.4.500'],
    rows: [
      ...IDENTITY,
      ['code', 'category[]', 'concept'],
      ['statusCode', 'status', 'code', 'careTeamStatus'],
      ['effectiveTime', 'period', 'period'],
      ['code/originalText', 'name', 'text'],
      ['participant[not @typeCode=LOC]', 'participant[]', 'group', CARE_TEAM_PARTICIPANT],
      ['component/act[template=2.16.840.1.113883.10.20.22.4.202]', 'note[]', 'annotation'],
      ['component/observation[template=2.16.840.1.113883.10.20.22.4.500.2]/value', 'category[]', 'concept'],
      [
        'component/act[template=2.16.840.1.113883.10.20.22.4.500.1]',
        'participant[]',
        'group',
        [
          ['performer', 'member', 'participant'],
          ['performer/sdtc:functionCode', 'role[]', 'concept'],
          ['performer/functionCode', 'role[]', 'concept'],
          ['participant[@typeCode=IND]/sdtc:functionCode', 'role[]', 'concept'],
          ['effectiveTime', 'period', 'period'],
          ['entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.500.3]/value', 'period', 'period'],
        ],
      ],
    ],
  },
  {
    name: 'policy-activity',
    resource: 'Coverage',
    elements: ['act'],
    templates: ['2.16.840.1.113883.10.20.22.4.61', '2.16.840.1.113883.10.20.1.26'],
    rows: [
      ...IDENTITY,
      ['code', 'type', 'concept'],
      ['statusCode', 'status', 'code', 'coverageStatus'],
      ['effectiveTime', 'period', 'period'],
      [
        'performer[not template=2.16.840.1.113883.10.20.22.4.88]/assignedEntity[representedOrganization]',
        'payor[]',
        'organization',
      ],
      ['participant[@typeCode=COV]/participantRole/id', 'identifier[]', 'identifier'],
      ['participant[@typeCode=COV]/participantRole/code', 'relationship', 'concept'],
      ['participant[@typeCode=COV]/time', 'period', 'period'],
      ['participant[@typeCode=HLD]/participantRole', 'subscriber', 'participant'],
      [
        'entryRelationship/act[@moodCode=DEF]',
        'class[]',
        'group',
        [
          ['id', 'value', 'extension'],
          ['text', 'name', 'text'],
        ],
      ],
    ],
    rule: 'coverage',
    required: { status: 'active' },
  },
  {
    name: 'planned-coverage',
    resource: 'Coverage',
    elements: ['act'],
    templates: ['2.16.840.1.113883.10.20.22.4.129'],
    rows: [
      ...IDENTITY,
      ['entryRelationship/act/code', 'type', 'concept'],
      ['entryRelationship/act/id', 'identifier[]', 'identifier'],
    ],
    rule: 'coverage',
    required: { status: 'draft' },
  },
  {
    name: 'care-plan-act',
    resource: 'CarePlan',
    elements: ['act'],
    templates: ['2.16.840.1.113883.10.20.22.4.518'],
    fixed: { intent: 'plan' },
    rows: [
      ...IDENTITY,
      ['code', 'category[]', 'concept'],
      ['statusCode', 'status', 'code', 'planStatus'],
      ['effectiveTime', 'period', 'period'],
      ['author/time', 'created', 'dateTime'],
      ['author', 'author', 'participant'],
      ...COMMENT,
    ],
    required: { status: 'unknown' },
  },
  {
    name: 'handoff-communication',
    resource: 'Communication',
    elements: ['act'],
    templates: ['2.16.840.1.113883.10.20.22.4.141'],
    moods: ['EVN'],
    rows: [
      ...IDENTITY,
      ['code', 'topic', 'concept'],
      ['statusCode', 'status', 'code', 'eventStatus'],
      ['effectiveTime', 'sent', 'start'],
      ['author', 'sender', 'participant'],
      ['participant[@typeCode=IRCP]/participantRole', 'recipient[]', 'participant'],
      ...COMMENT,
    ],
    required: { status: 'unknown' },
  },
  {
    name: 'planned-procedure',
    resource: 'ServiceRequest',
    elements: ['procedure', 'act', 'encounter'],
    moods: REQUEST_MOODS,
    fixed: { intent: 'plan' },
    rows: REQUEST,
    rule: 'serviceRequest',
    required: { status: 'unknown' },
  },
  {
    name: 'procedure-activity-observation',
    resource: 'Procedure',
    elements: ['observation'],
    templates: ['2.16.840.1.113883.10.20.22.4.13'],
    moods: ['EVN'],
    rows: PROCEDURE,
    rule: 'procedure',
    required: { status: 'unknown' },
  },
  {
    name: 'procedure-activity',
    resource: 'Procedure',
    elements: ['procedure'],
    rows: PROCEDURE,
    rule: 'procedure',
    required: { status: 'unknown' },
  },
  {
    name: 'encounter-activity',
    resource: 'Encounter',
    elements: ['encounter'],
    rows: ENCOUNTER,
    rule: 'encounter',
    required: { status: 'unknown' },
  },
  {
    name: 'note-activity',
    resource: 'DocumentReference',
    elements: ['act'],
    templates: ['2.16.840.1.113883.10.20.22.4.202'],
    rows: [
      ['id', 'identifier[]', 'identifier'],
      ['code', 'type', 'concept'],
      ['effectiveTime', 'context.period', 'period'],
      ['effectiveTime[@value]', 'context.period.start', 'dateTime'],
      ['author/time', 'date', 'instant'],
      ['author', 'author[]', 'participant'],
    ],
    rule: 'note',
  },
  {
    name: 'act',
    resource: 'Procedure',
    elements: ['act'],
    rows: PROCEDURE,
    rule: 'procedure',
    required: { status: 'unknown' },
  },
];
