/** How the user signs in: password, second factors, passkeys, and where a session is open. */
import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Security, SignInAnswer } from '../api/contract.ts';
import { deleteJson, postJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { NewApp, NewPasskey } from './new-factor.tsx';
import { NewPassword } from './new-password.tsx';
import { hasPasskeys } from './passkey.ts';
import { ProveAgain } from './prove-again.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { securityQuery } from './security-query.ts';
import { SessionsPanel } from './sessions-panel.tsx';

const route = getRouteApi('/signed-in/security');

type Doing = 'password' | 'app' | 'passkey';

export function SecurityPage() {
  useTitle('Sign-in and security');
  const query = useQuery(securityQuery);
  return (
    <Stack gap="md">
      <Title order={1}>Sign-in and security</Title>
      <Loaded query={query} what="how you sign in">
        {(security) => (
          <>
            {security.isFresh ? <Ways security={security} /> : <ProveAgain />}
            <SessionsPanel sessions={security.sessions} />
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Ways({ security }: { security: Security }) {
  const client = useQueryClient();
  const [doing, setDoing] = useState<Doing>();
  const [codes, setCodes] = useState<string[]>();
  const refresh = () => client.invalidateQueries({ queryKey: securityQuery.queryKey });
  const done = async (answer: SignInAnswer) => {
    setDoing(undefined);
    setCodes('recoveryCodes' in answer ? answer.recoveryCodes : undefined);
    await refresh();
  };
  const act = useMutation({
    mutationFn: ({ method, path }: { method: 'POST' | 'DELETE'; path: string }) =>
      method === 'POST' ? postJson<SignInAnswer>(path, {}) : deleteJson<SignInAnswer>(path),
    onSuccess: done,
    onError: refresh,
  });
  const cancel = () => setDoing(undefined);
  const canMake = security.canPasskey && hasPasskeys();
  if (codes) {
    return (
      <section className="panel">
        <h2>Recovery codes</h2>
        <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />
      </section>
    );
  }
  return (
    <section className="panel">
      <h2>How you sign in</h2>
      {security.needsFactor && <Notice tone="info">Your role needs a second factor.</Notice>}
      {act.isError && (
        <Notice tone="bad" title="Not changed.">
          {act.error.message}
        </Notice>
      )}
      <Way
        name="Password"
        state={security.hasPassword ? <Mark tone="good">Set</Mark> : <Mark>None</Mark>}
        says="Changing it ends your other sessions."
        action={<Act onClick={() => setDoing('password')}>{security.hasPassword ? 'Change' : 'Choose one'}</Act>}
      >
        {doing === 'password' && <NewPassword onDone={done} onCancel={cancel} />}
      </Way>
      <Way
        name="Authenticator app"
        state={security.hasTotp ? <Mark tone="good">In use</Mark> : <Mark>None</Mark>}
        says="Codes of six digits, asked for after your password."
        action={
          security.hasTotp ? (
            <Act onClick={() => act.mutate({ method: 'DELETE', path: '/auth/totp' })}>Remove the app</Act>
          ) : (
            <Act onClick={() => setDoing('app')}>Set up an app</Act>
          )
        }
      >
        {doing === 'app' && <NewApp onDone={done} onCancel={cancel} />}
      </Way>
      <Way
        name="Passkeys"
        state={security.passkeys.length > 0 ? <Mark tone="good">{security.passkeys.length}</Mark> : <Mark>None</Mark>}
        says={
          canMake
            ? 'Sign in without a password, and as a second factor.'
            : 'Not at this address or in this browser: passkeys need https and a host with a name.'
        }
        action={canMake && <Act onClick={() => setDoing('passkey')}>Add a passkey</Act>}
      >
        {doing === 'passkey' && <NewPasskey onDone={done} onCancel={cancel} />}
        <ul style={{ margin: 0, paddingLeft: '1.1rem' }}>
          {security.passkeys.map(({ id, name, made, lastUsed }) => (
            <li key={id}>
              <Group gap="sm">
                <span>
                  {name}{' '}
                  <span className="quiet small">
                    since {formatDate(made)}
                    {lastUsed && `, used ${formatDate(lastUsed)}`}
                  </span>
                </span>
                <Act
                  onClick={() => act.mutate({ method: 'DELETE', path: `/auth/passkeys/${encodeURIComponent(id)}` })}
                  label={`Remove the passkey ${name}`}
                >
                  Remove
                </Act>
              </Group>
            </li>
          ))}
        </ul>
      </Way>
      {security.external && (
        <ExternalWay name={security.external.name} isConnected={security.isExternal} onDone={refresh} />
      )}
      {(security.canConnect || (security.providers ?? []).length > 0) && (
        <ProvidersWay providers={security.providers ?? []} canConnect={security.canConnect === true} onDone={refresh} />
      )}
      {(security.hasTotp || security.passkeys.length > 0) && (
        <Way
          name="Recovery codes"
          state={<Mark tone={security.recoveryCodes > 2 ? 'good' : 'warn'}>{security.recoveryCodes} left</Mark>}
          says="For when you have lost your device. New ones take the place of those you have."
          action={
            <Act onClick={() => act.mutate({ method: 'POST', path: '/auth/recovery-codes' })}>Make new codes</Act>
          }
        />
      )}
    </section>
  );
}

function ExternalWay({ name, isConnected, onDone }: { name: string; isConnected: boolean; onDone: () => void }) {
  const { refused } = route.useSearch();
  const act = useMutation({
    mutationFn: async () => {
      if (isConnected) return deleteJson<void>('/auth/external');
      const { address } = await postJson<{ address: string }>('/auth/external', { connect: true });
      window.location.assign(address);
    },
    onSettled: onDone,
  });
  return (
    <Way
      name={`Sign in with ${name}`}
      state={isConnected ? <Mark tone="good">Connected</Mark> : <Mark>Not connected</Mark>}
      says="Your sign-in there opens your account here."
      action={<Act onClick={() => act.mutate()}>{isConnected ? 'Disconnect' : 'Connect'}</Act>}
    >
      {refused && !isConnected && (
        <Notice tone="bad" title="Not connected.">
          That sign-in belongs to another account here.
        </Notice>
      )}
      {act.isError && (
        <Notice tone="bad" title="Not changed.">
          {act.error.message}
        </Notice>
      )}
    </Way>
  );
}

/** Identity providers that vouch for the user where an app names them (UDAP Tiered OAuth). */
function ProvidersWay({
  providers,
  canConnect,
  onDone,
}: {
  providers: NonNullable<Security['providers']>;
  canConnect: boolean;
  onDone: () => void;
}) {
  const { refused } = route.useSearch();
  const [isAsking, setIsAsking] = useState(false);
  const [address, setAddress] = useState('');
  const connect = useMutation({
    mutationFn: () => postJson<{ address: string }>('/oauth/idp', { idp: address.trim() }),
    onSuccess: (next) => window.location.assign(next.address),
    onError: onDone,
  });
  const disconnect = useMutation({
    mutationFn: (issuer: string) => deleteJson<void>(`/oauth/idp?idp=${encodeURIComponent(issuer)}`),
    onSettled: onDone,
  });
  const failed = connect.error ?? disconnect.error;
  return (
    <Way
      name="Sign-in elsewhere"
      state={providers.length > 0 ? <Mark tone="good">{providers.length}</Mark> : <Mark>None</Mark>}
      says="An app may have you signed in by an identity provider that knows you already, such as another hub."
      action={canConnect && !isAsking && <Act onClick={() => setIsAsking(true)}>Connect one</Act>}
    >
      {failed && (
        <Notice tone="bad" title="Not changed.">
          {failed.message}
        </Notice>
      )}
      {refused && !failed && (
        <Notice tone="bad" title="Not connected.">
          That sign-in belongs to another account here, or was not finished.
        </Notice>
      )}
      {isAsking && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            connect.mutate();
          }}
        >
          <Stack gap="xs" mt="xs" maw={520}>
            <TextInput
              label="Address of the identity provider"
              description="You are sent there to sign in, and come back here."
              placeholder="https://hub.example.org/oauth"
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
              type="url"
              required
            />
            <Group gap="xs">
              <Button type="submit" size="compact-sm" loading={connect.isPending}>
                Sign in there
              </Button>
              <Act onClick={() => setIsAsking(false)}>Cancel</Act>
            </Group>
          </Stack>
        </form>
      )}
      <ul style={{ margin: 0, paddingLeft: '1.1rem' }}>
        {providers.map(({ issuer, since, isMapped }) => (
          <li key={issuer}>
            <Group gap="sm">
              <span>
                {issuer} <span className="quiet small">since {formatDate(since)}</span>
              </span>
              {isMapped ? (
                <span className="quiet small">chosen by who runs this hub</span>
              ) : (
                <Act onClick={() => disconnect.mutate(issuer)} label={`Disconnect ${issuer}`}>
                  Disconnect
                </Act>
              )}
            </Group>
          </li>
        ))}
      </ul>
    </Way>
  );
}

function Way(parts: { name: string; state: ReactNode; says: string; action: ReactNode; children?: ReactNode }) {
  return (
    <div style={{ borderTop: '1px solid var(--line)', padding: '0.6rem 0' }}>
      <Group justify="space-between">
        <div>
          <Group gap="xs">
            <strong>{parts.name}</strong> {parts.state}
          </Group>
          <Text size="sm" className="quiet">
            {parts.says}
          </Text>
        </div>
        {parts.action}
      </Group>
      {parts.children}
    </div>
  );
}

function Act({ onClick, label, children }: { onClick: () => void; label?: string; children: ReactNode }) {
  return (
    <Button size="compact-sm" variant="default" onClick={onClick} aria-label={label}>
      {children}
    </Button>
  );
}
