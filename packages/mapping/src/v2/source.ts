/**
 * The message as a tree of atoms: each non-empty sub-component once, with its value and where it went. Reading and
 * accounting are one thing, so that the ledger is a by-product of the conversion and cannot disagree with it.
 */
import { forEachAtom, type Message } from '@causeway/hl7v2';
import type { Disposition, LedgerEntry } from '../conversion.ts';
import type { Draft } from './draft.ts';

/** Where a value read from the source ended; `draft` stays unset until the value is really placed. */
export interface Place {
  draft: Draft | undefined;
  base: string;
}

/** One non-empty sub-component. */
export interface Atom {
  readonly value: string;
  /** The value without blanks around it and without control characters, which FHIR strings may not hold. */
  readonly clean: string;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
  disposition: Disposition;
  place: Place | undefined;
  /** Below the place; `+1.value` in the item after it, where one repetition makes several of a list. */
  path: string;
  /** Where it begins in a text that is joined of several; -1 for what is the whole. */
  from: number;
  rule: string;
  reason: string | undefined;
}

/** Sub-components by number, from 1. */
export type SourceComponent = (Atom | undefined)[];
/** Components by number, from 1. */
export type SourceRepetition = (SourceComponent | undefined)[];
/** Repetitions by index, from 0; a hole is an empty repetition. */
export type SourceField = (SourceRepetition | undefined)[];

export interface SourceSegment {
  readonly name: string;
  readonly occurrence: number;
  /** Fields by number, from 1. */
  readonly fields: (SourceField | undefined)[];
  readonly atoms: Atom[];
}

/** Splits a parsed message into segments of atoms, in the order of the message. */
export function readSource(message: Message): SourceSegment[] {
  const segments: SourceSegment[] = [];
  let current: SourceSegment | undefined;
  forEachAtom(message, (found) => {
    if (current === undefined || current.name !== found.segment || current.occurrence !== found.occurrence) {
      current = { name: found.segment, occurrence: found.occurrence, fields: [], atoms: [] };
      segments.push(current);
    }
    const atom: Atom = {
      value: found.value,
      clean: printable(found.value),
      field: found.field,
      repetition: found.repetition,
      component: found.component,
      subcomponent: found.subcomponent,
      disposition: 'kept',
      place: undefined,
      path: '',
      from: -1,
      rule: '',
      reason: undefined,
    };
    current.atoms.push(atom);
    place(current.fields, atom);
  });
  return segments;
}

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

function printable(value: string): string {
  const whole = value.isWellFormed() ? value : value.toWellFormed();
  return (CONTROL.test(whole) ? whole.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '') : whole).trim();
}

/** Arrays begin with what they are made for: one that is grown from nothing has room for seventeen. */
function place(fields: (SourceField | undefined)[], atom: Atom): void {
  const field = fields[atom.field];
  const repetition = field?.[atom.repetition - 1];
  const component = repetition?.[atom.component];
  if (component !== undefined) {
    component[atom.subcomponent] = atom;
    return;
  }
  const made: SourceComponent = atom.subcomponent === 1 ? [undefined, atom] : withLast(atom.subcomponent, atom);
  if (repetition !== undefined) repetition[atom.component] = made;
  else {
    const whole: SourceRepetition = atom.component === 1 ? [undefined, made] : withLast(atom.component, made);
    if (field !== undefined) field[atom.repetition - 1] = whole;
    else fields[atom.field] = atom.repetition === 1 ? [whole] : withLast(atom.repetition - 1, whole);
  }
}

function withLast<T>(index: number, item: T): (T | undefined)[] {
  const items: (T | undefined)[] = [];
  items[index] = item;
  return items;
}

/** The account of every atom, in the order of the message. */
export function ledgerOf(segments: readonly SourceSegment[]): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const segment of segments) {
    const prefix = `${segment.name}[${segment.occurrence}]-`;
    for (const atom of segment.atoms) entries.push(entryOf(prefix, atom));
  }
  return entries;
}

/** True when the field is exactly the v2 null `""`: the sender deletes what is known. */
export function isNullField(field: SourceField | undefined): boolean {
  if (field === undefined || field.length !== 1) return false;
  const repetition = field[0];
  return repetition?.length === 2 && repetition[1]?.length === 2 && repetition[1][1]?.value === NULL;
}

/** The v2 null. */
export const NULL = '""';

/** `+1.value` is the value of the item after the one at the base. */
function pathOf(base: string, path: string): string {
  const later = path.charCodeAt(0) === PLUS ? /^\+(-?\d+)\.(.*)$/.exec(path) : null;
  if (later !== null)
    return `${base.replace(/\d+(?=\]$)/, (index) => String(Number(index) + Number(later[1])))}.${later[2]}`;
  return base === '' ? path : path === '' ? base : `${base}.${path}`;
}

const PLUS = 43;

function entryOf(prefix: string, atom: Atom): LedgerEntry {
  const source = `${prefix}${atom.field}[${atom.repetition}].${atom.component}.${atom.subcomponent}`;
  if (atom.disposition === 'mapped') {
    const draft = atom.place?.draft;
    if (draft === undefined) return { source, disposition: 'kept' };
    const path = pathOf(atom.place?.base ?? '', atom.path);
    const target = `${draft.type}/${draft.id}#${path}`;
    if (atom.from < 0) return { source, disposition: 'mapped', target, rule: atom.rule };
    const part = [atom.from, atom.from + atom.clean.length] as const;
    return { source, disposition: 'mapped', target, part, rule: atom.rule };
  }
  const entry: LedgerEntry = { source, disposition: atom.disposition };
  if (atom.rule !== '' && atom.disposition !== 'kept') entry.rule = atom.rule;
  if (atom.reason !== undefined) entry.reason = atom.reason;
  return entry;
}
