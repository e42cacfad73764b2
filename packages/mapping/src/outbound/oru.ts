/** A report as ORU^R01 (HL7 v2.5.1 chapter 7.3.1), for the destination's own patient. */
import { type FieldValue, MessageBuilder, repetitions } from '@causeway/hl7v2';
import type { Observation } from '@medplum/fhirtypes';
import { type Envelope, isWithdrawn, type OutboundKind, type OutboundResult, recordNumber } from './envelope.ts';
import type { Element } from './v2/record.ts';
import { codeSystem } from './v2/values/coded.ts';
import { observationValue, rangeText } from './v2/values/observation.ts';
import { dtm } from './v2/values/primitives.ts';
import { cwe, ei, identifierOf, pid, writingFor } from './v2-values.ts';

/**
 * Writes the message. A retraction names what it takes back and repeats no value: OBX-11 `W` (posted as wrong, also for
 * the wrong patient), `D` or `X` as the source said.
 * @returns a sentence where the recipient's Patient has no record number of the destination
 */
export function writeOru(result: OutboundResult, envelope: Envelope): Uint8Array | string {
  const number = recordNumber(envelope);
  if (number === undefined) return 'The recipient is known by no record number of the destination.';
  const { report, observations, request, specimen } = result;
  const { recipient, origin, kind } = envelope;
  const identifiers = [...(report.identifier ?? []), ...(request?.identifier ?? [])];
  const placer = ei(identifierOf(identifiers, 'PLAC'));
  const filler = ei(
    identifierOf(identifiers, 'FILL') ?? { system: 'urn:causeway:authority::CAUSEWAY', value: report.id! },
  );
  const requester = requesterOf(result);
  const message = new MessageBuilder({
    sendingApplication: 'CAUSEWAY',
    sendingFacility: 'HUB',
    receivingApplication: recipient.application,
    receivingFacility: recipient.facility,
    time: dtm(envelope.time),
    type: ['ORU', 'R01', 'ORU_R01'],
    controlId: envelope.controlId,
    version: '2.5.1',
  });
  message.segment(
    'PID',
    pid(recipient.patient, number, { name: recipient.authority, system: recipient.identifierSystem }),
  );
  message.segment('ORC', { 1: 'RE', 2: placer, 3: filler, 5: 'CM', 12: requester });
  message.segment('OBR', {
    1: '1',
    2: placer,
    3: filler,
    4: cwe(report.code, origin.key),
    7: dtm(report.effectiveDateTime ?? report.effectivePeriod?.start),
    8: dtm(report.effectivePeriod?.end),
    14: dtm(specimen?.receivedTime),
    15: specimenSource(result),
    16: requester,
    22: dtm(report.issued),
    24: sectionOf(result),
    25: reportStatus(result, kind),
  });
  if (kind !== 'retraction' && report.conclusion) message.segment('NTE', { 1: '1', 2: 'L', 3: report.conclusion });
  for (const [i, observation] of observations.entries()) writeObservation(message, observation, i + 1, envelope);
  return message.toBytes();
}

function writeObservation(message: MessageBuilder, observation: Observation, index: number, envelope: Envelope): void {
  const { origin, kind } = envelope;
  const silent = kind === 'retraction' || isWithdrawn(observation);
  const stated = observation as object as Element;
  const { type, values, units } = silent
    ? { type: '', values: [], units: [] }
    : observationValue(stated, writingFor(origin.key));
  const performer = observation.performer?.find(({ reference }) => reference?.startsWith('Organization/'))?.display;
  message.segment('OBX', {
    1: index,
    2: type,
    3: cwe(observation.code, origin.key),
    4: subIdentifier(observation),
    5: repetitions(...values),
    6: units,
    7: silent ? '' : rangeText(stated),
    8: silent ? '' : observation.interpretation?.[0]?.coding?.find(({ code }) => code)?.code,
    11: observationStatus(observation, kind),
    14: dtm(observation.effectiveDateTime ?? observation.effectivePeriod?.start),
    15: [origin.key, origin.name, 'L'],
    23: performer ?? origin.name,
  });
  if (silent) return;
  for (const [i, { text }] of (observation.note ?? []).entries()) message.segment('NTE', { 1: i + 1, 2: 'L', 3: text });
}

/** XCN of who ordered. */
function requesterOf({ request, requester }: OutboundResult): FieldValue {
  if (requester?.family) return [requester.identifier, requester.family, requester.given];
  const display = request?.requester?.display;
  return display ? ['', display] : undefined;
}

function specimenSource({ specimen }: OutboundResult): FieldValue {
  const coding = specimen?.type?.coding?.[0];
  return coding ? [[coding.code, coding.display, codeSystem(coding.system, writingFor(''))]] : undefined;
}

/** OBR-24, HL7 table 0074. */
function sectionOf({ report }: OutboundResult): string {
  for (const { coding } of report.category ?? []) {
    const section = coding?.find(({ system }) => system?.endsWith('/v2-0074'));
    if (section?.code) return section.code;
  }
  return '';
}

const reportStatuses: Record<string, string> = {
  registered: 'I',
  partial: 'R',
  preliminary: 'P',
  final: 'F',
  amended: 'C',
  corrected: 'C',
  appended: 'C',
  cancelled: 'X',
  'entered-in-error': 'C',
};

/** OBR-25, HL7 table 0123: what is taken back corrects what was reported; a cancelled order has no results. */
function reportStatus({ report }: OutboundResult, kind: OutboundKind): string {
  if (kind === 'retraction') return report.status === 'cancelled' ? 'X' : 'C';
  return reportStatuses[report.status ?? ''] ?? 'F';
}

const observationStatuses: Record<string, string> = {
  registered: 'I',
  preliminary: 'P',
  final: 'F',
  amended: 'C',
  corrected: 'C',
  cancelled: 'X',
  'entered-in-error': 'D',
};

/** OBX-11, HL7 table 0085. */
function observationStatus(observation: Observation, kind: OutboundKind): string {
  if (isWithdrawn(observation)) {
    const stated = alternateStatus(observation);
    return stated === 'W' || stated === 'D' ? stated : observationStatuses[observation.status!]!;
  }
  return kind === 'retraction' ? 'W' : (observationStatuses[observation.status ?? ''] ?? 'R');
}

/** The status of table 0085 that FHIR's status cannot tell. */
function alternateStatus(observation: Observation): string | undefined {
  const { _status } = observation as {
    _status?: { extension?: { valueCodeableConcept?: { coding?: { code?: string }[] } }[] };
  };
  return _status?.extension?.[0]?.valueCodeableConcept?.coding?.[0]?.code;
}

function subIdentifier(observation: Observation): string | undefined {
  const extension = observation.extension?.find(({ url }) => url?.endsWith('/observation-v2-subid'));
  return extension?.extension?.find(({ url }) => url === 'original-sub-identifier')?.valueString;
}
