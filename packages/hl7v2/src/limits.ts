/**
 * What one HL7 v2 message may cost: bounds checked while it is parsed, so that hostile input ends in a clear refusal
 * and never in unbounded memory. Counts are per parent: fields per segment, repetitions per field, and so on.
 */
export interface Limits {
  /** Bytes of one message, before decoding. */
  messageBytes: number;
  /** Segments of one message. */
  segments: number;
  /** Fields of one segment. */
  fields: number;
  /** Repetitions of one field. */
  repetitions: number;
  /** Components of one repetition. */
  components: number;
  /** Sub-components of one component. */
  subcomponents: number;
}

/** Generous for real traffic: the longest segment of HL7 v2.8 has fewer than 100 fields. */
export const defaultLimits: Readonly<Limits> = {
  messageBytes: 64 * 1024 * 1024,
  segments: 100_000,
  fields: 1_000,
  repetitions: 10_000,
  components: 1_000,
  subcomponents: 1_000,
};
