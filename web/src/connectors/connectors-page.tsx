/** The sources from which the hub takes by itself, and how each fares. */
import { Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Connector } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { organisationName } from '../parts/organisation.ts';
import { useTitle } from '../parts/title.ts';
import { useUser } from '../session/session.ts';
import { CONNECTOR_STATES, countWords, KIND_WORDS, lagWords } from './connector-words.ts';

const lookMs = 5_000;

export function ConnectorsPage() {
  useTitle('Connectors');
  const role = useUser()?.role;
  const query = useQuery({
    queryKey: ['connectors'],
    queryFn: ({ signal }) => getJson<{ connectors: Connector[] }>('/api/connectors', signal),
    refetchInterval: lookMs,
  });
  return (
    <Stack gap="md">
      <Group justify="space-between" align="baseline">
        <Title order={1}>Connectors</Title>
        {role === 'administrator' && <Link to="/connectors/new">Make a connector</Link>}
      </Group>
      <Text maw={720}>
        Sources that do not send by themselves: FHIR servers, folders of files, queries on databases. The hub takes from
        them, and what it takes goes through the same inbox as what is sent.
      </Text>
      <Loaded query={query} what="the connectors">
        {({ connectors }) =>
          connectors.length === 0 ? (
            <Text className="quiet">There is no connector yet.</Text>
          ) : (
            <section className="panel scroll-x">
              <table className="facts">
                <caption className="visually-hidden">Connectors by key</caption>
                <thead>
                  <tr>
                    <th scope="col">Connector</th>
                    <th scope="col">State</th>
                    <th scope="col">Last run</th>
                    <th scope="col">Since it was made</th>
                    <th scope="col">Up to date since</th>
                  </tr>
                </thead>
                <tbody>
                  {connectors.map((connector) => (
                    <ConnectorRow key={connector.key} connector={connector} />
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

function ConnectorRow({ connector }: { connector: Connector }) {
  const { key, kind, participant, state, error, ended, last, all, succeeded, lagSeconds } = connector;
  return (
    <tr>
      <td>
        <Link to="/connectors/$key" params={{ key }}>
          {key}
        </Link>
        <div className="quiet small">
          {KIND_WORDS[kind]} of {organisationName({ source: participant })}
        </div>
      </td>
      <td>
        <Mark tone={CONNECTOR_STATES[state].tone}>{CONNECTOR_STATES[state].label}</Mark>
        {error && <div className="small">{error}</div>}
      </td>
      <td className="small">
        {ended ? formatDateTime(ended) : 'none yet'}
        <div className="quiet">{countWords(last)}</div>
      </td>
      <td className="small">{countWords(all)}</td>
      <td className="small">
        {succeeded ? formatDateTime(succeeded) : 'never'}
        {lagSeconds !== undefined && <div className="quiet">{lagWords(lagSeconds)} ago</div>}
      </td>
    </tr>
  );
}
