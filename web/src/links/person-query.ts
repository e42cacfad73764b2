/** Where a person is known: the source records the hub holds to be one human, and how that came about. */
import { queryOptions } from '@tanstack/react-query';
import type { Person } from '../api/contract.ts';
import { getJson } from '../api/request.ts';

export function personQuery(id: string) {
  return queryOptions({
    queryKey: ['person', id],
    queryFn: ({ signal }) => getJson<Person>(`/api/persons/${encodeURIComponent(id)}`, signal),
    staleTime: 15_000,
    retry: false,
  });
}
