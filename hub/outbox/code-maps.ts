/** The destination's codes for ours: put first, so that it is what the destination reads; what was stated stays behind it. */
import type { Coding, Resource } from '@medplum/fhirtypes';
import type { CodeMap } from '../trust/index.ts';

/** Resources with the codes of a destination. Without maps they are returned as they are. */
export function withCodes<T extends Resource>(resources: T[], maps: readonly CodeMap[] | undefined): T[] {
  if (!maps || maps.length === 0) return resources;
  const by = new Map(maps.map(({ from, to }) => [`${from.system}|${from.code}`, to]));
  return resources.map((resource) => mapped(resource, by) as T);
}

function mapped(value: unknown, by: ReadonlyMap<string, CodeMap['to']>): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, by));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [
    name,
    name === 'coding' && Array.isArray(item) ? codings(item as Coding[], by) : mapped(item, by),
  ]);
  return Object.fromEntries(entries);
}

function codings(stated: Coding[], by: ReadonlyMap<string, CodeMap['to']>): Coding[] {
  for (const { system, code } of stated) {
    const to = by.get(`${system}|${code}`);
    if (!to) continue;
    const others = stated.filter((one) => one.system !== to.system || one.code !== to.code);
    return [{ system: to.system, code: to.code, ...(to.display ? { display: to.display } : {}) }, ...others];
  }
  return stated;
}
