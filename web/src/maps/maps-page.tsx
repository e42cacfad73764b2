/**
 * How messages are converted: what no map has a place for, what each sender does differently and is sent, and converting
 * anew.
 */
import { Select, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { Participant } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Failed } from '../parts/loading.tsx';
import { useTitle } from '../parts/title.ts';
import { ConvertAnew } from './convert-anew.tsx';
import { DirectSenders } from './direct-senders.tsx';
import { ReceiverSettings } from './receiver-settings.tsx';
import { RoutesPanel } from './routes-panel.tsx';
import { SenderQueries } from './sender-queries.tsx';
import { SenderSettings } from './sender-settings.tsx';
import { WorkList } from './work-list.tsx';

const route = getRouteApi('/signed-in/maps');

export function MapsPage() {
  useTitle('Maps');
  const { source } = route.useSearch();
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ['participants'],
    queryFn: ({ signal }) => getJson<{ participants: Participant[] }>('/api/participants', signal),
  });
  const participants = query.data?.participants ?? [];
  const chosen = participants.find(({ key }) => key === source);
  return (
    <Stack gap="md">
      <Title order={1}>Maps</Title>
      {query.isError && <Failed what="the senders" error={query.error} retry={() => query.refetch()} />}
      <search className="panel">
        <Select
          label="Sender"
          placeholder="All senders"
          clearable
          clearButtonProps={{ 'aria-label': 'All senders' }}
          maw={360}
          value={source ?? null}
          data={participants.map(({ key, name }) => ({ value: key, label: name }))}
          onChange={(key) => navigate({ to: '/maps', search: { source: key ?? undefined }, replace: true })}
        />
      </search>
      <div className="chart-columns">
        <Stack gap="md" style={{ minWidth: 0 }}>
          <WorkList source={source} />
        </Stack>
        <Stack gap="md" style={{ minWidth: 0 }}>
          {chosen && <SenderSettings key={chosen.key} participant={chosen} />}
          {chosen && <ReceiverSettings key={`receiver ${chosen.key}`} participant={chosen} />}
          {chosen && <RoutesPanel key={`routes ${chosen.key}`} participant={chosen} />}
          {chosen && <DirectSenders key={`direct ${chosen.key}`} participant={chosen} />}
          {chosen && <SenderQueries key={`${chosen.key} queries`} participant={chosen} />}
          <ConvertAnew key={source ?? ''} source={source} sourceName={chosen?.name} />
        </Stack>
      </div>
    </Stack>
  );
}
