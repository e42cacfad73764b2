/** The inbox over HTTP: HL7 v2, C-CDA and FHIR Bundles as messages, committed before the answer. */
import { isFhirError, scanBundle } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dialect, Received, Receiver } from '../inbox/index.ts';
import { RecordError } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptBundle, acceptCcda, acceptV2, type Origin, uncertifiedReason } from './accept.ts';
import type { Authenticator } from './authenticate.ts';
import type { Certified } from './certified.ts';
import type { Sending } from './sending.ts';

export interface InboxParts {
  receiver: Receiver;
  participants: Participants;
  authenticator: Authenticator;
  sending: Sending;
  certified: Certified;
}

/** Who may send messages. */
export const senders = ['system', 'integration-engineer', 'administrator'];

export function inboxRoutes(app: FastifyInstance, parts: InboxParts): void {
  const take = async (request: FastifyRequest) => {
    const who = await parts.authenticator.caller(request);
    if (!senders.includes(who.role))
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not send messages.`);
    const body = request.body as Buffer | undefined;
    if (!body || body.length === 0) throw new RecordError(400, 'required', 'The request has no body.');
    const received = await parts.sending.judged(
      recognise(body, parts.certified.origin(request, who), parts.participants),
    );
    if (received.refused === undefined) return parts.receiver.receive(received);
    await parts.receiver.receive(received);
    throw new RecordError(422, 'structure', received.refused);
  };
  app.post('/inbox', async (request, reply) => reply.code(202).send(await take(request)));
  app.post('/ccda', async (request, reply) => reply.code(202).send(await take(request)));
}

/** Which dialect the bytes are of: by what they begin with, since senders are careless with content types. */
function recognise(body: Buffer, origin: Origin, participants: Participants): Received {
  const { site } = origin;
  const start = body
    .subarray(0, 200)
    .toString('latin1')
    .replace(/^[\uFEFF\xEF\xBB\xBF\s\v]+/, '');
  if (start.startsWith('MSH')) {
    const { received, query } = acceptV2(body, participants, origin);
    if (query) received.refused ??= 'A query is answered over MLLP and at /hl7 only: here nothing is.';
    // Over this way there is no acknowledgement that could say what number is expected, or what came of it.
    return { ...received, sequence: undefined, applicationWish: undefined };
  }
  if (start.startsWith('{')) {
    const bundle = scanBundle(body.toString());
    if (isFhirError(bundle))
      return refused(body, 'fhir', site, `Line ${bundle.line}, column ${bundle.column}: ${bundle.error}`);
    const patient = bundle.entries.find(({ resource }) => resource?.resourceType === 'Patient');
    const identifier = bundle.bundle.identifier?.value;
    const accepted = acceptBundle(body, site ?? 'api', patient?.resource?.id ?? patient?.fullUrl, identifier);
    return certifiedOnly(accepted, origin, participants);
  }
  // A byte order mark or a zero byte begins XML in UTF-16.
  if (!/^[<\xFE\xFF\0]/.test(start)) {
    const reason = 'The body begins like none of HL7 v2 (MSH), C-CDA (XML) and FHIR (a JSON Bundle).';
    return refused(body, 'unknown', site, reason);
  }
  const document = acceptCcda(body, site, participants);
  if (typeof document === 'string') return refused(body, 'ccda', site, document);
  return certifiedOnly(document, origin, participants);
}

function certifiedOnly(received: Received, origin: Origin, participants: Participants): Received {
  const reason = uncertifiedReason(received.source, origin, participants);
  return reason === undefined ? received : { ...received, refused: reason, lane: 'refused' };
}

function refused(bytes: Buffer, dialect: Dialect, site: string | undefined, reason: string): Received {
  return {
    bytes,
    dialect,
    source: site ?? 'unknown',
    type: 'unreadable',
    controlId: '',
    lane: 'refused',
    refused: reason,
  };
}
