/** One subscription: how it fares, what it was told last, and pausing it, ending it or letting it go on. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { SubscriptionDetails, SubscriptionEvent, SubscriptionOverview } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { ResourceLink } from '../parts/resource-link.tsx';
import { useTitle } from '../parts/title.ts';
import { channelOf, KINDS, STATES, whatOf } from './subscription-words.ts';

const route = getRouteApi('/signed-in/subscriptions/$id');

export function SubscriptionPage() {
  useTitle('Subscription');
  const { id } = route.useParams();
  const query = useQuery({
    queryKey: ['subscription', id],
    queryFn: ({ signal }) => getJson<SubscriptionDetails>(`/api/subscriptions/${id}`, signal),
    refetchInterval: 5_000,
  });
  return (
    <Stack gap="md">
      <div>
        <Link to="/subscriptions">All subscriptions</Link>
      </div>
      <Loaded query={query} what="the subscription">
        {({ subscription, latest }) => (
          <>
            <Standing subscription={subscription} />
            <Events events={latest} isComing={subscription.channel === 'websocket'} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Standing({ subscription }: { subscription: SubscriptionOverview }) {
  const { id, name, who, role, organization, client, state, error, criteria, topic } = subscription;
  const { how } = channelOf(subscription);
  const facts: [string, string][] = [
    ['Whose', `${name} (${client ? `${who}, by ${client}` : `${role}, ${organization}`})`],
    ['How', subscription.endpoint ? `${how}: ${subscription.endpoint}` : how],
    ...(topic && criteria ? [['Topic', criteria] satisfies [string, string]] : []),
    ['Last event', count(subscription.events)],
    ['Behind by', subscription.behind > 0 ? `${count(subscription.behind)} events` : 'nothing'],
    ...(subscription.lastSent ? [['Last told', formatDateTime(subscription.lastSent)] satisfies [string, string]] : []),
    ...(subscription.ends ? [['Ends', formatDateTime(subscription.ends)] satisfies [string, string]] : []),
  ];
  return (
    <section className="panel" aria-labelledby="subscription-title">
      <Group justify="space-between" align="flex-start">
        <Group gap="sm">
          <Title order={1} id="subscription-title" style={{ overflowWrap: 'anywhere' }}>
            {whatOf(subscription)}
          </Title>
          <Mark tone={STATES[state].tone}>{STATES[state].label}</Mark>
        </Group>
        <Actions subscription={subscription} />
      </Group>
      <Text size="sm" className="quiet">
        {id}
      </Text>
      {error && state !== 'active' && (
        <Notice tone={state === 'error' ? 'bad' : 'warn'} title={error}>
          {subscription.nextAttempt &&
            `Tried ${count(subscription.failures)} times; again ${formatDateTime(subscription.nextAttempt)}.`}
        </Notice>
      )}
      <table className="facts">
        <caption className="visually-hidden">The subscription</caption>
        <tbody>
          {facts.map(([what, value]) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td style={{ overflowWrap: 'anywhere' }}>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Actions({ subscription }: { subscription: SubscriptionOverview }) {
  const { id, state, channel } = subscription;
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (next: 'off' | 'paused' | 'requested') =>
      postJson<SubscriptionOverview>(`/api/subscriptions/${id}`, { state: next }),
    onSettled: async () => {
      await cache.invalidateQueries({ queryKey: ['subscription', id] });
      await cache.invalidateQueries({ queryKey: ['subscriptions'] });
    },
  });
  const button = (next: 'off' | 'paused' | 'requested', label: string) => (
    <Button size="compact-sm" variant="default" onClick={() => change.mutate(next)} disabled={change.isPending}>
      {label}
    </Button>
  );
  return (
    <div>
      <Group gap="xs">
        {state !== 'paused' && state !== 'off' && channel !== 'websocket' && button('paused', 'Pause')}
        {state === 'paused' && button('requested', 'Go on')}
        {state === 'off' && button('requested', 'Turn on again')}
        {state !== 'off' && button('off', 'Turn off')}
      </Group>
      {change.error && (
        <Notice tone="bad" title="Not changed.">
          {change.error.message}
        </Notice>
      )}
    </div>
  );
}

function Events({ events, isComing }: { events: SubscriptionEvent[]; isComing: boolean }) {
  return (
    <section className="panel" aria-labelledby="events-title">
      <h2 id="events-title">Latest events</h2>
      {events.length === 0 ? (
        <p className="quiet small" style={{ margin: 0 }}>
          None yet. Events are kept for 30 days.
        </p>
      ) : (
        <div className="scroll-x">
          <table className="facts">
            <caption className="visually-hidden">Events, the newest first</caption>
            <thead>
              <tr>
                <th scope="col" style={{ textAlign: 'right' }}>
                  Number
                </th>
                <th scope="col">What</th>
                <th scope="col">When</th>
                <th scope="col">Told</th>
              </tr>
            </thead>
            <tbody>
              {events.map(({ number, at, kind, reference, isTold }) => (
                <tr key={number} data-event={number}>
                  <td className="number">{count(number)}</td>
                  <td style={{ overflowWrap: 'anywhere' }}>
                    {reference ? (
                      <ResourceLink reference={reference}>{reference}</ResourceLink>
                    ) : (
                      <span className="quiet">May not be seen any more</span>
                    )}{' '}
                    <span className="quiet small">{KINDS[kind]}</span>
                  </td>
                  <td className="small">{formatDateTime(at)}</td>
                  <td>
                    {isComing ? (
                      <span className="quiet small">when it listens</span>
                    ) : (
                      <Mark tone={isTold ? 'good' : 'warn'}>{isTold ? 'Told' : 'Waits'}</Mark>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
