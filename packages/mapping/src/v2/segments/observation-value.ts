/** OBX-5 by the data type that OBX-2 names: quantities, codes, times, ranges, attachments and text. */
import type { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { toFhirDateTime, toFhirTime } from '../datatypes/datetime.ts';
import { addExtension } from '../datatypes/extension.ts';
import { readText } from '../datatypes/primitive.ts';
import { addUnits, COMPARATORS, readPeriod, readStructuredNumeric } from '../datatypes/quantity.ts';
import type { Element } from '../draft.ts';

/** The element an observation's value goes to, and the value. */
export interface Value {
  name: string;
  value: unknown;
}

/** One repetition of OBX-5, read as OBX-2 says. */
export function readValue(cell: Cell, type: string | undefined, units: Cell | undefined): Value | undefined {
  switch (type) {
    case 'NM':
    case 'CQ':
      return readNumeric(cell, units);
    case 'SN':
      return readStructuredNumeric(cell, units);
    case 'CE':
    case 'CWE':
    case 'CNE':
    case 'CF':
    case 'IS':
    case 'ID': {
      const concept = readConcept(cell.at({ draft: cell.place.draft, base: 'valueCodeableConcept' }));
      return concept === undefined ? undefined : { name: 'valueCodeableConcept', value: concept };
    }
    case 'DT':
    case 'TS':
    case 'DTM':
      return readTimeValue(cell);
    case 'TM': {
      const time = toFhirTime(cell.peek(1) ?? '');
      if (time === undefined) return asText(cell, units);
      cell.text('valueTime', 1);
      return { name: 'valueTime', value: time };
    }
    case 'DR': {
      const period = readPeriod(cell.at({ draft: cell.place.draft, base: 'valuePeriod' }));
      return period === undefined ? asText(cell, units) : { name: 'valuePeriod', value: period };
    }
    case 'NR':
      return readNumericRange(cell, units);
    case 'ED':
    case 'RP':
      return readAttachmentValue(cell, type);
    default:
      return asText(cell, units);
  }
}

function readNumeric(cell: Cell, units: Cell | undefined): Value | undefined {
  const written = cell.peek(1);
  if (written === undefined) return undefined;
  const found = /^(<=?|>=?)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.exec(written);
  if (found === null || !Number.isFinite(Number(found[2]))) {
    cell.run.issue(
      'warning',
      'value',
      cell.run.sourceName(cell.atom(1)!),
      'A value of type NM is not a number; it is kept as text.',
    );
    return asText(cell, units);
  }
  const quantity: Element = { value: Number(found[2]) };
  if (found[1] !== undefined && COMPARATORS.has(found[1])) quantity.comparator = found[1];
  cell.text('valueQuantity.value', 1);
  const own = cell.inside(2);
  if (units !== undefined) addUnits(quantity, units, 'valueQuantity');
  else if (own !== undefined) addUnits(quantity, own, 'valueQuantity');
  return { name: 'valueQuantity', value: quantity };
}

function readTimeValue(cell: Cell): Value | undefined {
  const written = cell.peek(1);
  if (written === undefined) return undefined;
  const { dateTime, problem } = toFhirDateTime(written, cell.run.zone);
  if (dateTime === undefined) {
    cell.run.issue('warning', 'value', cell.run.sourceName(cell.atom(1)!), `The value is kept as text: ${problem}.`);
    return asText(cell, undefined);
  }
  cell.text('valueDateTime', 1);
  return { name: 'valueDateTime', value: dateTime };
}

function readNumericRange(cell: Cell, units: Cell | undefined): Value | undefined {
  const range: Element = {};
  for (const [component, name] of [
    [1, 'low'],
    [2, 'high'],
  ] as const) {
    const value = cell.number(`valueRange.${name}.value`, component);
    if (value === undefined) continue;
    const quantity: Element = { value };
    if (units !== undefined) addUnits(quantity, units, `valueRange.${name}`);
    range[name] = quantity;
  }
  return Object.keys(range).length === 0 ? asText(cell, units) : { name: 'valueRange', value: range };
}

/** ED and RP have no home among R4's values: the R5 attachment value, as HL7's cross-version extension. */
function readAttachmentValue(cell: Cell, type: string): Value | undefined {
  const draft = cell.place.draft!;
  const index = ((draft.resource.extension as unknown[] | undefined) ?? []).length;
  const at = cell.at({ draft, base: `extension[${index}].valueAttachment` });
  const attachment = type === 'ED' ? readEncapsulated(at) : readPointer(at);
  if (attachment === undefined) return asText(cell, undefined);
  addExtension(
    draft.resource,
    'http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value',
    'valueAttachment',
    attachment,
  );
  return undefined;
}

/** ED: source ^ type ^ subtype ^ encoding ^ data, as Attachment. */
export function readEncapsulated(cell: Cell): Element | undefined {
  const attachment: Element = {};
  const contentType = mediaType(cell);
  if (contentType !== undefined) attachment.contentType = contentType;
  const encoding = cell.used(4)?.toUpperCase();
  const data = cell.peek(5);
  if (data !== undefined) {
    const compact = data.replace(/\s+/g, '');
    if (encoding === 'BASE64' && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)) attachment.data = compact;
    else if (encoding === 'HEX' && /^([0-9a-f]{2})+$/i.test(compact))
      attachment.data = Buffer.from(compact, 'hex').toString('base64');
    else attachment.data = Buffer.from(data, 'utf8').toString('base64');
    cell.text('data', 5);
  }
  const title = cell.text('title', 1);
  if (title !== undefined) attachment.title = title;
  return Object.keys(attachment).length === 0 ? undefined : attachment;
}

/** RP: pointer ^ application ^ type ^ subtype, as Attachment. */
export function readPointer(cell: Cell): Element | undefined {
  const pointer = cell.text('url', 1);
  if (pointer === undefined) return undefined;
  const attachment: Element = { url: pointer };
  const type = cell.peek(3);
  const subtype = cell.peek(4);
  if (type !== undefined && subtype !== undefined) {
    attachment.contentType = `${type}/${subtype}`.toLowerCase();
    cell.textPart('contentType', 0, 3);
    cell.textPart('contentType', type.length + 1, 4);
  }
  return attachment;
}

function mediaType(cell: Cell): string | undefined {
  const type = cell.peek(2)?.toLowerCase();
  const subtype = cell.peek(3)?.toLowerCase();
  if (type === undefined && subtype === undefined) return undefined;
  if (type?.includes('/') === true) {
    cell.used(3);
    return cell.text('contentType', 2)!.toLowerCase();
  }
  const main = MAIN_TYPES[type ?? ''];
  const minor = SUBTYPES[subtype ?? ''];
  const before = `${main ?? type ?? 'application'}/`;
  if (main === undefined) cell.textPart('contentType', 0, 2);
  else cell.used(2);
  if (minor === undefined) cell.textPart('contentType', before.length, 3);
  else cell.used(3);
  return before + (minor ?? subtype ?? 'octet-stream');
}

/** HL7 tables 0191 and 0291 where they differ from media types. */
const MAIN_TYPES: Record<string, string> = {
  ap: 'application',
  im: 'image',
  ns: 'image',
  sd: 'application',
  si: 'image',
  tx: 'text',
  ft: 'text',
  au: 'audio',
  multipart: 'multipart',
};
const SUBTYPES: Record<string, string> = {
  jpg: 'jpeg',
  rtf: 'rtf',
  txt: 'plain',
  text: 'plain',
  tiff: 'tiff',
  'x-hl7-cda-level-one': 'hl7-sda+xml',
};

function asText(cell: Cell, units: Cell | undefined): Value | undefined {
  const at = cell.at({ draft: cell.place.draft, base: 'valueString' });
  const text = readText(at);
  if (text === undefined) return undefined;
  const unit = units?.textPart('valueString', text.length + 1, units.peek(2) === undefined ? 1 : 2);
  if (unit === undefined) return { name: 'valueString', value: text };
  at.shift(0);
  return { name: 'valueString', value: `${text} ${unit}` };
}
