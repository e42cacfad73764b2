/** Where an organisation stands, and what an agreement lets it do, in plain words. */
import type { Activity, ParticipantState } from '../api/contract.ts';
import type { Tone } from '../theme/tones.ts';

export const STATE_WORDS: Record<ParticipantState, { label: string; tone: Tone }> = {
  invited: { label: 'Invited', tone: 'info' },
  keys: { label: 'Its keys are known', tone: 'info' },
  tested: { label: 'Tested', tone: 'info' },
  signed: { label: 'Signed', tone: 'info' },
  live: { label: 'Live', tone: 'good' },
  suspended: { label: 'Suspended', tone: 'bad' },
  ended: { label: 'Has left', tone: 'neutral' },
};

export const ACTIVITY_WORDS: Record<Activity, string> = {
  send: 'send messages',
  query: 'ask for records',
  receive: 'receive messages',
};

/** Purposes that may be agreed on, codes of v3-ActReason. */
export const AGREED_PURPOSES = ['TREAT', 'HPAYMT', 'HOPERAT', 'PUBHLTH', 'HRESCH'];

/** What may be decided by hand from each state, with the words of its button. */
export const DECISIONS: { [state in ParticipantState]: { to: ParticipantState; label: string }[] } = {
  invited: [{ to: 'keys', label: 'It needs no certificate' }],
  keys: [{ to: 'tested', label: 'It was tested otherwise' }],
  tested: [],
  signed: [{ to: 'live', label: 'Let it go live' }],
  live: [{ to: 'suspended', label: 'Suspend it' }],
  suspended: [{ to: 'live', label: 'Let it go live again' }],
  ended: [],
};

/** What comes next, for somebody who sees where an organisation stands. */
export const NEXT_WORDS: { [state in ParticipantState]: string } = {
  invited: 'It is asked for its certificate, by the link or here.',
  keys: 'It sends a test message: HL7 v2 with T or D in MSH-11. Nothing of it comes into the record.',
  tested: 'Both sign an agreement.',
  signed: 'Somebody lets it go live.',
  live: 'It does what its agreement lets it.',
  suspended: 'It sends, asks and receives nothing.',
  ended: 'It sends, asks and receives nothing. It can be invited again.',
};
