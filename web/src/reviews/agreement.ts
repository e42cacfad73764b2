/**
 * What the index found on the rows that a reviewer reads. The verdict is the index's own (the level of each field in the
 * explanation): two telephone numbers written differently are the same, and a placeholder for a name is no evidence.
 */
import type { FieldEvidence } from '../api/contract.ts';

export type Agreement = 'same' | 'close' | 'differs' | 'none';

export interface FieldAgreement {
  agreement: Agreement;
  /** For the reader, one phrase a field: `family name: one keystroke apart`. */
  words: string[];
}

/**
 * The agreement of the fields that one row shows together, the worst of them deciding: a name is its family name, given
 * name, middle name and suffix. Fields without evidence say nothing; `none` when no field has any.
 */
export function agreementOf(explanation: readonly FieldEvidence[], fields: readonly string[]): FieldAgreement {
  const telling = explanation.filter((each) => fields.includes(each.field) && each.level !== 'missing');
  if (telling.length === 0) return { agreement: 'none', words: ['no evidence'] };
  const found = telling.map(gradeOf);
  const agreement = found.includes('differs') ? 'differs' : found.includes('close') ? 'close' : 'same';
  if (telling.length === 1 || agreement === 'same') {
    return { agreement, words: [...new Set(telling.map(meaningOf))] };
  }
  return { agreement, words: telling.map((each) => `${each.label.toLowerCase()}: ${meaningOf(each)}`) };
}

function gradeOf({ level }: FieldEvidence): Exclude<Agreement, 'none'> {
  if (level === 'same' || level === 'exact') return 'same';
  return level === 'different' ? 'differs' : 'close';
}

/** Old explanations carry the level's name only. */
function meaningOf({ meaning, level }: FieldEvidence): string {
  return meaning ?? level;
}
