/** CodeableConcept, Coding and code as CWE, CE, IS and ID (v2.5.1 chapter 2A.13): the way back of `v2/datatypes/coded.ts`. */
import type { ComponentValue, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { codeSystemName } from '../../../v2/code-systems.ts';
import { codeFor, codeForConcept, conceptOf, systemOfConcepts } from '../../../v2/vocabularies.ts';
import { codingsOf, type Element, extensionOf, textOf, type Writing } from '../record.ts';
import { decoded } from './identifiers.ts';

/** Where the codings of a CWE lie (the third since v2.7): code, text, system, version, value set OID. */
const TRIPLETS = [
  [1, 2, 3, 7, 15],
  [4, 5, 6, 8, 18],
  [10, 11, 12, 13, 21],
] as const;
const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';

/** CWE of a concept; the codings in their order, a concept that is only said to be absent as nothing. */
export function writeConcept(concept: unknown, writing: Writing): LeafValue[] {
  return writeCodings(codingsOf(concept), textOf(concept, 'text'), writing);
}

/** CWE of a concept whose first coding a vocabulary put before the sender's own. */
export function writeVocabularyConcept(vocabulary: string, concept: unknown, writing: Writing): LeafValue[] {
  const [first, ...rest] = codingsOf(concept);
  const own = rest[0];
  const said = own === undefined ? undefined : conceptOf(vocabulary, textOf(own, 'code'));
  if (first !== undefined && said !== undefined && said.code === first.code && said.system === first.system)
    return writeCodings(rest, textOf(concept, 'text'), writing);
  const code = first === undefined ? undefined : codeForConcept(vocabulary, first);
  if (first === undefined || code === undefined) return writeConcept(concept, writing);
  return writeCodings([tableCoding(first, code), ...rest], textOf(concept, 'text'), writing);
}

/** Whether a coding of the vocabulary's own system is in the concept. */
export function isOfVocabulary(vocabulary: string, concept: unknown): boolean {
  const system = systemOfConcepts(vocabulary);
  return codingsOf(concept).some((item) => item.system === system);
}

/** CWE of a code that stands in a table of its own: the table is named by the field. */
export function writeTableConcept(table: string, concept: unknown, writing: Writing): LeafValue[] {
  const system = `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  const codings = codingsOf(concept).map(({ system: of, ...rest }) => (of === system ? rest : { ...rest, system: of }));
  return writeCodings(codings, textOf(concept, 'text'), writing);
}

/** First triplet of a CWE. */
export function writeCoding(coding: unknown, writing: Writing): LeafValue[] {
  return writeCodings([coding as Element], undefined, writing);
}

/** ID or IS: the vocabulary read backwards. */
export function writeCode(vocabulary: string, value: unknown): string {
  return codeFor(vocabulary, String(value)) ?? '';
}

/** The name of a code system in v2; a site's own `L` is told apart from the receiver's by the site's key. */
export function codeSystem(system: string | undefined, { origin, relayed }: Writing): string {
  if (system === undefined) return '';
  const known = codeSystemName(system);
  if (known !== undefined) return known;
  const local = /^urn:causeway:codesystem:[^:]*:(.+)$/.exec(system)?.[1];
  if (local === undefined) return system;
  const name = decoded(local);
  return name.toUpperCase() === 'L' && !relayed ? `99${origin.replace(/[^a-z0-9]/gi, '').toUpperCase()}` : name;
}

export function writeCodings(codings: readonly Element[], text: string | undefined, writing: Writing): LeafValue[] {
  const parts: LeafValue[] = [];
  const stated = inReadingOrder(
    codings.filter(({ system }) => system !== ABSENT),
    text,
  );
  for (const [index, coding] of stated.slice(0, writing.relayed ? TRIPLETS.length : 2).entries()) {
    const [code, display, system, version, valueSet] = TRIPLETS[index]!;
    parts[code - 1] = textOf(coding, 'code');
    parts[display - 1] = textOf(coding, 'display');
    parts[system - 1] = codeSystem(textOf(coding, 'system'), writing);
    parts[version - 1] = textOf(coding, 'version');
    const set = extensionOf(coding, 'http://hl7.org/fhir/StructureDefinition/valueset-reference');
    if (typeof set === 'string') parts[valueSet - 1] = set.replace(/^urn:oid:/, '');
  }
  if (text !== undefined) parts[stated.length === 0 ? 1 : 8] = text;
  for (let i = 0; i < parts.length; i++) parts[i] ??= '';
  return parts;
}

/**
 * A display without code and system in the first place is read as the text; beside another text it is put last. So the
 * last of such codings goes first.
 */
function inReadingOrder(codings: readonly Element[], text: string | undefined): readonly Element[] {
  const [first] = codings;
  if (first === undefined || text === undefined || first.code !== undefined || first.system !== undefined)
    return codings;
  return [codings.at(-1)!, ...codings.slice(0, -1)];
}

/** A text, or a coded concept (ST or CWE). */
export function writeTextOrConcept(concept: unknown, writing: Writing): RepetitionValue {
  return codingsOf(concept).length === 0
    ? textOf(concept, 'text')
    : (writeConcept(concept, writing) as ComponentValue[]);
}

/** The coding of a FHIR concept as the v2 code of its table. */
function tableCoding(coding: Element, code: string): Element {
  const { system: _system, ...rest } = coding;
  return { ...rest, code };
}
