/** Changing which codes the network labels beside the hub's own table, and why. */
import { Button, Group, NativeSelect, Radio, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { KindOfData, LabelSet } from '../api/contract.ts';
import { putJson } from '../api/request.ts';
import { asSentence, KIND_WORDS } from '../consents/kinds.ts';
import { Notice } from '../parts/notice.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { labelRulesKey } from './label-rules-page.tsx';

/** A set as it is typed; the number only tells it from others. */
interface Typed {
  number: number;
  label: KindOfData;
  name: string;
  by: 'value-set' | 'codes';
  valueSet: string;
  /** One a line. */
  codes: string;
}

function typedOf({ label, name, valueSet, codes = [] }: LabelSet, number: number): Typed {
  const by = valueSet === undefined ? 'codes' : 'value-set';
  return { number, label, name, by, valueSet: valueSet ?? '', codes: valueSet === undefined ? codes.join('\n') : '' };
}

function written({ label, name, by, valueSet, codes }: Typed): object {
  const base = { label, name: name.trim() };
  if (by === 'value-set') return { ...base, valueSet: valueSet.trim() };
  const lines = codes.split('\n').map((line) => line.trim());
  return { ...base, codes: lines.filter((line) => line !== '') };
}

export function LabelRulesForm({
  version,
  sets: before,
  labels,
  onDone,
}: {
  version: number;
  sets: readonly LabelSet[];
  labels: readonly KindOfData[];
  onDone: () => void;
}) {
  const cache = useQueryClient();
  const [sets, setSets] = useState<Typed[]>(() => before.map(typedOf));
  const [reason, setReason] = useState('');
  const put = useMutation({
    mutationFn: () =>
      putJson<{ version: number }>('/api/label-rules', { version, reason: reason.trim(), sets: sets.map(written) }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: labelRulesKey });
      onDone();
    },
  });
  const change = (next: Typed) => setSets(sets.map((set) => (set.number === next.number ? next : set)));
  const add = () => {
    const number = Math.max(-1, ...sets.map((set) => set.number)) + 1;
    setSets([...sets, { number, label: 'mentalHealth', name: '', by: 'value-set', valueSet: '', codes: '' }]);
  };
  return (
    <section className="panel" aria-labelledby="change-rules">
      <h2 id="change-rules">Change what the network adds</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!put.isPending) put.mutate();
        }}
      >
        <Stack gap="md">
          {sets.map((set) => (
            <SetFields
              key={set.number}
              set={set}
              labels={labels}
              onChange={change}
              onRemove={() => setSets(sets.filter((one) => one !== set))}
            />
          ))}
          <Group>
            <Button variant="default" size="compact-sm" onClick={add}>
              Add codes
            </Button>
          </Group>
          <ReasonField value={reason} onChange={setReason} />
          {put.isError && (
            <Notice tone="bad" title="Not changed.">
              {put.error.message}
            </Notice>
          )}
          <Group>
            <Button type="submit" disabled={reason.trim() === ''} loading={put.isPending}>
              Label by this
            </Button>
            <Button variant="default" onClick={onDone}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}

function SetFields({
  set,
  labels,
  onChange,
  onRemove,
}: {
  set: Typed;
  labels: readonly KindOfData[];
  onChange: (set: Typed) => void;
  onRemove: () => void;
}) {
  const { label, name, by, valueSet, codes } = set;
  return (
    <fieldset style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
      <legend className="small">{name.trim() === '' ? 'New codes' : name}</legend>
      <Stack gap="sm">
        <Group grow preventGrowOverflow={false} align="flex-start">
          <TextInput
            label="What people call them"
            required
            maxLength={200}
            value={name}
            onChange={(event) => onChange({ ...set, name: event.currentTarget.value })}
          />
          <NativeSelect
            label="They count as"
            value={label}
            onChange={(event) => onChange({ ...set, label: event.currentTarget.value as KindOfData })}
            data={labels.map((value) => ({ value, label: asSentence(KIND_WORDS[value]) }))}
          />
        </Group>
        <Radio.Group
          label="Which codes"
          value={by}
          onChange={(value) => onChange({ ...set, by: value === 'codes' ? 'codes' : 'value-set' })}
        >
          <Group gap="md" mt={6}>
            <Radio value="value-set" label="Those of a value set, also when it changes" />
            <Radio value="codes" label="Those listed here" />
          </Group>
        </Radio.Group>
        {by === 'value-set' ? (
          <TextInput
            label="Address of the value set"
            description="Its canonical URL; it has to be stored here, or published with FHIR R4"
            required
            value={valueSet}
            onChange={(event) => onChange({ ...set, valueSet: event.currentTarget.value })}
          />
        ) : (
          <Textarea
            label="Codes"
            description="One a line: the system, a vertical bar, the code"
            placeholder="http://snomed.info/sct|66214007"
            required
            autosize
            minRows={3}
            maxRows={12}
            value={codes}
            onChange={(event) => onChange({ ...set, codes: event.currentTarget.value })}
          />
        )}
        <Group>
          <Button variant="default" size="compact-sm" onClick={onRemove}>
            Remove these codes
          </Button>
        </Group>
      </Stack>
    </fieldset>
  );
}
