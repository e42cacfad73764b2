/** Messages about a job, as OperationOutcomes in lines. */
import type { Issue } from '../record/index.ts';

/** One OperationOutcome a line, each of one issue. */
export function messageLines(issues: readonly Issue[]): Buffer {
  return Buffer.from(issues.map((issue) => `${outcomeLine([issue])}\n`).join(''));
}

/** An OperationOutcome on one line, without its end. */
export function outcomeLine(issues: readonly Issue[]): string {
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: issues.map(({ severity, code, diagnostics, expression }) => ({
      severity,
      code,
      diagnostics,
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  });
}
