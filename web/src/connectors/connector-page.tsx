/** One connector: how it fares, what failed, its columns; to run it, pause it, try it, remove it. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ColumnMap, ConnectorDetails, ConnectorPreview } from '../api/contract.ts';
import { deleteJson, getJson, postJson, putJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { organisationName } from '../parts/organisation.ts';
import { useTitle } from '../parts/title.ts';
import { useUser } from '../session/session.ts';
import { CONNECTOR_STATES, countWords, KIND_WORDS, lagWords } from './connector-words.ts';
import { MapEditor } from './map-editor.tsx';
import { PreviewView } from './preview-view.tsx';

const route = getRouteApi('/signed-in/connectors/$key');
const lookMs = 3_000;

export function ConnectorPage() {
  useTitle('Connector');
  const { key } = route.useParams();
  const query = useQuery({
    queryKey: ['connectors', key],
    queryFn: ({ signal }) => getJson<ConnectorDetails>(`/api/connectors/${encodeURIComponent(key)}`, signal),
    refetchInterval: lookMs,
  });
  return (
    <Stack gap="md" maw={900}>
      <Link to="/connectors">All connectors</Link>
      <Loaded query={query} what="the connector">
        {(connector) => <Details connector={connector} />}
      </Loaded>
    </Stack>
  );
}

function Details({ connector }: { connector: ConnectorDetails }) {
  const { key, kind, participant, state, error, failed, settings, hasSecrets, progress } = connector;
  return (
    <>
      <Group gap="sm" align="baseline">
        <Title order={1}>{key}</Title>
        <span className="quiet">
          {KIND_WORDS[kind]} of {organisationName({ source: participant })}
        </span>
        <Mark tone={CONNECTOR_STATES[state].tone}>{CONNECTOR_STATES[state].label}</Mark>
      </Group>
      {error && (
        <Notice tone="bad" title={`Failed ${connector.failures} times in a row.`}>
          {error}
        </Notice>
      )}
      <Actions connector={connector} />
      <Facts connector={connector} />
      {failed.length > 0 && <Failed connector={connector} />}
      <Sample connector={connector} />
      <details className="panel">
        <summary>Settings, and how far it is</summary>
        <Text size="sm">{hasSecrets ? 'Its password or key is sealed.' : 'No password or key is sealed.'}</Text>
        <pre className="laid-out small">{JSON.stringify({ settings, progress }, null, 2)}</pre>
      </details>
    </>
  );
}

function Facts({ connector }: { connector: ConnectorDetails }) {
  const { started, ended, succeeded, lagSeconds, nextRun, last, all, state } = connector;
  const lines: [string, string][] = [
    ['Last run', started ? `${formatDateTime(started)}${ended ? ` to ${formatDateTime(ended)}` : ''}` : 'none yet'],
    ['It did', countWords(last)],
    ['Since it was made', countWords(all)],
    ['Up to date since', succeeded ? `${formatDateTime(succeeded)}, ${lagWords(lagSeconds ?? 0)} ago` : 'never'],
    ['Next run', state === 'paused' ? 'none, it is paused' : formatDateTime(nextRun)],
  ];
  return (
    <section className="panel scroll-x">
      <table className="facts">
        <caption className="visually-hidden">How the connector fares</caption>
        <tbody>
          {lines.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Actions({ connector: { key, state } }: { connector: ConnectorDetails }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const role = useUser()?.role;
  const [asks, setAsks] = useState(false);
  const act = useMutation({
    mutationFn: (action: string) => postJson(`/api/connectors/${encodeURIComponent(key)}/${action}`, {}),
    onSettled: () => cache.invalidateQueries({ queryKey: ['connectors'] }),
  });
  const remove = useMutation({
    mutationFn: () => deleteJson(`/api/connectors/${encodeURIComponent(key)}`),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['connectors'] });
      await navigate({ to: '/connectors' });
    },
  });
  const isPaused = state === 'paused';
  return (
    <Stack gap="xs">
      <Group>
        {!isPaused && (
          <Button onClick={() => act.mutate('run')} loading={act.isPending} disabled={state === 'running'}>
            Run it now
          </Button>
        )}
        <Button variant="default" onClick={() => act.mutate(isPaused ? 'resume' : 'pause')}>
          {isPaused ? 'Resume it' : 'Pause it'}
        </Button>
        {role === 'administrator' &&
          (asks ? (
            <Button variant="default" className="danger" loading={remove.isPending} onClick={() => remove.mutate()}>
              Remove it: what was taken stays
            </Button>
          ) : (
            <Button variant="default" onClick={() => setAsks(true)}>
              Remove it…
            </Button>
          ))}
      </Group>
      {(act.error ?? remove.error) && <Notice tone="bad">{(act.error ?? remove.error)?.message}</Notice>}
    </Stack>
  );
}

function Failed({ connector: { key, failed } }: { connector: ConnectorDetails }) {
  const cache = useQueryClient();
  const retry = useMutation({
    mutationFn: () => postJson(`/api/connectors/${encodeURIComponent(key)}/retry`, {}),
    onSettled: () => cache.invalidateQueries({ queryKey: ['connectors'] }),
  });
  return (
    <section className="panel scroll-x">
      <h2>What failed</h2>
      <table className="facts">
        <caption className="visually-hidden">Files that failed, the newest first</caption>
        <tbody>
          {failed.map(({ item, reason, at }) => (
            <tr key={item}>
              <th scope="row" style={{ overflowWrap: 'anywhere' }}>
                {item}
              </th>
              <td>{reason}</td>
              <td className="small">{formatDateTime(at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Button mt="sm" variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
        Try again what still lies there
      </Button>
    </section>
  );
}

/** What is there now, and for rows the map, which is tried before it is saved. */
function Sample({ connector: { key, map: known } }: { connector: ConnectorDetails }) {
  const cache = useQueryClient();
  const [map, setMap] = useState<ColumnMap | undefined>(known ?? undefined);
  const at = `/api/connectors/${encodeURIComponent(key)}`;
  const preview = useMutation({
    mutationFn: () => postJson<ConnectorPreview>(`${at}/preview`, map ? { map } : {}),
  });
  const save = useMutation({
    mutationFn: (changed: ColumnMap) => putJson(`${at}/map`, changed),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['connectors', key] }),
  });
  const rows = preview.data?.rows ?? [];
  const columns = [...new Set([...rows.flatMap((row) => Object.keys(row)), ...Object.keys(map?.columns ?? {})])];
  return (
    <section className="panel">
      <h2>Try it</h2>
      <Group>
        <Button variant="default" loading={preview.isPending} onClick={() => preview.mutate()}>
          Look at what is there
        </Button>
        <Text size="sm" className="quiet">
          Nothing is taken.
        </Text>
      </Group>
      {preview.isError && <Notice tone="bad">{preview.error.message}</Notice>}
      {(known || rows.length > 0) && columns.length > 0 && (
        <Stack gap="sm" mt="sm">
          <MapEditor columns={columns} rows={rows} map={map} onChange={setMap} />
          <Group>
            <Button disabled={!map} loading={save.isPending} onClick={() => map && save.mutate(map)}>
              Save the map
            </Button>
            {save.isSuccess && (
              <span className="small">Saved. Rows that are stored are converted anew under Maps.</span>
            )}
          </Group>
          {save.isError && <Notice tone="bad">{save.error.message}</Notice>}
        </Stack>
      )}
      {preview.data && <PreviewView preview={preview.data} />}
    </section>
  );
}
