/** Runs in a thread of its own: what may take long. */
import { constants, setPriority } from 'node:os';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { workerData } from 'node:worker_threads';
import type { FhirError } from '@causeway/fhir';
import { isParseError, type ParseError, parseMessage } from '@causeway/hl7v2';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { jsonText } from './body-text.ts';
import { type BundleHead, bundleHead } from './bundle-head.ts';
import { useDefinitions } from './definitions.ts';
import { type Issue, RecordError } from './errors.ts';
import { giveBack } from './give-back.ts';
import { carriedOut, type Patch } from './path-patches.ts';
import { checkResource, readResource } from './targets.ts';
import { type ValidationRequest, validationIssues } from './validation.ts';

/**
 * A large body, whether it is a resource that is to be stored; a Bundle or an HL7 v2 message that is sent as a message; a
 * patch, and what it is to be carried out on; what is to be validated.
 */
export type Asked =
  | { kind: 'body'; body: Uint8Array; format: 'json' | 'xml' | undefined; isWritten: boolean }
  | { kind: 'bundle'; body: Uint8Array }
  | { kind: 'v2'; body: Uint8Array; charset: string | undefined }
  | { kind: 'patch'; resource: string; patch: Patch }
  | { kind: 'validation'; text: string; request: ValidationRequest };

/** `converted`: the JSON text of a body that came in another format. `patched`: the text, or why there is none. */
export type Answered =
  | { kind: 'refused'; status: number; issues: Issue[] }
  | { kind: 'body'; body: Uint8Array; converted: string | undefined }
  | { kind: 'bundle'; body: Uint8Array; head: BundleHead }
  | { kind: 'v2'; body: Uint8Array; unreadable: ParseError | undefined }
  | { kind: 'patch'; patched: string | FhirError }
  | { kind: 'validation'; issues: Issue[] };

/** JSON values in a resource; those that define or hold others may have more. */
const mostValues = 100_000;
const holders = ['Bundle', 'CodeSystem', 'ConceptMap', 'Parameters', 'ValueSet'];

/** What is left of large bodies would stay in memory until much else was read. */
const mostLeftBytes = 4 * 1024 * 1024;

/** Milliseconds for the paths of a patch: more than where all wait for it, since this thread has to wait for all. */
const pathMs = 500;

// On Linux the priority is the thread's own: whatever else the machine does goes first.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const collectGarbage = garbageCollection();
await useDefinitions(workerData as string);
/** Of the heap when garbage was collected last. */
let tidyBytes = heapBytes();

export default function answer(asked: Asked): Answered {
  try {
    return answered(asked);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    if ('body' in asked) giveBack(asked.body);
    return { kind: 'refused', status: error.status, issues: error.issues };
  } finally {
    tidyUp();
  }
}

function answered(asked: Asked): Answered {
  switch (asked.kind) {
    case 'body':
      return givenBack({ kind: 'body', body: asked.body, converted: read(asked) });
    case 'bundle':
      return givenBack({ kind: 'bundle', body: asked.body, head: bundleHead(textOf(asked.body)) });
    case 'v2': {
      const { body, charset } = asked;
      const parsed = parseMessage(body, charset === undefined ? {} : { charset });
      return givenBack({ kind: 'v2', body, unreadable: isParseError(parsed) ? parsed : undefined });
    }
    case 'patch':
      return { kind: 'patch', patched: carriedOut(asked.resource, asked.patch, pathMs) };
    case 'validation':
      return { kind: 'validation', issues: validationIssues(asked.text, asked.request) };
  }
}

/** Collects what is left of what was done, where it is much. */
function tidyUp(): void {
  if (heapBytes() - tidyBytes < mostLeftBytes) return;
  collectGarbage();
  tidyBytes = heapBytes();
}

function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

/**
 * V8 shows its garbage collection to contexts that are made while it is told to. As a last resort it leaves a third of what it
 * leaves otherwise, and takes some 20 ms longer.
 */
function garbageCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  return () => void collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** An answer whose body is handed back, not copied. */
function givenBack(answer: Extract<Answered, { body: Uint8Array }>): Answered {
  const { buffer } = answer.body;
  if (!(buffer instanceof ArrayBuffer)) return answer;
  return move({ [transferableSymbol]: buffer, [valueSymbol]: answer }) as unknown as Answered;
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
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
