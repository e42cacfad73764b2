/**
 * How a `merge` statement meets what is known of the same fact: what the source states replaces, what it leaves out
 * stays, what it deletes goes. HL7 v2 states fields, and several fields may fill one list (PID-13 and PID-14 both are
 * telecom), so such lists are replaced by what distinguishes the fields, not whole.
 */
import type { Fact } from './conversion.ts';

type Element = Record<string, unknown>;

/** Lists that several source fields fill: items of the same key stand for the same field. */
const FIELD_OF: Record<string, (item: Element) => string> = {
  identifier: (item) => `${item.system ?? ''}|${codeOf(item.type)}`,
  telecom: (item) => String(item.use ?? ''),
  name: (item) => String(item.use ?? ''),
  extension: (item) => String(item.url),
  participant: (item) => codeOf(item.type),
  location: (item) => String(item.status ?? ''),
  diagnosis: (item) => referenceOf(item.condition),
  result: referenceOf,
  specimen: referenceOf,
};

/** Single elements whose members come from fields of their own (PV1-44 and PV1-45 both are the period). */
const MEMBERWISE = new Set(['period', 'hospitalization', 'collection', 'dispenseRequest', 'context']);

/**
 * The known resource with a statement merged in; neither is changed.
 * @param known the resource as it is known, `undefined` when it is not
 * @param fact a fact of mode `merge`
 */
export function mergeFact(
  known: Element | undefined,
  fact: Pick<Fact, 'resource' | 'clears' | 'adds' | 'defaults'>,
): Element {
  const stated = fact.resource as unknown as Element;
  if (known === undefined) return { ...stated };
  const merged: Element = { ...known };
  for (const clear of fact.clears ?? []) remove(merged, clear);
  for (const [name, value] of Object.entries(stated)) {
    const before = merged[name];
    if (before !== undefined && fact.defaults?.includes(name) === true) continue;
    if (Array.isArray(value) && Array.isArray(before))
      merged[name] = mergeList(name, before, value, fact.adds?.includes(name) === true);
    else if (MEMBERWISE.has(name) && isObject(before) && isObject(value)) merged[name] = { ...before, ...value };
    else {
      removeOtherChoices(merged, name);
      merged[name] = value;
    }
  }
  return merged;
}

function mergeList(name: string, before: unknown[], stated: unknown[], adds: boolean): unknown[] {
  const key = FIELD_OF[name];
  if (key !== undefined) {
    const replaced = new Set(stated.map((item) => key(item as Element)));
    return [...before.filter((item) => !replaced.has(key(item as Element))), ...stated];
  }
  if (!adds) return stated;
  const seen = new Set(before.map((item) => JSON.stringify(item)));
  return [...before, ...stated.filter((item) => !seen.has(JSON.stringify(item)))];
}

function remove(resource: Element, clear: string): void {
  const found = /^(\w+)(?:\.(\w+)|\[(\w+)=(.*)\])?$/.exec(clear);
  if (found === null) return;
  const [, name, member, property, value] = found;
  const known = resource[name!];
  if (member !== undefined) {
    if (!isObject(known)) return;
    const { [member]: _gone, ...rest } = known;
    if (Object.keys(rest).length === 0) delete resource[name!];
    else resource[name!] = rest;
  } else if (property !== undefined && Array.isArray(known)) {
    const left = known.filter((item: Element) => !matches(item[property], value!));
    if (left.length === 0) delete resource[name!];
    else resource[name!] = left;
  } else {
    delete resource[name!];
    delete resource[`_${name}`];
  }
}

function matches(member: unknown, value: string): boolean {
  return typeof member === 'string' ? member === value : codeOf(member) === value;
}

/** Elements of which a resource has one at most, such as deceasedBoolean and deceasedDateTime. */
const CHOICES =
  /^(deceased|multipleBirth|onset|abatement|performed|effective|occurrence|medication|value|product|collected)[A-Z]/;

function removeOtherChoices(resource: Element, name: string): void {
  const stem = CHOICES.exec(name)?.[1];
  if (stem === undefined) return;
  for (const other of Object.keys(resource)) {
    if (other !== name && other.startsWith(stem) && CHOICES.exec(other)?.[1] === stem) delete resource[other];
  }
}

/** First code of a CodeableConcept, or of the first of several. */
function codeOf(concept: unknown): string {
  const first = Array.isArray(concept) ? concept[0] : concept;
  const coding = isObject(first) && Array.isArray(first.coding) ? first.coding[0] : undefined;
  return isObject(coding) ? String(coding.code ?? '') : '';
}

function referenceOf(item: unknown): string {
  return isObject(item) ? String(item.reference ?? JSON.stringify(item)) : '';
}

function isObject(value: unknown): value is Element {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
