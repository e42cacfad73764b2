/**
 * Elements of a resource held as JSON (https://hl7.org/fhir/R4/json.html): where an element stands, how one is put in and
 * taken out. A primitive element is up to two properties, its value and `_name` with its id and extensions; a choice is
 * one property for each of its types; a list of primitives is two lists of one length.
 */
import type { Property } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import type { ExactObject, ExactValue } from '../json/exact.ts';
import { isExactObject, memberOf, setMember } from '../json/exact.ts';
import type { ElementPath } from './element-path.ts';
import { PatchRefusal } from './refusal.ts';

/** An element where it stands; `holder` is undefined for the resource itself. */
export interface Place {
  /** Its FHIR type; of a backbone element its path, such as `Patient.contact`. */
  type: string;
  holder: { place: Place; property: Property; index: number | undefined } | undefined;
  resource: ExactObject;
}

/** An element to be put in: a property, its value, and of a primitive its id and extensions. */
export interface NewElement {
  property: Property;
  /** All properties the element may be: the one, or one for each type of a choice. */
  forms: readonly Property[];
  value: ExactValue | undefined;
  beside: ExactObject | undefined;
}

/** The place of the resource itself. */
export function rootPlace(resource: ExactObject): Place {
  return { type: String(memberOf(resource, 'resourceType')), holder: undefined, resource };
}

/** Follows a path from the resource. @throws PatchRefusal where it leads to what is no element of R4 */
export function placeOf(resource: ExactObject, path: ElementPath): Place {
  let place = rootPlace(resource);
  for (const { name, index } of path) {
    const object = objectOf(place);
    const property = object && formsOf(place.type, name).find((form) => isThere(object, form));
    if (property === undefined || isList(property) !== (index !== undefined)) {
      throw new PatchRefusal('not-found', 'path leads to what is no element of this resource in R4');
    }
    place = { type: property.type, holder: { place, property, index }, resource };
    if (property.type === 'Resource') place.type = String(memberOf(objectOf(place) ?? {}, 'resourceType'));
  }
  return place;
}

/** The JSON properties an element name stands for: one, or one for each type of a choice. */
export function formsOf(type: string, name: string): Property[] {
  const defs = definitions();
  if (defs.type(type) === undefined) return [];
  const properties = defs.propertiesOf(isPrimitive(type) ? 'Element' : type);
  const own = properties.get(name);
  if (own !== undefined) return [own];
  const choice = name.endsWith('[x]') ? name.slice(0, -3) : name;
  return [...properties.values()].filter((property) => property.choice === choice);
}

/** Whether an element may repeat. */
export function isList(property: Property): boolean {
  return property.element[2] !== 1;
}

/** Whether a type is a primitive one, which has a value and no children besides id and extensions. */
export function isPrimitive(type: string): boolean {
  return definitions().type(type)?.kind === 'primitive';
}

/** The object with an element's children: of a primitive that of its id and extensions, made where `make` is set. */
export function objectOf(place: Place, make = false): ExactObject | undefined {
  const { holder } = place;
  if (holder === undefined) return place.resource;
  const { property, index } = holder;
  const object = objectOf(holder.place);
  if (object === undefined) return undefined;
  if (!isPrimitive(place.type)) {
    const value = memberOf(object, property.name);
    const item = index === undefined ? value : Array.isArray(value) ? value[index] : undefined;
    return isExactObject(item) ? item : undefined;
  }
  const name = besideName(property);
  const there = memberOf(object, name);
  const item = index === undefined ? there : Array.isArray(there) ? there[index] : undefined;
  if (isExactObject(item) || !make) return isExactObject(item) ? item : undefined;
  const made: ExactObject = {};
  if (index === undefined) object[name] = made;
  else listOf(object, name, index + 1)[index] = made;
  return made;
}

/** Puts an element into an object: at the end of its list, at `index` of it, or as the one there may be. */
export function putElement(object: ExactObject, element: NewElement, index?: number): void {
  const { property, forms, value, beside } = element;
  if (!isList(property)) {
    if (forms.some((form) => isThere(object, form))) {
      const name = property.choice ?? property.name;
      throw new PatchRefusal('duplicate', `${name} is there already and may be there once; replace it instead`);
    }
    if (value !== undefined) object[property.name] = value;
    if (beside !== undefined) object[besideName(property)] = beside;
    return;
  }
  const length = lengthOf(object, property);
  const at = index ?? length;
  if (value !== undefined || Object.hasOwn(object, property.name)) {
    listOf(object, property.name, length).splice(at, 0, value ?? null);
  }
  if (beside !== undefined || Object.hasOwn(object, besideName(property))) {
    listOf(object, besideName(property), length).splice(at, 0, beside ?? null);
  }
}

/** Puts an element in the place of another, whose holder it must have; a choice may change its type. */
export function replaceElement(place: Place, element: NewElement): void {
  const { holder } = place;
  const object = holder && objectOf(holder.place);
  if (holder === undefined || object === undefined) throw new Error('The resource itself is no element to replace.');
  const { property, index } = holder;
  if (index === undefined) {
    renameMember(object, property.name, element.property.name, element.value);
    renameMember(object, besideName(property), besideName(element.property), element.beside);
    return;
  }
  const length = lengthOf(object, property);
  if (element.value !== undefined || Object.hasOwn(object, property.name)) {
    listOf(object, property.name, length)[index] = element.value ?? null;
  }
  if (element.beside !== undefined || Object.hasOwn(object, besideName(property))) {
    listOf(object, besideName(property), length)[index] = element.beside ?? null;
  }
  tidyList(object, property);
}

/** Takes an element out; a holder that has nothing left goes with it, since no element may be empty. */
export function removeElement(place: Place): void {
  const { holder } = place;
  const object = holder && objectOf(holder.place);
  if (holder === undefined || object === undefined) throw new Error('The resource itself is no element to remove.');
  const { property, index } = holder;
  for (const name of [property.name, besideName(property)]) {
    const value = memberOf(object, name);
    if (index === undefined) delete object[name];
    else if (Array.isArray(value)) value.splice(index, 1);
  }
  if (index !== undefined) tidyList(object, property);
  if (Object.keys(object).length === 0) removeEmptied(holder.place);
}

/** Moves an item of a list; both numbers are inside of it. */
export function moveItem(object: ExactObject, property: Property, source: number, destination: number): void {
  const length = lengthOf(object, property);
  for (const name of [property.name, besideName(property)]) {
    if (!Object.hasOwn(object, name)) continue;
    const list = listOf(object, name, length);
    list.splice(destination, 0, ...list.splice(source, 1));
  }
}

/** How many items a list has. */
export function lengthOf(object: ExactObject, property: Property): number {
  const lengths = [property.name, besideName(property)].map((name) => {
    const value = memberOf(object, name);
    return Array.isArray(value) ? value.length : 0;
  });
  return Math.max(...lengths);
}

function besideName(property: Property): string {
  return `_${property.name}`;
}

function isThere(object: ExactObject, property: Property): boolean {
  return Object.hasOwn(object, property.name) || Object.hasOwn(object, besideName(property));
}

/** The list of a name, made where it is not there, and filled with nulls to a length. */
function listOf(object: ExactObject, name: string, length: number): ExactValue[] {
  const there = memberOf(object, name);
  const list = Array.isArray(there) ? there : [];
  while (list.length < length) list.push(null);
  object[name] = list;
  return list;
}

/** Lists that say nothing are left out. */
function tidyList(object: ExactObject, property: Property): void {
  for (const name of [property.name, besideName(property)]) {
    const list = memberOf(object, name);
    if (Array.isArray(list) && list.every((item) => item === null)) delete object[name];
  }
}

function removeEmptied(place: Place): void {
  const { holder } = place;
  if (holder === undefined) return;
  const object = objectOf(holder.place);
  if (object === undefined) return;
  const { property, index } = holder;
  if (!isPrimitive(place.type) || valueAt(object, property, index) === undefined) {
    removeElement(place);
    return;
  }
  const name = besideName(property);
  const list = memberOf(object, name);
  if (index === undefined) delete object[name];
  else if (Array.isArray(list)) {
    list[index] = null;
    tidyList(object, property);
  }
}

function valueAt(object: ExactObject, property: Property, index: number | undefined): ExactValue | undefined {
  const value = memberOf(object, property.name);
  const item = index === undefined ? value : Array.isArray(value) ? value[index] : undefined;
  return item ?? undefined;
}

/** Gives a member another name and value where it stands, or none; what was not there is put at the end. */
function renameMember(object: ExactObject, from: string, to: string, value: ExactValue | undefined): void {
  if (value === undefined) {
    delete object[from];
    return;
  }
  if (from === to || !Object.hasOwn(object, from)) {
    object[to] = value;
    return;
  }
  const members = Object.entries(object);
  for (const [key] of members) delete object[key];
  for (const [key, member] of members) setMember(object, key === from ? to : key, key === from ? value : member);
}
