/** Who is told of what: one's own subscriptions, for administrators all of them, those in trouble first. */
import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { SubscriptionOverview } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { useTitle } from '../parts/title.ts';
import { channelOf, STATES, whatOf } from './subscription-words.ts';

export function SubscriptionsPage() {
  useTitle('Subscriptions');
  const query = useQuery({
    queryKey: ['subscriptions'],
    queryFn: ({ signal }) => getJson<{ subscriptions: SubscriptionOverview[] }>('/api/subscriptions', signal),
    refetchInterval: 5_000,
  });
  return (
    <Stack gap="md">
      <Title order={1}>Subscriptions</Title>
      <Text maw={720}>
        Who is told when something changes. Each is told in order and until it takes what it is told; one that does not
        answer is tried again for as long as it is wanted, and catches up.
      </Text>
      <Loaded query={query} what="the subscriptions">
        {({ subscriptions }) =>
          subscriptions.length === 0 ? (
            <Notice>Nobody has asked to be told of anything.</Notice>
          ) : (
            <section className="panel scroll-x">
              <table className="facts">
                <caption className="visually-hidden">Subscriptions, those in trouble first</caption>
                <thead>
                  <tr>
                    <th scope="col">Told of</th>
                    <th scope="col">Whose</th>
                    <th scope="col">How</th>
                    <th scope="col">State</th>
                    <th scope="col" style={{ textAlign: 'right' }}>
                      Last event
                    </th>
                    <th scope="col" style={{ textAlign: 'right' }}>
                      Behind by
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {inOrder(subscriptions).map((one) => (
                    <Row key={one.id} subscription={one} />
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Loaded>
    </Stack>
  );
}

const ORDER = { error: 0, paused: 1, requested: 2, active: 3, off: 4 };

function inOrder(subscriptions: SubscriptionOverview[]): SubscriptionOverview[] {
  return subscriptions.toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || b.behind - a.behind);
}

function Row({ subscription }: { subscription: SubscriptionOverview }) {
  const { id, name, client, organization, state, error, events, behind } = subscription;
  const { how, where } = channelOf(subscription);
  return (
    <tr data-subscription={state}>
      <td style={{ overflowWrap: 'anywhere' }}>
        <Link to="/subscriptions/$id" params={{ id }}>
          {whatOf(subscription)}
        </Link>
      </td>
      <td className="small">
        {name}
        <div className="quiet" style={{ overflowWrap: 'anywhere' }}>
          {client ? `by ${client}` : organization}
        </div>
      </td>
      <td className="small">
        {how}
        <div className="quiet" style={{ overflowWrap: 'anywhere' }}>
          {where}
        </div>
      </td>
      <td>
        <Mark tone={STATES[state].tone}>{STATES[state].label}</Mark>
        {error && state !== 'active' && (
          <div className="small" style={{ overflowWrap: 'anywhere' }}>
            {error}
          </div>
        )}
      </td>
      <td className="number">{count(events)}</td>
      <td className="number">{behind > 0 ? count(behind) : '–'}</td>
    </tr>
  );
}
