/** Sign in, step by step, with the demonstration's accounts one click away when the hub has them. */
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { DemoAccount, NextStep, SignInAnswer, User } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { answerByPasskey } from '../security/passkey.ts';
import { RecoveryCodes } from '../security/recovery-codes.tsx';
import { homeOf, ROLE_WORDS, sessionQuery } from '../session/session.ts';
import { Logo } from '../shell/logo.tsx';
import { NextStepForm } from './next-step.tsx';
import { OtherWays } from './other-ways.tsx';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  useTitle('Sign in');
  const { back, ended, goOn: isBegun, refused } = route.useSearch();
  const navigate = useNavigate();
  const router = useRouter();
  const client = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const passwordField = useRef<HTMLInputElement>(null);
  const [step, setStep] = useState<NextStep>();
  const [codes, setCodes] = useState<{ codes: string[]; answer: SignInAnswer }>();
  const enter = async (user: User) => {
    client.clear();
    client.setQueryData(sessionQuery.queryKey, user);
    if (back) router.history.push(back);
    else await navigate({ to: homeOf(user.role) });
  };
  const goOn = async (answer: SignInAnswer) => {
    setCodes(answer.recoveryCodes ? { codes: answer.recoveryCodes, answer } : undefined);
    if (answer.recoveryCodes) return;
    if ('user' in answer) await enter(answer.user);
    else setStep(answer);
  };
  const signIn = useMutation({
    meta: { signIn: true },
    mutationFn: async (by: 'password' | 'passkey') =>
      by === 'password'
        ? postJson<SignInAnswer>('/auth/login', { username: username.trim(), password })
        : postJson<SignInAnswer>('/auth/login/passkey', {
            passkey: await answerByPasskey('/auth/login/passkey/options'),
          }),
    onSuccess: goOn,
    onError: (_error, by) => by === 'password' && passwordField.current?.select(),
  });
  // A sign-in that an external provider began goes on here.
  const begun = useQuery({
    queryKey: ['sign-in-step'],
    queryFn: ({ signal }) => getJson<NextStep>('/auth/step', signal),
    enabled: isBegun === true,
    retry: false,
    gcTime: 0,
    meta: { signIn: true },
  });
  const [isAnew, setIsAnew] = useState(false);
  const begin = () => {
    setIsAnew(true);
    setStep(undefined);
    setPassword('');
    signIn.reset();
  };
  const shown = step ?? (isAnew || !begun.data?.next ? undefined : begun.data);
  return (
    <main className="page" style={{ maxWidth: 460, paddingTop: '8vh' }}>
      <Stack gap="md">
        <Logo size={40} />
        <section className="panel" style={{ padding: '1.4rem' }}>
          <Title order={1} mb="sm">
            Sign in
          </Title>
          {codes ? (
            <RecoveryCodes codes={codes.codes} onDone={() => goOn({ ...codes.answer, recoveryCodes: undefined })} />
          ) : shown ? (
            <NextStepForm step={shown} onAnswer={goOn} onCancel={begin} />
          ) : (
            <>
              {refused && (
                <Notice tone="bad" title="Not signed in.">
                  {REFUSALS[refused] ?? REFUSALS.failed}
                </Notice>
              )}
              {ended && <Notice tone="info">Your session has ended. Sign in to go on where you were.</Notice>}
              <form
                onSubmit={(event) => {
                  event.preventDefault();
                  if (!signIn.isPending) signIn.mutate('password');
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
                  <OtherWays onPasskey={() => signIn.mutate('passkey')} isBusy={signIn.isPending} back={back} />
                </Stack>
              </form>
            </>
          )}
        </section>
        {!shown && !codes && (
          <DemoAccounts
            onChoose={(account) => {
              setUsername(account.username);
              setPassword(account.password);
              passwordField.current?.focus();
            }}
          />
        )}
      </Stack>
    </main>
  );
}

const REFUSALS: { [refused: string]: string } = {
  unknown: 'The other provider knows you, but no account here is yours. Ask an administrator of this hub.',
  failed: 'The other provider did not let you in, or it took too long. Try again.',
};

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
