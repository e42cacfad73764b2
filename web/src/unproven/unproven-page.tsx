/** For privacy officers: what was looked at without any proof of a relationship, and who looked at unusually many people. */
import { Button, Group, SegmentedControl, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Unproven, UnprovenList } from '../api/contract.ts';
import { getJson, postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { PURPOSE_WORDS } from '../consents/kinds.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { FanOutAlarms } from './fan-out-alarms.tsx';

const queryKey = ['unproven'];

export function UnprovenPage() {
  useTitle('Who treats whom');
  const [state, setState] = useState('open');
  const query = useQuery({
    queryKey: [...queryKey, state],
    queryFn: ({ signal }) => getJson<UnprovenList>(`/api/unproven?state=${state}`, signal),
  });
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>Who treats whom</Title>
      <Text>
        Records that were read where nothing shows that the organisation has to do with the person: no visit, no
        appointment, no referral, no care team, no coverage, nothing that it sent, nothing that the person shared, and
        nobody who said so. What is looked at, and for which purposes, is decided in the network’s policy.
      </Text>
      <Group>
        <SegmentedControl
          aria-label="Which"
          value={state}
          onChange={setState}
          data={[
            { value: 'open', label: 'To look into' },
            { value: 'reviewed', label: 'Looked into' },
          ]}
        />
      </Group>
      <Loaded query={query} what="what was looked at without proof">
        {({ unproven, alarms }) => (
          <>
            {state === 'open' && <FanOutAlarms alarms={alarms} />}
            {unproven.length === 0 && <Text className="quiet">There is nothing of this kind.</Text>}
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {unproven.map((each) => (
                <Row
                  key={`${each.day} ${each.organization} ${each.username} ${each.patient} ${each.purpose}`}
                  unproven={each}
                />
              ))}
            </Stack>
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function Row({ unproven }: { unproven: Unproven }) {
  const { organization, username, patient, purpose, times, firstAt, lastAt, review } = unproven;
  return (
    <li className="panel">
      <PatientName id={patient} />
      <div style={{ overflowWrap: 'anywhere' }}>
        Looked at by <strong>{username}</strong> of {organization} for {PURPOSE_WORDS[purpose] ?? purpose},{' '}
        {times === 1 ? 'once' : `${times} times`}, {formatDateTime(firstAt)}
        {lastAt !== firstAt && ` – ${formatDateTime(lastAt)}`}
      </div>
      {review ? (
        <div style={{ overflowWrap: 'anywhere' }}>
          <span className="quiet">
            {review.by}, {formatDateTime(review.at)}:
          </span>{' '}
          {review.comment}
        </div>
      ) : (
        <Review unproven={unproven} />
      )}
    </li>
  );
}

function Review({ unproven: { day, organization, username, patient, purpose } }: { unproven: Unproven }) {
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const review = useMutation({
    mutationFn: () =>
      postJson<void>('/api/unproven/review', {
        day,
        organization,
        username,
        patient,
        purpose,
        comment: comment.trim(),
      }),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!review.isPending) review.mutate();
      }}
    >
      <Group align="flex-end" mt="xs">
        <TextInput
          label="What you found"
          maxLength={2000}
          style={{ flexGrow: 1 }}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <Button type="submit" size="compact-sm" disabled={comment.trim() === ''} loading={review.isPending}>
          Looked into
        </Button>
      </Group>
      {review.isError && (
        <Notice tone="bad" title="Not noted.">
          {review.error.message}
        </Notice>
      )}
    </form>
  );
}
