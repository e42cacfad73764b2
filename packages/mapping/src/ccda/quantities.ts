/**
 * PQ, IVL_PQ, RTO, MO, and `value` whatever its type → Quantity, Range, Ratio and `value[x]`.
 */
import type { XmlElement } from '@causeway/ccda';
import { absentReason, codeableConcept, dateTime, type Place, period, text } from './data-types.ts';
import type { Json } from './fhir-path.ts';
import type { Run } from './run.ts';

/** A choice of types: the suffix for `[x]` and the value. */
export interface Choice {
  suffix: string;
  value: unknown;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** PQ → Quantity; a unit that is a UCUM expression is also its code. */
export function quantity(run: Run, element: XmlElement, place: Place): Json | undefined {
  const value = element.attr('value');
  if (value === undefined) return undefined;
  if (!NUMBER.test(value)) {
    run.issue('warning', 'value', element, 'a quantity needs a decimal number in @value');
    return undefined;
  }
  const result: Json = { value: Number(value) };
  run.account.mapped(element, 'value', place.draft, `${place.path}.value`);
  const unit = element.attr('unit');
  if (unit === undefined) return result;
  result.unit = unit;
  run.account.mapped(element, 'unit', place.draft, `${place.path}.unit`);
  if (/^[!-~]+$/.test(unit)) {
    result.system = 'http://unitsofmeasure.org';
    result.code = unit;
  }
  return result;
}

/** PQ or IVL_PQ → Quantity (with a comparator when only one bound is given) or Range. */
export function quantityOrRange(run: Run, element: XmlElement, place: Place): Choice | undefined {
  const low = element.child('low');
  const high = element.child('high');
  if (low === undefined && high === undefined) {
    const centre = element.child('center') ?? element;
    const value = quantity(run, centre, at(place, 'Quantity'));
    return value && { suffix: 'Quantity', value };
  }
  const bound = (child: XmlElement | undefined, path: Place): Json | undefined => child && quantity(run, child, path);
  if (low?.attr('value') !== undefined && high?.attr('value') !== undefined) {
    const path = at(place, 'Range');
    const value = { low: bound(low, sub(path, 'low')), high: bound(high, sub(path, 'high')) };
    return { suffix: 'Range', value };
  }
  const only = low?.attr('value') === undefined ? high : low;
  const value = bound(only, at(place, 'Quantity'));
  if (value === undefined || only === undefined) return undefined;
  const closed = only.attr('inclusive') !== 'false';
  run.account.consumed(only, 'inclusive');
  value.comparator = only === low ? (closed ? '>=' : '>') : closed ? '<=' : '<';
  for (const other of [low, high]) if (other !== only && other) run.account.consumed(other, 'nullFlavor');
  return { suffix: 'Quantity', value };
}

/** A Range for a reference range: one bound may be missing. */
export function range(run: Run, element: XmlElement, place: Place): Json | undefined {
  const result: Json = {};
  for (const name of ['low', 'high']) {
    const child = element.child(name);
    const value = child && quantity(run, child, sub(place, name));
    if (value !== undefined) result[name] = value;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

/** Any `value` → the type of value[x] that its xsi:type, or else its content, asks for. */
export function anyValue(run: Run, element: XmlElement, place: Place): Choice | undefined {
  const type = element.xsiType ?? guessType(element);
  const choice = readValue(run, element, place, type);
  if (choice !== undefined) return choice;
  const words = element.allText;
  if (words === '') return undefined;
  const value = text(run, element, at(place, 'String'));
  return value === undefined ? undefined : { suffix: 'String', value };
}

function readValue(run: Run, element: XmlElement, place: Place, type: string): Choice | undefined {
  const as = (suffix: string, value: unknown): Choice | undefined =>
    value === undefined ? undefined : { suffix, value };
  switch (type) {
    case 'CD':
    case 'CE':
    case 'CV':
    case 'CS':
    case 'CO':
    case 'SC':
      return as('CodeableConcept', codeableConcept(run, element, at(place, 'CodeableConcept')));
    case 'PQ':
    case 'IVL_PQ':
    case 'MO':
    case 'REAL':
    case 'IVL_REAL':
      return quantityOrRange(run, element, place);
    case 'INT':
      return as('Integer', integer(run, element, at(place, 'Integer')));
    case 'IVL_INT':
      return element.attr('value') === undefined
        ? quantityOrRange(run, element, place)
        : as('Integer', integer(run, element, at(place, 'Integer')));
    case 'BL':
      return as('Boolean', boolean(run, element, at(place, 'Boolean')));
    case 'TS':
      return as('DateTime', dateTime(run, element, at(place, 'DateTime')));
    case 'IVL_TS':
      return (
        as('Period', period(run, element, at(place, 'Period'))) ??
        as('DateTime', dateTime(run, element, at(place, 'DateTime')))
      );
    case 'RTO':
    case 'RTO_PQ_PQ':
      return as('Ratio', ratio(run, element, at(place, 'Ratio')));
    case 'II': {
      const value = [element.attr('root'), element.attr('extension')].filter(Boolean).join('|');
      run.account.mapped(element, 'root', place.draft, 'valueString');
      run.account.mapped(element, 'extension', place.draft, 'valueString');
      return as('String', value || undefined);
    }
    case 'TEL':
    case 'URL': {
      const value = element.attr('value');
      run.account.mapped(element, 'value', place.draft, 'valueString');
      return as('String', value);
    }
    default:
      return as('String', text(run, element, at(place, 'String')));
  }
}

/** BL → boolean. */
export function boolean(run: Run, element: XmlElement, place: Place): boolean | undefined {
  const value = element.attr('value');
  if (value !== 'true' && value !== 'false') return undefined;
  run.account.mapped(element, 'value', place.draft, place.path);
  return value === 'true';
}

/** INT → integer. */
export function integer(run: Run, element: XmlElement, place: Place): number | undefined {
  const value = element.attr('value') ?? '';
  if (!/^[+-]?\d{1,10}$/.test(value)) return undefined;
  run.account.mapped(element, 'value', place.draft, place.path);
  return Number(value);
}

/** RTO → Ratio. */
function ratio(run: Run, element: XmlElement, place: Place): Json | undefined {
  const result: Json = {};
  for (const name of ['numerator', 'denominator']) {
    const child = element.child(name);
    const value = child && quantity(run, child, sub(place, name));
    if (value !== undefined) result[name] = value;
  }
  return Object.keys(result).length === 2 ? result : undefined;
}

/** Why there is no value, as `dataAbsentReason`. */
export function dataAbsent(nullFlavor: string): Json {
  const code = absentReason(nullFlavor).valueCode;
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code }] };
}

function guessType(element: XmlElement): string {
  if (element.attr('code') !== undefined || element.child('translation')) return 'CD';
  if (element.attr('unit') !== undefined) return 'PQ';
  if (element.child('low') ?? element.child('high')) return 'IVL_PQ';
  const value = element.attr('value');
  return value !== undefined && NUMBER.test(value) ? 'PQ' : 'ST';
}

function at(place: Place, suffix: string): Place {
  return { draft: place.draft, path: place.path.replace('[x]', suffix) };
}

function sub(place: Place, name: string): Place {
  return { draft: place.draft, path: `${place.path}.${name}` };
}
