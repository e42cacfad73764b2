/**
 * The cache of everything fetched. An answer 401 anywhere means that the session has ended: what was on the screens is
 * forgotten, and the router is told, which leads to the sign-in page and back afterwards.
 */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/request.ts';
import { sessionQuery } from './session.ts';

/** @param onSessionEnd called once the cache no longer holds the user */
export function createQueryClient(onSessionEnd: () => void): QueryClient {
  const notice = (error: Error) => {
    if (!(error instanceof ApiError) || error.status !== 401) return;
    if (client.getQueryData(sessionQuery.queryKey) === null) return;
    client.setQueryData(sessionQuery.queryKey, null);
    onSessionEnd();
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: notice }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        if (mutation.meta?.signIn !== true) notice(error);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) =>
          failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
        retryDelay: 600,
      },
    },
  });
  return client;
}
