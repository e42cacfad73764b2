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

const DESTINATIONS = {
  '/mine': { label: 'My record', roles: ['patient', 'proxy'] },
  '/people': { label: 'People', roles: ['clinician', 'steward', 'privacy-officer', 'administrator'] },
  '/loops': {
    label: 'Open loops',
    roles: ['clinician', 'steward', 'integration-engineer', 'privacy-officer', 'administrator'],
  },
  '/reviews': { label: 'Reviews', roles: ['steward', 'administrator'] },
  '/messages': { label: 'Messages', roles: ['integration-engineer', 'steward', 'administrator'] },
  '/deliveries': { label: 'Deliveries', roles: ['integration-engineer', 'administrator'] },
  '/maps': { label: 'Maps', roles: ['integration-engineer', 'administrator'] },
  '/status': { label: 'Status', roles: ['integration-engineer', 'steward', 'administrator'] },
  '/emergencies': { label: 'Emergencies', roles: ['privacy-officer', 'administrator'] },
  '/erasures': { label: 'Erasures', roles: ['privacy-officer', 'administrator'] },
  '/unproven': { label: 'Who treats whom', roles: ['privacy-officer', 'administrator'] },
  '/audit': { label: 'Audit log', roles: ['privacy-officer', 'auditor', 'administrator'] },
  '/refusals': { label: 'Refusals', roles: ['privacy-officer', 'auditor', 'administrator'] },
  '/safeguards': { label: 'Safeguards', roles: ['privacy-officer', 'auditor', 'administrator'] },
  '/participants': { label: 'Organisations', roles: ['integration-engineer', 'privacy-officer', 'administrator'] },
  '/connectors': { label: 'Connectors', roles: ['integration-engineer', 'administrator'] },
  '/network-policy': { label: 'Network policy', roles: ['privacy-officer', 'administrator'] },
  '/label-rules': { label: 'What counts as sensitive', roles: ['privacy-officer', 'administrator'] },
  '/users': { label: 'Users', roles: ['administrator'] },
  '/clients': { label: 'Apps', roles: ['administrator'] },
  '/trust-communities': { label: 'Trust communities', roles: ['administrator'] },
  '/network-brands': { label: 'Brands', roles: ['administrator'] },
  '/subscriptions': { label: 'Subscriptions', roles: ['administrator'] },
} as const satisfies { [path: string]: { label: string; roles: Role[] } };

export interface Destination {
  to: keyof typeof DESTINATIONS | '/apps';
  label: string;
}

/** Where a role's work is, in the order of the navigation. The hub itself decides what a role may do. */
export function destinationsOf(role: Role): Destination[] {
  return (Object.keys(DESTINATIONS) as (keyof typeof DESTINATIONS)[])
    .filter((to) => mayGo(role, to))
    .map((to) => ({ to, label: to === '/mine' && role === 'proxy' ? 'Those I act for' : DESTINATIONS[to].label }));
}

/** What goes together where a role has many places to go. What is in none of these comes last, without a heading. */
const GROUPS: { label: string; holds: readonly string[] }[] = [
  { label: 'Records', holds: ['/people', '/loops', '/reviews'] },
  { label: 'Exchange', holds: ['/messages', '/deliveries', '/maps', '/connectors', '/subscriptions'] },
  {
    label: 'Privacy',
    holds: [
      '/emergencies',
      '/unproven',
      '/disclosures',
      '/audit',
      '/erasures',
      '/refusals',
      '/safeguards',
      '/label-rules',
    ],
  },
  {
    label: 'Network',
    holds: [
      '/participants',
      '/network-policy',
      '/network-brands',
      '/users',
      '/clients',
      '/trust-communities',
      '/status',
    ],
  },
];

/** Places to go that belong together, under a heading where there is one. */
export interface DestinationGroup {
  label: string | undefined;
  destinations: Destination[];
}

/** A role's places to go, put together; undefined where they are few. */
export function groupsOf(role: Role): DestinationGroup[] | undefined {
  const all = destinationsOf(role);
  if (all.length <= fewDestinations) return undefined;
  const labelOf = (to: string) => GROUPS.find(({ holds }) => holds.includes(to))?.label;
  return [...GROUPS.map(({ label }) => label), undefined]
    .map((label) => ({ label, destinations: all.filter(({ to }) => labelOf(to) === label) }))
    .filter(({ destinations }) => destinations.length > 0);
}

const fewDestinations = 5;

function mayGo(role: Role, to: keyof typeof DESTINATIONS): boolean {
  const roles: readonly Role[] = DESTINATIONS[to].roles;
  return roles.includes(role);
}

/** Whether a role reads people's records at all: links into them are of no use to one that does not. */
export function readsRecords(role: Role | undefined): boolean {
  return role !== undefined && role !== 'privacy-officer' && (mayGo(role, '/people') || mayGo(role, '/mine'));
}

/** Whether a role may learn who a Patient is: an auditor sees who did what, and of whom the id alone. */
export function readsPatients(role: Role | undefined): boolean {
  return role !== undefined && role !== 'auditor';
}

/** Whether a role sees the messages that facts came in. */
export function readsMessages(role: Role | undefined): boolean {
  return role === 'clinician' || (role !== undefined && mayGo(role, '/messages'));
}

/** Whether a role sees what was passed on to whom. */
export function readsDeliveries(role: Role | undefined): boolean {
  return role !== undefined && mayGo(role, '/deliveries');
}

/** Whether a role is told who looked at a person's record. */
export function readsAccesses(role: Role | undefined): boolean {
  return role !== undefined && ['patient', 'proxy', 'privacy-officer', 'auditor', 'administrator'].includes(role);
}

/** Whether a role decides what others, such as auditors, only read. */
export function decidesCompliance(role: Role | undefined): boolean {
  return role === 'privacy-officer' || role === 'administrator';
}

/** Whether a role looks at people as those who work for the network do, not at itself or those it acts for. */
export function isStaff(role: Role | undefined): boolean {
  return role !== undefined && mayGo(role, '/people');
}

/** The first screen after signing in. */
export function homeOf(role: Role): Destination['to'] {
  return HOMES[role] ?? destinationsOf(role)[0]?.to ?? '/apps';
}

const HOMES: { [role in Role]?: Destination['to'] } = {
  steward: '/reviews',
  'integration-engineer': '/messages',
  administrator: '/status',
  'privacy-officer': '/emergencies',
  auditor: '/audit',
};

export const ROLE_WORDS: Record<Role, string> = {
  clinician: 'Clinician',
  patient: 'Patient',
  proxy: 'Acts for others',
  steward: 'Data steward',
  'integration-engineer': 'Integration engineer',
  'privacy-officer': 'Privacy officer',
  auditor: 'Auditor',
  'public-health': 'Public health',
  researcher: 'Researcher',
  administrator: 'Administrator',
};
