/** One erasure: who asked, who confirmed, what became of it, and what is to be decided. */
import { Button, Group, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Erasure } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { PatientName } from '../apps/patient-choice.tsx';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { count } from '../parts/numbers.ts';
import { queryKey } from './query-key.ts';

const words = {
  requested: 'Waits for a second person',
  withdrawn: 'Withdrawn',
  confirmed: 'Being carried out',
  erased: 'Erased',
  lifted: 'Erased; what is sent anew is taken',
};

export function ErasureRow({ erasure }: { erasure: Erasure }) {
  const { id, state, patient, legalBasis, reason, requestedBy, requestedAt, confirmedBy, confirmedAt } = erasure;
  return (
    <li className="panel">
      <Group gap="sm" align="baseline">
        <Mark tone={state === 'requested' || state === 'confirmed' ? 'warn' : 'neutral'}>{words[state]}</Mark>
        {patient !== undefined && <PatientName id={patient} />}
        <Text size="sm" className="quiet">
          {id}
        </Text>
      </Group>
      <Text style={{ overflowWrap: 'anywhere' }}>
        {legalBasis && `${legalBasis}: `}
        {reason}
      </Text>
      <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
        Asked for by {requestedBy}, {formatDateTime(requestedAt)}.
        {confirmedBy !== undefined && ` Confirmed by ${confirmedBy}, ${formatDateTime(confirmedAt!)}.`}
        {erasure.endedBy !== undefined && ` Ended by ${erasure.endedBy}, ${formatDateTime(erasure.endedAt!)}.`}
      </Text>
      {erasure.heldBy !== undefined && state === 'confirmed' && (
        <Notice tone="warn" title="It waits for">
          {erasure.heldBy}.
        </Notice>
      )}
      {erasure.heldBy !== undefined && state === 'requested' && (
        <Notice tone="warn" title="It was confirmed, and not carried out.">
          {erasure.heldBy}
        </Notice>
      )}
      {erasure.erasedAt !== undefined && <WhatWent erasure={erasure} />}
      {state === 'requested' && <Decide erasure={erasure} />}
      {state === 'erased' && <EndBy erasure={erasure} how="lift" button="Take what is sent about them again" />}
    </li>
  );
}

function WhatWent({ erasure: { erasedAt, counts, maintainedAt, refused, refusedAt } }: { erasure: Erasure }) {
  const went = [
    ['resources', 'resources'],
    ['versions', 'versions'],
    ['messages', 'messages'],
    ['deliveries', 'deliveries'],
    ['keys', 'keys'],
  ].map(([key, word]) => `${count(counts[key!] ?? 0)} ${word}`);
  return (
    <Text size="sm">
      Erased {formatDateTime(erasedAt!)}: {went.join(', ')}.{' '}
      {maintainedAt === undefined
        ? 'Its bytes are still in the files of the database.'
        : `Cleared out of the files of the database ${formatDateTime(maintainedAt)}.`}
      {refused > 0 &&
        ` ${refused === 1 ? 'One message was' : `${count(refused)} messages were`} refused since, the last ${formatDateTime(refusedAt!)}.`}
    </Text>
  );
}

function Decide({ erasure }: { erasure: Erasure }) {
  const client = useQueryClient();
  const confirm = useMutation({
    mutationFn: () => postJson<Erasure>(`/api/erasures/${erasure.id}/confirm`, {}),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  return (
    <>
      <Group mt="xs" align="flex-end">
        <Button
          variant="default"
          className="danger"
          size="compact-sm"
          loading={confirm.isPending}
          onClick={() => confirm.mutate()}
        >
          Confirm: erase for good
        </Button>
        <EndBy erasure={erasure} how="withdraw" button="Withdraw" />
      </Group>
      {confirm.isError && (
        <Notice tone="bad" title="Not confirmed.">
          {confirm.error.message}
        </Notice>
      )}
    </>
  );
}

function EndBy({ erasure, how, button }: { erasure: Erasure; how: 'withdraw' | 'lift'; button: string }) {
  const client = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const end = useMutation({
    mutationFn: () => postJson<Erasure>(`/api/erasures/${erasure.id}/${how}`, { reason: reason.trim() }),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  if (!isOpen) {
    return (
      <Button variant="default" size="compact-sm" mt="xs" onClick={() => setOpen(true)}>
        {button}
      </Button>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!end.isPending) end.mutate();
      }}
    >
      <Group align="flex-end" mt="xs">
        <TextInput
          label="Why, without naming the person"
          maxLength={1000}
          style={{ flexGrow: 1, minWidth: 260 }}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button type="submit" size="compact-sm" disabled={reason.trim().length < 10} loading={end.isPending}>
          {button}
        </Button>
      </Group>
      {end.isError && (
        <Notice tone="bad" title="Not noted.">
          {end.error.message}
        </Notice>
      )}
    </form>
  );
}
