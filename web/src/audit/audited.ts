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
  /** The type of resource that it was done to, or that was searched for, where that is no Patient. */
  type: string | undefined;
  /** The ids of the Patients it is about, each once. */
  patients: string[];
}

/** @param events those of one event have ids `log-row-place-patient` that differ in the patient alone */
export function auditedOf(events: readonly AuditEvent[]): Audited[] {
  const found = new Map<string, Audited>();
  for (const event of events) {
    const place = /^log-\d+-\d+/.exec(event.id ?? '')?.[0] ?? event.id ?? '';
    const known = found.get(place);
    const patient = patientOf(event);
    if (!known)
      found.set(place, { place, event, type: typeOf(event), patients: patient === undefined ? [] : [patient] });
    else if (patient !== undefined && !known.patients.includes(patient)) known.patients.push(patient);
  }
  return [...found.values()];
}

function typeOf({ entity = [] }: AuditEvent): string | undefined {
  const addresses = entity.map(({ what, query }) => what?.reference ?? addressOf(query));
  const types = addresses.map((address) => /^(?:\/fhir\/|\/)?([A-Z][A-Za-z]+)(?=[/?]|$)/.exec(address)?.[1]);
  return types.find((type) => type !== undefined && type !== 'Patient');
}

/** The address of a search, which is told in base 64. */
function addressOf(query: string | undefined): string {
  try {
    return atob(query ?? '');
  } catch {
    return '';
  }
}

function patientOf({ entity = [] }: AuditEvent): string | undefined {
  return entity.map(({ what }) => /^Patient\/(.+)$/.exec(what?.reference ?? '')?.[1]).find((id) => id !== undefined);
}
