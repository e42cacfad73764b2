/**
 * Messages written from code: values are given as they are meant, delimiters and escapes are put in here.
 *
 * ```ts
 * const message = new MessageBuilder({
 *   sendingApplication: 'EHR', sendingFacility: ['RIVERSIDE', '2.16.840.1.113883.3.1', 'ISO'],
 *   time: '20240229134500+0000', type: ['ADT', 'A01', 'ADT_A01'], controlId: '42', version: '2.5.1',
 * })
 *   .segment('PID', { 1: '1', 3: repetitions(['123', '', '', 'RIVERSIDE', 'MR']), 5: ['Ōta', 'Kei'], 8: null });
 * message.toString(); // MSH|^~\&|EHR|RIVERSIDE^2.16…\rPID|1||123^^^RIVERSIDE^MR||Ōta^Kei|||""\r
 * ```
 */
import { charsetLabel, encodeText } from './charset.ts';
import { type Delimiters, standardDelimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';
import { deleteValue } from './field.ts';

/** A leaf: undefined and the empty string leave it empty, null writes `""` (delete). */
export type LeafValue = string | number | null | undefined;
/** A component: a leaf, or its sub-components. */
export type ComponentValue = LeafValue | readonly LeafValue[];
/** A repetition: a leaf, or its components. */
export type RepetitionValue = LeafValue | readonly ComponentValue[];
/** A field: one repetition, or several by {@link repetitions}. */
export type FieldValue = RepetitionValue | Repetitions;
/** Fields by their number in the standard. */
export type FieldValues = Readonly<Record<number, FieldValue>>;

export interface Repetitions {
  readonly repetitions: readonly RepetitionValue[];
}

/** A repeating field. */
export function repetitions(...values: readonly RepetitionValue[]): Repetitions {
  return { repetitions: values };
}

export interface HeaderValues {
  readonly sendingApplication?: RepetitionValue;
  readonly sendingFacility?: RepetitionValue;
  readonly receivingApplication?: RepetitionValue;
  readonly receivingFacility?: RepetitionValue;
  /** MSH-7, a DTM. */
  readonly time: string;
  /** MSH-9: code, event, structure. */
  readonly type: readonly string[];
  readonly controlId: string;
  /** MSH-11; default P, production. */
  readonly processingId?: RepetitionValue;
  readonly version: string;
  /** MSH-18, a name of table 0211; default `UNICODE UTF-8`. */
  readonly charset?: string;
  /** Any other field of MSH, by its number. */
  readonly fields?: FieldValues;
}

/** The greatest field number that may be given: a slip of the pen must not write a megabyte of separators. */
const greatestField = 999;

export class MessageBuilder {
  readonly #delimiters: Delimiters;
  readonly #label: string;
  #text: string;

  /** @throws RangeError when the charset is unknown */
  constructor(header: HeaderValues, delimiters: Delimiters = standardDelimiters) {
    const charset = header.charset ?? 'UNICODE UTF-8';
    const label = charsetLabel(charset);
    if (label === undefined) {
      throw new RangeError(`"${charset}" is no character set of HL7 table 0211 that can be written`);
    }
    this.#delimiters = delimiters;
    this.#label = label === 'utf-16' ? 'utf-16le' : label;
    const values: FieldValues = {
      3: header.sendingApplication,
      4: header.sendingFacility,
      5: header.receivingApplication,
      6: header.receivingFacility,
      7: header.time,
      9: header.type,
      10: header.controlId,
      11: header.processingId ?? 'P',
      12: header.version,
      18: charset,
      ...header.fields,
    };
    const { field, component, repetition, escape: mark, subcomponent, truncation = '' } = delimiters;
    const fields = writeFields(values, delimiters).slice(2);
    this.#text = `${['MSH', component + repetition + mark + subcomponent + truncation, ...fields].join(field)}\r`;
  }

  /**
   * Adds a segment.
   *
   * @throws RangeError when the name is not three capitals or digits, or a field number is not from 1 to 999
   */
  segment(name: string, values: FieldValues): this {
    this.#text += writeSegment(name, values, this.#delimiters);
    return this;
  }

  /** The message, every segment ended by CR. */
  toString(): string {
    return this.#text;
  }

  /**
   * The message in its charset.
   *
   * @throws RangeError when a character has no place in it
   */
  toBytes(): Uint8Array {
    const bytes = encodeText(this.#text, this.#label);
    if (bytes === undefined) {
      throw new RangeError(`The message has characters that ${this.#label} has not; use UNICODE UTF-8`);
    }
    return bytes;
  }
}

/**
 * One segment, ended by CR.
 *
 * @throws RangeError when the name is not three capitals or digits, or a field number is not from 1 to 999
 */
export function writeSegment(name: string, values: FieldValues, delimiters: Delimiters): string {
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) {
    throw new RangeError(`"${name}" is no segment name`);
  }
  return `${[name, ...writeFields(values, delimiters)].join(delimiters.field)}\r`;
}

/** Fields 1 to the last that is not empty, written. */
function writeFields(values: FieldValues, delimiters: Delimiters): string[] {
  const fields: string[] = [];
  for (const key of Object.keys(values)) {
    const number = Number(key);
    if (!Number.isInteger(number) || number < 1 || number > greatestField) {
      throw new RangeError(`${key} is no field number`);
    }
    while (fields.length < number) fields.push('');
    fields[number - 1] = writeField((values as Readonly<Record<string, FieldValue>>)[key], delimiters);
  }
  return withoutEmptyTail(fields);
}

/** One field in the text of a message. */
export function writeField(value: FieldValue, delimiters: Delimiters): string {
  if (typeof value === 'object' && value !== null && 'repetitions' in value) {
    return value.repetitions.map((each) => writeRepetition(each, delimiters)).join(delimiters.repetition);
  }
  return writeRepetition(value, delimiters);
}

function writeRepetition(value: RepetitionValue, delimiters: Delimiters): string {
  if (!isList(value)) {
    return writeLeaf(value, delimiters);
  }
  const components = value.map((component) =>
    isList(component)
      ? withoutEmptyTail(component.map((leaf) => writeLeaf(leaf, delimiters))).join(delimiters.subcomponent)
      : writeLeaf(component, delimiters),
  );
  return withoutEmptyTail(components).join(delimiters.component);
}

/** One leaf in the text of a message. */
export function writeLeaf(value: LeafValue, delimiters: Delimiters): string {
  if (value === null) {
    return deleteValue;
  }
  return value === undefined ? '' : escapeText(String(value), delimiters);
}

function isList<T>(value: LeafValue | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function withoutEmptyTail(parts: string[]): string[] {
  let length = parts.length;
  while (length > 0 && parts[length - 1] === '') length--;
  parts.length = length;
  return parts;
}
