/** Changes of JSON in its own terms: members, items, types, nesting, keys, numbers as no program writes them. */
import type { Random } from './random.ts';
import { anyValue } from './values.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
/** An object or array and a key in it. */
type Place = { holder: { [key: string]: Json } | Json[]; key: string };
type JsonMutation = (place: Place, random: Random, root: Json) => void;

/** What a string is marked with that shall stand in the text as it is. */
const raw = '\u0001raw:';
const words = [
  '1e999',
  '-1e999',
  '1e-999',
  '9'.repeat(400),
  `0.${'1'.repeat(400)}`,
  '-0',
  '1.0',
  '01',
  '+1',
  '.5',
  '1.',
  'NaN',
];
words.push(
  'undefined',
  'True',
  "'x'",
  '"\\u0000"',
  '"\\ud800"',
  '"\\x"',
  '[,]',
  '{,}',
  '{"a":1,"a":2}',
  '',
  '{"resourceType":"Patient"}',
);
const keys = [
  'resourceType',
  'id',
  'meta',
  'contained',
  'extension',
  'reference',
  'identifier',
  'value',
  'entry',
  'resource',
];
keys.push('fullUrl', 'request', 'url', '_value', '__proto__', 'constructor', 'toString', 'div', 'lastUpdated', '');
const types = [
  'Patient',
  'Observation',
  'Bundle',
  'Binary',
  'Parameters',
  'SearchParameter',
  'Nonsense',
  '__proto__',
  '',
];

const mutations: readonly JsonMutation[] = [
  ({ holder, key }) => (Array.isArray(holder) ? void holder.splice(Number(key), 1) : void delete holder[key]),
  ({ holder, key }, random) => put(holder, key, anyValue(random)),
  ({ holder, key }, random) => put(holder, key, raw + random.pick(words)),
  ({ holder, key }) => put(holder, key, [at(holder, key)]),
  ({ holder, key }) => put(holder, key, { value: at(holder, key) }),
  ({ holder, key }) => put(holder, key, null),
  ({ holder, key }, random) => put(holder, key, random.pick<Json>([0, true, [], {}, [null], [[]], '', -1e21, 1e-7])),
  ({ holder, key }, random) => put(holder, random.pick(keys), at(holder, key)),
  ({ holder, key }, random, root) => {
    const other = anyPlace(root, random);
    if (other) put(holder, key, structuredClone(at(other.holder, other.key)));
  },
  ({ holder, key }, random, root) => {
    const other = anyPlace(root, random);
    if (!other) return;
    const [a, b] = [structuredClone(at(holder, key)), structuredClone(at(other.holder, other.key))];
    put(holder, key, b);
    put(other.holder, other.key, a);
  },
  ({ holder, key }, random) => {
    const times = random.few(200);
    if (Array.isArray(holder)) for (let i = 0; i < times; i++) holder.push(at(holder, key));
    else for (let i = 0; i < times; i++) put(holder, `${key}${i}`, at(holder, key));
  },
  ({ holder, key }, random) => {
    let value = at(holder, key);
    const isArray = random.once(2);
    const name = random.pick(['extension', 'contained', 'resource', 'entry', 'x']);
    for (let deep = random.few(150); deep > 0; deep--) value = isArray ? [value] : { [name]: value };
    put(holder, key, value);
  },
  ({ holder, key }, random) =>
    put(holder, key, `<div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(random.few(200))}</div>`),
  ({ holder, key }, random) =>
    put(holder, key, { reference: random.pick(['#', 'Patient/1', 'urn:uuid:', '?a=b', anyValue(random)]) }),
  (_, random, root) => {
    if (typeof root === 'object' && root !== null && !Array.isArray(root)) root.resourceType = random.pick(types);
  },
];

/** Changes a text that is JSON; another comes back as it was. */
export function mutateJson(text: string, random: Random): string {
  let root: Json;
  try {
    root = JSON.parse(text) as Json;
  } catch {
    return text;
  }
  const place = anyPlace(root, random);
  if (place) random.pick(mutations)(place, random, root);
  const changed = JSON.stringify(root, null, random.once(4) ? random.below(4) : 0);
  return changed.replace(/"\\u0001raw:((?:[^"\\]|\\.)*)"/g, (_, word: string) => JSON.parse(`"${word}"`) as string);
}

/** A place anywhere in the value, deep ones as likely as those at the top. */
function anyPlace(root: Json, random: Random): Place | undefined {
  let place: Place | undefined;
  let value = root;
  for (let depth = 0; typeof value === 'object' && value !== null; depth++) {
    const found = Object.keys(value);
    if (found.length === 0 || (depth > 0 && random.once(5))) break;
    const key = random.pick(found);
    place = { holder: value, key };
    value = at(value, key);
  }
  return place;
}

function at(holder: Place['holder'], key: string): Json {
  return (holder as { [key: string]: Json })[key]!;
}

function put(holder: Place['holder'], key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
  else (holder as { [key: string]: Json })[key] = value;
}
