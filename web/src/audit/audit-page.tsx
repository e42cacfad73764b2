/** For auditors and privacy officers: how the audit log stands, and who did what, the latest first. */
import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditLogStatus } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Failed, Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { useTitle } from '../parts/title.ts';
import { EventRows } from './event-rows.tsx';

interface Asked {
  who: string;
  patient: string;
  from: string;
  to: string;
}

export function AuditPage() {
  useTitle('Audit log');
  const [asked, setAsked] = useState<Asked>({ who: '', patient: '', from: '', to: '' });
  const [settled] = useDebouncedValue(asked, 300);
  const query = useInfiniteQuery({
    queryKey: ['audit-events', settled],
    queryFn: ({ pageParam, signal }) => getJson<Bundle<AuditEvent>>(pageParam ?? addressOf(settled), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ link = [] }) => pathOf(link.find(({ relation }) => relation === 'next')?.url),
    placeholderData: keepPreviousData,
  });
  const pages = query.data?.pages.map(({ entry = [] }) => entry.flatMap(({ resource }) => resource ?? [])) ?? [];
  const hasEvents = pages.some(({ length }) => length > 0);
  return (
    <Stack gap="md" maw={1100}>
      <Title order={1}>Audit log</Title>
      <Status />
      <Filters asked={asked} onChange={setAsked} />
      {query.isError && <Failed what="the events" error={query.error} retry={() => query.refetch()} />}
      <p role="status" aria-live="polite" style={{ margin: 0 }} className="quiet">
        {query.isPending ? 'Loading…' : !hasEvents ? 'Nothing, as far as you asked.' : ''}
      </p>
      {hasEvents && <Events pages={pages} />}
      {query.hasNextPage && (
        <Group>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Show earlier ones
          </Button>
        </Group>
      )}
    </Stack>
  );
}

const STATES = {
  none: { label: 'Nothing is signed yet', tone: 'neutral' },
  good: { label: 'In order', tone: 'good' },
  refused: { label: 'Nothing is signed', tone: 'bad' },
  wrong: { label: 'Something stored is not what it was', tone: 'bad' },
} as const;

function Status() {
  const query = useQuery({
    queryKey: ['audit-status'],
    queryFn: ({ signal }) => getJson<AuditLogStatus>('/api/audit/status', signal),
  });
  return (
    <section className="panel" aria-labelledby="log-state">
      <h2 id="log-state">How it stands</h2>
      <Loaded query={query} what="the state of the log">
        {({ state, problem, size, signed, verified, verifiedAt, witnesses }) => (
          <>
            <Group gap="sm" align="baseline">
              <Mark tone={STATES[state].tone}>{STATES[state].label}</Mark>
              <span>
                {size.toLocaleString('en')} events
                {signed !== undefined && `, signed ${formatDateTime(signed)}`}
              </span>
            </Group>
            {problem !== undefined && <Text>{problem}</Text>}
            <Text size="sm" className="quiet">
              {verifiedAt === undefined
                ? 'Not verified yet.'
                : `The first ${verified.toLocaleString('en')} were verified ${formatDateTime(verifiedAt)}.`}{' '}
              {witnesses.length === 0
                ? 'Nobody else signs that it only grew.'
                : `Witnesses: ${witnesses.map(({ name }) => name).join(', ')}.`}{' '}
              <a href="/audit/checkpoint" download="checkpoint">
                Its latest checkpoint
              </a>
            </Text>
          </>
        )}
      </Loaded>
    </section>
  );
}

function Filters({ asked, onChange }: { asked: Asked; onChange: (asked: Asked) => void }) {
  const fields = { who: 'Account', patient: 'Patient (its id)' } as const;
  return (
    <section className="panel" aria-label="Which events">
      <Group align="flex-end" gap="md">
        {(['who', 'patient'] as const).map((name) => (
          <TextInput
            key={name}
            label={fields[name]}
            autoComplete="off"
            maxLength={64}
            value={asked[name]}
            onChange={(event) => onChange({ ...asked, [name]: event.currentTarget.value })}
          />
        ))}
        {(['from', 'to'] as const).map((name) => (
          <TextInput
            key={name}
            label={name === 'from' ? 'From' : 'To'}
            type="date"
            value={asked[name]}
            onChange={(event) => onChange({ ...asked, [name]: event.currentTarget.value })}
          />
        ))}
      </Group>
    </section>
  );
}

function Events({ pages }: { pages: AuditEvent[][] }) {
  return (
    <section className="panel scroll-x">
      <table className="facts stacks">
        <caption className="visually-hidden">Events, the latest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Whose record</th>
          </tr>
        </thead>
        <tbody>
          {pages.map((events, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pages are only added, and keep their place
            <EventRows key={at} events={events} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function addressOf({ who, patient, from, to }: Asked): string {
  const query = new URLSearchParams({ _count: '50' });
  if (who.trim() !== '') query.set('agent', who.trim());
  if (patient.trim() !== '') query.set('patient', patient.trim());
  if (from !== '') query.append('date', `ge${new Date(`${from}T00:00:00`).toISOString()}`);
  if (to !== '') query.append('date', `le${new Date(`${to}T23:59:59.999`).toISOString()}`);
  return `/fhir/AuditEvent?${query}`;
}

/** The path of an address of this hub. */
function pathOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { pathname, search } = new URL(url);
  return pathname + search;
}
