/**
 * `$graph` (https://hl7.org/fhir/R4/resource-operation-graph.html): from one resource along the links of a
 * GraphDefinition that the record holds (https://hl7.org/fhir/R4/graphdefinition.html). Bounded in depth and size; a
 * resource that is reached twice is given out once.
 */
import { isResourceType } from '@causeway/fhir';
import type { GraphDefinition, GraphDefinitionLink, GraphDefinitionLinkTarget, Resource } from '@medplum/fhirtypes';
import type { Access } from '../trust/index.ts';
import { type Issue, RecordError } from './errors.ts';
import { logicalId } from './logical-id.ts';
import type { StoredResource } from './read.ts';
import type { FhirRecord } from './record.ts';

export interface Graph {
  start: StoredResource;
  linked: StoredResource[];
  /** What of the definition was not met, or not understood. */
  warnings: Issue[];
}

const maximumResources = 2_000;
const maximumSteps = 3_000;
const maximumDepth = 12;

/** @throws RecordError 400, 404, 410, 413, 422 */
export async function graphOf(
  record: FhirRecord,
  access: Access,
  { type, id }: { type: string; id: string },
  definition: string,
): Promise<Graph> {
  const graph = await definitionOf(record, access, definition);
  if (graph.start !== type) {
    throw new RecordError(422, 'business-rule', `The graph starts from ${graph.start}, not from ${type}.`, 'graph');
  }
  const start = await record.read(access, type, id);
  const walk = new Walk(record, access, start);
  await walk.follow(start, graph.link ?? [], 'GraphDefinition', 0);
  return { start, linked: walk.linked, warnings: [...walk.warnings.values()] };
}

/** The definition of a canonical URL, perhaps with its version, or of a reference. */
async function definitionOf(record: FhirRecord, access: Access, named: string): Promise<GraphDefinition> {
  const id = /^(?:GraphDefinition\/)?([A-Za-z0-9\-.]{1,64})$/.exec(named)?.[1];
  if (id !== undefined) return JSON.parse((await record.read(access, 'GraphDefinition', id)).text) as GraphDefinition;
  const [url, version] = named.split('|') as [string, string | undefined];
  const query = new URLSearchParams({ url: url.replaceAll(',', '\\,'), ...(version ? { version } : {}) });
  const { matches } = await record.search(access, record.readSearch('GraphDefinition', query, false));
  const newest = matches.sort((a, b) => b.seq - a.seq)[0];
  if (newest) return JSON.parse(newest.text) as GraphDefinition;
  const text = 'There is no GraphDefinition of this URL on the server; store it first.';
  throw new RecordError(404, 'not-found', text, 'graph');
}

class Walk {
  readonly #record: FhirRecord;
  readonly #access: Access;
  readonly linked: StoredResource[] = [];
  readonly warnings = new Map<string, Issue>();
  readonly #seen: Set<string>;
  /** What was followed from where, so that a cycle ends. */
  readonly #followed = new Set<string>();
  #steps = 0;

  constructor(record: FhirRecord, access: Access, start: StoredResource) {
    this.#record = record;
    this.#access = access;
    this.#seen = new Set([keyOf(start)]);
  }

  /** Follows links from a resource. `at`: their place in the definition. */
  async follow(from: StoredResource, links: GraphDefinitionLink[], at: string, depth: number): Promise<void> {
    if (depth > maximumDepth) {
      throw new RecordError(422, 'too-costly', `A graph may be ${maximumDepth} links deep.`, at);
    }
    if (this.#followed.has(`${keyOf(from)} ${at}`)) return;
    this.#followed.add(`${keyOf(from)} ${at}`);
    for (const [i, link] of links.entries()) await this.#link(from, link, `${at}.link[${i}]`, depth);
  }

  async #link(from: StoredResource, link: GraphDefinitionLink, at: string, depth: number): Promise<void> {
    if (link.sliceName !== undefined) {
      this.#warn(at, 'not-supported', 'Slices are not told apart without their profile: all of the path is followed.');
    }
    const referenced = link.path === undefined ? undefined : await this.#referenced(from, link.path, at);
    const reached: { stored: StoredResource; target: GraphDefinitionLinkTarget; at: string }[] = [];
    for (const [i, target] of (link.target ?? []).entries()) {
      const place = `${at}.target[${i}]`;
      if ((target.compartment ?? []).length > 0) {
        this.#warn(`${place}.compartment`, 'not-supported', 'Rules about compartments are not checked.');
      }
      const found = referenced ?? (await this.#searched(from, target, place));
      for (const stored of found) {
        if (stored.type === target.type || String(target.type) === 'Resource')
          reached.push({ stored, target, at: place });
      }
    }
    const { min, max } = link;
    const limit = /^\d{1,6}$/.test(max ?? '') ? Number(max) : Number.POSITIVE_INFINITY;
    if (reached.length < (min ?? 0)) {
      this.#warn(at, 'required', `Of this link there are fewer resources than the ${min} that its min asks for.`);
    }
    if (reached.length > limit) {
      this.#warn(
        at,
        'business-rule',
        `Of this link there are more resources than its max of ${max}; the rest is left out.`,
      );
    }
    for (const one of reached.slice(0, limit)) {
      this.#add(one.stored);
      await this.follow(one.stored, one.target.link ?? [], one.at, depth + 1);
    }
  }

  #add(stored: StoredResource): void {
    if (this.#seen.has(keyOf(stored))) return;
    this.#seen.add(keyOf(stored));
    this.linked.push(stored);
    if (this.linked.length > maximumResources) {
      throw new RecordError(413, 'too-costly', `A graph may have ${maximumResources} resources; this one has more.`);
    }
  }

  async #referenced(from: StoredResource, path: string, at: string): Promise<StoredResource[]> {
    const found = await Promise.all(
      referencesAt(JSON.parse(from.text) as Resource, path, at).map(async (reference) => {
        this.#step();
        const [, type, id] = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/.exec(reference) ?? [];
        if (!type || !id || !isResourceType(type)) return undefined;
        return this.#record.read(this.#access, type, id).catch((error) => {
          if (error instanceof RecordError && (error.status === 404 || error.status === 410)) return undefined;
          throw error;
        });
      }),
    );
    return found.filter((stored) => stored !== undefined);
  }

  /** What a target's params find, `{ref}` being the resource that the link comes from. */
  async #searched(from: StoredResource, target: GraphDefinitionLinkTarget, at: string): Promise<StoredResource[]> {
    if (target.params === undefined || !isResourceType(target.type)) {
      throw new RecordError(422, 'required', 'A link without a path needs a target type and params with {ref}.', at);
    }
    if (!target.params.includes('{ref}')) {
      throw new RecordError(422, 'value', 'The params of a target name the resource they start from as {ref}.', at);
    }
    const reference = `${from.type}/${logicalId(from.text)}`;
    const query = new URLSearchParams(
      target.params.replace(/^\?/, '').replaceAll('{ref}', encodeURIComponent(reference)),
    );
    const found: StoredResource[] = [];
    let cursor: string | undefined;
    do {
      this.#step();
      if (cursor !== undefined) query.set('_cursor', cursor);
      const { matches, included, next } = await this.#record.search(
        this.#access,
        this.#record.readSearch(target.type, query, false),
      );
      found.push(...matches, ...included);
      cursor = next;
    } while (cursor !== undefined && found.length <= maximumResources);
    return found;
  }

  #step(): void {
    this.#steps++;
    if (this.#steps <= maximumSteps) return;
    throw new RecordError(413, 'too-costly', `A graph may take ${maximumSteps} steps; this one takes more.`);
  }

  #warn(at: string, code: string, diagnostics: string): void {
    this.warnings.set(`${at} ${code}`, { severity: 'warning', code, diagnostics, expression: at });
  }
}

/** The references at a path of element names, `Type.` before it and `[x]` for a choice allowed. */
function referencesAt(resource: Resource, path: string, at: string): string[] {
  if (!/^[A-Za-z]+(?:\[x\])?(?:\.[A-Za-z]+(?:\[x\])?)*$/.test(path)) {
    const text = 'The path of a link may be element names with dots between them, such as performer.actor.';
    throw new RecordError(422, 'not-supported', text, at);
  }
  const steps = path.split('.');
  if (steps[0] === resource.resourceType) steps.shift();
  let elements: unknown[] = [resource];
  for (const step of steps) elements = elements.flatMap((element) => children(element, step));
  return elements.flatMap((element) => {
    if (typeof element === 'string') return [element];
    const { reference } = (element ?? {}) as { reference?: unknown };
    return typeof reference === 'string' ? [reference] : [];
  });
}

function children(element: unknown, step: string): unknown[] {
  if (typeof element !== 'object' || element === null) return [];
  const fields = element as Record<string, unknown>;
  const choice = step.endsWith('[x]') ? step.slice(0, -3) : undefined;
  const names = choice === undefined ? [step] : Object.keys(fields).filter((name) => name.startsWith(choice));
  return names.filter((name) => Object.hasOwn(fields, name)).flatMap((name) => fields[name]);
}

function keyOf({ type, rid }: StoredResource): string {
  return `${type}/${rid}`;
}
