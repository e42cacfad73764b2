/**
 * Carries a plan out, level by level: all that can be answered from the resources at hand is answered, then everything
 * that has to be read or searched for is fetched together, and so on until nothing is left.
 */
import { isResourceType, typeProperties } from '@causeway/fhir';
import type { ElementFilter } from './arguments.ts';
import type { Collected, Collector, SelectionGroup } from './collect.ts';
import { GraphqlError, tooCostly } from './errors.ts';
import { Fetcher } from './fetch.ts';
import { evaluate, type Focus, type Item, truth } from './fhirpath/evaluate.ts';
import type { GraphqlLimits } from './limits.ts';
import { Output } from './output.ts';
import { targetOf } from './references.ts';
import type { GraphqlSource, Resource } from './source.ts';
import { ANY_RESOURCE, nameOf, ROOT } from './types.ts';

/** An object of the graph and the resource it stands in. */
interface Node {
  value: Readonly<Record<string, unknown>>;
  type: string;
  container: Resource | undefined;
}

/** Where the fields of an object go: below `@flatten` they go up, as lists and with suffixes. */
interface Place {
  output: Output;
  inList: boolean;
  suffix: string;
}

export class Run {
  readonly #collector: Collector;
  readonly #fetcher: Fetcher;
  readonly #base: string | undefined;
  readonly #limits: GraphqlLimits;
  #steps = 0;
  #length = 0;

  constructor(collector: Collector, source: GraphqlSource, limits: GraphqlLimits, signal: AbortSignal | undefined) {
    this.#collector = collector;
    this.#fetcher = new Fetcher(source, limits, signal);
    this.#base = source.base;
    this.#limits = limits;
  }

  /** The answer to selections from a resource, or from the root. @throws GraphqlError */
  async answer(group: SelectionGroup, start: Resource | undefined): Promise<Record<string, unknown>> {
    const output = new Output();
    const type = start?.resourceType ?? ROOT;
    this.#object({ value: start ?? {}, type, container: start }, group, { output, inList: false, suffix: '' });
    while (this.#fetcher.isWaiting) await this.#fetcher.fetch();
    return output.toJSON();
  }

  #object(node: Node, group: SelectionGroup, place: Place): void {
    for (const field of this.#collector.fieldsFor(group, node.type)) {
      this.#step();
      switch (field.kind) {
        case 'typename':
          this.#scalars(field, [nameOf(node.type)], { type: 'code', isList: false }, node, place);
          break;
        case 'scalar':
          this.#scalars(field, member(node, field.name), field, node, place);
          break;
        case 'complex':
          this.#elements(field, node, place);
          break;
        case 'target':
          this.#target(field, node, place);
          break;
        case 'single':
          this.#single(field, place);
          break;
        default:
          this.#search(field, node, place);
      }
    }
  }

  #scalars(
    field: Collected,
    values: readonly unknown[],
    { type, isList }: { type: string; isList: boolean },
    { container }: Node,
    { output, inList, suffix }: Place,
  ): void {
    const { shape, place } = field;
    const aligned = isList && !inList && !shape.first && !shape.singleton && shape.slice === undefined;
    const present = aligned ? values : values.filter((value) => value !== null);
    if (present.length === 0 || (aligned && present.every((value) => value === null))) return;
    for (const [index, value] of (shape.first ? present.slice(0, 1) : present).entries()) {
      this.#step();
      const key = field.key + suffix + this.#slice(field, { value, type, container } as Item, index);
      this.#measure(key.length + (typeof value === 'string' ? value.length : 8));
      output.add(key, !shape.singleton && (isList || inList), type, value, place);
    }
  }

  #elements(field: Collected & { kind: 'complex' }, node: Node, place: Place): void {
    const isOwn = field.type === ANY_RESOURCE && field.name !== 'contained';
    const items = member(node, field.name).map((value): Node | undefined => {
      this.#step();
      return nodeOf(value, field.type, isOwn ? undefined : node.container);
    });
    if (field.type.endsWith('Edge')) this.#reserve(field, true, field.type, place);
    this.#spread(field, field.isList, this.#filtered(items, field.filter), place, field.name.startsWith('_'));
  }

  /** Elements of a list that are wanted; what stands for a primitive without extensions stays as undefined. */
  #filtered(items: (Node | undefined)[], filter: ElementFilter): (Node | undefined)[] {
    const { equal, fhirpath, offset, count } = filter;
    if (equal.length === 0 && !fhirpath && offset === 0 && count === undefined) return items;
    const kept = items.filter((item, index) => {
      if (!item) return false;
      const matches = equal.every(({ property, values }) =>
        member(item, property).some((value) => values.includes(textOf(value))),
      );
      return matches && (!fhirpath || truth(evaluate(fhirpath, this.#focus(item, index))) === true);
    });
    return kept.slice(offset, count === undefined ? undefined : offset + count);
  }

  /** Answers each object of a field, in an object of its own or flattened into the one around it. */
  #spread(field: Collected, isList: boolean, nodes: (Node | undefined)[], place: Place, aligned = false): void {
    const { shape } = field;
    const wanted = shape.first ? nodes.filter((node) => node !== undefined).slice(0, 1) : nodes;
    if (wanted.every((node) => node === undefined)) return;
    for (const [index, node] of wanted.entries()) {
      if (!node) {
        if (aligned && isList && !place.inList && !shape.flatten && !shape.singleton) {
          place.output.add(field.key + place.suffix, true, 'Element', null, field.place);
        }
        continue;
      }
      const suffix = place.suffix + this.#slice(field, node, index);
      if (shape.flatten) {
        const inList = place.inList || (isList && !shape.first);
        this.#object(node, field.group, { output: place.output, inList, suffix });
        continue;
      }
      const output = new Output();
      const type = field.kind === 'target' ? ANY_RESOURCE : node.type;
      this.#measure(field.key.length + suffix.length + 8);
      place.output.add(field.key + suffix, !shape.singleton && (isList || place.inList), type, output, field.place);
      this.#object(node, field.group, { output, inList: false, suffix: '' });
    }
  }

  /** `.` and what `@slice` gives for an element; nothing where it gives nothing. */
  #slice(field: Collected, item: Item, index: number): string {
    if (!field.slice) return '';
    const [found, ...more] = evaluate(field.slice, this.#focus(item, index));
    if (found === undefined) return '';
    if (more.length > 0 || (typeof found.value === 'object' && textOf(found.value) === '')) {
      throw new GraphqlError('The expression of @slice has to give one text, number or boolean.', field.place);
    }
    return `.${textOf(found.value)}`;
  }

  #focus(item: Item, index: number): Focus {
    return { item, index, step: (count) => this.#step(count) };
  }

  #target(field: Collected & { kind: 'target' }, node: Node, place: Place): void {
    const target = targetOf(node.value.reference, node.container, this.#base);
    const type = target && ('stored' in target ? target.stored.type : target.contained.resourceType);
    if (type !== undefined && field.groupFor(type) === undefined) return;
    const answer = (found: Resource | undefined, container: Resource | undefined) => {
      if (!found && field.isOptional) return;
      if (!found) {
        const text = 'A reference leads to no resource that can be read; resource(optional: true) leaves those out.';
        throw new GraphqlError(text, field.place, 'not-found', 404);
      }
      const group = field.groupFor(found.resourceType);
      if (!group) return;
      this.#spread({ ...field, group }, false, [{ value: found, type: found.resourceType, container }], place);
    };
    if (target && 'stored' in target) {
      this.#reserve(field, false, ANY_RESOURCE, place);
      this.#fetcher.read({ ...target.stored, take: (found) => answer(found, found) });
    } else {
      answer(target?.contained, node.container);
    }
  }

  /** Keeps a name's place in the answer, though its value comes later. */
  #reserve({ key, shape, place }: Collected, isList: boolean, type: string, { output, inList, suffix }: Place): void {
    if (shape.flatten || shape.slice !== undefined) return;
    output.reserve(key + suffix, !shape.singleton && (isList || inList), type, place);
  }

  #single(field: Collected & { kind: 'single' }, place: Place): void {
    this.#reserve(field, false, field.type, place);
    this.#fetcher.read({
      type: field.type,
      id: field.id,
      take: (found) => {
        if (!found) {
          const text = `There is no ${field.type} of this id, or none that may be seen.`;
          throw new GraphqlError(text, field.place, 'not-found', 404);
        }
        this.#spread(field, false, [{ value: found, type: found.resourceType, container: found }], place);
      },
    });
  }

  #search(field: Collected & { kind: 'list' | 'connection' }, node: Node, place: Place): void {
    const { search, type } = field;
    const parameters = [...search.parameters];
    if (search.reference !== undefined) {
      if (node.value !== node.container) {
        throw new GraphqlError('Nothing refers to a contained resource but the one around it.', field.place);
      }
      parameters.push([search.reference, `${node.type}/${String(node.value.id)}`]);
    }
    const isWhole = field.kind === 'list' && !search.isCounted;
    if (isWhole) parameters.push(['_count', String(this.#limits.listed)]);
    const continues = parameters.some(([name]) => name === '_cursor');
    if (field.wantsCount && !continues) parameters.push(['_total', 'accurate']);
    const isList = field.kind === 'list';
    this.#reserve(field, isList, isList ? type : `${type}Connection`, place);
    this.#fetcher.search({
      type,
      parameters,
      place: field.place,
      take: (page) => {
        if (isWhole && (page.next !== undefined || page.entries.length > this.#limits.listed)) {
          throw tooCostly(
            `${field.name} finds too much; use ${type}Connection`,
            this.#limits.listed,
            'in a list',
            field.place,
          );
        }
        const entries = page.entries.filter(
          ({ resource }, index) =>
            !search.fhirpath ||
            truth(evaluate(search.fhirpath, this.#focus({ value: resource, type: resource.resourceType }, index))) ===
              true,
        );
        if (isList) {
          const nodes = entries.map(({ resource }) => ({
            value: resource,
            type: resource.resourceType,
            container: resource,
          }));
          this.#spread(field, true, nodes, place);
        } else {
          const { total: count, offset, pageSize: pagesize, first, previous, next, last } = page;
          const value = { count, offset, pagesize, edges: entries, first, previous, next, last };
          this.#spread(field, false, [{ value, type: `${type}Connection`, container: undefined }], place);
        }
      },
    });
  }

  #step(count = 1): void {
    this.#steps += count;
    if (this.#steps > this.#limits.steps) {
      throw tooCostly('The query looks at too much', this.#limits.steps, 'elements looked at');
    }
  }

  #measure(length: number): void {
    this.#length += length;
    if (this.#length > this.#limits.resultLength) {
      throw tooCostly('The answer is too long', this.#limits.resultLength, 'characters in its answer');
    }
  }
}

/** The values of a property, none where it is absent. */
function member({ value, type }: { value: Readonly<Record<string, unknown>>; type: string }, name: string): unknown[] {
  const found = typeProperties(type) && !Object.hasOwn(value, name) ? undefined : value[name];
  return found === undefined || found === null ? [] : Array.isArray(found) ? found : [found];
}

/** @param container the resource around the value; undefined for what is a resource of its own */
function nodeOf(value: unknown, declared: string, container: Resource | undefined): Node | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const object = value as Record<string, unknown>;
  const named = object.resourceType;
  if (declared !== ANY_RESOURCE) {
    const isResource = isResourceType(declared);
    return { value: object, type: declared, container: isResource ? (object as Resource) : container };
  }
  if (typeof named !== 'string' || !isResourceType(named)) return undefined;
  return { value: object, type: named, container: container ?? (object as Resource) };
}

/** A primitive as text; a number that is held as its text as that; empty for an object. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return 'rawJSON' in value ? String(value.rawJSON) : '';
}
