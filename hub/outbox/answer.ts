/** How a destination answered. */
export type Answer =
  /** It has the message. */
  | { kind: 'delivered' }
  /** It has the message and will say what came of it: enhanced mode of HL7 v2. */
  | { kind: 'accepted' }
  /** It read the message and does not take it: the same message again will hardly do better. */
  | { kind: 'refused'; reason: string }
  /** It was not reached, did not answer in time, or has no room now. */
  | { kind: 'unreachable'; reason: string };

/** Sends messages to one destination. */
export interface Client {
  /** Never rejects. Resolves when the answer came, or could not come any more. */
  send(bytes: Uint8Array, controlId: string): Promise<Answer>;
  /** Breaks off what is on its way, and lets go of connections. */
  close(): void;
}

export interface Timeouts {
  connectMs: number;
  answerMs: number;
}
