/** Who looked at a person's record: for the person, who acts for it, and privacy officers; each access with its proof. */
import { Button, Group, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { SeenAccesses } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { Failed } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { AccessItem } from './access-item.tsx';
import { eachOnce } from './each-once.ts';

const route = getRouteApi('/signed-in/accesses/$patient');

interface Asked {
  q: string;
  from: string;
  to: string;
  isEmergencyOnly: boolean;
  isWithoutOwn: boolean;
}

export function AccessesPage() {
  const { patient } = route.useParams();
  const role = useUser()?.role;
  const title = role === 'patient' ? 'Who looked at my record' : 'Who looked at this record';
  useTitle(title);
  const [asked, setAsked] = useState<Asked>({ q: '', from: '', to: '', isEmergencyOnly: false, isWithoutOwn: true });
  const [settled] = useDebouncedValue(asked, 300);
  const query = useInfiniteQuery({
    queryKey: ['accesses', patient, settled],
    queryFn: ({ pageParam, signal }) => getJson<SeenAccesses>(addressOf(patient, settled, pageParam), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
  const accesses = eachOnce(query.data?.pages.flatMap((page) => page.accesses) ?? []);
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>{title}</Title>
      <Group gap="md">
        <PatientName id={patient} />
        {role === 'auditor' ? (
          <Link to="/audit">Back to the audit log</Link>
        ) : (
          <Link to={readsRecords(role) ? '/people/$id' : '/people/$id/links'} params={{ id: patient }}>
            Back to the record
          </Link>
        )}
        <Link to="/disclosures/$patient" params={{ patient }}>
          To whom it was given out
        </Link>
      </Group>
      <Text>
        Every access is written into a log before anything is shown, and the log is sealed so that nobody can change it
        unseen, not even those who run this hub. “Proof” shows that an entry is in it, and lets you check that yourself.
      </Text>
      <Filters asked={asked} onChange={setAsked} />
      {query.isError && <Failed what="the accesses" error={query.error} retry={() => query.refetch()} />}
      <p role="status" aria-live="polite" style={{ margin: 0 }} className="quiet">
        {query.isPending ? 'Loading…' : accesses.length === 0 ? 'Nobody, as far as you asked.' : ''}
      </p>
      <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {accesses.map((access) => (
          <AccessItem key={access.id} patient={patient} access={access} />
        ))}
      </Stack>
      {query.hasNextPage && (
        <Group>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Show earlier ones
          </Button>
        </Group>
      )}
      {asked.isWithoutOwn && role !== 'privacy-officer' && role !== 'auditor' && (
        <Notice>What you and those who act for you looked at is left out. “Also my own” shows it.</Notice>
      )}
    </Stack>
  );
}

function Filters({ asked, onChange }: { asked: Asked; onChange: (asked: Asked) => void }) {
  const role = useUser()?.role;
  return (
    <section className="panel" aria-label="Which accesses">
      <Group align="flex-end" gap="md">
        <TextInput
          label="Search"
          description="A name, an organisation, a kind of data"
          autoComplete="off"
          maxLength={100}
          style={{ flexGrow: 1 }}
          value={asked.q}
          onChange={(event) => onChange({ ...asked, q: event.currentTarget.value })}
        />
        <TextInput
          label="From"
          type="date"
          value={asked.from}
          onChange={(event) => onChange({ ...asked, from: event.currentTarget.value })}
        />
        <TextInput
          label="To"
          type="date"
          value={asked.to}
          onChange={(event) => onChange({ ...asked, to: event.currentTarget.value })}
        />
      </Group>
      <Group mt="sm" gap="lg">
        <Switch
          label="Emergencies only"
          checked={asked.isEmergencyOnly}
          onChange={(event) => onChange({ ...asked, isEmergencyOnly: event.currentTarget.checked })}
        />
        <Switch
          label={role === 'patient' || role === 'proxy' ? 'Also my own' : 'Also those of the person itself'}
          checked={!asked.isWithoutOwn}
          onChange={(event) => onChange({ ...asked, isWithoutOwn: !event.currentTarget.checked })}
        />
      </Group>
    </section>
  );
}

function addressOf(patient: string, asked: Asked, after: string | undefined): string {
  const query = new URLSearchParams();
  if (asked.q.trim() !== '') query.set('q', asked.q.trim());
  if (asked.from !== '') query.set('from', new Date(`${asked.from}T00:00:00`).toISOString());
  if (asked.to !== '') query.set('to', new Date(`${asked.to}T23:59:59.999`).toISOString());
  if (asked.isEmergencyOnly) query.set('emergency', 'true');
  if (asked.isWithoutOwn) query.set('own', 'false');
  if (after !== undefined) query.set('after', after);
  return `/api/patients/${encodeURIComponent(patient)}/accesses?${query}`;
}
