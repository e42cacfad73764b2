/**
 * FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): add, insert, delete, replace and move, each on the result of
 * the one before, all or none. Numbers keep their digits.
 */
import type { ExactObject, ExactValue } from '../json/exact.ts';
import { depthOf, isExactObject, memberOf, parseExact } from '../json/exact.ts';
import type { FhirError } from '../outcome.ts';
import { fhirError, isFhirError } from '../outcome.ts';
import type { PathBudget } from './element-path.ts';
import { elementPaths, isPlainPath } from './element-path.ts';
import type { NewElement, Place } from './elements.ts';
import {
  isList,
  lengthOf,
  moveItem,
  objectOf,
  placeOf,
  putElement,
  removeElement,
  replaceElement,
} from './elements.ts';
import type { Operation } from './patch-parameters.ts';
import { elementFrom, kindOf, numberPart, operationOf, textPart } from './patch-parameters.ts';
import { operationError, PATCH_LIMITS, PatchRefusal, refuseDepth } from './refusal.ts';

/**
 * The text of the resource after the patch, without white space between tokens; or why the patch cannot be read or
 * carried out, with the place in its text. Codes as of `applyJsonPatch`, and `multiple-matches` and `duplicate` for
 * paths that find, and elements that are, more than one. A replaced element is replaced whole, its extensions too.
 * Whether the result is valid is for the caller to ask. Never throws.
 * @param maxMs milliseconds for all paths
 */
export function applyFhirPathPatch(
  resourceText: string,
  parametersText: string,
  maxMs: number = PATCH_LIMITS.maxPathMs,
): string | FhirError {
  const document = parseExact(resourceText);
  if (isFhirError(document)) return document;
  const resource = document.value;
  if (!isExactObject(resource)) return fhirError(resourceText, 0, 'structure', 'a resource is a JSON object');
  const parameters = parseExact(parametersText, PATCH_LIMITS);
  if (isFhirError(parameters)) return parameters;
  const operations = operationsIn(parameters.value);
  if (operations === undefined) {
    const sentence = 'a FHIRPath Patch is a Parameters resource whose parameter is an array of operations';
    return fhirError(parametersText, 0, 'structure', sentence);
  }
  if (operations.length > PATCH_LIMITS.maxFhirPathOperations) {
    const sentence = `a FHIRPath Patch may have ${PATCH_LIMITS.maxFhirPathOperations} operations; this one has more`;
    return fhirError(parametersText, 0, 'too-costly', sentence);
  }
  const budget: PathBudget = { ms: maxMs };
  for (const [index, parameter] of operations.entries()) {
    try {
      carryOut(resource, operationOf(parameter), budget);
    } catch (problem) {
      if (!(problem instanceof PatchRefusal)) throw problem;
      return operationError(parametersText, 'parameter', index, kindOf(parameter), problem);
    }
  }
  return JSON.stringify(resource);
}

/**
 * Whether a patch is carried out in a few milliseconds; true also for what is no patch. The rest may take any time up to
 * the limit, and is to be carried out where nobody waits for it.
 */
export function isQuickFhirPathPatch(resourceText: string, parametersText: string): boolean {
  const parameters = parseExact(parametersText, PATCH_LIMITS);
  const operations = isFhirError(parameters) ? undefined : operationsIn(parameters.value);
  if (operations === undefined || operations.length > PATCH_LIMITS.maxFhirPathOperations) return true;
  // Each operation searches the resource anew.
  if (operations.length * resourceText.length > PATCH_LIMITS.maxQuickLength) return false;
  return operations.every((operation) => {
    try {
      return isPlainPath(operationOf(operation).path);
    } catch (problem) {
      if (problem instanceof PatchRefusal) return true;
      throw problem;
    }
  });
}

function operationsIn(parameters: ExactValue): ExactValue[] | undefined {
  if (!isExactObject(parameters) || memberOf(parameters, 'resourceType') !== 'Parameters') return undefined;
  const list = memberOf(parameters, 'parameter') ?? [];
  return Array.isArray(list) ? list : undefined;
}

function carryOut(resource: ExactObject, operation: Operation, budget: PathBudget): void {
  const { type, path, parts } = operation;
  const places = elementPaths(resource, path, budget).map((found) => placeOf(resource, found));
  switch (type) {
    case 'add':
      add(single(places), textPart(parts, 'name'), parts.get('value'));
      break;
    case 'insert':
      insert(places, numberPart(parts, 'index'), parts.get('value'));
      break;
    case 'delete':
      if (places.length > 0) removeElement(inside(single(places), 'delete the resource instead'));
      break;
    case 'replace':
      replace(inside(single(places), 'update the resource instead'), parts.get('value'));
      break;
    case 'move':
      move(places, numberPart(parts, 'source'), numberPart(parts, 'destination'));
  }
}

function add(place: Place, name: string, part: ExactObject | undefined): void {
  const element = elementFrom(part, place.type, name);
  refuseTooDeep(place, element);
  putElement(objectOf(place, true)!, element);
}

function insert(places: Place[], index: number, part: ExactObject | undefined): void {
  const { place, property, object } = wholeList(places);
  const element = elementFrom(part, place.type, property.choice ?? property.name);
  refuseTooDeep(place, element);
  const length = lengthOf(object, property);
  if (index > length) {
    throw new PatchRefusal('value', `index may be from 0 to ${length}, the number of items in the list`);
  }
  putElement(object, element, index);
}

function replace(place: Place, part: ExactObject | undefined): void {
  const { holder } = place;
  const element = elementFrom(part, holder!.place.type, holder!.property.choice ?? holder!.property.name);
  refuseTooDeep(holder!.place, element);
  replaceElement(place, element);
}

function move(places: Place[], source: number, destination: number): void {
  const { property, object } = wholeList(places);
  const last = lengthOf(object, property) - 1;
  if (source > last || destination > last) {
    throw new PatchRefusal('value', `source and destination may be from 0 to ${last}, the numbers of the list's items`);
  }
  moveItem(object, property, source, destination);
}

function single(places: Place[]): Place {
  if (places.length === 0) throw nothingFound();
  if (places.length > 1) {
    const sentence = `path finds ${places.length} elements; it has to find one, such as by [0] or where()`;
    throw new PatchRefusal('multiple-matches', sentence);
  }
  return places[0]!;
}

function inside(place: Place, instead: string): Place {
  if (place.holder !== undefined) return place;
  throw new PatchRefusal('value', `path names the resource itself; ${instead}`);
}

/** The list that a path names: all the items of one list, and nothing else. */
function wholeList(places: Place[]) {
  const first = places[0];
  if (first === undefined) throw nothingFound();
  const { holder } = first;
  const object = holder && objectOf(holder.place);
  if (holder === undefined || object === undefined || !isList(holder.property)) {
    throw new PatchRefusal(
      'value',
      'path names an element that does not repeat; right is a list, such as Patient.name',
    );
  }
  const { property } = holder;
  const isOne = places.every(
    (place) =>
      place.holder !== undefined && place.holder.property === property && objectOf(place.holder.place) === object,
  );
  if (!isOne || places.length !== lengthOf(object, property)) {
    throw new PatchRefusal('value', 'path has to name one whole list, such as Patient.name or Patient.name[0].given');
  }
  return { place: holder.place, property, object };
}

function nothingFound(): PatchRefusal {
  return new PatchRefusal(
    'not-found',
    'path finds no element; add it first, with the path of the element it is part of',
  );
}

/** Refuses an element that would make the resource deeper than it may be. */
function refuseTooDeep(place: Place, element: NewElement): void {
  let depth = 1;
  for (let at = place.holder; at !== undefined; at = at.place.holder) depth += at.index === undefined ? 1 : 2;
  refuseDepth(depth + 1 + Math.max(depthOf(element.value ?? null), depthOf(element.beside ?? null)));
}
