/**
 * Scopes with search parameters (SMART App Launch 2.2, "Finer-grained resource constraints using search parameters") as
 * what a row has to be found by. Those whose parameters are no tokens open nothing.
 */
import { searchParameters } from '@causeway/fhir';
import { codedHash, systemHash, tokenHash } from '../record/index.ts';
import type { FoundBy, Scope } from '../trust/index.ts';

export type Keyed = (hashes: readonly bigint[]) => bigint[];

/**
 * What a scope lets read; undefined where it cannot be held against a row.
 * @param keyed hashes as the rows have them
 */
export function foundBy({ type, query, read, search }: Scope, keyed: Keyed): FoundBy | undefined {
  if (!(read || search) || query.length === 0) return undefined;
  const all: string[][] = [];
  for (const [name, value] of query) {
    const parameter = searchParameters(type).find(({ code }) => code === name);
    if (parameter?.type !== 'token' || parameter.partOf) return undefined;
    all.push(keyed(value.split(',').map((one) => hashOf(type, name, one.trim()))).map(String));
  }
  return { type, all };
}

/** Whether what a scope lets read can be held against a row. */
export function opensRows(scope: Scope): boolean {
  return foundBy(scope, (hashes) => [...hashes]) !== undefined;
}

/** `system|code`, `|code`, `system|` or `code`. */
function hashOf(type: string, name: string, value: string): bigint {
  const bar = value.indexOf('|');
  if (bar < 0) return tokenHash(type, name, value);
  const [system, code] = [value.slice(0, bar), value.slice(bar + 1)];
  return code === '' ? systemHash(type, name, system) : codedHash(type, name, system, code);
}
