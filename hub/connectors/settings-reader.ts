/** Reading settings as somebody wrote them, member by member: what is wrong is named, and what nobody asked for too. */
import { isAbsolute } from 'node:path';
import { RecordError } from '../record/index.ts';

type Body = { [name: string]: unknown };

/** Reads members, and notes which were asked for: any other is a mistake. */
export class Reader {
  readonly #body: Body;
  readonly #where: string;
  readonly #known = new Set<string>();

  constructor(body: Body, where = '') {
    this.#body = body;
    this.#where = where === '' ? '' : `${where}.`;
  }

  has(name: string): boolean {
    this.#known.add(name);
    return this.#body[name] !== undefined && this.#body[name] !== null && this.#body[name] !== '';
  }

  optional(name: string, longest: number): string | undefined {
    return this.has(name) ? this.text(name, longest) : undefined;
  }

  text(name: string, longest: number): string {
    this.#known.add(name);
    const value = this.#body[name];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= longest) return value;
    throw this.#wrong(name, `a text of at most ${longest} characters`);
  }

  matching(name: string, form: RegExp, words: string): string {
    const value = this.text(name, 1_000);
    if (form.test(value)) return value;
    throw this.#wrong(name, words);
  }

  texts(name: string): string[] {
    this.#known.add(name);
    const value = this.#body[name];
    const isList = Array.isArray(value) && value.length <= 500;
    if (isList && value.every((one) => typeof one === 'string' && one !== '' && one.length <= 200)) return value;
    throw this.#wrong(name, 'a list of texts');
  }

  integer(name: string, least: number, most: number, fallback: number): number {
    if (!this.has(name)) return fallback;
    const value = this.#body[name];
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw this.#wrong(name, `a whole number from ${least} to ${most}`);
  }

  flag(name: string, fallback: boolean): boolean {
    if (!this.has(name)) return fallback;
    const value = this.#body[name];
    if (typeof value === 'boolean') return value;
    throw this.#wrong(name, 'true or false');
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T | undefined): T {
    if (!this.has(name) && fallback !== undefined) return fallback;
    const value = values.find((one) => one === this.#body[name]);
    if (value !== undefined) return value;
    throw this.#wrong(name, `one of ${values.join(', ')}`);
  }

  address(name: string): string {
    const value = this.text(name, 500);
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isPlain =
      url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
    if (isPlain) return value;
    throw this.#wrong(name, 'an http address, without credentials and query');
  }

  file(name: string): string | undefined {
    const path = this.optional(name, 1_000);
    if (path === undefined || isAbsolute(path)) return path;
    throw this.#wrong(name, 'the absolute path of a file');
  }

  object(name: string): Body | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#body[name];
    if (typeof value === 'object' && !Array.isArray(value)) return value as Body;
    throw this.#wrong(name, 'an object');
  }

  /** @throws RecordError where there is something that nobody asked for */
  done(): void {
    const unknown = Object.keys(this.#body).find((name) => !this.#known.has(name));
    if (unknown === undefined) return;
    const known = [...this.#known].join(', ');
    const text = `${this.#where}${unknown.slice(0, 60)} is unknown; known are ${known}.`;
    throw new RecordError(400, 'structure', text, `${this.#where}${unknown.slice(0, 60)}`);
  }

  #wrong(name: string, right: string): RecordError {
    return wrong(`${this.#where}${name}`, right);
  }
}

export function wrong(where: string, right: string): RecordError {
  return new RecordError(400, 'value', `${where} must be ${right}.`, where);
}

/** An object without the members that are undefined. */
export function without<T extends object>(object: T): { [name in keyof T]?: Exclude<T[name], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
