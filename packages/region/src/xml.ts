/** Writes the small XML the practice sends: coded values, effective times, templates; text and attributes escaped. */

import { compactDate, compactTime, V2_OFFSET } from './calendar.ts';
import { SYSTEMS } from './outgoing.ts';

/** The object identifiers of the code systems named by their FHIR system. */
export const CODE_SYSTEM_OIDS = {
  [SYSTEMS.snomed]: '2.16.840.1.113883.6.96',
  [SYSTEMS.icd10]: '2.16.840.1.113883.6.90',
  [SYSTEMS.rxnorm]: '2.16.840.1.113883.6.88',
  [SYSTEMS.cvx]: '2.16.840.1.113883.12.292',
  [SYSTEMS.loinc]: '2.16.840.1.113883.6.1',
} as const;

export type CodeSystem = keyof typeof CODE_SYSTEM_OIDS;

/** Escapes text for element content and for attributes in double quotes. */
export function xml(text: string): string {
  return /[&<>"]/.test(text) ? text.replace(/[&<>"]/g, (character) => ENTITIES[character]!) : text;
}

/** `code="…" codeSystem="…" displayName="…"`. */
export function codeAttributes(system: CodeSystem, code: string, display: string): string {
  return `code="${code}" codeSystem="${CODE_SYSTEM_OIDS[system]}" displayName="${xml(display)}"`;
}

/** A value of type CD; `reference` points into the narrative. */
export function codedValue(system: CodeSystem, code: string, display: string, inner = ''): string {
  return `<value xsi:type="CD" ${codeAttributes(system, code, display)}${inner ? `>${inner}</value>` : '/>'}`;
}

/** A text element that points at an id of the narrative. */
export function textReference(id: string): string {
  return `<text><reference value="#${id}"/></text>`;
}

/** Template ids, each as `root` or `root:extension`. */
export function templates(...ids: readonly string[]): string {
  return ids
    .map((id) => {
      const [root, extension] = id.split(':');
      return `<templateId root="${root}"${extension ? ` extension="${extension}"` : ''}/>`;
    })
    .join('');
}

/** `YYYYMMDD` in an effectiveTime of one value. */
export function onDay(at: number): string {
  return `<effectiveTime value="${compactDate(at)}"/>`;
}

/** Local time with offset, as TS has it. */
export function time(at: number): string {
  return compactTime(at) + V2_OFFSET;
}

/** An interval; the high end only when it is known. */
export function interval(low: number, high?: number, type = ''): string {
  const end = high === undefined ? '' : `<high value="${compactDate(high)}"/>`;
  return `<effectiveTime${type}><low value="${compactDate(low)}"/>${end}</effectiveTime>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
