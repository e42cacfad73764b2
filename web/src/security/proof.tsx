/** Proving again who one is: by the password, a code or a passkey, whichever the account has. */
import { NativeSelect, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Security } from '../api/contract.ts';
import { answerByPasskey, hasPasskeys } from './passkey.ts';
import { securityQuery } from './security-query.ts';

type Way = 'password' | 'code' | 'passkey';

const LABELS: { [way in Way]: string } = {
  password: 'Your password',
  code: 'A code of your app, or a recovery code',
  passkey: 'A passkey',
};

/** The fields, and what they prove once they are sent. @param label of the password's field */
export function useProof(label: string): { fields: ReactNode; isReady: boolean; proof: () => Promise<object> } {
  const security = useQuery(securityQuery).data;
  const ways = waysOf(security);
  const [chosen, setChosen] = useState<Way>();
  const [typed, setTyped] = useState('');
  const way = chosen ?? ways[0]!;
  const fields = (
    <Stack gap="xs">
      {ways.length > 1 && (
        <NativeSelect
          label="Prove it is you by"
          value={way}
          onChange={(event) => {
            setChosen(event.currentTarget.value as Way);
            setTyped('');
          }}
          data={ways.map((value) => ({ value, label: LABELS[value] }))}
        />
      )}
      {way === 'password' && (
        <PasswordInput
          label={label}
          required
          autoComplete="current-password"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
      )}
      {way === 'code' && (
        <TextInput
          label="Code"
          description="Six digits of your app, or one of your recovery codes"
          required
          autoComplete="one-time-code"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {way === 'passkey' && <Text size="sm">Your browser asks for the passkey when you go on.</Text>}
    </Stack>
  );
  const proof = async () =>
    way === 'passkey'
      ? { passkey: await answerByPasskey('/auth/passkey/options') }
      : way === 'code'
        ? { code: typed.trim() }
        : { password: typed };
  return { fields, isReady: way === 'passkey' || typed.trim() !== '', proof };
}

function waysOf(security: Security | undefined): Way[] {
  if (!security) return ['password'];
  const ways: Way[] = [];
  if (security.hasPassword) ways.push('password');
  if (security.hasTotp) ways.push('code');
  if (security.passkeys.length > 0 && security.canPasskey && hasPasskeys()) ways.push('passkey');
  return ways.length > 0 ? ways : ['password'];
}
