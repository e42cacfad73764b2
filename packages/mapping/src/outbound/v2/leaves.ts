/** Single leaves of a message read out of resources by the targets of its ledger. */
import { codeForCoding, isConceptSystem } from '../../v2/vocabularies.ts';
import { codeLeaf, extensionLeaf } from './leaf-codes.ts';
import type { Place } from './places.ts';
import { type Element, extensionOf, isElement, type OutboundRecord, textOf } from './record.ts';
import { birthTime } from './segments/patient.ts';
import { codeSystem } from './values/coded.ts';
import { decoded, universalOf } from './values/identifiers.ts';
import { partsOfName } from './values/parties.ts';
import { writeBoolean, writeDateTime } from './values/primitives.ts';
import { isSpelling } from './values/quantities.ts';

/** Elements that hold a leaf as it was, unless several leaves were joined in them. */
const VERBATIM = new Set(
  (
    'value display code text family given prefix suffix line city state district postalCode country name title url ' +
    'version lotNumber serialNumber carrierHRF issuer description valueString valueCode deviceName alias manufacturer ' +
    'modelNumber language unit currency comment conclusion valueUri onsetString software'
  ).split(' '),
);
const TIME =
  /^(start|end|birthDate|date|issued|recorded|expiry|time|authoredOn|receivedTime|when\w+|created|\w*[dD]ateTime|\w+Date)$/;

export class LeafReader {
  readonly #record: OutboundRecord;
  readonly #naming: { origin: string; relayed: boolean };
  readonly #joined = new Map<string, Place[]>();

  /** @param places all of the message, so that it is known which leaves share an element */
  constructor(record: OutboundRecord, naming: { origin: string; relayed: boolean }, places: readonly Place[]) {
    this.#record = record;
    this.#naming = naming;
    for (const place of places) {
      if (place.disposition !== 'mapped') continue;
      const key = groupOf(place);
      const group = this.#joined.get(key);
      if (group === undefined) this.#joined.set(key, [place]);
      else group.push(place);
    }
  }

  /** What the atom said; undefined where no element says it by itself. */
  leaf(place: Place): string | undefined {
    if (place.disposition !== 'mapped') return undefined;
    const target = this.#ownTarget(place);
    const found = this.#find(target ?? place.target);
    if (found === undefined) return undefined;
    const { value, holder, member } = found;
    if (member === 'extension') return extensionLeaf(place, holder);
    if (member === 'code' && isConceptSystem(textOf(holder, 'system'))) return codeForCoding(holder);
    if (typeof value === 'number') return String(value);
    if (typeof value === 'boolean') return writeBoolean(value);
    if (typeof value !== 'string') {
      const text = textOf(value, 'text');
      return text === undefined ? undefined : this.#part(place, text);
    }
    if (member === 'birthDate') return birthTime(holder);
    if (TIME.test(member) || (place.segment === 'SFT' && place.field === 6)) return writeDateTime(value);
    const code = codeLeaf(place, holder, member, value);
    if (code !== undefined) return code;
    if (member === 'system') return this.#system(holder, value);
    if (member === 'code' && isSpelling(holder) && !this.#siblings(place).some(isUnitText))
      return textOf(holder, 'unit');
    if (member === 'endpoint') return endpointLeaf(value);
    if (member === 'value' && holder.system === 'urn:ietf:rfc:3986') return String(universalOf(value)[0] ?? '');
    if (member === 'data') {
      const lines = place.target.endsWith('#content[0].attachment.data') && holder.title === undefined;
      return lines && place.component === 1 ? this.#part(place, Buffer.from(value, 'base64').toString('utf8')) : value;
    }
    if (!VERBATIM.has(member)) return undefined;
    return target === undefined ? this.#part(place, value) : value;
  }

  /** Where one repetition makes several items of a list, the ledger names the first of them: the atom's own item. */
  #ownTarget(place: Place): string | undefined {
    const { target, component, segment, field } = place;
    const item = /^(.*\b(telecom|name|identifier|basedOn)\[)(\d+)(\]\.)(.*)$/.exec(target);
    if (item === null) return undefined;
    const [, before, list, index, after, member] = item;
    const shifted = (by: number, rest = member) => `${before}${Number(index) + by}${after}${rest}`;
    if (list === 'name') return component === 15 && member === 'given' ? shifted(1, 'given[0]') : undefined;
    if (list === 'telecom') return member === 'value' ? shifted(this.#pointOf(place)) : undefined;
    if (!PAIRS.has(`${segment}-${field}`)) return undefined;
    const isSecond = component === 2 && this.#siblings(place).some((other) => other.component === 1);
    return shifted(isSecond ? 1 : 0);
  }

  /** A telecom's first value is the e-mail address (XTN.4) or the number (XTN.1, else XTN.12); the others follow. */
  #pointOf(place: Place): number {
    const group = this.#joined.get(groupOf(place))!.map(({ component }) => component);
    const point = this.#find(place.target)?.holder;
    const isComputed = point?.system !== 'email' && !group.includes(1) && isOfParts(point);
    const order = point?.system === 'email' ? [4, 1, 12] : [1, 12, 4];
    const first = isComputed ? 0 : order.find((component) => group.includes(component));
    return [first, ...[4, 1, 12].filter((component) => component !== first && group.includes(component))].indexOf(
      place.component,
    );
  }

  #siblings({ segment, occurrence, field, repetition }: Place): Place[] {
    return [...this.#joined.values()]
      .flat()
      .filter((other) => other.segment === segment && other.occurrence === occurrence)
      .filter((other) => other.field === field && other.repetition === repetition);
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

  /** The atom's own part of a text that several atoms were joined in, in the order in which they are joined. */
  #part(place: Place, text: string): string | undefined {
    const group = this.#joined.get(groupOf(place))!;
    if (group.length === 1) return text;
    const units = group.filter(({ segment, field }) => segment === 'OBX' && field === 6);
    if (units.length === 1) return withUnits(text, place === units[0]);
    const ordered = group.toSorted((a, b) => rankOf(a) - rankOf(b));
    const location = place.target.startsWith('Location/') ? this.#record.resolve(referenceIn(place)) : undefined;
    if (location !== undefined) return partsOfName(location, ordered.length)[ordered.indexOf(place)];
    for (const separator of ['\n', '; ', ', ', ' ']) {
      const parts = text.split(separator);
      if (parts.length === ordered.length) return parts[ordered.indexOf(place)];
    }
    if (place.target.endsWith('assigner.display')) return assignerPart(place, group, text);
    const isTextTwice = ordered.every(({ component }) => component === 2 || component === 9);
    return isTextTwice || place === ordered[0] ? text : undefined;
  }
}

function isUnitText({ target }: Place): boolean {
  return target.endsWith('.unit') || target.endsWith('#unit');
}

function referenceIn({ target }: Place): { reference: string } {
  return { reference: target.slice(0, target.indexOf('#')) };
}

/** EIP: what its two components name are items of their own. */
const PAIRS = new Set(['SPM-2', 'ORC-8', 'OBR-29']);

/** A name of ours for an application without an address, or its address. */
function endpointLeaf(endpoint: string): string | undefined {
  const local = /^urn:causeway:application:[^:]*:(.+)$/.exec(endpoint)?.[1];
  return local === undefined ? String(universalOf(endpoint)[0] ?? '') : decoded(local);
}

/**
 * An assigner is called by its authority, facility, agency and jurisdiction (each "text (code)"), in this order; a name
 * that two of them share is told once.
 */
function assignerPart(place: Place, group: readonly Place[], text: string): string | undefined {
  const components = [...new Set(group.map(({ component }) => component))].toSorted((a, b) => a - b);
  for (const [agency, jurisdiction] of [
    [10, 9],
    [23, 22],
  ] as const) {
    const at = components.indexOf(jurisdiction);
    if (components[at + 1] === agency && at >= 0) components.splice(at, 2, agency, jurisdiction);
  }
  const words = text.split(', ');
  if (words.length === 1 && components.length > 1) return text;
  if (words.length !== components.length) return undefined;
  const word = words[components.indexOf(place.component)]!;
  const coded = /^(.*) \(([^()]*)\)$/.exec(word);
  const isPair = group.some(
    (other) => other.component === place.component && other.subcomponent !== place.subcomponent,
  );
  if (coded === null || !isPair) return word;
  return place.subcomponent === 2 ? coded[1] : coded[2];
}

/** A number that stands in parts (XTN.5 to .8) rather than whole. */
function isOfParts(point: Element | undefined): boolean {
  return extensionOf(point, 'http://hl7.org/fhir/StructureDefinition/contactpoint-local') !== undefined;
}

/** Text and units that stand in one string. */
function withUnits(text: string, units: boolean): string {
  const at = text.lastIndexOf(' ');
  return units ? text.slice(at + 1) : text.slice(0, at);
}

/** Leaves of one repetition share what their type joins; lines of a remark or document are joined over segments. */
function groupOf({ segment, occurrence, field, repetition, target }: Place): string {
  if (/#(conclusion|comment|description|content\[0\]\.attachment\.data)$/.test(target)) return `${segment} ${target}`;
  if (segment === 'NTE' || (segment === 'OBX' && target.endsWith('valueString')))
    return `${segment}${occurrence} ${target}`;
  return `${segment}${occurrence}-${field}[${repetition}] ${target}`;
}

/** Order in which the parts of a location (PL, NDL) are named: building, floor, point of care, room, bed. */
const LOCATION_ORDER = [7, 8, 1, 2, 3];
const NESTED_ORDER = [10, 11, 4, 5, 6];

function rankOf({ segment, component, target }: Place): number {
  if (!target.startsWith('Location/')) return 0;
  return (segment === 'OBR' ? NESTED_ORDER : LOCATION_ORDER).indexOf(component);
}
