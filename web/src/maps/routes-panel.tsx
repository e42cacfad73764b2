/** The routes by which an organisation is told: where each ends, what goes by it, trying it, and changing them. */
import { Button, Group, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Participant, Route } from '../api/contract.ts';
import { getJson, postJson, putJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';

export function RoutesPanel({ participant }: { participant: Participant }) {
  const key = encodeURIComponent(participant.key);
  const query = useQuery({
    queryKey: ['participant', participant.key],
    queryFn: ({ signal }) => getJson<{ routes?: Route[] }>(`/api/participants/${key}`, signal),
  });
  return (
    <section className="panel" aria-labelledby="routes-title">
      <h2 id="routes-title">Routes</h2>
      <Loaded query={query} what="its routes">
        {({ routes = [] }) => (
          <>
            {routes.length === 0 && <p className="quiet small">Nothing is sent.</p>}
            {routes.map((one) => (
              <RouteRow key={one.name} participantKey={key} route={one} />
            ))}
            <Change key={JSON.stringify(routes)} participantKey={key} routes={routes} />
          </>
        )}
      </Loaded>
      <p className="small" style={{ marginBottom: 0 }}>
        <Link to="/deliveries" search={{ state: 'dead', destination: participant.key }}>
          What was given up
        </Link>
      </p>
    </section>
  );
}

function RouteRow({ participantKey, route }: { participantKey: string; route: Route }) {
  const attempt = useMutation({
    mutationFn: () =>
      postJson<{ ok: boolean; found: string }>(`/api/participants/${participantKey}/routes/${route.name}/test`, {}),
  });
  return (
    <div style={{ marginBottom: '0.75rem' }} data-route={route.name}>
      <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <strong>{route.name}</strong> <span className="quiet">{whereOf(route.to)}</span>
          {rulesOf(route).map((rule) => (
            <div key={rule} className="small quiet">
              {rule}
            </div>
          ))}
        </div>
        <Button size="compact-sm" variant="default" loading={attempt.isPending} onClick={() => attempt.mutate()}>
          Send a test
        </Button>
      </Group>
      <div role="status" aria-live="polite" className="small">
        {attempt.data && (
          <>
            <Mark tone={attempt.data.ok ? 'good' : 'bad'}>{attempt.data.ok ? 'Reached' : 'Not reached'}</Mark>{' '}
            {attempt.data.found}
          </>
        )}
        {attempt.error?.message}
      </div>
    </div>
  );
}

/** All settings of a route are in its text; docs/outbound.md explains them. */
function Change({ participantKey, routes }: { participantKey: string; routes: Route[] }) {
  const client = useQueryClient();
  const isAdministrator = useUser()?.role === 'administrator';
  const [text, setText] = useState<string | undefined>();
  const save = useMutation({
    mutationFn: (said: string) => putJson<unknown>(`/api/participants/${participantKey}`, { routes: JSON.parse(said) }),
    onSuccess: () => client.invalidateQueries(),
  });
  if (!isAdministrator) return null;
  if (text === undefined) {
    return (
      <Button size="compact-sm" variant="default" onClick={() => setText(JSON.stringify(routes, null, 2))}>
        Change the routes
      </Button>
    );
  }
  return (
    <>
      <Textarea
        label="Routes, as JSON"
        autosize
        minRows={6}
        maxRows={24}
        spellCheck={false}
        styles={{ input: { fontFamily: 'monospace' } }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group mt="xs" gap="sm">
        <Button size="compact-sm" loading={save.isPending} onClick={() => save.mutate(text)}>
          Save the routes
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => setText(undefined)}>
          Leave them as they are
        </Button>
      </Group>
      {save.error && (
        <Notice tone="bad" title="Not changed.">
          {save.error.message}
        </Notice>
      )}
    </>
  );
}

function whereOf({ dialect, form, host, port, url, folder, sftp }: Route['to']): string {
  const what = dialect === 'hl7v2' ? 'HL7 v2' : dialect === 'ccda' ? 'C-CDA' : `FHIR ${form ?? 'transactions'}`;
  if (host) return `${what} by MLLP to ${host}:${port}`;
  if (sftp) return `${what} by SFTP to ${sftp.host}${sftp.path}`;
  if (folder) return `${what} into ${folder}`;
  return url ? `${what} to ${url}` : what;
}

function rulesOf({ topics, filters = [], urgent, quiet, codes = [], grade }: Route): string[] {
  return [
    ...(topics ? [`Told of: ${topics.join(', ')}`] : []),
    ...filters.map((filter) => `Only ${filter}`),
    ...(urgent ? [`Urgent: ${urgent.join(', ')}`] : []),
    ...(quiet ? [`Quiet from ${quiet.from} to ${quiet.to} (${quiet.zone})`] : []),
    ...(codes.length > 0 ? [`${codes.length} codes of its own`] : []),
    ...(grade ? ['Only between records that somebody confirmed as one'] : []),
  ];
}
