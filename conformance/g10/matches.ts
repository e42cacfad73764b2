/**
 * What a search should find, decided by looking at the resources themselves (FHIR R4, "Search"): written from the
 * specification for the kinds of parameters that US Core asks for, and knowing nothing of the hub.
 */
import type { SearchDefinition } from './us-core.ts';

// biome-ignore lint/suspicious/noExplicitAny: resources of many shapes.
export type Json = any;

/** What lies at a path; choices of types are named without their type, and lists are gone through. */
export function valuesAt(resource: Json, path: string): Json[] {
  let found: Json[] = [resource];
  for (const name of path.replaceAll('[x]', '').split('.')) found = found.flatMap((one) => members(one, name));
  return found;
}

function members(one: Json, name: string): Json[] {
  if (typeof one !== 'object' || one === null) return [];
  const choice = new RegExp(`^${name}[A-Z]`);
  const key = name in one ? name : Object.keys(one).find((other) => choice.test(other) && isChoice(other, name));
  const value = key === undefined ? undefined : one[key];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

const choices = ['effective', 'performed', 'occurrence', 'onset', 'abatement', 'medication', 'value', 'deceased'];

function isChoice(key: string, name: string): boolean {
  return choices.includes(name) && /^[A-Z][A-Za-z]*$/.test(key.slice(name.length));
}

export function valuesOf(resource: Json, { paths }: SearchDefinition): Json[] {
  return paths.flatMap((path) => valuesAt(resource, path));
}

/** Whether a value at a parameter's path is what the parameter asks for. */
export function isMatch(value: Json, asked: string, { type }: SearchDefinition): boolean {
  switch (type) {
    case 'Reference':
      return value.reference === asked || value.reference?.split('/')[1] === asked;
    case 'CodeableConcept':
      return (value.coding ?? []).some((coding: Json) => isToken(coding.system, coding.code, asked));
    case 'Coding':
      return isToken(value.system, value.code, asked);
    case 'Identifier':
      return isToken(value.system, value.value, asked);
    case 'HumanName':
    case 'Address':
      return textsIn(value).some((text) => startsWith(text, asked));
    case 'string':
      return startsWith(value, asked);
    case 'date':
    case 'dateTime':
    case 'instant':
    case 'Period':
      return isInTime(rangeOf(value), asked);
    case 'code':
    case 'http://hl7.org/fhirpath/System.String':
      return value === asked;
    default:
      throw new Error(`A parameter of type ${type} is not known here.`);
  }
}

function isToken(system: string | undefined, code: string | undefined, asked: string): boolean {
  const bar = asked.indexOf('|');
  return bar < 0 ? code === asked : system === asked.slice(0, bar) && code === asked.slice(bar + 1);
}

/** All strings in a name or address but what it is used for. */
function textsIn(value: Json): string[] {
  return Object.entries(value).flatMap(([name, one]) =>
    name === 'use' || name === 'type' || name === 'period' || name === 'extension'
      ? []
      : [one].flat().filter((text) => typeof text === 'string'),
  ) as string[];
}

function startsWith(text: string, asked: string): boolean {
  return folded(text).startsWith(folded(asked));
}

function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

interface Range {
  low: number;
  /** The first millisecond after it. */
  end: number;
}

function isInTime(own: Range, asked: string): boolean {
  const [, comparator = 'eq', text] = /^(gt|ge|lt|le)?(.*)$/.exec(asked)!;
  const wanted = rangeOf(text!);
  const isWithin = own.low >= wanted.low && own.end <= wanted.end;
  const isAbove = own.end > wanted.end;
  const isBelow = own.low < wanted.low;
  return { eq: isWithin, gt: isAbove, ge: isAbove || isWithin, lt: isBelow, le: isBelow || isWithin }[comparator]!;
}

/** The time that a date, time or period covers; what names no zone is taken as UTC. */
export function rangeOf(value: Json): Range {
  if (typeof value === 'object') {
    return {
      low: value.start === undefined ? Number.NEGATIVE_INFINITY : rangeOf(value.start).low,
      end: value.end === undefined ? Number.POSITIVE_INFINITY : rangeOf(value.end).end,
    };
  }
  const [year, month, day] = value.split('T')[0].split('-').map(Number) as [number, number?, number?];
  if (value.includes('T')) {
    const low = Date.parse(value);
    return { low, end: low + (value.includes('.') ? 1 : 1000) };
  }
  const low = Date.UTC(year, (month ?? 1) - 1, day ?? 1);
  if (day !== undefined) return { low, end: low + 86_400_000 };
  return { low, end: month === undefined ? Date.UTC(year + 1, 0, 1) : Date.UTC(year, month, 1) };
}
