/** What only a referral note has: why somebody is referred, and the assessment of who refers. */
import { el } from '../element.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { nameOf } from '../values.ts';
import type { Writer } from '../writer.ts';

export const REASON_FOR_REFERRAL: SectionKind = {
  template: ['1.3.6.1.4.1.19376.1.5.3.1.3.1', '2014-06-09'],
  code: '42349-1',
  display: 'Reason for referral (narrative)',
  title: 'Reason for Referral',
  none: 'No reason is stated.',
};

export const ASSESSMENT: SectionKind = {
  template: ['.2.8'],
  code: '51848-0',
  display: 'Evaluation note',
  title: 'Assessment',
  none: 'There is no assessment.',
};

/** What is asked for, why, and what is noted of it. */
export function writeReason({ referral }: Writer): SectionBody {
  const asked = nameOf(referral?.code) ?? referral?.category?.map(nameOf).find(Boolean);
  const reasons = (referral?.reasonCode ?? []).map(nameOf);
  const words = [
    asked === undefined ? undefined : `Asked for: ${asked}`,
    reasons.length === 0 ? undefined : `Reason: ${reasons.filter(Boolean).join('; ')}`,
    ...(referral?.note ?? []).map(({ text }) => text),
  ];
  return { ...emptyBody([]), words: words.flatMap((one) => (one ? el('paragraph', {}, one) : [])) };
}
