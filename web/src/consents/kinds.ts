/** Sensitive kinds of data, and purposes, in plain words. */
import type { KindOfData } from '../api/contract.ts';

export const KIND_WORDS: Record<KindOfData, string> = {
  mentalHealth: 'mental health',
  substanceUse: 'alcohol and drug use',
  part2: 'treatment in a substance use programme (42 CFR Part 2)',
  psychotherapyNotes: 'psychotherapy notes',
  hiv: 'HIV',
  sexuallyTransmitted: 'sexually transmitted infections',
  reproduction: 'reproductive health',
  violence: 'violence and abuse',
  genetics: 'genetic findings',
  restricted: 'what its source marked as restricted',
  veryRestricted: 'what its source marked as very restricted',
};

export const KINDS = Object.keys(KIND_WORDS) as KindOfData[];

/** Codes of v3-ActReason. */
export const PURPOSE_WORDS: { [code: string]: string } = {
  TREAT: 'treatment',
  ETREAT: 'emergency treatment',
  HPAYMT: 'payment',
  HOPERAT: 'running the organisation',
  HRESCH: 'research',
  PUBHLTH: 'public health',
  PATRQT: 'the person’s own request',
  FAMRQT: 'the request of those who act for the person',
};

/** `a`, `a and b`, `a, b and c`. @param word the last joint */
export function joined(words: readonly string[], word = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${word} ${words.at(-1)}`;
}

/** With its first letter large, as a sentence begins. */
export function asSentence(text: string): string {
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1);
}
