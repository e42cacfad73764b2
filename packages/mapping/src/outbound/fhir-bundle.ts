/**
 * A report or a document as a FHIR R4 transaction Bundle (R4 http.html#transaction). The hub's ids are kept, so that a
 * correction updates what it corrects; the subject is named by the destination's own record number.
 */
import type { Bundle, Identifier, Resource } from '@medplum/fhirtypes';
import { type Envelope, type OutboundDocument, type OutboundResult, recordNumber } from './envelope.ts';

type Element = Record<string, unknown>;

/**
 * Writes the Bundle of a report, its Observations and its Provenance.
 * @returns a sentence where the recipient's Patient has no record number of the destination
 */
export function writeResultBundle(result: OutboundResult, envelope: Envelope): Bundle | string {
  const { report, observations, request } = result;
  const placer = identifierOf([...(report.identifier ?? []), ...(request?.identifier ?? [])], 'PLAC');
  const basedOn = placer ? [{ type: 'ServiceRequest' as const, identifier: placer }] : [];
  return writeBundle([...observations, { ...report, basedOn }], envelope);
}

/** Writes the Bundle of a document and its Provenance; see `writeResultBundle`. */
export function writeDocumentBundle({ document }: OutboundDocument, envelope: Envelope): Bundle | string {
  return writeBundle([document], envelope);
}

/** The identifier of a type of HL7 table 0203, such as PLAC or FILL. */
function identifierOf(identifiers: readonly Identifier[], type: string): Identifier | undefined {
  return identifiers.find((identifier) => identifier.type?.coding?.some(({ code }) => code === type));
}

function writeBundle(stated: Resource[], envelope: Envelope): Bundle | string {
  const number = recordNumber(envelope);
  if (number === undefined) return 'The recipient is known by no record number of the destination.';
  const { recipient, kind, origin } = envelope;
  const subject = {
    reference: `Patient?identifier=${encodeURIComponent(recipient.identifierSystem)}|${encodeURIComponent(number)}`,
    identifier: { system: recipient.identifierSystem, value: number },
  };
  const known = new Set(stated.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const resources = stated.map((resource) => {
    const sent = kind === 'retraction' ? retracted(resource as object as Element) : (resource as object as Element);
    const detached = detach(sent, known) as Element;
    return { ...detached, subject, meta: metaOf(resource) } as object as Resource;
  });
  const provenance = {
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
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${envelope.deliveryId}` },
    timestamp: envelope.time,
    entry: [...resources, provenance].map((resource) => ({
      fullUrl: `urn:uuid:${resource.id}`,
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    })),
  };
}

function participant(code: string): Element {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code }] };
}

/** What a resource must have to stay valid, its status entered-in-error, and none of its values. */
function retracted(resource: Element): Element {
  const { resourceType, id, meta, identifier, masterIdentifier, code, type, category } = resource;
  const kept = { resourceType, id, meta, identifier, masterIdentifier, category, status: 'entered-in-error' };
  if (resourceType === 'DocumentReference') return { ...kept, type, content: [{ attachment: { title: 'Withdrawn' } }] };
  return resourceType === 'DiagnosticReport' ? { ...kept, code, result: resource.result } : { ...kept, code };
}

/** Whose it is, and its security labels: they go with it wherever it goes. */
function metaOf({ meta }: Resource): object {
  const tag = (meta?.tag ?? []).filter(({ system }) => system === 'urn:causeway:source');
  return { ...(meta?.security?.length ? { security: meta.security } : {}), tag };
}

/** References to what the Bundle does not hold keep their identifier and display, and are left out without either. */
function detach(value: unknown, known: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => detach(item, known)).filter((item) => item !== undefined);
  if (typeof value !== 'object' || value === null) return value;
  const element = value as Element;
  const { reference } = element;
  if (typeof reference === 'string' && !known.has(reference) && !reference.startsWith('#')) {
    const { identifier, display, type } = element;
    return identifier === undefined && display === undefined ? undefined : { type, identifier, display };
  }
  const entries = Object.entries(element).map(([key, item]): [string, unknown] => [key, detach(item, known)]);
  return Object.fromEntries(
    entries.filter(([, item]) => item !== undefined && !(Array.isArray(item) && item.length === 0)),
  );
}
