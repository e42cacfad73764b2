/** The filters of a route, each tried on a sample before it is saved. */
import { Button, Group, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { postJson } from '../api/request.ts';
import { Mark } from '../parts/mark.tsx';

interface Props {
  filters: readonly string[];
  onChange(filters: string[]): void;
}

export function FilterTry({ filters, onChange }: Props) {
  const [sample, setSample] = useState('');
  const attempt = useMutation({
    mutationFn: () => postJson<{ goes: boolean; found: string }>('/api/route-filters/try', { filters, sample }),
  });
  const set = (next: string[]) => {
    attempt.reset();
    onChange(next);
  };
  return (
    <div style={{ marginTop: '0.6rem' }}>
      {filters.map((filter, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: filters have no names, and are changed where they stand
        <Group key={i} gap="xs" align="flex-end" wrap="nowrap" mb="xs">
          <TextInput
            label={`Filter ${i + 1}`}
            placeholder="DiagnosticReport?category=LAB"
            style={{ flex: 1 }}
            spellCheck={false}
            value={filter}
            onChange={(event) => set(filters.map((one, at) => (at === i ? event.currentTarget.value : one)))}
          />
          <Button
            variant="default"
            onClick={() => set(filters.filter((_, at) => at !== i))}
            aria-label={`Remove filter ${i + 1}`}
          >
            Remove
          </Button>
        </Group>
      ))}
      <Button size="compact-sm" variant="default" onClick={() => set([...filters, ''])}>
        Add a filter
      </Button>
      {filters.length > 0 && (
        <>
          <Textarea
            mt="xs"
            label="A sample to try them on, as FHIR JSON"
            description="It is not kept."
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            styles={{ input: { fontFamily: 'monospace' } }}
            value={sample}
            onChange={(event) => {
              attempt.reset();
              setSample(event.currentTarget.value);
            }}
          />
          <Group mt="xs" gap="sm">
            <Button size="compact-sm" variant="default" loading={attempt.isPending} onClick={() => attempt.mutate()}>
              Try the filters
            </Button>
            <div role="status" aria-live="polite" className="small">
              {attempt.data && (
                <>
                  <Mark tone={attempt.data.goes ? 'good' : 'bad'}>{attempt.data.goes ? 'Goes' : 'Does not go'}</Mark>{' '}
                  {attempt.data.found}
                </>
              )}
              {attempt.error?.message}
            </div>
          </Group>
        </>
      )}
    </div>
  );
}
