/** What holds of the resources of any conversion: valid R4, each id once, and no reference into nothing. */
import { validate } from '@causeway/fhir';
import type { Conversion } from '@causeway/mapping';
import type { Resource } from '@medplum/fhirtypes';

export interface ResourceFindings {
  /** Sentences without values: path of the element and what is wrong. */
  invalid: string[];
  dangling: string[];
}

/** Checks each resource against R4, and that references stay within what the conversion states. */
export function checkResources(conversion: Conversion): ResourceFindings {
  const invalid: string[] = [];
  const dangling: string[] = [];
  const known = new Set<string>();
  for (const { resource } of conversion.facts) {
    const key = `${resource.resourceType}/${resource.id}`;
    if (known.has(key)) invalid.push(`${resource.resourceType}: an id stands for two resources`);
    known.add(key);
  }
  for (const event of conversion.identityEvents) {
    for (const [name, value] of Object.entries(event)) if (name !== 'kind' && name !== 'at') known.add(String(value));
  }
  for (const { resource } of conversion.facts) {
    for (const { severity, expression, diagnostics } of validate(resource)) {
      if (severity === 'error' || severity === 'fatal') invalid.push(`${expression ?? ''}: ${diagnostics}`);
    }
    const contained = new Set(containedIds(resource));
    for (const { path, reference } of referencesOf(resource)) {
      if (!resolves(reference, known, contained)) dangling.push(`${resource.resourceType}${path} refers to nothing`);
    }
  }
  return { invalid, dangling };
}

/** Every `reference` in a value, with its path. */
export function* referencesOf(value: unknown, path = ''): Generator<{ path: string; reference: string }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* referencesOf(item, `${path}[${index}]`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === 'reference' && typeof member === 'string') yield { path, reference: member };
    else yield* referencesOf(member, `${path}.${name}`);
  }
}

function containedIds(resource: Resource): string[] {
  const { contained } = resource as { contained?: Resource[] };
  return (contained ?? []).map(({ id }) => id ?? '');
}

/** A relative reference has to be to a resource at hand; an absolute one leads elsewhere and is not followed. */
function resolves(reference: string, known: ReadonlySet<string>, contained: ReadonlySet<string>): boolean {
  if (reference.startsWith('#')) return reference === '#' || contained.has(reference.slice(1));
  if (/^[a-z][a-z0-9+.-]*:/.test(reference)) return !reference.startsWith('urn:uuid:') || known.has(reference);
  return known.has(reference);
}
