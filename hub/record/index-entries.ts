/**
 * What a resource is found by: rows of `index_token`, `index_range` and `index_string`, from the values that
 * `@causeway/fhir` extracts. `hub/record/search` asks for the same hashes. In the database they are keyed (`IndexKey`); here
 * none is yet.
 */
import { canonicalQuantity, extract, type IndexValue, type ScannedResource } from '@causeway/fhir';
import { hash64, parameterNumber, referenceHash, ridOf, tokenHash, valueHash } from './keys.ts';

/** What a resource is found by. */
export interface IndexEntries {
  /** Rows of `index_token`; kept with the resource too. */
  tokens: bigint[];
  /** Hashes that are kept with the resource only: which parameters have a value, and of which systems. */
  markers: bigint[];
  ranges: RangeEntry[];
  strings: { param: bigint; value: string }[];
}

interface RangeEntry {
  param: bigint;
  low: number;
  high: number;
  unit: bigint | undefined;
  /** Where in its index the row lies; see `quantityStep`. */
  step: number;
}

/** Those of a resource that is found by nothing. */
export const noEntries: IndexEntries = { tokens: [], markers: [], ranges: [], strings: [] };

/** The form of all these rows; a database of an older one is indexed anew at the next start. */
export const indexFormat = 4;

/** Longer strings are found by their beginning; a b-tree entry has room for some 2 700 bytes. */
export const indexedCharacters = 500;

/** More combinations of spellings than this come from no composite value. */
const maximumSpellings = 16;

/** The index entries of a resource. @param only the codes of the parameters that are wanted; all, when left out */
export function indexEntries(
  scanned: Pick<ScannedResource, 'resourceType' | 'value'>,
  only?: ReadonlySet<string>,
): IndexEntries {
  const type = scanned.resourceType;
  const found = new Collected(type);
  for (const value of extract(scanned.value)) {
    if (only === undefined || only.has(value.param)) found.add(value);
  }
  if (type === 'Location' && (only === undefined || only.has('near'))) {
    found.addPosition((scanned.value as { position?: { latitude?: unknown; longitude?: unknown } }).position);
  }
  return found.entries();
}

/** The index entries that values of a resource of a type make. */
export function entriesOf(type: string, values: readonly IndexValue[]): IndexEntries {
  const found = new Collected(type);
  for (const value of values) found.add(value);
  return found.entries();
}

// Markers begin with `|`, so that none is the hash of a row.

/** The marker that says a parameter has a value at all (`:missing`). */
export function presenceHash(type: string, code: string): bigint {
  return valueHash(`|${type}.${code}?`);
}

/** The marker that says a token parameter has a code of a system (`system|`). */
export function systemHash(type: string, code: string, system: string): bigint {
  return valueHash(`|${type}.${code}:system=${system}`);
}

/** The marker that says a token's code is of this system, empty where none is said (`system|code`, `|code`). */
export function codedHash(type: string, code: string, system: string, value: string): bigint {
  return valueHash(`|${type}.${code}=${system}|${value}`);
}

/** The marker of an identifier with its type (`:of-type`); `spelling` is `system|code` of the type or its code. */
export function typedHash(type: string, code: string, spelling: string, value: string): bigint {
  return valueHash(`|${type}.${code}:of-type=${spelling}|${value}`);
}

/** The hash of the value of a logical reference (`:identifier`). */
export function logicalHash(type: string, code: string, value: string): bigint {
  return valueHash(`${type}.${code}:identifier=${value}`);
}

/** The marker that says a logical reference's value is of this system, empty where none is said. */
export function logicalSystemHash(type: string, code: string, system: string, value: string): bigint {
  return valueHash(`|${type}.${code}:identifier=${system}|${value}`);
}

/** `index_range.unit`: of a quantity's code or unit, whatever its system. */
export function unitHash(unit: string): bigint {
  return hash64(`unit=${unit}`);
}

/** The parameter under which a quantity lies in the base units of its kind; its `unit` is that of the base units. */
export function canonicalNumber(type: string, code: string): bigint {
  return parameterNumber(type, `${code}~canonical`);
}

/** The parameter under which a quantity lies whose unit is of another system than UCUM; its `unit` is `system|code`. */
export function systemNumber(type: string, code: string): bigint {
  return parameterNumber(type, `${code}~system`);
}

/** The parameter of a composite's last component, after the spellings of those before it. */
export function compositeCode(code: string, spellings: readonly string[]): string {
  return `${code}$${spellings.join('$')}`;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const highHalf = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** What of a number's upper half is finer than a step: all but sign, exponent and six bits of the mantissa. */
const finer = 2 ** 14 - 1;

/**
 * The beginning of the step that a quantity lies in; steps are a sixty-fourth to a hundred-and-twenty-eighth of their
 * value wide. Rows of `index_range` lie by steps and, within, by home: those written after each other lie together.
 */
export function quantityStep(value: number): number {
  double[0] = value;
  const upper = halves[highHalf]!;
  const isCut = (upper & finer) !== 0 || halves[1 - highHalf] !== 0;
  halves[highHalf] = (upper & ~finer) + (isCut && value < 0 ? finer + 1 : 0);
  halves[1 - highHalf] = 0;
  return double[0]!;
}

/** The parameters under which the latitude and the longitude of a place lie. */
export const positionCodes = { latitude: 'near~latitude', longitude: 'near~longitude' } as const;

const ucum = 'http://unitsofmeasure.org';

class Collected {
  readonly #type: string;
  readonly #tokens = new Set<bigint>();
  readonly #markers = new Set<bigint>();
  readonly #ranges: RangeEntry[] = [];
  readonly #strings = new Map<string, { param: bigint; value: string }>();

  constructor(type: string) {
    this.#type = type;
  }

  add(value: IndexValue): void {
    if (value.kind === 'composite') {
      this.#addComposite(value.param, value.components);
      return;
    }
    this.#markers.add(presenceHash(this.#type, value.param));
    this.#addValue(value.param, value);
  }

  addPosition(position: { latitude?: unknown; longitude?: unknown } | undefined): void {
    const { latitude, longitude } = position ?? {};
    if (typeof latitude !== 'number' || typeof longitude !== 'number') return;
    this.#markers.add(presenceHash(this.#type, 'near'));
    this.#addRange(parameterNumber(this.#type, positionCodes.latitude), latitude, latitude);
    this.#addRange(parameterNumber(this.#type, positionCodes.longitude), longitude, longitude);
  }

  entries(): IndexEntries {
    return {
      tokens: [...this.#tokens],
      markers: [...this.#markers],
      ranges: this.#ranges,
      strings: [...this.#strings.values()],
    };
  }

  #addValue(code: string, value: IndexValue): void {
    const type = this.#type;
    switch (value.kind) {
      case 'token':
        this.#addToken(code, value);
        break;
      case 'uri':
        this.#tokens.add(tokenHash(type, code, value.value));
        break;
      case 'reference':
        if (value.type && value.id) this.#tokens.add(referenceHash(type, code, value.type, ridOf(value.id)));
        else if (value.url) {
          this.#tokens.add(tokenHash(type, code, value.url));
          if (value.canonicalVersion) this.#tokens.add(tokenHash(type, code, `${value.url}|${value.canonicalVersion}`));
        }
        if (value.identifier) {
          const { system, value: identifier } = value.identifier;
          this.#tokens.add(logicalHash(type, code, identifier));
          this.#markers.add(logicalSystemHash(type, code, system ?? '', identifier));
        }
        break;
      case 'date':
        this.#addRange(parameterNumber(type, code), value.low, value.high);
        break;
      case 'number':
        this.#addRange(parameterNumber(type, code), value.low, value.high);
        break;
      case 'quantity':
        this.#addQuantity(code, value);
        break;
      case 'string':
        this.#addString(code, value.normalized);
        break;
    }
  }

  /** One row for the code; of which system and type it is, is told by markers. */
  #addToken(code: string, { system, code: value, types }: Extract<IndexValue, { kind: 'token' }>): void {
    const type = this.#type;
    if (system !== undefined) this.#markers.add(systemHash(type, code, system));
    if (value === undefined) return;
    this.#tokens.add(tokenHash(type, code, value));
    this.#markers.add(codedHash(type, code, system ?? '', value));
    for (const { system: of, code: kind } of types ?? []) {
      this.#markers.add(typedHash(type, code, `${of ?? ''}|${kind}`, value));
      if (of !== undefined) this.#markers.add(typedHash(type, code, kind, value));
    }
  }

  #addQuantity(code: string, value: Extract<IndexValue, { kind: 'quantity' }>): void {
    const { low, high, system } = value;
    const names = new Set([value.code, value.unit].filter((name) => name !== undefined));
    const number = parameterNumber(this.#type, code);
    const step = quantityStep(low);
    if (names.size === 0) this.#addRange(number, low, high, undefined, step);
    for (const name of names) this.#addRange(number, low, high, unitHash(name), step);
    if (value.code === undefined) return;
    const bounds = system === ucum ? canonicalBounds(low, high, value.code) : undefined;
    if (bounds) {
      const { low, high, unit } = bounds;
      this.#addRange(canonicalNumber(this.#type, code), low, high, unitHash(unit), quantityStep(low));
    } else if (system !== undefined) {
      this.#addRange(systemNumber(this.#type, code), low, high, unitHash(`${system}|${value.code}`), step);
    }
  }

  #addRange(param: bigint, low: number, high: number, unit?: bigint, step = low): void {
    this.#ranges.push({ param, low, high, unit, step });
  }

  #addString(code: string, normalized: string): void {
    const param = parameterNumber(this.#type, code);
    const key = `${param} ${normalized}`;
    if (this.#strings.has(key)) return;
    this.#strings.set(key, {
      param,
      value: normalized.slice(0, indexedCharacters),
    });
  }

  /** All but the last component become part of the parameter's name; two numbers at the end are one range. */
  #addComposite(code: string, components: readonly IndexValue[]): void {
    const [first, ...rest] = components;
    const spellings = first ? spellingsOf(first).slice(0, maximumSpellings) : [];
    const last = rest.at(-1);
    if (!last) return;
    for (const spelling of spellings) {
      const named = compositeCode(code, [spelling]);
      const [low, high] = rest;
      if (rest.length === 2 && low?.kind === 'number' && high?.kind === 'number') {
        this.#addRange(parameterNumber(this.#type, named), low.low, high.high);
      } else if (rest.length === 1) {
        this.#addValue(named, last);
      }
    }
  }
}

/** The spellings under which a value may be asked for exactly. */
export function spellingsOf(value: IndexValue): string[] {
  if (value.kind === 'token') return tokenSpellings(value);
  if (value.kind === 'uri') return [value.value];
  if (value.kind === 'reference') {
    if (value.type && value.id) return [`${value.type}/${ridOf(value.id)}`];
    return value.url === undefined ? [] : [value.url];
  }
  return [];
}

function tokenSpellings(value: { system?: string; code?: string }): string[] {
  return value.code === undefined ? [] : [value.code, `${value.system ?? ''}|${value.code}`];
}

/** The ends of a range of quantities in base units; undefined for units that are not understood. */
export function canonicalBounds(
  low: number,
  high: number,
  code: string,
): { low: number; high: number; unit: string } | undefined {
  const unit = canonicalQuantity(1, code)?.unit;
  if (unit === undefined) return undefined;
  const convert = (value: number) =>
    Math.abs(value) === Number.MAX_VALUE || !Number.isFinite(value) ? value : canonicalQuantity(value, code)?.value;
  const [from, to] = [convert(low), convert(high)];
  return from === undefined || to === undefined ? undefined : { low: from, high: to, unit };
}
