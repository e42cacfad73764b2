/** What a sender may ask the hub for by queries of HL7 v2. An administrator decides; others see it. */
import { Checkbox, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Participant, QueryTopic } from '../api/contract.ts';
import { putJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { useUser } from '../session/session.ts';

const TOPICS: { value: QueryTopic; label: string; description: string }[] = [
  { value: 'demographics', label: 'Demographics', description: 'Who somebody is (QBP^Q22, QRY^A19)' },
  { value: 'identifiers', label: 'Identifiers', description: 'By which numbers a person is known elsewhere (QBP^Q23)' },
  { value: 'immunizations', label: 'Immunizations', description: 'A person’s immunizations (QBP^Q11, VXQ^V01)' },
];

export function SenderQueries({ participant }: { participant: Participant }) {
  const client = useQueryClient();
  const mayDecide = useUser()?.role === 'administrator';
  const save = useMutation({
    mutationFn: (queries: string[]) =>
      putJson<unknown>(`/api/participants/${encodeURIComponent(participant.key)}`, { queries }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['participants'] }),
  });
  return (
    <section className="panel" aria-labelledby="queries-title">
      <h2 id="queries-title">What {participant.name} may ask for</h2>
      <p className="small quiet" style={{ marginTop: 0 }}>
        By queries of HL7 v2. Over MLLP without a client certificate, whoever reaches the port can ask in its name.
        {!mayDecide && ' An administrator decides.'}
      </p>
      <Checkbox.Group
        aria-labelledby="queries-title"
        value={participant.queries}
        onChange={(queries) => save.mutate(queries)}
      >
        <Stack gap="xs">
          {TOPICS.map((topic) => (
            <Checkbox key={topic.value} {...topic} disabled={!mayDecide || save.isPending} />
          ))}
        </Stack>
      </Checkbox.Group>
      <div role="status" aria-live="polite" className="small" style={{ marginTop: '0.5rem' }}>
        {save.isSuccess && 'Saved.'}
      </div>
      {save.isError && (
        <Notice tone="bad" title="Not saved.">
          {save.error.message}
        </Notice>
      )}
    </section>
  );
}
