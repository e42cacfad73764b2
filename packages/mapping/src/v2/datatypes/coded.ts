/** CWE, CNE, CE, IS, ID to CodeableConcept, Coding and code (v2.9 chapter 2A.3.13). */
import type { Cell } from '../cell.ts';
import { codeSystemOf, sameSystem } from '../code-systems.ts';
import type { Element } from '../draft.ts';
import type { SourceRepetition } from '../source.ts';
import { conceptOf, isVocabulary, lookup } from '../vocabularies.ts';
import { addExtension } from './extension.ts';
import type { Reader } from './index.ts';

/** code, text, system, version, system OID and value set OID of the three codings a CWE may hold. */
const TRIPLETS: readonly (readonly [number, number, number, number, number, number])[] = [
  [1, 2, 3, 7, 14, 15],
  [4, 5, 6, 8, 17, 18],
  [10, 11, 12, 13, 20, 21],
];

/** @param vocabulary FHIR concepts to put before the sender's own coding, see `vocabularies.ts` */
export function codeableConceptReader(vocabulary: string | undefined): Reader {
  if (vocabulary !== undefined && !isVocabulary(vocabulary)) throw new Error(`Vocabulary '${vocabulary}' is unknown`);
  return (cell) => {
    const mapped = vocabulary === undefined ? undefined : conceptOf(vocabulary, cell.peek(1));
    return readConcept(cell, mapped);
  };
}

/** A code of a named HL7 table (IS, or CWE without its coding system). */
export function tableConceptReader(table: string): Reader {
  return (cell) => {
    const concept = readConcept(cell);
    const first = (concept?.coding as Element[] | undefined)?.[0];
    if (first !== undefined) first.system ??= `http://terminology.hl7.org/CodeSystem/v2-${table}`;
    return concept;
  };
}

/** A CWE; `mapped` is the FHIR coding of the same code, put first. */
export function readConcept(cell: Cell, mapped?: Element): Element | undefined {
  const coding: Element[] = [];
  let text: string | undefined;
  if (mapped !== undefined) coding.push(mapped);
  for (const [code, display, system, version, oid, valueSet] of TRIPLETS) {
    const found = readTriplet(cell, code, display, system, version, coding.length);
    if (found === undefined) continue;
    if (found.code === undefined && found.system === undefined && coding.length === 0 && text === undefined) {
      text = found.display as string;
      cell.mark(cell.atom(display), 'text');
      continue;
    }
    readOids(cell, found, oid, valueSet, coding.length);
    coding.push(found);
  }
  const original = cell.text('text', 9);
  if (original !== undefined && text !== undefined && original !== text) coding.push({ display: text });
  if (original !== undefined) text = original;
  if (coding.length === 0 && text === undefined) return undefined;
  const concept: Element = {};
  if (coding.length > 0) concept.coding = coding;
  if (text !== undefined) concept.text = text;
  return concept;
}

function readTriplet(
  cell: Cell,
  code: number,
  display: number,
  system: number,
  version: number,
  index: number,
): Element | undefined {
  const codeValue = cell.peek(code);
  const displayValue = cell.peek(display);
  if (codeValue === undefined && displayValue === undefined) return undefined;
  const coding: Element = {};
  const name = cell.peek(system);
  if (name !== undefined) {
    coding.system = codeSystemOf(cell.run, name);
    cell.mark(cell.atom(system), `coding[${index}].system`);
  }
  const versionValue = cell.text(`coding[${index}].version`, version);
  if (versionValue !== undefined) coding.version = versionValue;
  if (codeValue !== undefined) coding.code = cell.text(`coding[${index}].code`, code)!.replace(/\s+/g, ' ');
  if (displayValue !== undefined) {
    coding.display = displayValue;
    if (codeValue !== undefined || name !== undefined) cell.mark(cell.atom(display), `coding[${index}].display`);
  }
  return coding;
}

/** The codings read from a repetition stand after so many others. */
export function shiftCodings(repetition: SourceRepetition | undefined, by: number): void {
  for (const atom of repetition?.flat() ?? []) {
    if (atom?.disposition !== 'mapped') continue;
    atom.path = atom.path.replace(/^coding\[(\d+)\]/, (_, index) => `coding[${Number(index) + by}]`);
  }
}

/**
 * CWE.14 to .22: the coding system's OID names the system when its name alone does not, and confirms it otherwise; the
 * value set's OID is the standard extension.
 */
function readOids(cell: Cell, coding: Element, oid: number, valueSet: number, index: number): void {
  const system = cell.peek(oid);
  if (system !== undefined && OID.test(system)) {
    const known = typeof coding.system === 'string' && !coding.system.startsWith('urn:causeway:');
    if (!known) {
      coding.system = `urn:oid:${system}`;
      cell.mark(cell.atom(oid), `coding[${index}].system`);
    } else if (sameSystem(String(coding.system), system)) cell.consume(cell.atom(oid));
  }
  const set = cell.peek(valueSet);
  if (set === undefined || !OID.test(set)) return;
  cell.mark(cell.atom(valueSet), `coding[${index}].extension`);
  addExtension(coding, 'http://hl7.org/fhir/StructureDefinition/valueset-reference', 'valueUri', `urn:oid:${set}`);
}

const OID = /^[0-2](\.(0|[1-9]\d*)){2,}$/;

/** First triplet as Coding. */
export function readCoding(cell: Cell): Element | undefined {
  const found = readTriplet(cell, 1, 2, 3, 7, 0);
  if (found === undefined) return undefined;
  for (const component of [1, 2, 3, 7]) {
    const atom = cell.atom(component);
    if (atom?.disposition === 'mapped') atom.path = atom.path.replace('coding[0].', '');
    else if (component === 2) cell.mark(atom, 'display');
  }
  return found;
}

/** A FHIR code by a vocabulary; a code the vocabulary lacks is reported and stays in the ledger as kept. */
export function codeReader(vocabulary: string): Reader {
  if (!isVocabulary(vocabulary)) throw new Error(`Vocabulary '${vocabulary}' is unknown`);
  return (cell) => {
    const component = cell.peek(1) === undefined ? 4 : 1;
    const value = cell.peek(component);
    if (value === undefined) return undefined;
    const code = lookup(vocabulary, value);
    const atom = cell.atom(component)!;
    if (code === undefined) {
      atom.reason = `no ${vocabulary} code for this value`;
      cell.run.issue(
        'warning',
        'code-invalid',
        cell.run.sourceName(atom),
        `The code is not one of the ${vocabulary} codes known here.`,
      );
      return undefined;
    }
    cell.mark(atom, '');
    for (const other of [component + 1, component + 2]) cell.consume(cell.atom(other));
    return code;
  };
}
