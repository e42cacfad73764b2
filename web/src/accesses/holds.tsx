/** For privacy officers: disclosures to an agency of which a person is not told for a time. Nobody else hears of these. */
import { Button, Group, SegmentedControl, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AccountingHold } from '../api/contract.ts';
import { deleteJson, getJson, postJson } from '../api/request.ts';
import { formatDate } from '../fhir/dates.ts';
import { Loaded } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';

const keyOf = (patient: string) => ['accounting-holds', patient];
const addressOf = (patient: string) => `/api/patients/${encodeURIComponent(patient)}/accounting-holds`;

export function Holds({ patient }: { patient: string }) {
  const query = useQuery({
    queryKey: keyOf(patient),
    queryFn: ({ signal }) => getJson<{ holds: AccountingHold[] }>(addressOf(patient), signal),
  });
  return (
    <section className="panel" aria-labelledby="holds">
      <h2 id="holds">Suspended by law enforcement or health oversight</h2>
      <Text size="sm">
        Where an agency states that telling the person would impede its work, disclosures to it are left out of what the
        person is told, everywhere and without a word, for the time that its written statement says, or for 30 days on
        an oral one (45 CFR 164.528(a)(2)).
      </Text>
      <Loaded query={query} what="what is suspended">
        {({ holds }) => (
          <Stack gap="xs" mt="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {holds.map((hold) => (
              <Hold key={hold.id} hold={hold} />
            ))}
          </Stack>
        )}
      </Loaded>
      <NewHold patient={patient} />
    </section>
  );
}

function Hold({ hold: { id, patient, recipient, statement, evidence, by, until, ended } }: { hold: AccountingHold }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => deleteJson<void>(`/api/accounting-holds/${id}`),
    onSuccess: () => changed(client, patient),
  });
  const isOn = ended === undefined && Date.parse(until) > Date.now();
  return (
    <li style={{ overflowWrap: 'anywhere' }}>
      <strong>{recipient}</strong>, {statement}, by {by}, {isOn ? 'until' : 'ended'} {formatDate(ended ?? until)}: “
      {evidence}”{' '}
      {isOn && (
        <Button size="compact-sm" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
          End it
        </Button>
      )}
      {end.isError && (
        <Notice tone="bad" title="Not ended.">
          {end.error.message}
        </Notice>
      )}
    </li>
  );
}

function NewHold({ patient }: { patient: string }) {
  const client = useQueryClient();
  const [recipient, setRecipient] = useState('');
  const [statement, setStatement] = useState('written');
  const [until, setUntil] = useState('');
  const [evidence, setEvidence] = useState('');
  const make = useMutation({
    mutationFn: () =>
      postJson<AccountingHold>(addressOf(patient), {
        recipient: recipient.trim(),
        statement,
        until: new Date(`${until}T23:59:59`).toISOString(),
        evidence: evidence.trim(),
      }),
    onSuccess: () => {
      setRecipient('');
      setEvidence('');
      return changed(client, patient);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!make.isPending) make.mutate();
      }}
    >
      <Stack gap="xs" mt="md">
        <Group align="flex-end">
          <TextInput
            label="Agency"
            description="Its key as an organisation here, or that of its app or account"
            maxLength={200}
            value={recipient}
            onChange={(event) => setRecipient(event.currentTarget.value)}
          />
          <SegmentedControl
            aria-label="Its statement"
            value={statement}
            onChange={setStatement}
            data={[
              { value: 'written', label: 'Written' },
              { value: 'oral', label: 'Oral' },
            ]}
          />
          <TextInput
            label="Until"
            type="date"
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
          />
        </Group>
        <Textarea
          label="Its statement, and who made it"
          autosize
          maxLength={1000}
          value={evidence}
          onChange={(event) => setEvidence(event.currentTarget.value)}
        />
        {make.isError && (
          <Notice tone="bad" title="Not suspended.">
            {make.error.message}
          </Notice>
        )}
        <Group>
          <Button
            type="submit"
            size="compact-sm"
            disabled={recipient.trim() === '' || until === '' || evidence.trim() === ''}
            loading={make.isPending}
          >
            Suspend
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function changed(client: ReturnType<typeof useQueryClient>, patient: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: keyOf(patient) }),
    client.invalidateQueries({ queryKey: ['disclosures', patient] }),
  ]);
}
