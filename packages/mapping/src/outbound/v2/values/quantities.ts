/** Quantity and Money as CQ, NM with units, and CP: the way back of `v2/datatypes/quantity.ts`. */
import type { LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { ucumOf } from '../../../v2/units.ts';
import { textOf, type Writing } from '../record.ts';
import { codeSystem } from './coded.ts';

/** CQ: number ^ units. */
export function writeQuantity(quantity: unknown, writing: Writing): RepetitionValue {
  return [textOf(quantity, 'value'), writeUnits(quantity, writing)];
}

/** Units as CWE: the code, the text, and the system; as the sender wrote them where UCUM only spells them otherwise. */
export function writeUnits(quantity: unknown, writing: Writing): LeafValue[] {
  const code = textOf(quantity, 'code');
  const unit = textOf(quantity, 'unit');
  if (code === undefined || (writing.relayed && isSpelling(quantity))) return [unit];
  return [code, unit, codeSystem(textOf(quantity, 'system'), writing)];
}

/** Whether the unit is the code in the sender's spelling. */
export function isSpelling(quantity: unknown): boolean {
  const [code, unit] = [textOf(quantity, 'code'), textOf(quantity, 'unit')];
  return code !== unit && unit !== undefined && ucumOf(unit) === code;
}

/** CP: amount and currency as MO. */
export function writeMoney(money: unknown): RepetitionValue {
  return [[textOf(money, 'value'), textOf(money, 'currency')]];
}
