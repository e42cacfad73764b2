/** The emergency access that the signed-in clinician has under way, and whether one may be begun. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Emergency, EmergencyReason, EmergencyState } from '../api/contract.ts';
import { getJson } from '../api/request.ts';
import { useUser } from '../session/session.ts';

export const REASON_WORDS: Record<EmergencyReason, string> = {
  'life-threat': 'The person’s life is in danger',
  unconscious: 'The person cannot speak for itself',
  'urgent-care': 'The person needs care that cannot wait',
  'public-danger': 'Others are in danger',
  other: 'Another reason',
};

export const emergencyQuery = queryOptions({
  queryKey: ['emergency'],
  queryFn: ({ signal }) => getJson<EmergencyState>('/api/emergency', signal),
  refetchInterval: 60_000,
});

/** What is under way, for whomever; undefined while it is not known yet. Only clinicians are asked about. */
export function useEmergency(): EmergencyState | undefined {
  const isClinician = useUser()?.role === 'clinician';
  const { data, isError } = useQuery({ ...emergencyQuery, enabled: isClinician });
  if (!isClinician || (isError && !data)) return { underWay: null, mayBegin: false, reasons: [] };
  return data;
}

/** Whole minutes until an emergency access ends. */
export function minutesLeft({ ends }: Pick<Emergency, 'ends'>, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(ends) - now) / 60_000));
}
