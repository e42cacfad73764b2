/** One account: who it is, how it signs in, and what an administrator may do with it. */
import { Button, Checkbox, Group, NativeSelect, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ListedUser, Role } from '../api/contract.ts';
import { patchJson, postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { ROLE_WORDS, useUser } from '../session/session.ts';
import type { Given } from './new-user.tsx';
import { usersKey } from './users-page.tsx';

interface Props {
  user: ListedUser;
  roles: Role[];
  /** Whether it was proved a moment ago who is at the screen. */
  mayChange: boolean;
  onGiven: (given: Given) => void;
}

export function UserRow({ user, roles, mayChange, onGiven }: Props) {
  const client = useQueryClient();
  const isOwn = useUser()?.username === user.username;
  const [isOpen, setIsOpen] = useState(false);
  const [isResetting, setIsResetting] = useState(false);
  const path = `/api/users/${encodeURIComponent(user.username)}`;
  const settled = { onSettled: () => client.invalidateQueries({ queryKey: usersKey }) };
  const change = useMutation({ mutationFn: (changed: object) => patchJson<unknown>(path, changed), ...settled });
  const unlock = useMutation({ mutationFn: () => postJson<void>(`${path}/unlock`, {}), ...settled });
  const reset = useMutation({
    mutationFn: () => postJson<Given>(`${path}/reset`, {}),
    onSuccess: (given) => {
      setIsResetting(false);
      onGiven(given);
    },
    ...settled,
  });
  const failed = change.error ?? unlock.error ?? reset.error;
  const isBusy = change.isPending || unlock.isPending || reset.isPending;
  const act = (label: string, onClick: () => void) => (
    <Button
      size="compact-sm"
      variant="default"
      onClick={onClick}
      disabled={isBusy}
      aria-label={`${label}: ${user.name}`}
    >
      {label}
    </Button>
  );
  return (
    <li className="panel">
      <Group justify="space-between" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Group gap="sm">
            <Title order={2}>{user.name}</Title>
            <Mark>{ROLE_WORDS[user.role] ?? user.role}</Mark>
            {user.isDisabled && <Mark tone="bad">Closed</Mark>}
            {user.lockedUntil && <Mark tone="warn">Locked until {formatDateTime(user.lockedUntil)}</Mark>}
            {user.mustChange && <Mark tone="info">Has to choose a password</Mark>}
          </Group>
          <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
            {user.username} · {user.organization} · signs in by {waysOf(user)}
            {user.lastUsed && ` · here ${formatDateTime(user.lastUsed)}`}
          </Text>
        </div>
        {mayChange && (
          <Group gap="xs">
            {user.lockedUntil && act('Unlock', () => unlock.mutate())}
            {act(isOpen ? 'Leave as it is' : 'Change', () => setIsOpen(!isOpen))}
            {!isOwn && !isResetting && act('Reset', () => setIsResetting(true))}
            {!isOwn &&
              act(user.isDisabled ? 'Open again' : 'Close', () => change.mutate({ isDisabled: !user.isDisabled }))}
          </Group>
        )}
      </Group>
      {failed && (
        <Notice tone="bad" title="Not changed.">
          {failed.message}
        </Notice>
      )}
      {isResetting && mayChange && (
        <Group gap="xs" mt="sm">
          <Text size="sm">
            A new password is made; second factors, passkeys and sessions of {user.name} are gone. Be sure who asks for
            it.
          </Text>
          <Button size="compact-sm" onClick={() => reset.mutate()} loading={reset.isPending}>
            Reset it
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setIsResetting(false)}>
            Cancel
          </Button>
        </Group>
      )}
      {isOpen && mayChange && (
        <ChangeForm
          user={user}
          roles={roles}
          isOwn={isOwn}
          isBusy={isBusy}
          onChange={(changed) => change.mutate(changed, { onSuccess: () => setIsOpen(false) })}
        />
      )}
    </li>
  );
}

function ChangeForm({
  user,
  roles,
  isOwn,
  isBusy,
  onChange,
}: {
  user: ListedUser;
  roles: Role[];
  isOwn: boolean;
  isBusy: boolean;
  onChange: (changed: object) => void;
}) {
  const [name, setName] = useState(user.name);
  const [organization, setOrganization] = useState(user.organization);
  const [role, setRole] = useState(user.role);
  const [mayEmergency, setMayEmergency] = useState(user.mayEmergency);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ name, organization, mayEmergency, ...(isOwn ? {} : { role }) });
      }}
    >
      <Stack gap="sm" mt="sm" maw={520}>
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput
          label="Organisation"
          required
          value={organization}
          onChange={(event) => setOrganization(event.currentTarget.value)}
        />
        {!isOwn && (
          <NativeSelect
            label="Role"
            value={role}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
            data={roles.map((value) => ({ value, label: ROLE_WORDS[value] ?? value }))}
          />
        )}
        {role === 'clinician' && (
          <Checkbox
            label="May begin emergency access"
            checked={mayEmergency}
            onChange={(event) => setMayEmergency(event.currentTarget.checked)}
          />
        )}
        <Group>
          <Button type="submit" loading={isBusy}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function waysOf({ hasPassword, hasTotp, passkeys, isExternal }: ListedUser): string {
  const ways = [
    hasPassword ? (hasTotp ? 'password and code' : 'password') : '',
    passkeys > 0 ? (passkeys === 1 ? 'a passkey' : `${passkeys} passkeys`) : '',
    isExternal ? 'another provider' : '',
  ].filter((way) => way !== '');
  return ways.length > 0 ? ways.join(', ') : 'nothing yet';
}
