/**
 * What of a resource shows that an organisation cares for its patient: who is named, in which capacity, from when until when.
 * Pure; whom the references mean is found by `organizations.ts`.
 */
import type { CareRules } from '@causeway/access';
import type {
  Appointment,
  CareTeam,
  Encounter,
  Patient,
  Period,
  Reference,
  Resource,
  ServiceRequest,
} from '@medplum/fhirtypes';

export const careKinds = [
  'chart',
  'encounter',
  'appointment',
  'order',
  'referral',
  'care-team',
  'family-doctor',
  'panel',
] as const;
export type CareKind = (typeof careKinds)[number];

/** That somebody cares, as one resource shows it. */
export interface Shown {
  kind: CareKind;
  /** Whom the resource names; undefined for who sent it. */
  party: Reference | undefined;
  /** Undefined: as of when it is learnt. */
  starts: Date | undefined;
  /** Undefined: it goes on. */
  ends: Date | undefined;
}

export const evidenceTypes: ReadonlySet<string> = new Set([
  'Patient',
  'Encounter',
  'Appointment',
  'ServiceRequest',
  'CareTeam',
]);

const void_: ReadonlySet<string | undefined> = new Set([
  'cancelled',
  'noshow',
  'entered-in-error',
  'proposed',
  'draft',
  'revoked',
]);
const orders: ReadonlySet<string | undefined> = new Set([
  'order',
  'original-order',
  'reflex-order',
  'filler-order',
  'instance-order',
]);
const treating = /^(Organization|Practitioner|PractitionerRole)\//;
const dayMs = 86_400_000;
/** "Patient referral" of SNOMED CT. */
const referralCode = '3457005';
/** HL7 tables of RF1: referral type and category. */
const referralTables = /\/v2-028[14]$/;

/** What a resource shows; nothing where it shows that nobody cares, or what it tells of was cancelled. */
export function shownBy(resource: Resource, rules: CareRules): Shown[] {
  switch (resource.resourceType) {
    case 'Patient':
      return byPatient(resource);
    case 'Encounter':
      return byEncounter(resource, rules);
    case 'Appointment':
      return byAppointment(resource, rules);
    case 'ServiceRequest':
      return byRequest(resource, rules);
    case 'CareTeam':
      return byTeam(resource);
    default:
      return [];
  }
}

/** Whether a request is a referral by what it says of itself. */
export function isReferral({ category, code }: ServiceRequest): boolean {
  const codings = [...(category ?? []), ...(code ? [code] : [])].flatMap(({ coding }) => coding ?? []);
  return codings.some((one) => one.code === referralCode || referralTables.test(one.system ?? ''));
}

/** Whether a request is an order that stands or stood, not a plan or a thing that never was. */
export function isOrder({ status, intent }: ServiceRequest): boolean {
  return orders.has(intent) && !void_.has(status);
}

function byPatient({ active, generalPractitioner }: Patient): Shown[] {
  if (active === false) return [];
  const named = (generalPractitioner ?? []).map(
    (party): Shown => ({ kind: 'family-doctor', party, starts: undefined, ends: undefined }),
  );
  return [{ kind: 'chart', party: undefined, starts: undefined, ends: undefined }, ...named];
}

function byEncounter({ status, period, serviceProvider }: Encounter, { encounterDays }: CareRules): Shown[] {
  if (void_.has(status)) return [];
  const isOver = status === 'finished' || period?.end !== undefined;
  const end = dateOf(period?.end) ?? dateOf(period?.start);
  const ends = isOver && end ? after(end, encounterDays) : undefined;
  const held = { kind: 'encounter' as const, starts: dateOf(period?.start), ends };
  return [{ ...held, party: undefined }, ...(serviceProvider ? [{ ...held, party: serviceProvider }] : [])];
}

function byAppointment(appointment: Appointment, { appointmentDays }: CareRules): Shown[] {
  const { status, participant, start, end } = appointment;
  if (void_.has(status)) return [];
  const last = dateOf(end) ?? dateOf(start);
  const ends = last && after(last, appointmentDays);
  const named = (participant ?? []).flatMap(({ actor }) => (actor && isParty(actor) ? actor : []));
  // Who makes an appointment is to know before it takes place.
  return [undefined, ...named].map((party) => ({ kind: 'appointment', party, starts: undefined, ends }));
}

function byRequest(request: ServiceRequest, { orderDays }: CareRules): Shown[] {
  if (!isOrder(request)) return [];
  const made = dateOf(request.authoredOn);
  const ends = made && after(made, orderDays);
  const held = { starts: made, ends };
  const kind = isReferral(request) ? 'referral' : 'order';
  return [
    ...(request.requester ? [{ ...held, kind: 'order' as const, party: request.requester }] : []),
    ...(request.performer ?? []).map((party): Shown => ({ ...held, kind, party })),
  ];
}

function byTeam({ status, period, participant, managingOrganization }: CareTeam): Shown[] {
  if (void_.has(status)) return [];
  const isOver = status === 'inactive' || status === 'suspended';
  const held = (of: Period | undefined) => ({
    kind: 'care-team' as const,
    starts: dateOf(of?.start ?? period?.start),
    ends: dateOf(of?.end ?? period?.end) ?? (isOver ? new Date(0) : undefined),
  });
  const members = (participant ?? []).flatMap(({ member, onBehalfOf, period: own }) =>
    [member, onBehalfOf].flatMap((party) => (party && isParty(party) ? { ...held(own), party } : [])),
  );
  return [...(managingOrganization ?? []).map((party) => ({ ...held(undefined), party })), ...members];
}

function isParty({ reference, identifier, type }: Reference): boolean {
  if (reference !== undefined) return treating.test(reference);
  return identifier !== undefined && (type === undefined || treating.test(`${type}/`));
}

/** The last moment that a FHIR date or time may mean is not needed here: days count, so its first does. */
function dateOf(text: string | undefined): Date | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

function after(time: Date, days: number): Date {
  return new Date(time.getTime() + days * dayMs);
}
