/** Words for what the register of refusals and the safeguards say by codes. */
import type { InformationRequest, Safeguard } from '../api/contract.ts';
import { formatDate } from '../fhir/dates.ts';
import type { Tone } from '../theme/tones.ts';

export const REQUESTERS: { [kind: string]: string } = {
  individual: 'The person, or who acts for them',
  provider: 'A provider of care',
  payer: 'A payer',
  'public-health': 'Public health',
  developer: 'A developer',
  other: 'Somebody else',
};

export const REQUEST_STATES: { [state in InformationRequest['state']]: { label: string; tone: Tone } } = {
  open: { label: 'Open', tone: 'warn' },
  fulfilled: { label: 'Given', tone: 'good' },
  refused: { label: 'Refused', tone: 'neutral' },
  withdrawn: { label: 'Withdrawn', tone: 'neutral' },
};

export const STEPS: { [step: string]: string } = {
  note: 'Noted',
  told: 'Answered in writing',
  fulfilled: 'Given',
  refused: 'Refused',
  withdrawn: 'Withdrawn by who asked',
  reopened: 'Opened again',
};

export const SAFEGUARD_STATES: { [state in Safeguard['state']]: { label: string; tone: Tone } } = {
  met: { label: 'In place', tone: 'good' },
  attention: { label: 'Look into it', tone: 'warn' },
  'not-met': { label: 'Not in place', tone: 'bad' },
  unknown: { label: 'Not known', tone: 'warn' },
  due: { label: 'To be vouched for', tone: 'warn' },
  'not-applicable': { label: 'Does not apply', tone: 'neutral' },
};

export const GROUPS: { [group in Safeguard['group']]: string } = {
  administrative: 'Administrative safeguards',
  physical: 'Physical safeguards',
  technical: 'Technical safeguards',
};

export const ATTESTED: { [state: string]: string } = {
  'in-place': 'In place',
  partly: 'Partly in place',
  missing: 'Missing',
  'not-applicable': 'Does not apply here',
};

/** Whether something owed was done in time. */
export function clockWords({ by, met, isLate }: InformationRequest['clocks'][number]): string {
  if (met) return isLate ? `done ${formatDate(met)}, was due ${formatDate(by)}` : `done ${formatDate(met)}`;
  return isLate ? `was due ${formatDate(by)}` : `due ${formatDate(by)}`;
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
