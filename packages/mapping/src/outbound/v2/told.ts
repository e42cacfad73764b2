/**
 * What a message of our own says of the resources that it is of, before it is written: each is known by an identifier, a
 * result names who stated it, and what is withdrawn is named without its content.
 */
import type {
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Identifier,
  Observation,
  Organization,
  Resource,
} from '@medplum/fhirtypes';
import type { Envelope } from '../envelope.ts';
import { isWithdrawn } from '../envelope.ts';

/** The resources as the message tells of them. A retraction takes back every fact among them. */
export function told(resources: readonly Resource[], envelope: Envelope): Resource[] {
  const takenBack = envelope.kind === 'retraction';
  const said = resources.map((resource) => {
    if (resource.resourceType === 'Observation') return toldObservation(resource, takenBack);
    if (resource.resourceType === 'DiagnosticReport') return toldReport(resource, takenBack);
    const known = identified(resource);
    return takenBack || isWithdrawn(resource as { status?: string }) ? emptied(known) : known;
  });
  return said.some(({ resourceType }) => resourceType === 'Observation') ? [...said, origin(envelope)] : said;
}

const ORIGIN = 'causeway-origin';

/** Who stated the results: the producer of those that name no organization (OBX-15). */
function origin({ origin: { key, name } }: Envelope): Organization {
  return {
    resourceType: 'Organization',
    id: ORIGIN,
    identifier: [{ system: 'urn:causeway:authority::L', value: key }],
    name,
  };
}

/**
 * OBX-11 of what does not hold: what the source said (D, W, X), else W, posted as wrong, which also says "of the wrong
 * patient".
 */
function toldObservation(observation: Observation, takenBack: boolean): Observation {
  const performer = [...(observation.performer ?? [])];
  if (!performer.some(({ reference }) => reference?.startsWith('Organization/')))
    performer.unshift({ reference: `Organization/${ORIGIN}` });
  const withdrawn = isWithdrawn(observation);
  const { _status } = observation as { _status?: object };
  if (!withdrawn && !takenBack) {
    const unknown = observation.status === 'unknown' && _status === undefined;
    return { ...observation, performer, ...(unknown ? statedStatus('R') : {}) } as Observation;
  }
  const { resourceType, id, status, code, identifier, effectiveDateTime, effectivePeriod, extension } = observation;
  const subId = extension?.filter(({ url }) => url?.endsWith('/observation-v2-subid'));
  return {
    resourceType,
    id,
    code,
    identifier,
    effectiveDateTime,
    effectivePeriod,
    extension: subId,
    performer,
    ...(withdrawn ? { status, _status } : { status: 'entered-in-error', ...statedStatus('W') }),
  } as Observation;
}

/** A status of HL7 table 0085 that FHIR's cannot tell, as `v2/segments/results.ts` keeps it. */
function statedStatus(code: string): object {
  const system = 'http://terminology.hl7.org/CodeSystem/v2-0085';
  const url = 'http://hl7.org/fhir/StructureDefinition/alternate-codes';
  return { _status: { extension: [{ url, valueCodeableConcept: { coding: [{ system, code }] } }] } };
}

/** What is taken back corrects what was reported; a cancelled order has no results (OBR-25). */
function toldReport(report: DiagnosticReport, takenBack: boolean): DiagnosticReport {
  const known = identified(report);
  if (takenBack || isWithdrawn(report)) {
    const { conclusion: _conclusion, conclusionCode: _code, presentedForm: _form, ...rest } = known;
    return { ...rest, status: report.status === 'cancelled' ? 'cancelled' : 'corrected' };
  }
  return report.status === 'appended' ? { ...known, status: 'corrected' } : known;
}

/** The type of an identifier (HL7 table 0203) by which messages name a fact. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  DiagnosticReport: 'FILL',
  ServiceRequest: 'FILL',
  MedicationRequest: 'FILL',
  Immunization: 'FILL',
  Appointment: 'FILL',
  Encounter: 'VN',
};

/** With an identifier by which later messages can name the same fact: the source's, else the hub's own id. */
function identified<T extends Resource>(resource: T): T {
  const own = { system: 'urn:causeway:authority::CAUSEWAY', value: resource.id };
  if (resource.resourceType === 'DocumentReference') {
    const { masterIdentifier, identifier, docStatus } = resource as DocumentReference;
    const known = masterIdentifier ?? identifier?.[0] ?? own;
    return { ...resource, masterIdentifier: known, docStatus: docStatus ?? 'final' };
  }
  const code = OWN_TYPES[resource.resourceType];
  const known = (resource as { identifier?: Identifier[] }).identifier ?? [];
  const isNamed = ({ type, value }: Identifier) =>
    value !== undefined && (code === 'VN' || type?.coding?.some((one) => one.code === 'PLAC' || one.code === 'FILL'));
  if (code === undefined || known.some(isNamed)) return resource;
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] };
  const untyped = known.find((one) => one.type === undefined && one.value !== undefined) ?? own;
  return { ...resource, identifier: [{ ...untyped, type }, ...known.filter((one) => one !== untyped)] };
}

/** Which elements name a fact that is taken back, by its type; all others go. */
const NAMING: Readonly<Record<string, readonly string[]>> = {
  Encounter: ['class', 'period'],
  Appointment: ['start', 'end', 'minutesDuration'],
  Immunization: ['vaccineCode', 'occurrenceDateTime'],
  MedicationRequest: ['intent', 'medicationCodeableConcept', 'medicationReference'],
  ServiceRequest: ['intent', 'code'],
  DocumentReference: ['masterIdentifier', 'type', 'date'],
};

function emptied<T extends Resource>(resource: T): T {
  const names = NAMING[resource.resourceType];
  if (names === undefined) return resource;
  const kept = Object.entries(resource).filter(
    ([name]) => ['resourceType', 'id', 'identifier', 'subject', 'patient'].includes(name) || names.includes(name),
  );
  return { ...Object.fromEntries(kept), status: withdrawnStatus(resource) } as object as T;
}

function withdrawnStatus(resource: Resource): string | undefined {
  const { status } = resource as { status?: string };
  if (status !== undefined && isWithdrawn({ status })) return status;
  return resource.resourceType === 'Encounter' ? (resource as Encounter).status : 'entered-in-error';
}
