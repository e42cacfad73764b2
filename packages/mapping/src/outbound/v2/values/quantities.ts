/** Quantity and Money as CQ, NM with units, and CP: the way back of `v2/datatypes/quantity.ts`. */
import type { LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { textOf, type Writing } from '../record.ts';
import { codeSystem } from './coded.ts';

/** CQ: number ^ units. */
export function writeQuantity(quantity: unknown, writing: Writing): RepetitionValue {
  return [textOf(quantity, 'value'), writeUnits(quantity, writing)];
}

/** Units as CWE: the code, the text as the sender wrote it when it differs, and the system. */
export function writeUnits(quantity: unknown, writing: Writing): LeafValue[] {
  const code = textOf(quantity, 'code');
  const unit = textOf(quantity, 'unit');
  if (code === undefined) return [unit];
  return [code, unit, codeSystem(textOf(quantity, 'system'), writing)];
}

/** CP: amount and currency as MO. */
export function writeMoney(money: unknown): RepetitionValue {
  return [[textOf(money, 'value'), textOf(money, 'currency')]];
}
