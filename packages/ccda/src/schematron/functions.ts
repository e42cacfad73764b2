/** The functions of XPath 1.0 §4 that compiled expressions may use, with the JavaScript for each. */
import { XPathError } from './xpath.ts';

export type Type = 'nodes' | 'string' | 'number' | 'boolean';

/** @throws XPathError where the function is not supported */
export function functionOf(name: string) {
  if (!Object.hasOwn(FUNCTIONS, name)) throw new XPathError(`the function ${name}() is not supported`);
  return FUNCTIONS[name]!;
}

/** Functions with the types of their arguments; a trailing `?` marks those that may be left out (§4). */
const FUNCTIONS: Readonly<
  Record<string, { type: Type; args: readonly string[]; code: (...args: string[]) => string }>
> = {
  true: { type: 'boolean', args: [], code: () => 'true' },
  false: { type: 'boolean', args: [], code: () => 'false' },
  not: { type: 'boolean', args: ['boolean'], code: (a) => `!(${a})` },
  boolean: { type: 'boolean', args: ['boolean'], code: (a) => a! },
  contains: { type: 'boolean', args: ['string', 'string'], code: (a, b) => `(${a}).includes(${b})` },
  'starts-with': { type: 'boolean', args: ['string', 'string'], code: (a, b) => `(${a}).startsWith(${b})` },
  string: { type: 'string', args: ['string?'], code: (a) => a! },
  'normalize-space': { type: 'string', args: ['string?'], code: (a) => `$.normalizeSpace(${a})` },
  'substring-after': { type: 'string', args: ['string', 'string'], code: (a, b) => `$.substringAfter(${a}, ${b})` },
  'substring-before': { type: 'string', args: ['string', 'string'], code: (a, b) => `$.substringBefore(${a}, ${b})` },
  translate: {
    type: 'string',
    args: ['string', 'string', 'string'],
    code: (a, b, c) => `$.translate(${a}, ${b}, ${c})`,
  },
  'string-length': { type: 'number', args: ['string?'], code: (a) => `(${a}).length` },
  number: { type: 'number', args: ['number?'], code: (a) => a! },
  substring: {
    type: 'string',
    args: ['string', 'number', 'number?'],
    code: (...args) => `$.substring(${args.join(', ')})`,
  },
};
