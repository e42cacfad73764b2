/** What a Reference refers to (https://hl7.org/fhir/R4/references.html): a resource of the source, or a contained one. */
import { isId, isResourceType } from '@causeway/fhir';
import type { Resource, ResourceId } from './source.ts';

export type Target = { contained: Resource } | { stored: ResourceId } | undefined;

/**
 * @param container the resource in which the reference stands
 * @param base addresses that begin with this are resources of the source
 */
export function targetOf(reference: unknown, container: Resource | undefined, base: string | undefined): Target {
  if (typeof reference !== 'string') return undefined;
  if (reference.startsWith('#')) {
    const contained = Array.isArray(container?.contained) ? (container.contained as (Resource | null)[]) : [];
    const found = contained.find((resource) => resource?.id === reference.slice(1));
    return found && isResourceType(found.resourceType) ? { contained: found } : undefined;
  }
  const relative = base !== undefined && reference.startsWith(base) ? reference.slice(base.length) : reference;
  const [type, id, history, version, more] = relative.split('/');
  if (type === undefined || id === undefined || !isResourceType(type) || !isId(id)) return undefined;
  if (history !== undefined && (history !== '_history' || version === undefined || more !== undefined))
    return undefined;
  return { stored: { type, id } };
}
