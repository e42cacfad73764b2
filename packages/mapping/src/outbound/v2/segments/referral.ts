/** RF1: a referral, which is a request that asks for no service by its code. */
import { RF1 } from '../../../v2/tables/referral.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import { type Element, textOf } from '../record.ts';
import type { Sheet } from './sheet.ts';

const rf1Rows = compileBack(RF1, { single: ['RF1-3', 'RF1-14'] });

/** HL7 table 0283. */
const STATUS: Record<string, string> = { active: 'A', completed: 'E', revoked: 'R' };

export function isReferral(request: Element): boolean {
  return request.code === undefined && request.category !== undefined;
}

export function writeReferral(sheet: Sheet, request: Element): void {
  sheet.add('RF1', (fields) => {
    rf1Rows(request, fields, sheet);
    fields.add(1, STATUS[textOf(request, 'status') ?? '']);
    fields.add(2, codeFor('requestPriority', textOf(request, 'priority')));
  });
}
