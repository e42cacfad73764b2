/** Care teams as the organisations state them; only where there are any. */
import { type CareTeamLine, mergeCareTeams } from '../fhir/care-teams.ts';
import type { PersonRecord } from '../fhir/record.ts';
import { Mark } from '../parts/mark.tsx';
import { ResourceLink } from '../parts/resource-link.tsx';
import { type Row, RowPanel } from './simple-panels.tsx';

export function CareTeamPanel({ record }: { record: PersonRecord }) {
  const rows = mergeCareTeams(record).map(
    (line): Row => ({
      resource: line.statements[0]!,
      when: line.period || 'Period not stated',
      what: <Team line={line} />,
      detail: [line.members.length > 0 && line.name, line.organisations].filter(Boolean).join(' · '),
    }),
  );
  if (rows.length === 0) return null;
  return <RowPanel anchor="care-teams" title="Care teams" rows={rows} empty="No care teams on record." />;
}

function Team({ line: { members, name, status, statements } }: { line: CareTeamLine }) {
  const [first, ...others] = statements.map(({ id }) => `CareTeam/${id}`);
  return (
    <>
      <ResourceLink reference={first!}>{members.join(', ') || name || 'Members not stated'}</ResourceLink>{' '}
      {status && <Mark>{status}</Mark>}{' '}
      {others.length > 0 && (
        <details className="small quiet">
          <summary>stated {statements.length} times</summary>
          {others.map((reference, at) => (
            <span key={reference}>
              {at > 0 && ', '}
              <ResourceLink reference={reference}>statement {at + 2}</ResourceLink>
            </span>
          ))}
        </details>
      )}
    </>
  );
}
