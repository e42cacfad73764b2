/** The apps that the user has connected: what each may see, since when, and taking it back. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ConnectedApp } from '../api/contract.ts';
import { deleteJson, getJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { destinationsOf, useUser } from '../session/session.ts';
import { PatientName } from './patient-choice.tsx';
import { scopeWords } from './scopes.ts';

const queryKey = ['connected-apps'];

export function ConnectedPage() {
  useTitle('Your apps');
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => getJson<{ apps: ConnectedApp[] }>('/api/apps', signal),
  });
  const role = useUser()?.role;
  const hasNoPages = role !== undefined && destinationsOf(role).length === 0;
  return (
    <Stack gap="md">
      <Title order={1}>Your apps</Title>
      <Text maw={720}>
        These apps may see data in your name. One that you disconnect can see nothing more from that moment; what it has
        seen already it keeps. What is told as it changes is among your <Link to="/subscriptions">subscriptions</Link>.
      </Text>
      <Loaded query={query} what="your apps">
        {({ apps }) =>
          apps.length === 0 ? (
            <Notice>
              You have connected no app.
              {hasNoPages &&
                ' Your role has no pages of its own here: what you may read, an app shows you. Open the app and choose this hub in it; it leads you back here to be let in. Which apps there are, those who run the hub know.'}
            </Notice>
          ) : (
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {apps.map((app) => (
                <App key={app.id} app={app} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Stack>
  );
}

function App({ app }: { app: ConnectedApp }) {
  const client = useQueryClient();
  const disconnect = useMutation({
    mutationFn: () => deleteJson<void>(`/api/apps/${app.id}`),
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
  return (
    <li className="panel">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Title order={2}>{app.name}</Title>
          {app.patient && (
            <div>
              <span className="quiet">Record of</span> <PatientName id={app.patient} />
            </div>
          )}
          <ul style={{ margin: '0.4rem 0', paddingLeft: '1.1rem' }}>
            {app.scopes.map((scope) => (
              <li key={scope}>{scopeWords(scope)}</li>
            ))}
          </ul>
          <Text size="sm" className="quiet">
            Connected {formatDate(app.since)}; ends {formatDate(app.expires)} unless it is used before.
          </Text>
          {disconnect.isError && (
            <Notice tone="bad" title="Not disconnected.">
              {disconnect.error.message}
            </Notice>
          )}
        </div>
        <Button
          variant="default"
          onClick={() => disconnect.mutate()}
          loading={disconnect.isPending}
          flex="none"
          aria-label={`Disconnect ${app.name}`}
        >
          Disconnect
        </Button>
      </Group>
    </li>
  );
}
