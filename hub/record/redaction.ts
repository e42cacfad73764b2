/** Stored texts without the elements that the access decision hides (docs/access.md, 7 Redaction). */
import { label } from '@causeway/access';
import { hidesOf, redact } from '@causeway/fhir';
import type { Access } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import { withRedactionMark } from './shown-labels.ts';

/** What of a version decides what is hidden of it. */
export interface RedactedVersion {
  type: string;
  labels: number;
}

/** The text as the caller sees it: marked where anything may be hidden of it, whether or not it is there. */
export function redacted(
  { limits }: Pick<Access, 'limits'>,
  { type, labels, text }: RedactedVersion & { text: string },
): string {
  if (!limits.redactions || text === '') return text;
  let shown = text;
  let isMarked = false;
  for (const { elements, labels: only } of limits.redactions) {
    if (!isMeant(only, labels)) continue;
    const without = redact(shown, elements);
    isMarked ||= without !== shown || hidesOf(elements, type);
    shown = without;
  }
  return isMarked ? withRedactionMark(shown) : shown;
}

/**
 * Refuses a change of what the caller sees a part of only: it could erase the rest, or find out about it.
 * @throws RecordError 403
 */
export function refuseUnlessWhole({ limits }: Pick<Access, 'limits'>, { type, labels }: RedactedVersion): void {
  const isHidden = limits.redactions?.some(
    ({ elements, labels: only }) => isMeant(only, labels) && hidesOf(elements, type),
  );
  if (!isHidden) return;
  const text = `This access sees a part of a ${type} only, and may not change what it does not see whole.`;
  throw new RecordError(403, 'forbidden', text);
}

/** What is not labelled yet may have any label. */
function isMeant(only: number, labels: number): boolean {
  return only === 0 || (labels & (only | label.unlabelled)) !== 0;
}
