/** XTN to ContactPoint (v2.9 chapter 2A.3.89). */
import type { Cell } from '../cell.ts';
import type { Element } from '../draft.ts';
import { lookup } from '../vocabularies.ts';
import { addExtension } from './extension.ts';

/** @param defaultUse use that the field itself implies (PID-13 home, PID-14 work) */
export function readContactPoint(cell: Cell, defaultUse: string | undefined): Element | undefined {
  const point = readOne(cell, defaultUse);
  if (point === undefined) return undefined;
  for (const component of [1, 12]) {
    const value = cell.peek(component);
    if (value !== undefined && digits(value) !== '' && digits(value) === digits(String(point.value)))
      cell.consume(cell.atom(component));
  }
  return point;
}

/** XTN whole: an e-mail address or a second number that stands beside the first is a contact point of its own. */
export function readContactPoints(cell: Cell, defaultUse: string | undefined): Element[] | undefined {
  const first = readOne(cell, defaultUse);
  if (first === undefined) return undefined;
  const points = [first];
  for (const component of [4, 1, 12]) {
    const atom = cell.atom(component);
    const value = cell.peek(component);
    if (value === undefined || atom === undefined || atom.disposition !== 'kept') continue;
    if (digits(value) !== '' && points.some((point) => digits(String(point.value)) === digits(value))) {
      cell.consume(atom);
      continue;
    }
    cell.mark(atom, `+${points.length}.value`);
    points.push({
      system: component === 4 && /@/.test(value) ? 'email' : component === 4 ? 'other' : 'phone',
      value,
      ...(first.use !== undefined && { use: first.use }),
    });
  }
  return points;
}

function digits(text: string): string {
  return text.replace(/\D/g, '');
}

function readOne(cell: Cell, defaultUse: string | undefined): Element | undefined {
  const equipment = cell.peek(3);
  const system =
    lookup('telecomSystem', equipment) ??
    lookup('telecomSystem', cell.peek(2)) ??
    (cell.peek(4) !== undefined ? 'email' : 'phone');
  const point: Element = { system };
  const value = readValue(cell, system);
  if (value === undefined) return undefined;
  point.value = value;
  const use = readUse(cell, equipment) ?? defaultUse;
  if (use !== undefined) point.use = use;
  if (equipment !== undefined && lookup('telecomSystem', equipment) !== undefined) cell.mark(cell.atom(3), 'system');
  const comment = cell.text('extension', 9);
  if (comment !== undefined)
    addExtension(point, 'http://hl7.org/fhir/StructureDefinition/contactpoint-comment', 'valueString', comment);
  const start = cell.dateTime('period.start', 13);
  const end = cell.dateTime('period.end', 14);
  if (start !== undefined || end !== undefined) point.period = { ...(start && { start }), ...(end && { end }) };
  const rank = cell.peek(18);
  if (rank !== undefined && /^[1-9]\d{0,4}$/.test(rank)) point.rank = cell.number('rank', 18);
  for (const [component, extension] of PARTS) {
    const part = cell.peek(component);
    if (part === undefined) continue;
    cell.mark(cell.atom(component), 'extension');
    addExtension(point, `http://hl7.org/fhir/StructureDefinition/contactpoint-${extension}`, 'valueString', part);
  }
  return point;
}

const PARTS: readonly (readonly [number, string])[] = [
  [5, 'country'],
  [6, 'area'],
  [7, 'local'],
  [8, 'extension'],
];

function readUse(cell: Cell, equipment: string | undefined): string | undefined {
  const code = cell.peek(2);
  const use = lookup('telecomUse', code);
  if (use !== undefined) cell.mark(cell.atom(2), 'use');
  else if (code !== undefined && lookup('telecomSystem', code) !== undefined) cell.consume(cell.atom(2));
  return equipment?.toUpperCase() === 'CP' && use === undefined ? 'mobile' : use;
}

function readValue(cell: Cell, system: string): string | undefined {
  if (system === 'email' || system === 'url') {
    const address = cell.text('value', 4) ?? cell.text('value', 1) ?? cell.text('value', 12);
    if (address !== undefined) return address;
  }
  const local = cell.peek(7);
  if (cell.peek(1) === undefined && local !== undefined) {
    const country = cell.peek(5);
    const area = cell.peek(6);
    const extension = cell.peek(8);
    return `${country === undefined ? '' : `+${country} `}${area === undefined ? '' : `${area} `}${local}${extension === undefined ? '' : ` x${extension}`}`;
  }
  return cell.text('value', 1) ?? cell.text('value', 12) ?? cell.text('value', 4);
}
