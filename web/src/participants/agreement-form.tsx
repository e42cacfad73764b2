/** Writing an agreement: what an organisation may do, for what, until when, and its text. */
import { Button, Checkbox, Group, MultiSelect, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Activity, WrittenAgreement } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { asSentence, PURPOSE_WORDS } from '../consents/kinds.ts';
import { Notice } from '../parts/notice.tsx';
import { ACTIVITY_WORDS, AGREED_PURPOSES } from './state-words.ts';

const activities = Object.keys(ACTIVITY_WORDS) as Activity[];
const typed = ['PUBHLTH', 'HRESCH'];

export function AgreementForm({ participant, onDone }: { participant: string; onDone: () => void }) {
  const [may, setMay] = useState<string[]>(activities);
  const [purposes, setPurposes] = useState(['TREAT']);
  const [types, setTypes] = useState<string[]>([]);
  const [from, setFrom] = useState(() => new Date().toISOString().slice(0, 10));
  const [to, setTo] = useState('');
  const [text, setText] = useState('');
  const write = useMutation({
    mutationFn: () =>
      postJson<WrittenAgreement>(`/api/participants/${participant}/agreements`, {
        may,
        purposes,
        types,
        from,
        to,
        text,
      }),
    onSuccess: onDone,
  });
  const needsTypes = purposes.some((purpose) => typed.includes(purpose));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!write.isPending) write.mutate();
      }}
    >
      <Stack gap="sm">
        <Checkbox.Group label="It may" value={may} onChange={setMay}>
          <Group mt={4}>
            {activities.map((activity) => (
              <Checkbox key={activity} value={activity} label={asSentence(ACTIVITY_WORDS[activity])} />
            ))}
          </Group>
        </Checkbox.Group>
        <MultiSelect
          label="For"
          value={purposes}
          onChange={setPurposes}
          data={AGREED_PURPOSES.map((value) => ({ value, label: asSentence(PURPOSE_WORDS[value] ?? value) }))}
        />
        {needsTypes && (
          <TagsInput
            label="Types of resources for public health and research"
            description="Names of FHIR types, as Observation"
            value={types}
            onChange={setTypes}
          />
        )}
        <Group align="flex-start">
          <TextInput
            type="date"
            label="From"
            required
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            type="date"
            label="Until"
            required
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
        </Group>
        <Textarea
          label="Text of the agreement"
          description="Both sign it together with what is chosen above"
          required
          autosize
          minRows={4}
          maxRows={16}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {write.isError && (
          <Notice tone="bad" title="Not written.">
            {write.error.message}
          </Notice>
        )}
        <Group>
          <Button type="submit" size="compact-sm" disabled={to === '' || text.trim() === ''} loading={write.isPending}>
            Write it down
          </Button>
          <Button size="compact-sm" variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
