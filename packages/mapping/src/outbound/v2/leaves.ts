/** Single leaves of a message read out of resources by the targets of its ledger. */
import { codeForCoding, isConceptSystem } from '../../v2/vocabularies.ts';
import { codeLeaf, extensionLeaf } from './leaf-codes.ts';
import type { Place } from './places.ts';
import { type Element, isElement, type OutboundRecord, textOf } from './record.ts';
import { birthTime } from './segments/patient.ts';
import { codeSystem } from './values/coded.ts';
import { decoded, universalOf } from './values/identifiers.ts';
import { nameWithin } from './values/locations.ts';
import { writeBoolean, writeDateTime, writeTime } from './values/primitives.ts';
import { isSpelling } from './values/quantities.ts';

/** Elements that hold a leaf as it was, unless several leaves were joined in them. */
const VERBATIM = new Set(
  (
    'value data display code text family given prefix suffix line city state district postalCode country name title url ' +
    'version lotNumber serialNumber carrierHRF issuer description valueString valueCode deviceName alias manufacturer ' +
    'modelNumber language unit currency comment conclusion valueUri onsetString software'
  ).split(' '),
);
const TIME =
  /^(start|end|birthDate|date|issued|recorded|expiry|time|authoredOn|receivedTime|when\w+|created|\w*[dD]ateTime|\w+Date)$/;

export class LeafReader {
  readonly #record: OutboundRecord;
  readonly #naming: { origin: string; relayed: boolean };
  readonly #repetitions = new Map<string, Place[]>();
  /** Data of attachments that are texts, by target. */
  readonly #decoded = new Map<string, string>();

  /** @param places all of the message, so that it is known which leaves share an element */
  constructor(record: OutboundRecord, naming: { origin: string; relayed: boolean }, places: readonly Place[]) {
    this.#record = record;
    this.#naming = naming;
    for (const place of places) {
      if (place.disposition !== 'mapped') continue;
      const key = repetitionOf(place);
      const known = this.#repetitions.get(key);
      if (known === undefined) this.#repetitions.set(key, [place]);
      else known.push(place);
    }
  }

  /** What the atom said; undefined where no element says it by itself. */
  leaf(place: Place): string | undefined {
    if (place.disposition !== 'mapped') return undefined;
    const found = this.#find(place.target);
    if (found === undefined) return undefined;
    const { value, holder, member } = found;
    if (place.part !== undefined) return this.#partOf(place.part, place.target, member, value);
    if (member === 'extension') return extensionLeaf(place, holder);
    if (member === 'code' && isConceptSystem(textOf(holder, 'system'))) return codeForCoding(holder);
    if (typeof value === 'number') return String(value);
    if (typeof value === 'boolean') return writeBoolean(value);
    if (typeof value !== 'string') return textOf(value, 'text');
    if (member === 'birthDate') return birthTime(holder);
    if (member === 'timeOfDay' || member === 'valueTime') return writeTime(value);
    if (TIME.test(member) || (place.segment === 'SFT' && place.field === 6)) return writeDateTime(value);
    const code = codeLeaf(place, holder, member, value);
    if (code !== undefined) return code;
    if (member === 'system') return this.#system(holder, value);
    if (member === 'code' && isSpelling(holder) && !this.#siblings(place).some(isUnitText))
      return textOf(holder, 'unit');
    if (member === 'endpoint') return endpointLeaf(value);
    if (member === 'value' && holder.system === 'urn:ietf:rfc:3986') return String(universalOf(value)[0] ?? '');
    if (!VERBATIM.has(member)) return undefined;
    return member === 'name' && holder.resourceType === 'Location' ? nameWithin(holder, this.#record) : value;
  }

  /** An atom's part of a text that several are joined in. */
  #partOf(part: readonly [number, number], target: string, member: string, value: unknown): string | undefined {
    const text = typeof value === 'string' ? value : textOf(value, 'text');
    if (text === undefined || member !== 'data') return text?.slice(...part);
    let lines = this.#decoded.get(target);
    if (lines === undefined) {
      lines = Buffer.from(text, 'base64').toString('utf8');
      this.#decoded.set(target, lines);
    }
    return lines.slice(...part);
  }

  #siblings(place: Place): readonly Place[] {
    return this.#repetitions.get(repetitionOf(place))!;
  }

  #find(target: string): { value: unknown; holder: Element; member: string } | undefined {
    const [reference = '', path = ''] = target.split('#');
    let holder = this.#record.resolve({ reference });
    const steps = path.replace(/\[(\d+)\]/g, '.$1').split('.');
    const member = steps.findLast((step) => !/^\d+$/.test(step)) ?? '';
    let value: unknown = holder;
    for (const step of steps) {
      if (value === null || typeof value !== 'object') return undefined;
      if (isElement(value)) holder = value;
      const next: unknown = (value as Record<string, unknown>)[step];
      value = next === undefined && isElement(holder?.identifier) ? holder.identifier[step] : next;
    }
    return value === undefined || holder === undefined ? undefined : { value, holder, member };
  }

  #system(holder: Element, system: string): string | undefined {
    const isCoding = holder.code !== undefined || holder.display !== undefined;
    if (isCoding) return codeSystem(system, { record: this.#record, ...this.#naming });
    return String(universalOf(system)[0] ?? '') || undefined;
  }
}

function repetitionOf({ segment, occurrence, field, repetition }: Place): string {
  return `${segment}${occurrence}-${field}[${repetition}]`;
}

function isUnitText({ target }: Place): boolean {
  return target.endsWith('.unit') || target.endsWith('#unit');
}

/** A name of ours for an application without an address, or its address. */
function endpointLeaf(endpoint: string): string | undefined {
  const local = /^urn:causeway:application:[^:]*:(.+)$/.exec(endpoint)?.[1];
  return local === undefined ? String(universalOf(endpoint)[0] ?? '') : decoded(local);
}
