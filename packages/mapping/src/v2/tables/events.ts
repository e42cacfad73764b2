/**
 * What each ADT trigger event means beyond its fields (v2.9 chapter 3.3; those withdrawn since are of v2.1 to v2.6): the
 * status it brings the visit into, what it takes back, and what it says about identities. Events that are not listed
 * here only state what their segments hold.
 */
export interface AdtEvent {
  /** Encounter.status; absent: derived from PV1-2 and PV1-45. */
  status?: 'planned' | 'arrived' | 'in-progress' | 'onleave' | 'finished' | 'cancelled' | 'entered-in-error';
  /** Elements of the encounter that the event takes back, before what it states is put in. */
  clears?: readonly string[];
  /** The location that PV1-3 states, where that is not what the visit's status implies. */
  location?: 'planned' | 'active' | 'completed';
  /** EVN-3 says when it is planned for. */
  planned?: 'plannedStartDate' | 'plannedEndDate';
  /** The patient record is retired. */
  retires?: boolean;
  /** The two patients named are one, or are not. */
  identity?: 'link' | 'unlink';
  /** What MRG names goes on as what PID and PV1 name. */
  prior?: Prior;
  /** The event undoes what was said (a v3 data operation, for the Provenance). */
  operation?: 'CREATE' | 'NULLIFY';
}

/** What MRG says: at which levels (see `PRIOR_FIELDS`), and what happens there. */
export interface Prior {
  /**
   * - `merge`: two that existed become one;
   * - `change`: the same one goes on under another identifier;
   * - `move`: it was filed in the wrong place and goes, with all that belongs to it, to the one that PID names.
   */
  kind: 'merge' | 'change' | 'move';
  levels: readonly Level[];
}

export type Level = 'patient' | 'alternate' | 'account' | 'external' | 'visit' | 'alternateVisit';

/** The field of MRG that names what was, by level. */
export const PRIOR_FIELDS: Readonly<Record<Level, number>> = {
  patient: 1,
  alternate: 2,
  account: 3,
  external: 4,
  visit: 5,
  alternateVisit: 6,
};

const R5 = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter';
const PLANNED_START = `extension[url=${R5}.plannedStartDate]`;
const PLANNED_END = `extension[url=${R5}.plannedEndDate]`;
const [AT, WAS, WILL_BE] = ['location[status=active]', 'location[status=completed]', 'location[status=planned]'];
const DISCHARGE = ['period.end', 'hospitalization.dischargeDisposition', 'hospitalization.destination'];

export const ADT_EVENTS: Readonly<Record<string, AdtEvent>> = {
  /** Admit. */
  A01: { status: 'in-progress', clears: [WILL_BE], operation: 'CREATE' },
  /** Transfer. */
  A02: { status: 'in-progress', clears: [WILL_BE] },
  /** Discharge: the bed is left. */
  A03: { status: 'finished', clears: [AT, WILL_BE] },
  /** Register. */
  A04: { status: 'in-progress', clears: [WILL_BE], operation: 'CREATE' },
  /** Pre-admit. */
  A05: { status: 'planned', planned: 'plannedStartDate', operation: 'CREATE' },
  /** Outpatient to inpatient. */
  A06: { status: 'in-progress', clears: [WILL_BE] },
  /** Inpatient to outpatient. */
  A07: { status: 'in-progress', clears: [WILL_BE] },
  /** Departs (tracking): on the way from where PV1-6 or PV1-43 says. */
  A09: { status: 'in-progress' },
  /** Arrives (tracking). */
  A10: { status: 'in-progress', clears: [WILL_BE] },
  /** Cancels A01 and A04: nobody lies there. */
  A11: { status: 'cancelled', clears: [AT], location: 'completed', operation: 'NULLIFY' },
  /** Cancels A02: PV1-3 is where the patient was before it. */
  A12: { status: 'in-progress', clears: [AT, WAS] },
  /** Cancels A03. */
  A13: { status: 'in-progress', clears: [...DISCHARGE, WAS] },
  /** Pending admission. */
  A14: { status: 'planned', planned: 'plannedStartDate' },
  /** Pending transfer, to where PV1-42 or PV2-1 says. */
  A15: { status: 'in-progress' },
  /** Pending discharge. */
  A16: { status: 'in-progress', planned: 'plannedEndDate' },
  /** Two patients swap their beds: one group of PID and PV1 for each. */
  A17: { status: 'in-progress', clears: [AT] },
  /** Merges patients (withdrawn), and what else MRG names. */
  A18: { prior: { kind: 'merge', levels: ['patient', 'external', 'alternate', 'account', 'visit', 'alternateVisit'] } },
  /** Goes on leave. */
  A21: { status: 'onleave' },
  /** Is back from leave. */
  A22: { status: 'in-progress' },
  /** Deletes the visit. */
  A23: { status: 'entered-in-error', clears: [AT], location: 'completed', operation: 'NULLIFY' },
  A24: { identity: 'link' },
  /** Cancels A16. */
  A25: { status: 'in-progress', clears: [PLANNED_END] },
  /** Cancels A15. */
  A26: { status: 'in-progress', clears: [WILL_BE] },
  /** Cancels A14. */
  A27: { status: 'cancelled', clears: [PLANNED_START, WILL_BE], location: 'planned', operation: 'NULLIFY' },
  /** Adds a person. */
  A28: { operation: 'CREATE' },
  /** Deletes a person. */
  A29: { retires: true, operation: 'NULLIFY' },
  /** Merges persons (withdrawn). */
  A30: { prior: { kind: 'merge', levels: ['patient', 'external', 'alternate'] } },
  /** Cancels A10: PV1-3 or PV1-11 is where the patient was before it. */
  A32: { status: 'in-progress', clears: [AT] },
  /** Cancels A09: the patient never left. */
  A33: { status: 'in-progress', clears: [AT, WAS, WILL_BE] },
  /** Merges patients (withdrawn). */
  A34: { prior: { kind: 'merge', levels: ['patient', 'alternate'] } },
  /** Merges accounts of one patient (withdrawn). */
  A35: { prior: { kind: 'merge', levels: ['account'] } },
  /** Merges patients and their accounts (withdrawn). */
  A36: { prior: { kind: 'merge', levels: ['patient', 'account'] } },
  A37: { identity: 'unlink' },
  /** Cancels A05. */
  A38: { status: 'cancelled', clears: [PLANNED_START, WILL_BE], location: 'planned', operation: 'NULLIFY' },
  /** Merges persons by their external id (withdrawn). */
  A39: { prior: { kind: 'merge', levels: ['external', 'patient'] } },
  A40: { prior: { kind: 'merge', levels: ['patient', 'alternate', 'external'] } },
  A41: { prior: { kind: 'merge', levels: ['account'] } },
  A42: { prior: { kind: 'merge', levels: ['visit', 'alternateVisit'] } },
  /** An identifier, with all that is filed under it, belongs to another patient. */
  A43: { prior: { kind: 'move', levels: ['patient', 'external'] } },
  /** An account belongs to another patient. */
  A44: { prior: { kind: 'move', levels: ['account'] } },
  /** A visit belongs to another account. */
  A45: { prior: { kind: 'move', levels: ['visit', 'alternateVisit'] } },
  /** Changes the external id (withdrawn). */
  A46: { prior: { kind: 'change', levels: ['external', 'patient'] } },
  A47: { prior: { kind: 'change', levels: ['patient'] } },
  /** Changes the alternate id (withdrawn). */
  A48: { prior: { kind: 'change', levels: ['alternate'] } },
  A49: { prior: { kind: 'change', levels: ['account'] } },
  A50: { prior: { kind: 'change', levels: ['visit'] } },
  A51: { prior: { kind: 'change', levels: ['alternateVisit'] } },
  /** Cancels A21. */
  A52: { status: 'in-progress' },
  /** Cancels A22. */
  A53: { status: 'onleave' },
  /** Changes the attending doctor. */
  A54: { clears: ['participant[type=ATND]'] },
  /** Cancels A54: PV1-7 is whom the patient had before it. */
  A55: { clears: ['participant[type=ATND]'] },
  /** Changes the consulting doctors. */
  A61: { clears: ['participant[type=CON]'] },
  /** Cancels A61: PV1-9 are whom the patient had before it. */
  A62: { clears: ['participant[type=CON]'] },
};
