/**
 * From an element to the values search finds it by: which element types each kind of parameter takes, and how
 * (https://hl7.org/fhir/R4/search.html#ptypes). Elements may hold anything; what does not fit gives no value.
 */
import { DATE_MAX, DATE_MIN, dateRange } from './dates.ts';
import type { IndexValue, SearchParameterType } from './index-value.ts';
import { isId, referenceValue } from './references.ts';
import { normalizeString, storableText } from './strings.ts';
import { canonicalQuantity } from './ucum.ts';

/** What conversions need to know besides the element. */
export interface ExtractContext {
  /** This server's base URL with a slash at its end. */
  base: string | undefined;
  /** The resource that is indexed. */
  resource: object;
}

/** Adds the element's values for a parameter. */
export type Converter = (element: unknown, param: string, out: IndexValue[], context: ExtractContext) => void;

/** How an element of a type is indexed for a kind of parameter; undefined when the two do not go together. */
export function converterFor(kind: SearchParameterType, elementType: string): Converter | undefined {
  const converters = CONVERTERS[kind];
  return converters !== undefined && Object.hasOwn(converters, elementType) ? converters[elementType] : undefined;
}

type Fields = Record<string, unknown>;

function fieldsOf(element: unknown): Fields | undefined {
  return typeof element === 'object' && element !== null ? (element as Fields) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? storableText(value) : undefined;
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function pushToken(out: IndexValue[], param: string, system: unknown, code: unknown, shown: unknown): void {
  const value = { param, kind: 'token' as const, system: text(system), code: text(code), text: text(shown) };
  if (value.code !== undefined || value.system !== undefined || value.text !== undefined) out.push(value);
}

const codeToken: Converter = (element, param, out) => {
  if (typeof element === 'string') pushToken(out, param, undefined, element, undefined);
};

const booleanToken: Converter = (element, param, out) => {
  if (typeof element === 'boolean') pushToken(out, param, undefined, String(element), undefined);
};

const codingToken: Converter = (element, param, out) => {
  const coding = fieldsOf(element);
  if (coding !== undefined) pushToken(out, param, coding.system, coding.code, coding.display);
};

const conceptToken: Converter = (element, param, out, context) => {
  const concept = fieldsOf(element);
  if (concept === undefined) return;
  for (const coding of itemsOf(concept.coding)) codingToken(coding, param, out, context);
  if (typeof concept.text === 'string') pushToken(out, param, undefined, undefined, concept.text);
};

const identifierToken: Converter = (element, param, out) => {
  const identifier = fieldsOf(element);
  if (identifier === undefined || typeof identifier.value !== 'string') return;
  const type = fieldsOf(identifier.type);
  pushToken(out, param, identifier.system, identifier.value, type?.text);
  const types: { system?: string; code: string }[] = [];
  for (const item of itemsOf(type?.coding)) {
    const system = text(fieldsOf(item)?.system);
    const code = text(fieldsOf(item)?.code);
    if (code !== undefined) types.push(system === undefined ? { code } : { system, code });
  }
  const pushed = out.at(-1);
  if (types.length > 0 && pushed?.kind === 'token') pushed.types = types;
};

const contactToken: Converter = (element, param, out) => {
  const contact = fieldsOf(element);
  if (contact !== undefined) pushToken(out, param, undefined, contact.value, undefined);
};

function pushString(out: IndexValue[], param: string, value: unknown): void {
  const stored = text(value);
  if (stored !== undefined) out.push({ param, kind: 'string', value: stored, normalized: normalizeString(stored) });
}

const plainString: Converter = (element, param, out) => pushString(out, param, element);

/** A converter which indexes the named members, each of them a string or an array of strings. */
function membersString(names: readonly string[]): Converter {
  return (element, param, out) => {
    const fields = fieldsOf(element);
    if (fields === undefined) return;
    for (const name of names) {
      const value = fields[name];
      if (Array.isArray(value)) for (const item of value) pushString(out, param, item);
      else pushString(out, param, value);
    }
  };
}

const conceptString: Converter = (element, param, out) => {
  const concept = fieldsOf(element);
  if (concept === undefined) return;
  pushString(out, param, concept.text);
  for (const coding of itemsOf(concept.coding)) pushString(out, param, fieldsOf(coding)?.display);
};

const pointDate: Converter = (element, param, out) => {
  const range = typeof element === 'string' ? dateRange(element) : undefined;
  if (range !== undefined) out.push({ param, kind: 'date', low: range.low, high: range.high });
};

const periodDate: Converter = (element, param, out) => {
  const period = fieldsOf(element);
  if (period === undefined) return;
  const start = typeof period.start === 'string' ? dateRange(period.start) : undefined;
  const end = typeof period.end === 'string' ? dateRange(period.end) : undefined;
  if (start === undefined && end === undefined) return;
  const low = start?.low ?? DATE_MIN;
  out.push({ param, kind: 'date', low, high: Math.max(low + 1, end?.high ?? DATE_MAX) });
};

/** The whole time a schedule covers: from its first event to its last, or its bounds. */
const timingDate: Converter = (element, param, out, context) => {
  const timing = fieldsOf(element);
  if (timing === undefined) return;
  let low = DATE_MAX;
  let high = DATE_MIN;
  for (const event of itemsOf(timing.event)) {
    const range = typeof event === 'string' ? dateRange(event) : undefined;
    if (range === undefined) continue;
    low = Math.min(low, range.low);
    high = Math.max(high, range.high);
  }
  if (low < high) out.push({ param, kind: 'date', low, high });
  else periodDate(fieldsOf(timing.repeat)?.boundsPeriod, param, out, context);
};

const reference: Converter = (element, param, out, context) => {
  const fields = fieldsOf(element);
  if (fields === undefined) return;
  const target =
    typeof fields.reference === 'string' ? referenceValue(storableText(fields.reference), context.base) : undefined;
  const identifier = fieldsOf(fields.identifier);
  const value = text(identifier?.value);
  if (target === undefined && value === undefined) return;
  const named = target === undefined ? { kind: 'reference' as const, type: text(fields.type) } : target;
  if (value === undefined) out.push({ param, ...named });
  else out.push({ param, ...named, identifier: { system: text(identifier?.system), value } });
};

const canonicalReference: Converter = (element, param, out, context) => {
  const stored = text(element);
  if (stored === undefined) return;
  const bar = stored.indexOf('|');
  const value = referenceValue(bar < 0 ? stored : stored.slice(0, bar), context.base);
  if (value === undefined) return;
  out.push(bar < 0 ? { param, ...value } : { param, ...value, canonicalVersion: stored.slice(bar + 1) });
};

/** A resource inside another (the first entry of a document or message) counts as a reference to it. */
const resourceReference: Converter = (element, param, out) => {
  const fields = fieldsOf(element);
  const type = text(fields?.resourceType);
  const id = text(fields?.id);
  if (type !== undefined && id !== undefined && isId(id)) out.push({ param, kind: 'reference', type, id });
};

function pushQuantity(out: IndexValue[], param: string, value: number, low: number, high: number, unit: Fields): void {
  const system = text(unit.system);
  const code = text(unit.code);
  const canonical = system === UCUM && code !== undefined ? canonicalQuantity(value, code) : undefined;
  out.push({
    param,
    kind: 'quantity',
    value,
    low,
    high,
    system,
    code,
    unit: text(unit.unit),
    canonicalValue: canonical?.value,
    canonicalUnit: canonical?.unit,
  });
}

const UCUM = 'http://unitsofmeasure.org';

const quantity: Converter = (element, param, out) => {
  const fields = fieldsOf(element);
  const value = fields?.value;
  if (fields === undefined || typeof value !== 'number' || !Number.isFinite(value)) return;
  const { comparator } = fields;
  const low = comparator === '<' || comparator === '<=' ? -Number.MAX_VALUE : value;
  const high = comparator === '>' || comparator === '>=' ? Number.MAX_VALUE : value;
  pushQuantity(out, param, value, low, high, fields);
};

const money: Converter = (element, param, out) => {
  const fields = fieldsOf(element);
  if (typeof fields?.value !== 'number' || !Number.isFinite(fields.value)) return;
  const { currency } = fields;
  pushQuantity(out, param, fields.value, fields.value, fields.value, {
    system: 'urn:iso:std:iso:4217',
    code: currency,
    unit: currency,
  });
};

function boundsOf(element: unknown): { low: number; high: number; unit: Fields } | undefined {
  const range = fieldsOf(element);
  const low = fieldsOf(range?.low);
  const high = fieldsOf(range?.high);
  const unit = low ?? high;
  const from = typeof low?.value === 'number' ? low.value : -Number.MAX_VALUE;
  const to = typeof high?.value === 'number' ? high.value : Number.MAX_VALUE;
  if (unit === undefined || (from === -Number.MAX_VALUE && to === Number.MAX_VALUE)) return undefined;
  return { low: from, high: to, unit };
}

/** The side of a range that is given, the low one when both are. */
function oneOf(low: number, high: number): number {
  return low === -Number.MAX_VALUE ? high : low;
}

const rangeQuantity: Converter = (element, param, out) => {
  const bounds = boundsOf(element);
  if (bounds === undefined) return;
  pushQuantity(out, param, oneOf(bounds.low, bounds.high), bounds.low, bounds.high, bounds.unit);
};

const plainNumber: Converter = (element, param, out) => {
  if (typeof element !== 'number' || !Number.isFinite(element)) return;
  out.push({ param, kind: 'number', value: element, low: element, high: element });
};

const rangeNumber: Converter = (element, param, out) => {
  const bounds = boundsOf(element);
  if (bounds === undefined) return;
  out.push({ param, kind: 'number', value: oneOf(bounds.low, bounds.high), low: bounds.low, high: bounds.high });
};

const uri: Converter = (element, param, out) => {
  const value = text(element);
  if (value !== undefined) out.push({ param, kind: 'uri', value });
};

const ADDRESS = membersString(['text', 'line', 'city', 'district', 'state', 'postalCode', 'country']);
const NAME = membersString(['text', 'family', 'given', 'prefix', 'suffix']);

const CONVERTERS: Partial<Record<SearchParameterType, Record<string, Converter>>> = {
  token: {
    code: codeToken,
    string: codeToken,
    markdown: codeToken,
    id: codeToken,
    uri: codeToken,
    url: codeToken,
    oid: codeToken,
    uuid: codeToken,
    canonical: codeToken,
    boolean: booleanToken,
    Coding: codingToken,
    CodeableConcept: conceptToken,
    Identifier: identifierToken,
    ContactPoint: contactToken,
  },
  string: {
    string: plainString,
    markdown: plainString,
    code: plainString,
    id: plainString,
    uri: plainString,
    HumanName: NAME,
    Address: ADDRESS,
    CodeableConcept: conceptString,
    Annotation: membersString(['text']),
    ContactPoint: membersString(['value']),
  },
  date: { date: pointDate, dateTime: pointDate, instant: pointDate, Period: periodDate, Timing: timingDate },
  reference: {
    Reference: reference,
    canonical: canonicalReference,
    uri: canonicalReference,
    url: canonicalReference,
    Resource: resourceReference,
  },
  quantity: {
    Quantity: quantity,
    SimpleQuantity: quantity,
    Age: quantity,
    Duration: quantity,
    Count: quantity,
    Distance: quantity,
    MoneyQuantity: quantity,
    Money: money,
    Range: rangeQuantity,
  },
  number: {
    integer: plainNumber,
    positiveInt: plainNumber,
    unsignedInt: plainNumber,
    decimal: plainNumber,
    Range: rangeNumber,
  },
  uri: { uri, url: uri, oid: uri, uuid: uri, canonical: uri, string: uri },
};
