/** Setting up a second factor: an authenticator app by its first code, or a passkey by its name. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { SignInAnswer } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { makePasskey } from './passkey.ts';
import { QrCode } from './qr-code.tsx';

interface Props {
  onDone: (answer: SignInAnswer) => void;
  onCancel: () => void;
}

export function NewApp({ onDone, onCancel }: Props) {
  const [code, setCode] = useState('');
  const secret = useQuery({
    queryKey: ['new-app'],
    queryFn: () => postJson<{ secret: string; uri: string }>('/auth/totp', {}),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const confirm = useMutation({
    meta: { signIn: true },
    mutationFn: () => postJson<SignInAnswer>('/auth/totp/confirm', { code }),
    onSuccess: onDone,
  });
  return (
    <Loaded query={secret} what="a secret for your app">
      {({ secret: text, uri }) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!confirm.isPending) confirm.mutate();
          }}
        >
          <Stack gap="sm">
            <Text size="sm">Read this with an authenticator app on your phone, or type the secret into it.</Text>
            <QrCode text={uri} label="The secret, for an authenticator app to read" />
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              Secret <code>{text.match(/.{1,4}/g)?.join(' ')}</code>
            </Text>
            <TextInput
              label="Code that the app shows"
              inputMode="numeric"
              autoComplete="one-time-code"
              required
              maw={240}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
            {confirm.isError && (
              <Notice tone="bad" title="Not set up.">
                {confirm.error.message}
              </Notice>
            )}
            <Group gap="xs">
              <Button type="submit" disabled={code.trim() === ''} loading={confirm.isPending}>
                Set up
              </Button>
              <Button variant="default" onClick={onCancel}>
                Cancel
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Loaded>
  );
}

export function NewPasskey({ onDone, onCancel }: Props) {
  const [name, setName] = useState('This device');
  const make = useMutation({
    meta: { signIn: true },
    mutationFn: () => makePasskey<SignInAnswer>(name.trim()),
    onSuccess: onDone,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!make.isPending) make.mutate();
      }}
    >
      <Stack gap="sm">
        <Text size="sm">
          A passkey lies on your device, or on a security key, and signs you in by your finger, your face or a PIN.
        </Text>
        <TextInput
          label="What you call it"
          required
          maxLength={100}
          maw={320}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {make.isError && (
          <Notice tone="bad" title="No passkey was made.">
            {make.error.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" disabled={name.trim() === ''} loading={make.isPending}>
            Make the passkey
          </Button>
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
