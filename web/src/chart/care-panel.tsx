/** Who cares for the person, and what shows it. */
import { useQuery } from '@tanstack/react-query';
import type { Care } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { FirstFew } from '../parts/first-few.tsx';
import { Loaded } from '../parts/loading.tsx';
import { ResourceLink } from '../parts/resource-link.tsx';
import { isStaff, useUser } from '../session/session.ts';
import { Panel } from './panel.tsx';

const KINDS: Record<string, string> = {
  chart: 'keeps a chart',
  encounter: 'visit',
  appointment: 'appointment',
  order: 'order',
  referral: 'referral',
  'care-team': 'care team',
  'family-doctor': 'family doctor',
  panel: 'on its list',
};
const few = 4;

export function CarePanel({ id }: { id: string }) {
  const mayAsk = isStaff(useUser()?.role);
  const query = useQuery({
    queryKey: ['care', id],
    queryFn: async ({ signal }) =>
      (await getJson<{ care: Care[] }>(`/api/care?patient=${encodeURIComponent(id)}`, signal)).care,
    enabled: mayAsk,
  });
  if (!mayAsk) return null;
  return (
    <Loaded query={query} what="who cares for the person">
      {(care) => <Organisations care={care} />}
    </Loaded>
  );
}

/** A beginning is when it was learned, where nothing says more; that may be after its end. */
function timeWords({ starts, ends }: Care, goesOn: boolean): string {
  const end = ends === null ? '' : `${goesOn ? 'until' : 'ended'} ${formatDate(ends)}`;
  if (ends !== null && new Date(ends) < new Date(starts)) return end;
  return [`since ${formatDate(starts)}`, end].filter(Boolean).join(', ');
}

function Organisations({ care }: { care: Care[] }) {
  const now = new Date();
  const goesOn = ({ ends }: Care) => ends === null || new Date(ends) > now;
  const bySite = [...Map.groupBy(care, ({ site }) => site).values()];
  return (
    <Panel anchor="care" title="Who cares" size={bySite.length} empty="Nothing shows who cares for the person.">
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {bySite.map((of) => (
          <li key={of[0]!.site} style={{ padding: '0.2rem 0' }}>
            <strong>{of[0]!.siteName}</strong> {!of.some(goesOn) && <span className="quiet small">no longer</span>}
            <FirstFew items={of} few={few} what="reasons">
              {(shown) => (
                <ul className="small" style={{ margin: 0, paddingLeft: '1.1rem' }}>
                  {shown.map((one) => (
                    <li key={`${one.kind} ${one.evidence}`} className={goesOn(one) ? undefined : 'quiet'}>
                      {one.evidence.startsWith('panel/') ? (
                        KINDS[one.kind]
                      ) : (
                        <ResourceLink reference={one.evidence}>{KINDS[one.kind] ?? one.kind}</ResourceLink>
                      )}{' '}
                      {timeWords(one, goesOn(one))}
                    </li>
                  ))}
                </ul>
              )}
            </FirstFew>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
