/**
 * In which form an answer is wanted: JSON or XML (FHIR R4 §3.1.0.1, Content Types), pretty, and which part of
 * each resource (`_summary`, `_elements`). The ordinary request, JSON without such a parameter, is told at a glance.
 */
import type { FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';

export interface AnswerForm {
  format: 'json' | 'xml';
  /** The media type for Content-Type. */
  mediaType: string;
  pretty: boolean;
  subset: Subset | undefined;
}

/** A part of a resource that is asked for. */
export type Subset = { summary: 'true' | 'text' | 'data' } | { elements: string[] };

/** What nearly every answer has: the stored text as it is. */
export const plainForm: AnswerForm = {
  format: 'json',
  mediaType: 'application/fhir+json',
  pretty: false,
  subset: undefined,
};

/** The parameters that decide the form; every interaction takes them. */
export const formParameters: ReadonlySet<string> = new Set(['_format', '_pretty', '_summary', '_elements']);

/**
 * The form for the answer to a request. `_summary=count` is left to searches, which count.
 * @param query the request's parameters where they are not those of its address (a search by POST)
 * @throws RecordError 406 for a format this server does not write, 400 for a wrong value
 */
export function answerForm(request: FastifyRequest, query?: URLSearchParams): AnswerForm {
  const accept = request.headers.accept;
  if (query === undefined && !/[?&]_(?:format|pretty|summary|elements)=/.test(request.url)) return byAccept(accept);
  const parameters = query ?? new URLSearchParams(request.url.split('?')[1] ?? '');
  const format = parameters.get('_format');
  const form = format === null ? byAccept(accept) : byFormat(format);
  const pretty = flag(parameters.get('_pretty'));
  const subset = subsetOf(parameters);
  return pretty || subset ? { ...form, pretty, subset } : form;
}

/** The media type of a header without its parameters, in lower case. */
export function mediaTypeOf(header: string): string {
  return header.split(';')[0]!.trim().toLowerCase();
}

/** Whether a request takes content of a media type; `text/xml` and `application/xml` are the same, and bytes are any. */
export function accepts(request: FastifyRequest, mediaType: string): boolean {
  const { accept } = request.headers;
  if (accept === undefined) return true;
  const wanted = xmlAsText(mediaTypeOf(mediaType));
  return accept.split(',').some((range) => {
    if (/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(range)) return false;
    const type = xmlAsText(mediaTypeOf(range));
    return (
      type === '*/*' ||
      type === bytes ||
      type === wanted ||
      (type.endsWith('/*') && wanted.startsWith(type.slice(0, -1)))
    );
  });
}

const bytes = 'application/octet-stream';

function xmlAsText(mediaType: string): string {
  return mediaType === 'application/xml' ? 'text/xml' : mediaType;
}

/** JSON or XML by a media type; undefined for any other. */
export function formatOf(mediaType: string): 'json' | 'xml' | undefined {
  return formats.get(mediaType);
}

/** Whether a media type is FHIR's own, not a generic one. */
export function isFhirMediaType(mediaType: string): boolean {
  return /^application\/(?:fhir\+(?:json|xml)|(?:json|xml)\+fhir)$/.test(mediaType);
}

/** Whether a media type's parameters allow R4 in UTF-8. */
export function isRightVersion(header: string): boolean {
  const version = /;\s*fhirVersion\s*=\s*"?([^";,\s]+)/i.exec(header)?.[1];
  const charset = /;\s*charset\s*=\s*"?([^";,\s]+)/i.exec(header)?.[1];
  return (version === undefined || /^4\.0(\.\d+)?$/.test(version)) && /^utf-?8$/i.test(charset ?? 'utf-8');
}

const formats: ReadonlyMap<string, 'json' | 'xml'> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/json+fhir', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/xml+fhir', 'xml'],
]);

/** Headers of clients repeat; what was decided for one is kept. */
const decided = new Map<string, AnswerForm>();
const decidedAtMost = 200;

function byAccept(accept: string | undefined): AnswerForm {
  if (accept === undefined || accept === '*/*') return plainForm;
  const known = decided.get(accept);
  if (known) return known;
  const form = negotiate(accept);
  if (decided.size >= decidedAtMost) decided.clear();
  decided.set(accept, form);
  return form;
}

/** The best of the ranges that this server can satisfy (RFC 9110 §12.5.1); of equals the first. */
function negotiate(accept: string): AnswerForm {
  let best: { form: AnswerForm; quality: number } | undefined;
  for (const range of accept.split(',')) {
    const form = rangeForm(mediaTypeOf(range));
    const quality = Number(/;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1] ?? 1);
    if (!form || !isRightVersion(range) || !(quality > 0)) continue;
    if (!best || quality > best.quality) best = { form, quality };
  }
  if (best) return best.form;
  throw notAcceptable('The Accept header names no format');
}

function byFormat(value: string): AnswerForm {
  // A plus sign that was not escaped in the address arrives as a space.
  const mediaType = mediaTypeOf(value).replace(' ', '+');
  const form = rangeForm(mediaType === 'json' || mediaType === 'xml' ? `application/fhir+${mediaType}` : mediaType);
  if (form && isRightVersion(value)) return form;
  throw notAcceptable('The parameter _format names no format', '_format');
}

function rangeForm(mediaType: string): AnswerForm | undefined {
  if (mediaType === '*/*' || mediaType === 'application/*') return plainForm;
  const format = formats.get(mediaType);
  if (!format) return undefined;
  return { ...plainForm, format, mediaType: mediaType.replace(/^application\/(\w+)\+fhir$/, 'application/fhir+$1') };
}

function notAcceptable(what: string, expression?: string): RecordError {
  const text = `${what} that this server writes: application/fhir+json and application/fhir+xml, FHIR version 4.0.`;
  return new RecordError(406, 'not-supported', text, expression);
}

function flag(value: string | null): boolean {
  if (value === null || value === 'false') return false;
  if (value === 'true') return true;
  throw new RecordError(400, 'invalid', 'The parameter _pretty must be true or false.', '_pretty');
}

function subsetOf(parameters: URLSearchParams): Subset | undefined {
  const summary = parameters.get('_summary');
  const elements = parameters.get('_elements');
  if (summary !== null && !['true', 'text', 'data', 'count', 'false'].includes(summary)) {
    throw new RecordError(
      400,
      'invalid',
      'The parameter _summary must be true, text, data, count or false.',
      '_summary',
    );
  }
  const isSummary = summary === 'true' || summary === 'text' || summary === 'data';
  if (elements === null) return isSummary ? { summary } : undefined;
  if (isSummary) {
    throw new RecordError(400, 'invalid', 'Ask for _summary or for _elements, not for both.', '_elements');
  }
  const names = elements.split(',').map((name) => name.trim());
  if (names.length > 100 || names.some((name) => !/^[A-Za-z][A-Za-z.]{0,100}$/.test(name))) {
    const text = 'The parameter _elements must be names of elements with commas between them, such as id,name.';
    throw new RecordError(400, 'invalid', text, '_elements');
  }
  return { elements: names };
}
