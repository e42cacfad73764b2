/** JSON bodies of the screens' own interface. */
import type { FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';

/** The body as an object of strings. @throws RecordError 400, 415 */
export function jsonBody(request: FastifyRequest): { [name: string]: unknown } {
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
export function text(body: { [name: string]: unknown }, name: string, longest = 1_000): string {
  const value = body[name];
  if (typeof value !== 'string' || value.trim() === '' || value.length > longest) {
    throw new RecordError(400, 'required', `The body needs ${name}, a text of at most ${longest} characters.`, name);
  }
  return value;
}
