/**
 * PIVL_TS, EIVL_TS and SXPR_TS → Timing (HL7 V3 Data Types R1, General Timing Specification).
 */
import type { XmlElement } from '@causeway/ccda';
import { translate } from './concept-maps.ts';
import { dateTime, type Place, period } from './data-types.ts';
import type { Json } from './fhir-path.ts';
import type { Run } from './run.ts';

const PERIOD_UNITS = new Set(['s', 'min', 'h', 'd', 'wk', 'mo', 'a']);

/** An `effectiveTime` of any of the timing types → Timing. */
export function timing(run: Run, element: XmlElement, place: Place): Json | undefined {
  const repeat: Json = {};
  const result: Json = {};
  fill(run, element, place, repeat, result);
  if (Object.keys(repeat).length > 0) result.repeat = repeat;
  return Object.keys(result).length === 0 ? undefined : result;
}

/**
 * Adds what a further `effectiveTime` says to a Timing.
 * @returns whether it said anything
 */
export function extendTiming(run: Run, element: XmlElement, place: Place, known: Json): boolean {
  const before = JSON.stringify(known);
  const repeat = { ...(known.repeat as Json | undefined) };
  const result: Json = {};
  fill(run, element, place, repeat, result);
  if (result.event !== undefined && known.event !== undefined) delete result.event;
  Object.assign(known, result);
  if (Object.keys(repeat).length > 0) known.repeat = repeat;
  return JSON.stringify(known) !== before;
}

function fill(run: Run, element: XmlElement, place: Place, repeat: Json, result: Json): void {
  const path = `${place.path}.repeat`;
  switch (element.xsiType) {
    case 'PIVL_TS':
      fillPeriod(run, element, { draft: place.draft, path }, repeat);
      return;
    case 'EIVL_TS': {
      const event = element.child('event');
      const code = event?.attr('code');
      const when = code && translate('eventTiming', code);
      if (event !== undefined && when !== undefined) {
        repeat.when = [when];
        run.account.mapped(event, 'code', place.draft, `${path}.when[0]`);
      }
      return;
    }
    case 'SXPR_TS':
      for (const comp of element.all('comp')) fill(run, comp, place, repeat, result);
      return;
    default: {
      const bounds = period(run, element, { draft: place.draft, path: `${path}.boundsPeriod` });
      if (bounds !== undefined) {
        repeat.boundsPeriod = bounds;
        return;
      }
      const event = dateTime(run, element, { draft: place.draft, path: `${place.path}.event[0]` });
      if (event !== undefined) result.event = [event];
    }
  }
}

function fillPeriod(run: Run, element: XmlElement, place: Place, repeat: Json): void {
  const every = element.child('period');
  if (every === undefined) return;
  const low = every.child('low') ?? every;
  const high = every.child('high');
  const unit = low.attr('unit') ?? high?.attr('unit');
  const value = Number(low.attr('value'));
  if (low.attr('value') === undefined || Number.isNaN(value) || unit === undefined || !PERIOD_UNITS.has(unit)) return;
  repeat.frequency = 1;
  repeat.period = value;
  repeat.periodUnit = unit;
  run.account.mapped(low, 'value', place.draft, `${place.path}.period`);
  run.account.mapped(low, 'unit', place.draft, `${place.path}.periodUnit`);
  if (high === undefined || Number.isNaN(Number(high.attr('value')))) return;
  if (high.attr('unit') !== undefined && high.attr('unit') !== unit) return;
  repeat.periodMax = Number(high.attr('value'));
  run.account.mapped(high, 'value', place.draft, `${place.path}.periodMax`);
  run.account.mapped(high, 'unit', place.draft, `${place.path}.periodUnit`);
}

/**
 * `repeatNumber` of a supply that is ordered: how often it may be filled in all, the first time included, which FHIR
 * does not count; an upper bound counts.
 */
export function repeatNumber(run: Run, element: XmlElement): number | undefined {
  const bound = element.attr('value') === undefined ? (element.child('high') ?? element.child('low')) : element;
  const value = bound?.attr('value') ?? '';
  if (bound === undefined || !/^\d{1,5}$/.test(value)) return undefined;
  run.account.consumed(bound, 'value', `${run.account.rule}: fills in all, the first included`);
  return Math.max(0, Number(value) - 1);
}
