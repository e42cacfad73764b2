/** Sending FHIR answers: the one place where their headers, and what `Prefer` and `_format` ask for, are decided. */
import { prettyJson, subset, xmlFromJson } from '@causeway/fhir';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Issue, RecordError, type StoredResource } from '../record/index.ts';
import { withAddresses } from './document-addresses.ts';
import { etag, outcomeOf, type TextParts } from './fhir-answers.ts';
import { baseUrl } from './fhir-exchange.ts';
import { type AnswerForm, answerForm, plainForm } from './fhir-format.ts';
import { returnPreference } from './fhir-prefer.ts';

/** Sends a stored version with its ETag and time. */
export function sendResource(
  request: FastifyRequest,
  reply: FastifyReply,
  stored: StoredResource,
  status = 200,
): FastifyReply {
  setVersion(reply.code(status), stored);
  return sendText(request, reply, withAddresses(baseUrl(request), stored.type, stored.text));
}

/** The headers of a version: ETag and Last-Modified. */
export function setVersion(reply: FastifyReply, { version, updated }: { version: number; updated: Date }): void {
  reply.header('etag', etag(version)).header('last-modified', updated.toUTCString());
}

/** Sends what was written, as `Prefer: return` says. */
export function sendWritten(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  made: { status: number; id: string; version: number; updated: Date; text: string },
): FastifyReply {
  setVersion(reply.code(made.status), made);
  const address = `${baseUrl(request)}/${type}/${made.id}/_history/${made.version}`;
  reply.header('location', address).header('content-location', address);
  const wanted = returnPreference(request);
  if (wanted !== undefined) reply.header('preference-applied', `return=${wanted}`);
  if (wanted === 'minimal') return reply.send();
  if (wanted === 'OperationOutcome') return sendOutcome(request, reply, made.status, [writtenIssue(made.status)]);
  return sendText(request, reply, withAddresses(baseUrl(request), type, made.text));
}

/** What an OperationOutcome says of a change that was made. */
export function writtenIssue(status: number): Issue {
  const diagnostics = status === 201 ? 'The resource was created.' : 'The resource is stored.';
  return { severity: 'information', code: 'informational', diagnostics };
}

/** Sends a Bundle's text; its resources have the part already that is asked for. */
export function sendBundle(
  request: FastifyRequest,
  reply: FastifyReply,
  text: TextParts,
  form: AnswerForm = answerForm(request),
): FastifyReply {
  return sendBytes(reply, bundleBytes(text, form), form);
}

/** A Bundle's bytes in a form; its resources have the part already that is asked for. @throws RecordError 406 */
export function bundleBytes(text: TextParts, form: AnswerForm): Buffer {
  if (form.format === 'json' && !form.pretty) return encoded(text);
  return Buffer.from(shaped(text.join(''), { ...form, subset: undefined }));
}

export function sendBytes(reply: FastifyReply, bytes: Buffer, form: AnswerForm): FastifyReply {
  return reply.type(`${form.mediaType}; charset=utf-8`).send(bytes);
}

/** UTF-8, without the whole text as one string on the way: for a large text that costs more than all else. */
function encoded(text: TextParts): Buffer {
  let bytes = Buffer.allocUnsafe(text.reduce((sum, { length }) => sum + length, spareBytes));
  let end = 0;
  for (const part of text) {
    // How many bytes a part has is asked only where there might be no room: most characters have one.
    if (end + part.length * mostBytes > bytes.length) bytes = withRoom(bytes, end, Buffer.byteLength(part));
    end += bytes.write(part, end);
  }
  return bytes.subarray(0, end);
}

/** Of a character of a string. */
const mostBytes = 3;
/** For characters of several bytes; more of them make the room larger once. */
const spareBytes = 256;

/** The same bytes up to the end, with room for so many more. */
function withRoom(bytes: Buffer<ArrayBuffer>, end: number, more: number): Buffer<ArrayBuffer> {
  if (end + more <= bytes.length) return bytes;
  const larger = Buffer.allocUnsafe(Math.ceil((end + more) * 1.25));
  bytes.copy(larger, 0, 0, end);
  return larger;
}

/** Sends an OperationOutcome of issues. */
export function sendOutcome(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  issues: readonly Issue[],
): FastifyReply {
  return sendText(request, reply.code(status), JSON.stringify(outcomeOf(issues)), wholeForm(request));
}

/** Sends an error as an OperationOutcome, in the form that was asked for where it can be written. */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: RecordError): FastifyReply {
  for (const [name, value] of Object.entries(error.headers)) reply.header(name, value);
  return sendOutcome(request, reply, error.status, error.issues);
}

/** Sends a resource as canonical JSON text in the form that is asked for. */
export function sendText(
  request: FastifyRequest,
  reply: FastifyReply,
  text: string,
  form: AnswerForm = answerForm(request),
): FastifyReply {
  return reply.type(`${form.mediaType}; charset=utf-8`).send(shaped(text, form));
}

/** A resource's text in a form. @throws RecordError 406 for what cannot be said in XML */
export function shaped(text: string, form: AnswerForm): string {
  if (form === plainForm) return text;
  const part = form.subset ? subset(text, form.subset) : text;
  if (form.format === 'json') return form.pretty ? prettyJson(part) : part;
  const xml = xmlFromJson(part);
  if (typeof xml === 'string') return `<?xml version="1.0" encoding="UTF-8"?>${xml}`;
  throw new RecordError(406, 'not-supported', `This cannot be written as XML: ${xml.error}; ask for JSON.`, xml.path);
}

/** The form of a request's answer, without a part of the resource; JSON where the request's form is what is wrong. */
function wholeForm(request: FastifyRequest): AnswerForm {
  try {
    const form = answerForm(request);
    return form.subset ? { ...form, subset: undefined } : form;
  } catch {
    return plainForm;
  }
}
