/** Single leaves of a message read out of resources by the targets of its ledger. */
import type { Disposition, LedgerEntry } from '../../conversion.ts';
import { codeFor, isConceptSystem } from '../../v2/vocabularies.ts';
import { type Element, extensionOf, isElement, type OutboundRecord, textOf } from './record.ts';
import { birthTime } from './segments/patient.ts';
import { codeSystem } from './values/coded.ts';
import { addressCode } from './values/contacts.ts';
import { decoded, universalOf } from './values/identifiers.ts';
import { partsOfName } from './values/parties.ts';
import { writeBoolean, writeDateTime } from './values/primitives.ts';
import { isSpelling } from './values/quantities.ts';

/** Where an atom stood and where it went. */
export interface Place {
  segment: string;
  occurrence: number;
  field: number;
  repetition: number;
  component: number;
  subcomponent: number;
  disposition: Disposition;
  target: string;
}

/** The entries of a ledger that a message can be written from, in the order of the message. */
export function placesOf(ledger: readonly LedgerEntry[]): Place[] {
  return ledger.flatMap(({ source, disposition, target = '' }) => {
    const found = /^([A-Z][A-Z0-9]{2})\[(\d+)\]-(\d+)\[(\d+)\]\.(\d+)\.(\d+)$/.exec(source);
    if (found === null || disposition === 'kept' || disposition === 'rejected') return [];
    const [occurrence, field, repetition, component, subcomponent] = found.slice(2).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return [{ segment: found[1]!, occurrence, field, repetition, component, subcomponent, disposition, target }];
  });
}

/** Elements that hold a leaf as it was, unless several leaves were joined in them. */
const VERBATIM = new Set(
  (
    'value display code text family given prefix suffix line city state district postalCode country name title url ' +
    'version lotNumber serialNumber carrierHRF issuer description valueString valueCode deviceName alias manufacturer ' +
    'modelNumber language unit currency comment conclusion valueUri onsetString software'
  ).split(' '),
);
const TIME =
  /^(start|end|birthDate|date|issued|recorded|expiry|time|authoredOn|receivedTime|when\w+|\w+DateTime|\w+Date)$/;

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
    if (member === 'code' && isConceptSystem(textOf(holder, 'system'))) return undefined;
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
    const isEmail = this.#find(place.target.replace(/\.value$/, '.system'))?.value === 'email';
    const first = (isEmail ? [4, 1, 12] : [1, 12, 4]).find((component) => group.includes(component));
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

/** Text and units that stand in one string. */
function withUnits(text: string, units: boolean): string {
  const at = text.lastIndexOf(' ');
  return units ? text.slice(at + 1) : text.slice(0, at);
}

/** Codes of names, addresses and telecoms, which no table row names. */
function codeLeaf(place: Place, holder: Element, member: string, value: string): string | undefined {
  const isName = holder.family !== undefined || holder.given !== undefined || holder.suffix !== undefined;
  const isPoint = holder.value !== undefined && holder.code === undefined;
  if (member === 'use' && isName) return codeFor('nameUse', value);
  if (member === 'use' && isPoint) return codeFor('telecomUse', value);
  if (member === 'use' || (member === 'type' && place.component === 7))
    return addressCode(textOf(holder, 'use'), textOf(holder, 'type'));
  if (member === 'system' && isPoint && /^(phone|fax|email|pager|url|sms|other)$/.test(value))
    return value === 'phone' && holder.use === 'mobile' ? 'CP' : codeFor('telecomSystem', value);
  if (member === 'gender') return codeFor('gender', value);
  if (member === 'priority') return codeFor('requestPriority', value);
  if (member === 'status' && place.target.startsWith('Account/')) return value;
  return undefined;
}

/** The atom's own extension among those of its element, by the component it stood in. */
function extensionLeaf(place: Place, holder: Element): string | undefined {
  const isPoint = holder.value !== undefined && typeof holder.system === 'string' && !holder.system.includes(':');
  const names = place.target.includes('_family')
    ? FAMILY[place.subcomponent]
    : isPoint
      ? POINT[place.component]
      : (ADDRESS[place.component] ?? CHECK);
  for (const name of names ?? []) {
    const value = extensionOf(holder, `http://hl7.org/fhir/StructureDefinition/${name}`);
    if (typeof value === 'string') return value;
  }
  return undefined;
}

const FAMILY: Record<number, readonly string[] | undefined> = {
  2: ['humanname-own-prefix'],
  3: ['humanname-own-name'],
  4: ['humanname-partner-prefix'],
  5: ['humanname-partner-name'],
};
const POINT: Record<number, readonly string[] | undefined> = {
  5: ['contactpoint-country'],
  6: ['contactpoint-area'],
  7: ['contactpoint-local'],
  8: ['contactpoint-extension'],
  9: ['contactpoint-comment'],
};
/** XAD.8 and .10; the check digit stands before its scheme in CX (2, 3), XON (4, 5) and XCN (11, 12). */
const ADDRESS: Record<number, readonly string[] | undefined> = {
  2: ['identifier-checkDigit'],
  3: ['namingsystem-checkDigit'],
  4: ['identifier-checkDigit'],
  5: ['namingsystem-checkDigit'],
  8: ['iso21090-ADXP-precinct'],
  10: ['iso21090-ADXP-censusTract'],
  12: ['namingsystem-checkDigit'],
};
const CHECK = ['humanname-assembly-order', 'identifier-checkDigit'];

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
