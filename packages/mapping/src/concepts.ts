/**
 * Local codes of a sender, each with the standard code that means the same: put beside it as a further coding, wherever
 * it stands in the resources of a conversion.
 */
import type { Conversion } from './conversion.ts';

export interface StandardCode {
  system: string;
  code: string;
  display?: string;
}

/** By `system|code`, the system as FHIR knows it (after `codeSystems`); `|code` for a code without a system. */
export type ConceptTable = Record<string, StandardCode>;

/** Adds the standard codings in place; a concept that has one already is left. */
export function addStandardCodes(conversion: Conversion, table: ConceptTable | undefined): Conversion {
  for (const { resource } of conversion.facts) addStandardCodesTo(resource, table);
  return conversion;
}

/** As `addStandardCodes`, to one resource. */
export function addStandardCodesTo(resource: object, table: ConceptTable | undefined): void {
  if (table === undefined || Object.keys(table).length === 0) return;
  walk(resource, table);
}

function walk(value: unknown, table: ConceptTable): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, table);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === 'coding' && Array.isArray(member)) translate(member, table);
    else if (typeof member === 'object') walk(member, table);
  }
}

function translate(codings: { system?: string; code?: string }[], table: ConceptTable): void {
  for (const { system, code } of [...codings]) {
    const key = `${system ?? ''}|${code ?? ''}`;
    const standard = Object.hasOwn(table, key) ? table[key] : undefined;
    if (standard === undefined) continue;
    if (codings.some((coding) => coding.system === standard.system && coding.code === standard.code)) continue;
    codings.push({ ...standard });
  }
}
