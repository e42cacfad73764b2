/** Which ADT event tells of a change of a patient or a visit (v2.5.1 chapter 3.3). */
import type { Encounter, Patient } from '@medplum/fhirtypes';

/** A visit or person as it was and as it is; `before` is absent when it is new. */
export interface Change<T> {
  before?: T | undefined;
  after: T;
}

/** The event of a person's record: added (A28), taken over by another (A40), or changed (A31). */
export function personEvent({ before, after }: Change<Patient>): string {
  const isReplaced = after.link?.some(({ type }) => type === 'replaced-by') === true;
  if (isReplaced && before?.link?.some(({ type }) => type === 'replaced-by') !== true) return 'A40';
  return before === undefined ? 'A28' : 'A31';
}

/**
 * The event of a visit: admission (A01), registration (A04), pre-admission (A05), discharge (A03), their being cancelled
 * (A11, A13, A38), leave of absence and return (A21, A22), transfer (A02), a change of class to inpatient or to outpatient
 * (A06, A07); whatever else changed is an update (A08).
 */
export function visitEvent({ before, after }: Change<Encounter>): string {
  if (after.status !== before?.status) {
    const event = statusEvent(before?.status, after);
    if (event !== undefined) return event;
  }
  if (before === undefined) return admission(after);
  if (isInpatient(after) !== isInpatient(before)) return isInpatient(after) ? 'A06' : 'A07';
  const moved = placeOf(after) !== undefined && placeOf(after) !== placeOf(before);
  return moved && after.status === 'in-progress' ? 'A02' : 'A08';
}

function statusEvent(before: Encounter['status'] | undefined, after: Encounter): string | undefined {
  switch (after.status) {
    case 'planned':
      return 'A05';
    case 'arrived':
    case 'triaged':
    case 'in-progress':
      if (before === 'finished') return 'A13';
      if (before === 'onleave') return 'A22';
      return before === undefined || before === 'planned' ? admission(after) : undefined;
    case 'onleave':
      return 'A21';
    case 'finished':
      return 'A03';
    case 'cancelled':
      return before === 'planned' ? 'A38' : 'A11';
    case 'entered-in-error':
      return 'A23';
    default:
      return undefined;
  }
}

function admission(visit: Encounter): string {
  return isInpatient(visit) ? 'A01' : 'A04';
}

const INPATIENT: ReadonlySet<string | undefined> = new Set(['IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC']);

function isInpatient(visit: Encounter): boolean {
  return INPATIENT.has(visit.class?.code);
}

function placeOf({ location }: Encounter): string | undefined {
  const current =
    location?.find(({ status }) => status === 'active') ?? location?.find(({ status }) => status === undefined);
  return current?.location?.reference;
}
