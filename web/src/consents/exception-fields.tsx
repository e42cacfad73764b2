/** One exception to a decision: for which organisations, which kinds of data, data of which time, and until when. */
import { Button, Group, MultiSelect, Stack, TextInput } from '@mantine/core';
import type { ConsentChoice, GivenConsents, KindOfData } from '../api/contract.ts';
import type { TypedException } from './decide-form.tsx';
import { asSentence, KIND_WORDS, KINDS } from './kinds.ts';

export function ExceptionFields({
  effect,
  exception,
  organizations,
  onChange,
  onRemove,
}: {
  effect: ConsentChoice['effect'];
  exception: TypedException;
  onChange: (next: TypedException) => void;
  onRemove: (() => void) | undefined;
} & Pick<GivenConsents, 'organizations'>) {
  const without = (name: 'organizations' | 'kinds' | 'days' | 'holds') => {
    const { [name]: _, ...rest } = exception;
    return rest;
  };
  const setDay = (name: 'days' | 'holds', end: 'from' | 'to', value: string) => {
    const { [end]: _, ...other } = exception[name] ?? {};
    const range = value === '' ? other : { ...other, [end]: value };
    onChange(Object.keys(range).length === 0 ? without(name) : { ...exception, [name]: range });
  };
  const day = (name: 'days' | 'holds', end: 'from' | 'to', label: string) => (
    <TextInput
      type="date"
      label={label}
      value={exception[name]?.[end] ?? ''}
      onChange={(event) => setDay(name, end, event.currentTarget.value)}
    />
  );
  return (
    <fieldset style={{ border: '1px solid var(--line)', borderRadius: 4, minWidth: 0 }}>
      <legend className="small">{effect === 'permit' ? 'These may see' : 'These may not see'}</legend>
      <Stack gap="sm">
        <MultiSelect
          searchable
          label="Organisations"
          description="None chosen: all"
          data={organizations.map(({ key, name }) => ({ value: key, label: name }))}
          value={exception.organizations ?? []}
          onChange={(chosen) =>
            onChange(chosen.length > 0 ? { ...exception, organizations: chosen } : without('organizations'))
          }
        />
        <MultiSelect
          searchable
          label="Kinds of data"
          description="None chosen: everything"
          data={KINDS.map((kind) => ({ value: kind, label: asSentence(KIND_WORDS[kind]) }))}
          value={exception.kinds ?? []}
          onChange={(chosen) =>
            onChange(chosen.length > 0 ? { ...exception, kinds: chosen as KindOfData[] } : without('kinds'))
          }
        />
        <Group grow preventGrowOverflow={false} align="flex-start">
          {day('days', 'from', 'Only data from')}
          {day('days', 'to', 'Only data to')}
        </Group>
        <Group grow preventGrowOverflow={false} align="flex-start">
          {day('holds', 'from', 'The exception begins')}
          {day('holds', 'to', 'The exception ends')}
        </Group>
        {onRemove && (
          <Group>
            <Button size="compact-sm" variant="default" onClick={onRemove}>
              Remove this exception
            </Button>
          </Group>
        )}
      </Stack>
    </fieldset>
  );
}
