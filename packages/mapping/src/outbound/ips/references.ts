/** References of a resource: those that it makes, and the same resource with its references as a document has them. */
import type { Reference, Resource } from '@medplum/fhirtypes';

/** References, with the name of the member that holds each. */
export function referencesIn(resource: Resource): { member: string; reference: Reference }[] {
  const found: { member: string; reference: Reference }[] = [];
  const walk = (value: unknown, member: string): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, member);
    else if (isObject(value)) {
      if (typeof value.reference === 'string') found.push({ member, reference: value as Reference });
      for (const [name, inner] of Object.entries(value)) walk(inner, name);
    }
  };
  walk(resource, '');
  return found;
}

const RELATIVE = /^([A-Z][A-Za-z]{0,39}\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;
const BINARY = /^Binary\/[A-Za-z0-9\-.]{1,64}$/;

/**
 * The resource with full addresses: what the document has by that of its entry, what it has not by where the record has it.
 * What a resource contains, and what is named by a full address, stays as it is.
 */
export function addressed(
  resource: Resource,
  known: ReadonlySet<string>,
  address: (target: string) => string,
  base: string,
): Resource {
  const rewritten = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewritten);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        if (typeof inner !== 'string') return [name, rewritten(inner)];
        if (name === 'reference') return [name, full(inner)];
        return [name, name === 'url' && BINARY.test(inner) ? `${base}/${inner}` : inner];
      }),
    );
  };
  const full = (reference: string): string => {
    const target = RELATIVE.exec(reference)?.[1];
    if (target === undefined) return reference;
    return known.has(target) ? address(target) : `${base}/${reference}`;
  };
  return rewritten(resource) as Resource;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !JSON.isRawJSON(value);
}
