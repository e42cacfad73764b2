/** The apps that may ask for data: letting in those that registered themselves, shutting out, and registering one. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ClientState, RegisteredClient } from '../api/contract.ts';
import { deleteJson, getJson, putJson } from '../api/request.ts';
import { scopeWords } from '../apps/scopes.ts';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import type { Tone } from '../theme/tones.ts';
import { ClientOrganizations } from './client-organizations.tsx';
import { NewClient } from './new-client.tsx';

export const clientsKey = ['clients'];

const STATES: { [state in ClientState]: { tone: Tone; label: string } } = {
  pending: { tone: 'warn', label: 'Waits for you' },
  active: { tone: 'good', label: 'May ask' },
  suspended: { tone: 'bad', label: 'Shut out' },
};

export function ClientsPage() {
  useTitle('Apps');
  const [isAdding, setIsAdding] = useState(false);
  const query = useQuery({
    queryKey: clientsKey,
    queryFn: ({ signal }) => getJson<{ clients: RegisteredClient[] }>('/api/clients', signal),
  });
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Apps</Title>
        {!isAdding && <Button onClick={() => setIsAdding(true)}>Register an app</Button>}
      </Group>
      <Text maw={720}>
        Programs that may ask this hub for data. One that registered itself gets nothing until it is let in, or comes
        with a certificate of a trust community; a service of such a community waits until you say for which participant
        it asks. One that is shut out loses all it holds at once.
      </Text>
      {isAdding && <NewClient onDone={() => setIsAdding(false)} />}
      <Loaded query={query} what="the apps">
        {({ clients }) =>
          clients.length === 0 ? (
            <Notice>No app is registered.</Notice>
          ) : (
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {inOrder(clients).map((client) => (
                <Client key={client.id} client={client} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Stack>
  );
}

/** Those that wait first. */
function inOrder(clients: RegisteredClient[]): RegisteredClient[] {
  const waits = ({ udap }: RegisteredClient) =>
    udap?.organizations?.some(({ participant }) => participant === undefined);
  const rank = (client: RegisteredClient) => (client.state === 'pending' || waits(client) ? 0 : 1);
  return clients.toSorted((a, b) => rank(a) - rank(b));
}

function Client({ client }: { client: RegisteredClient }) {
  const cache = useQueryClient();
  const { id, name, state, metadata } = client;
  const settled = { onSettled: () => cache.invalidateQueries({ queryKey: clientsKey }) };
  const change = useMutation({
    mutationFn: (next: ClientState) => putJson<void>(`/api/clients/${id}/state`, { state: next }),
    ...settled,
  });
  const remove = useMutation({ mutationFn: () => deleteJson<void>(`/api/clients/${id}`), ...settled });
  const isBusy = change.isPending || remove.isPending;
  const failed = change.error ?? remove.error;
  const scopes = (metadata.allowed_scopes ?? '').split(' ').filter((scope) => scope !== '');
  return (
    <li className="panel">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Group gap="sm">
            <Title order={2}>{name}</Title>
            <Mark tone={STATES[state].tone}>{STATES[state].label}</Mark>
          </Group>
          <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
            {kindOf(client)} · {id} · registered {formatDate(client.registered)}{' '}
            {client.registeredBy ? `by ${client.registeredBy}` : 'by itself'}
          </Text>
          {metadata.redirect_uris && metadata.redirect_uris.length > 0 && (
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              <span className="quiet">Goes back to</span> {metadata.redirect_uris.join(', ')}
            </Text>
          )}
          {client.udap && <ClientOrganizations client={client} />}
          <details>
            <summary className="small">
              May ask for {scopes.length === 1 ? 'one thing' : `${scopes.length} things`}
            </summary>
            <ul style={{ margin: '0.3rem 0', paddingLeft: '1.1rem' }}>
              {scopes.map((scope) => (
                <li key={scope}>
                  {scopeWords(scope)} <code className="small quiet">{scope}</code>
                </li>
              ))}
            </ul>
          </details>
          {failed && (
            <Notice tone="bad" title="Not changed.">
              {failed.message}
            </Notice>
          )}
        </div>
        <Group gap="xs" wrap="nowrap" style={{ flexShrink: 0 }}>
          {state !== 'active' && (
            <Button
              size="compact-sm"
              onClick={() => change.mutate('active')}
              disabled={isBusy}
              aria-label={`Let in ${name}`}
            >
              Let in
            </Button>
          )}
          {state === 'active' && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => change.mutate('suspended')}
              disabled={isBusy}
              aria-label={`Shut out ${name}`}
            >
              Shut out
            </Button>
          )}
          {state !== 'active' && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => remove.mutate()}
              disabled={isBusy}
              aria-label={`Remove ${name}`}
            >
              Remove
            </Button>
          )}
        </Group>
      </Group>
    </li>
  );
}

function kindOf({ metadata, organization }: RegisteredClient): string {
  if (metadata.grant_types?.includes('client_credentials'))
    return organization === 'none' ? 'Service without users' : `Service without users, of ${organization}`;
  return metadata.token_endpoint_auth_method === 'none' ? 'App that keeps no secret' : 'App with a secret or key';
}
