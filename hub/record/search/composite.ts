/**
 * Composite parameters (FHIR R4 §3.1.1.4.12): values that are combined. Of the whole resource, the combination is what
 * each of the parameters finds; within elements, the index has rows named by the first component's value.
 */
import { compositeCode } from '../index-entries.ts';
import { ridOf } from '../keys.ts';
import { findParameter } from './known-parameters.ts';
import { allOf, anyOf, type Predicate, type SearchContext } from './predicate.ts';
import { numberPair, range } from './range.ts';
import { reference } from './reference.ts';
import type { Filter } from './request.ts';
import { string } from './string.ts';
import { token, uri } from './token.ts';
import { readNumber, splitAt, unescaped } from './values.ts';
import { wrong } from './wrong.ts';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

export async function composite(context: SearchContext, type: string, filter: ValueFilter): Promise<Predicate> {
  return anyOf(context, await Promise.all(filter.values.map((value) => combination(context, type, filter, value))));
}

async function combination(
  context: SearchContext,
  type: string,
  filter: ValueFilter,
  value: string,
): Promise<Predicate> {
  const { code, components = [], composite: combined } = filter.parameter;
  const parts = splitAt(value, '$');
  if (parts.length !== components.length || parts.some((part) => part === '')) {
    throw wrong(code, `takes ${components.map((component) => component.type).join('$')}`);
  }
  const found: Predicate[] = [];
  if (combined?.asParameters) {
    const all = combined.asParameters.map((name, i) => {
      const parameter = findParameter(type, name);
      return single(context, type, { kind: 'value', parameter, modifier: undefined, values: [parts[i]!] }, name);
    });
    found.push(allOf(await Promise.all(all)));
  }
  if (combined?.ofElements) found.push(await withinElement(context, type, filter, parts));
  return anyOf(context, found);
}

async function withinElement(
  context: SearchContext,
  type: string,
  filter: ValueFilter,
  parts: string[],
): Promise<Predicate> {
  const { parameter } = filter;
  const [first, ...rest] = parameter.components!;
  const named = compositeCode(parameter.code, [spelling(parameter.code, first!.type, parts[0]!)]);
  const [second, third] = rest;
  if (second?.type === 'number' && third?.type === 'number') {
    const asked = [second, third].map((component, i) =>
      readNumber({ ...parameter, code: component.code }, unescaped(parts[i + 1]!)),
    );
    return numberPair(context, type, named, asked[0]!, asked[1]!);
  }
  const component = { ...parameter, code: second!.code, type: second!.type };
  return single(
    context,
    type,
    { kind: 'value', parameter: component, modifier: undefined, values: [parts[1]!] },
    named,
  );
}

/** One component, found under a name of its own. */
async function single(context: SearchContext, type: string, filter: ValueFilter, named: string): Promise<Predicate> {
  const parameter = { ...filter.parameter, code: named };
  switch (parameter.type) {
    case 'token':
      return token(context, type, { ...filter, parameter });
    case 'uri':
      return uri(context, type, { ...filter, parameter });
    case 'reference':
      return reference(context, type, { ...filter, parameter });
    case 'string':
      return string(context, type, named, undefined, filter.values);
    default:
      return range(context, type, filter.parameter, filter.values, named);
  }
}

/** The first component as the index spells it. */
function spelling(code: string, kind: string, value: string): string {
  if (kind === 'token') {
    const parts = splitAt(value, '|').map(unescaped);
    if (parts.length > 2 || parts.at(-1) === '')
      throw wrong(code, 'needs a code in its first part: code or system|code');
    return parts.join('|');
  }
  const relative = kind === 'reference' ? /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(value) : null;
  return relative ? `${relative[1]}/${ridOf(relative[2]!)}` : unescaped(value);
}
