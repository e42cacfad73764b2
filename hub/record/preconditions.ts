/**
 * The conditions a request is made under: If-Match and If-None-Match (RFC 9110 §13.1; FHIR R4 §3.1.0.5, "Managing
 * Resource Contention"). Version ids are weak ETags, but strong ones are taken too: both say the same version here.
 */
import { RecordError } from './errors.ts';

export interface Preconditions {
  ifMatch?: string | undefined;
  /** `*`: only where the resource does not exist. */
  ifNoneMatch?: string | undefined;
}

/** What a change is held against: the version that is there, if any. */
interface Current {
  version: number;
  deleted: boolean;
}

/**
 * Lets a change pass or not. A version that says the resource was deleted can be named too, so that what is brought back
 * to life is what was deleted.
 * @param at the place in a Bundle, for the error
 * @throws RecordError 412 where a condition does not hold, 400 where it cannot be read
 */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Preconditions, current?: Current, at?: string): void {
  const exists = current !== undefined && !current.deleted;
  if (ifMatch !== undefined) {
    const tags = readETags(ifMatch, 'If-Match', at);
    const holds = tags === 'any' ? exists : current !== undefined && tags.includes(String(current.version));
    if (!holds) {
      const text =
        tags === 'any'
          ? 'If-Match asks for a resource that exists, and there is none.'
          : 'The resource has another version than If-Match names; read it again.';
      throw new RecordError(412, 'conflict', text, at);
    }
  }
  if (ifNoneMatch !== undefined && exists && isNamed(ifNoneMatch, current.version, at)) {
    const text = 'The resource exists in the version that If-None-Match rules out.';
    throw new RecordError(412, 'conflict', text, at);
  }
}

/** Whether If-None-Match names a version that exists: a read then has nothing new to tell. @throws RecordError 400 */
export function isNamed(ifNoneMatch: string, version: number, at?: string): boolean {
  const tags = readETags(ifNoneMatch, 'If-None-Match', at);
  return tags === 'any' || tags.includes(String(version));
}

function readETags(header: string, name: string, at: string | undefined): 'any' | string[] {
  const text = header.trim();
  if (text === '*') return 'any';
  return text.split(',').map((part) => {
    const tag = /^\s*(?:(?:W\/)?"([^"]*)"|(\d+))\s*$/.exec(part);
    if (!tag) {
      throw new RecordError(400, 'value', `${name} must be an ETag such as W/"3", several of them, or *.`, at ?? name);
    }
    return tag[1] ?? tag[2]!;
  });
}
