/**
 * Procedures, encounters, acts, care teams, payers and family history.
 */
import type { Row, Table } from '../table.ts';
import { COMMENT, IDENTITY, INDICATION } from './common.ts';

const REQUEST_MOODS = ['INT', 'RQO', 'PRMS', 'PRP', 'ARQ', 'APT'];

const PROCEDURE: readonly Row[] = [
  ...IDENTITY,
  ['code', 'code', 'concept'],
  ['statusCode', 'status', 'code', 'procedureStatus'],
  ['effectiveTime', 'performed[x]', 'timeOrPeriod'],
  ['targetSiteCode', 'bodySite[]', 'concept'],
  ['approachSiteCode', 'bodySite[]', 'concept'],
  ['value', 'outcome', 'concept'],
  ['performer', 'performer[].actor', 'participant'],
  ['participant[@typeCode=LOC]/participantRole', 'location', 'location'],
  ['participant/participantRole[playingDevice]', 'focalDevice[].manipulated', 'device'],
  ['author', 'recorder', 'participant'],
  ['informant', 'asserter', 'participant'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
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
  ['participant[@typeCode=LOC]/participantRole', 'locationReference[]', 'location'],
  ['author/time', 'authoredOn', 'dateTime'],
  ['author', 'requester', 'participant'],
  ['performer', 'performer[]', 'participant'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
  ...COMMENT,
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
  ['performer', 'participant[].individual', 'participant'],
  ['participant[@typeCode=LOC]/participantRole[not @classCode=SDLOC]', 'location[].location', 'location'],
  ['participant/participantRole[@classCode=SDLOC]', 'location[].location', 'location'],
  [`entryRelationship[@typeCode=RSON]/observation[template=${INDICATION}]/value`, 'reasonCode[]', 'concept'],
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
      ['effectiveTime', 'date', 'start'],
      ['subject/relatedSubject/code', 'relationship', 'concept'],
      ['subject/relatedSubject/subject/name', 'name', 'organizationName'],
      ['subject/relatedSubject/subject/administrativeGenderCode', 'sex', 'concept'],
      ['subject/relatedSubject/subject/birthTime', 'bornDate', 'date'],
      ['subject/relatedSubject/subject/sdtc:deceasedInd', 'deceasedBoolean', 'boolean'],
      ['subject/relatedSubject/subject/sdtc:deceasedTime', 'deceasedDate', 'date'],
      [
        'component/observation',
        'condition[]',
        'group',
        [
          ['value', 'code', 'concept'],
          [
            'entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.31,2.16.840.1.113883.10.20.1.38]/value',
            'onset[x]',
            'age',
          ],
          ['entryRelationship/observation[template=2.16.840.1.113883.10.20.22.4.47]/value', 'outcome', 'concept'],
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
      ['participant/participantRole', 'participant[].member', 'participant'],
      ['component/observation[template=2.16.840.1.113883.10.20.22.4.500.2]/value', 'category[]', 'concept'],
      [
        'component/act[template=2.16.840.1.113883.10.20.22.4.500.1]',
        'participant[]',
        'group',
        [
          ['performer', 'member', 'participant'],
          ['performer/sdtc:functionCode', 'role[]', 'concept'],
          ['performer/functionCode', 'role[]', 'concept'],
          ['effectiveTime', 'period', 'period'],
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
        'performer[not template=2.16.840.1.113883.10.20.22.4.88]/assignedEntity/representedOrganization',
        'payor[]',
        'organization',
      ],
      ['participant[@typeCode=COV]/participantRole/id', 'identifier[]', 'identifier'],
      ['participant[@typeCode=COV]/participantRole/code', 'relationship', 'concept'],
      ['participant[@typeCode=COV]/time', 'period', 'period'],
      ['participant[@typeCode=HLD]/participantRole', 'subscriber', 'participant'],
    ],
    rule: 'coverage',
    required: { status: 'active' },
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
