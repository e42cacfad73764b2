/** What people have to bring to an end: critical results, discharges, referrals, and what was told and does not hold. */
import { Checkbox, Group, NativeSelect, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { Loop, LoopList } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { ageWords, LOOP_KINDS, loopState, whyWords } from './loop-words.ts';

const route = getRouteApi('/signed-in/loops');

export function LoopsPage() {
  useTitle('Open loops');
  const { kind, state = 'open', mine } = route.useSearch();
  const navigate = route.useNavigate();
  const isClinician = useUser()?.role === 'clinician';
  const change = (search: { kind?: string; state?: string; mine?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...search }), replace: true });
  const address = new URLSearchParams({ state, ...(kind ? { kind } : {}), ...(mine ? { mine } : {}) });
  const query = useQuery({
    queryKey: ['loops', state, kind, mine],
    queryFn: ({ signal }) => getJson<LoopList>(`/api/loops?${address}`, signal),
    refetchInterval: 30_000,
  });
  return (
    <Stack gap="md">
      <Title order={1}>Open loops</Title>
      <Text maw={760}>
        What somebody has to bring to an end.{' '}
        {isClinician
          ? 'You see those of your organisation and of the people for whom it cares, as far as you may read what they are about.'
          : 'What is not closed in time is told to people; here it stays until somebody closes it.'}
      </Text>
      <Group align="flex-end">
        <SegmentedControl
          aria-label="Which"
          value={state}
          onChange={(value) => change({ state: value })}
          data={[
            { value: 'open', label: 'Open' },
            { value: 'late', label: 'Late' },
            { value: 'closed', label: 'Closed' },
          ]}
        />
        <NativeSelect
          label="Kind"
          value={kind ?? ''}
          onChange={(event) => change({ kind: event.currentTarget.value || undefined })}
          data={[
            { value: '', label: 'All kinds' },
            ...Object.entries(LOOP_KINDS)
              .filter(([value]) => !(isClinician && value === 'recall'))
              .map(([value, label]) => ({ value, label })),
          ]}
        />
        <Checkbox
          label="Given to me"
          checked={mine === '1'}
          onChange={(event) => change({ mine: event.currentTarget.checked ? '1' : undefined })}
        />
      </Group>
      <Loaded query={query} what="the loops">
        {({ loops, open, late, organization }) => (
          <>
            {organization === null && (
              <Text>Your account is of no organisation of the network, so that there is nothing for you to close.</Text>
            )}
            {organization && (
              <Link to="/lists/$key" params={{ key: organization }} style={{ color: 'var(--mantine-color-anchor)' }}>
                The list of people for whom your organisation cares
              </Link>
            )}
            {open !== undefined && (
              <Text className="quiet" size="sm">
                {open} open in all, {late} of them late.
              </Text>
            )}
            {loops.length === 0 ? (
              <Text className="quiet">There is nothing of this kind.</Text>
            ) : (
              <Table loops={loops} />
            )}
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Table({ loops }: { loops: Loop[] }) {
  const reads = readsRecords(useUser()?.role);
  const now = new Date();
  return (
    <div className="scroll-x panel">
      <table className="facts stacks">
        <caption className="visually-hidden">Loops, the most urgent first</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">State</th>
            <th scope="col">Age</th>
            <th scope="col">Due</th>
            <th scope="col">From, and who has to act</th>
            <th scope="col">Given to</th>
          </tr>
        </thead>
        <tbody>
          {loops.map((loop) => {
            const state = loopState(loop, now);
            return (
              <tr key={loop.id}>
                <td>
                  <Link to="/loops/$id" params={{ id: loop.id }} style={{ color: 'var(--mantine-color-anchor)' }}>
                    {LOOP_KINDS[loop.kind]}
                  </Link>
                  {reads && loop.patient && (
                    <div className="small">
                      <PatientName id={loop.patient} />
                    </div>
                  )}
                  <div className="small quiet">{whyWords(loop.why)}</div>
                </td>
                <td>
                  <Mark tone={state.tone}>{state.words}</Mark>
                </td>
                <td className="small" data-label="Age">
                  {ageWords(loop.opened, loop.closed ? new Date(loop.closed) : now)}
                </td>
                <td className="small" data-label="Due">
                  {formatDateTime(loop.due)}
                </td>
                <td className="small" data-label="From">
                  {loop.sourceName}
                  {loop.siteName && <div>→ {loop.siteName}</div>}
                </td>
                <td className="small" data-label="Given to">
                  {loop.assignee ?? '–'}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
