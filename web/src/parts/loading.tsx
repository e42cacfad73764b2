/** The three states of anything that is fetched: on its way, failed (with a way to try again), there. */
import { Button, Group, Loader } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError } from '../api/request.ts';
import { Notice } from './notice.tsx';

export function Loaded<T>({
  query,
  what,
  children,
}: {
  query: UseQueryResult<T>;
  what: string;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <Failed what={what} error={query.error} retry={() => query.refetch()} />;
  return (
    <Group className="spinner-quiet" role="status" aria-live="polite">
      <Loader size="sm" aria-hidden="true" />
      <span>Loading {what}…</span>
    </Group>
  );
}

/** What could not be loaded, why, and a button to try again (unless trying again cannot help). */
export function Failed({ what, error, retry }: { what: string; error: Error; retry?: () => void }) {
  const hopeless = error instanceof ApiError && [403, 404, 410].includes(error.status);
  return (
    <Notice tone="bad" title={`Could not load ${what}.`}>
      {error.message}
      {retry && !hopeless && (
        <Button size="compact-sm" variant="default" ml="md" onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}
