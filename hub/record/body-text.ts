/** Bodies of requests as FHIR JSON. */
import { isUtf8 } from 'node:buffer';
import { jsonFromXml } from '@causeway/fhir';
import { RecordError } from './errors.ts';

/** The JSON text of a body, whichever format it came in. @throws RecordError 400 */
export function jsonText(body: Uint8Array, format: 'json' | 'xml' | undefined): { text: string; isConverted: boolean } {
  if (!isUtf8(body)) throw new RecordError(400, 'structure', 'The body is not UTF-8, which FHIR has to be.');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (!isXml(format, text)) return { text, isConverted: false };
  const json = jsonFromXml(text);
  if (typeof json === 'string') return { text: json, isConverted: true };
  const { line, column, error, path } = json;
  throw new RecordError(400, 'structure', `Line ${line}, column ${column}: ${error}`, path || undefined);
}

/** Whether a text of this format is XML, as far as can be told from how it begins. */
export function isXml(format: 'json' | 'xml' | undefined, text: string): boolean {
  return format === 'xml' || (format === undefined && /^[\s\ufeff]*</.test(text));
}
