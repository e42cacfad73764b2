/** The brands by which people find in an app where their record is (SMART App Launch 2.2, "User-access Brands and Endpoints"). */
import { Select, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Brand, BrandedEndpoint, Standing } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { useTitle } from '../parts/title.ts';
import { BrandForm } from './brand-form.tsx';

const network = '';

export function BrandsPage() {
  useTitle('Brands');
  const [key, setKey] = useState(network);
  const standings = useQuery({
    queryKey: ['standings'],
    queryFn: ({ signal }) => getJson<{ standings: Standing[] }>('/api/standings', signal),
  });
  const path = key === network ? '/api/brand' : `/api/participants/${key}/brand`;
  const query = useQuery({
    queryKey: ['brand', key],
    queryFn: async ({ signal }) => {
      const [{ brand }, bundle] = await Promise.all([
        getJson<{ brand: Brand | null }>(path, signal),
        getJson<{ entry: { resource: BrandedEndpoint }[] }>('/brands', signal),
      ]);
      return { brand, endpoints: bundle.entry.map(({ resource }) => resource).filter(isEndpoint) };
    },
  });
  const participants = (standings.data?.standings ?? []).map(({ key, name }) => ({ value: key, label: name }));
  return (
    <Stack gap="md">
      <Title order={1}>Brands</Title>
      <Text maw={720}>
        By which people recognise in an app where their record is: name, logo and portal of the network, and of each
        organisation that gave its own. Apps fetch them from <a href="/brands">/brands</a>, without signing in.
      </Text>
      <Select
        label="Whose"
        allowDeselect={false}
        searchable
        maw={360}
        value={key}
        data={[{ value: network, label: 'The network’s own' }, ...participants]}
        onChange={(chosen) => setKey(chosen ?? network)}
      />
      <Loaded query={query} what="the brand">
        {({ brand, endpoints }) => (
          <BrandForm
            key={`${key} ${query.dataUpdatedAt}`}
            queryKey={['brand', key]}
            path={path}
            brand={brand}
            endpoints={endpoints}
          />
        )}
      </Loaded>
    </Stack>
  );
}

function isEndpoint({ resourceType }: BrandedEndpoint): boolean {
  return resourceType === 'Endpoint';
}
