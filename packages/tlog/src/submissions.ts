/**
 * What a log gives a witness (C2SP tlog-witness, `add-checkpoint`): a checkpoint, and that its tree continues the one of a
 * size. The same text is a proof of growth to anybody else.
 */
import { base64, inBase64 } from './checks.ts';
import { NoteError } from './note-text.ts';
import { hashBytes } from './paths.ts';

export interface Submission {
  /** The size that the tree had. */
  from: number;
  /** From that tree to the one of the checkpoint (RFC 6962, section 2.1.2). */
  path: Uint8Array[];
  /** A note with its signatures. */
  checkpoint: string;
}

const longestPath = 63;

export function submissionText({ from, path, checkpoint }: Submission): string {
  return `${[`old ${from}`, ...path.map(inBase64)].join('\n')}\n\n${checkpoint}`;
}

/** @throws NoteError with what is wrong */
export function readSubmission(text: string): Submission {
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(end, 0)).split('\n');
  const from = /^old (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (from === undefined || !Number.isSafeInteger(Number(from))) {
    throw new NoteError('A proof of growth begins with the size that the tree had: old <size>.');
  }
  const path = lines.map(base64);
  if (path.length > longestPath || !path.every((hash) => hash?.length === hashBytes)) {
    throw new NoteError(`A proof of growth has at most ${longestPath} lines, each the base64 of 32 bytes.`);
  }
  return { from: Number(from), path: path as Uint8Array[], checkpoint: text.slice(end + 2) };
}
