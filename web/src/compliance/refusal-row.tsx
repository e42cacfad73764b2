/** One kind of refusal of one caller on one day, and what an officer decides of it. */
import { Button, Group, Select, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { BlockingException, Refusal } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { formatDateTime } from '../fhir/dates.ts';
import { Mark } from '../parts/mark.tsx';
import { Notice } from '../parts/notice.tsx';
import { decidesCompliance, useUser } from '../session/session.ts';

const none = { value: 'none', label: 'Nothing: it should have been given' };

export function RefusalRow({ refusal, exceptions }: { refusal: Refusal; exceptions: BlockingException[] }) {
  const { requester, organization, action, times, firstAt, lastAt, says, exception, citation, decided } = refusal;
  const [open, setOpen] = useState(false);
  const decides = decidesCompliance(useUser()?.role);
  const name = exceptions.find(({ code }) => code === exception)?.name;
  return (
    <li className="panel">
      <Group gap="sm" align="baseline">
        <strong style={{ overflowWrap: 'anywhere' }}>
          {requester}
          {organization !== requester && ` of ${organization}`}
        </strong>
        <Mark tone={exception === 'none' ? 'bad' : 'neutral'}>
          {exception === 'none' ? 'Should have been given' : `${name} (${citation})`}
        </Mark>
      </Group>
      <Text size="sm">{says}</Text>
      <Text size="sm" className="quiet" style={{ overflowWrap: 'anywhere' }}>
        {action}, {times === 1 ? 'once' : `${times} times`}, {formatDateTime(firstAt)}
        {lastAt !== firstAt && ` – ${formatDateTime(lastAt)}`}.{' '}
        {decided
          ? `Decided by ${decided.by}, ${formatDateTime(decided.at)}: ${decided.note}`
          : 'The exception is that of its kind; nobody has looked at it.'}
      </Text>
      {open ? (
        <Decision refusal={refusal} exceptions={exceptions} done={() => setOpen(false)} />
      ) : (
        decides && (
          <Button variant="default" size="compact-sm" mt="xs" onClick={() => setOpen(true)}>
            Decide
          </Button>
        )
      )}
    </li>
  );
}

function Decision({
  refusal: { day, kind, organization, requester, action, exception },
  exceptions,
  done,
}: {
  refusal: Refusal;
  exceptions: BlockingException[];
  done(): void;
}) {
  const client = useQueryClient();
  const [covering, setCovering] = useState<string | null>(exception);
  const [note, setNote] = useState('');
  const decide = useMutation({
    mutationFn: () => {
      const key = { day, kind, organization, requester, action };
      return postJson<void>('/api/refusals/decision', { ...key, exception: covering, note: note.trim() });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['refusals'] });
      done();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!decide.isPending) decide.mutate();
      }}
    >
      <Group align="flex-end" mt="xs">
        <Select
          label="What covers it"
          data={[
            ...exceptions.map(({ code, name, citation }) => ({ value: code, label: `${name} (${citation})` })),
            none,
          ]}
          value={covering}
          onChange={setCovering}
          allowDeselect={false}
          w={320}
        />
        <TextInput
          label="Why"
          maxLength={2000}
          style={{ flexGrow: 1 }}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Button type="submit" size="compact-sm" disabled={note.trim() === ''} loading={decide.isPending}>
          Decide
        </Button>
        <Button variant="default" size="compact-sm" onClick={done}>
          Cancel
        </Button>
      </Group>
      {decide.isError && (
        <Notice tone="bad" title="Not decided.">
          {decide.error.message}
        </Notice>
      )}
    </form>
  );
}
