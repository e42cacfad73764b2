/** The accounts of the hub: made, given roles, closed, unlocked and reset by administrators. */
import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ListedUser, Role } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { ProveAgain } from '../security/prove-again.tsx';
import { securityQuery } from '../security/security-query.ts';
import { NewUser } from './new-user.tsx';
import { UserRow } from './user-row.tsx';

export const usersKey = ['users'];

const route = getRouteApi('/signed-in/users');

export function UsersPage() {
  useTitle('Users');
  const { q } = route.useSearch();
  const navigate = useNavigate();
  const [isAdding, setIsAdding] = useState(false);
  const [given, setGiven] = useState<{ username: string; password: string }>();
  const security = useQuery(securityQuery);
  const query = useQuery({
    queryKey: [...usersKey, q ?? ''],
    queryFn: ({ signal }) =>
      getJson<{ users: ListedUser[]; roles: Role[] }>(`/api/users?q=${encodeURIComponent(q ?? '')}`, signal),
    placeholderData: (before) => before,
  });
  const mayChange = security.data?.isFresh === true;
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Users and roles</Title>
        {!isAdding && mayChange && <Button onClick={() => setIsAdding(true)}>Make an account</Button>}
      </Group>
      <Text maw={720}>
        Who may sign in, and as what. What somebody sees of a person’s record is decided by role, organisation and the
        person’s own choices. Changing role or organisation, closing and resetting an account end its sessions at once.
      </Text>
      {security.data && !mayChange && <ProveAgain />}
      {given && <GivenPassword {...given} onDone={() => setGiven(undefined)} />}
      <Loaded query={query} what="the accounts">
        {({ users, roles }) => (
          <>
            {isAdding && (
              <NewUser
                roles={roles}
                onMade={(made) => {
                  setIsAdding(false);
                  setGiven(made);
                }}
                onCancel={() => setIsAdding(false)}
              />
            )}
            <TextInput
              label="Find"
              description="By name, user name or organisation"
              type="search"
              maw={420}
              defaultValue={q ?? ''}
              onChange={(event) =>
                navigate({ to: '/users', search: { q: event.currentTarget.value || undefined }, replace: true })
              }
            />
            {users.length === 0 && <Notice>Nobody is found by this.</Notice>}
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {users.map((user) => (
                <UserRow key={user.username} user={user} roles={roles} mayChange={mayChange} onGiven={setGiven} />
              ))}
            </Stack>
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function GivenPassword({ username, password, onDone }: { username: string; password: string; onDone: () => void }) {
  return (
    <section className="panel">
      <Notice tone="good" title={`Give ${username} this password now; it is not shown again.`}>
        <div>
          <code>{password}</code>
        </div>
        <div>It is good for choosing one of their own, which only they know.</div>
      </Notice>
      <Button mt="sm" size="compact-sm" onClick={onDone}>
        Done
      </Button>
    </section>
  );
}
