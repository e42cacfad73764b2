/** For privacy officers: erasures of persons on lawful request, each asked for by one and confirmed by another. */
import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ErasureList } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { useTitle } from '../parts/title.ts';
import { AskForErasure } from './ask-for-erasure.tsx';
import { ErasureRow } from './erasure-row.tsx';
import { Maintenance } from './maintenance.tsx';
import { queryKey } from './query-key.ts';

export function ErasuresPage() {
  useTitle('Erasures');
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => getJson<ErasureList>('/api/erasures', signal),
    refetchInterval: ({ state: { data } }) => (data && goesOn(data) ? 1_000 : false),
  });
  return (
    <Stack gap="md" maw={860}>
      <Title order={1}>Erasures</Title>
      <Text>
        Where a law or a court says that what is held of a person has to go, all of it goes: their keys, texts,
        originals and deliveries. One officer asks, another confirms. Nobody can undo it. Whoever was told of the person
        before has it still.
      </Text>
      <AskForErasure />
      <Loaded query={query} what="the erasures">
        {({ erasures, maintenance }) => (
          <>
            <Maintenance state={maintenance} waiting={erasures.filter(isUncleared).length} />
            <Title order={2}>Register</Title>
            {erasures.length === 0 && <Text className="quiet">Nobody was erased, and nobody asked for it.</Text>}
            <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
              {erasures.map((erasure) => (
                <ErasureRow key={erasure.id} erasure={erasure} />
              ))}
            </Stack>
          </>
        )}
      </Loaded>
    </Stack>
  );
}

function isUncleared({ erasedAt, maintainedAt }: ErasureList['erasures'][number]): boolean {
  return erasedAt !== undefined && maintainedAt === undefined;
}

function goesOn({ erasures, maintenance }: ErasureList): boolean {
  return erasures.some(({ state }) => state === 'confirmed') || ['waiting', 'running'].includes(maintenance.state);
}
