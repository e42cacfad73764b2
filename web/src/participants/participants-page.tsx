/** The organisations on the network, and where each stands. */
import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Standing } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { useTitle } from '../parts/title.ts';
import { STATE_WORDS } from './state-words.ts';

export function ParticipantsPage() {
  useTitle('Organisations');
  const query = useQuery({
    queryKey: ['standings'],
    queryFn: ({ signal }) => getJson<{ standings: Standing[] }>('/api/standings', signal),
  });
  return (
    <Stack gap="md">
      <Title order={1}>Organisations</Title>
      <Text maw={720}>
        Who is on the network, and how far each has come: invited, its keys, tested, signed, live. Whether an agreement
        is needed is decided in the <Link to="/network-policy">network’s policy</Link>.
      </Text>
      <Loaded query={query} what="the organisations">
        {({ standings }) =>
          standings.length === 0 ? (
            <Text className="quiet">There is no organisation yet.</Text>
          ) : (
            <section className="panel scroll-x">
              <table className="facts">
                <caption className="visually-hidden">Organisations by name</caption>
                <thead>
                  <tr>
                    <th scope="col">Organisation</th>
                    <th scope="col">Stands</th>
                    <th scope="col">Ends soon</th>
                  </tr>
                </thead>
                <tbody>
                  {standings.map(({ key, name, kind, state, expiring }) => (
                    <tr key={key}>
                      <td>
                        <Link to="/participants/$key" params={{ key }}>
                          {name}
                        </Link>{' '}
                        <span className="quiet small">{kind}</span>
                      </td>
                      <td>
                        {state ? (
                          <Mark tone={STATE_WORDS[state].tone}>{STATE_WORDS[state].label}</Mark>
                        ) : (
                          <span className="quiet small">Without an agreement</span>
                        )}
                      </td>
                      <td className="small">
                        {expiring.map(({ what, until }) => (
                          <div key={what}>
                            {what}, {formatDateTime(until)}
                          </div>
                        ))}
                      </td>
                    </tr>
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
