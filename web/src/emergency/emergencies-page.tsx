/** The review queue of emergency accesses: those that wait, and those that were reviewed. */
import { Button, Group, SegmentedControl, Stack, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Emergency, EmergencyQueue } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { REASON_WORDS } from './emergency-query.ts';

const queryKey = ['emergencies'];

export function EmergenciesPage() {
  useTitle('Emergency accesses');
  const [state, setState] = useState('open');
  const query = useQuery({
    queryKey: [...queryKey, state],
    queryFn: ({ signal }) => getJson<EmergencyQueue>(`/api/emergencies?state=${state}`, signal),
  });
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>Emergency accesses</Title>
      <Text>
        Clinicians looked at records that were closed to them. Each waits here until somebody has reviewed it.
      </Text>
      <Group>
        <SegmentedControl
          aria-label="Which"
          value={state}
          onChange={setState}
          data={[
            { value: 'open', label: 'To review' },
            { value: 'reviewed', label: 'Reviewed' },
          ]}
        />
      </Group>
      <Loaded query={query} what="the emergency accesses">
        {({ emergencies, open, overdue }) => (
          <>
            <p role="status" aria-live="polite" style={{ margin: 0 }}>
              {open === 0 ? 'None waits for a review.' : `${open} to review`}
              {overdue > 0 && `, ${overdue} of them for more than three days`}
            </p>
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {emergencies.map((emergency) => (
                <Access key={emergency.id} emergency={emergency} />
              ))}
            </Stack>
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Access({ emergency }: { emergency: Emergency }) {
  const { by, organization, patient, reasonCode, reason, begun, ends, ended, review } = emergency;
  return (
    <li className="panel" data-emergency={emergency.id}>
      <PatientName id={patient} />
      <div>
        Looked at by <strong>{by}</strong> of {organization}, {formatDateTime(begun)} – {formatDateTime(ended ?? ends)}
      </div>
      <div style={{ overflowWrap: 'anywhere' }}>
        {REASON_WORDS[reasonCode]}: “{reason}”
      </div>
      {review ? (
        <div style={{ overflowWrap: 'anywhere' }}>
          <Mark tone={review.verdict === 'appropriate' ? 'good' : 'bad'}>
            {review.verdict === 'appropriate' ? 'It was right' : 'It was not right'}
          </Mark>{' '}
          <span className="quiet">
            {review.by}, {formatDateTime(review.at)}:
          </span>{' '}
          {review.comment}
        </div>
      ) : (
        <Review id={emergency.id} />
      )}
    </li>
  );
}

function Review({ id }: { id: string }) {
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const review = useMutation({
    mutationFn: (verdict: 'appropriate' | 'inappropriate') =>
      postJson<Emergency>(`/api/emergencies/${id}/review`, { verdict, comment: comment.trim() }),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  const isBlocked = comment.trim() === '' || review.isPending;
  return (
    <Stack gap="xs" mt="xs">
      <Textarea
        label="What you found"
        description="The clinician reads it; the person is told the outcome"
        autosize
        maxLength={2000}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      {review.isError && (
        <Notice tone="bad" title="Not reviewed.">
          {review.error.message}
        </Notice>
      )}
      <Group gap="xs">
        <Button size="compact-sm" disabled={isBlocked} onClick={() => review.mutate('appropriate')}>
          It was right
        </Button>
        <Button size="compact-sm" variant="default" disabled={isBlocked} onClick={() => review.mutate('inappropriate')}>
          It was not right
        </Button>
      </Group>
    </Stack>
  );
}
