/**
 * HL7 v2 to FHIR R4. Segments are walked once, in order; each is carried by the table of its segment into the fact it
 * belongs to, which the segments before it have made known. So any message type converts as far as its segments are
 * known, whether or not the type itself is.
 */
import type { Message } from '@causeway/hl7v2';
import { addStandardCodes } from '../concepts.ts';
import type { Conversion, ConversionContext, Fact } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { toFhirDateTime, type Zone } from './datatypes/datetime.ts';
import { type CompiledOverlay, compileOverlay } from './overlay.ts';
import { Run } from './run.ts';
import { settleDocument } from './segments/document.ts';
import { HANDLERS } from './segments/index.ts';
import { provenance, statementTimeOf } from './segments/message.ts';
import { patientIdentity } from './segments/patient.ts';
import { settleOrder } from './segments/results.ts';
import { settleAppointment } from './segments/scheduling.ts';
import { settleSlot } from './segments/slot.ts';
import { leavePatient, newState, peek, type State } from './segments/state.ts';
import { ledgerOf, readSource, type SourceSegment } from './source.ts';

/**
 * Converts a parsed message. Never throws for any message that parses: what cannot be right is listed in `issues` and
 * in the ledger, the rest is converted. Throws for an overlay that does not compile (see `compileOverlay`).
 * @param message as `parseMessage` answers it
 * @param context where the bytes came from
 */
export function convertV2(message: Message, context: ConversionContext): Conversion {
  const segments = readSource(message);
  const overlay = overlayOf(context);
  overlay?.before(segments);
  const msh = segments.find((segment) => segment.name === 'MSH');
  const run = new Run(context, zoneOf(msh, context), context.receivedAt);
  run.asOf = statementTimeOf(segments, run);
  const evn = segments.find((segment) => segment.name === 'EVN');
  const state = newState({ run, code: peek(msh, 9) ?? '', event: peek(msh, 9, 2) ?? '', segments, evn });
  for (const [index, segment] of segments.entries()) {
    state.index = index;
    run.segment = segment;
    if (ENDS_DOCUMENT.has(segment.name)) settleDocument(state);
    if (segment.name === 'PID' && isOther(segment, state)) {
      settleOrder(state);
      leavePatient(state);
    }
    HANDLERS[segment.name]?.(segment, state);
    overlay?.after.get(segment.name)?.(segment, state);
  }
  settleOrder(state);
  settleDocument(state);
  settleAppointment(state);
  settleSlot(state);
  const statement = provenance(state);
  const facts = factsOf(run, statement.key);
  const { identityEvents } = state;
  const conversion = { facts, identityEvents, ledger: ledgerOf(segments), issues: run.issues };
  return addStandardCodes(conversion, context.concepts);
}

/** Overlays compiled so far, by their text: a sender's is the same from message to message. */
const overlays = new Map<string, CompiledOverlay>();
const OVERLAYS_KEPT = 1_000;

function overlayOf({ overlay }: ConversionContext): CompiledOverlay | undefined {
  if (overlay === undefined) return undefined;
  const text = JSON.stringify(overlay);
  let compiled = overlays.get(text);
  if (compiled === undefined) {
    if (overlays.size >= OVERLAYS_KEPT) overlays.clear();
    compiled = compileOverlay(overlay);
    overlays.set(text, compiled);
  }
  return compiled;
}

/** Whether a PID names another patient than the one in hand. */
function isOther(segment: SourceSegment, { patient, patientSegment, run }: State): boolean {
  if (patient === undefined || patientSegment === undefined) return false;
  return factId(run.context.source, 'Patient', ...patientIdentity(run, segment, true)) !== patient.id;
}

/** What begins another subject: the OBX that follow are no content of the document before. */
const ENDS_DOCUMENT: ReadonlySet<string> = new Set(['TXA', 'ORC', 'OBR', 'SPM']);

/** The zone of times without an offset: that of MSH-7 (v2.9 chapter 2.14.9.7), else the sender's. */
function zoneOf(msh: SourceSegment | undefined, context: ConversionContext): Zone {
  const name = context.timeZone ?? 'UTC';
  const offset = /([+-]\d{4})$/.exec(peek(msh, 7) ?? '')?.[1];
  if (offset === undefined || toFhirDateTime(`20000101000000${offset}`, { name }).dateTime === undefined)
    return { name };
  return { name, offset: `${offset.slice(0, 3)}:${offset.slice(3)}` };
}

/** In the order in which a store may take them: parties first, then the patient, then what refers to them. */
function factsOf(run: Run, provenanceKey: string): Fact[] {
  const facts: Fact[] = [];
  for (const rank of [0, 1, 2]) {
    for (const draft of run.drafts.values()) {
      if (draft.key === provenanceKey || rankOf(draft.type) !== rank) continue;
      facts.push(draft.toFact());
    }
  }
  const statement = run.drafts.get(provenanceKey);
  if (statement !== undefined) facts.push(statement.toFact());
  return facts;
}

function rankOf(type: string): number {
  if (type === 'Patient') return 0;
  return type === 'Organization' || type === 'Practitioner' || type === 'Location' || type === 'Device' ? 1 : 2;
}
