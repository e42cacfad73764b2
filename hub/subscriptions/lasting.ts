/** Which faults come again, and which pass. */
import { RecordError } from '../record/index.ts';

/** Whether a fault lies in the change or the criteria, and would come again: not in the database, nor in what it waits for. */
export function isLasting(error: unknown): boolean {
  if (error instanceof RecordError) return error.status < 500;
  return error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError;
}
