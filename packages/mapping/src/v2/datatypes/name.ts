/** XPN and the name part of XCN to HumanName (v2.9 chapter 2A.3.85, 2A.3.84). */
import type { Cell } from '../cell.ts';
import type { Element } from '../draft.ts';
import { lookup } from '../vocabularies.ts';
import { addExtension } from './extension.ts';

/** Component numbers of the same parts in XPN and XCN. */
interface NameParts {
  family: number;
  given: number;
  further: number;
  suffix: number;
  prefix: number;
  degree: number;
  use: number;
  range: number;
  assembly: number;
  start: number;
  end: number;
  professional: number;
  calledBy: number;
  representation: number;
}

const XPN: NameParts = {
  family: 1,
  given: 2,
  further: 3,
  suffix: 4,
  prefix: 5,
  degree: 6,
  use: 7,
  range: 10,
  assembly: 11,
  start: 12,
  end: 13,
  professional: 14,
  calledBy: 15,
  representation: 8,
};

/** XCN numbering: the id comes first and the validity range and assembly order lie elsewhere. */
export const XCN: NameParts = {
  family: 2,
  given: 3,
  further: 4,
  suffix: 5,
  prefix: 6,
  degree: 7,
  use: 10,
  range: 17,
  assembly: 18,
  start: 19,
  end: 20,
  professional: 21,
  calledBy: 24,
  representation: 15,
};

/** XPN; a second name of use `nickname` when the sender tells what the person is called (XPN.15). */
export function readHumanName(cell: Cell): Element | Element[] | undefined {
  const name = readNameParts(cell, XPN);
  const calledBy = cell.text(name === undefined ? 'given[0]' : '+1.given[0]', XPN.calledBy);
  if (calledBy === undefined) return name;
  const nickname: Element = { use: 'nickname', given: [calledBy] };
  return name === undefined ? nickname : [name, nickname];
}

/** What a person of this name is called. */
export function displayOf(name: Element): string | undefined {
  const words = [
    ...((name.prefix as string[] | undefined) ?? []),
    ...((name.given as string[] | undefined) ?? []),
    name.family as string | undefined,
  ];
  return words.filter((word) => word !== undefined).join(' ') || undefined;
}

/** Reads the parts of a name; `path` is where the name lies below the cell's place. */
export function readNameParts(cell: Cell, parts: NameParts, path = ''): Element | undefined {
  const below = (rel: string) => (path === '' ? rel : `${path}.${rel}`);
  const name: Element = {};
  const use = lookup('nameUse', cell.peek(parts.use));
  if (use !== undefined) {
    cell.mark(cell.atom(parts.use), below('use'));
    name.use = use;
  }
  const family = readFamily(cell, parts.family, below('family'), name);
  const given: string[] = [];
  push(given, cell.text(below('given[0]'), parts.given));
  push(given, cell.text(below(`given[${given.length}]`), parts.further));
  if (given.length > 0) name.given = given;
  const prefix = cell.text(below('prefix[0]'), parts.prefix);
  if (prefix !== undefined) name.prefix = [prefix];
  const suffix: string[] = [];
  push(suffix, cell.text(below('suffix[0]'), parts.suffix));
  push(suffix, cell.text(below(`suffix[${suffix.length}]`), parts.degree));
  push(suffix, cell.text(below(`suffix[${suffix.length}]`), parts.professional));
  if (suffix.length > 0) name.suffix = suffix;
  readValidity(cell, parts, below, name);
  const order = lookup('nameAssemblyOrder', cell.peek(parts.assembly));
  if (order !== undefined) {
    cell.mark(cell.atom(parts.assembly), below('extension'));
    addExtension(name, 'http://hl7.org/fhir/StructureDefinition/humanname-assembly-order', 'valueCode', order);
  }
  const representation = lookup('nameRepresentation', cell.peek(parts.representation));
  if (representation !== undefined) {
    cell.consume(cell.atom(parts.representation));
    addExtension(
      name,
      'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation',
      'valueCode',
      representation,
    );
  }
  return family || given.length > 0 || prefix !== undefined || suffix.length > 0 ? name : undefined;
}

/** FN: own surname and prefix, partner's surname and prefix as FHIR's standard extensions on `family`. */
function readFamily(cell: Cell, component: number, path: string, name: Element): boolean {
  const family = cell.text(path, component);
  const parts: Element[] = [];
  for (const [sub, extension] of FAMILY_PARTS) {
    const value = cell.text(`_${path}.extension`, component, sub);
    if (value !== undefined)
      parts.push({ url: `http://hl7.org/fhir/StructureDefinition/${extension}`, valueString: value });
  }
  if (family !== undefined) name.family = family;
  else if (parts.length > 0) name.family = parts.map((part) => part.valueString).join(' ');
  if (parts.length > 0) name._family = { extension: parts };
  return name.family !== undefined;
}

const FAMILY_PARTS: readonly (readonly [number, string])[] = [
  [2, 'humanname-own-prefix'],
  [3, 'humanname-own-name'],
  [4, 'humanname-partner-prefix'],
  [5, 'humanname-partner-name'],
];

function readValidity(cell: Cell, parts: NameParts, below: (rel: string) => string, name: Element): void {
  const start =
    cell.dateTime(below('period.start'), parts.start) ?? cell.dateTime(below('period.start'), parts.range, 1);
  const end = cell.dateTime(below('period.end'), parts.end) ?? cell.dateTime(below('period.end'), parts.range, 2);
  if (start !== undefined || end !== undefined) name.period = { ...(start && { start }), ...(end && { end }) };
}

function push(list: string[], value: string | undefined): void {
  if (value !== undefined) list.push(value);
}
