/** TQ1: when and how often an order is to be carried out: the way back of `v2/segments/timing.ts`. */
import type { ComponentValue } from '@causeway/hl7v2';
import { codeFor } from '../../../v2/vocabularies.ts';
import { childOf, codingsOf, type Element, isElement, textOf, textsOf } from '../record.ts';
import { writeDateTime, writeTime } from '../values/primitives.ts';
import { writeQuantity } from '../values/quantities.ts';
import type { Sheet } from './sheet.ts';

/** @param quantity TQ1-2, how much each time */
export function writeTiming(sheet: Sheet, timing: unknown, priority: string | undefined, quantity?: unknown): void {
  if (!isElement(timing) && quantity === undefined) return;
  const repeat = childOf(timing, 'repeat');
  const bounds = childOf(repeat, 'boundsPeriod');
  sheet.addNumbered('TQ1', (fields) => {
    if (quantity !== undefined) fields.add(2, writeQuantity(quantity, sheet));
    fields.add(3, ...patterns(timing, repeat));
    fields.add(4, ...textsOf(repeat, 'timeOfDay').map(writeTime));
    const length = childOf(repeat, 'boundsDuration');
    if (length !== undefined) fields.add(6, writeQuantity(length, sheet));
    fields.add(7, writeDateTime(textOf(bounds, 'start')));
    fields.add(8, writeDateTime(textOf(bounds, 'end')));
    const duration = textOf(repeat, 'duration');
    if (duration !== undefined) fields.add(13, [duration, [textOf(repeat, 'durationUnit'), '', 'UCUM']]);
    fields.add(14, textOf(repeat, 'count'));
    if (!fields.isEmpty) fields.add(9, codeFor('requestPriority', priority));
  });
}

/** RPT: the pattern's code, every how much time, and the event of daily life it goes by. */
function patterns(timing: unknown, repeat: Element | undefined): ComponentValue[][] {
  const codings = codingsOf(childOf(timing, 'code'));
  const written = codings.map((coding): ComponentValue[] => [
    [textOf(coding, 'code'), textOf(coding, 'display'), 'HL70335'],
  ]);
  const event = textsOf(repeat, 'when')[0];
  const offset = textOf(repeat, 'offset');
  const period = textOf(repeat, 'period');
  if (period === undefined && event === undefined) return written;
  const first = written[0] ?? [''];
  const unit = period === undefined ? '' : textOf(repeat, 'periodUnit');
  const more = [event, offset, offset === undefined ? '' : 'min'];
  return [[first[0], '', '', '', period, unit, '', ...more], ...written.slice(1)];
}
