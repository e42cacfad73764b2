/**
 * What of a resource opens a loop that somebody has to close, and what accepts or closes one. Pure. What comes late, as a
 * history that is loaded does, opens none.
 */
import type { CareRules } from '@causeway/access';
import { isWithdrawn } from '@causeway/mapping/facts';
import type {
  Appointment,
  CodeableConcept,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Observation,
  Reference,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { isOrder, isReferral } from './evidence.ts';

export const loopKinds = ['recall', 'transition', 'referral', 'critical-result'] as const;
export type LoopKind = (typeof loopKinds)[number];

/** Whether there is a kind of loop of this name. */
export function isLoopKind(kind: string): kind is LoopKind {
  return loopKinds.some((one) => one === kind);
}

type Opened = Exclude<LoopKind, 'recall'>;

/** What a resource says of the loop of its own. */
export type Said =
  | { is: 'open'; kind: Opened; why: string; due: Date; party: Reference | undefined; isCertain: boolean }
  | { is: 'over'; kind: Opened; outcome: string };

/** What a resource says of the loops of referrals: those it names, or, of a consultant's note, those of the person. */
export type OfReferrals =
  | { is: 'accepted' | 'refused' | 'answered'; requests: string[] }
  | { is: 'answered'; requests: 'of-the-person' };

export const openingTypes: ReadonlySet<string> = new Set(['Observation', 'Encounter', 'ServiceRequest']);
export const answeringTypes: ReadonlySet<string> = new Set([
  'Task',
  'Appointment',
  'DocumentReference',
  'DiagnosticReport',
]);

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** What lies longer back when it is learnt opens no loop. */
const freshDays = { 'critical-result': 7, transition: 7, referral: 90 };
/** Of the code system ObservationInterpretation. */
const critical = new Set(['AA', 'HH', 'LL', 'HU', 'LU']);
const reported: ReadonlySet<string | undefined> = new Set(['preliminary', 'final', 'amended', 'corrected']);
/** Of the code system ActCode: stays. */
const stays: ReadonlySet<string | undefined> = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'SS']);
/** "Consult note" of LOINC. */
const consultNote = '11488-4';

/**
 * What a resource says of its own loop.
 * @param isKnown whether an earlier version was stored, so that there may be a loop of it
 * @param requester who ordered an Observation, where that is known
 */
export function saidBy(
  resource: Resource,
  { now, rules, isKnown, requester }: { now: Date; rules: CareRules; isKnown: boolean; requester?: Reference },
): Said | undefined {
  switch (resource.resourceType) {
    case 'Observation':
      return byResult(resource, now, rules, isKnown, requester);
    case 'Encounter':
      return byStay(resource, now, rules, isKnown);
    case 'ServiceRequest':
      return byRequest(resource, now, rules, isKnown);
    default:
      return undefined;
  }
}

/** What a resource says of referrals. */
export function ofReferrals(resource: Resource): OfReferrals | undefined {
  switch (resource.resourceType) {
    case 'Task':
      return byTask(resource);
    case 'Appointment':
      return byAppointment(resource);
    case 'DiagnosticReport':
      return byReport(resource);
    case 'DocumentReference':
      return byDocument(resource);
    default:
      return undefined;
  }
}

function byResult(
  { status, interpretation, effectiveDateTime, issued }: Observation,
  now: Date,
  { criticalMinutes }: CareRules,
  isKnown: boolean,
  party: Reference | undefined,
): Said | undefined {
  const kind = 'critical-result';
  const isCritical = reported.has(status) && has(interpretation, critical);
  if (!isCritical) return isKnown ? { is: 'over', kind, outcome: 'not-critical' } : undefined;
  if (!isFresh(effectiveDateTime ?? issued, now, freshDays[kind])) return undefined;
  const due = new Date(now.getTime() + criticalMinutes * 60_000);
  return { is: 'open', kind, why: 'critical', due, party, isCertain: true };
}

function byStay(
  { status, class: of, period }: Encounter,
  now: Date,
  { transitionHours }: CareRules,
  isKnown: boolean,
): Said | undefined {
  const kind = 'transition';
  if (status !== 'finished' || !stays.has(of?.code))
    return isKnown ? { is: 'over', kind, outcome: 'cancelled' } : undefined;
  const end = timeOf(period?.end);
  if (end === undefined || !isFresh(period?.end, now, freshDays[kind])) return undefined;
  const due = new Date(end + transitionHours * hourMs);
  return { is: 'open', kind, why: 'discharged', due, party: undefined, isCertain: true };
}

function byRequest(
  request: ServiceRequest,
  now: Date,
  { referralDays }: CareRules,
  isKnown: boolean,
): Said | undefined {
  const kind = 'referral';
  const { status, authoredOn, performer } = request;
  const isAsked = isOrder(request) && (status === 'active' || status === 'on-hold');
  if (!isAsked) {
    return isKnown ? { is: 'over', kind, outcome: status === 'completed' ? 'completed' : 'cancelled' } : undefined;
  }
  const party = performer?.[0];
  const isCertain = isReferral(request);
  if ((!isCertain && !party) || !isFresh(authoredOn, now, freshDays[kind])) return undefined;
  const due = new Date((timeOf(authoredOn) ?? now.getTime()) + referralDays * dayMs);
  return { is: 'open', kind, why: 'referred', due, party, isCertain };
}

function byTask({ status, focus, basedOn }: Task): OfReferrals | undefined {
  const requests = requestsIn([...(focus ? [focus] : []), ...(basedOn ?? [])]);
  if (requests.length === 0) return undefined;
  if (status === 'rejected' || status === 'cancelled' || status === 'failed') return { is: 'refused', requests };
  if (status === 'accepted' || status === 'in-progress') return { is: 'accepted', requests };
  return status === 'completed' ? { is: 'answered', requests } : undefined;
}

function byAppointment({ status, basedOn }: Appointment): OfReferrals | undefined {
  const requests = requestsIn(basedOn ?? []);
  if (requests.length === 0 || !['booked', 'arrived', 'checked-in', 'fulfilled'].includes(status ?? ''))
    return undefined;
  return { is: 'accepted', requests };
}

function byReport(report: DiagnosticReport): OfReferrals | undefined {
  const requests = requestsIn(report.basedOn ?? []);
  const isGiven = report.status !== 'registered' && report.status !== 'preliminary' && !isWithdrawn(report);
  return requests.length > 0 && isGiven ? { is: 'answered', requests } : undefined;
}

function byDocument(document: DocumentReference): OfReferrals | undefined {
  if (isWithdrawn(document)) return undefined;
  const requests = requestsIn(document.context?.related ?? []);
  if (requests.length > 0) return { is: 'answered', requests };
  return has(document.type ? [document.type] : [], new Set([consultNote]))
    ? { is: 'answered', requests: 'of-the-person' }
    : undefined;
}

function requestsIn(references: readonly Reference[]): string[] {
  return references.flatMap(({ reference }) => /^ServiceRequest\/(.+)$/.exec(reference ?? '')?.[1] ?? []);
}

function has(concepts: readonly CodeableConcept[] | undefined, codes: ReadonlySet<string>): boolean {
  return (concepts ?? []).some(({ coding }) => coding?.some(({ code }) => codes.has(code ?? '')));
}

/** What has no time is as of when it is learnt. */
function isFresh(text: string | undefined, now: Date, days: number): boolean {
  const time = timeOf(text);
  return time === undefined || time >= now.getTime() - days * dayMs;
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
