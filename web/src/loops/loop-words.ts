/** Loops in words. */
import type { Loop, LoopKind, PersonalNotice } from '../api/contract.ts';
import type { Tone } from '../theme/tones.ts';

export const LOOP_KINDS: Record<LoopKind, string> = {
  'critical-result': 'Critical result',
  recall: 'Taken back',
  transition: 'Discharge',
  referral: 'Referral',
};

const WHY: Record<string, string> = {
  critical: 'A result is critical and nobody has acknowledged it.',
  corrected: 'What was told as final was corrected.',
  withdrawn: 'What was told was withdrawn.',
  'wrong-person': 'What was told turned out to be of another person.',
  discharged: 'Somebody was discharged; who cares next has not accepted a summary.',
  referred: 'Somebody was referred; the consultant’s note is not back.',
};

const OUTCOMES: Record<string, string> = {
  acknowledged: 'acknowledged',
  'by-hand': 'closed by hand',
  'not-critical': 'is not critical any longer',
  'summary-accepted': 'the summary was accepted',
  answered: 'the note came back',
  completed: 'completed',
  cancelled: 'cancelled',
  deleted: 'deleted',
};

const EVENTS: Record<string, string> = {
  'summary-made': 'The hub wrote a summary',
  'summary-replaced': 'The site’s own summary took its place',
  'summary-restored': 'The site took its summary back; the hub’s holds again',
  noted: 'Noted',
  assigned: 'Given to',
  escalated: 'Late: brought before people',
  accepted: 'Accepted',
  refused: 'Refused',
  answered: 'The note came back',
  closed: 'Closed',
  acknowledged: 'Acknowledged',
};

export function whyWords(why: string): string {
  return WHY[why] ?? why;
}

/** What a loop is about, in words that can be followed; the reference where its type has none. */
export function focusWords(reference: string): string {
  const [type = ''] = reference.split('/');
  return FOCUS_WORDS[type] ?? reference;
}

const FOCUS_WORDS: { [type: string]: string } = {
  Observation: 'The result itself',
  Encounter: 'The stay itself',
  ServiceRequest: 'The order itself',
};

export function eventWords(event: string): string {
  return EVENTS[event] ?? event;
}

/** The state of a loop in a word or two. */
export function loopState({ state, due, outcome }: Loop, now: Date): { words: string; tone: Tone } {
  if (state === 'closed') return { words: `Closed: ${OUTCOMES[outcome ?? ''] ?? outcome}`, tone: 'good' };
  if (new Date(due) <= now) return { words: 'Late', tone: 'bad' };
  return state === 'accepted' ? { words: 'Accepted', tone: 'info' } : { words: 'Open', tone: 'warn' };
}

/** `3 minutes`, `5 hours`, `12 days`. */
export function ageWords(from: string, to: Date): string {
  const minutes = Math.max(0, Math.round((to.getTime() - new Date(from).getTime()) / 60_000));
  const [number, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 2_880
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1_440), 'day'];
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

export function loopNotice({ kind, isLate }: PersonalNotice['about']): string {
  const what = (LOOP_KINDS[kind as LoopKind] ?? 'Something open').toLowerCase();
  return isLate ? `A loop is late: ${what}.` : `There is a ${what} to acknowledge.`;
}
