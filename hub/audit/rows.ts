/** Rows of `access_log`: the events of one commit. */
import type { NamedStatement } from '../database/index.ts';
import { nonceBytes } from './commitments.ts';
import type { SealedEvent } from './event.ts';

/** What is stored beside a leaf. */
export interface Beside {
  nonce: Buffer;
  subjects: number[];
  sealed: Buffer;
}

const numberBytes = 6;
const headBytes = nonceBytes + 1 + 4;

/** Writes events, as one row, with whom they are about. @param row where it is an old one: its number and time */
export function insertion(events: readonly SealedEvent[], row?: { id: number; at: Date }): NamedStatement {
  const subjects: number[] = [];
  const places: number[] = [];
  for (const [place, { subjects: all, found }] of events.entries()) {
    for (let i = 0; i < found; i++) {
      subjects.push(all[i]!);
      places.push(place);
    }
  }
  return {
    name: row ? 'access_log_old' : 'access_log',
    text: `WITH row AS (INSERT INTO access_log (count, leaves, sealed${row ? ', id, at' : ''})
             VALUES ($1, $2, $3${row ? ', $6, $7' : ''}) RETURNING id),
           pending AS (INSERT INTO audit_pending (log) SELECT id FROM row)
           INSERT INTO audit_about (subject, log, place)
           SELECT v.subject, row.id, v.place FROM row, unnest($4::bigint[], $5::integer[]) AS v (subject, place)`,
    values: [
      events.length,
      events.map(({ line }) => line).join('\n'),
      packed(events),
      // The driver would quote and escape each of them.
      `{${subjects.join(',')}}`,
      `{${places.join(',')}}`,
      ...(row ? [row.id, row.at] : []),
    ],
  };
}

/** Nonce, number of subjects, subjects, length of what is sealed, and that: of each event. */
export function packed(events: readonly Beside[]): Buffer {
  let length = 0;
  for (const { subjects, sealed } of events) length += headBytes + subjects.length * numberBytes + sealed.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { nonce, subjects, sealed } of events) {
    at += nonce.copy(bytes, at);
    at = bytes.writeUInt8(subjects.length, at);
    for (const subject of subjects) at = bytes.writeUIntBE(subject, at, numberBytes);
    at = bytes.writeUInt32BE(sealed.length, at);
    at += sealed.copy(bytes, at);
  }
  return bytes;
}

/** @throws RangeError where the bytes are not those of events */
export function unpacked(bytes: Buffer): Beside[] {
  const events: Beside[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nonce = bytes.subarray(at, at + nonceBytes);
    at += nonceBytes;
    const count = bytes.readUInt8(at++);
    const subjects: number[] = [];
    for (let i = 0; i < count; i++, at += numberBytes) subjects.push(bytes.readUIntBE(at, numberBytes));
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new RangeError('What is sealed ends before its end.');
    events.push({ nonce, subjects, sealed: bytes.subarray(at + 4, end) });
    at = end;
  }
  return events;
}
