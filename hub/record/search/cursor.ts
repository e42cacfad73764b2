/**
 * Where the next page of a search begins. Pages are stateless: the cursor names the last resource that was looked at by
 * its place in the order, and what did not exist yet when the first page was given, so that pages do not shift.
 */
import { wrong } from './wrong.ts';

export interface Cursor {
  /** The values of the sort keys; null where the resource has none. */
  keys: (string | number | null)[];
  home: number;
  rkey: number;
  /** Resources that were made after this number of the clock are left out. */
  bound: number;
}

/** The cursor as a parameter. */
export function writeCursor({ keys, home, rkey, bound }: Cursor): string {
  return Buffer.from(JSON.stringify([bound, home, rkey, ...keys])).toString('base64url');
}

/** @throws RecordError 400 for what no page gave */
export function readCursor(text: string): Cursor {
  try {
    const [bound, home, rkey, ...keys] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if ([bound, home, rkey].every(Number.isSafeInteger) && keys.length <= 8 && keys.every(isKey)) {
      return { bound, home, rkey, keys } as Cursor;
    }
  } catch {
    // Falls through to the error below.
  }
  throw notGiven();
}

/** The error of a cursor that belongs to no page. */
export function notGiven() {
  return wrong('_cursor', 'is not one that this server gave; start the search again without it');
}

function isKey(key: unknown): boolean {
  return key === null || typeof key === 'number' || typeof key === 'string';
}
