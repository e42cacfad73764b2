/** Where the user is signed in, and ending that. */
import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { OpenSession } from '../api/contract.ts';
import { deleteJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { securityQuery } from './security-query.ts';
import { browserName, PROOF_WORDS } from './security-words.ts';

export function SessionsPanel({ sessions }: { sessions: OpenSession[] }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: (id: string | undefined) => deleteJson<unknown>(id ? `/auth/sessions/${id}` : '/auth/sessions'),
    onSettled: () => client.invalidateQueries({ queryKey: securityQuery.queryKey }),
  });
  const others = sessions.filter(({ isThis }) => !isThis);
  return (
    <section className="panel">
      <Group justify="space-between">
        <h2 style={{ margin: 0 }}>Where you are signed in</h2>
        {others.length > 0 && (
          <Button size="compact-sm" variant="default" onClick={() => end.mutate(undefined)} loading={end.isPending}>
            End all others
          </Button>
        )}
      </Group>
      {end.isError && (
        <Notice tone="bad" title="Not ended.">
          {end.error.message}
        </Notice>
      )}
      <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {sessions.map((session) => (
          <li key={session.id} style={{ padding: '0.35rem 0' }}>
            <Group justify="space-between" wrap="nowrap">
              <div>
                {browserName(session.agent)} {session.isThis && <Mark tone="good">This one</Mark>}
                <Text size="sm" className="quiet">
                  Since {formatDateTime(session.created)} by{' '}
                  {session.proofs.map((proof) => PROOF_WORDS[proof] ?? proof).join(' and ')} · used{' '}
                  {formatDateTime(session.lastUsed)} · ends {formatDateTime(session.ends)} at the latest
                </Text>
              </div>
              {!session.isThis && (
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => end.mutate(session.id)}
                  disabled={end.isPending}
                  flex="none"
                  aria-label={`End the session of ${browserName(session.agent)}, used ${formatDateTime(session.lastUsed)}`}
                >
                  End
                </Button>
              )}
            </Group>
          </li>
        ))}
      </ul>
    </section>
  );
}
