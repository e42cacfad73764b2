/**
 * What a field of a type is (https://hl7.org/fhir/R4/graphql.html#fields): an element of FHIR, or one of the fields that
 * FHIR's GraphQL adds. The added types are `Query`, `PatientConnection`, `PatientEdge` and so on for each resource type.
 */
import { complexTypeNames, isResourceType, resourceTypes, typeProperties } from '@causeway/fhir';

export type Meaning =
  | { kind: 'scalar'; type: string; isList: boolean }
  | { kind: 'complex'; type: string; isList: boolean }
  /** `resource` of a Reference. */
  | { kind: 'target' }
  | { kind: 'search'; type: string; form: 'single' | 'list' | 'connection' }
  | { kind: 'typename' };

/** The type of what stands for any resource. */
export const ANY_RESOURCE = 'Resource';

/** The type that a query without a resource starts from. */
export const ROOT = 'Query';

/** What a field means on a type; undefined where the type has no such field. */
export function meaningOf(type: string, field: string): Meaning | undefined {
  if (field === '__typename') return { kind: 'typename' };
  if (type === ROOT) return searchOf(field, ['single', 'list', 'connection']);
  if (isResourceType(type)) {
    if (field === 'resourceType') return { kind: 'typename' };
    const element = elementOf(type, field);
    return element ?? searchOf(field, ['list', 'connection']);
  }
  if (type === 'Reference' && field === 'resource') return { kind: 'target' };
  return elementOf(type, field) ?? addedOf(type, field);
}

/** Whether an object of a type is meant by a fragment's condition. */
export function isMeant(type: string, on: string | undefined): boolean {
  if (on === undefined || on === type || on === nameOf(type)) return true;
  if (on === ANY_RESOURCE) return isResourceType(type);
  if (on === 'DomainResource') return isResourceType(type) && typeProperties(type)!.has('contained');
  if (on === 'BackboneElement') return type.includes('.');
  return on === 'Element' && !isResourceType(type) && typeProperties(type) !== undefined;
}

/** Whether a fragment's condition names anything at all. */
export function isKnownType(name: string): boolean {
  return name === ROOT || isResourceType(name) || allNames().has(name) || addedTypes.test(name);
}

/** A type's name in GraphQL: a backbone element's path without dots (`PatientContact`). */
export function nameOf(type: string): string {
  return type.includes('.')
    ? type
        .split('.')
        .map((part) => part[0]!.toUpperCase() + part.slice(1))
        .join('')
    : type;
}

/** Whether any resource type at all has a field. */
export function isFieldOfSomeResource(field: string): boolean {
  return resourceTypes().some((type) => meaningOf(type, field) !== undefined);
}

function elementOf(type: string, field: string): Meaning | undefined {
  const properties = typeProperties(type);
  const property = properties?.get(field);
  if (property) {
    const kind = property.isPrimitive ? 'scalar' : 'complex';
    return { kind, type: property.type, isList: property.isList };
  }
  const primitive = field.startsWith('_') ? properties?.get(field.slice(1)) : undefined;
  return primitive?.isPrimitive ? { kind: 'complex', type: 'Element', isList: primitive.isList } : undefined;
}

const suffixes = { single: '', list: 'List', connection: 'Connection' } as const;

function searchOf(field: string, forms: readonly (keyof typeof suffixes)[]): Meaning | undefined {
  for (const form of forms) {
    const suffix = suffixes[form];
    const type = field.endsWith(suffix) ? field.slice(0, field.length - suffix.length) : '';
    if (isResourceType(type)) return { kind: 'search', type, form };
  }
  return undefined;
}

const addedTypes = /^([A-Za-z]+)(Connection|Edge)$/;

function addedOf(type: string, field: string): Meaning | undefined {
  const [, resource, added] = addedTypes.exec(type) ?? [];
  if (resource === undefined || !isResourceType(resource)) return undefined;
  const scalar = (name: string): Meaning => ({ kind: 'scalar', type: name, isList: false });
  if (added === 'Edge') {
    if (field === 'resource') return { kind: 'complex', type: resource, isList: false };
    return field === 'mode' ? scalar('code') : field === 'score' ? scalar('decimal') : undefined;
  }
  if (field === 'edges') return { kind: 'complex', type: `${resource}Edge`, isList: true };
  if (field === 'count' || field === 'offset' || field === 'pagesize') return scalar('integer');
  return ['first', 'previous', 'next', 'last'].includes(field) ? scalar('string') : undefined;
}

let names: ReadonlySet<string> | undefined;

function allNames(): ReadonlySet<string> {
  names ??= new Set(complexTypeNames().flatMap((type) => [type, nameOf(type)]));
  return names;
}
