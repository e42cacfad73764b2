/** The trust communities that the hub is in, and the identity providers of these at which it is a client. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { IdentityProvider, TrustCommunities, TrustCommunity } from '../api/contract.ts';
import { deleteJson, getJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';

const communitiesKey = ['trust-communities'];

const REVOCATION: { [rule in TrustCommunity['revocation']]: string } = {
  required: 'Each certificate needs an answer that it is not revoked.',
  named: 'A certificate that names who tells of it needs an answer that it is not revoked.',
  reachable: 'Revoked certificates are refused, where somebody answers.',
  off: 'Nobody is asked whether certificates are revoked.',
};

export function CommunitiesPage() {
  useTitle('Trust communities');
  const query = useQuery({
    queryKey: communitiesKey,
    queryFn: ({ signal }) => getJson<TrustCommunities>('/api/trust-communities', signal),
  });
  return (
    <Stack gap="md">
      <Title order={1}>Trust communities</Title>
      <Text maw={720}>
        Whose certificates this hub takes (UDAP). Apps and services of a community register themselves, and stand under{' '}
        <Link to="/clients">Apps</Link>. Communities are described in the file of <code>--udap</code>, which is read
        anew each minute.
      </Text>
      <Loaded query={query} what="the trust communities">
        {({ communities, faults, providers }) => (
          <>
            {faults.map((fault) => (
              <Notice key={fault} tone="bad" title="A community cannot be read.">
                {fault}
              </Notice>
            ))}
            {communities.length === 0 && faults.length === 0 && <Notice>This hub is in no trust community.</Notice>}
            {communities.map((community) => (
              <Community
                key={community.uri}
                community={community}
                providers={providers.filter((one) => one.community === community.uri)}
              />
            ))}
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Community({ community, providers }: { community: TrustCommunity; providers: IdentityProvider[] }) {
  const { uri, name, revocation, addresses, expires, provider, accounts } = community;
  const isOver = new Date(expires) < new Date();
  return (
    <section className="panel" aria-label={name}>
      <h2>{name}</h2>
      <Stack gap="xs">
        <Text size="sm" className="quiet">
          {uri}
        </Text>
        <table className="facts">
          <tbody>
            <tr>
              <th scope="row">This hub’s certificate</th>
              <td>
                for {addresses.join(', ') || 'no address'}, until {formatDate(expires)}{' '}
                {isOver && <Mark tone="bad">Over</Mark>}
              </td>
            </tr>
            <tr>
              <th scope="row">Revocation</th>
              <td>{REVOCATION[revocation]}</td>
            </tr>
            <tr>
              <th scope="row">Users of this hub, elsewhere</th>
              <td>
                {provider
                  ? `This hub signs them in for others, at ${provider.addresses.join(', ')}, until ${formatDate(provider.expires)}.`
                  : 'This hub signs them in for nobody else.'}
              </td>
            </tr>
            <tr>
              <th scope="row">Users of others, here</th>
              <td>
                {accounts === undefined
                  ? 'Nobody else signs users in here.'
                  : accounts.length === 0
                    ? 'Who connected an account may be signed in by an identity provider of the community.'
                    : `Claims of ${accounts.join(', ')} make accounts here; of others, accounts that their users connected.`}
              </td>
            </tr>
          </tbody>
        </table>
        {accounts !== undefined && <Providers providers={providers} />}
      </Stack>
    </section>
  );
}

function Providers({ providers }: { providers: IdentityProvider[] }) {
  const client = useQueryClient();
  const forget = useMutation({
    mutationFn: (address: string) => deleteJson<void>(`/api/identity-providers?address=${encodeURIComponent(address)}`),
    onSettled: () => client.invalidateQueries({ queryKey: communitiesKey }),
  });
  if (providers.length === 0) {
    return (
      <Text size="sm" className="quiet">
        No identity provider was asked yet. This hub registers itself when an app first names one.
      </Text>
    );
  }
  return (
    <>
      <h3 style={{ fontSize: '1rem', margin: '0.6rem 0 0' }}>Identity providers</h3>
      {forget.isError && (
        <Notice tone="bad" title="Not forgotten.">
          {forget.error.message}
        </Notice>
      )}
      <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {providers.map(({ address, client: id, registered, accounts }) => (
          <li key={address}>
            <Group justify="space-between">
              <div>
                <strong style={{ overflowWrap: 'anywhere' }}>{address}</strong>
                <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
                  Registered {formatDate(registered)} as {id}; vouches for {accounts}{' '}
                  {accounts === 1 ? 'account' : 'accounts'} here.
                </Text>
              </div>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => forget.mutate(address)}
                aria-label={`Register anew with ${address}`}
              >
                Register anew
              </Button>
            </Group>
          </li>
        ))}
      </Stack>
      <Text size="sm" className="quiet">
        Registering anew is for a provider that does not know this hub any more; it happens when an app next names it.
        Accounts stay connected.
      </Text>
    </>
  );
}
