/** Sign in, with the demonstration's accounts one click away when the hub has them. */
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { DemoAccount, User } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { homeOf, ROLE_WORDS, sessionQuery } from '../session/session.ts';
import { Logo } from '../shell/logo.tsx';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  useTitle('Sign in');
  const { back, ended } = route.useSearch();
  const navigate = useNavigate();
  const router = useRouter();
  const client = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const passwordField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    meta: { signIn: true },
    mutationFn: () => postJson<{ user: User }>('/auth/login', { username: username.trim(), password }),
    onSuccess: async ({ user }) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, user);
      if (back) router.history.push(back);
      else await navigate({ to: homeOf(user.role) });
    },
    onError: () => passwordField.current?.select(),
  });
  return (
    <main className="page" style={{ maxWidth: 460, paddingTop: '8vh' }}>
      <Stack gap="md">
        <Logo size={40} />
        <section className="panel" style={{ padding: '1.4rem' }}>
          <Title order={1} mb="sm">
            Sign in
          </Title>
          {ended && <Notice tone="info">Your session has ended. Sign in to go on where you were.</Notice>}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (!signIn.isPending) signIn.mutate();
            }}
          >
            <Stack gap="sm" mt="sm">
              <TextInput
                label="Username"
                autoComplete="username"
                autoFocus
                required
                value={username}
                onChange={(event) => setUsername(event.currentTarget.value)}
              />
              <PasswordInput
                ref={passwordField}
                label="Password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
              />
              {signIn.isError && (
                <Notice tone="bad" title="Not signed in.">
                  {signIn.error.message}
                </Notice>
              )}
              <Button type="submit" loading={signIn.isPending} loaderProps={{ 'aria-label': 'Signing in' }}>
                Sign in
              </Button>
            </Stack>
          </form>
        </section>
        <DemoAccounts
          onChoose={(account) => {
            setUsername(account.username);
            setPassword(account.password);
            passwordField.current?.focus();
          }}
        />
      </Stack>
    </main>
  );
}

function DemoAccounts({ onChoose }: { onChoose: (account: DemoAccount) => void }) {
  const accounts = useQuery({
    queryKey: ['demo-accounts'],
    queryFn: ({ signal }) => getJson<{ accounts: DemoAccount[] }>('/auth/demo-accounts', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!accounts.data?.accounts.length) return null;
  return (
    <section className="panel">
      <h2>Demonstration accounts</h2>
      <Text size="sm" className="quiet" mb="xs">
        The people in this hub are made up. Choose who to be, then sign in.
      </Text>
      <Stack gap={6}>
        {accounts.data.accounts.map((account) => (
          <Button
            key={account.username}
            variant="default"
            justify="space-between"
            onClick={() => onChoose(account)}
            rightSection={<span className="quiet small">{ROLE_WORDS[account.role] ?? account.role}</span>}
          >
            {account.name}
          </Button>
        ))}
      </Stack>
    </section>
  );
}
