/** Care teams, payers and medical equipment. */
import type {
  CareTeam,
  CareTeamParticipant,
  Coverage,
  Device,
  DeviceUseStatement,
  Organization,
} from '@medplum/fhirtypes';
import { choice, periodWords, wordsOf } from '../any-value.ts';
import { backwards, LOINC, ROLE_CODE } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { notes } from '../notes-within.ts';
import { assignedEntity, authors, organizationRole, partyOf, product } from '../participants.ts';
import { addresses, nameWords, patientName, telecoms } from '../people.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, statement, statusCode, textReference } from '../statement.ts';
import { template, templateIds } from '../templates.ts';
import { udi } from '../udi.ts';
import { asTranslations, code, fixed, id, ids, nameOf, ownId, period, time } from '../values.ts';
import type { Writer } from '../writer.ts';

export const CARE_TEAMS: SectionKind = {
  template: ['.2.500', '2022-06-01', '2019-07-01'],
  code: '85847-2',
  display: 'Patient Care team information',
  title: 'Care Teams',
  none: 'There is no information about care teams.',
};

export const PAYERS: SectionKind = {
  template: ['.2.18', '2015-08-01'],
  code: '48768-6',
  display: 'Payment sources Document',
  title: 'Payers',
  none: 'There is no information about payers.',
};

export const EQUIPMENT: SectionKind = {
  template: ['.2.23', '2014-06-09'],
  code: '46264-8',
  display: 'History of medical device use',
  title: 'Medical Equipment',
  none: 'There is no information about medical equipment.',
};

export function writeCareTeams(writer: Writer): SectionBody {
  const body = emptyBody(['Team', 'Member', 'Role', 'When']);
  for (const team of writer.chart.all<CareTeam>('CareTeam')) {
    const members = (team.participant ?? []).filter(({ member }) => member !== undefined);
    if (team.status === 'entered-in-error' || members.length === 0 || writer.take(team)) continue;
    const row = writer.nextId('team');
    const named = members.map((member, n) => {
      const party = partyOf(writer, member.member!, team);
      const name =
        party.person === undefined ? (party.organization?.name ?? party.display) : nameWords(party.person.name?.[0]);
      body.rows.push({
        id: n === 0 ? row : undefined,
        cells: [
          n === 0 ? (team.name ?? nameOf(team.category?.[0]) ?? 'Care team') : '',
          name,
          nameOf(member.role?.[0]),
          periodWords(member.period?.start, member.period?.end),
        ],
      });
      return el('component', {}, memberAct(writer, team, member));
    });
    body.entries.push(careTeam(writer, team, named, row));
  }
  return body;
}

function careTeam(writer: Writer, team: CareTeam, members: CdaElement[], row: string): CdaElement {
  const others = (team.category ?? []).flatMap(asTranslations).filter((one) => one.attributes[0]?.[1] !== '86744-0');
  const element = statement(
    'organizer',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    template('careTeam'),
    ids(team),
    fixed(
      'code',
      '86744-0',
      LOINC,
      'Care team',
      undefined,
      el('originalText', {}, el('reference', { value: `#${row}` })),
      others,
    ),
    statusCode(backwards('careTeamStatus', team.status) ?? 'active'),
    period('effectiveTime', team.period),
    authors(writer, team),
    members,
  );
  return putBack(element, team);
}

function memberAct(writer: Writer, team: CareTeam, member: CareTeamParticipant): CdaElement {
  const party = partyOf(writer, member.member!, team);
  const entity = assignedEntity(
    party.person === undefined ? { ...party, display: party.display ?? party.organization?.name } : party,
  );
  return statement(
    'act',
    { classCode: 'PCPR', moodCode: 'EVN' },
    template('careTeamMember'),
    fixed('code', '92707-9', LOINC, 'Patient Care team member'),
    statusCode('active'),
    period('effectiveTime', member.period ?? team.period),
    el(
      'performer',
      { typeCode: 'PRF' },
      member.role?.map((role) => code('sdtc:functionCode', role)).slice(0, 1),
      entity,
    ),
  );
}

export function writePayers(writer: Writer): SectionBody {
  const body = emptyBody(['Payer', 'Kind', 'Member number', 'When', 'Status']);
  for (const coverage of writer.chart.all<Coverage>('Coverage')) {
    if (coverage.status === 'entered-in-error' || writer.take(coverage)) continue;
    const row = writer.nextId('payer');
    const payer = writer.chart.find<Organization>(coverage.payor?.[0], coverage);
    body.rows.push({
      id: row,
      cells: [
        payer?.name ?? coverage.payor?.[0]?.display ?? 'not stated',
        nameOf(coverage.type),
        coverage.subscriberId,
        periodWords(coverage.period?.start, coverage.period?.end),
        coverage.status,
      ],
    });
    body.entries.push(
      statement(
        'act',
        { classCode: 'ACT', moodCode: 'EVN' },
        template('coverage'),
        ownId(coverage),
        fixed('code', '52556-8', LOINC, 'Payment sources'),
        statusCode('completed'),
        related('COMP', policy(writer, coverage, payer, row)),
      ),
    );
  }
  return body;
}

function policy(writer: Writer, coverage: Coverage, payer: Organization | undefined, row: string): CdaElement {
  const { patient } = writer.chart;
  const self = coverage.relationship?.coding?.[0]?.code?.toLowerCase() === 'self';
  const member = coverage.identifier?.map(id).filter((one) => one !== undefined) ?? [];
  const number = coverage.subscriberId;
  if (member.length === 0 && number !== undefined)
    member.push(id({ system: 'urn:causeway:subscriber', value: number })!);
  const element = statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN', negationInd: coverage.status === 'cancelled' || undefined },
    template('policy'),
    ids(coverage),
    code('code', coverage.type),
    textReference(row),
    statusCode('completed'),
    coverage.period && period('effectiveTime', coverage.period),
    el(
      'performer',
      { typeCode: 'PRF' },
      templateIds('.4.87'),
      el(
        'assignedEntity',
        {},
        payer === undefined ? el('id', { nullFlavor: 'UNK' }) : ids(payer),
        payerCode(payer),
        addresses(payer?.address).slice(0, 1),
        telecoms(payer?.telecom),
        organizationRole(
          'representedOrganization',
          payer ?? { resourceType: 'Organization', name: coverage.payor?.[0]?.display },
        ),
      ),
    ),
    guarantors(writer, coverage),
    el(
      'participant',
      { typeCode: 'COV' },
      templateIds('.4.89'),
      coverage.period && period('time', coverage.period),
      el(
        'participantRole',
        { classCode: 'PAT' },
        member.length === 0 ? el('id', { nullFlavor: 'UNK' }) : member,
        self ? fixed('code', 'SELF', ROLE_CODE, 'Self') : code('code', coverage.relationship),
        el(
          'playingEntity',
          {},
          patientName(patient.name?.[0] ?? {}),
          patient.birthDate === undefined
            ? el('sdtc:birthTime', { nullFlavor: 'UNK' })
            : time('sdtc:birthTime', patient.birthDate),
        ),
      ),
    ),
    !self &&
      coverage.subscriber &&
      el(
        'participant',
        { typeCode: 'HLD' },
        templateIds('.4.90'),
        el(
          'participantRole',
          {},
          partyOf(writer, coverage.subscriber, coverage).ids,
          addresses(partyOf(writer, coverage.subscriber, coverage).contact.address),
        ),
      ),
  );
  return putBack(element, coverage);
}

/** That it pays, and what kind of payer it is. */
function payerCode(payer: Organization | undefined): CdaElement {
  const kinds = (payer?.type ?? []).flatMap(({ coding = [] }) => coding).filter(({ code: one }) => one !== 'PAYOR');
  return fixed('code', 'PAYOR', '2.16.840.1.113883.5.110', undefined, undefined, asTranslations({ coding: kinds }));
}

/** Who else pays, as Provenance tells: only a guarantor has a place in C-CDA. */
function guarantors(writer: Writer, coverage: Coverage): CdaElement[] {
  return writer.chart
    .participationsOf(coverage, 'performer')
    .map(({ who, onBehalfOf }) => partyOf(writer, who, coverage, onBehalfOf))
    .map((party) => {
      const entity = assignedEntity({ ...party, code: undefined });
      const kept = asTranslations({
        coding: party.code?.coding?.filter(({ code: one, system }) => one !== 'GUAR' || !system?.endsWith('RoleClass')),
      });
      const kind = fixed('code', 'GUAR', '2.16.840.1.113883.5.110', 'Guarantor', undefined, kept);
      entity.children.splice(party.ids.length, 0, kind);
      return el('performer', { typeCode: 'PRF' }, templateIds('.4.88'), entity);
    });
}

/** Devices in use, and the patient's devices that no procedure told of. */
export function writeEquipment(writer: Writer): SectionBody {
  const body = emptyBody(['Device', 'When', 'Status']);
  for (const use of writer.chart.all<DeviceUseStatement>('DeviceUseStatement')) {
    if (use.status === 'entered-in-error' || writer.take(use)) continue;
    const device = writer.chart.find<Device>(use.device, use);
    if (device !== undefined) writer.take(device);
    const when = choice(use, 'timing');
    const row = writer.nextId('device');
    body.rows.push({
      id: row,
      cells: [deviceName(device) ?? use.device.display ?? 'not stated', when && wordsOf(when), use.status],
    });
    body.entries.push(putBack(supply(writer, use, device, row), use));
  }
  for (const device of writer.chart.all<Device>('Device')) {
    if (device.patient === undefined || device.status === 'entered-in-error' || writer.take(device)) continue;
    const row = writer.nextId('device');
    body.rows.push({ id: row, cells: [deviceName(device) ?? 'not stated', '', device.status] });
    body.entries.push(supply(writer, undefined, device, row));
  }
  return body;
}

function deviceName(device: Device | undefined): string | undefined {
  return nameOf(device?.type) ?? device?.deviceName?.[0]?.name ?? device?.modelNumber;
}

function supply(
  writer: Writer,
  use: DeviceUseStatement | undefined,
  device: Device | undefined,
  row: string,
): CdaElement {
  const status = use?.status ?? (device?.status === 'inactive' ? 'completed' : 'active');
  return statement(
    'supply',
    { classCode: 'SPLY', moodCode: 'EVN' },
    template('supply'),
    use === undefined ? ownId(device!) : ids(use),
    textReference(row),
    statusCode(backwards('deviceUseStatus', status) ?? 'active'),
    use?.timingPeriod && period('effectiveTime', use.timingPeriod, { 'xsi:type': 'IVL_TS' }),
    use?.timingDateTime !== undefined && time('effectiveTime', use.timingDateTime),
    use && authors(writer, use, { who: use.source, time: use.recordedOn }),
    el('participant', { typeCode: 'PRD' }, product(writer, device, use?.device.display)),
    use && notes(use.note, writer),
    device && udi(device),
  );
}
