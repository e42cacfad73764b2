/** The names of files that messages are put as: in the order in which they are to be read, and safe anywhere. */
import type { FileOutgoing } from './answer.ts';

/** The number of the delivery with its zeros, its control id, and an extension that says the form. */
export function fileName({ seq, controlId, mediaType }: Pick<FileOutgoing, 'seq' | 'controlId' | 'mediaType'>): string {
  const extension = mediaType.startsWith('application/hl7-v2') ? 'hl7' : mediaType.includes('json') ? 'json' : 'xml';
  return `${String(seq).padStart(12, '0')}-${controlId.replace(/[^A-Za-z0-9]/g, '_')}.${extension}`;
}
