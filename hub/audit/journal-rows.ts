/**
 * How events stand in a frame of the journal, and how frames become rows of `access_log`: once, whatever is tried again. They
 * are packed when they are written, and stand in the row as they stand in the frame.
 */
import type { NamedStatement } from '../database/index.ts';
import type { SealedEvent } from './event.ts';
import { packed, unpacked } from './rows.ts';

/** Events as a row has them. */
export interface Piece {
  count: number;
  /** The leaves as lines, UTF-8. */
  leaves: Buffer;
  /** What goes with each (`rows.ts`). */
  beside: Buffer;
  /** How many of its subjects each is found by, a byte each. */
  found: Buffer;
  /** The subjects by which they are found, and the place of the event. */
  about: { subjects: number[]; places: number[] };
}

/** So many events at most are one row: who looks for one of them reads all of its row. */
const eventsInRow = 50;
const headBytes = 12;

/** @returns pieces that go into one row each */
export function piecesOf(events: readonly SealedEvent[]): Piece[] {
  if (events.length <= eventsInRow) return events.length === 0 ? [] : [pieceOf(events)];
  return [pieceOf(events.slice(0, eventsInRow)), ...piecesOf(events.slice(eventsInRow))];
}

/** The bytes of pieces: the lengths of what each has (4 bytes each), and that. */
export function payloadOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.flatMap(({ count, leaves, beside, found }) => {
      const head = Buffer.allocUnsafe(headBytes);
      head.writeUInt32BE(count, 0);
      head.writeUInt32BE(leaves.length, 4);
      head.writeUInt32BE(beside.length, 8);
      return [head, leaves, beside, found];
    }),
  );
}

/** @throws RangeError where the bytes are not those of events */
export function eventsOfPayload(payload: Buffer): SealedEvent[] {
  const events: SealedEvent[] = [];
  for (let at = 0; at < payload.length; ) {
    const count = payload.readUInt32BE(at);
    const besideAt = at + headBytes + payload.readUInt32BE(at + 4);
    const foundAt = besideAt + payload.readUInt32BE(at + 8);
    if (foundAt + count > payload.length) throw new RangeError('A piece ends before its end.');
    const lines = payload.toString('utf8', at + headBytes, besideAt).split('\n');
    const beside = unpacked(payload.subarray(besideAt, foundAt));
    if (lines.length !== count || beside.length !== count) throw new RangeError('There are other leaves than events.');
    for (const [i, event] of beside.entries()) events.push({ ...event, line: lines[i]!, found: payload[foundAt + i]! });
    at = foundAt + count;
  }
  return events;
}

/**
 * Brings the events of a journal's frames into the table, in their order, unless they are there. It gives `done`: false where
 * any of these frames was brought in before, and then nothing is done.
 * @param frames the number of the last frame that was brought in before these, and of the last of these
 */
export function journalInsertion(
  journal: { id: string; folder: string | undefined },
  frames: { after: number; to: number },
  pieces: readonly Piece[],
): NamedStatement {
  const leaves: Buffer[] = [];
  const rows = { counts: [] as number[], leavesFor: [] as number[], besideFor: [] as number[] };
  const about = { subjects: [] as number[], rows: [] as number[], places: [] as number[] };
  for (const piece of pieces) {
    const at = rows.counts.length - 1;
    const before = rows.counts[at] ?? eventsInRow;
    const isNew = before + piece.count > eventsInRow;
    if (isNew) {
      rows.counts.push(piece.count);
      rows.leavesFor.push(piece.leaves.length);
      rows.besideFor.push(piece.beside.length);
    } else {
      rows.counts[at]! += piece.count;
      rows.leavesFor[at]! += 1 + piece.leaves.length;
      rows.besideFor[at]! += piece.beside.length;
      leaves.push(lineBreak);
    }
    leaves.push(piece.leaves);
    const first = isNew ? 0 : before;
    for (const [i, subject] of piece.about.subjects.entries()) {
      about.subjects.push(subject);
      about.rows.push(rows.counts.length);
      about.places.push(first + piece.about.places[i]!);
    }
  }
  return {
    name: 'access_log_of_journal',
    text: `WITH taken AS (
             INSERT INTO access_journal AS j (id, folder, taken) VALUES ($1, $2, $4)
             ON CONFLICT (id) DO UPDATE SET taken = excluded.taken, seen = clock_timestamp() WHERE j.taken <= $3
             RETURNING id),
           row AS MATERIALIZED (
             SELECT nextval('access_log_id_seq') AS id, v.n, v.count,
                    convert_from(substring($5::bytea FROM v.leaves_from FOR v.leaves_for), 'UTF8') AS leaves,
                    substring($6::bytea FROM v.beside_from FOR v.beside_for) AS sealed
             FROM taken, unnest($7::integer[], $8::integer[], $9::integer[], $10::integer[], $11::integer[])
               WITH ORDINALITY AS v (count, leaves_from, leaves_for, beside_from, beside_for, n)),
           logged AS (INSERT INTO access_log (id, count, leaves, sealed) SELECT id, count, leaves, sealed FROM row),
           pending AS (INSERT INTO audit_pending (log) SELECT id FROM row),
           about AS (
             INSERT INTO audit_about (subject, log, place)
             SELECT v.subject, ids.of[v.n], v.place
             FROM (SELECT array_agg(id ORDER BY n) AS of FROM row) ids,
               unnest($12::bigint[], $13::integer[], $14::integer[]) AS v (subject, n, place)
             WHERE ids.of IS NOT NULL)
           SELECT EXISTS (SELECT FROM taken) AS done`,
    values: [
      journal.id,
      journal.folder ?? null,
      frames.after,
      frames.to,
      Buffer.concat(leaves),
      Buffer.concat(pieces.map(({ beside }) => beside)),
      arrayText(rows.counts),
      arrayText(beginnings(rows.leavesFor)),
      arrayText(rows.leavesFor),
      arrayText(beginnings(rows.besideFor)),
      arrayText(rows.besideFor),
      arrayText(about.subjects),
      arrayText(about.rows),
      arrayText(about.places),
    ],
  };
}

const lineBreak = Buffer.from('\n');

function pieceOf(events: readonly SealedEvent[]): Piece {
  const about = { subjects: [] as number[], places: [] as number[] };
  const found = Buffer.allocUnsafe(events.length);
  let leaves = '';
  for (const [place, event] of events.entries()) {
    leaves += place === 0 ? event.line : `\n${event.line}`;
    found[place] = event.found;
    for (let k = 0; k < event.found; k++) {
      about.subjects.push(event.subjects[k]!);
      about.places.push(place);
    }
  }
  return { count: events.length, leaves: Buffer.from(leaves), beside: packed(events), found, about };
}

/** Where each piece begins, counted from 1, when they stand one after the other. */
function beginnings(lengths: readonly number[]): number[] {
  let next = 1;
  return lengths.map((length) => {
    const at = next;
    next += length;
    return at;
  });
}

/** An array of numbers as PostgreSQL reads it; the driver would quote and escape each of them. */
function arrayText(numbers: readonly number[]): string {
  return `{${numbers.join(',')}}`;
}
