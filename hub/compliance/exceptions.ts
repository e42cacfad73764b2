/**
 * Why a request for electronic health information may be refused or limited (45 CFR Part 171, subparts B to D), and within
 * which time something is owed to who asked.
 */
import { businessDaysAfter } from './business-days.ts';

/** What happens to a request that was filed. `told`: who asked was answered in writing. */
export const requestSteps = ['note', 'told', 'fulfilled', 'refused', 'withdrawn', 'reopened'] as const;
export type RequestStep = (typeof requestSteps)[number];

/** An exception to the information blocking rule. */
export interface BlockingException {
  citation: string;
  name: string;
  /** What is owed to who asked, within how many business days of the request, and the step that does it. */
  owed: { what: string; businessDays: number; metBy: readonly RequestStep[] }[];
}

export const exceptions = {
  harm: { citation: '45 CFR 171.201', name: 'Preventing harm', owed: [] },
  privacy: { citation: '45 CFR 171.202', name: 'Privacy', owed: [] },
  security: { citation: '45 CFR 171.203', name: 'Security', owed: [] },
  infeasibility: {
    citation: '45 CFR 171.204',
    name: 'Infeasibility',
    owed: [{ what: 'the reason in writing', businessDays: 10, metBy: ['told'] }],
  },
  performance: { citation: '45 CFR 171.205', name: 'Health IT performance', owed: [] },
  'protecting-care': { citation: '45 CFR 171.206', name: 'Protecting care access', owed: [] },
  manner: { citation: '45 CFR 171.301', name: 'Manner', owed: [] },
  fees: { citation: '45 CFR 171.302', name: 'Fees', owed: [] },
  licensing: {
    citation: '45 CFR 171.303',
    name: 'Licensing',
    owed: [
      { what: 'the beginning of negotiations', businessDays: 10, metBy: ['told', 'fulfilled'] },
      { what: 'a licence negotiated', businessDays: 30, metBy: ['fulfilled'] },
    ],
  },
  tefca: { citation: '45 CFR 171.403', name: 'TEFCA manner', owed: [] },
} as const satisfies Record<string, BlockingException>;

export type ExceptionCode = keyof typeof exceptions;

/** How a request that the hub itself refused came to be refused, and which exception covers that as long as nobody decides otherwise. */
export const observedKinds = {
  standing: {
    says: 'The organisation may not ask: there is no agreement for it, or its place on the network is not open.',
    exception: 'privacy',
  },
  scope: {
    says: 'The app’s permissions, given by its user or its registration, do not cover what it asked for.',
    exception: 'privacy',
  },
  role: { says: 'The caller’s role may not do this.', exception: 'privacy' },
  busy: { says: 'The hub had no room for the request, or the caller asked too often.', exception: 'performance' },
  withheld: {
    says: 'What was to be sent was withheld: consent or law keeps it from the receiver.',
    exception: 'privacy',
  },
} as const satisfies Record<string, { says: string; exception: ExceptionCode }>;

export type ObservedKind = keyof typeof observedKinds;

/** Who asked with a request that came by letter, telephone or in person. */
export const requesterKinds = ['individual', 'provider', 'payer', 'public-health', 'developer', 'other'] as const;
export type RequesterKind = (typeof requesterKinds)[number];

/** What is owed to who asked: what, by when (YYYY-MM-DD, the last day), and the steps that do it. */
export interface Owed {
  what: string;
  by: string;
  citation: string;
  metBy: readonly RequestStep[];
}

/** HIPAA's right of access: an answer within thirty days (45 CFR 164.524(b)(2)). */
const accessDays = 30;

/**
 * The clocks of a request.
 * @param received the day of the request, YYYY-MM-DD
 * @param decided the exception that it is refused under, if any
 */
export function clocksOf(received: string, requester: RequesterKind, decided: ExceptionCode | undefined): Owed[] {
  const ofException = decided === undefined ? undefined : exceptions[decided];
  const owed = (ofException?.owed ?? []).map(({ what, businessDays, metBy }) => ({
    what,
    by: businessDaysAfter(received, businessDays),
    citation: ofException!.citation,
    metBy,
  }));
  if (requester !== 'individual') {
    // Whether it is feasible is to be said within the same time as why it is not.
    const [what, metBy] = ['an answer, or why it is infeasible', ['told', 'fulfilled'] as const];
    const by = businessDaysAfter(received, 10);
    return decided === undefined ? [{ what, by, citation: exceptions.infeasibility.citation, metBy }] : owed;
  }
  const by = new Date(Date.parse(`${received}T00:00:00Z`) + accessDays * 86_400_000).toISOString().slice(0, 10);
  const metBy = ['told', 'fulfilled'] as const;
  return [{ what: 'an answer to the person', by, citation: '45 CFR 164.524(b)(2)', metBy }, ...owed];
}
