/**
 * Typed access below a segment (HL7 v2.8 chapter 2, section 2.5): field, repetition, component, sub-component, all
 * numbered from 1 as the standard numbers them. Views are made when asked for and decode when read. A place that is
 * not there reads as empty.
 */
import type { Delimiters } from './delimiters.ts';

/** What a view needs of its message: how to split, and how to read a raw leaf. */
export interface Reading {
  readonly delimiters: Delimiters;
  /** Raw leaf to the characters meant. */
  decode(raw: string): string;
}

/** The value that tells the receiver to delete what it knows (section 2.5.3). */
export const deleteValue = '""';

export class Field {
  readonly raw: string;
  readonly #reading: Reading;
  /** MSH-1 and MSH-2 hold delimiters: they have one repetition, one component and are never split or unescaped. */
  readonly #literal: boolean;
  #repetitions: readonly Repetition[] | undefined;

  constructor(raw: string, reading: Reading, literal = false) {
    this.raw = raw;
    this.#reading = reading;
    this.#literal = literal;
  }

  /** No characters at all: the receiver leaves what it knows. */
  get isEmpty(): boolean {
    return this.raw === '';
  }

  /** Exactly `""`: the receiver deletes what it knows. */
  get isNull(): boolean {
    return this.raw === deleteValue;
  }

  /** Every repetition, the empty ones between delimiters included; none when the field is empty. */
  get repetitions(): readonly Repetition[] {
    if (this.#repetitions === undefined) {
      const parts =
        this.#literal || this.raw === '' ? [this.raw] : split(this.raw, this.#reading.delimiters.repetition);
      const made = parts.map((part) => new Repetition(part, this.#reading, this.#literal));
      this.#repetitions = this.raw === '' ? [] : made;
    }
    return this.#repetitions;
  }

  /** The first repetition, an empty one when there is none. */
  get first(): Repetition {
    return this.repetitions[0] ?? new Repetition('', this.#reading, false);
  }
}

export class Repetition {
  readonly raw: string;
  readonly #reading: Reading;
  readonly #literal: boolean;
  #components: readonly string[] | undefined;

  constructor(raw: string, reading: Reading, literal: boolean) {
    this.raw = raw;
    this.#reading = reading;
    this.#literal = literal;
  }

  get isEmpty(): boolean {
    return this.raw === '';
  }

  get isNull(): boolean {
    return this.raw === deleteValue;
  }

  get componentCount(): number {
    return this.raw === '' ? 0 : this.#split().length;
  }

  component(n: number): Component {
    return new Component(this.#split()[n - 1] ?? '', this.#reading, this.#literal);
  }

  /** The whole repetition unescaped, its component delimiters standing. */
  get text(): string {
    return this.#literal ? this.raw : this.#reading.decode(this.raw);
  }

  #split(): readonly string[] {
    this.#components ??= this.#literal ? [this.raw] : split(this.raw, this.#reading.delimiters.component);
    return this.#components;
  }
}

export class Component {
  readonly raw: string;
  readonly #reading: Reading;
  readonly #literal: boolean;

  constructor(raw: string, reading: Reading, literal: boolean) {
    this.raw = raw;
    this.#reading = reading;
    this.#literal = literal;
  }

  get isEmpty(): boolean {
    return this.raw === '';
  }

  get isNull(): boolean {
    return this.raw === deleteValue;
  }

  get subCount(): number {
    return this.raw === '' ? 0 : this.#split().length;
  }

  /** The decoded text of a sub-component; empty when it is not there. */
  sub(n: number): string {
    const raw = this.#split()[n - 1] ?? '';
    return this.#literal ? raw : this.#reading.decode(raw);
  }

  /** The decoded text of the first sub-component. */
  get text(): string {
    return this.sub(1);
  }

  #split(): readonly string[] {
    return this.#literal ? [this.raw] : split(this.raw, this.#reading.delimiters.subcomponent);
  }
}

/** Splits at a delimiter that the message may not have declared. */
export function split(raw: string, delimiter: string): string[] {
  return delimiter === '' ? [raw] : raw.split(delimiter);
}
