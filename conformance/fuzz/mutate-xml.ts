/** Changes of XML in its own terms: elements, attributes, texts, namespaces, entities, nesting. */
import type { Random } from './random.ts';
import { anyValue } from './values.ts';

/** Where an element stands: from its tag to after its end, and its name. */
interface Place {
  name: string;
  start: number;
  /** After the start tag. */
  open: number;
  /** Before the end tag; as `open` where there is none. */
  close: number;
  end: number;
}

type XmlMutation = (text: string, random: Random, other: string) => string;

const declarations = [
  '<!DOCTYPE x [<!ENTITY e "x">]>',
  '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
  '<?xml version="1.1"?>',
  '<?xml version="1.0" encoding="UTF-16"?>',
  '<?xml version="1.0" encoding="ISO-8859-1"?>',
  '<?xml version="1.0" encoding="ebcdic"?>',
  '<?x y?>',
  '<!-- -- -->',
];
const inside = [
  '<![CDATA[',
  ']]>',
  '<!-- x -->',
  '&e;',
  '&#x110000;',
  '&#38;',
  '&lt',
  '<x',
  '</x>',
  '<a:b/>',
  '<?x?>',
  '>',
];
inside.push(
  '<text><content ID="r1">x</content></text>',
  '<value xsi:type="PQ" value="x" unit="%"/>',
  '<reference value="#r1"/>',
);
const types = [
  'PQ',
  'CD',
  'CE',
  'ST',
  'ED',
  'INT',
  'REAL',
  'TS',
  'IVL_TS',
  'IVL_PQ',
  'PIVL_TS',
  'EIVL_TS',
  'RTO',
  'BL',
  'II',
];
types.push('SXPR_TS', 'SXCM_TS', 'MO', 'CO', 'SC', 'AD', 'EN', 'TEL', 'cda:PQ', 'x:y:z', '__proto__', '');
const nulls = ['NI', 'UNK', 'OTH', 'MSK', 'NA', 'ASKU', 'NASK', 'NINF', 'PINF', 'TRC', 'zz'];
const codes = [
  'code',
  'value',
  'root',
  'extension',
  'codeSystem',
  'unit',
  'nullFlavor',
  'negationInd',
  'typeCode',
  'moodCode',
  'classCode',
  'ID',
  'url',
  'id',
  'xmlns',
  'xsi:type',
  'operator',
  'use',
  'mediaType',
  'representation',
];

const mutations: readonly XmlMutation[] = [
  (text, random) => withElement(text, random, ({ start, end }) => text.slice(0, start) + text.slice(end)),
  (text, random) => withElement(text, random, ({ start, end }) => text.slice(0, end) + text.slice(start)),
  (text, random) =>
    withElement(
      text,
      random,
      ({ start, end }) => text.slice(0, start) + text.slice(start, end).repeat(random.few(60)) + text.slice(end),
    ),
  (text, random) =>
    withTwo(text, random, (a, b) => text.slice(0, a.start) + text.slice(b.start, b.end) + text.slice(a.end)),
  (text, random) =>
    withTwo(text, random, (a, b) => text.slice(0, a.open) + text.slice(b.start, b.end) + text.slice(a.open)),
  (text, random) =>
    withTwo(text, random, (a, b) =>
      a.end <= b.start
        ? text.slice(0, a.start) +
          text.slice(b.start, b.end) +
          text.slice(a.end, b.start) +
          text.slice(a.start, a.end) +
          text.slice(b.end)
        : text,
    ),
  (text, random, other) => {
    const theirs = anyElement(other, random);
    return withElement(
      text,
      random,
      ({ open }) => text.slice(0, open) + (theirs ? other.slice(theirs.start, theirs.end) : '') + text.slice(open),
    );
  },
  (text, random) =>
    withElement(text, random, ({ name, start, end }) => {
      const deep = random.few(300);
      return (
        text.slice(0, start) +
        `<${name}>`.repeat(deep) +
        text.slice(start, end) +
        `</${name}>`.repeat(deep) +
        text.slice(end)
      );
    }),
  (text, random) =>
    withElement(
      text,
      random,
      ({ start, end, open, close }) => text.slice(0, start) + text.slice(open, close) + text.slice(end),
    ),
  (text, random) => withElement(text, random, ({ open, close }) => text.slice(0, open) + text.slice(close)),
  (text, random) =>
    withElement(text, random, ({ open, close }) => text.slice(0, open) + escaped(anyValue(random)) + text.slice(close)),
  (text, random) =>
    withElement(text, random, ({ open }) => text.slice(0, open) + random.pick(inside) + text.slice(open)),
  (text, random) =>
    withElement(
      text,
      random,
      ({ name, start }) =>
        text.slice(0, start + 1) +
        random.pick(['x:', 'sdtc:', 'xs', '']) +
        random.pick([name, 'value', 'text', 'div']) +
        text.slice(start + 1 + name.length),
    ),
  (text, random) => withAttribute(text, random, () => ''),
  (text, random) => withAttribute(text, random, (name, value) => ` ${name}="${value}" ${name}="${value}"`),
  (text, random) => withAttribute(text, random, (name) => ` ${name}="${escaped(anyValue(random))}"`),
  (text, random) => withAttribute(text, random, (name) => ` ${name}="${escaped(anyValue(random))}"`),
  (text, random) => withAttribute(text, random, (_, value) => ` ${random.pick(codes)}="${value}"`),
  (text, random) =>
    withAttribute(text, random, (name, value) => ` ${name}="${value}" nullFlavor="${random.pick(nulls)}"`),
  (text, random) => withAttribute(text, random, (name, value) => ` ${name}='${value}${anyValue(random)}`),
  (text, random) =>
    text.replace(/xsi:type="[^"]*"/g, (type) => (random.once(3) ? `xsi:type="${random.pick(types)}"` : type)),
  (text, random) =>
    text.replace(
      /xmlns(:\w+)?="[^"]*"/,
      (_, prefix = '') => `xmlns${prefix}="${random.pick(['urn:hl7-org:v3', 'http://hl7.org/fhir', 'urn:x', ''])}"`,
    ),
  (text, random) => random.pick(declarations) + (random.once(2) ? text.replace(/^<\?xml[^>]*>/, '') : text),
];

export function mutateXml(text: string, random: Random, other: string): string {
  return random.pick(mutations)(text, random, other);
}

function withElement(text: string, random: Random, change: (place: Place) => string): string {
  const place = anyElement(text, random);
  return place ? change(place) : text;
}

function withTwo(text: string, random: Random, change: (a: Place, b: Place) => string): string {
  const [a, b] = [anyElement(text, random), anyElement(text, random)];
  return a && b ? change(a, b) : text;
}

/** An element that is found from a random place on; its end by counting tags of its name. */
function anyElement(text: string, random: Random): Place | undefined {
  const tag = /<([A-Za-z][\w:.-]*)(?:[^<>"']|"[^"]*"|'[^']*')*>/g;
  tag.lastIndex = random.below(text.length);
  const found = tag.exec(text);
  if (!found) return undefined;
  const [whole, name = ''] = found;
  const start = found.index;
  const open = start + whole.length;
  if (whole.endsWith('/>')) return { name, start, open, close: open, end: open };
  let [depth, at] = [1, open];
  for (let tags = 0; tags < 200; tags++) {
    const close = text.indexOf(`</${name}>`, at);
    if (close < 0) break;
    const again = text.indexOf(`<${name}`, at);
    if (again >= 0 && again < close) {
      depth++;
      at = again + 1;
      continue;
    }
    at = close + name.length + 3;
    if (--depth === 0) return { name, start, open, close, end: at };
  }
  return { name, start, open, close: open, end: open };
}

function withAttribute(text: string, random: Random, change: (name: string, value: string) => string): string {
  const attribute = /\s([A-Za-z][\w:.-]*)="([^"<>]*)"/g;
  attribute.lastIndex = random.below(text.length);
  const found = attribute.exec(text);
  if (!found) return text;
  return text.slice(0, found.index) + change(found[1]!, found[2]!) + text.slice(found.index + found[0].length);
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
