/** Runs in a thread of its own: what may take long. */
import { constants, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { applyFhirPathPatch, type FhirError } from '@causeway/fhir';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { jsonText } from './body-text.ts';
import { useDefinitions } from './definitions.ts';
import { type Issue, RecordError } from './errors.ts';
import { checkResource, readResource } from './targets.ts';

/** A large body, whether it is a resource that is to be stored; a patch, and what it is to be carried out on. */
export type Asked =
  | { kind: 'body'; body: Uint8Array; format: 'json' | 'xml' | undefined; isWritten: boolean }
  | { kind: 'patch'; resource: string; patch: string };

/** `converted`: the JSON text of a body that came in another format. `patched`: the text, or why there is none. */
export type Answered =
  | { kind: 'refused'; status: number; issues: Issue[] }
  | { kind: 'body'; body: Uint8Array; converted: string | undefined }
  | { kind: 'patch'; patched: string | FhirError };

/** JSON values in a resource; those that define or hold others may have more. */
const mostValues = 100_000;
const holders = ['Bundle', 'CodeSystem', 'ConceptMap', 'Parameters', 'ValueSet'];

/** Milliseconds for the paths of a patch: more than where all wait for it, since this thread has to wait for all. */
const pathMs = 1_000;

// On Linux the priority is the thread's own: whatever else the machine does goes first.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);
await useDefinitions(workerData as string);

export default function answer(asked: Asked): Answered {
  try {
    if (asked.kind === 'patch') {
      return { kind: 'patch', patched: applyFhirPathPatch(asked.resource, asked.patch, pathMs) };
    }
    return givenBack({ kind: 'body', body: asked.body, converted: read(asked) });
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { kind: 'refused', status: error.status, issues: error.issues };
  }
}

/** An answer whose body is handed back, not copied. */
function givenBack(answered: Extract<Answered, { kind: 'body' }>): Answered {
  const { buffer } = answered.body;
  if (!(buffer instanceof ArrayBuffer)) return answered;
  return move({ [transferableSymbol]: buffer, [valueSymbol]: answered }) as unknown as Answered;
}

function read({ body, format, isWritten }: Extract<Asked, { kind: 'body' }>): string | undefined {
  const { text, isConverted } = jsonText(body, format);
  const resource = readResource(text);
  if (isWritten) {
    if (!holders.includes(resource.resourceType)) countValues(resource.value);
    checkResource(resource);
  }
  return isConverted ? text : undefined;
}

/** @throws RecordError 413 */
function countValues(resource: object): void {
  let count = 0;
  const waiting: unknown[] = [resource];
  while (waiting.length > 0) {
    if (++count > mostValues) {
      throw new RecordError(413, 'too-costly', `The resource has more than ${mostValues} values in it.`);
    }
    const value = waiting.pop();
    if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) waiting.push(one);
  }
}
