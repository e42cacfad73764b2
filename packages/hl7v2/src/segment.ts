/**
 * One segment of a message (HL7 v2.8 chapter 2, section 2.5.2), split into fields when first read.
 */
import { Field, type Reading } from './field.ts';

/** The segments whose first field is the field separator itself. */
const headerNames: ReadonlySet<string> = new Set(['MSH', 'BHS', 'FHS']);

export class Segment {
  /** Three characters; of a line that has no proper segment name, the first ones. */
  readonly name: string;
  /** 1-based among the segments of this name. */
  readonly occurrence: number;
  /** 0-based among all segments of the message. */
  readonly index: number;
  /** The segment as written, without its terminator. */
  readonly raw: string;
  /** Where the segment begins in the decoded text of the message. */
  readonly offset: number;
  readonly #reading: Reading;
  #fields: string[] | undefined;

  constructor(raw: string, name: string, occurrence: number, index: number, offset: number, reading: Reading) {
    this.raw = raw;
    this.name = name;
    this.occurrence = occurrence;
    this.index = index;
    this.offset = offset;
    this.#reading = reading;
  }

  /** True for MSH, BHS and FHS. */
  get isHeader(): boolean {
    return headerNames.has(this.name);
  }

  /** The number of the last field written. */
  get fieldCount(): number {
    return this.#split().length - 1;
  }

  /** Field `n` of the standard; an empty field when it is not written. */
  field(n: number): Field {
    return new Field(this.rawField(n), this.#reading, n <= 2 && this.isHeader);
  }

  /** The text of field `n` as written; empty when it is not. */
  rawField(n: number): string {
    return (n > 0 ? this.#split()[n] : undefined) ?? '';
  }

  /** MSH-1 of the message. */
  get fieldSeparator(): string {
    return this.#reading.delimiters.field;
  }

  /** The characters meant by a raw leaf of this segment. */
  decode(raw: string): string {
    return this.#reading.decode(raw);
  }

  /** Element `n` is field `n`; element 0 is the name. */
  #split(): string[] {
    if (this.#fields === undefined) {
      const separator = this.#reading.delimiters.field;
      const fields = this.raw.split(separator);
      if (this.isHeader) {
        fields.splice(1, 0, separator);
      }
      this.#fields = fields;
    }
    return this.#fields;
  }
}
