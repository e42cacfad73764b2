/** The parameters of a history (FHIR R4 §3.1.0.12): each at most once, none passed over in silence. */
import { dateRange } from '@causeway/fhir';
import { type HistoryPage, RecordError } from '../record/index.ts';
import { formParameters } from './fhir-format.ts';

const understood = ['_count', '_since', '_at', '_sort', '_cursor'];
const defaultCount = 50;
const maximumCount = 5_000;

/** @throws RecordError 400 for what is not understood or wrong; `lenient`: what is not understood is passed over */
export function historyParameters(query: URLSearchParams, lenient: boolean): HistoryPage {
  for (const name of new Set(query.keys())) {
    if (!understood.includes(name) && !formParameters.has(name)) {
      if (lenient) continue;
      throw wrong(name.slice(0, 50), `is not one of a history, which takes ${understood.slice(0, 4).join(', ')}`);
    }
    if (query.getAll(name).length > 1) throw wrong(name, 'may be given once');
  }
  const sort = query.get('_sort');
  if (sort !== null && sort !== '-_lastUpdated' && sort !== 'none') {
    throw wrong('_sort', 'may be -_lastUpdated: a history begins with what is newest');
  }
  if (query.get('_summary') === 'count') throw wrong('_summary', 'cannot be count here');
  const since = query.get('_since');
  const at = query.get('_at');
  const cursor = query.get('_cursor');
  return {
    count: countOf(query.get('_count')),
    ...(cursor === null ? {} : { before: cursorOf(cursor) }),
    ...(since === null ? {} : { since: new Date(rangeOf('_since', since).low) }),
    ...(at === null ? {} : { at: rangeOf('_at', at) }),
  };
}

function countOf(count: string | null): number {
  if (count === null) return defaultCount;
  if (!/^\d{1,6}$/.test(count)) throw wrong('_count', 'must be a whole number, such as 50');
  return Math.min(Math.max(Number(count), 1), maximumCount);
}

function cursorOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw wrong('_cursor', 'is not one that this server gave; start again without it');
}

/** A plus sign that was not escaped in the address arrives as a space. */
function rangeOf(name: string, value: string): { low: number; high: number } {
  const range = dateRange(value.replace(' ', '+'));
  if (!range) throw wrong(name, 'must be a date or an instant, such as 2026-01-31T09:30:00Z');
  return range;
}

function wrong(name: string, what: string): RecordError {
  return new RecordError(400, 'invalid', `The parameter ${name} ${what}.`, name);
}
