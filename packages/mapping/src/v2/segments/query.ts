/** QPD, QRD, QRF, RCP, RDF, QAK: a question and how it is to be answered; it states no fact. */
import type { SegmentHandler } from './state.ts';

export const question: SegmentHandler = (segment) => {
  for (const atom of segment.atoms) atom.reason = 'a question states no fact';
};
