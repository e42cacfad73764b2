/**
 * Files of many messages (HL7 v2.8 chapter 2, section 2.10.3): `FHS { BHS { MSH … } BTS } FTS`, every part but the
 * messages optional. A file is cut, not parsed: each message is a view of the file's bytes, parsed by its taker, so that
 * one bad message spoils no other.
 */
import { byteOrderMark } from './charset.ts';
import { type ParseError, parseError } from './parse-error.ts';

export interface BatchFile {
  /** The FHS segment as written, when there is one. */
  readonly header?: string;
  readonly trailer?: string;
  readonly batches: readonly Batch[];
  /** Wrong counts, missing or misplaced headers and trailers: what the file's sender should hear. */
  readonly problems: readonly BatchProblem[];
}

export interface Batch {
  /** The BHS segment as written; absent for messages outside any BHS. */
  readonly header?: string;
  readonly trailer?: string;
  readonly messages: readonly BatchMessage[];
}

export interface BatchMessage {
  /** From the M of MSH to before the next MSH or batch segment: a view, not a copy. */
  readonly bytes: Uint8Array;
  /** Where it begins in the file. */
  readonly offset: number;
}

export interface BatchProblem {
  readonly code: 'message-count' | 'batch-count' | 'missing-trailer' | 'unexpected-segment' | 'stray-bytes';
  readonly message: string;
  readonly offset: number;
}

export interface BatchOptions {
  /** Messages in one file; default 1 000 000. */
  readonly maximumMessages?: number;
}

/** True when the bytes begin with FHS or BHS. */
export function isBatch(bytes: Uint8Array): boolean {
  const name = envelopeAt(bytes, contentStart(bytes));
  return name === 'FHS' || name === 'BHS';
}

/**
 * Cuts a file into its messages. A file of bare messages one after another is taken as one batch.
 *
 * @returns a parse error for UTF-16, for a file with no HL7 segment at its beginning, or with too many messages
 */
export function splitBatch(bytes: Uint8Array, options: BatchOptions = {}): BatchFile | ParseError {
  const start = contentStart(bytes);
  if (byteOrderMark(bytes)?.label.startsWith('utf-16') || bytes[start] === 0 || bytes[start + 1] === 0) {
    return parseError('unsupported-charset', '103', 'Batches in UTF-16 are not taken; write them in UTF-8');
  }
  if (start === bytes.length) {
    return parseError('empty', '100', 'The file is empty; it must begin with FHS, BHS or MSH');
  }
  const pieces = cut(bytes, start);
  if (pieces[0]?.offset !== start) {
    return parseError('missing-msh', '100', 'The file must begin with FHS, BHS or MSH', { offset: start });
  }
  const maximum = options.maximumMessages ?? 1_000_000;
  if (pieces.length > maximum && pieces.filter((piece) => piece.name === 'MSH').length > maximum) {
    return parseError('too-large', '104', `The file has more than ${maximum} messages`);
  }
  return assemble(bytes, pieces);
}

interface Piece {
  readonly name: string;
  readonly offset: number;
  readonly end: number;
}

const envelopeNames: ReadonlySet<string> = new Set(['FHS', 'BHS', 'MSH', 'BTS', 'FTS']);

function contentStart(bytes: Uint8Array): number {
  let start = byteOrderMark(bytes)?.length ?? 0;
  while (start < bytes.length && (bytes[start]! === 0x20 || (bytes[start]! >= 0x09 && bytes[start]! <= 0x0d))) start++;
  return start;
}

/** The envelope segment that begins at a line start; its name must end there. */
function envelopeAt(bytes: Uint8Array, at: number): string | undefined {
  const name = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0);
  const next = bytes[at + 3];
  const ends = next === undefined || !/[A-Za-z0-9 ]/.test(String.fromCharCode(next));
  return ends && envelopeNames.has(name) ? name : undefined;
}

function cut(bytes: Uint8Array, start: number): Piece[] {
  const starts: { name: string; offset: number }[] = [];
  for (let at = start; at < bytes.length; at++) {
    const atLineStart = at === start || bytes[at - 1] === 0x0d || bytes[at - 1] === 0x0a;
    const first = bytes[at];
    if (atLineStart && (first === 0x4d || first === 0x46 || first === 0x42)) {
      const name = envelopeAt(bytes, at);
      if (name !== undefined) starts.push({ name, offset: at });
    }
  }
  return starts.map(({ name, offset }, i) => ({ name, offset, end: starts[i + 1]?.offset ?? bytes.length }));
}

interface OpenBatch {
  header?: string;
  trailer?: string;
  messages: BatchMessage[];
  offset: number;
}

function assemble(bytes: Uint8Array, pieces: readonly Piece[]): BatchFile {
  const file: { header?: string; trailer?: string; batches: Batch[]; problems: BatchProblem[] } = {
    batches: [],
    problems: [],
  };
  const problem = (code: BatchProblem['code'], message: string, offset: number) =>
    file.problems.push({ code, message, offset });
  let open: OpenBatch | undefined;
  const close = () => {
    if (open?.header !== undefined && open.trailer === undefined) {
      problem('missing-trailer', 'A batch has BHS and no BTS; it may be cut off', open.offset);
    }
    open = undefined;
  };
  const begin = (offset: number): OpenBatch => {
    const batch: OpenBatch = { messages: [], offset };
    file.batches.push(batch);
    return batch;
  };
  for (const piece of pieces) {
    const line = firstLine(bytes, piece);
    if (piece.name !== 'MSH' && hasMore(bytes, piece)) {
      problem('stray-bytes', `${piece.name} is followed by segments that belong to no message`, piece.offset);
    }
    switch (piece.name) {
      case 'FHS':
        if (piece !== pieces[0]) problem('unexpected-segment', 'FHS stands within the file', piece.offset);
        else file.header = line;
        break;
      case 'BHS':
        close();
        open = begin(piece.offset);
        open.header = line;
        break;
      case 'MSH':
        open ??= begin(piece.offset);
        open.messages.push({ bytes: bytes.subarray(piece.offset, piece.end), offset: piece.offset });
        break;
      case 'BTS':
        if (open === undefined) {
          problem('unexpected-segment', 'BTS ends no batch', piece.offset);
        } else {
          open.trailer = line;
          checkCount(line, open.messages.length, 'BTS', 'messages', (text) =>
            problem('message-count', text, piece.offset),
          );
          close();
        }
        break;
      default:
        close();
        if (file.header === undefined) problem('unexpected-segment', 'FTS ends a file without FHS', piece.offset);
        file.trailer = line;
        checkCount(line, file.batches.length, 'FTS', 'batches', (text) => problem('batch-count', text, piece.offset));
    }
  }
  close();
  if (file.header !== undefined && file.trailer === undefined) {
    problem('missing-trailer', 'The file has FHS and no FTS; it may be cut off', bytes.length);
  }
  return file;
}

/** BTS-1 and FTS-1: how many there should be. Empty says nothing. */
function checkCount(line: string, found: number, name: string, what: string, report: (text: string) => void): void {
  const stated =
    line
      .slice(4)
      .split(line[3] ?? '|')[0]
      ?.trim() ?? '';
  if (stated !== '' && (!/^\d{1,9}$/.test(stated) || Number(stated) !== found)) {
    const said = /^\d{1,9}$/.test(stated) ? `says ${stated} ${what}` : 'is no number';
    report(`${name}-1 ${said}; ${found} are there`);
  }
}

function firstLine(bytes: Uint8Array, piece: Piece): string {
  let end = piece.offset;
  const limit = Math.min(piece.end, piece.offset + 4096);
  while (end < limit && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end++;
  return new TextDecoder().decode(bytes.subarray(piece.offset, end));
}

/** Whether anything but line breaks and end-of-file bytes follows the first line of a piece. */
function hasMore(bytes: Uint8Array, piece: Piece): boolean {
  let at = piece.offset;
  while (at < piece.end && bytes[at] !== 0x0d && bytes[at] !== 0x0a) at++;
  while (at < piece.end && (bytes[at]! <= 0x20 || bytes[at] === 0x1c)) at++;
  return at < piece.end;
}
