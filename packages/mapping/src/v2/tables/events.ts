/**
 * What an ADT trigger event says about the visit beyond its fields (v2.9 chapter 3.3): the status it brings the
 * encounter into, and what it takes back.
 */
export interface AdtEvent {
  /** Encounter.status; absent: derived from PV1-2 and PV1-45. */
  status?: 'planned' | 'arrived' | 'in-progress' | 'onleave' | 'finished' | 'cancelled' | 'entered-in-error';
  /** Elements of the encounter that the event takes back. */
  clears?: readonly string[];
  /** The patient record is retired. */
  retires?: boolean;
}

export const ADT_EVENTS: Record<string, AdtEvent> = {
  A01: { status: 'in-progress' },
  A02: { status: 'in-progress' },
  A03: { status: 'finished' },
  A04: { status: 'in-progress' },
  A05: { status: 'planned' },
  A06: { status: 'in-progress' },
  A07: { status: 'in-progress' },
  A09: { status: 'in-progress' },
  A10: { status: 'in-progress' },
  A11: { status: 'cancelled' },
  A12: { status: 'in-progress', clears: ['location[status=completed]'] },
  A13: {
    status: 'in-progress',
    clears: ['period.end', 'hospitalization.dischargeDisposition', 'hospitalization.destination'],
  },
  A14: { status: 'planned' },
  A15: { status: 'in-progress' },
  A16: { status: 'in-progress' },
  A21: { status: 'onleave' },
  A22: { status: 'in-progress' },
  A23: { status: 'entered-in-error' },
  A25: {
    status: 'in-progress',
    clears: ['extension[url=http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate]'],
  },
  A26: { status: 'in-progress', clears: ['location[status=planned]'] },
  A27: { status: 'cancelled' },
  A29: { retires: true },
  A32: { status: 'in-progress' },
  A33: { status: 'in-progress' },
  A38: { status: 'cancelled' },
  A52: { status: 'in-progress' },
  A53: { status: 'onleave' },
};

/** Events by which one patient identifier goes away in favour of another. */
export const PATIENT_MERGES = new Set(['A18', 'A30', 'A34', 'A36', 'A39', 'A40', 'A46', 'A47']);
/** Events by which an account or visit moves to another number; the patients stay. */
export const LINKS: Record<string, 'link' | 'unlink'> = { A24: 'link', A37: 'unlink' };
