/** Whether an organisation may do something on the network: where it stands, and what was agreed with it. */

/** What an organisation does on the network. */
export const activities = ['send', 'query', 'receive'] as const;
export type Activity = (typeof activities)[number];

/** The way onto the network, and off it. */
export const participantStates = ['invited', 'keys', 'tested', 'signed', 'live', 'suspended', 'ended'] as const;
export type ParticipantState = (typeof participantStates)[number];

/** Purposes that may be agreed on, codes of v3-ActReason. TREAT holds for ETREAT too. */
export const agreedPurposes = ['TREAT', 'HPAYMT', 'HOPERAT', 'PUBHLTH', 'HRESCH'] as const;
export type AgreedPurpose = (typeof agreedPurposes)[number];

/** Purposes for which an agreement has to name the types that may be read. */
export const typedPurposes: readonly string[] = ['PUBHLTH', 'HRESCH'];

/** What of an agreement decides. */
export interface AgreedTerms {
  id: string;
  may: readonly Activity[];
  purposes: readonly string[];
  /** Types of resources, for public health and research. */
  types: readonly string[];
  from: Date;
  to: Date;
  isSigned: boolean;
  supersededBy: string | undefined;
}

/** Where an organisation stands; nobody has to have decided anything about it. */
export interface Standing {
  state: ParticipantState | undefined;
  agreements: readonly AgreedTerms[];
}

export const noStanding: Standing = { state: undefined, agreements: [] };

/** Something an organisation is about to do, and what for. */
export interface Asked {
  activity: Activity;
  /** Undefined for what is sent: it has none. */
  purpose: string | undefined;
  /** An emergency access: a lapsed agreement does not stop it. */
  isEmergency?: boolean;
}

/**
 * Why an organisation may not do something; undefined where it may. One that was suspended, or left, may do nothing,
 * whatever the network asks for.
 * @param isRequired the network asks for an agreement
 */
export function refusedActivity(
  { state, agreements }: Standing,
  { activity, purpose, isEmergency }: Asked,
  isRequired: boolean,
  now: Date,
): string | undefined {
  if (state === 'suspended') return 'The organisation is suspended from the network.';
  if (state === 'ended') return 'The organisation has left the network.';
  if (!isRequired || isEmergency) return undefined;
  if (state !== 'live') return 'The organisation is not live on the network.';
  const inForce = agreements.filter((agreement) => isInForce(agreement, agreements, now));
  if (inForce.length === 0) return 'The organisation has no agreement in force with the network.';
  const may = inForce.filter((agreement) => agreement.may.includes(activity));
  if (may.length === 0) return `The organisation’s agreement does not let it ${activityWords[activity]}.`;
  if (purpose === undefined) return undefined;
  const code = purpose === 'ETREAT' ? 'TREAT' : purpose;
  if (may.some(({ purposes }) => purposes.includes(code))) return undefined;
  return `The organisation’s agreement does not let it ${activityWords[activity]} for ${purpose}.`;
}

const activityWords: Record<Activity, string> = {
  send: 'send',
  query: 'ask for records',
  receive: 'receive',
};

/** The types that an organisation which is live may ask for, or be sent, for a purpose, by the agreements in force. */
export function agreedTypes(
  { state, agreements }: Standing,
  purpose: string,
  now: Date,
  activity: Activity = 'query',
): string[] {
  if (state !== 'live') return [];
  const naming = agreements.filter(
    (one) => one.may.includes(activity) && one.purposes.includes(purpose) && isInForce(one, agreements, now),
  );
  return [...new Set(naming.flatMap(({ types }) => types))];
}

/** Signed by both, within its time, and not superseded by one whose time has begun. */
export function isInForce(agreement: AgreedTerms, all: readonly AgreedTerms[], now: Date): boolean {
  const { isSigned, from, to, supersededBy } = agreement;
  if (!isSigned || now < from || now >= to) return false;
  const newer = all.find(({ id }) => id === supersededBy);
  return !newer?.isSigned || now < newer.from;
}

/** The next moment after `now` at which what is in force changes by itself. */
export function nextChange(standings: Iterable<Standing>, now: Date): Date | undefined {
  let next: Date | undefined;
  for (const { agreements } of standings) {
    for (const { from, to } of agreements) {
      for (const at of [from, to]) if (at > now && (next === undefined || at < next)) next = at;
    }
  }
  return next;
}
