/** Making an account. Its first password is made by the hub, and shown once. */
import { Button, Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { ROLE_WORDS } from '../session/session.ts';
import { usersKey } from './users-page.tsx';

export interface Given {
  username: string;
  password: string;
}

export function NewUser({
  roles,
  onMade,
  onCancel,
}: {
  roles: Role[];
  onMade: (made: Given) => void;
  onCancel: () => void;
}) {
  const client = useQueryClient();
  const [fields, setFields] = useState({ username: '', name: '', organization: '' });
  const [role, setRole] = useState<Role>('clinician');
  const make = useMutation({
    mutationFn: () => postJson<Given>('/api/users', { ...fields, role }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: usersKey });
      onMade(made);
    },
  });
  const field = (name: keyof typeof fields) => ({
    required: true,
    autoComplete: 'off',
    value: fields[name],
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) =>
      setFields((before) => ({ ...before, [name]: value })),
  });
  return (
    <section className="panel" style={{ maxWidth: 620 }}>
      <h2>Make an account</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!make.isPending) make.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput label="Name" {...field('name')} />
          <TextInput label="User name" description="To sign in with" {...field('username')} />
          <NativeSelect
            label="Role"
            value={role}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
            data={roles.map((value) => ({ value, label: ROLE_WORDS[value] ?? value }))}
          />
          <TextInput
            label="Organisation"
            description="The key or name of a participant, whose clinician it is then; or any other"
            {...field('organization')}
          />
          {make.isError && (
            <Notice tone="bad" title="No account was made.">
              {make.error.message}
            </Notice>
          )}
          <Group gap="xs">
            <Button type="submit" loading={make.isPending}>
              Make the account
            </Button>
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}
