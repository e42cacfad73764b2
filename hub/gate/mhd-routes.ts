/**
 * One document without a submission around it (IHE MHD 4.2): Simplified Publish (ITI-105), a DocumentReference that carries its
 * document, and Generate Metadata (ITI-106), a document alone. Both become a submission of one document.
 */
import { parseCdaHead } from '@causeway/ccda';
import type { ScannedResource } from '@causeway/fhir';
import type { DocumentReference, Identifier, List } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type EntryOutcome, newId, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { exchangeOf } from './fhir-bundle-routes.ts';
import { baseUrl, checkMayChange, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { sendText, sendWritten } from './fhir-send.ts';
import { senders } from './inbox-routes.ts';
import { type PublishParts, publish } from './mhd-publish.ts';
import { extensions, listTypes, readSubmission, type SubmittedEntry } from './mhd-submission.ts';
import { operationParameters } from './operation-parameters.ts';

const simplified =
  /^https?:\/\/profiles\.ihe\.net\/ITI\/MHD\/StructureDefinition\/IHE\.MHD\.SimplifiedPublish\.DocumentReference/;

/** Whether a resource says that it is a document to be published. */
export function isSimplifiedPublish({ resourceType, value }: ScannedResource): boolean {
  if (resourceType !== 'DocumentReference') return false;
  const { meta } = value as DocumentReference;
  return meta?.profile?.some((one) => simplified.test(one)) === true;
}

/** Answers a Simplified Publish. @throws RecordError 409, 422 */
export async function simplifiedPublish(
  app: FastifyInstance,
  parts: PublishParts,
  request: FastifyRequest,
  reply: FastifyReply,
  who: Caller,
  { value }: ScannedResource,
): Promise<FastifyReply> {
  const { meta, ...reference } = value as DocumentReference;
  const [content] = reference.content ?? [];
  const { data, url, ...attachment } = content?.attachment ?? {};
  if (data === undefined || url !== undefined || reference.status !== 'current') {
    const wrong =
      'XDSMissingDocument: What is published so is current and carries its document in content.attachment.data.';
    throw new RecordError(422, 'business-rule', wrong, 'DocumentReference.content[0].attachment.data');
  }
  const others = meta?.profile?.filter((one) => !simplified.test(one));
  const outcome = await publishOne(app, parts, request, who, {
    reference: {
      ...reference,
      ...(others?.length || meta?.tag || meta?.security ? { meta: { ...meta, profile: others ?? [] } } : {}),
      content: [{ ...content, attachment }],
    },
    data,
  });
  const stored = await parts.record.read(who, 'DocumentReference', idOf(outcome));
  return sendWritten(request, reply, 'DocumentReference', { ...stored, status: 201, id: idOf(outcome) });
}

export function mhdRoutes(app: FastifyInstance, parts: PublishParts): void {
  app.post('/fhir/DocumentReference/$generate-metadata', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'generate-metadata');
    checkMayChange(who, 'DocumentReference');
    if (!senders.includes(who.role)) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not send documents to be converted.`);
    }
    const parameters = operationParameters(parts, request, { document: 'object' });
    const form = answerForm(request, parameters.query());
    const document = parameters.object('document') as { resourceType?: string; data?: string } | undefined;
    if (document === undefined) {
      throw new RecordError(400, 'required', 'The parameter document is the Binary of a C-CDA.', 'document');
    }
    if (document.resourceType !== 'Binary') {
      const text = 'FHIRDocumentNotSupported: Metadata are made of C-CDA documents, which are sent as a Binary.';
      throw new RecordError(422, 'business-rule', text, 'document');
    }
    const reference = referenceTo(Buffer.from(document.data ?? '', 'base64'));
    const outcome = await publishOne(app, parts, request, who, { reference, data: document.data ?? '' });
    await recordAccess(parts, who, 'generate-metadata', '/DocumentReference/$generate-metadata', 200);
    const url = `${baseUrl(request)}/DocumentReference/${idOf(outcome)}`;
    const parameter = [{ name: 'DocumentReference', valueReference: { reference: url } }];
    return sendText(request, reply, JSON.stringify({ resourceType: 'Parameters', parameter }), form);
  });
}

/** What the header of a C-CDA says for its DocumentReference, and of whom it is. @throws RecordError 422 */
function referenceTo(bytes: Buffer): DocumentReference {
  const parsed = parseCdaHead(bytes);
  const header = parsed.ok ? parsed.document.header : undefined;
  const patient = header?.recordTargets[0]?.find('patientRole', 'id');
  if (!header?.id?.root || patient?.attr('root') === undefined) {
    const text = 'InvalidDocumentContent: The document is no C-CDA with an id and a patient who has a number.';
    throw new RecordError(422, 'business-rule', text, 'document');
  }
  const { code, title, languageCode } = header;
  return {
    resourceType: 'DocumentReference',
    masterIdentifier: identifierOf(header.id.root, header.id.extension),
    status: 'current',
    subject: { identifier: identifierOf(patient.attr('root')!, patient.attr('extension')) },
    ...(code?.code
      ? {
          type: {
            coding: [
              {
                system: 'http://loinc.org',
                code: code.code,
                ...(code.displayName ? { display: code.displayName } : {}),
              },
            ],
          },
        }
      : {}),
    ...(title === undefined ? {} : { description: title }),
    content: [
      {
        attachment: {
          contentType: 'text/xml',
          ...(languageCode ? { language: languageCode } : {}),
          ...(title ? { title } : {}),
        },
        format: {
          system: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
          code: 'urn:hl7-org:sdwg:ccda-structuredBody:2.1',
        },
      },
    ],
  };
}

function identifierOf(root: string, extension: string | undefined): Identifier {
  return extension === undefined
    ? { system: 'urn:ietf:rfc:3986', value: `urn:oid:${root}` }
    : { system: `urn:oid:${root}`, value: extension };
}

/** Publishes one document, with a SubmissionSet made of its metadata. */
async function publishOne(
  app: FastifyInstance,
  parts: PublishParts,
  request: FastifyRequest,
  who: Caller,
  { reference, data }: { reference: DocumentReference; data: string },
): Promise<EntryOutcome> {
  const [document, binary] = [`urn:uuid:${newId()}`, `urn:uuid:${newId()}`];
  const [content] = reference.content!;
  const { contentType = 'application/octet-stream' } = content!.attachment!;
  const list: List = {
    resourceType: 'List',
    extension: [
      {
        url: `${extensions}/ihe-sourceId`,
        valueIdentifier: { system: 'urn:causeway:participant', value: who.site ?? who.organization },
      },
      ...(reference.type ? [{ url: `${extensions}/ihe-designationType`, valueCodeableConcept: reference.type }] : []),
    ],
    identifier: [{ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${newId()}` }],
    status: 'current',
    mode: 'working',
    ...(reference.description ? { title: reference.description } : {}),
    code: { coding: [{ system: listTypes, code: 'submissionset' }] },
    subject: reference.subject as NonNullable<List['subject']>,
    date: new Date().toISOString(),
    entry: [{ item: { reference: document } }],
  };
  const resources: [string, object][] = [
    [`urn:uuid:${newId()}`, list],
    [document, { ...reference, content: [{ ...content, attachment: { ...content!.attachment, url: binary } }] }],
    [binary, { resourceType: 'Binary', contentType, data }],
  ];
  const entries = resources.map(([fullUrl, resource]): SubmittedEntry => {
    const { resourceType } = resource as { resourceType: string };
    const scanned = parts.record.scan(JSON.stringify(resource), resourceType);
    return {
      fullUrl,
      method: 'POST',
      url: resourceType,
      ifNoneExist: undefined,
      request: { method: 'POST', url: resourceType },
      resource: scanned,
    };
  });
  const outcomes = await publish(
    parts,
    request,
    who,
    readSubmission(entries, 'Minimal'),
    exchangeOf(app, parts, request, who),
  );
  return outcomes[1]!;
}

function idOf({ location }: EntryOutcome): string {
  return location!.split('/')[1]!;
}
