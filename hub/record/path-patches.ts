/**
 * Patches that may take long, for their paths in FHIRPath or for their size, are carried out beside everything else, before the transaction that stores
 * what comes of them: no transaction waits for one. Where the resource changed meanwhile, the patch is carried out again.
 */
import { applyFhirPathPatch, applyJsonPatch, type FhirError, isQuickFhirPathPatch } from '@causeway/fhir';
import { RecordError } from './errors.ts';
import type { LowPriority } from './low-priority.ts';

/** A JSON Patch (RFC 6902), or a FHIRPath Patch as the JSON text of its Parameters. */
export interface Patch {
  kind: 'json' | 'fhirpath';
  text: string;
}

/** Carries out a patch on the text of a resource. */
export type PatchAside = (who: string, resource: string, patch: Patch) => Promise<string | FhirError>;

/** UTF-16 code units of a patch that is read in a few milliseconds. */
const quickLength = 256 * 1024;

/** Whether a patch is carried out in a few milliseconds. */
export function isQuick(resource: string, { kind, text }: Patch): boolean {
  return text.length <= quickLength && (kind === 'json' || isQuickFhirPathPatch(resource, text));
}

/** What a patch makes of a text, or why it makes nothing. @param pathMs for its paths */
export function carriedOut(resource: string, { kind, text }: Patch, pathMs?: number): string | FhirError {
  return kind === 'json' ? applyJsonPatch(resource, text) : applyFhirPathPatch(resource, text, pathMs);
}

/** What a change needs to know before it can be made. */
interface ToPatch {
  resource: string;
  patch: Patch;
}

/** Says that patches are to be carried out first; nothing was changed. */
export class NotPatched extends Error {
  readonly patches: readonly ToPatch[];

  constructor(patches: readonly ToPatch[]) {
    super('Patches have to be carried out first.');
    this.patches = patches;
  }
}

/** What patches made, by what they were carried out on. */
export class Patched {
  readonly #made = new Map<string, string | FhirError>();

  /** @throws NotPatched */
  of(resource: string, patch: Patch): string | FhirError {
    const made = this.#made.get(keyOf(resource, patch));
    if (made === undefined) throw new NotPatched([{ resource, patch }]);
    return made;
  }

  set({ resource, patch }: ToPatch, made: string | FhirError): void {
    this.#made.set(keyOf(resource, patch), made);
  }
}

/** How often a change is tried anew since what it is about was changed meanwhile. */
const attempts = 5;
/** For one whose thread does not keep to its own limit. */
const patchMs = 10_000;

/** Makes a change, and between its tries what its patches come to. @throws RecordError 409 where others always were first */
export async function withPatches<T>(
  who: string,
  aside: PatchAside,
  change: (patched: Patched) => Promise<T>,
): Promise<T> {
  const patched = new Patched();
  for (let attempt = 1; ; attempt++) {
    try {
      return await change(patched);
    } catch (error) {
      if (!(error instanceof NotPatched)) throw error;
      if (attempt === attempts) {
        throw new RecordError(409, 'conflict', 'Others changed the resource again and again meanwhile; try again.');
      }
      for (const one of error.patches) patched.set(one, await aside(who, one.resource, one.patch));
    }
  }
}

/** Where there is no thread. */
export const patchHere: PatchAside = async (_who, resource, patch) => carriedOut(resource, patch);

/** Patches by the thread of what may take long. */
export function patchBy(thread: LowPriority): PatchAside {
  return async (who, resource, patch) => (await thread.run(who, { kind: 'patch', resource, patch }, patchMs)).patched;
}

function keyOf(resource: string, { kind, text }: Patch): string {
  return `${kind} ${resource.length} ${resource}${text}`;
}
