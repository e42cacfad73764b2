/** What would go, and the request. */
import { Button, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Erasure, ErasurePreview } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { queryKey } from './query-key.ts';

const route = getRouteApi('/signed-in/erasures');

export function AskForErasure() {
  const client = useQueryClient();
  const [patient, setPatient] = useState(route.useSearch().patient ?? '');
  const [extent, setExtent] = useState('person');
  const [legalBasis, setLegalBasis] = useState('');
  const [reason, setReason] = useState('');
  // Of an address of a chart the id counts.
  const id = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(patient)?.[0] ?? patient.trim().split('/').at(-1) ?? '';
  const preview = useMutation({
    mutationFn: () => postJson<ErasurePreview>('/api/erasures/preview', { patient: id, extent }),
  });
  const ask = useMutation({
    mutationFn: () =>
      postJson<Erasure>('/api/erasures', { patient: id, extent, legalBasis: legalBasis.trim(), reason: reason.trim() }),
    onSuccess: async () => {
      setPatient('');
      setLegalBasis('');
      setReason('');
      preview.reset();
      await client.invalidateQueries({ queryKey });
    },
  });
  const changed = (change: () => void) => {
    change();
    preview.reset();
    ask.reset();
  };
  return (
    <section className="panel" aria-label="Ask for an erasure">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!preview.isPending) preview.mutate();
        }}
      >
        <Group align="flex-end">
          <TextInput
            label="Id of the Patient, or the address of the chart"
            maxLength={500}
            style={{ flexGrow: 1, minWidth: 260 }}
            value={patient}
            onChange={(event) => changed(() => setPatient(event.currentTarget.value))}
          />
          <SegmentedControl
            aria-label="How much"
            value={extent}
            onChange={(value) => changed(() => setExtent(value))}
            data={[
              { value: 'person', label: 'All of the person' },
              { value: 'source', label: 'This source only' },
            ]}
          />
          <Button type="submit" variant="default" disabled={id === ''} loading={preview.isPending}>
            Show what would go
          </Button>
        </Group>
      </form>
      {preview.isError && (
        <Notice tone="bad" title="Nothing to show.">
          {preview.error.message}
        </Notice>
      )}
      {preview.data && (
        <Stack gap="sm" mt="md">
          <What preview={preview.data} />
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (!ask.isPending) ask.mutate();
            }}
          >
            <Group align="flex-end">
              <TextInput
                label="Legal basis"
                placeholder="GDPR art. 17(1)(b)"
                maxLength={300}
                style={{ flexGrow: 1 }}
                value={legalBasis}
                onChange={(event) => setLegalBasis(event.currentTarget.value)}
              />
              <TextInput
                label="Reason"
                description="It is kept: without a name or number of the person"
                maxLength={1000}
                style={{ flexGrow: 3, minWidth: 260 }}
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value)}
              />
              <Button
                type="submit"
                variant="default"
                className="danger"
                disabled={legalBasis.trim() === '' || reason.trim().length < 10}
                loading={ask.isPending}
              >
                Ask for the erasure
              </Button>
            </Group>
          </form>
          {ask.isError && (
            <Notice tone="bad" title="It was not asked for.">
              {ask.error.message}
            </Notice>
          )}
        </Stack>
      )}
    </section>
  );
}

function What({ preview }: { preview: ErasurePreview }) {
  const { resources, versions, messages, messagesAboutOthers, sentTo, waiting, underWay, accounts, members } = preview;
  const types = Object.entries(resources).sort(([, a], [, b]) => b - a);
  const told = Object.entries(sentTo);
  return (
    <>
      {members.map(({ patient, name, birthDate, sourceName }) => (
        <Text key={patient} style={{ overflowWrap: 'anywhere' }}>
          <strong>{name || 'Without a name'}</strong>
          {birthDate !== null && `, born ${formatDate(birthDate)}`}{' '}
          <span className="quiet">as known at {sourceName}</span>
        </Text>
      ))}
      <Text>
        {types.map(([type, number]) => `${count(number)} ${type}`).join(', ') || 'No resources'}; {count(versions)}{' '}
        versions in all, {count(messages)} original messages
        {messagesAboutOthers > 0 && ` (${count(messagesAboutOthers)} of them about others too, whose records stay)`},{' '}
        {accounts === 1 ? 'one account that stands' : `${count(accounts)} accounts that stand`} for the person.
      </Text>
      <Text>
        {told.length === 0
          ? 'Nobody was told of the person.'
          : `Told before, and not reached by this: ${told.map(([to, number]) => `${to} (${count(number)})`).join(', ')}.`}{' '}
        {waiting > 0 && `${count(waiting)} deliveries that wait are cancelled. `}
        {underWay > 0 && `${count(underWay)} deliveries or imports go on, and are waited for.`}
      </Text>
    </>
  );
}
