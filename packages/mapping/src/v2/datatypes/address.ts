/** XAD and SAD to Address (v2.9 chapter 2A.3.82). */
import { type Cell, Words } from '../cell.ts';
import type { Element } from '../draft.ts';
import { lookup } from '../vocabularies.ts';
import { addExtension } from './extension.ts';

export function readAddress(cell: Cell): Element | undefined {
  const address: Element = {};
  const lines: string[] = [];
  for (const [component, sub] of LINES) {
    const line = cell.text(`line[${lines.length}]`, component, sub);
    if (line !== undefined) lines.push(line);
  }
  if (lines.length > 0) address.line = lines;
  for (const [component, name] of PARTS) {
    const value = cell.text(name, component);
    if (value !== undefined) address[name] = value;
  }
  if (cell.component(9) !== undefined) {
    const county = new Words('district');
    for (const sub of [1, 2]) county.add(cell, 9, sub);
    if (county.text !== '') address.district = county.text;
  }
  const tract = cell.text('extension', 10);
  if (tract !== undefined)
    addExtension(address, 'http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract', 'valueString', tract);
  const other = cell.text('extension', 8);
  if (other !== undefined)
    addExtension(address, 'http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-precinct', 'valueString', other);
  readUse(cell, address);
  const start = cell.dateTime('period.start', 13) ?? cell.dateTime('period.start', 12, 1);
  const end = cell.dateTime('period.end', 14) ?? cell.dateTime('period.end', 12, 2);
  if (start !== undefined || end !== undefined) address.period = { ...(start && { start }), ...(end && { end }) };
  return Object.keys(address).length > (address.use === undefined ? 0 : 1) ? address : undefined;
}

/** An address of which only the street is given, as in older fields of type ST. */
export function readStreetAddress(cell: Cell): Element | undefined {
  return readAddress(cell);
}

const LINES: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 2],
  [1, 3],
  [2, 1],
  [19, 1],
];
const PARTS: readonly (readonly [number, string])[] = [
  [3, 'city'],
  [4, 'state'],
  [5, 'postalCode'],
  [6, 'country'],
];

function readUse(cell: Cell, address: Element): void {
  const type = cell.peek(7);
  if (type === undefined) return;
  const use = lookup('addressUse', type);
  const kind = lookup('addressType', type);
  if (use !== undefined) address.use = use;
  if (kind !== undefined) address.type = kind;
  if (use !== undefined || kind !== undefined) cell.mark(cell.atom(7), use === undefined ? 'type' : 'use');
  const official = OFFICIAL[type.toUpperCase()];
  if (official === undefined) return;
  cell.mark(cell.atom(7), 'extension');
  const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0190', code: type, display: official }];
  addExtension(address, 'http://hl7.org/fhir/StructureDefinition/address-official', 'valueCodeableConcept', { coding });
}

/** Types of HL7 table 0190 that say what the address officially is. */
const OFFICIAL: Record<string, string> = { L: 'Legal Address', RH: 'Registry home' };
