/** Runs in a thread of its own: conversions, which take milliseconds to seconds, must not hold up acknowledgements. */
import type { LedgerEntry } from '@causeway/mapping';
import { convertMessage, ledgerOf } from './convert.ts';
import type { ConvertedMessage, ToConvert } from './converted.ts';

export default function convertAll(messages: ToConvert[]): ConvertedMessage[] {
  return messages.map(convertMessage);
}

/** Of one message. */
export function ledger([message]: ToConvert[]): LedgerEntry[] {
  return ledgerOf(message!);
}
