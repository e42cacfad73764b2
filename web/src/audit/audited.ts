/**
 * The audit log tells an event once for each person whom it is about (IHE Basic Audit Log Patterns). People read it once,
 * with all of them.
 */
import type { AuditEvent } from '@medplum/fhirtypes';

/** One thing that was done. */
export interface Audited {
  /** Its place in the log. */
  place: string;
  /** As it is told of the first person. */
  event: AuditEvent;
  /** The ids of the Patients it is about, each once. */
  patients: string[];
}

/** @param events in the order of the log, where those of one event stand together; ids are `row.place.patient` */
export function auditedOf(events: readonly AuditEvent[]): Audited[] {
  const found = new Map<string, Audited>();
  for (const event of events) {
    const place = (event.id ?? '').split('.').slice(0, 2).join('.');
    const known = found.get(place);
    const patient = patientOf(event);
    if (!known) found.set(place, { place, event, patients: patient === undefined ? [] : [patient] });
    else if (patient !== undefined && !known.patients.includes(patient)) known.patients.push(patient);
  }
  return [...found.values()];
}

function patientOf({ entity = [] }: AuditEvent): string | undefined {
  return entity.map(({ what }) => /^Patient\/(.+)$/.exec(what?.reference ?? '')?.[1]).find((id) => id !== undefined);
}
