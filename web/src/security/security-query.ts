/** How the user signs in, as the hub tells it. */
import { queryOptions } from '@tanstack/react-query';
import type { Security } from '../api/contract.ts';
import { getJson } from '../api/request.ts';

export const securityQuery = queryOptions({
  queryKey: ['security'],
  queryFn: ({ signal }) => getJson<Security>('/auth/security', signal),
  staleTime: 0,
});
