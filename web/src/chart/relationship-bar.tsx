/** Where the network asks who treats whom: that nothing shows it, and what a clinician can say. */
import { Button, Group, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Relationship } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';

const shortestReason = 10;

/** Whether anything shows that the organisation of a clinician treats a person; asked of clinicians only. */
export function useRelationship(patient: string) {
  const isClinician = useUser()?.role === 'clinician';
  const query = useQuery({
    queryKey: ['relationship', patient],
    queryFn: ({ signal }) => getJson<Relationship>(`/api/relationship?patient=${encodeURIComponent(patient)}`, signal),
    enabled: isClinician,
  });
  return query.data;
}

export function RelationshipBar({ patient }: { patient: string }) {
  const relationship = useRelationship(patient);
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const attest = useMutation({
    mutationFn: () => postJson<unknown>('/api/attestations', { patient, reason: reason.trim() }),
    onSuccess: () => client.invalidateQueries(),
  });
  if (relationship?.proof !== 'none') return null;
  return (
    <section className="panel" aria-labelledby="relationship-title">
      <h2 id="relationship-title">Nothing shows that your organisation treats this person</h2>
      <p className="small">
        {relationship.mode === 'require'
          ? 'Until somebody says how, you see nothing but who the person is.'
          : 'The privacy officer is shown that the record was looked at.'}{' '}
        What you say holds for your organisation for 30 days, and is recorded with your name.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!attest.isPending) attest.mutate();
        }}
      >
        <Textarea
          label="How your organisation treats the person"
          autosize
          maxLength={1000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {attest.isError && (
          <Notice tone="bad" title="Not noted.">
            {attest.error.message}
          </Notice>
        )}
        <Group mt="xs">
          <Button
            type="submit"
            size="compact-sm"
            disabled={reason.trim().length < shortestReason}
            loading={attest.isPending}
          >
            Say so
          </Button>
        </Group>
      </form>
    </section>
  );
}
