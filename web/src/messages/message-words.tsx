/** States and dialects of messages as words and marks. */
import type {
  ApplicationAcknowledgement,
  Delivery,
  DeliveryState,
  Dialect,
  Disposition,
  Message,
  MessageState,
} from '../api/contract.ts';
import { Mark } from '../parts/mark.tsx';
import type { Tone } from '../theme/tones.ts';

export const DIALECT_WORDS: Record<Dialect, string> = { hl7v2: 'HL7 v2', ccda: 'C-CDA', fhir: 'FHIR', table: 'Row' };

export const STATE_WORDS: Record<MessageState, { words: string; tone: Tone }> = {
  received: { words: 'Received', tone: 'info' },
  processed: { words: 'Processed', tone: 'good' },
  failed: { words: 'Failed, will be retried', tone: 'warn' },
  dead: { words: 'Dead letter', tone: 'bad' },
  refused: { words: 'Refused', tone: 'bad' },
  kept: { words: 'Kept, nothing to process', tone: 'neutral' },
};

export const DELIVERY_WORDS: Record<DeliveryState, { words: string; tone: Tone }> = {
  waiting: { words: 'Waiting', tone: 'info' },
  accepted: { words: 'Accepted, outcome awaited', tone: 'info' },
  delivered: { words: 'Delivered', tone: 'good' },
  failed: { words: 'Failed, will be retried', tone: 'warn' },
  dead: { words: 'Given up', tone: 'bad' },
  cancelled: { words: 'Not sent', tone: 'neutral' },
  'already-delivered': { words: 'Not sent again: told by another path', tone: 'neutral' },
};

export const ACKNOWLEDGEMENT_WORDS: Record<ApplicationAcknowledgement['state'], { words: string; tone: Tone }> = {
  due: { words: 'Not sent yet', tone: 'info' },
  sent: { words: 'Sent', tone: 'good' },
  confirmed: { words: 'Confirmed by the sender', tone: 'good' },
  refused: { words: 'Refused by the sender', tone: 'bad' },
  unwanted: { words: 'Not wanted by the sender', tone: 'neutral' },
  kept: { words: 'Kept until the sender connects', tone: 'warn' },
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

/** The state of a delivery, and what its destination last said against it. */
export function DeliveryStateMark({ delivery: { state, lastError } }: { delivery: Delivery }) {
  const { words, tone } = DELIVERY_WORDS[state] ?? { words: state, tone: 'neutral' as const };
  return (
    <>
      <Mark tone={tone}>{words}</Mark>
      {lastError && (
        <div className="small" style={{ overflowWrap: 'anywhere' }}>
          {lastError}
        </div>
      )}
    </>
  );
}

/** How many source fields with content did not become part of the record. */
export function notMapped({ counts }: Pick<Message, 'counts'>): number {
  return counts.kept + counts.rejected;
}
