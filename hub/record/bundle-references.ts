/**
 * References between the entries of a transaction (FHIR R4 §3.1.0.11.2, https://hl7.org/fhir/R4/bundle.html#references):
 * what the hub gives an id of its own is named by that id everywhere in the bundle. Each reference is looked up once,
 * however many entries there are.
 */
import { elementNamesOf, isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import { sameCondition } from './conditions.ts';
import type { ResolveReference } from './prepare.ts';

export interface Target {
  type: string;
  id: string;
}

export class BundleReferences {
  readonly #byUrl = new Map<string, Target>();
  readonly #byCondition = new Map<string, Target>();
  #versionOf: (target: Target) => number | undefined = () => undefined;

  /** What the `fullUrl` of an entry stands for. */
  add(fullUrl: string, target: Target): void {
    this.#byUrl.set(fullUrl, target);
  }

  /** What a conditional reference (`Type?query`) stands for. */
  addCondition(type: string, query: string, target: Target): void {
    this.#byCondition.set(sameCondition({ type, query }), target);
  }

  /** Tells the version that a target will have, for references to a version. */
  useVersions(versionOf: (target: Target) => number | undefined): void {
    this.#versionOf = versionOf;
  }

  conditional(type: string, query: string): Target | undefined {
    return this.#byCondition.get(sameCondition({ type, query }));
  }

  /** How references in an entry are to be read; relative ones stand for entries of the same server. */
  resolver(fullUrl: string | undefined): ResolveReference {
    const root = /^(https?:\/\/.+\/)[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(fullUrl ?? '')?.[1];
    return (reference) => {
      if (reference.startsWith('#')) return undefined;
      const condition = readConditional(reference);
      if (condition) return nameOf(this.conditional(condition.type, condition.query));
      const slash = reference.indexOf('/_history/');
      const url = slash < 0 ? reference : reference.slice(0, slash);
      const target = this.#byUrl.get(url) ?? (root === undefined ? undefined : this.#byUrl.get(root + url));
      if (!target || slash < 0) return nameOf(target);
      const version = this.#versionOf(target);
      return version === undefined ? nameOf(target) : `${nameOf(target)}/_history/${version}`;
    };
  }

  /**
   * The resource with the links by URN put right that are no references: elements of type uri, url, oid and uuid, and
   * `href` and `src` in the narrative. Elements of type canonical stay as they are; so do addresses, since the `url` of
   * a definition often is that of its entry, and still is its name afterwards.
   */
  relinked(scanned: ScannedResource, fullUrl: string | undefined): ScannedResource {
    const { text, references } = scanned;
    const resolve = this.resolver(fullUrl);
    let out = '';
    let from = 0;
    let next = 0;
    for (const match of text.matchAll(urn)) {
      const start = match.index;
      const end = start + match[0].length;
      while (next < references.length && references[next]!.end <= start) next++;
      if (next < references.length && references[next]!.start <= start) continue;
      const resolved = resolve(match[0]);
      if (resolved === undefined) continue;
      if (!isElement(text, start, end) && !isNarrativeLink(text, start, end)) continue;
      out += text.slice(from, start) + resolved;
      from = end;
    }
    if (from === 0) return scanned;
    const again = scanResource(out + text.slice(from));
    return isFhirError(again) ? scanned : again;
  }
}

/** A reference of the form `Type?query`. */
export function readConditional(reference: string): { type: string; query: string } | undefined {
  const parts = /^([A-Z][A-Za-z]+)\?(.+)$/.exec(reference);
  return parts ? { type: parts[1]!, query: parts[2]! } : undefined;
}

const urn = /urn:(?:uuid|oid):[A-Za-z0-9.-]+/g;

function nameOf(target: Target | undefined): string | undefined {
  return target && `${target.type}/${target.id}`;
}

/** Whether a stretch of JSON is the whole value of an element that names a place, or one of the first in a list. */
function isElement(text: string, start: number, end: number): boolean {
  if (text[start - 1] !== '"' || text[end] !== '"' || text[start - 2] === '\\') return false;
  const before = text.slice(Math.max(0, start - 300), start - 1);
  const name = /"(\w+)":(?:\[(?:"(?:[^"\\]|\\.)*",)*)?$/.exec(before)?.[1];
  return name !== undefined && elementNamesOf(['uri', 'url', 'oid', 'uuid']).has(name) && name !== 'reference';
}

function isNarrativeLink(text: string, start: number, end: number): boolean {
  return (
    /(?:href|src)=(?:\\"|')$/.test(text.slice(Math.max(0, start - 8), start)) && /^(?:\\"|')/.test(text.slice(end))
  );
}
