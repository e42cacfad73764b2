/**
 * For tests only: any valid R4 resource as JSON text, made from the definitions. Texts, not values, so that decimals have
 * all the digits and notations that FHIR allows.
 */
import fc from 'fast-check';
import type { Definitions } from './definitions/definitions.ts';
import { definitions } from './definitions/definitions.ts';
import type { PropertyRule, TypeRules } from './validation/type-rules.ts';
import { typeRules } from './validation/type-rules.ts';

/** The JSON text of a valid resource of the type, its members in any order. */
export function anyResource(type: string): fc.Arbitrary<string> {
  return object(definitions(), type, 4, true);
}

/** Decimals in every notation of R4, within what a double can hold. */
export const anyDecimal: fc.Arbitrary<string> = fc.stringMatching(
  /^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,2})?$/,
);

/** Words that XML and JSON have to escape, and such that FHIR allows in strings. */
const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      'a',
      'é',
      '\u{1f600}',
      '&',
      '<',
      '>',
      '"',
      "'",
      '\\',
      '/',
      ' ',
      '\n',
      '\t',
      '\r',
      '&amp;',
      ']]>',
      '_',
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(''));

const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));

const PRIMITIVES: Record<string, fc.Arbitrary<string>> = {
  boolean: fc.constantFrom('true', 'false'),
  integer: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }).map(String),
  unsignedInt: fc.integer({ min: 0, max: 2_147_483_647 }).map(String),
  positiveInt: fc.integer({ min: 1, max: 2_147_483_647 }).map(String),
  decimal: anyDecimal,
  string: anyText.map((text) => JSON.stringify(text)),
  markdown: anyText.map((text) => JSON.stringify(text)),
  xhtml: anyText.map((text) => {
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return JSON.stringify(`<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">.${escaped}</p><br/></div>`);
  }),
  code: fc.constantFrom('"a"', '"a b"', '"<"'),
  id: fc.constantFrom('"a"', '"A-1.b"'),
  uri: fc.constantFrom('"http://example.org/?a=1&b=<>"', '"urn:x"', '"#a"'),
  url: fc.constantFrom('"http://example.org/?a=1&b=2"'),
  canonical: fc.constantFrom('"http://example.org/x|1"'),
  oid: fc.constantFrom('"urn:oid:1.2.3"'),
  uuid: fc.constantFrom('"urn:uuid:0197a000-7000-7000-8000-000000000001"'),
  base64Binary: fc.constantFrom('"AAAA"', '"AA=="'),
  date: fc.constantFrom('"1970"', '"1970-02"', '"2024-02-29"'),
  dateTime: fc.constantFrom('"1970"', '"2024-02-29T10:00:00.000+01:00"'),
  instant: digits(3).map((millis) => `"2024-02-29T10:00:00.${millis}Z"`),
  time: fc.constantFrom('"10:00:00"', '"10:00:00.5"'),
};

function primitive(rule: PropertyRule): fc.Arbitrary<string> {
  if (rule.codes !== undefined) return fc.constantFrom(...[...rule.codes].map((code) => JSON.stringify(code)));
  return PRIMITIVES[rule.type] ?? fc.constant('"x"');
}

function object(defs: Definitions, type: string, depth: number, isResource: boolean): fc.Arbitrary<string> {
  const rules = typeRules(defs, type);
  return chosen(rules, depth).chain((properties) => {
    const members: fc.Arbitrary<string[]>[] = properties.map((rule) => member(defs, rule, depth - 1));
    if (isResource) members.push(fc.constant([`"resourceType":"${type}"`]));
    return fc
      .tuple(...members)
      .chain((parts) => fc.shuffledSubarray(parts.flat(), { minLength: parts.flat().length }))
      .map((texts) => `{${texts.join(',')}}`);
  });
}

/** Which properties are there: the required, and some others; of a choice, one form. */
function chosen(rules: TypeRules, depth: number): fc.Arbitrary<PropertyRule[]> {
  const elements = new Map<string, PropertyRule[]>();
  for (const rule of rules.properties.values()) {
    const name = rule.choice ?? rule.name;
    if (rule.max === 0 || (depth <= 0 && rule.type === 'Resource')) continue;
    elements.set(name, [...(elements.get(name) ?? []), rule]);
  }
  if (rules.type === 'Extension') {
    const value = elements.get('value')!.filter((rule) => rule.json !== undefined || depth > 1);
    return fc.constantFrom(...value).map((rule) => [elements.get('url')![0]!, rule]);
  }
  const groups = [...elements.values()];
  const required = groups.filter((forms) => forms[0]!.isRequired);
  const others = groups.filter((forms) => !forms[0]!.isRequired);
  const atLeast = required.length === 0 ? 1 : 0;
  return fc
    .subarray(others, { minLength: atLeast, maxLength: Math.max(atLeast, Math.min(others.length, depth)) })
    .chain((more) => fc.tuple(...[...required, ...more].map((forms) => fc.constantFrom(...forms))));
}

/** A property, with `_name` beside it or alone when it is primitive: as the texts of one or two members. */
function member(defs: Definitions, rule: PropertyRule, depth: number): fc.Arbitrary<string[]> {
  const { name } = rule;
  if (rule.json === undefined) {
    const value = rule.type === 'Resource' ? object(defs, 'Basic', depth, true) : object(defs, rule.type, depth, false);
    if (!rule.isArray) return value.map((text) => [`"${name}":${text}`]);
    return fc.array(value, { minLength: 1, maxLength: 2 }).map((texts) => [`"${name}":[${texts.join(',')}]`]);
  }
  const value = primitive(rule);
  if (rule.isAttribute || rule.type === 'xhtml') return value.map((text) => [`"${name}":${text}`]);
  const beside = depth > 0 ? object(defs, 'Element', depth, false) : fc.constant('{"id":"a"}');
  const item = fc.oneof(
    { weight: 4, arbitrary: value.map((text) => [text, 'null']) },
    { weight: 1, arbitrary: beside.map((text) => ['null', text]) },
    { weight: 1, arbitrary: fc.tuple(value, beside) },
  );
  const count = rule.isArray ? { minLength: 1, maxLength: 3 } : { minLength: 1, maxLength: 1 };
  return fc.array(item, count).map((items) => {
    const sides = [0, 1].map((side) => items.map((pair) => pair[side]!));
    return sides.flatMap((texts, side) => {
      if (texts.every((text) => text === 'null')) return [];
      return [`"${side === 0 ? '' : '_'}${name}":${rule.isArray ? `[${texts.join(',')}]` : texts[0]}`];
    });
  });
}
