/**
 * The parameters of an operation (https://hl7.org/fhir/R4/operations.html#request), read in one way from the query of a
 * GET and from the Parameters resource of a POST. What an operation does not understand is an error.
 */
import { dateRange } from '@causeway/fhir';
import type { FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import { bodyText, type FhirParts, queryOf } from './fhir-exchange.ts';
import { formParameters } from './fhir-format.ts';

/**
 * What a parameter holds: a primitive; a primitive that may be there several times; an object, by POST only; a primitive or,
 * by POST, an object.
 */
export type ParameterKind = 'one' | 'many' | 'object' | 'either';

/**
 * Reads the parameters of a request.
 * @param others what all other parameters are; left out: not understood
 * @throws RecordError 400 for those that the operation does not understand
 */
export function operationParameters(
  parts: FhirParts,
  request: FastifyRequest,
  understood: Readonly<Record<string, ParameterKind>>,
  others?: ParameterKind,
): OperationParameters {
  const read = new OperationParameters(understood, others);
  for (const [name, value] of queryOf(request)) read.add(name, value);
  const body = request.body as Buffer | undefined;
  if (request.method === 'POST' && body && body.length > 0) {
    const { value } = parts.record.scan(bodyText(request), 'Parameters');
    const { parameter = [] } = value as { parameter?: object[] };
    for (const one of parameter) read.addFrom(one);
  }
  return read;
}

export class OperationParameters {
  readonly #understood: Readonly<Record<string, ParameterKind>>;
  readonly #others: ParameterKind | undefined;
  readonly #values = new Map<string, unknown[]>();
  /** How the answer is to be written: taken by every operation, and decided where answers are sent. */
  readonly #form = new URLSearchParams();

  constructor(understood: Readonly<Record<string, ParameterKind>>, others?: ParameterKind) {
    this.#understood = understood;
    this.#others = others;
  }

  /** Adds one as it came. @throws RecordError 400 */
  add(name: string, value: unknown): void {
    if (formParameters.has(name)) {
      this.#form.append(name, String(value));
      return;
    }
    const kind = Object.hasOwn(this.#understood, name) ? this.#understood[name] : this.#others;
    const shown = name.slice(0, 100);
    if (kind === undefined) {
      const names = Object.keys(this.#understood);
      const known = names.length === 0 ? 'it takes none' : `understood here: ${names.join(', ')}`;
      throw wrong(shown, `is not one of this operation; ${known}`);
    }
    const values = this.#values.get(name) ?? [];
    if (values.length > 0 && kind !== 'many') throw wrong(shown, 'is there twice, and may be there once');
    if (value === undefined) throw wrong(shown, 'has no value');
    if (kind !== 'either' && (typeof value === 'object') !== (kind === 'object')) {
      throw wrong(
        shown,
        kind === 'object' ? 'is an object: send it in a Parameters resource' : 'has to be a primitive',
      );
    }
    this.#values.set(name, [...values, value]);
  }

  /** Adds one of a Parameters resource. @throws RecordError 400 */
  addFrom(parameter: unknown): void {
    if (typeof parameter !== 'object' || parameter === null) throw wrong('parameter', 'has no name');
    this.add(String((parameter as { name?: unknown }).name ?? ''), primitiveOrObject(parameter));
  }

  /** A text, or undefined where the parameter is not there. */
  text(name: string): string | undefined {
    const [value] = this.#values.get(name) ?? [];
    return value === undefined ? undefined : String(value);
  }

  /** All values of a parameter, those joined by commas apart. */
  list(name: string): string[] | undefined {
    const values = this.#values.get(name)?.flatMap((value) => String(value).split(','));
    return values?.filter((value) => value !== '');
  }

  /** A whole number of at least `least`; larger ones than `most` become `most`. @throws RecordError 400 */
  integer(name: string, { least, most }: { least: number; most: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw wrong(name, `must be a whole number from ${least} up`);
    return Math.min(Number(text), most);
  }

  /** true or false. @throws RecordError 400 */
  flag(name: string): boolean {
    const text = this.text(name) ?? 'false';
    if (text !== 'true' && text !== 'false') throw wrong(name, 'must be true or false');
    return text === 'true';
  }

  /** The time that a date or instant covers, in milliseconds since 1970. @throws RecordError 400 */
  time(name: string): { low: number; high: number } | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const range = dateRange(text);
    if (range) return range;
    throw wrong(name, 'must be a date or an instant, such as 2026-01-31 or 2026-01-31T09:30:00Z');
  }

  /** A primitive's text, or an object of a Parameters resource. */
  either(name: string): string | Record<string, unknown> | undefined {
    const [value] = this.#values.get(name) ?? [];
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : this.text(name);
  }

  /** An object of a Parameters resource. */
  object(name: string): Record<string, unknown> | undefined {
    return this.#values.get(name)?.[0] as Record<string, unknown> | undefined;
  }

  /** The parameters that are not named as understood. */
  rest(): URLSearchParams {
    const query = new URLSearchParams();
    for (const [name, values] of this.#values) {
      if (Object.hasOwn(this.#understood, name)) continue;
      for (const value of values) query.append(name, String(value));
    }
    return query;
  }

  /** What was understood, as a query; objects have no form there. */
  query(): URLSearchParams {
    const query = new URLSearchParams();
    for (const [name, values] of this.#values)
      for (const value of values) if (typeof value !== 'object') query.append(name, String(value));
    for (const [name, value] of this.#form) query.append(name, value);
    return query;
  }
}

/** The value of a Parameters.parameter, whatever its type. */
function primitiveOrObject(parameter: object): unknown {
  for (const [name, value] of Object.entries(parameter)) {
    if (name === 'resource' || name.startsWith('value')) return value;
  }
  return undefined;
}

function wrong(name: string, what: string): RecordError {
  return new RecordError(400, 'invalid', `The parameter ${name} ${what}.`, name);
}
