/**
 * JSON Patch (RFC 6902) with JSON Pointers (RFC 6901), as FHIR uses it (https://hl7.org/fhir/R4/http.html#patch): all
 * operations or none, in their order. Numbers keep their digits; `test` compares what they are worth.
 */
import {
  depthOf,
  type ExactObject,
  type ExactValue,
  isExactObject,
  memberOf,
  parseExact,
  sameValue,
  setMember,
} from '../json/exact.ts';
import type { FhirError } from '../outcome.ts';
import { fhirError, isFhirError } from '../outcome.ts';
import { operationError, PATCH_LIMITS, PatchRefusal, refuseDepth } from './refusal.ts';

/**
 * The text of the document after the patch, without white space between tokens; or why the patch cannot be read or
 * carried out, with the place in the patch's text. Codes `not-found`, `invariant` (a failed test), `value` and
 * `too-costly` are of a patch that does not fit this document, all others of one that fits none. Whether the result is
 * still a resource is for the caller to ask. Never throws.
 */
export function applyJsonPatch(resourceText: string, patchText: string): string | FhirError {
  const document = parseExact(resourceText);
  if (isFhirError(document)) return document;
  const patch = parseExact(patchText, PATCH_LIMITS);
  if (isFhirError(patch)) return patch;
  const operations = patch.value;
  if (!Array.isArray(operations)) {
    return fhirError(
      patchText,
      0,
      'structure',
      'a JSON Patch is an array of operations, such as [{"op": "remove", …}]',
    );
  }
  if (operations.length > PATCH_LIMITS.maxJsonOperations) {
    const sentence = `a JSON Patch may have ${PATCH_LIMITS.maxJsonOperations} operations; this one has more`;
    return fhirError(patchText, 0, 'too-costly', sentence);
  }
  const run = new Run(document.value);
  for (const [index, operation] of operations.entries()) {
    try {
      run.apply(operation);
    } catch (problem) {
      if (!(problem instanceof PatchRefusal)) throw problem;
      return operationError(patchText, undefined, index, kindOf(operation), problem);
    }
  }
  return JSON.stringify(run.root);
}

const KINDS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

function kindOf(operation: ExactValue): string | undefined {
  const op = isExactObject(operation) ? memberOf(operation, 'op') : undefined;
  return typeof op === 'string' && KINDS.includes(op) ? op : undefined;
}

/** One application of a patch. */
class Run {
  root: ExactValue;
  private copied = 0;

  constructor(root: ExactValue) {
    this.root = root;
  }

  apply(operation: ExactValue): void {
    if (!isExactObject(operation)) {
      throw new PatchRefusal('structure', 'an operation has to be an object with op and path');
    }
    const kind = kindOf(operation);
    if (kind === undefined) {
      throw new PatchRefusal('value', `op has to be one of ${KINDS.join(', ')}`);
    }
    const path = pointerOf(operation, 'path');
    switch (kind) {
      case 'add':
        this.add(path, operandOf(operation));
        break;
      case 'remove':
        this.remove(path);
        break;
      case 'replace':
        this.replace(path, operandOf(operation));
        break;
      case 'move':
        this.move(pointerOf(operation, 'from'), path);
        break;
      case 'copy':
        this.add(path, this.copyOf(this.find(pointerOf(operation, 'from'))));
        break;
      case 'test':
        this.test(path, operandOf(operation));
    }
  }

  private add(path: Pointer, value: ExactValue): void {
    refuseDepth(path.length + depthOf(value));
    if (path.length === 0) {
      this.root = value;
      return;
    }
    const [holder, last] = this.holderOf(path);
    if (Array.isArray(holder)) {
      const index = last === '-' ? holder.length : indexOf(last, path);
      if (index > holder.length) {
        throw notFound(path, path.length, `; the list has ${holder.length} items, "-" adds one at its end`);
      }
      holder.splice(index, 0, value);
    } else setMember(holder, last, value);
  }

  private remove(path: Pointer): ExactValue {
    if (path.length === 0) {
      throw new PatchRefusal('value', 'the whole resource cannot be removed by a patch; delete it instead');
    }
    const value = this.find(path);
    const [holder, last] = this.holderOf(path);
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete holder[last];
    return value;
  }

  private replace(path: Pointer, value: ExactValue): void {
    refuseDepth(path.length + depthOf(value));
    if (path.length === 0) {
      this.root = value;
      return;
    }
    this.find(path);
    const [holder, last] = this.holderOf(path);
    if (Array.isArray(holder)) holder[Number(last)] = value;
    else setMember(holder, last, value);
  }

  private move(from: Pointer, path: Pointer): void {
    if (from.length < path.length && from.every((token, i) => token === path[i])) {
      throw new PatchRefusal('value', 'a value cannot be moved into itself: from may not be the beginning of path');
    }
    if (from.length === path.length && from.every((token, i) => token === path[i])) {
      this.find(from);
      return;
    }
    this.add(path, this.remove(from));
  }

  private test(path: Pointer, expected: ExactValue): void {
    if (sameValue(this.find(path), expected)) return;
    throw new PatchRefusal('invariant', `the test failed: ${placeText(path, path.length)} has another value`);
  }

  /** Copies are new values, since a later operation may change one of the two. */
  private copyOf(value: ExactValue): ExactValue {
    const text = JSON.stringify(value);
    this.copied += text.length;
    if (this.copied > PATCH_LIMITS.maxCopied) {
      throw new PatchRefusal('too-costly', `the copies are longer than ${PATCH_LIMITS.maxCopied} characters together`);
    }
    const copy = parseExact(text, { ...PATCH_LIMITS, maxLength: text.length });
    if (isFhirError(copy)) throw new PatchRefusal(copy.code, copy.error);
    return copy.value;
  }

  private find(path: Pointer): ExactValue {
    return this.walk(path, path.length);
  }

  /** The object or array that holds the path's last step, and that step. */
  private holderOf(path: Pointer): [ExactObject | ExactValue[], string] {
    const holder = this.walk(path, path.length - 1);
    if (Array.isArray(holder) || isExactObject(holder)) return [holder, path.at(-1)!];
    throw notFound(path, path.length, `; ${placeText(path, path.length - 1)} has a value without members`);
  }

  private walk(path: Pointer, steps: number): ExactValue {
    let value: ExactValue = this.root;
    for (let i = 0; i < steps; i++) {
      const token = path[i]!;
      let next: ExactValue | undefined;
      if (Array.isArray(value)) next = token === '-' ? undefined : value[indexOf(token, path)];
      else if (isExactObject(value)) next = memberOf(value, token);
      if (next === undefined)
        throw notFound(path, i + 1, '; it has to be there, or to be added by an operation before');
      value = next;
    }
    return value;
  }
}

/** The steps of a JSON Pointer, their escapes undone. */
type Pointer = readonly string[];

function pointerOf(operation: ExactObject, name: 'path' | 'from'): Pointer {
  const text = memberOf(operation, name);
  if (typeof text !== 'string') {
    throw new PatchRefusal(
      'required',
      `${name} is missing or no string; it is a JSON Pointer, such as "/name/0/family"`,
    );
  }
  if (text === '') return [];
  if (!text.startsWith('/')) throw new PatchRefusal('value', `${name} has to begin with "/", or to be empty`);
  if (/~(?![01])/.test(text)) {
    throw new PatchRefusal('value', `in ${name} "~" is written as "~0", and "/" inside of a name as "~1"`);
  }
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function operandOf(operation: ExactObject): ExactValue {
  const value = memberOf(operation, 'value');
  if (value === undefined) throw new PatchRefusal('required', 'value is missing; this operation needs it, null too');
  return value;
}

function indexOf(token: string, path: Pointer): number {
  if (/^(?:0|[1-9][0-9]{0,8})$/.test(token)) return Number(token);
  const where = placeText(path, path.indexOf(token));
  throw new PatchRefusal('not-found', `${where} is a list, whose items are named by their number from 0`);
}

function notFound(path: Pointer, steps: number, more: string): PatchRefusal {
  return new PatchRefusal('not-found', `there is nothing at ${placeText(path, steps)}${more}`);
}

/** The beginning of a pointer where it is made of plain names, so that no value can stand in an error. */
function placeText(path: Pointer, steps: number): string {
  if (steps === 0) return 'the root';
  const isPlain = path.slice(0, steps).every((token) => /^(?:_?[A-Za-z]{1,40}|[0-9]{1,9}|-)$/.test(token));
  return isPlain ? `/${path.slice(0, steps).join('/')}` : 'the place that path names';
}
