/** States and dialects of messages as words and marks. */
import type { DeliveryState, Dialect, Disposition, Message, MessageState } from '../api/contract.ts';
import { Mark } from '../parts/mark.tsx';
import type { Tone } from '../theme/tones.ts';

export const DIALECT_WORDS: Record<Dialect, string> = { hl7v2: 'HL7 v2', ccda: 'C-CDA', fhir: 'FHIR' };

export const STATE_WORDS: Record<MessageState, { words: string; tone: Tone }> = {
  received: { words: 'Received', tone: 'info' },
  processed: { words: 'Processed', tone: 'good' },
  failed: { words: 'Failed, will be retried', tone: 'warn' },
  dead: { words: 'Dead letter', tone: 'bad' },
};

export const DELIVERY_WORDS: Record<DeliveryState, { words: string; tone: Tone }> = {
  waiting: { words: 'Waiting', tone: 'info' },
  delivered: { words: 'Delivered', tone: 'good' },
  failed: { words: 'Failed, will be retried', tone: 'warn' },
  dead: { words: 'Given up', tone: 'bad' },
  cancelled: { words: 'Not sent: withdrawn before', tone: 'neutral' },
};

export const DISPOSITION_WORDS: Record<Disposition, { words: string; tone: Tone; meaning: string }> = {
  mapped: { words: 'Mapped', tone: 'good', meaning: 'its content is in a FHIR resource' },
  consumed: { words: 'Consumed', tone: 'good', meaning: 'it decided how something else was converted' },
  structural: { words: 'Structural', tone: 'neutral', meaning: 'it carries the form of the message, no content' },
  kept: { words: 'Kept', tone: 'warn', meaning: 'not mapped; it stays in the original' },
  rejected: { words: 'Rejected', tone: 'bad', meaning: 'it cannot be right and was not taken over' },
};

export function StateMark({ state }: { state: MessageState }) {
  const { words, tone } = STATE_WORDS[state] ?? { words: state, tone: 'neutral' as const };
  return <Mark tone={tone}>{words}</Mark>;
}

/** How many source fields with content did not become part of the record. */
export function notMapped({ counts }: Pick<Message, 'counts'>): number {
  return counts.kept + counts.rejected;
}
