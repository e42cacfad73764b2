/**
 * Who is signed in. The session itself is an HttpOnly cookie that no script can read; the screens only know the user
 * the hub names.
 */
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Role, User } from '../api/contract.ts';
import { ApiError, getJson } from '../api/request.ts';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<User | null> => {
    try {
      return (await getJson<{ user: User }>('/auth/session', signal)).user;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
  retry: false,
});

/** The signed-in user, null when there is none (or it is not yet known). */
export function useUser(): User | null {
  return useQuery(sessionQuery).data ?? null;
}

export interface Destination {
  to: '/people' | '/messages' | '/maps' | '/reviews' | '/status' | '/clients';
  label: string;
}

const DESTINATIONS: Record<Destination['to'], { label: string; roles: Role[] }> = {
  '/people': { label: 'People', roles: ['clinician', 'steward', 'administrator'] },
  '/reviews': { label: 'Reviews', roles: ['steward', 'administrator'] },
  '/messages': { label: 'Messages', roles: ['integration-engineer', 'steward', 'administrator'] },
  '/maps': { label: 'Maps', roles: ['integration-engineer', 'administrator'] },
  '/status': { label: 'Status', roles: ['integration-engineer', 'steward', 'administrator'] },
  '/clients': { label: 'Apps', roles: ['administrator'] },
};

/** Where a role's work is, in the order of the navigation. The hub itself decides what a role may do. */
export function destinationsOf(role: Role): Destination[] {
  return (Object.keys(DESTINATIONS) as Destination['to'][])
    .filter((to) => DESTINATIONS[to].roles.includes(role))
    .map((to) => ({ to, label: DESTINATIONS[to].label }));
}

/** Whether a role reads people's records at all: links into them are of no use to one that does not. */
export function readsRecords(role: Role | undefined): boolean {
  return role !== undefined && DESTINATIONS['/people'].roles.includes(role);
}

/** The first screen after signing in. */
export function homeOf(role: Role): Destination['to'] {
  if (role === 'steward') return '/reviews';
  return role === 'integration-engineer' ? '/messages' : role === 'administrator' ? '/status' : '/people';
}

export const ROLE_WORDS: Record<Role, string> = {
  clinician: 'Clinician',
  steward: 'Data steward',
  'integration-engineer': 'Integration engineer',
  administrator: 'Administrator',
};
