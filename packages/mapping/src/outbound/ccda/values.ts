/** FHIR data types as CDA data types: CD, II, TS, IVL_TS, PQ and what a value may be. */
import type { CodeableConcept, Coding, Identifier, Period, Quantity, Range, Ratio } from '@medplum/fhirtypes';
import { factId } from '../../fact-id.ts';
import { ucumOf } from '../../v2/units.ts';
import { codeSystemOid, identifierRoot, nullFlavor, uuidOf } from './codes.ts';
import { type CdaElement, type Child, el } from './element.ts';

const ABSENT = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

interface Extended {
  extension?: { url: string; valueCode?: string }[];
}

/** The null flavor that an element's data-absent-reason says. */
export function absentFlavor(element: unknown): string | undefined {
  const extension = (element as Extended | undefined)?.extension;
  return nullFlavor(extension?.find(({ url }) => url === ABSENT)?.valueCode);
}

/** The null flavor of a primitive element, whose extension stands beside it under `_name`. */
export function primitiveFlavor(holder: object, name: string): string | undefined {
  return absentFlavor((holder as Record<string, unknown>)[`_${name}`]);
}

export interface CodeOptions {
  /** `xsi:type`, for `value`. */
  type?: string;
  /** URIs of code systems; a code of the first that is there leads, the others are translations. */
  prefer?: readonly string[];
  /** Codes that the schema has; another one stands as a translation of none of them. */
  allowed?(coding: Coding): boolean;
  /** ID in the narrative for `originalText`. */
  reference?: string;
  /** Null flavor where the concept says nothing. */
  none?: string;
}

/** A CodeableConcept as CD. */
export function code(name: string, concept: CodeableConcept | undefined, options: CodeOptions = {}): CdaElement {
  const codings = (concept?.coding ?? []).filter((coding) => coding.code !== undefined);
  const lead = leading(codings, options.prefer);
  const words = originalText(concept?.text, options.reference);
  if (lead === undefined) {
    const flavor = absentFlavor(concept) ?? (concept?.text === undefined ? (options.none ?? 'UNK') : 'OTH');
    return el(name, { 'xsi:type': options.type, nullFlavor: flavor }, words);
  }
  const others = codings.filter((coding) => coding !== lead);
  if (options.allowed !== undefined && !options.allowed(lead)) {
    const fitting = others.find(options.allowed);
    if (fitting !== undefined)
      return code(
        name,
        { ...concept, coding: [fitting, ...codings.filter((one) => one !== fitting)] },
        { ...options, prefer: [] },
      );
    const translations = codings.map((coding) => el('translation', codingAttributes(coding)));
    return el(name, { 'xsi:type': options.type, nullFlavor: 'OTH' }, words, translations);
  }
  return el(
    name,
    { 'xsi:type': options.type, ...codingAttributes(lead) },
    words,
    others.map((coding) => el('translation', codingAttributes(coding))),
  );
}

/** A code of our own choice. */
export function fixed(
  name: string,
  value: string,
  system: string,
  displayName?: string,
  type?: string,
  ...children: Child[]
): CdaElement {
  return el(name, { 'xsi:type': type, code: value, codeSystem: system, displayName }, ...children);
}

/** All codings of a concept as translations of a code that says the same in C-CDA's own way. */
export function asTranslations(concept: CodeableConcept | undefined): CdaElement[] {
  return (concept?.coding ?? [])
    .filter((coding) => coding.code !== undefined)
    .map((coding) => el('translation', codingAttributes(coding)));
}

function leading(codings: readonly Coding[], prefer: readonly string[] = []): Coding | undefined {
  for (const system of prefer) {
    const coding = codings.find((one) => one.system === system);
    if (coding !== undefined) return coding;
  }
  return codings[0];
}

export function codingAttributes(coding: Coding): Record<string, string | undefined> {
  const oid = coding.system === undefined ? undefined : codeSystemOid(coding.system);
  return {
    code: coding.code?.replace(/\s+/g, ' ').trim(),
    codeSystem: oid,
    codeSystemName: oid === undefined ? coding.system : undefined,
    codeSystemVersion: coding.version,
    displayName: coding.display,
  };
}

function originalText(text: string | undefined, reference: string | undefined): CdaElement | undefined {
  if (reference !== undefined) return el('originalText', {}, el('reference', { value: `#${reference}` }));
  return text === undefined ? undefined : el('originalText', {}, text);
}

/** What people call a concept. */
export function nameOf(concept: CodeableConcept | undefined): string | undefined {
  if (concept === undefined) return undefined;
  const shown = concept.coding?.find(({ display }) => display !== undefined)?.display;
  return concept.text ?? shown ?? concept.coding?.[0]?.code;
}

/** Whether a concept has a code of the system. */
export function hasCode(concept: CodeableConcept | undefined, ...codes: readonly string[]): boolean {
  return concept?.coding?.some(({ code }) => code !== undefined && codes.includes(code)) ?? false;
}

/** II. A system without OID or UUID gets a UUID made from its URI, which is told as the assigning authority. */
export function id(identifier: Identifier): CdaElement | undefined {
  const { system, value } = identifier;
  if (value === undefined) return undefined;
  if (system === 'urn:ietf:rfc:3986' || system === undefined) {
    const root = identifierRoot(value) ?? uuidOf(value);
    if (root !== undefined) return el('id', { root });
  }
  const authority = identifier.assigner?.display;
  if (system === undefined) {
    return el('id', {
      root: factId('', 'authority', authority ?? ''),
      extension: value,
      assigningAuthorityName: authority,
    });
  }
  const root = identifierRoot(system);
  return el('id', {
    root: root ?? factId('', 'system', system),
    extension: value,
    assigningAuthorityName: authority ?? (root === undefined ? system : undefined),
  });
}

/** The ids of a resource: its identifiers, else its own id. */
export function ids(resource: {
  resourceType: string;
  id?: string;
  identifier?: Identifier | Identifier[];
}): CdaElement[] {
  const { identifier } = resource;
  const list = identifier === undefined ? [] : Array.isArray(identifier) ? identifier : [identifier];
  const found = list.map(id).filter((one) => one !== undefined);
  return found.length > 0 ? found : [ownId(resource)];
}

/** II of the resource's own id. */
export function ownId({ resourceType, id: own = '' }: { resourceType: string; id?: string }): CdaElement {
  return el('id', { root: uuidOf(own) ?? factId('', resourceType, own) });
}

/** `2026-03-05T10:15:00Z` as `20260305101500+0000`: what the date says and no more. */
export function ts(value: string): string {
  const [date = '', time] = value.split('T');
  const day = date.replaceAll('-', '');
  if (time === undefined) return day;
  const match = /^(\d\d):?(\d\d):?(\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.exec(time);
  if (match === null) return day;
  const [, hour, minute, second = '', fraction = '', zone = ''] = match;
  const offset = zone === 'Z' ? '+0000' : zone.replace(':', '');
  return `${day}${hour}${minute}${second}${second === '' ? '' : fraction.slice(0, 5)}${offset}`;
}

/** TS, with a null flavor where there is no time. */
export function time(name: string, value: string | undefined, flavor = 'UNK'): CdaElement {
  return value === undefined ? el(name, { nullFlavor: flavor }) : el(name, { value: ts(value) });
}

/** IVL_TS with both of the bounds asked for; an open end is left out unless it is to be said. */
export function interval(
  name: string,
  bounds: { low?: string; lowFlavor?: string; high?: string; highFlavor?: string },
  attributes: Record<string, string> = {},
): CdaElement {
  const { low, lowFlavor, high, highFlavor } = bounds;
  return el(
    name,
    attributes,
    low === undefined ? el('low', { nullFlavor: lowFlavor ?? 'UNK' }) : el('low', { value: ts(low) }),
    high === undefined ? highFlavor && el('high', { nullFlavor: highFlavor }) : el('high', { value: ts(high) }),
  );
}

/** A Period as IVL_TS. */
export function period(name: string, value: Period | undefined, attributes: Record<string, string> = {}): CdaElement {
  const { start, end } = value ?? {};
  return interval(
    name,
    {
      low: start,
      lowFlavor: value && primitiveFlavor(value, 'start'),
      high: end,
      highFlavor: value && primitiveFlavor(value, 'end'),
    },
    attributes,
  );
}

/** UCUM for a Quantity; words that are no UCUM become an annotation, which UCUM lets stand for a unit. */
export function unitOf(quantity: Quantity): string | undefined {
  const { system, code: unitCode, unit } = quantity;
  if (system === 'http://unitsofmeasure.org' && unitCode !== undefined) return unitCode.replace(/\s+/g, '_');
  const words = unit ?? unitCode;
  if (words === undefined || words.trim() === '') return undefined;
  return ucumOf(words) ?? (/^[!-~]+$/.test(words) ? words : `{${words.trim().replace(/[\s{}]+/g, '_')}}`);
}

/**
 * Quantity as PQ; with a comparator as IVL_PQ. A `value` without a unit is a number, of unit 1, as the schema wants it
 * said; a dose without one counts what is given, and says none.
 */
export function quantity(name: string, value: Quantity, type?: string): CdaElement {
  const unit = unitOf(value) ?? (type === undefined ? undefined : '1');
  const attributes = { value: value.value === undefined ? undefined : String(value.value), unit };
  const { comparator } = value;
  if (comparator === undefined || type === undefined) return el(name, { 'xsi:type': type, ...attributes });
  const bound = comparator.startsWith('<') ? 'high' : 'low';
  const inclusive = comparator.endsWith('=') ? undefined : 'false';
  return el(name, { 'xsi:type': `IVL_${type}` }, el(bound, { ...attributes, inclusive }));
}

/** Range as IVL_PQ. */
export function range(name: string, { low, high }: Range, attributes: Record<string, string> = {}): CdaElement {
  return el(name, attributes, low && quantity('low', low), high && quantity('high', high));
}

export function ratio(
  name: string,
  { numerator, denominator }: Ratio,
  attributes: Record<string, string> = {},
): CdaElement {
  return el(
    name,
    attributes,
    numerator && quantity('numerator', numerator),
    denominator && quantity('denominator', denominator),
  );
}
