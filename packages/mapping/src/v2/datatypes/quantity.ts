/** CQ, NM with units, SN, MO, DR and NR to Quantity, Money, Ratio, Range and Period. */
import { type Cell, Words } from '../cell.ts';
import { codeSystemOf } from '../code-systems.ts';
import type { Element } from '../draft.ts';
import { ucumOf } from '../units.ts';

const UCUM = 'http://unitsofmeasure.org';

/** CQ: number ^ units (CWE as sub-components). */
export function readQuantity(cell: Cell): Element | undefined {
  const value = cell.number('value', 1);
  const units = cell.inside(2);
  if (value === undefined && units === undefined) return undefined;
  const quantity: Element = {};
  if (value !== undefined) quantity.value = value;
  if (units !== undefined) addUnits(quantity, units, '');
  return Object.keys(quantity).length === 0 ? undefined : quantity;
}

/** Puts units (CWE) into a quantity: the text as `unit`, UCUM as `code` when it is recognised. */
export function addUnits(quantity: Element, units: Cell, path: string): void {
  const below = (rel: string) => (path === '' ? rel : `${path}.${rel}`);
  const code = units.peek(1) ?? units.peek(4);
  const text = units.peek(2) ?? units.peek(5);
  const system = units.peek(1) === undefined ? units.peek(6) : units.peek(3);
  const first = units.peek(1) === undefined && units.peek(2) === undefined ? 4 : 1;
  if (code === undefined && text === undefined) return;
  quantity.unit = text ?? code;
  const isUcum = system?.toUpperCase() === 'UCUM';
  const ucum = isUcum ? code : (ucumOf(code ?? text!) ?? (text === undefined ? undefined : ucumOf(text)));
  if (ucum !== undefined) {
    quantity.system = UCUM;
    quantity.code = ucum;
    if (isUcum || system === undefined || /^(ISO\+?|ANSI?\+?|L)$/i.test(system)) units.consume(units.atom(first + 2));
  } else if (code !== undefined && (system !== undefined || text !== undefined)) {
    quantity.system = codeSystemOf(units.run, system ?? 'L');
    quantity.code = code.replace(/\s+/g, ' ');
    units.mark(units.atom(first + 2), below('system'));
  }
  const kept = [quantity.unit, quantity.code];
  if (kept.includes(code) || (ucum !== undefined && text === undefined))
    units.mark(units.atom(first), below(quantity.code === undefined ? 'unit' : 'code'));
  if (text !== undefined) units.mark(units.atom(first + 1), below('unit'));
}

/** SN: comparator ^ number ^ separator ^ number, with the units of OBX-6. */
export function readStructuredNumeric(
  cell: Cell,
  units: Cell | undefined,
): { name: string; value: unknown } | undefined {
  const comparator = cell.peek(1);
  const separator = cell.peek(3);
  const isPair = cell.peek(2) !== undefined && cell.peek(4) !== undefined;
  const path = !isPair ? 'valueQuantity' : separator === '-' ? 'valueRange.low' : 'valueRatio.numerator';
  const first = cell.number(`${path}.value`, 2);
  const second = cell.number(separator === '-' ? 'valueRange.high.value' : 'valueRatio.denominator.value', 4);
  const quantity = (value: number): Element => {
    const made: Element = { value };
    if (units !== undefined) addUnits(made, units, path);
    return made;
  };
  if (first !== undefined && second !== undefined && separator === '-') {
    cell.used(3);
    return { name: 'valueRange', value: { low: quantity(first), high: quantity(second) } };
  }
  if (first !== undefined && second !== undefined && (separator === ':' || separator === '/')) {
    cell.used(3);
    const numerator: Element = quantity(first);
    if (comparator !== undefined && COMPARATORS.has(comparator))
      numerator.comparator = cell.text('valueRatio.numerator.comparator', 1);
    return { name: 'valueRatio', value: { numerator, denominator: { value: second } } };
  }
  if (first !== undefined && second === undefined && separator === undefined) {
    const made = quantity(first);
    if (comparator === undefined || comparator === '=') {
      cell.used(1);
      return { name: 'valueQuantity', value: made };
    }
    if (COMPARATORS.has(comparator)) {
      cell.mark(cell.atom(1), 'valueQuantity.comparator');
      made.comparator = comparator;
      return { name: 'valueQuantity', value: made };
    }
  }
  for (const component of [2, 4]) {
    const atom = cell.atom(component);
    if (atom?.disposition === 'mapped') atom.disposition = 'kept';
  }
  const words = new Words('valueString');
  for (const component of [1, 2, 3, 4]) words.add(cell, component);
  if (words.text === '') return undefined;
  if (units !== undefined) words.add(units, units.peek(2) === undefined ? 1 : 2);
  return { name: 'valueString', value: words.text };
}

export const COMPARATORS = new Set(['<', '<=', '>', '>=']);

/** CP / MO: amount and currency, in components or sub-components. */
export function readMoney(cell: Cell): Element | undefined {
  const value = cell.number('value', 1);
  if (value === undefined) return undefined;
  const money: Element = { value };
  const inSub = cell.peek(1, 2);
  const currency = inSub ?? cell.peek(2);
  if (currency !== undefined && /^[A-Z]{3}$/.test(currency)) {
    money.currency = inSub === undefined ? cell.text('currency', 2) : cell.text('currency', 1, 2);
  }
  return money;
}

/** DR: start ^ end. */
export function readPeriod(cell: Cell): Element | undefined {
  const start = cell.dateTime('start', 1);
  const end = cell.dateTime('end', 2);
  if (start === undefined && end === undefined) return undefined;
  return { ...(start && { start }), ...(end && { end }) };
}

/** A number of minutes as positiveInt. */
export function readMinutes(cell: Cell): number | undefined {
  const value = cell.peek(1);
  return value !== undefined && /^0*[1-9]\d{0,8}$/.test(value) ? cell.number('', 1) : undefined;
}
