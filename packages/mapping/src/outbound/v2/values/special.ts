/** Data types that only one or two fields have: the way back of `v2/datatypes/special.ts` and `ethnicity.ts`. */
import type { ComponentValue, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { codingsOf, isElement, listOf, textOf, type Writing } from '../record.ts';
import { writeCodings, writeConcept } from './coded.ts';
import { writeEntityIdentifier, writeExtendedIdentifier, writePair } from './identifiers.ts';

const NULL_FLAVOR = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition';

/** PID-6: given names, then the family name. */
export function writeMaidenName(value: unknown): RepetitionValue {
  const words = typeof value === 'string' ? value.split(' ') : [];
  const family = words.pop();
  return [family, words.shift(), words.join(' ')];
}

export function isExtension(value: unknown, name: string): boolean {
  return isElement(value) && value.url === `${US_CORE}/${name}`;
}

/** PID-10 and PID-22: each code a repetition, with its display; a text that no code says by itself. */
export function writeEthnicGroups(extension: unknown, writing: Writing): RepetitionValue[] {
  const parts = listOf(extension, 'extension');
  const codings = parts.flatMap(({ valueCoding }) => (isElement(valueCoding) ? [valueCoding] : []));
  const text = textOf(
    parts.find(({ url }) => url === 'text'),
    'valueString',
  );
  const words = new Set((text ?? '').split(', ').filter((word) => word !== '' && word !== 'Unknown'));
  for (const coding of codings) words.delete(String(coding.display));
  const rest = [...words];
  const written = codings.map((coding) => {
    const isSaid = (text ?? '').split(', ').includes(String(coding.display));
    const unknown = coding.system === NULL_FLAVOR ? { code: coding.code === 'UNK' ? 'U' : coding.code } : coding;
    const display = isSaid ? coding.display : (rest.shift() ?? unknown.display);
    return writeCodings([{ ...unknown, display }], undefined, writing) as ComponentValue[];
  });
  return [...written, ...rest.map((word) => (/^\S{1,8}$/.test(word) ? [word] : ['', word]))];
}

/** NM of days. */
export function writeDays(duration: unknown): RepetitionValue {
  return textOf(duration, 'value');
}

/** CX of the episode of care. */
export function writeEpisode(reference: unknown, { record }: Writing): RepetitionValue {
  const identifier = listOf(record.resolve(reference), 'identifier')[0];
  return identifier === undefined ? undefined : writeExtendedIdentifier(identifier);
}

/** EIP of requests named by their numbers. */
export function writeParents(references: readonly unknown[]): RepetitionValue[] {
  const identifiers = references.flatMap((reference) => {
    const identifier = isElement(reference) ? reference.identifier : undefined;
    return identifier === undefined ? [] : [identifier];
  });
  return identifiers.length === 0 ? [] : [writePair(identifiers)];
}

/** EIP of a specimen named by its number. */
export function writeSpecimenReference(reference: unknown): RepetitionValue {
  const identifier = isElement(reference) ? reference.identifier : undefined;
  return identifier === undefined ? undefined : ['', writeEntityIdentifier(identifier)];
}

/** SPS: the specimen's type. */
export function writeSpecimenSource(concept: unknown, writing: Writing): RepetitionValue {
  const leaves: LeafValue[] = writeConcept(concept, writing);
  return codingsOf(concept).length === 0 && textOf(concept, 'text') === undefined ? undefined : [leaves];
}
