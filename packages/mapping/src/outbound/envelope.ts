/** What every message to a destination says beside its content: to whom, about which of its patients, from whom. */
import type { CodeableConcept, DiagnosticReport, Observation, Patient, ServiceRequest } from '@medplum/fhirtypes';
import type { V2Version } from './v2/versions.ts';

/** Why it is sent: for the first time, because it changed, or because it no longer holds. */
export type OutboundKind = 'new' | 'correction' | 'retraction';

export interface Envelope {
  /** Same for every attempt; at most 20 characters (MSH-10 before v2.7). */
  controlId: string;
  /** UUID of the delivery. */
  deliveryId: string;
  /** When the message was made, ISO 8601; handed in so that every attempt has the same bytes. */
  time: string;
  kind: OutboundKind;
  /** The version of HL7 v2 that the destination reads; 2.5.1 where it is left out. */
  version?: V2Version | undefined;
  recipient: {
    /** The destination's own Patient: its record number and the person as it knows them. */
    patient: Patient;
    /** The FHIR system of its record numbers. */
    identifierSystem: string;
    /** The name of that system in HL7 v2 (PID-3.4.1). */
    authority?: string | undefined;
    application?: string | undefined;
    facility?: string | undefined;
  };
  /** The destination does not know the person: `recipient.patient` is as the origin knows them. */
  introduced?: boolean | undefined;
  /** The address that a FHIR message is for. */
  destination?: string | undefined;
  /** The organisation that stated the content. */
  origin: { key: string; name: string };
  /**
   * The message is passed on as it came: patient, sender, receiver, time and control number are those that its own
   * resources state (its Provenance and the MessageHeader in it), not the recipient's and the hub's.
   */
  relayed?: boolean;
}

/** A report with everything of it that is known. */
export interface OutboundResult {
  report: DiagnosticReport;
  observations: Observation[];
  request?: ServiceRequest | undefined;
}

/** The record number of the recipient's Patient, or undefined where it has none of the destination's system. */
export function recordNumber({ recipient }: Envelope): string | undefined {
  return recipient.patient.identifier?.find(({ system, value }) => system === recipient.identifierSystem && value)
    ?.value;
}

const withdrawn = new Set(['entered-in-error', 'cancelled']);

/** Whether a resource's status, or that of its verification, says that it never held. */
export function isWithdrawn(resource: { status?: string; verificationStatus?: CodeableConcept }): boolean {
  const { status, verificationStatus } = resource;
  return (
    withdrawn.has(status ?? '') || verificationStatus?.coding?.some(({ code }) => code === 'entered-in-error') === true
  );
}
