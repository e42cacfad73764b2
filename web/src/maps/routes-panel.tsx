/** The routes by which an organisation is told: where each ends, what goes by it, trying it, and changing them. */
import { Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Participant, Route } from '../api/contract.ts';
import { getJson, postJson, putJson } from '../api/request.ts';
import { PURPOSE_WORDS } from '../consents/kinds.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { useUser } from '../session/session.ts';
import { RouteForm } from './route-form.tsx';

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
            <Routes key={JSON.stringify(routes)} participantKey={key} routes={routes} />
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

/** The routes, of which one at a time is changed, added or taken away; the others stay as they are. */
function Routes({ participantKey, routes }: { participantKey: string; routes: Route[] }) {
  const client = useQueryClient();
  const isAdministrator = useUser()?.role === 'administrator';
  const [open, setOpen] = useState<string | undefined>();
  const save = useMutation({
    mutationFn: (said: Route[]) => putJson<unknown>(`/api/participants/${participantKey}`, { routes: said }),
    onSuccess: () => client.invalidateQueries(),
  });
  const form = (route: Route, isNew: boolean) => (
    <RouteForm
      route={route}
      isNew={isNew}
      isSaving={save.isPending}
      error={save.error?.message}
      onSave={(said) => save.mutate(isNew ? [...routes, said] : routes.map((one) => (one === route ? said : one)))}
      onLeave={() => {
        save.reset();
        setOpen(undefined);
      }}
    />
  );
  return (
    <>
      {routes.map((one) =>
        open === one.name ? (
          <div key={one.name}>{form(one, false)}</div>
        ) : (
          <RouteRow key={one.name} participantKey={participantKey} route={one}>
            {isAdministrator && open === undefined && (
              <>
                <Button size="compact-sm" variant="default" onClick={() => setOpen(one.name)}>
                  Change
                </Button>
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => {
                    if (confirm(`Take away the route ${one.name}? What waits for it is not sent.`))
                      save.mutate(routes.filter((other) => other !== one));
                  }}
                >
                  Take away
                </Button>
              </>
            )}
          </RouteRow>
        ),
      )}
      {open === newRoute && form({ name: '', to: { dialect: 'hl7v2', host: '' } }, true)}
      {isAdministrator && open === undefined && (
        <Button size="compact-sm" variant="default" onClick={() => setOpen(newRoute)}>
          Add a route
        </Button>
      )}
    </>
  );
}

/** No name of a route. */
const newRoute = ' ';

interface RowProps {
  participantKey: string;
  route: Route;
  children?: ReactNode;
}

function RouteRow({ participantKey, route, children }: RowProps) {
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
        <Group gap="xs" justify="flex-end">
          <Button size="compact-sm" variant="default" loading={attempt.isPending} onClick={() => attempt.mutate()}>
            Send a test
          </Button>
          {children}
        </Group>
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

function whereOf({ dialect, form, host, port, url, folder, sftp, direct, pickup }: Route['to']): string {
  const what = dialect === 'hl7v2' ? 'HL7 v2' : dialect === 'ccda' ? 'C-CDA' : `FHIR ${form ?? 'transactions'}`;
  if (host) return `${what} by MLLP to ${host}:${port}`;
  if (sftp) return `${what} by SFTP to ${sftp.host}${sftp.path}`;
  if (folder) return `${what} into ${folder}`;
  if (direct) return `${what} by Direct mail to ${direct.address}`;
  if (pickup) return `${what} to pick up, told to ${pickup.address}`;
  return url ? `${what} to ${url}` : what;
}

function rulesOf({ topics, filters = [], urgent, quiet, codes = [], grade, unknown, purpose }: Route): string[] {
  return [
    ...(topics ? [`Told of: ${topics.join(', ')}`] : []),
    ...filters.map((filter) => `Only ${filter}`),
    ...(urgent ? [`Urgent: ${urgent.join(', ')}`] : []),
    ...(quiet ? [`Quiet from ${quiet.from} to ${quiet.to} (${quiet.zone})`] : []),
    ...(codes.length > 0 ? [`${codes.length} codes of its own`] : []),
    ...(grade ? ['Only between records that somebody confirmed as one'] : []),
    ...(purpose ? [`Told for ${PURPOSE_WORDS[purpose] ?? purpose}`] : []),
    ...(unknown ? ['People whom it does not know are introduced'] : []),
  ];
}
