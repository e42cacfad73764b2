/** The maintenance that clears what was erased out of the files of the database, and how far it is. */
import { Button, Group, Progress, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ErasureMaintenance } from '../api/contract.ts';
import { postJson } from '../api/request.ts';
import { Notice } from '../parts/notice.tsx';
import { queryKey } from './query-key.ts';

export function Maintenance({ state: maintenance, waiting }: { state: ErasureMaintenance; waiting: number }) {
  const client = useQueryClient();
  const begin = useMutation({
    mutationFn: () => postJson<ErasureMaintenance>('/api/erasures/maintenance', {}),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  const { state, table, done = 0, of = 0, reason, left = [] } = maintenance;
  if (state === 'waiting' || state === 'running') {
    return (
      <section className="panel" aria-label="Maintenance">
        <Text size="sm">
          {state === 'waiting'
            ? 'The maintenance waits until nobody can see what was deleted.'
            : `The files of the database are written anew: ${table ?? ''}, ${done} of ${of} tables.`}
        </Text>
        <Progress value={of === 0 ? 0 : (100 * done) / of} aria-label="Tables that are done" mt="xs" />
      </section>
    );
  }
  return (
    <>
      {state === 'failed' && (
        <Notice tone="bad" title="The maintenance failed.">
          {reason}
        </Notice>
      )}
      {left.map((one) => (
        <Notice key={one} tone="warn" title="To be done on the database server:">
          {one}
        </Notice>
      ))}
      {(waiting > 0 || state === 'failed') && (
        <section className="panel" aria-label="Maintenance">
          <Group justify="space-between">
            <Text size="sm" style={{ flex: '1 1 20rem' }}>
              Bytes of what was erased are still in the files of the database. They are cleared at night, by themselves.
              Done now, each table cannot be read while it is written anew.
            </Text>
            <Button variant="default" size="compact-sm" loading={begin.isPending} onClick={() => begin.mutate()}>
              Clear them now
            </Button>
          </Group>
        </section>
      )}
    </>
  );
}
