/** Read and vread (FHIR R4 §3.1.0.2, §3.1.0.3), conditional read (§3.1.0.1); HEAD is answered by the same routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readAuditEventId } from '../accesses/index.ts';
import { isNamed, RecordError, type StoredResource } from '../record/index.ts';
import { logReader, readAuditEvent } from './audit-event-answers.ts';
import { patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { answerForm, formParameters } from './fhir-format.ts';
import { isLenient } from './fhir-prefer.ts';
import { sendResource, sendText, setVersion } from './fhir-send.ts';

type Exchange = FastifyRequest<{ Params: Params }>;

export function fhirReadRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator, addresses } = parts;

  app.get<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await authenticator.caller(request, 'read');
    const { type, id } = request.params;
    if (id.startsWith('$') || id === '_search') throw addresses.refusal('GET', request.url);
    checkQuery(request);
    answerForm(request);
    if (type === 'AuditEvent' && readAuditEventId(id)) {
      const reader = await logReader(parts, who, baseUrl(request));
      if (!reader) throw new RecordError(404, 'not-found', 'There is no AuditEvent of this id.');
      const { text, patients } = await readAuditEvent(parts, reader, id);
      await recordAccess(parts, who, 'read', pathOf(request), 200, patients);
      return sendText(request, reply, text);
    }
    const stored = await record.read(who, type, id);
    const isSame = isSameAsKnown(request, stored);
    await recordAccess(parts, who, 'read', pathOf(request), 200, patientsOf([stored]));
    return answerRead(request, reply, stored, isSame);
  });

  app.get<{ Params: Params }>('/fhir/:type/:id/_history/:version', async (request, reply) => {
    const who = await authenticator.caller(request, 'vread');
    const { type, id, version } = request.params;
    checkQuery(request);
    answerForm(request);
    const stored = await record.vread(who, type, id, version);
    const isSame = isSameAsKnown(request, stored);
    await recordAccess(parts, who, 'vread', pathOf(request), 200, patientsOf([stored]));
    return answerRead(request, reply, stored, isSame);
  });
}

/** Whether the client has it already. @throws RecordError 400 */
function isSameAsKnown({ headers }: Exchange, stored: StoredResource): boolean {
  return isUnchanged(stored, headers['if-none-match'], headers['if-modified-since']);
}

function answerRead(request: Exchange, reply: FastifyReply, stored: StoredResource, isSame: boolean): FastifyReply {
  if (!isSame) return sendResource(request, reply, stored);
  setVersion(reply, stored);
  return reply.code(304).send();
}

/**
 * Whether a conditional read has nothing new to tell: If-Modified-Since, in seconds, counts only without If-None-Match
 * (RFC 9110 §13.1.3); a date that cannot be read is passed over. @throws RecordError 400 for what is no ETag
 */
export function isUnchanged(
  { version, updated }: { version: number; updated: Date },
  ifNoneMatch: string | undefined,
  ifModifiedSince: string | undefined,
): boolean {
  if (ifNoneMatch !== undefined) return isNamed(ifNoneMatch, version);
  if (ifModifiedSince === undefined) return false;
  return Math.floor(updated.getTime() / 1000) * 1000 <= Date.parse(ifModifiedSince);
}

/** @throws RecordError 400 for a parameter that a read does not take */
function checkQuery(request: Exchange): void {
  if (!request.url.includes('?')) return;
  const query = queryOf(request);
  const other = [...query.keys()].find((name) => !formParameters.has(name));
  if (other !== undefined && !isLenient(request)) {
    const text = `A read takes ${[...formParameters].join(', ')}; ${other.slice(0, 50)} is a parameter of searches.`;
    throw new RecordError(400, 'invalid', text, other.slice(0, 50));
  }
  if (query.get('_summary') === 'count') {
    throw new RecordError(400, 'invalid', 'The parameter _summary=count is for searches.', '_summary');
  }
}
