/**
 * Whether a value of the source really stands where a ledger says it was mapped to. The check knows nothing of the
 * mapping: it looks for the value, or for one of the few forms listed here and in known-codes.ts, among the leaves of
 * the target element, then of the whole target resource.
 */
import type { Resource } from '@medplum/fhirtypes';
import { isKnownForm } from './known-codes.ts';

/**
 * - `there`: the value is in the element the ledger names;
 * - `elsewhere`: only in another element of that resource;
 * - `absent`: nowhere in it, or there is no such resource: the ledger's claim is false.
 */
export type Presence = 'there' | 'elsewhere' | 'absent';

/** The resources of one conversion, ready to be searched for values. */
export class Output {
  readonly #resources = new Map<string, Resource>();
  readonly #leaves = new Map<unknown, string[]>();

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) this.#resources.set(`${resource.resourceType}/${resource.id}`, resource);
  }

  /**
   * @param target as in a ledger: `Patient/<id>#name[0].family`
   * @param part which characters of the target's text are said to be the value's
   */
  presence(value: string, target: string, part?: readonly [from: number, to: number]): Presence {
    const [key = '', path = ''] = target.split('#');
    const resource = this.#resources.get(key);
    if (resource === undefined) return 'absent';
    const element = elementAt(resource, path);
    if (part !== undefined) return textsOf(element).some((text) => isPart(text, part, value)) ? 'there' : 'absent';
    if (element !== undefined && this.#holds(element, value, path)) return 'there';
    return this.#holds(resource, value, path) ? 'elsewhere' : 'absent';
  }

  #holds(value: unknown, sought: string, path: string): boolean {
    let leaves = typeof value === 'object' ? this.#leaves.get(value) : undefined;
    if (leaves === undefined) {
      leaves = [...leavesOf(value)].flatMap((leaf) => [leaf, ...textInBase64(leaf)]);
      if (typeof value === 'object') this.#leaves.set(value, leaves);
    }
    return leaves.some((leaf) => saysTheSame(leaf, sought)) || leaves.some((leaf) => isKnownForm(sought, leaf, path));
  }
}

/** The element at a path such as `name[0].given[1]`; undefined when there is none. */
export function elementAt(resource: unknown, path: string): unknown {
  let at = resource;
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

/** The text of an element that several values may be joined in. */
function textsOf(element: unknown): string[] {
  const text = typeof element === 'object' ? elementAt(element, 'text') : element;
  return typeof text === 'string' ? [text, ...textInBase64(text)] : [];
}

function isPart(text: string, [from, to]: readonly [from: number, to: number], value: string): boolean {
  const part = text.slice(from, to);
  return part.trim() !== '' && saysTheSame(part, value);
}

/** Every string, number and boolean of a value, as text. */
export function* leavesOf(value: unknown): Generator<string> {
  if (value === null || value === undefined) return;
  if (typeof value !== 'object') yield String(value);
  else for (const member of Object.values(value)) yield* leavesOf(member);
}

/** What a leaf says when it is text in base64, as attachments are. */
function textInBase64(leaf: string): string[] {
  if (leaf.length < 4 || leaf.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(leaf)) return [];
  const text = Buffer.from(leaf, 'base64').toString('utf8');
  return text.includes('\uFFFD') ? [] : [text];
}

/** Whether a leaf of the output carries the value: as it is, as a date, number, phone number or part of a text. */
export function saysTheSame(leaf: string, value: string): boolean {
  if (leaf === value) return true;
  if (isNumber(leaf) && isNumber(value)) return Number(leaf) === Number(value);
  if (isDate(value) && /^\d{4}-/.test(leaf)) return sameTime(leaf, value);
  const [a, b] = [squeezed(leaf), squeezed(value)];
  if (b === '') return leaf.includes(value.trim());
  if (a === b) return true;
  if (digits(value).length >= 7 && digits(value) === digits(leaf)) return true;
  return b.length > 3 ? a.includes(b) : ` ${wordsOf(leaf).join(' ')} `.includes(` ${wordsOf(value).join(' ')} `);
}

/** Letters and digits alone, in lower case: markup, escapes and blanks carry no value. */
function squeezed(text: string): string {
  return wordsOf(text).join('');
}

/** The scheme of a `mailto:` or `tel:`, markup and escapes of XHTML and URIs are forms, not content. */
function wordsOf(text: string): string[] {
  return unescaped(text.replace(/<[^>]*>/g, '').replace(/^(mailto|tel|fax):/i, ''))
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function unescaped(text: string): string {
  const plain = text.replace(/&(amp|lt|gt|quot|apos);/g, ' ');
  if (!plain.includes('%')) return plain;
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

function digits(text: string): string {
  return text.replace(/\D/g, '');
}

function isNumber(text: string): boolean {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text);
}

/** A v2 or CDA time stamp: digits from the year on, with or without a fraction and an offset. */
function isDate(text: string): boolean {
  return /^\d{4,14}(\.\d+)?([+-]\d{1,4}|Z)?$/.test(text.trim());
}

/** The same date and, as far as both have it, the same time of day: one is a beginning of the other. */
function sameTime(leaf: string, value: string): boolean {
  const told = digits(leaf.replace(/(\.\d+)?([+-]\d{2}:\d{2}|Z)$/, ''));
  const sought = /^\d{4,14}/.exec(value.trim())![0];
  const length = Math.min(told.length, sought.length);
  return length >= 4 && told.slice(0, length) === sought.slice(0, length);
}
