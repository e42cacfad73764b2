/** Runs in a thread of its own: reads what is large, and tells why it is refused. */
import { constants, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { jsonText } from './body-text.ts';
import { useDefinitions } from './definitions.ts';
import { type Issue, RecordError } from './errors.ts';
import { checkResource, readResource } from './targets.ts';

export interface BodyToRead {
  body: Uint8Array;
  format: 'json' | 'xml' | undefined;
  /** Whether it is a resource that is to be stored. */
  isWritten: boolean;
}

/** `converted`: the JSON text of a body that came in another format. */
export type BodyRead = { refused: { status: number; issues: Issue[] } } | { converted: string | undefined };

/** JSON values in a resource; those that define or hold others may have more. */
const mostValues = 100_000;
const holders = ['Bundle', 'CodeSystem', 'ConceptMap', 'Parameters', 'ValueSet'];

// On Linux the priority is the thread's own: whatever else the machine does goes first.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);
await useDefinitions(workerData as string);

export default function read({ body, format, isWritten }: BodyToRead): BodyRead {
  try {
    const { text, isConverted } = jsonText(body, format);
    const resource = readResource(text);
    if (isWritten) {
      if (!holders.includes(resource.resourceType)) countValues(resource.value);
      checkResource(resource);
    }
    return { converted: isConverted ? text : undefined };
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { refused: { status: error.status, issues: error.issues } };
  }
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
