/** The days that a resource's data are of, for what a consent says by `dataPeriod`. */
import { dayOf } from './provisions.ts';

/** When what a resource tells of happened; others count only where none of these is there. */
const happened =
  /^(?:effective|onset|performed|occurrence|period|started|start|end|identified|timing|diagnosis|serviced|billablePeriod|collected)(?:DateTime|Period|Date|Instant)?$/;
const noted =
  /^(?:date|authoredOn|recordedDate|dateAsserted|assertedDate|issued|created|dateTime|sent|recorded|whenHandedOver|whenPrepared)$/;

/** @param resource FHIR R4, as parsed @returns the first and the last day, `YYYY-MM-DD`; undefined where it has none */
export function daysOf(resource: Record<string, unknown>): { from: string; to: string } | undefined {
  return span(resource, happened) ?? span(resource, noted);
}

function span(resource: Record<string, unknown>, names: RegExp): { from: string; to: string } | undefined {
  let from: string | undefined;
  let to: string | undefined;
  const add = (date: unknown) => {
    if (typeof date !== 'string') return;
    const first = dayOf(date, 'first');
    const last = dayOf(date, 'last');
    if (first === undefined || last === undefined) return;
    if (from === undefined || first < from) from = first;
    if (to === undefined || last > to) to = last;
  };
  for (const name in resource) {
    if (!names.test(name)) continue;
    const value = resource[name];
    if (typeof value === 'object' && value !== null) {
      const { start, end } = value as { start?: unknown; end?: unknown };
      // A period that has not ended may go on for ever.
      if (start !== undefined) add(end ?? '9999-12-31');
      if (end !== undefined) add(start ?? '0001-01-01');
      add(start);
      add(end);
    } else add(value);
  }
  return from === undefined || to === undefined ? undefined : { from, to };
}
