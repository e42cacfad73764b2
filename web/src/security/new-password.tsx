/** Choosing a password. */
import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { SignInAnswer } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';

const shortest = 12;

export function NewPassword({ onDone, onCancel }: { onDone: (answer: SignInAnswer) => void; onCancel?: () => void }) {
  const [password, setPassword] = useState('');
  const isShort = password !== '' && password.length < shortest;
  const change = useMutation({
    meta: { signIn: true },
    mutationFn: () => postJson<SignInAnswer>('/auth/password', { password }),
    onSuccess: onDone,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (password.length >= shortest && !change.isPending) change.mutate();
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label="New password"
          description={`At least ${shortest} characters; a sentence is good`}
          autoComplete="new-password"
          required
          maw={420}
          error={isShort ? 'Too short yet' : undefined}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
        {change.isError && (
          <Notice tone="bad" title="Not changed.">
            {change.error.message}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" disabled={password.length < shortest} loading={change.isPending}>
            Take this password
          </Button>
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
