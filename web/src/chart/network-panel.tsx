/** Other networks (hubs): asking them about the person of a chart, and what came of it. */
import { Button, Group } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useContext, useEffect } from 'react';
import type { AskedNetwork, AskedNetworks } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { EmergencyOf } from '../emergency/emergency-of.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';
import type { Tone } from '../theme/tones.ts';

const askingMs = 700;
const STATES: Record<AskedNetwork['state'], { label: string; tone: Tone }> = {
  asking: { label: 'Asking', tone: 'info' },
  nothing: { label: 'Nothing found', tone: 'neutral' },
  apart: { label: 'Not joined', tone: 'warn' },
  followed: { label: 'Followed', tone: 'good' },
  failed: { label: 'No answer', tone: 'bad' },
  ended: { label: 'No exchange', tone: 'warn' },
};

export function NetworkPanel({ id }: { id: string }) {
  const isClinician = useUser()?.role === 'clinician';
  const emergency = useContext(EmergencyOf);
  const client = useQueryClient();
  const path = `/api/persons/${encodeURIComponent(id)}/networks`;
  const query = useQuery({
    queryKey: ['networks', id, emergency ?? 'ordinary'],
    queryFn: ({ signal }) => getJson<AskedNetworks>(path, signal, emergency),
    enabled: isClinician,
    refetchInterval: ({ state }) => (state.data?.networks.some((one) => one.state === 'asking') ? askingMs : false),
  });
  const ask = useMutation({
    mutationFn: () => postJson<AskedNetworks>(path, {}),
    onSuccess: (answer) => client.setQueryData(['networks', id, 'ordinary'], answer),
  });
  const networks = query.data?.networks ?? [];
  const fetched = networks.map(({ peer, resources = 0, updated }) => `${peer} ${resources > 0 ? updated : ''}`).join();
  useEffect(() => {
    // What was fetched meanwhile belongs to the chart.
    if (fetched.length > 0) void client.invalidateQueries({ queryKey: ['record'] });
  }, [fetched, client]);
  if (!query.data || (query.data.hubs.length === 0 && networks.length === 0)) return null;
  return (
    <section className="panel" aria-labelledby="networks-title">
      <h2 id="networks-title">Other networks</h2>
      {networks.length === 0 ? (
        <p className="small quiet">
          Not asked about this person: {query.data.hubs.join(', ')}. Asking tells them whom you treat.
        </p>
      ) : (
        <ul style={{ listStyle: 'none', margin: '0 0 0.5rem', padding: 0 }}>
          {networks.map((network) => (
            <li key={network.peer} style={{ padding: '0.2rem 0', overflowWrap: 'anywhere' }}>
              <strong>{network.name}</strong>{' '}
              <Mark tone={STATES[network.state].tone}>{STATES[network.state].label}</Mark>{' '}
              <span className="small">{saying(network)}</span>
              {network.partial && <Notice tone="warn">Not all of it: {network.partial}</Notice>}
            </li>
          ))}
        </ul>
      )}
      {ask.isError && (
        <Notice tone="bad" title="Not asked.">
          {ask.error.message}
        </Notice>
      )}
      {emergency === undefined && (
        <Group mt="xs">
          <Button size="compact-sm" variant="default" loading={ask.isPending} onClick={() => ask.mutate()}>
            {networks.length === 0 ? 'Ask other networks' : 'Ask again'}
          </Button>
        </Group>
      )}
    </section>
  );
}

function saying({ state, resources, reason, updated }: AskedNetwork): string {
  const at = formatDateTime(updated);
  switch (state) {
    case 'asking':
      return 'is being asked.';
    case 'nothing':
      return `knows nobody for certain of whom it may tell (${at}).`;
    case 'apart':
      return 'is certain, and here the two are not taken for one person: a steward may join them.';
    case 'followed':
      return `${resources ?? 0} resources are here; what changes there comes by itself (${at}).`;
    case 'failed':
    case 'ended':
      return `${reason ?? ''} (${at})`;
  }
}
