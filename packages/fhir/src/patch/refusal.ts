/**
 * Why an operation of a patch cannot be carried out. Operations throw a refusal; what applies them catches it, and makes
 * of it the error value that says which operation of the patch it is and where that stands.
 */
import { endOfArray, objectMembers, skipSpace } from '../json/members.ts';
import type { FhirError, IssueCode } from '../outcome.ts';
import { fhirError } from '../outcome.ts';

/** How an operation ends when it cannot be carried out; never seen outside of `patch/`. */
export class PatchRefusal extends Error {
  readonly code: IssueCode;
  constructor(code: IssueCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** What a patch may not exceed. */
export const PATCH_LIMITS = {
  /** UTF-16 code units of the patch. */
  maxLength: 16 * 1024 * 1024,
  /** Objects and arrays inside one another, in the patch and in what comes out. */
  maxDepth: 64,
  /** Properties of one object. */
  maxMembers: 1_000,
  /** Operations of a JSON Patch. */
  maxJsonOperations: 1_000,
  /** Operations of a FHIRPath Patch, each of which searches the resource. */
  maxFhirPathOperations: 200,
  /** UTF-16 code units of a path in FHIRPath. */
  maxPathLength: 512,
  /** Milliseconds for all paths of one FHIRPath Patch. */
  maxPathMs: 250,
  /** UTF-16 code units that all operations of a patch together may look through to be called quick. */
  maxQuickLength: 1024 * 1024,
  /** UTF-16 code units that all `copy` operations together put in. */
  maxCopied: 16 * 1024 * 1024,
};

/** Refuses what would make the result deeper than a resource may be. */
export function refuseDepth(depth: number): void {
  if (depth <= PATCH_LIMITS.maxDepth) return;
  throw new PatchRefusal(
    'too-costly',
    `the result would have more than ${PATCH_LIMITS.maxDepth} objects and arrays inside one another`,
  );
}

/**
 * The error value of an operation that was refused: its place in the patch's text, its number from 1, its kind where
 * that is known. `list` names the member that holds the operations, undefined where the patch is the list itself.
 */
export function operationError(
  patchText: string,
  list: string | undefined,
  index: number,
  kind: string | undefined,
  refusal: PatchRefusal,
): FhirError {
  const offset = itemOffset(patchText, list, index);
  const which = `operation ${index + 1}${kind === undefined ? '' : ` (${kind})`}`;
  const path = `${list === undefined ? '' : `Parameters.${list}`}[${index}]`;
  return fhirError(patchText, offset, refusal.code, `${which}: ${refusal.message}`, path);
}

function itemOffset(text: string, list: string | undefined, index: number): number {
  const start = skipSpace(text, 0);
  const array = list === undefined ? start : objectMembers(text, start)?.members.find(({ key }) => key === list)?.start;
  if (array === undefined) return 0;
  let offset = array;
  let count = 0;
  endOfArray(text, array, (item) => {
    if (count++ === index) {
      offset = item;
      return -1;
    }
    return objectMembers(text, item)?.end ?? -1;
  });
  return offset;
}
