/** JSON bodies of the screens' own interface. */
import type { FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';

export type Body = { [name: string]: unknown };

/** The body as an object of strings. @throws RecordError 400, 415 */
export function jsonBody(request: FastifyRequest): Body {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new RecordError(415, 'not-supported', 'Send the body as application/json.');
  }
  try {
    const value = JSON.parse((request.body as Buffer).toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through to the error below.
  }
  throw new RecordError(400, 'structure', 'The body must be a JSON object.');
}

/** A text of the body. @throws RecordError 400 */
export function text(body: Body, name: string, longest = 1_000): string {
  const value = body[name];
  if (typeof value !== 'string' || value.trim() === '' || value.length > longest) {
    throw new RecordError(400, 'required', `The body needs ${name}, a text of at most ${longest} characters.`, name);
  }
  return value;
}

/** @throws RecordError 400 where the body has other members */
export function only(body: Body, allowed: readonly string[], where: string): void {
  const unknown = Object.keys(body).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new RecordError(
      400,
      'structure',
      `${where}${unknown.slice(0, 60)} is unknown; known are ${allowed.join(', ')}.`,
    );
  }
}

/** @throws RecordError 400 */
export function object(value: unknown, where: string): Body {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body;
  throw wrong(where, 'an object');
}

export function wrong(where: string, right: string): RecordError {
  return new RecordError(400, 'value', `${where} must be ${right}.`, where);
}
