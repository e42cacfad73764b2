/** For which organisations a client of a trust community asks, and which participant each is here: an administrator says so. */
import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ClientOrganization, Participant, RegisteredClient } from '../api/contract.ts';
import { getJson, putJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { clientsKey } from './clients-page.tsx';

export function ClientOrganizations({ client }: { client: RegisteredClient }) {
  const { organizations = [], community, uri, certificateExpires } = client.udap!;
  const isService = client.metadata.grant_types?.includes('client_credentials') === true;
  return (
    <Stack gap={4} mt={4}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        <span className="quiet">Of the trust community</span> {community} <span className="quiet">as</span> {uri}
        {certificateExpires && (
          <span className="quiet">, by a certificate that holds until {formatDate(certificateExpires)}</span>
        )}
      </Text>
      {isService && organizations.length === 0 && (
        <Text size="sm" className="quiet">
          It has asked for no organisation yet, and gets nothing until it does and you say which participant that is.
        </Text>
      )}
      {organizations.map((organization) => (
        <Organization key={organization.organization} client={client.id} organization={organization} />
      ))}
    </Stack>
  );
}

function Organization({ client, organization: asked }: { client: string; organization: ClientOrganization }) {
  const cache = useQueryClient();
  const [chosen, setChosen] = useState('');
  const { organization, name, participant } = asked;
  const participants = useQuery({
    queryKey: ['participants'],
    queryFn: ({ signal }) => getJson<{ participants: Participant[] }>('/api/participants', signal),
  });
  const all = participants.data?.participants ?? [];
  const say = useMutation({
    mutationFn: (next: string | null) =>
      putJson<void>(`/api/clients/${client}/organizations`, { organization, participant: next }),
    onSettled: () => cache.invalidateQueries({ queryKey: clientsKey }),
  });
  const label = name ?? organization;
  return (
    <div>
      <Group gap="xs">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          <span className="quiet">Asks for</span> {label} {name && <span className="quiet">{organization}</span>}
        </Text>
        {participant ? (
          <Mark tone="good">is {all.find(({ key }) => key === participant)?.name ?? participant}</Mark>
        ) : (
          <Mark tone="warn">Waits for you</Mark>
        )}
        {participant ? (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => say.mutate(null)}
            disabled={say.isPending}
            aria-label={`Take back that ${label} is ${participant}`}
          >
            Take back
          </Button>
        ) : (
          <>
            <NativeSelect
              size="xs"
              aria-label={`Which participant ${label} is`}
              value={chosen}
              onChange={(event) => setChosen(event.currentTarget.value)}
              data={[
                { value: '', label: 'Which participant?' },
                ...all.map(({ key, name: of }) => ({ value: key, label: of })),
              ]}
            />
            <Button
              size="compact-sm"
              onClick={() => say.mutate(chosen)}
              disabled={say.isPending || chosen === ''}
              aria-label={`Let it ask for ${label}`}
            >
              Let it ask
            </Button>
          </>
        )}
      </Group>
      {say.error && (
        <Notice tone="bad" title="Not changed.">
          {say.error.message}
        </Notice>
      )}
      {!participant && (
        <Text size="xs" className="quiet">
          First asked {formatDate(asked.asked)}. The name is what the client says; make sure that it may speak for this
          organisation. It then reads as that participant’s own systems do.
        </Text>
      )}
    </div>
  );
}
