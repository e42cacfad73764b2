import type { Patient } from '@medplum/fhirtypes';
import type { Topic } from '../trust/index.ts';

/** A delivery in its destination's form, as a transport takes it. */
export interface Outgoing {
  /** The same at every attempt, as are the bytes. */
  controlId: string;
  bytes: Uint8Array;
  mediaType: string;
  /** The number of the delivery: what follows has a higher one. */
  seq: number;
  /** Below the address: what a FHIR server is to do with it. */
  operation?: string;
  /** What the bytes are about: for a transport that says it beside them, to a reader who may know. */
  about: {
    deliveryId: string;
    kind: 'new' | 'correction' | 'retraction';
    topic: Topic;
    /** When the delivery was written. */
    created: Date;
    /** The destination's own Patient. */
    patient: Patient;
    /** The organisation that stated it. */
    origin: { key: string; name: string };
  };
}

/** How a destination answered. */
export type Answer =
  /** It has the message. */
  | { kind: 'delivered' }
  /** It has the message and will say what came of it: enhanced mode of HL7 v2. */
  | { kind: 'accepted' }
  /** It read the message and does not take it: the same message again will hardly do better. */
  | { kind: 'refused'; reason: string }
  /**
   * It was not reached, did not answer in time, or has no room now; it may say for how long it wants to be left alone. What it
   * `said` may name somebody: it stands with the delivery only.
   */
  | {
      kind: 'unreachable';
      reason: string;
      said?: string;
      afterMs?: number | undefined;
      /** The message left, so that it may be there all the same. */
      mayHave?: boolean;
    };

/** Sends messages by one route. */
export interface Client {
  /** Never rejects. Resolves when the answer came, or could not come any more. */
  send(outgoing: Outgoing): Promise<Answer>;
  /** Breaks off what is on its way, and lets go of connections. */
  close(): void;
}

/** What HL7 v2 needs of what it sends. */
export type V2Outgoing = Pick<Outgoing, 'bytes' | 'controlId'>;

/** What a file needs of what is put into it. */
export type FileOutgoing = Pick<Outgoing, 'bytes' | 'controlId' | 'mediaType' | 'seq'>;

export interface Timeouts {
  connectMs: number;
  answerMs: number;
}
