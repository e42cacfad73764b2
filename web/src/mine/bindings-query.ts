/** Whom the signed-in account stands for. */
import { queryOptions } from '@tanstack/react-query';
import type { Binding } from '../api/contract.ts';
import { getJson } from '../api/request.ts';

export const bindingsQuery = queryOptions({
  queryKey: ['bindings'],
  queryFn: async ({ signal }) => (await getJson<{ bindings: Binding[] }>('/api/bindings', signal)).bindings,
  staleTime: 60_000,
});
