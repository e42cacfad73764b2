/** Address as XAD and ContactPoint as XTN: the way back of `v2/datatypes/address.ts` and `telecom.ts`. */
import type { ComponentValue, LeafValue } from '@causeway/hl7v2';
import { CODES } from '../../../v2/tables/codes.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { childOf, codingsOf, type Element, extensionOf, isElement, textOf, textsOf } from '../record.ts';
import { writeDateTime } from './primitives.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition';

/** XAD. */
export function writeAddress(address: unknown): ComponentValue[] {
  const { street, other, third } = linesOf(textsOf(address, 'line'));
  const period = childOf(address, 'period');
  return [
    street,
    other,
    textOf(address, 'city'),
    textOf(address, 'state'),
    textOf(address, 'postalCode'),
    textOf(address, 'country'),
    addressType(address),
    extensionText(address, 'iso21090-ADXP-precinct'),
    textOf(address, 'district'),
    extensionText(address, 'iso21090-ADXP-censusTract'),
    '',
    '',
    writeDateTime(textOf(period, 'start')),
    writeDateTime(textOf(period, 'end')),
    '',
    '',
    '',
    '',
    third,
  ];
}

/** SAD (street, its name, house number), other designation, and addressee, as the lines were read from them; which of the
 * five a fourth line leaves out is not known, the house number is the least used. */
function linesOf(lines: readonly string[]): { street: LeafValue[]; other: LeafValue; third: LeafValue } {
  if (lines.length <= 3) return { street: [lines[0]], other: lines[1], third: lines[2] };
  if (lines.length === 4) return { street: lines.slice(0, 2), other: lines[2], third: lines[3] };
  const [street, name, house, other, ...rest] = lines;
  return { street: [street, name, house], other, third: rest.join(', ') };
}

/** XAD.7: what the address officially is, else what its use and type say. */
export function addressType(address: unknown): string | undefined {
  const official = extensionOf(address, `${EXTENSION}/address-official`);
  const stated = textOf(codingsOf(official)[0], 'code');
  return stated ?? addressCode(textOf(address, 'use'), textOf(address, 'type'));
}

/** HL7 table 0190: the code that stands for both use and type. */
function addressCode(use: string | undefined, type: string | undefined): string | undefined {
  if (use === undefined && type === undefined) return undefined;
  const codes = new Set([...Object.keys(CODES.addressUse!), ...Object.keys(CODES.addressType!)]);
  for (const code of codes) if (CODES.addressUse![code] === use && CODES.addressType![code] === type) return code;
  return codeFor('addressUse', use) ?? codeFor('addressType', type);
}

/** XTN. */
export function writeContactPoint(point: unknown, impliedUse?: string): ComponentValue[] {
  const system = textOf(point, 'system') ?? 'phone';
  const use = textOf(point, 'use');
  const value = textOf(point, 'value');
  const period = childOf(point, 'period');
  const electronic = system === 'email' || system === 'url' || (value ?? '').includes('@');
  return [
    electronic ? '' : value,
    useCode(use, system, impliedUse),
    equipmentOf(system, use),
    electronic ? value : '',
    extensionText(point, 'contactpoint-country'),
    extensionText(point, 'contactpoint-area'),
    extensionText(point, 'contactpoint-local'),
    extensionText(point, 'contactpoint-extension'),
    extensionText(point, 'contactpoint-comment'),
    '',
    '',
    '',
    writeDateTime(textOf(period, 'start')),
    writeDateTime(textOf(period, 'end')),
    '',
    '',
    '',
    textOf(point, 'rank'),
  ];
}

/** XTN of each point; a second number or address that came beside another (XTN.4, .12, .1) stands there again. */
export function writeContactPoints(points: readonly unknown[], impliedUse?: string): ComponentValue[][] {
  const written: ComponentValue[][] = [];
  let previous: unknown;
  for (const point of points) {
    const component = isBare(point) ? componentBeside(previous, point, written.at(-1)) : undefined;
    if (component !== undefined) written.at(-1)![component - 1] = textOf(point, 'value');
    else {
      written.push(writeContactPoint(point, impliedUse));
      previous = point;
    }
  }
  return written;
}

/** Nothing is told of it but what it is. */
function isBare(point: unknown): boolean {
  return (
    isElement(point) && Object.keys(point).every((name) => name === 'system' || name === 'value' || name === 'use')
  );
}

/** The component of the XTN written before in which a bare point can stand; a number does after what is no number. */
function componentBeside(previous: unknown, point: unknown, xtn: ComponentValue[] | undefined): number | undefined {
  if (xtn === undefined || textOf(previous, 'use') !== textOf(point, 'use')) return undefined;
  const [system, before] = [textOf(point, 'system'), textOf(previous, 'system')];
  const isFree = (component: number) => (xtn[component - 1] ?? '') === '';
  if (before === 'phone' && system === 'other' && isFree(4)) return 4;
  if (before === 'phone' && system === 'phone' && !isFree(4) && isFree(12)) return 12;
  const isAddress = (textOf(previous, 'value') ?? '').includes('@');
  return before === 'email' && !isAddress && system === 'phone' && isFree(1) ? 1 : undefined;
}

/** XTN.2: an e-mail address is of use NET unless its use says more than the field does. */
function useCode(use: string | undefined, system: string, impliedUse: string | undefined): string | undefined {
  if (system === 'email' && (use === undefined || use === impliedUse)) return 'NET';
  if (system === 'pager' && use === undefined) return 'BPN';
  return codeFor('telecomUse', use);
}

function equipmentOf(system: string, use: string | undefined): string {
  if (system === 'phone') return use === 'mobile' ? 'CP' : 'PH';
  if (system === 'email') return 'Internet';
  return codeFor('telecomSystem', system) ?? '';
}

function extensionText(element: unknown, name: string): string | undefined {
  const value = extensionOf(element as Element, `${EXTENSION}/${name}`);
  return typeof value === 'string' ? value : undefined;
}
