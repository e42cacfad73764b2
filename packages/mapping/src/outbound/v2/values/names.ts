/** HumanName as XPN and as the name in XCN: the way back of `v2/datatypes/name.ts`. */
import type { ComponentValue, LeafValue } from '@causeway/hl7v2';
import { codeFor } from '../../../v2/vocabularies.ts';
import { childOf, type Element, extensionOf, isElement, textOf, textsOf } from '../record.ts';
import { writeDateTime } from './primitives.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition';

/** The parts of a name that XPN and XCN have in different places. */
export interface NameParts {
  /** FN as sub-components. */
  family: LeafValue[];
  given: LeafValue;
  further: LeafValue;
  suffix: LeafValue;
  prefix: LeafValue;
  degree: LeafValue;
  use: LeafValue;
  representation: LeafValue;
  assembly: LeafValue;
  start: LeafValue;
  end: LeafValue;
  professional: LeafValue;
}

export function nameParts(name: unknown): NameParts {
  const given = textsOf(name, 'given');
  const period = childOf(name, 'period');
  return {
    family: familyParts(name),
    given: given[0],
    further: given.slice(1).join(' '),
    ...suffixes(textsOf(name, 'suffix')),
    prefix: textsOf(name, 'prefix').join(' '),
    use: codeFor('nameUse', textOf(name, 'use')),
    representation: codeFor('nameRepresentation', extensionCode(name, `${EXTENSION}/iso21090-EN-representation`)),
    assembly: codeFor('nameAssemblyOrder', extensionCode(name, `${EXTENSION}/humanname-assembly-order`)),
    start: writeDateTime(textOf(period, 'start')),
    end: writeDateTime(textOf(period, 'end')),
  };
}

/** XPN of each name; what a person is called stands beside the name before it (XPN.15). */
export function writeNames(names: readonly unknown[]): ComponentValue[][] {
  const written: ComponentValue[][] = [];
  for (const name of names) {
    const previous = written.at(-1);
    const called = calledBy(name);
    if (called !== undefined && previous !== undefined && (previous[14] ?? '') === '') {
      while (previous.length < 14) previous.push('');
      previous[14] = called;
    } else written.push(writeName(name));
  }
  return written;
}

/** XPN. */
export function writeName(name: unknown): ComponentValue[] {
  const text = textOf(name, 'text');
  const p = nameParts(name);
  const isText = text !== undefined && p.family.length === 0 && p.given === undefined;
  const representation = isText ? [text] : p.family;
  return [
    representation,
    p.given,
    p.further,
    p.suffix,
    p.prefix,
    p.degree,
    p.use,
    p.representation,
    '',
    '',
    p.assembly,
    p.start,
    p.end,
    p.professional,
  ];
}

function calledBy(name: unknown): string | undefined {
  if (!isElement(name) || name.use !== 'nickname' || name.family !== undefined) return undefined;
  const given = textsOf(name, 'given');
  return given.length === 1 && Object.keys(name).length === 2 ? given[0] : undefined;
}

/** FN: surname, own prefix and name, partner's prefix and name. */
function familyParts(name: unknown): LeafValue[] {
  const family = textOf(name, 'family');
  if (family === undefined) return [];
  const extensions = childOf(name, '_family');
  const parts = ['own-prefix', 'own-name', 'partner-prefix', 'partner-name'].map(
    (part) => extensionOf(extensions, `${EXTENSION}/humanname-${part}`) as LeafValue,
  );
  const joined = parts.filter((part) => part !== undefined).join(' ');
  return [joined === family ? '' : family, ...parts];
}

const GENERATION = /^(jr|sr|[ivx]+|[2-9](nd|rd|th))\.?$/i;

/** A name's suffixes: of a generation (XPN.4), a degree (XPN.6), and what else follows the name (XPN.14). */
function suffixes(list: readonly string[]): Pick<NameParts, 'suffix' | 'degree' | 'professional'> {
  const [first, ...rest] = list;
  if (first === undefined || list.length >= 3)
    return { suffix: first, degree: rest[0], professional: rest.slice(1).join(' ') };
  if (rest.length === 0)
    return GENERATION.test(first) ? { suffix: first, ...NONE } : { ...NONE, suffix: '', degree: first };
  return { suffix: first, degree: rest[0], professional: '' };
}

const NONE = { degree: '', professional: '' };

function extensionCode(element: unknown, url: string): string | undefined {
  const value = extensionOf(element as Element, url);
  return typeof value === 'string' ? value : undefined;
}
