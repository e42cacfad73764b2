/** Parameters of history and of operations, from an address. */
import { RecordError } from '../record/index.ts';

/** `_count`, between 1 and 5 000. @throws RecordError 400 */
export function countOf(query: URLSearchParams, fallback = 50): number {
  const count = query.get('_count');
  if (count === null) return fallback;
  if (!/^\d{1,6}$/.test(count))
    throw new RecordError(400, 'invalid', 'The parameter _count must be a whole number.', '_count');
  return Math.min(Math.max(Number(count), 1), 5_000);
}

/** The cursor of a page. @throws RecordError 400 */
export function cursorOf(query: URLSearchParams): string | undefined {
  const cursor = query.get('_cursor');
  if (cursor === null || /^\d{1,15}$/.test(cursor)) return cursor ?? undefined;
  throw new RecordError(400, 'invalid', 'The parameter _cursor is not one that this server gave.', '_cursor');
}

/** A parameter that is an instant. @throws RecordError 400 */
export function dateParameter(query: URLSearchParams, name: string): Date | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) {
    throw new RecordError(
      400,
      'invalid',
      `The parameter ${name} must be an instant, such as 2026-01-31T09:30:00Z.`,
      name,
    );
  }
  return date;
}
