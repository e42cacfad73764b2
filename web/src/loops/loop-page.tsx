/** One loop: what it is about, what happened to it, and what can be done; of a recall also who was told and who saw it. */
import { Button, Group, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { LoopDetails } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { ResourceLink } from '../parts/resource-link.tsx';
import { useTitle } from '../parts/title.ts';
import { readsRecords, useUser } from '../session/session.ts';
import { ageWords, eventWords, focusWords, LOOP_KINDS, loopState, whyWords } from './loop-words.ts';
import { RecallTables } from './recall-tables.tsx';

const route = getRouteApi('/signed-in/loops/$id');

export function LoopPage() {
  useTitle('Open loop');
  const { id } = route.useParams();
  const query = useQuery({
    queryKey: ['loop', id],
    queryFn: ({ signal }) => getJson<LoopDetails>(`/api/loops/${id}`, signal),
  });
  return (
    <Stack gap="md" maw={960}>
      <Link to="/loops">All loops</Link>
      <Loaded query={query} what="the loop">
        {(loop) => <Details loop={loop} />}
      </Loaded>
    </Stack>
  );
}

function Details({ loop }: { loop: LoopDetails }) {
  const role = useUser()?.role;
  const now = new Date();
  const state = loopState(loop, now);
  return (
    <>
      <Group gap="sm" align="baseline">
        <Title order={1}>{LOOP_KINDS[loop.kind]}</Title>
        <Mark tone={state.tone}>{state.words}</Mark>
      </Group>
      <section className="panel" aria-label="What it is about">
        {readsRecords(role) && loop.patient && (
          <div>
            <Link to="/people/$id" params={{ id: loop.patient }} style={{ color: 'var(--mantine-color-anchor)' }}>
              <PatientName id={loop.patient} />
            </Link>
          </div>
        )}
        <Text>{whyWords(loop.why)}</Text>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          <ResourceLink reference={loop.focus}>{readsRecords(role) ? focusWords(loop.focus) : loop.focus}</ResourceLink>
        </Text>
        <Text size="sm" className="quiet">
          From {loop.sourceName}
          {loop.siteName && `, to ${loop.siteName}`}. Opened {formatDateTime(loop.opened)}, open for{' '}
          {ageWords(loop.opened, loop.closed ? new Date(loop.closed) : now)}; due {formatDateTime(loop.due)}.
          {loop.assignee && ` Given to ${loop.assignee}.`}
        </Text>
      </section>
      {loop.state !== 'closed' && <Actions loop={loop} />}
      {loop.kind === 'recall' && role !== 'clinician' && <RecallTables id={loop.id} />}
      <section className="panel" aria-labelledby="loop-events">
        <h2 id="loop-events">What happened</h2>
        {loop.events.length === 0 && <Text className="quiet">Nothing yet.</Text>}
        <ol style={{ listStyle: 'none', margin: 0, padding: 0 }}>
          {loop.events.map(({ at, by, event, note }) => (
            <li key={`${at} ${event}`} style={{ padding: '0.2rem 0', overflowWrap: 'anywhere' }}>
              <strong>{eventWords(event)}</strong> {note}{' '}
              <span className="quiet small">
                {formatDateTime(at)}, {by === 'hub' ? 'the hub' : by}
              </span>
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

function Actions({ loop }: { loop: LoopDetails }) {
  const user = useUser();
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const [to, setTo] = useState('');
  const act = useMutation({
    mutationFn: ({ what, body }: { what: string; body: object }) =>
      postJson<unknown>(`/api/loops/${loop.id}/${what}`, body),
    onSuccess: async () => {
      setNote('');
      await Promise.all([
        client.invalidateQueries({ queryKey: ['loop', loop.id] }),
        client.invalidateQueries({ queryKey: ['loops'] }),
      ]);
    },
  });
  const written = note.trim();
  const isCritical = loop.kind === 'critical-result';
  const acknowledges = isCritical && user?.role === 'clinician';
  return (
    <section className="panel" aria-labelledby="loop-actions">
      <h2 id="loop-actions">What you do about it</h2>
      <Textarea
        label="A note"
        description={isCritical ? 'Whom you told, what was done' : 'What you found; it is needed to close the loop'}
        autosize
        maxLength={2000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Group mt="xs">
        {acknowledges && (
          <Button
            size="compact-sm"
            loading={act.isPending}
            onClick={() => act.mutate({ what: 'acknowledge', body: written ? { note: written } : {} })}
          >
            I have seen it and act on it
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          disabled={written === '' || act.isPending}
          onClick={() => act.mutate({ what: 'note', body: { note: written } })}
        >
          Note it
        </Button>
        {!isCritical && (
          <Button
            size="compact-sm"
            disabled={written === '' || act.isPending}
            onClick={() => act.mutate({ what: 'close', body: { note: written } })}
          >
            Close
          </Button>
        )}
        {user && loop.assignee !== user.username && (
          <Button
            size="compact-sm"
            variant="default"
            disabled={act.isPending}
            onClick={() => act.mutate({ what: 'assign', body: { to: user.username } })}
          >
            Take it
          </Button>
        )}
      </Group>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!act.isPending) act.mutate({ what: 'assign', body: { to: to.trim() } });
        }}
      >
        <Group mt="xs" align="flex-end">
          <TextInput
            label="Give it to"
            description="An account’s name"
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <Button type="submit" size="compact-sm" variant="default" disabled={to.trim() === '' || act.isPending}>
            Give
          </Button>
        </Group>
      </form>
      {act.isError && (
        <Notice tone="bad" title="Not done.">
          {act.error.message}
        </Notice>
      )}
    </section>
  );
}
