/** Family history: an organizer for each relative. */
import type { FamilyMemberHistory, FamilyMemberHistoryCondition } from '@medplum/fhirtypes';
import { quantityWords } from '../any-value.ts';
import { ACT_CODE, SNOMED } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, fixed, hasCode, ids, nameOf, quantity, time, ts } from '../values.ts';
import type { Writer } from '../writer.ts';

export const FAMILY_HISTORY: SectionKind = {
  template: ['.2.15', '2015-08-01'],
  code: '10157-6',
  display: 'History of family member diseases note',
  title: 'Family History',
  none: 'There is no information about family history.',
};

export function writeFamilyHistory(writer: Writer): SectionBody {
  const body = emptyBody(['Relative', 'Condition', 'Age at onset', 'Died of it']);
  for (const member of writer.chart.all<FamilyMemberHistory>('FamilyMemberHistory')) {
    if (member.status === 'entered-in-error' || writer.take(member)) continue;
    body.entries.push(organizer(writer, member, body));
  }
  return body;
}

function organizer(writer: Writer, member: FamilyMemberHistory, body: SectionBody): CdaElement {
  const conditions = member.condition ?? [{ code: {} }];
  const components = conditions.map((condition, n) => {
    const row = writer.nextId('family');
    const relative = [nameOf(member.relationship), member.name].filter((one) => one !== undefined).join(', ');
    body.rows.push({
      id: row,
      cells: [
        relative,
        nameOf(condition.code),
        condition.onsetAge && quantityWords(condition.onsetAge),
        isDeath(condition) ? 'yes' : '',
      ],
    });
    return el('component', {}, observation(member, condition, row, n));
  });
  const element = statement(
    'organizer',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    template('familyOrganizer'),
    ids(member),
    statusCode('completed'),
    member.date !== undefined && time('effectiveTime', member.date),
    subject(member),
    components,
  );
  return putBack(element, member);
}

function subject(member: FamilyMemberHistory): CdaElement {
  const sex = member.sex;
  const died = member.deceasedDate ?? member.deceasedBoolean;
  return el(
    'subject',
    {},
    el(
      'relatedSubject',
      { classCode: 'PRS' },
      code('code', member.relationship, { prefer: ['http://terminology.hl7.org/CodeSystem/v3-RoleCode'] }),
      el(
        'subject',
        {},
        member.name !== undefined && el('name', {}, member.name),
        sex === undefined
          ? el('administrativeGenderCode', { nullFlavor: 'UNK' })
          : code('administrativeGenderCode', genderOf(sex)),
        member.bornDate !== undefined && el('birthTime', { value: ts(member.bornDate) }),
        died !== undefined && el('sdtc:deceasedInd', { value: String(died !== false) }),
        member.deceasedDate !== undefined && el('sdtc:deceasedTime', { value: ts(member.deceasedDate) }),
      ),
    ),
  );
}

/** FHIR's own gender codes as those of the schema; those of v3 stay as they are. */
function genderOf(sex: NonNullable<FamilyMemberHistory['sex']>): NonNullable<FamilyMemberHistory['sex']> {
  const known = { male: 'M', female: 'F' }[sex.coding?.[0]?.code ?? ''];
  if (known === undefined) return sex;
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender', code: known }] };
}

function observation(
  member: FamilyMemberHistory,
  condition: FamilyMemberHistoryCondition,
  row: string,
  n: number,
): CdaElement {
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template('familyObservation'),
    ids({ resourceType: 'FamilyMemberHistory', id: `${member.id}-${n + 1}` }),
    fixed(
      'code',
      '64572001',
      SNOMED,
      'Condition',
      undefined,
      fixed('translation', '75315-2', '2.16.840.1.113883.6.1', 'Condition Family member'),
    ),
    textReference(row),
    statusCode('completed'),
    condition.onsetString === undefined ? undefined : el('effectiveTime', { nullFlavor: 'UNK' }),
    code('value', condition.code, { type: 'CD', none: 'NI' }),
    condition.onsetAge &&
      related(
        'SUBJ',
        smallObservation(
          'age',
          fixed('code', '445518008', SNOMED, 'Age at onset'),
          quantity('value', condition.onsetAge, 'PQ'),
        ),
        true,
      ),
    isDeath(condition) &&
      related(
        'CAUS',
        smallObservation(
          'familyDeath',
          fixed('code', 'ASSERTION', ACT_CODE),
          fixed('value', '419099009', SNOMED, 'Dead', 'CD'),
        ),
      ),
  );
}

function isDeath({ outcome, contributedToDeath }: FamilyMemberHistoryCondition): boolean {
  return contributedToDeath === true || hasCode(outcome, '419099009');
}
