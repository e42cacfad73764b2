/**
 * `_include` and `_revinclude` (FHIR R4 §3.1.1.5.4–5): what matches refer to and what refers to them, with `:iterate`
 * from what was included on. There is an end to what one page includes; where it is reached, the answer says so.
 */
import { extract, isResourceType, resourceTypes, searchParameters, searchParametersVersion } from '@causeway/fhir';
import type { Access } from '../../trust/index.ts';
import type { Issue } from '../errors.ts';
import { referenceHash } from '../keys.ts';
import type { StoredResource } from '../read.ts';
import type { Include, SearchRequest } from './request.ts';

export const maximumIncluded = 5_000;
const maximumRounds = 10;

export interface IncludeServices {
  read(access: Access, type: string, id: string): Promise<StoredResource | undefined>;
  /** What has one of these hashes, at most `limit`. */
  referring(access: Access, hashes: bigint[], limit: number): Promise<StoredResource[]>;
  /** The source patients of a person. */
  sourcesOf(id: string): Promise<string[]>;
}

export async function includeAll(
  services: IncludeServices,
  access: Access,
  request: SearchRequest,
  matches: readonly StoredResource[],
): Promise<{ included: StoredResource[]; warning: Issue | undefined }> {
  if (request.includes.length + request.revincludes.length === 0) return { included: [], warning: undefined };
  const seen = new Set(matches.map(keyOf));
  const included: StoredResource[] = [];
  let isFull = false;
  let round = matches;
  for (let depth = 0; round.length > 0 && depth < maximumRounds && !isFull; depth++) {
    const fresh: StoredResource[] = [];
    const add = (stored: StoredResource | undefined) => {
      if (!stored || stored.deleted || seen.has(keyOf(stored))) return;
      if (included.length >= maximumIncluded) {
        isFull = true;
        return;
      }
      seen.add(keyOf(stored));
      included.push(stored);
      fresh.push(stored);
    };
    const followed = (list: readonly Include[]) => list.filter(({ iterate }) => depth === 0 || iterate);
    const targets = new Map<string, { type: string; id: string }>();
    for (const include of followed(request.includes)) {
      for (const stored of round) {
        for (const target of referencesOf(stored, include)) targets.set(`${target.type}/${target.id}`, target);
      }
    }
    const wanted = [...targets.values()].slice(0, maximumIncluded + 1);
    for (const one of await Promise.all(wanted.map(({ type, id }) => services.read(access, type, id)))) add(one);
    for (const include of followed(request.revincludes)) {
      const hashes = await hashesOf(services, include, round);
      if (hashes.length === 0) continue;
      const limit = maximumIncluded - included.length + seen.size;
      const found = await services.referring(access, hashes, limit + 1);
      if (found.length > limit) isFull = true;
      for (const one of found) add(one);
    }
    round = fresh;
  }
  const warning: Issue | undefined = isFull
    ? {
        severity: 'warning',
        code: 'incomplete',
        diagnostics: `More than ${maximumIncluded} resources would be included; ask for fewer matches with _count.`,
      }
    : undefined;
  return { included, warning };
}

function keyOf({ type, rid }: StoredResource): string {
  return `${type}/${rid}`;
}

/** What a resource refers to by a parameter. */
function referencesOf(stored: StoredResource, include: Include): { type: string; id: string }[] {
  if (include.type !== '*' && stored.type !== include.type) return [];
  const found: { type: string; id: string }[] = [];
  for (const value of extract(JSON.parse(stored.text))) {
    if (value.kind !== 'reference' || !value.type || !value.id || !isResourceType(value.type)) continue;
    if (include.parameter !== '*' && value.param !== include.parameter) continue;
    if (include.target && value.type !== include.target) continue;
    found.push({ type: value.type, id: value.id });
  }
  return found;
}

/** The hashes of references to resources by a parameter, or by all of a type's, or of all types. */
async function hashesOf(
  services: IncludeServices,
  include: Include,
  round: readonly StoredResource[],
): Promise<bigint[]> {
  const hashes: bigint[] = [];
  for (const { type, rid } of round) {
    if (include.target && include.target !== type) continue;
    const parameters = parametersTo(include, type);
    if (parameters.length === 0) continue;
    const rids = type === 'Patient' ? await services.sourcesOf(rid) : [rid];
    for (const one of rids) for (const [of, code] of parameters) hashes.push(referenceHash(of, code, type, one));
  }
  return hashes;
}

const known = new Map<string, [string, string][]>();
let knownVersion = searchParametersVersion();

function parametersTo({ type, parameter }: Include, target: string): [string, string][] {
  if (knownVersion !== searchParametersVersion()) known.clear();
  knownVersion = searchParametersVersion();
  const key = `${type}:${parameter}:${target}`;
  let found = known.get(key);
  if (!found) {
    const types = type === '*' ? resourceTypes() : [type];
    found = types.flatMap((of) =>
      searchParameters(of)
        .filter((one) => one.type === 'reference' && (parameter === '*' || one.code === parameter))
        .filter((one) => !one.target || one.target.includes(target))
        .filter((one) => one.refusal?.() === undefined)
        .map(({ code }): [string, string] => [of, code]),
    );
    known.set(key, found);
  }
  return found;
}
