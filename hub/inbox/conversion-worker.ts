/** Runs in a thread of its own: conversions, which take milliseconds to seconds, must not hold up acknowledgements. */
import type { LedgerEntry } from '@causeway/mapping';
import type { CcdaOptions, SummaryOptions } from '@causeway/mapping/outbound';
import { convertMessage, ledgerOf } from './convert.ts';
import type { ToConvert } from './converted.ts';
import { packFacts, type ThreadAnswer } from './packed-facts.ts';

export default function convertAll(messages: ToConvert[]): ThreadAnswer[] {
  return messages.map((message) => packFacts(convertMessage(message)));
}

/** A C-CDA document of resources. What writes it is loaded when somebody asks for one. */
export async function document({ texts, options }: { texts: string[]; options: CcdaOptions }): Promise<string> {
  const { writeCcda } = await import('@causeway/mapping/outbound');
  return writeCcda(
    texts.map((text) => JSON.parse(text)),
    options,
  ).xml;
}

/** The International Patient Summary of resources. */
export async function summary({ texts, options }: { texts: string[]; options: SummaryOptions }): Promise<string> {
  const { writeSummary } = await import('@causeway/mapping/outbound');
  return writeSummary(texts, options);
}

/** Of one message. */
export function ledger([message]: ToConvert[]): LedgerEntry[] {
  return ledgerOf(message!);
}
