/** Which of what is stated goes by a route: its topics, the finer ones among them, its filters; and what of it is urgent. */
import { type ScannedResource, scanResource, searchParametersVersion } from '@causeway/fhir';
import type {
  Appointment,
  Encounter,
  MedicationRequest,
  Observation,
  Patient,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { type Facts, type Held, heldInMemory, indexEntries, RecordError, readSearchRequest } from '../record/index.ts';
import { type FineTopic, fineTopics, type Participant, type Route } from '../trust/index.ts';
import type { Focus } from './focus.ts';
import { takes } from './wishes.ts';

/** Interpretations of results that somebody has to hear of at once (v3-ObservationInterpretation). */
const critical = new Set(['AA', 'HH', 'LL', 'HU', 'LU']);
/** Referrals of SNOMED CT: of a patient, to a service, to a specialist. */
const referrals = new Set(['3457005', '306206005', '103696004']);
const seen = new Set(['arrived', 'triaged', 'in-progress']);
const ambulatory = new Set(['AMB', 'VR', 'HH', 'FLD']);

const closed: ReadonlySet<string | undefined> = new Set(['completed', 'revoked']);
const declined: ReadonlySet<string | undefined> = new Set(['rejected', 'failed', 'cancelled']);
const calledOff: ReadonlySet<string | undefined> = new Set(['cancelled', 'noshow']);
/** What happened to something that was there: it is told as a change, whoever it is told. */
const changes: ReadonlySet<FineTopic> = new Set<FineTopic>([
  'medication-changed',
  'medication-stopped',
  'appointment-changed',
  'appointment-cancelled',
  'referral-closed',
]);

export interface Going {
  goes: boolean;
  urgent: boolean;
  /** The route asks for such a change, also of what it was not told of. */
  isChange: boolean;
}

/**
 * Whether a focus goes by a route, and urgently. What was told is followed up, whatever the route takes by now; of a visit
 * only by what it is told of by a finer topic, and by what takes it back.
 */
export function going(route: Route, destination: Participant, focus: Focus, isTold: boolean): Going {
  const fine = fineTopicsOf(focus, isTold);
  const takesIt = takes(route, destination, focus.topic, fine) && holds(route, focus);
  const isFine = route.topics?.some((topic) => fineTopics[topic as FineTopic] === 'visit') === true;
  const follows = isTold && (focus.withdrawn || focus.topic !== 'visit' || !isFine);
  const urgentTopics = route.urgent ?? [];
  const urgent =
    fine.includes('critical-result') ||
    urgentTopics.includes(focus.topic) ||
    fine.some((topic) => urgentTopics.includes(topic));
  const isChange = takesIt && fine.some((topic) => changes.has(topic) && route.topics?.includes(topic));
  return { goes: takesIt || follows, urgent, isChange };
}

/** Whether a result says that somebody has to hear of it at once. */
export function isCritical({ interpretation = [] }: Observation): boolean {
  return interpretation.some(({ coding = [] }) => coding.some(({ code }) => critical.has(code ?? '')));
}

function fineTopicsOf({ topic, resource, before, isCritical: urgent }: Focus, isTold: boolean): FineTopic[] {
  switch (topic) {
    case 'result':
      return urgent ? ['critical-result'] : [];
    case 'visit': {
      const { status, class: kind } = (resource ?? {}) as Partial<Encounter>;
      if (status === 'finished') return ['discharged'];
      if (!seen.has(status ?? '') || ambulatory.has(kind?.code ?? '')) return [];
      return [isTold ? 'transferred' : 'admitted'];
    }
    case 'person': {
      const { deceasedBoolean, deceasedDateTime, link = [] } = (resource ?? {}) as Partial<Patient>;
      return [
        ...(deceasedBoolean || deceasedDateTime ? (['death'] as const) : []),
        ...(link.some(({ type }) => type === 'replaced-by') ? (['merged'] as const) : []),
      ];
    }
    case 'order': {
      const request = (resource ?? {}) as Partial<ServiceRequest>;
      if (!isReferral(request)) return [];
      return became(before, request, ({ status }) => closed.has(status))
        ? ['referral', 'referral-closed']
        : ['referral'];
    }
    case 'referral-answer': {
      const { status } = (resource ?? {}) as Partial<Task>;
      if (status === 'accepted' || status === 'in-progress') return ['referral-accepted'];
      return declined.has(status) ? ['referral-declined'] : [];
    }
    case 'prescription':
      return ofMedicine(before as MedicationRequest | undefined, resource as MedicationRequest | undefined);
    case 'appointment':
      return ofAppointment(before as Appointment | undefined, resource as Appointment | undefined);
    default:
      return [];
  }
}

function ofMedicine(before: MedicationRequest | undefined, after: MedicationRequest | undefined): FineTopic[] {
  if (!after || (after.status as string) === 'entered-in-error') return [];
  const [was, is] = [before?.status === 'active', after.status === 'active'];
  if (is && !was) return ['medication-started'];
  if (was && !is) return ['medication-stopped'];
  const ordered = ({ medicationCodeableConcept, medicationReference, dosageInstruction }: MedicationRequest) =>
    JSON.stringify([medicationCodeableConcept, medicationReference, dosageInstruction]);
  return is && ordered(before!) !== ordered(after) ? ['medication-changed'] : [];
}

function ofAppointment(before: Appointment | undefined, after: Appointment | undefined): FineTopic[] {
  if (!before || !after) return [];
  if (became(before, after, ({ status }) => calledOff.has(status))) return ['appointment-cancelled'];
  return before.start !== after.start || before.end !== after.end ? ['appointment-changed'] : [];
}

/** Whether something holds that did not hold of what was there. */
function became<R>(before: unknown, after: R, holds: (one: R) => boolean): boolean {
  return before !== undefined && !holds(before as R) && holds(after);
}

/** By its code or category, or, as HL7 v2 has it, without the code of any service. */
export function isReferral({ code, category = [] }: Partial<ServiceRequest>): boolean {
  if (code === undefined && category.length > 0) return true;
  return [code, ...category].some((concept) => concept?.coding?.some((coding) => referrals.has(coding.code ?? '')));
}

const filters = new Map<string, { type: string; held: Held }>();
const filtersAtMost = 1_000;
/** Of the search parameters by which the filters were read. */
let readBy = searchParametersVersion();

/**
 * A filter as it is held against what is stated.
 * @param text a search, as `DiagnosticReport?category=LAB`
 * @throws RecordError 400 where it is none, or only the database could say whether it holds
 */
export function readFilter(text: string): { type: string; held: Held } {
  if (readBy !== searchParametersVersion()) filters.clear();
  readBy = searchParametersVersion();
  const known = filters.get(text);
  if (known) return known;
  const [, type, query] = /^([A-Za-z]+)\?(.+)$/.exec(text) ?? [];
  if (type === undefined || query === undefined) {
    throw new RecordError(400, 'value', 'A filter is a search, as DiagnosticReport?category=LAB.');
  }
  const request = readSearchRequest(type, [...new URLSearchParams(query)], false);
  const held = heldInMemory(type, request.filters);
  if (held.isPartial || request.filters.length === 0) {
    throw new RecordError(
      400,
      'not-supported',
      `The filter ${text.slice(0, 200)} asks for more than the resource says.`,
    );
  }
  if (filters.size >= filtersAtMost) filters.clear();
  filters.set(text, { type, held });
  return { type, held };
}

/**
 * Which of the filters for a type cannot be read, as its search parameter is gone or not indexed yet. Until the route is put
 * right, or that is, nothing new of the type is sent by it.
 */
export function unreadFilter({ filters: texts = [] }: Route, type: string): string | undefined {
  return texts.find((text) => text.startsWith(`${type}?`) && !isReadable(text));
}

function isReadable(text: string): boolean {
  try {
    readFilter(text);
    return true;
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
}

/**
 * Of the filters for its type one must hold; a type that has none is not filtered. Where one cannot be read the delivery is
 * written, to wait: what is stated is stored, whatever becomes of a route.
 */
function holds(route: Route, { type, rid, resource }: Focus): boolean {
  if (unreadFilter(route, type) !== undefined) return true;
  const texts = (route.filters ?? []).filter((text) => text.startsWith(`${type}?`));
  const own = texts.map(readFilter);
  if (own.length === 0) return true;
  if (!resource) return false;
  const scanned = scanResource(JSON.stringify(resource));
  if ('error' in scanned) throw new SyntaxError('A stored resource cannot be read.');
  const facts = factsOf(rid, scanned);
  return own.some(({ held }) => held.holds(facts));
}

/**
 * Whether a resource would go by a route of these filters, and why.
 * @param sample FHIR JSON
 * @throws RecordError 400 where it, or a filter, cannot be read
 */
export function tryFilters(filters: readonly string[], sample: string): { goes: boolean; found: string } {
  const read = filters.filter((text) => text.trim() !== '').map((text) => ({ text, ...readFilter(text) }));
  const scanned = scanResource(sample);
  if ('error' in scanned) throw new RecordError(400, 'invalid', 'The sample is no resource in FHIR JSON.', 'sample');
  const type = scanned.resourceType;
  const own = read.filter((one) => one.type === type);
  if (own.length === 0) return { goes: true, found: `No filter is for a ${type}.` };
  const facts = factsOf('00000000-0000-7000-8000-000000000000', scanned);
  const holding = own.find(({ held }) => held.holds(facts));
  return holding
    ? { goes: true, found: `${holding.text.slice(0, 200)} finds it.` }
    : { goes: false, found: `None of the filters for a ${type} finds it.` };
}

function factsOf(rid: string, scanned: ScannedResource): Facts {
  const entries = indexEntries(scanned);
  return {
    rid,
    updated: new Date(),
    hashes: new Set([...entries.tokens, ...entries.markers]),
    entries: () => entries,
    persons: new Set(),
  };
}
