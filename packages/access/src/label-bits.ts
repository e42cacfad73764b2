/** Security labels as bits; docs/access.md, 2 Labels, says what each is. */

/** The bits; a resource's labels are their sum. */
export const label = {
  /** Nobody has looked yet. */
  unlabelled: 1,
  /** A record of a programme under 42 CFR Part 2. */
  part2: 2,
  psychotherapyNotes: 4,
  substanceUse: 8,
  mentalHealth: 16,
  hiv: 32,
  sexuallyTransmitted: 64,
  violence: 128,
  reproduction: 256,
  genetics: 512,
  restricted: 1024,
  veryRestricted: 2048,
} as const;

export type LabelName = keyof typeof label;

/** All labels that a resource may have. */
export const allLabels = Object.values(label).reduce((sum, bit) => sum | bit, 0);
