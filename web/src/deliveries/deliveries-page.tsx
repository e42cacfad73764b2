/** What was passed on to whom: what was given up and why, and sending it again. */
import { Button, Group, Select, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { Delivery, Participant } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { DELIVERY_WORDS, DeliveryStateMark, DIALECT_WORDS } from '../messages/message-words.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';

const route = getRouteApi('/signed-in/deliveries');

interface Page {
  deliveries: Delivery[];
  next: number | null;
}

export function DeliveriesPage() {
  useTitle('Deliveries');
  const { state = 'dead', destination, before } = route.useSearch();
  const navigate = useNavigate();
  const search = new URLSearchParams({ state, ...(destination ? { destination } : {}), ...(before ? { before } : {}) });
  const query = useQuery({
    queryKey: ['deliveries', String(search)],
    queryFn: ({ signal }) => getJson<Page>(`/api/deliveries?${search}`, signal),
    refetchInterval: 10_000,
  });
  const participants = useQuery({
    queryKey: ['participants'],
    queryFn: ({ signal }) => getJson<{ participants: Participant[] }>('/api/participants', signal),
  });
  const show = (next: { state?: string; destination?: string; before?: string }) =>
    navigate({ to: '/deliveries', search: { state, destination, ...next }, replace: true });
  return (
    <Stack gap="md">
      <Title order={1}>Deliveries</Title>
      <Text maw={720}>
        What was passed on to whom. What a destination refuses, or does not take for long, is given up and listed here
        with the reason; it can be sent again, under the same control id.
      </Text>
      <search className="panel">
        <Group gap="sm">
          <Select
            label="State"
            allowDeselect={false}
            value={state}
            data={Object.entries(DELIVERY_WORDS).map(([value, { words }]) => ({ value, label: words }))}
            onChange={(value) => show({ state: value ?? 'dead' })}
          />
          <Select
            label="Destination"
            placeholder="All"
            clearable
            clearButtonProps={{ 'aria-label': 'All destinations' }}
            value={destination ?? null}
            data={(participants.data?.participants ?? []).map(({ key, name }) => ({ value: key, label: name }))}
            onChange={(key) => show({ destination: key ?? undefined })}
          />
        </Group>
      </search>
      {state === 'dead' && destination && <SendAllAgain destination={destination} />}
      <Loaded query={query} what="the deliveries">
        {({ deliveries, next }) =>
          deliveries.length === 0 ? (
            <Notice>
              {state === 'dead' ? 'Nothing was given up' : `Nothing is in the state “${stateWords(state)}”`}
              {destination && ' for this destination'}. Choose another state to see what was passed on.
            </Notice>
          ) : (
            <>
              <Table deliveries={deliveries} />
              {next !== null && (
                <Group>
                  <Button size="compact-sm" variant="default" onClick={() => show({ before: String(next) })}>
                    Older
                  </Button>
                </Group>
              )}
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

function stateWords(state: string): string {
  return Object.hasOwn(DELIVERY_WORDS, state) ? DELIVERY_WORDS[state as Delivery['state']].words : state;
}

function Table({ deliveries }: { deliveries: Delivery[] }) {
  return (
    <section className="panel scroll-x">
      <table className="facts stacks">
        <caption className="visually-hidden">Deliveries, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">To</th>
            <th scope="col">What</th>
            <th scope="col">State</th>
            <th scope="col" style={{ textAlign: 'right' }}>
              Attempts
            </th>
            <th scope="col">When</th>
            <th scope="col">
              <span className="visually-hidden">Send again</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map((one) => (
            <Row key={one.id} delivery={one} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ delivery }: { delivery: Delivery }) {
  const { id, destinationName, route: by, dialect, topic, kind, state, attempts } = delivery;
  const cache = useQueryClient();
  const again = useMutation({
    mutationFn: () => postJson<{ replayed: number }>(`/api/deliveries/${id}/replay`, {}),
    onSettled: () => cache.invalidateQueries({ queryKey: ['deliveries'] }),
  });
  return (
    <tr data-delivery={state}>
      <td>
        {destinationName}
        <div className="small quiet">
          {DIALECT_WORDS[dialect] ?? dialect}, route {by}
        </div>
      </td>
      <td className="small">
        {topic}
        {kind !== 'new' && <div className="quiet">{kind}</div>}
      </td>
      <td>
        <DeliveryStateMark delivery={delivery} />
        {again.error && <Notice tone="bad">{again.error.message}</Notice>}
      </td>
      <td className="number" data-label="Attempts">
        {count(attempts)}
      </td>
      <td className="small">{formatDateTime(delivery.deliveredAt ?? delivery.createdAt)}</td>
      <td>
        {state === 'dead' && (
          <Button size="compact-sm" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
            Send again
          </Button>
        )}
      </td>
    </tr>
  );
}

function SendAllAgain({ destination }: { destination: string }) {
  const cache = useQueryClient();
  const again = useMutation({
    mutationFn: () => postJson<{ replayed: number }>('/api/deliveries/replay', { destination }),
    onSettled: () => cache.invalidateQueries({ queryKey: ['deliveries'] }),
  });
  return (
    <Group gap="sm">
      <Button size="compact-sm" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
        Send all that was given up again
      </Button>
      <div role="status" aria-live="polite" className="small">
        {again.data && `${count(again.data.replayed)} are sent again.`}
        {again.error?.message}
      </div>
    </Group>
  );
}
