import type { CareTeam, Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { mergeCareTeams } from './care-teams.ts';
import { readRecord } from './record.ts';

const of = (id: string, source: string, more: Partial<CareTeam> = {}): CareTeam => ({
  resourceType: 'CareTeam',
  id,
  status: 'active',
  meta: { tag: [{ system: 'urn:causeway:source', code: source }] },
  ...more,
});

const doctor: Resource = { resourceType: 'Practitioner', id: 'd1', name: [{ given: ['Ana'], family: 'Lopez' }] };
const practice: Resource = { resourceType: 'Organization', id: 'o1', name: 'Mill Practice' };

it('a care team is told by its members, their roles, who answers for it, and since when', () => {
  const team = of('t1', 'a', {
    name: 'Primary care',
    period: { start: '2020-03-01' },
    participant: [
      { member: { reference: 'Practitioner/d1' }, role: [{ coding: [{ code: 'PCP', display: 'Family doctor' }] }] },
      { member: { reference: 'Patient/p' } },
      { member: { display: 'Nora Night' }, onBehalfOf: { reference: 'Organization/o1' } },
    ],
    managingOrganization: [{ reference: 'Organization/o1' }],
  });
  expect(mergeCareTeams(readRecord([team, doctor, practice], 'p'))).toEqual([
    {
      name: 'Primary care',
      members: ['Ana Lopez (Family doctor)', 'Nora Night, Mill Practice'],
      organisations: 'Mill Practice',
      period: 'since 1 Mar 2020',
      status: '',
      statements: [team],
    },
  ]);
});

it('what one organisation states many times is one line, and nothing of it is lost', () => {
  const named = { participant: [{ member: { reference: 'Practitioner/d1' } }] };
  const teams = [of('1', 'a'), of('2', 'a', named), of('3', 'a'), of('4', 'b'), of('5', 'a', named)];
  const lines = mergeCareTeams(readRecord([...teams, doctor], 'p'));
  expect(lines.map(({ members, statements }) => [members, statements.map(({ id }) => id)])).toEqual([
    [['Ana Lopez'], ['2', '5']],
    [[], ['1', '3']],
    [[], ['4']],
  ]);
});
