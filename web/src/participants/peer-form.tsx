/** Where another hub is asked, and as which client. */
import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Peer } from '../api/contract.ts';
import { deleteJson, getJson, putJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';

export function PeerPanel({ participant }: { participant: string }) {
  const query = useQuery({
    queryKey: ['peers'],
    queryFn: ({ signal }) => getJson<{ peers: Peer[] }>('/api/peers', signal),
  });
  return (
    <section className="panel" aria-labelledby="peer-title">
      <h2 id="peer-title">Asking this hub</h2>
      <p className="small quiet">
        Clinicians may ask it about persons whom they treat. It knows this hub as a client with the keys of{' '}
        <code style={{ overflowWrap: 'anywhere' }}>{`${window.location.origin}/oauth/jwks`}</code>.
      </p>
      <Loaded query={query} what="where it is asked">
        {({ peers }) => {
          const peer = peers.find((one) => one.participant === participant);
          return <PeerForm key={peer?.clientId ?? 'none'} participant={participant} peer={peer} />;
        }}
      </Loaded>
    </section>
  );
}

function PeerForm({ participant, peer }: { participant: string; peer: Peer | undefined }) {
  const [url, setUrl] = useState(peer?.url ?? '');
  const [clientId, setClientId] = useState(peer?.clientId ?? '');
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: ['peers'] });
  const path = `/api/peers/${participant}`;
  const put = useMutation({
    mutationFn: () => putJson<Peer>(path, { url: url.trim(), clientId: clientId.trim() }),
    onSuccess,
  });
  const remove = useMutation({ mutationFn: () => deleteJson<void>(path), onSuccess });
  const fault = put.error ?? remove.error;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!put.isPending) put.mutate();
      }}
    >
      <Stack gap="xs">
        <TextInput
          label="Address of its FHIR server"
          placeholder="https://hub.example.org/fhir"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <TextInput
          label="Client id"
          description="Given by the other hub"
          value={clientId}
          onChange={(event) => setClientId(event.currentTarget.value)}
        />
        {fault && (
          <Notice tone="bad" title="Not changed.">
            {fault.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button
            type="submit"
            size="compact-sm"
            disabled={url.trim() === '' || clientId.trim() === ''}
            loading={put.isPending}
          >
            {peer ? 'Change' : 'Ask it from now on'}
          </Button>
          {peer && (
            <Button size="compact-sm" variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
              Ask it no more
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
