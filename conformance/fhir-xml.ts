/**
 * The XML side of the suites `fhir` and `synthea`: JSON goes to XML and comes back the same, XML goes to JSON, and says
 * what its JSON twin says. Numbers are compared by their digits.
 */
import { isFhirError, jsonFromXml, narrativeIssues, xmlFromJson } from '@causeway/fhir';
import type { Verdict } from './result.ts';

/** What a JSON text became on its way through XML. */
export interface RoundTrip {
  /** Why it was refused on the way, with the place. */
  refusal: string | undefined;
  /** Whether it came back with the same content. */
  isSame: boolean;
  /** Numbers compared, and those of them which a JavaScript number would not write with the same digits. */
  numbers: number;
  exactNumbers: number;
}

/** Sends a JSON text through XML and back. */
export function roundTrip(text: string): RoundTrip {
  const trip: RoundTrip = { refusal: undefined, isSame: false, numbers: 0, exactNumbers: 0 };
  const xml = xmlFromJson(text);
  if (typeof xml !== 'string') return { ...trip, refusal: `no XML: ${xml.path}: ${xml.error}` };
  const back = jsonFromXml(xml);
  if (isFhirError(Object(back))) return { ...trip, refusal: `its XML is not read: ${JSON.stringify(back)}` };
  const count = (source: string) => {
    trip.numbers++;
    if (String(Number(source)) !== source) trip.exactNumbers++;
    return source;
  };
  trip.isSame = contentOf(String(back), (source) => source) === contentOf(text, count);
  return trip;
}

/** Whether an XML text's root is in FHIR's namespace: what is not is no resource of any release. */
export function isFhirXml(text: string): boolean {
  const root = /<([A-Za-z][\w.-]*:)?[A-Za-z][^>]*>/.exec(text.replace(/<!--[\s\S]*?-->/g, ''))?.[0] ?? '';
  return /\sxmlns(:\w+)?\s*=\s*["']http:\/\/hl7\.org\/fhir["']/.test(root);
}

/**
 * What is said of a text taken as the narrative of a resource: refused, with the first reason; or accepted, and then it
 * holds nothing that a plain search finds dangerous, and comes through XML the same.
 */
export function narrativeVerdict(text: string): Verdict {
  const [error] = narrativeIssues(text).filter(({ severity }) => severity === 'error');
  if (error !== undefined) return { refusal: error.diagnostics, reasons: [] };
  const reasons: string[] = [];
  if (DANGEROUS.test(text))
    reasons.push('is accepted though it holds active content or an entity that XML does not have');
  const resource = { resourceType: 'Basic', text: { status: 'additional', div: text.trim() } };
  if (!roundTrip(JSON.stringify(resource)).isSame) reasons.push('comes back from XML with other content');
  return { reasons };
}

const DANGEROUS =
  /<\s*(?:\w+:)?(?:script|iframe|object|embed|form|style|link|base|svg|math|html|head|body|meta)\b|\son\w+\s*=|(?:java|vb)script:|&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)/i;

/** A file as it came, and the JSON of it: the same text when it came as JSON. */
export interface Twin {
  source: string;
  json: string;
}

/**
 * Whether two files, one JSON and one XML, say the same; `partly` when elements at the root are missing whose name the
 * other file does not hold at all: then the files differ, not the reading. White space in strings (attributes in XML keep
 * no line breaks), the notation of a number of the same digits, and the notation of XHTML are aside.
 */
export function compareTwins(a: Twin, b: Twin): 'same' | 'partly' | 'different' {
  const [left, right] = [a, b].map(({ json }) => JSON.parse(contentOf(json, plainNumber, plainString)));
  let verdict: 'same' | 'partly' = 'same';
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (JSON.stringify(left[key]) === JSON.stringify(right[key])) continue;
    const missing = left[key] === undefined ? a : right[key] === undefined ? b : undefined;
    if (missing === undefined || new RegExp(`["<]${key}[\\s">/]`).test(missing.source)) return 'different';
    verdict = 'partly';
  }
  return verdict;
}

/** One text for all that have the same content: members in order of name, numbers as their digits. */
function contentOf(text: string, number: (source: string) => string, string = (value: string) => value): string {
  const read = (_key: string, value: unknown, context: { source?: string }) => {
    if (typeof value === 'string') return string(value);
    return typeof value === 'number' ? `number ${number(context.source ?? '')}` : value;
  };
  return JSON.stringify(ordered(JSON.parse(text, read as (key: string, value: unknown) => unknown)));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = aligned(value as Record<string, unknown>);
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, ordered(fields[key])]),
  );
}

/** `given` and `_given` made equally long, and left out when they hold nothing but null: some leave the last nulls out. */
function aligned(fields: Record<string, unknown>): Record<string, unknown> {
  const full = { ...fields };
  for (const beside of Object.keys(fields)) {
    if (!beside.startsWith('_') || !Array.isArray(fields[beside])) continue;
    const pair = [beside.slice(1), beside];
    const arrays = pair.map((key) => (Array.isArray(fields[key]) ? (fields[key] as unknown[]) : []));
    const length = Math.max(...arrays.map((array) => array.length));
    for (const [i, key] of pair.entries()) {
      const array = arrays[i]!;
      if (array.every((item) => item === null)) delete full[key];
      else full[key] = Array.from({ length }, (_, at) => array[at] ?? null);
    }
  }
  return full;
}

/** Digits and power of ten: `1.0e0` is `1.0` is `10` times ten to the -1, and is not `1`. */
function plainNumber(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const sign = whole.startsWith('-') ? '-' : '';
  const digits = (whole.replace('-', '') + fraction).replace(/^0+(?=\d)/, '');
  return `${sign}${digits} ${Number(exponent) - fraction.length}`;
}

function plainString(value: string): string {
  const plain = value.replace(/\s+/g, ' ').trim();
  if (!plain.startsWith('<div')) return plain;
  return plain
    .replace(/&#x([0-9a-fA-F]+);/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/\s*(\/?>)\s*|\s*</g, (found) => found.trim())
    .replace(/'/g, '"');
}
