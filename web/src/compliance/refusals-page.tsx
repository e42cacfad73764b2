/** For privacy officers: what was refused and what covers it, and requests that came by letter with their clocks. */
import { SegmentedControl, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RefusalList } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { Loaded } from '../parts/loading.tsx';
import { useTitle } from '../parts/title.ts';
import { RefusalRow } from './refusal-row.tsx';
import { RequestList } from './request-list.tsx';

export function RefusalsPage() {
  useTitle('Refusals');
  const [shown, setShown] = useState('refused');
  return (
    <Stack gap="md" maw={960}>
      <Title order={1}>Refusals</Title>
      <Text>
        Whoever asks for health information gets it, or a reason why not. The reasons that the law knows are the
        exceptions of 45 CFR Part 171. What the hub itself refused is here by day and caller; each single request is in
        the record of accesses.
      </Text>
      <SegmentedControl
        aria-label="Which"
        value={shown}
        onChange={setShown}
        data={[
          { value: 'refused', label: 'Refused by the hub' },
          { value: 'requests', label: 'Requests by letter' },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      {shown === 'refused' ? <Refused /> : <RequestList />}
    </Stack>
  );
}

function Refused() {
  const [days, setDays] = useState<{ from?: string; to?: string }>({});
  const asked = new URLSearchParams(Object.entries(days).filter(([, day]) => day)).toString();
  const query = useQuery({
    queryKey: ['refusals', asked],
    queryFn: ({ signal }) => getJson<RefusalList>(`/api/refusals?${asked}`, signal),
  });
  return (
    <Loaded query={query} what="what was refused">
      {({ from, to, refusals, exceptions }) => (
        <>
          <div style={{ display: 'flex', gap: '0.75rem', alignItems: 'flex-end', flexWrap: 'wrap' }}>
            <TextInput
              type="date"
              label="From"
              value={days.from ?? from}
              onChange={(event) => setDays({ ...days, from: event.currentTarget.value })}
            />
            <TextInput
              type="date"
              label="To"
              value={days.to ?? to}
              onChange={(event) => setDays({ ...days, to: event.currentTarget.value })}
            />
            <a href={`/api/refusals.csv?from=${from}&to=${to}`} download>
              Download as a table (CSV)
            </a>
          </div>
          {refusals.length === 0 && <Text className="quiet">Nothing was refused in these days.</Text>}
          <Stack gap="sm" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {refusals.map((refusal) => (
              <RefusalRow
                key={`${refusal.day} ${refusal.kind} ${refusal.organization} ${refusal.requester} ${refusal.action}`}
                refusal={refusal}
                exceptions={exceptions}
              />
            ))}
          </Stack>
        </>
      )}
    </Loaded>
  );
}
