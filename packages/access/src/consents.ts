/** Which consents of a person count at which times, and for which of its source patients. */

import type { Effect, Provision, ReadableConsent } from './provisions.ts';
import type { Interval } from './time.ts';
import type { HeldProvision } from './visible.ts';

/** A Consent of one of a person's source patients. */
export interface GivenConsent {
  id: string;
  /** The one who gave it is the source patient looked at, or linked to it by confirmation. */
  isConfirmed: boolean;
  consent: ReadableConsent | { unreadable: readonly string[] };
}

/**
 * The provisions that hold for one source patient. A consent that cannot be read refuses everything. Of a group (same scope
 * and actors) a verified consent replaces the older ones while it holds; one that is not verified replaces none.
 */
export function consentsThatCount(given: readonly GivenConsent[]): HeldProvision[] {
  const readable = given.flatMap((one) => ('unreadable' in one.consent ? [] : [{ ...one, consent: one.consent }]));
  const held: HeldProvision[] = given.flatMap((one) =>
    'unreadable' in one.consent ? unreadable.map((refusal) => ({ ...refusal, consent: one.id, times: [always] })) : [],
  );
  for (const { id, isConfirmed, consent } of readable) {
    // A permission of somebody whose identity with this patient is not confirmed widens nothing, so replaces nothing.
    const newer = readable.filter(
      (other) =>
        other.consent.group === consent.group &&
        other.consent.isVerified &&
        other.isConfirmed &&
        other.consent.given.from >= consent.given.to,
    );
    const gaps = newer.map((other) => other.consent.provisions[0]!.valid);
    for (const provision of consent.provisions) {
      held.push({
        ...provision,
        consent: id,
        effect: effectFor(provision, isConfirmed),
        times: without(provision.valid, gaps),
      });
    }
  }
  return held;
}

const always: Interval = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** What a consent that cannot be understood whole says: nothing to anybody, to proxies by name, whom no other binds. */
const unreadable: Provision[] = [
  { node: 0, path: [0], effect: 'deny', permits: false, valid: always },
  { node: 1, path: [1], effect: 'deny', permits: false, valid: always, actors: ['role:proxy'] },
];

function effectFor({ effect }: Provision, isConfirmed: boolean): Effect {
  return effect === 'permit' && !isConfirmed ? 'none' : effect;
}

/** What is left of an interval outside of others. */
function without(interval: Interval, gaps: readonly Interval[]): Interval[] {
  let left = [interval];
  for (const gap of gaps) {
    left = left.flatMap(({ from, to }) => [
      ...(from < Math.min(to, gap.from) ? [{ from, to: Math.min(to, gap.from) }] : []),
      ...(Math.max(from, gap.to) < to ? [{ from: Math.max(from, gap.to), to }] : []),
    ]);
  }
  return left;
}
