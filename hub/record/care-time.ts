/**
 * When the care took place that a resource tells of, for `start` and `end` of `$everything`
 * (https://hl7.org/fhir/R4/patient-operation-everything.html: care dates, not record currency dates).
 */
import { type DateRange, dateRange } from '@causeway/fhir';

/** Elements that say when something was done, planned or the case, the most telling first. */
const timed = [
  'effective',
  'performed',
  'occurrence',
  'onset',
  'period',
  'collected',
  'serviced',
  'executionPeriod',
  'billablePeriod',
  'whenHandedOver',
  'started',
  'start',
  'identified',
  'occurred',
  'time',
  'date',
  'authoredOn',
  'authored',
  'dateTime',
  'recordedDate',
  'created',
  'sent',
  'issued',
];
const forms = ['', 'DateTime', 'Period', 'Instant', 'Date', 'Timing'];
/** Where the time stands deeper in the resource. */
const within: Record<string, string> = { Specimen: 'collection', DocumentReference: 'context' };

/** The range in milliseconds since 1970; undefined where the resource names no time of care (an allergy, a coverage). */
export function careTime(resource: Record<string, unknown>): DateRange | undefined {
  const inner = within[String(resource.resourceType)];
  return timeIn(inner === undefined ? undefined : resource[inner]) ?? timeIn(resource);
}

/** The time that a period, dateTime, instant or Timing covers. */
export function timeOf(value: unknown): DateRange | undefined {
  if (typeof value === 'string') return dateRange(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { start, end, event, repeat } = value as { start?: unknown; end?: unknown; event?: unknown; repeat?: unknown };
  if (Array.isArray(event)) return hull(event.map(timeOf));
  if (typeof repeat === 'object' && repeat !== null) return timeOf((repeat as { boundsPeriod?: unknown }).boundsPeriod);
  const from = typeof start === 'string' ? dateRange(start) : undefined;
  const until = typeof end === 'string' ? dateRange(end) : undefined;
  if (!from && !until) return undefined;
  return { low: from?.low ?? Number.NEGATIVE_INFINITY, high: until?.high ?? Number.POSITIVE_INFINITY };
}

function timeIn(value: unknown): DateRange | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of timed) {
    for (const form of forms) {
      const found = timeOf((value as Record<string, unknown>)[name + form]);
      if (found) return found;
    }
  }
  return undefined;
}

function hull(ranges: (DateRange | undefined)[]): DateRange | undefined {
  const known = ranges.filter((range) => range !== undefined);
  if (known.length === 0) return undefined;
  return { low: Math.min(...known.map(({ low }) => low)), high: Math.max(...known.map(({ high }) => high)) };
}
