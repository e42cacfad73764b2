/**
 * From CDA data types to FHIR data types. Each function returns the FHIR value, or undefined when there is none, and
 * says in the account where each atom it read went.
 */

import type { XmlElement } from '@causeway/ccda';
import { CODE_SYSTEM_NAMES, CODE_SYSTEMS, IDENTIFIER_SYSTEMS, uriOfRoot } from './code-systems.ts';
import { translate } from './concept-maps.ts';
import type { Draft } from './draft.ts';
import type { Json } from './fhir-path.ts';
import { own } from './own.ts';
import type { Run } from './run.ts';
import { fhirDateTime } from './time.ts';

export const DATA_ABSENT_REASON = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/** Where a value is being put. */
export interface Place {
  draft: Draft;
  path: string;
}

export function absentReason(nullFlavor: string): Json {
  return { url: DATA_ABSENT_REASON, valueCode: translate('absent', nullFlavor) };
}

/** CD, CE, CV, CS, CO → CodeableConcept: translations as further codings, originalText as text. */
export function codeableConcept(run: Run, element: XmlElement, place: Place): Json | undefined {
  const coding: Json[] = [];
  collectCodings(run, element, place, coding);
  const concept: Json = {};
  if (coding.length > 0) concept.coding = coding;
  const text = originalText(run, element, { draft: place.draft, path: `${place.path}.text` });
  if (text !== undefined) concept.text = text;
  else if (coding.length === 0 && element.attr('displayName') !== undefined) {
    concept.text = element.attr('displayName');
    run.account.mapped(element, 'displayName', place.draft, `${place.path}.text`);
  } else if (coding.length === 0 && element.text !== '') {
    concept.text = element.text;
    run.account.mapped(element, '#text', place.draft, `${place.path}.text`);
  }
  const nullFlavor = element.attr('nullFlavor');
  if (nullFlavor !== undefined) {
    if (coding.length === 0 && concept.text === undefined) concept.extension = [absentReason(nullFlavor)];
    run.account.consumed(element, 'nullFlavor');
  }
  return Object.keys(concept).length === 0 ? undefined : concept;
}

/** One Coding of an element's own code; translations are left. */
export function coding(run: Run, element: XmlElement, place: Place): Json | undefined {
  const code = element.attr('code');
  if (code === undefined) return undefined;
  const result: Json = {};
  const system = codeSystem(run, element, place);
  if (system !== undefined) result.system = system;
  const version = element.attr('codeSystemVersion');
  if (version !== undefined) {
    result.version = version;
    run.account.mapped(element, 'codeSystemVersion', place.draft, `${place.path}.version`);
  }
  result.code = code.replace(/\s+/g, ' ');
  run.account.mapped(element, 'code', place.draft, `${place.path}.code`);
  const display = element.attr('displayName');
  if (display !== undefined) {
    result.display = display;
    run.account.mapped(element, 'displayName', place.draft, `${place.path}.display`);
  }
  return result;
}

/** II → Identifier. A root alone is a URI of its own (system urn:ietf:rfc:3986). */
export function identifier(run: Run, element: XmlElement, place: Place): Json | undefined {
  const root = element.attr('root');
  const extension = element.attr('extension');
  if (root === undefined && extension === undefined) return undefined;
  const uri = root === undefined ? undefined : identifierSystem(run, root);
  const result: Json = {};
  if (extension === undefined) {
    result.system = 'urn:ietf:rfc:3986';
    result.value = uri ?? root;
    run.account.mapped(element, 'root', place.draft, `${place.path}.value`);
  } else {
    if (uri !== undefined) {
      result.system = uri;
      run.account.mapped(element, 'root', place.draft, `${place.path}.system`);
    } else if (root !== undefined) {
      run.account.rejected(element, 'root', 'not an OID or UUID');
      run.issue('warning', 'value', element, 'id/@root should be an OID or a UUID');
    }
    result.value = extension;
    run.account.mapped(element, 'extension', place.draft, `${place.path}.value`);
  }
  const authority = element.attr('assigningAuthorityName');
  if (authority !== undefined) {
    result.assigner = { display: authority };
    run.account.mapped(element, 'assigningAuthorityName', place.draft, `${place.path}.assigner.display`);
  }
  return result;
}

/** The FHIR system for the root of an identifier. */
export function identifierSystem(run: Run, root: string): string | undefined {
  return own(run.context.identifierSystems, root) ?? own(IDENTIFIER_SYSTEMS, root) ?? uriOfRoot(root);
}

/** TS → dateTime; what is no time is refused with an issue. */
export function dateTime(run: Run, element: XmlElement, place: Place): string | undefined {
  const value = element.attr('value');
  if (value === undefined) {
    const nested = element.child('low') ?? element.child('center') ?? element.child('high');
    return nested === undefined ? undefined : dateTime(run, nested, place);
  }
  const time = fhirDateTime(value, run.zone);
  if (!time.ok) {
    run.account.rejected(element, 'value', time.reason);
    run.issue('warning', 'value', element, `the time is left out: ${time.reason}`);
    return undefined;
  }
  run.account.mapped(element, 'value', place.draft, place.path);
  return time.value;
}

/** TS → date, the time of day left out. */
export function date(run: Run, element: XmlElement, place: Place): string | undefined {
  return dateTime(run, element, place)?.slice(0, 10);
}

/** IVL_TS → Period. */
export function period(run: Run, element: XmlElement, place: Place): Json | undefined {
  const result: Json = {};
  for (const [bound, name] of BOUNDS) {
    const child = element.child(bound);
    if (child === undefined) continue;
    const path = `${place.path}.${name}`;
    const value = dateTime(run, child, { draft: place.draft, path });
    if (value !== undefined) result[name] = value;
    else if (child.attr('nullFlavor') !== undefined) {
      result[`_${name}`] = { extension: [absentReason(child.attr('nullFlavor')!)] };
      run.account.consumed(child, 'nullFlavor');
    }
  }
  if (typeof result.start === 'string' && typeof result.end === 'string' && isBefore(result.end, result.start)) {
    run.issue('warning', 'invariant', element, 'the interval ends before it begins');
  }
  return result.start === undefined && result.end === undefined ? undefined : result;
}

const BOUNDS = [
  ['low', 'start'],
  ['high', 'end'],
] as const;

function isBefore(a: string, b: string): boolean {
  return Date.parse(a) < Date.parse(b);
}

/** ED and ST → string; a reference into the narrative is followed. */
export function text(run: Run, element: XmlElement, place: Place): string | undefined {
  const reference = element.child('reference');
  const target = reference?.attr('value');
  const own = element.name === 'text' || element.child('reference') ? element.text : element.allText;
  if (own !== '') {
    run.account.mapped(element, '#text', place.draft, place.path);
    if (reference !== undefined) run.account.consumed(reference, 'value', 'narrative reference');
    return own;
  }
  if (reference === undefined || target === undefined) return undefined;
  const found = run.narrative(target)?.allText;
  if (found === undefined || found === '') {
    if (target.startsWith('#')) {
      run.issue('information', 'value', reference, 'the narrative has no text with the ID referred to');
      return undefined;
    }
    run.account.mapped(reference, 'value', place.draft, place.path);
    return target;
  }
  run.account.consumed(reference, 'value', 'narrative reference');
  return found;
}

/** The text of CD/originalText, inline or in the narrative. */
function originalText(run: Run, element: XmlElement, place: Place): string | undefined {
  const child = element.child('originalText');
  return child && text(run, child, place);
}

function collectCodings(run: Run, element: XmlElement, place: Place, into: Json[]): void {
  const own = coding(run, element, { draft: place.draft, path: `${place.path}.coding[${into.length}]` });
  if (own !== undefined) into.push(own);
  for (const translation of element.children) {
    if (translation.name !== 'translation') continue;
    collectCodings(run, translation, place, into);
    run.account.consumed(translation, 'nullFlavor');
    const words = originalText(run, translation, { draft: place.draft, path: `${place.path}.text` });
    if (words !== undefined)
      run.account.consumeBelow(translation.child('originalText')!, 'originalText of a translation');
  }
}

function codeSystem(run: Run, element: XmlElement, place: Place): string | undefined {
  const oid = element.attr('codeSystem');
  const name = element.attr('codeSystemName');
  const path = `${place.path}.system`;
  if (oid !== undefined) {
    const uri =
      own(run.context.codeSystems, oid) ??
      own(CODE_SYSTEMS, oid) ??
      uriOfRoot(oid) ??
      own(CODE_SYSTEM_NAMES, oid.toLowerCase());
    if (uri !== undefined) {
      run.account.mapped(element, 'codeSystem', place.draft, path);
      return uri;
    }
    run.account.rejected(element, 'codeSystem', 'not an OID');
    run.issue('warning', 'value', element, '@codeSystem should be the OID of the code system');
  }
  if (name === undefined) return undefined;
  const uri = own(run.context.codeSystems, name) ?? own(CODE_SYSTEM_NAMES, name.toLowerCase());
  if (uri !== undefined) run.account.mapped(element, 'codeSystemName', place.draft, path);
  return uri;
}
