/** What is still needed after the password: a second factor, a password of one's own, or a second factor to be set up. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { NextStep, SignInAnswer } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { NewApp, NewPasskey } from '../security/new-factor.tsx';
import { NewPassword } from '../security/new-password.tsx';
import { answerByPasskey, hasPasskeys } from '../security/passkey.ts';

interface Props {
  step: NextStep;
  onAnswer: (answer: SignInAnswer) => void;
  onCancel: () => void;
}

export function NextStepForm(props: Props) {
  const { step, onAnswer, onCancel } = props;
  if (step.next === 'factor') return <SecondFactor {...props} step={step} />;
  if (step.next === 'enrol') return <Enrol onAnswer={onAnswer} onCancel={onCancel} />;
  return (
    <Stack gap="sm">
      <Text size="sm">The password that you were given is good for choosing one of your own, which only you know.</Text>
      <NewPassword onDone={onAnswer} onCancel={onCancel} />
    </Stack>
  );
}

function SecondFactor({ step, onAnswer, onCancel }: Props & { step: Extract<NextStep, { next: 'factor' }> }) {
  const [code, setCode] = useState('');
  const send = useMutation({
    meta: { signIn: true },
    mutationFn: async (by: 'code' | 'passkey') =>
      postJson<SignInAnswer>(
        '/auth/second-factor',
        by === 'code' ? { code: code.trim() } : { passkey: await answerByPasskey('/auth/passkey/options') },
      ),
    onSuccess: onAnswer,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== '' && !send.isPending) send.mutate('code');
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="Code"
          description={
            step.hasTotp ? 'Six digits of your authenticator app, or a recovery code' : 'One of your recovery codes'
          }
          autoComplete="one-time-code"
          autoFocus
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        {send.isError && (
          <Notice tone="bad" title="Not signed in.">
            {send.error.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" disabled={code.trim() === ''} loading={send.isPending}>
            Sign in
          </Button>
          {step.hasPasskey && hasPasskeys() && (
            <Button variant="default" onClick={() => send.mutate('passkey')} disabled={send.isPending}>
              Use a passkey
            </Button>
          )}
          <Button variant="default" onClick={onCancel}>
            Back
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Enrol({ onAnswer, onCancel }: Omit<Props, 'step'>) {
  const [way, setWay] = useState<'app' | 'passkey'>();
  const back = () => setWay(undefined);
  if (way === 'app') return <NewApp onDone={onAnswer} onCancel={back} />;
  if (way === 'passkey') return <NewPasskey onDone={onAnswer} onCancel={back} />;
  return (
    <Stack gap="sm">
      <Text size="sm">Your role needs a second factor. Set one up now; from then on it is asked for.</Text>
      <Group gap="xs">
        <Button onClick={() => setWay('app')}>Set up an authenticator app</Button>
        {hasPasskeys() && (
          <Button variant="default" onClick={() => setWay('passkey')}>
            Make a passkey
          </Button>
        )}
        <Button variant="default" onClick={onCancel}>
          Back
        </Button>
      </Group>
    </Stack>
  );
}
