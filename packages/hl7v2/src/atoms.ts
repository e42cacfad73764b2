/**
 * Every leaf of a message with its place: what accounting for a conversion (nothing dropped in silence) goes through.
 */
import type { Message } from './message.ts';
import type { Segment } from './segment.ts';

/** One non-empty sub-component and where it stands, all numbers from 1. */
export interface Atom {
  readonly segment: string;
  readonly occurrence: number;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
  /** Decoded. */
  readonly value: string;
}

/**
 * Calls `visit` for every non-empty sub-component in the order written, MSH-1 and MSH-2 included. A line that does not
 * begin with a segment name gives that beginning as field 0, so that no character goes unseen.
 */
export function forEachAtom(message: Message, visit: (atom: Atom) => void): void {
  const { field, repetition, component, subcomponent } = message.delimiters;
  const codes: DelimiterCodes = {
    field: field.charCodeAt(0),
    repetition: repetition.charCodeAt(0),
    component: component.charCodeAt(0),
    subcomponent: subcomponent.charCodeAt(0),
  };
  for (const segment of message.segments) {
    scan(segment, codes, visit);
  }
}

/** NaN, equal to nothing, for a delimiter the message has not. */
interface DelimiterCodes {
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
}

/** One pass over the segment's characters: a leaf ends at any delimiter, a delimiter moves the place on. */
function scan(segment: Segment, codes: DelimiterCodes, visit: (atom: Atom) => void): void {
  const { raw, name, occurrence } = segment;
  const separator = codes.field;
  const { repetition: repeats, component: components, subcomponent: subcomponents } = codes;
  const length = raw.length;
  let at = raw.indexOf(segment.fieldSeparator);
  if (at !== name.length && raw !== name) {
    const value = segment.decode(at < 0 ? raw : raw.slice(0, at));
    visit({ segment: name, occurrence, field: 0, repetition: 1, component: 1, subcomponent: 1, value });
  }
  if (at < 0) {
    return;
  }
  let [field, repetition, component, subcomponent] = [1, 1, 1, 1];
  if (segment.isHeader) {
    const end = raw.indexOf(segment.fieldSeparator, at + 1);
    const marks = raw.slice(at + 1, end < 0 ? length : end);
    const place = { segment: name, occurrence, repetition, component, subcomponent };
    visit({ ...place, field: 1, value: segment.fieldSeparator });
    visit({ ...place, field: 2, value: marks });
    if (end < 0) {
      return;
    }
    at = end;
    field = 3;
  }
  let start = at + 1;
  for (let i = start; i <= length; i++) {
    const code = i === length ? separator : raw.charCodeAt(i);
    if (code !== separator && code !== components && code !== repeats && code !== subcomponents) {
      continue;
    }
    if (i > start) {
      const value = segment.decode(raw.slice(start, i));
      visit({ segment: name, occurrence, field, repetition, component, subcomponent, value });
    }
    start = i + 1;
    if (code === subcomponents) {
      subcomponent++;
      continue;
    }
    subcomponent = 1;
    if (code === components) {
      component++;
      continue;
    }
    component = 1;
    if (code === repeats) {
      repetition++;
      continue;
    }
    repetition = 1;
    field++;
  }
}
