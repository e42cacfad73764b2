/** From a scanned resource to what is stored of it: text, offsets of the person's reference, index entries. */
import { canonicalText, extract, type ScannedResource } from '@causeway/fhir';
import type { IndexEntries } from './flush.ts';
import { parameterNumber, ridOf, tokenHash } from './keys.ts';
import { presenceHash, unitHash } from './search-condition.ts';

export interface Prepared {
  text: string;
  /** Start and end offsets of the ids that name the home's own patient. */
  refs: number[];
  index: IndexEntries;
}

/** Gives a reference of the text another value (a transaction's `urn:uuid:` becomes `Type/id`). */
export type ResolveReference = (reference: string) => string | undefined;

/**
 * The id of the patient in whose compartment a resource lives, or undefined where it belongs to none: the patient named
 * as `subject` or `patient`, else the first patient it refers to.
 */
export function homePatient(scanned: ScannedResource, id: string, resolve?: ResolveReference): string | undefined {
  if (scanned.resourceType === 'Patient') return id;
  let found: string | undefined;
  for (const { path, value } of scanned.references) {
    const patient = patientReference.exec(resolve?.(value) ?? value)?.[1];
    if (patient === undefined) continue;
    if (path === 'subject' || path === 'patient') return patient;
    found ??= patient;
  }
  return found;
}

const patientReference = /^Patient\/([A-Za-z0-9\-.]{1,64})$/;

/** The ids of all patients that a resource refers to, and its own where it is one. */
export function patientsOf(scanned: ScannedResource, id: string | undefined, resolve?: ResolveReference): string[] {
  const home = id === undefined ? homePatient(scanned, '', resolve) : homePatient(scanned, id, resolve);
  return home ? [home] : [];
}

export function prepare(
  scanned: ScannedResource,
  version: {
    id: string;
    version: number;
    updated: Date;
    patient?: string;
    message?: string;
    resolve?: ResolveReference;
  },
): Prepared {
  const canonical = canonicalText(
    scanned,
    {
      id: version.id,
      versionId: String(version.version),
      lastUpdated: version.updated.toISOString(),
      ...(version.message ? { source: `urn:causeway:message:${version.message}` } : {}),
    },
    version.resolve,
  );
  const refs: number[] = [];
  if (version.patient !== undefined && scanned.resourceType !== 'Patient') {
    const own = `Patient/${version.patient}`;
    for (const { value, start, end } of canonical.patientReferences) {
      if (value === own) refs.push(start + 'Patient/'.length, end);
    }
  }
  return { text: canonical.text, refs, index: indexEntries(scanned) };
}

/** What a resource is found by. */
function indexEntries(scanned: ScannedResource): IndexEntries {
  const type = scanned.resourceType;
  const tokens = new Set<bigint>();
  const entries: IndexEntries = { tokens: [], markers: [], ranges: [], strings: [] };
  const markers = new Set<bigint>();
  const strings = new Set<string>();
  for (const value of extract(scanned.value)) {
    const { param } = value;
    if (value.kind !== 'composite') markers.add(presenceHash(type, param));
    switch (value.kind) {
      case 'token':
        if (value.code === undefined) break;
        tokens.add(tokenHash(type, param, value.code));
        tokens.add(tokenHash(type, param, `${value.system ?? ''}|${value.code}`));
        break;
      case 'uri':
        tokens.add(tokenHash(type, param, value.value));
        break;
      case 'reference':
        if (value.type && value.id) tokens.add(tokenHash(type, param, `${value.type}/${ridOf(value.id)}`));
        else if (value.url) tokens.add(tokenHash(type, param, value.url));
        if (value.identifier?.value) {
          tokens.add(tokenHash(type, param, `identifier=${value.identifier.system ?? ''}|${value.identifier.value}`));
        }
        break;
      case 'date':
        entries.ranges.push({ param: parameterNumber(type, param), low: value.low, high: value.high, unit: undefined });
        break;
      case 'number':
        entries.ranges.push({
          param: parameterNumber(type, param),
          low: value.value,
          high: value.value,
          unit: undefined,
        });
        break;
      case 'quantity': {
        const unit = value.code ?? value.unit;
        const hash =
          unit === undefined ? undefined : unitHash(type, param, value.code ? (value.system ?? '') : '', unit);
        entries.ranges.push({ param: parameterNumber(type, param), low: value.value, high: value.value, unit: hash });
        break;
      }
      case 'string': {
        const key = `${param} ${value.normalized}`;
        if (strings.has(key)) break;
        strings.add(key);
        entries.strings.push({
          param: parameterNumber(type, param),
          value: value.normalized.slice(0, indexedCharacters),
        });
        break;
      }
    }
  }
  entries.tokens = [...tokens];
  entries.markers = [...markers];
  return entries;
}

/** Longer strings are found by their beginning; a b-tree entry has room for some 2 700 bytes. */
const indexedCharacters = 500;
