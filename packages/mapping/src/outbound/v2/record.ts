/** The resources a message is written from, found by reference and by type, and reading their elements. */
import type { Resource } from '@medplum/fhirtypes';
import type { OutboundKind } from '../envelope.ts';

/** A resource or an element of one. */
export type Element = Record<string, unknown>;

/** What writing needs to know besides the value. */
export interface Writing {
  record: OutboundRecord;
  /** Key of the organisation that stated the content; a receiver is told its local codes apart by it. */
  origin: string;
  /** The message is passed on as it came: names that its sender gave stay as they are. */
  relayed: boolean;
  /** Why a message of our own is sent. */
  kind?: OutboundKind;
}

/** The resources of one message; an element may refer to what is not among them. */
export class OutboundRecord {
  readonly #byReference = new Map<string, Element>();
  readonly #byType = new Map<string, Element[]>();
  readonly #byTarget = new Map<string, Map<string, Element[]>>();

  constructor(resources: readonly Resource[]) {
    for (const resource of resources as readonly object[] as readonly Element[]) {
      const type = String(resource.resourceType);
      this.#byReference.set(`${type}/${String(resource.id)}`, resource);
      const same = this.#byType.get(type);
      if (same === undefined) this.#byType.set(type, [resource]);
      else same.push(resource);
    }
  }

  /** Every resource of a type, in the order given. */
  all(type: string): readonly Element[] {
    return this.#byType.get(type) ?? [];
  }

  /** Resources of a type whose element, a Reference or a list of them, refers to the target. */
  referring(type: string, element: string, target: Element): readonly Element[] {
    const key = `${type}.${element}`;
    let byTarget = this.#byTarget.get(key);
    if (byTarget === undefined) {
      byTarget = new Map();
      for (const resource of this.all(type)) {
        const value = resource[element];
        for (const reference of new Set(
          (Array.isArray(value) ? value : [value]).map((item) => textOf(item, 'reference')),
        )) {
          if (reference === undefined) continue;
          const known = byTarget.get(reference);
          if (known === undefined) byTarget.set(reference, [resource]);
          else known.push(resource);
        }
      }
      this.#byTarget.set(key, byTarget);
    }
    return byTarget.get(referenceOf(target)) ?? [];
  }

  /** What a Reference refers to, when it is here. */
  resolve(reference: unknown): Element | undefined {
    const target = textOf(reference, 'reference');
    return target === undefined ? undefined : this.#byReference.get(target);
  }
}

export function referenceOf(resource: Element): string {
  return `${String(resource.resourceType)}/${String(resource.id)}`;
}

/** Whether a Reference refers to the resource. */
export function refersTo(reference: unknown, resource: Element): boolean {
  return textOf(reference, 'reference') === referenceOf(resource);
}

/** A string or number member as text. */
export function textOf(node: unknown, name: string): string | undefined {
  const value = isElement(node) ? node[name] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

export function childOf(node: unknown, name: string): Element | undefined {
  const value = isElement(node) ? node[name] : undefined;
  return isElement(value) ? value : undefined;
}

export function listOf(node: unknown, name: string): readonly Element[] {
  const value = isElement(node) ? node[name] : undefined;
  if (!Array.isArray(value)) return nothing;
  return value.every(isElement) ? value : value.filter(isElement);
}

const nothing: readonly Element[] = [];

export function textsOf(node: unknown, name: string): string[] {
  const value = isElement(node) ? node[name] : undefined;
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The value of an extension, whatever its type. */
export function extensionOf(node: unknown, url: string): unknown {
  const found =
    isElement(node) && node.extension !== undefined && listOf(node, 'extension').find((item) => item.url === url);
  return found ? extensionValue(found) : undefined;
}

/** `value[x]` of an extension. */
export function extensionValue(extension: Element): unknown {
  const name = Object.keys(extension).find((key) => key.startsWith('value'));
  return name === undefined ? undefined : extension[name];
}

/** Codings of a CodeableConcept. */
export function codingsOf(concept: unknown): readonly Element[] {
  return listOf(concept, 'coding');
}

export function hasCode(concept: unknown, code: string, system?: string): boolean {
  return codingsOf(concept).some((item) => item.code === code && (system === undefined || item.system === system));
}

export function isElement(value: unknown): value is Element {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value holds everything a pattern says; of a list, for each item of the pattern some item. */
export function holds(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.every((part) => value.some((item) => holds(item, part)));
  if (isElement(pattern))
    return isElement(value) && Object.entries(pattern).every(([name, part]) => holds(value[name], part));
  return value === pattern;
}
