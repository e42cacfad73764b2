/**
 * A report or a document as a FHIR R4 transaction Bundle (R4 http.html#transaction). The hub's ids are kept, so that a
 * correction updates what it corrects; the subject is named by the destination's own record number.
 */
import type { Bundle, BundleEntry, CodeableConcept, Identifier, Resource } from '@medplum/fhirtypes';
import { type Envelope, type OutboundResult, recordNumber } from './envelope.ts';

type Element = Record<string, unknown>;
type Subject = { reference: string; identifier?: Identifier };

/** A transaction of a FHIR server, or a Bundle that is read as it is. */
export type BundleForm = 'transaction' | 'message' | 'document';

/**
 * Writes the Bundle of a report, its Observations and its Provenance.
 * @returns a sentence where the recipient's Patient has no record number of the destination
 */
export function writeResultBundle(result: OutboundResult, envelope: Envelope, form?: BundleForm): Bundle | string {
  const { report, observations, request } = result;
  const placer = identifierOf([...(report.identifier ?? []), ...(request?.identifier ?? [])], 'PLAC');
  const basedOn = placer ? [{ type: 'ServiceRequest' as const, identifier: placer }] : [];
  return writeBundle([...observations, { ...report, basedOn }], envelope, form);
}

/** The identifier of a type of HL7 table 0203, such as PLAC or FILL. */
function identifierOf(identifiers: readonly Identifier[], type: string): Identifier | undefined {
  return identifiers.find((identifier) => identifier.type?.coding?.some(({ code }) => code === type));
}

/** Writes the Bundle of what tells of itself, with what of it goes along, and its Provenance; see `writeResultBundle`. */
export function writeStatementBundle(stated: Resource[], envelope: Envelope, form?: BundleForm): Bundle | string {
  return writeBundle(stated, envelope, form);
}

function writeBundle(stated: Resource[], envelope: Envelope, form: BundleForm = 'transaction'): Bundle | string {
  const number = recordNumber(envelope);
  if (number === undefined && !envelope.introduced) {
    return 'The recipient is known by no record number of the destination.';
  }
  const subject = subjectOf(envelope, number, form);
  const known = new Set(stated.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const resources = stated.map((resource) => {
    const sent =
      envelope.kind === 'retraction' ? retracted(resource as object as Element) : (resource as object as Element);
    const own = ownPatient(resource as object as Element);
    // A transaction names what it holds by its id, a message or a document by where it stands in it.
    const addressed = readdressed(sent, own, subject, known) as Element;
    if (own === undefined) addressed.subject = subject;
    addressed.meta = metaOf(resource);
    return addressed as object as Resource;
  });
  const provenance = provenanceOf(envelope, known);
  const head = {
    resourceType: 'Bundle' as const,
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${envelope.deliveryId}` },
    timestamp: envelope.time,
  };
  const patient = { ...envelope.recipient.patient };
  if (form === 'transaction') {
    return {
      ...head,
      type: 'transaction',
      entry: [
        ...(envelope.introduced ? [introduction(envelope)] : []),
        ...[...resources, provenance].map((resource) => ({
          fullUrl: `urn:uuid:${resource.id}`,
          resource,
          request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
        })),
      ],
    };
  }
  const first = form === 'message' ? messageHeader(envelope, resources) : composition(envelope, resources, subject);
  const entries = [first, ...resources, patient, provenance];
  return {
    ...head,
    type: form,
    entry: entries.map((resource) => ({
      fullUrl: `urn:uuid:${resource.id}`,
      resource: within(resource, entries),
    })),
  };
}

/** The subject: the destination's own Patient, found by its number, or the Patient that goes along. */
function subjectOf({ recipient, introduced }: Envelope, number: string | undefined, form: BundleForm): Subject {
  const identifier = number === undefined ? {} : { identifier: { system: recipient.identifierSystem, value: number } };
  if (form !== 'transaction' || introduced) return { reference: `urn:uuid:${recipient.patient.id}`, ...identifier };
  const query = `${encodeURIComponent(recipient.identifierSystem)}|${encodeURIComponent(number!)}`;
  return { reference: `Patient?identifier=${query}`, ...identifier };
}

/** The Patient of somebody whom the destination does not know: made there unless it has one of the same number. */
function introduction({ recipient }: Envelope): BundleEntry {
  const { id, meta: _, link: __, ...patient } = recipient.patient;
  const number = patient.identifier?.find(({ system, value }) => system && value);
  return {
    fullUrl: `urn:uuid:${id}`,
    resource: patient,
    request: {
      method: 'POST',
      url: 'Patient',
      ...(number
        ? {
            ifNoneExist: `identifier=${encodeURIComponent(number.system!)}|${encodeURIComponent(number.value!)}`,
          }
        : {}),
    },
  };
}

function provenanceOf(envelope: Envelope, known: Iterable<string>): Resource {
  const { kind, origin } = envelope;
  return {
    resourceType: 'Provenance',
    id: envelope.deliveryId,
    target: [...known].map((reference) => ({ reference })),
    recorded: envelope.time,
    activity: {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation',
          code: { new: 'CREATE', correction: 'UPDATE', retraction: 'NULLIFY' }[kind],
        },
      ],
    },
    agent: [
      {
        type: participant('author'),
        who: { identifier: { system: 'urn:causeway:source', value: origin.key }, display: origin.name },
      },
      { type: participant('transmitter'), who: { display: 'Causeway' } },
    ],
  } as Resource;
}

/** R4 messaging: the header's id is the message's, the same at every attempt. */
function messageHeader(envelope: Envelope, resources: Resource[]): Resource {
  const { destination, origin } = envelope;
  return {
    resourceType: 'MessageHeader',
    id: mark(envelope.deliveryId, '1'),
    eventUri: `urn:causeway:${{ new: 'statement', correction: 'correction', retraction: 'retraction' }[envelope.kind]}`,
    ...(destination ? { destination: [{ endpoint: destination }] } : {}),
    source: { name: 'Causeway', software: 'Causeway', endpoint: 'urn:causeway:hub' },
    responsible: { display: origin.name },
    focus: resources.slice(-1).map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}` })),
  } as Resource;
}

/** R4 documents: what is stated, as one section. */
function composition(envelope: Envelope, resources: Resource[], subject: Subject): Resource {
  const focus = resources.at(-1) as { code?: CodeableConcept; type?: CodeableConcept; resourceType: string };
  const type = focus.resourceType === 'DocumentReference' ? focus.type : focus.code;
  return {
    resourceType: 'Composition',
    id: mark(envelope.deliveryId, '2'),
    status: { new: 'final', correction: 'amended', retraction: 'entered-in-error' }[envelope.kind],
    type: type ?? { text: focus.resourceType },
    subject,
    date: envelope.time,
    author: [{ display: envelope.origin.name }],
    title: type?.text ?? type?.coding?.[0]?.display ?? focus.resourceType,
    section: [
      {
        title: focus.resourceType,
        entry: resources.map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}` })),
      },
    ],
  } as Resource;
}

/** An id made of the delivery's: of the same form, and not the same. */
function mark(deliveryId: string, digit: string): string {
  return `${deliveryId.slice(0, -1)}${((Number.parseInt(deliveryId.at(-1)!, 16) + Number(digit)) % 16).toString(16)}`;
}

/** With references to other entries as these are named in the Bundle. */
function within<T>(value: T, entries: readonly Resource[]): T {
  const names = new Map(entries.map(({ resourceType, id }) => [`${resourceType}/${id}`, `urn:uuid:${id}`]));
  const rename = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(rename);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(
      Object.entries(item).map(([key, one]) => [
        key,
        key === 'reference' && typeof one === 'string' ? (names.get(one) ?? one) : rename(one),
      ]),
    );
  };
  return rename(value) as T;
}

/** The reference by which a resource names whose it is; undefined where it is to be named by `subject` all the same. */
function ownPatient(resource: Element): string | undefined {
  const named = (resource.subject ?? resource.patient ?? resource.for) as { reference?: string } | undefined;
  if (named && resource.resourceType !== 'Appointment') return named.reference;
  const actors = (resource.participant as { actor?: { reference?: string } }[] | undefined) ?? [];
  return actors.map(({ actor }) => actor?.reference).find((reference) => reference?.startsWith('Patient/'));
}

function participant(code: string): Element {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code }] };
}

/** What a resource must have to stay valid, its status entered-in-error, and none of its values. */
function retracted(resource: Element): Element {
  const { resourceType, id, meta, identifier, masterIdentifier, code, type, category, subject, patient } = resource;
  const named = { resourceType, id, meta, identifier, masterIdentifier, category, subject, patient };
  if (resourceType === 'AllergyIntolerance') return { ...named, code, verificationStatus: enteredInError };
  const kept = { ...named, status: 'entered-in-error' };
  if (resourceType === 'DocumentReference') return { ...kept, type, content: [{ attachment: { title: 'Withdrawn' } }] };
  if (resourceType === 'DiagnosticReport') return { ...kept, code, result: resource.result };
  return { ...kept, code, ...requiredOf(resource) };
}

const enteredInError = {
  coding: [
    { system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code: 'entered-in-error' },
  ],
};

/** Elements without which a resource of its type is none. */
function requiredOf(resource: Element): Element {
  const names: Readonly<Record<string, readonly string[]>> = {
    Encounter: ['class'],
    Appointment: ['participant'],
    MedicationRequest: ['intent', 'medicationCodeableConcept', 'medicationReference'],
    Immunization: ['vaccineCode', 'occurrenceDateTime', 'occurrenceString'],
    ServiceRequest: ['intent'],
    Task: ['intent', 'for', 'focus'],
    Consent: ['scope', 'policy', 'policyRule'],
  };
  return Object.fromEntries((names[String(resource.resourceType)] ?? []).map((name) => [name, resource[name]]));
}

/** Whose it is, and its security labels: they go with it wherever it goes. */
function metaOf({ meta }: Resource): object {
  const tag = (meta?.tag ?? []).filter(({ system }) => system === 'urn:causeway:source');
  return { ...(meta?.security?.length ? { security: meta.security } : {}), tag };
}

/**
 * A copy with its patient named as the destination knows them. References to what the Bundle does not hold keep their
 * identifier and display, and are left out without either.
 */
function readdressed(value: unknown, own: string | undefined, subject: Subject, known: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const copy = readdressed(item, own, subject, known);
      if (copy !== undefined) items.push(copy);
    }
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const element = value as Element;
  const { reference } = element;
  if (typeof reference === 'string') {
    if (reference === own) return subject;
    if (!known.has(reference) && reference !== subject.reference && !reference.startsWith('#')) {
      const { identifier, display, type } = element;
      return identifier === undefined && display === undefined ? undefined : { type, identifier, display };
    }
  }
  const copy: Element = {};
  for (const name in element) {
    const item = readdressed(element[name], own, subject, known);
    if (item !== undefined && !(Array.isArray(item) && item.length === 0)) copy[name] = item;
  }
  return copy;
}
