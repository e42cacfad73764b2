/** ORC and OBR: orders, and the reports on them. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { ORC_AGENTS, ORC_ENTRY } from '../../../v2/tables/message.ts';
import { OBR_REPORT, OBR_REQUEST, OBR_SPECIMEN, ORC_REQUEST } from '../../../v2/tables/results.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, type Element, listOf, textOf } from '../record.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { isOfKind } from '../values/identifiers.ts';
import { organizationOf, practitionerOf, writeOrganization, writePractitioner } from '../values/parties.ts';
import { writeNotes, writeRemark } from './notes.ts';
import { isReferral } from './referral.ts';
import { writeObservation, writeSpecimen } from './results.ts';
import { writeRoles } from './roles.ts';
import type { Sheet } from './sheet.ts';
import { writeTiming } from './timing.ts';

/** Reasons and parents stand in OBR, which says what is ordered. */
const orcRows = compileBack(ORC_REQUEST, {
  skip: ['ORC-8', 'ORC-16'],
  single: ['ORC-2', 'ORC-3', 'ORC-4'],
});
const agentRows = compileBack([...ORC_AGENTS, ...ORC_ENTRY]);
const requestRows = compileBack(OBR_REQUEST, {
  skip: ['OBR-12', 'OBR-13', 'OBR-48', 'OBR-45', 'OBR-46', 'OBR-47'],
  single: ['OBR-2', 'OBR-3'],
});
const ofReport = new Set(OBR_REPORT.map(([from]) => from));
const requestOfReport = compileBack(
  OBR_REQUEST.filter(([from]) => !ofReport.has(from)),
  { skip: ['OBR-12', 'OBR-48', 'OBR-45', 'OBR-46', 'OBR-47'] },
);
const reportRows = compileBack(OBR_REPORT, { single: ['OBR-2', 'OBR-3', 'OBR-32'], last: ['OBR-33'] });
const plannedRows = compileBack([['OBR-32', 'performer[]', 'NestedPractitioner']]);
const specimenRows = compileBack(OBR_SPECIMEN);

/** What an order is about beside its own segments. */
export interface OrderGroup {
  request: Element | undefined;
  report: Element | undefined;
  observations: readonly Element[];
}

/** The reports of the message, each with its request and results; requests without a report. */
export function orderGroups(sheet: Sheet): OrderGroup[] {
  const requests = sheet.record.all('ServiceRequest').filter((request) => !(sheet.relayed && isReferral(request)));
  const reports = sheet.record.all('DiagnosticReport');
  const known = (references: readonly Element[]) =>
    references.flatMap((reference) => {
      const found = sheet.record.resolve(reference);
      return found?.resourceType === 'Observation' ? [found] : [];
    });
  const places = new Map<Element | undefined, number>(requests.map((request, place) => [request, place]));
  const reported = reports.map((report) => {
    const named = listOf(report, 'basedOn').flatMap((reference) => places.get(sheet.record.resolve(reference)) ?? []);
    const request = named.length === 0 ? undefined : requests[Math.min(...named)];
    return { request, report, observations: known(listOf(report, 'result')) };
  });
  const withReport = new Set(reported.map(({ request }) => request));
  const asked = requests
    .filter((request) => !withReport.has(request))
    .map((request) => ({ request, report: undefined, observations: known(listOf(request, 'supportingInfo')) }));
  return [...reported, ...asked];
}

/** ORC, OBR and what follows them. */
export function writeOrder(sheet: Sheet, { request, report, observations }: OrderGroup, isFirst: boolean): void {
  sheet.restart('TQ1', 'OBX', 'SPM');
  writeOrc(sheet, request, report, isFirst);
  const specimens = specimensOf(sheet, request, report);
  const inOrder = specimens.find((item) => item.identifier === undefined && item.accessionIdentifier === undefined);
  sheet.addNumbered(
    'OBR',
    (fields) => {
      if (report !== undefined) {
        reportRows(report, fields, sheet);
        fields.add(25, reportStatus(sheet, report));
        if (request !== undefined) requestOfReport(request, fields, sheet);
      } else if (request !== undefined) {
        requestRows({ ...request, identifier: inObrOrder(listOf(request, 'identifier')) }, fields, sheet);
        plannedRows({ performer: listOf(request, 'performer').filter(isNoRole(sheet)) }, fields, sheet);
      }
      fields.add(5, codeFor('requestPriority', textOf(request, 'priority')));
      if (request !== undefined) fields.add(28, ...copiesOf(sheet, request));
      if (inOrder !== undefined) specimenRows(withoutNotes(inOrder, specimens), fields, sheet);
    },
    true,
  );
  writeRoles(sheet, 'PRT', listOf(request, 'performer'));
  if (report !== undefined) writeRemark(sheet, report, 'conclusion');
  else if (request !== undefined) writeNotes(sheet, request);
  writeTiming(sheet, request?.occurrenceTiming, textOf(request, 'priority'), request?.quantityQuantity);
  for (const observation of observations) writeObservation(sheet, observation);
  for (const specimen of specimens) if (specimen !== inOrder || saysMore(specimen)) writeSpecimen(sheet, specimen);
}

/** ORC says the first numbers, OBR the last. */
function inObrOrder(identifiers: readonly Element[]): Element[] {
  const further = identifiers.filter((item) => isOfKind(item, 'alternatePlacer'));
  return [...identifiers.filter((item) => !further.includes(item)).toReversed(), ...further];
}

/** To whom results are to be sent as well. */
function copiesOf(sheet: Sheet, request: Element): RepetitionValue[] {
  return sheet.record
    .referring('CommunicationRequest', 'basedOn', request)
    .flatMap((copies) => listOf(copies, 'recipient'))
    .map((person) => writePractitioner(person, sheet));
}

/** ORC of an order for a service, a medicine or an immunization. */
export function writeOrc(
  sheet: Sheet,
  request: Element | undefined,
  report: Element | undefined,
  isFirst: boolean,
  rows = orcRows,
): void {
  sheet.add('ORC', (fields) => {
    if (request !== undefined) {
      rows(request, fields, sheet);
      writeFacility(sheet, request, fields);
    } else if (report !== undefined) orcRows({ identifier: report.identifier }, fields, sheet);
    fields.add(1, orderControl(sheet, request, report));
    const status = textOf(request, 'status');
    fields.add(5, codeFor('requestStatus', status === 'cancelled' ? 'revoked' : status));
    if (isFirst && sheet.provenance !== undefined) agentRows(agentsOf(sheet), fields, sheet);
  });
}

/** Who entered an event stands in EVN where the message has one. */
function agentsOf(sheet: Sheet): Element {
  const agents = listOf(sheet.provenance, 'agent');
  if (sheet.code !== 'ADT' && sheet.code !== 'MDM') return { agent: agents };
  return { agent: agents.filter((agent) => !JSON.stringify(agent.type ?? '').includes('"enterer"')) };
}

/** HL7 table 0119. */
function orderControl(sheet: Sheet, request: Element | undefined, report: Element | undefined): string {
  if (report !== undefined || sheet.code === 'ORU' || sheet.code === 'VXU') return 'RE';
  if (sheet.kind === 'retraction') return 'CA';
  const status = textOf(request, 'status');
  if (status === 'revoked' || status === 'cancelled') return 'CA';
  if (status === 'stopped') return 'DC';
  if (status === 'on-hold') return 'HD';
  if (status === 'completed') return 'SC';
  return sheet.kind === 'correction' ? 'XO' : 'NW';
}

/** ORC-21 to ORC-24: the organization that orders, and where its provider is. */
function writeFacility(sheet: Sheet, request: Element, fields: SegmentFields): void {
  const requester = sheet.record.resolve(request.requester);
  const facility = requester?.resourceType === 'PractitionerRole' ? requester.organization : request.requester;
  const organization = organizationOf(facility, sheet);
  if (organization === undefined) return;
  fields.add(21, writeOrganization(facility, sheet));
  fields.add(22, ...listOf(organization, 'address').map(writeAddress));
  fields.add(23, ...listOf(organization, 'telecom').map((point) => writeContactPoint(point, 'work')));
  fields.add(24, ...listOf(practitionerOf(request.requester, sheet), 'address').map(writeAddress));
}

/** OBR-25, HL7 table 0123. */
function reportStatus(sheet: Sheet, report: Element): string | undefined {
  const status = textOf(report, 'status');
  if (status === 'registered') return 'I';
  if (status === 'amended' && !sheet.relayed) return 'C';
  return codeFor('reportStatus', status);
}

function isNoRole(sheet: Sheet): (reference: Element) => boolean {
  return (reference) => sheet.record.resolve(reference)?.resourceType !== 'PractitionerRole';
}

function specimensOf(sheet: Sheet, request: Element | undefined, report: Element | undefined): Element[] {
  const references = [...listOf(report, 'specimen'), ...listOf(request, 'specimen')];
  const found = references.map((reference) => sheet.record.resolve(reference)).filter((item) => item !== undefined);
  return [...new Set(found)];
}

/** Elements of a specimen that OBR has fields for. */
const IN_OBR = new Set(['resourceType', 'id', 'meta', 'subject', 'type', 'receivedTime', 'note']);
const COLLECTION_IN_OBR = new Set(['quantity', 'collector']);

/** Whether a specimen says what OBR has no field for, so that it needs an SPM. */
function saysMore(specimen: Element): boolean {
  const collection = Object.keys(childOf(specimen, 'collection') ?? {});
  if (collection.some((name) => !COLLECTION_IN_OBR.has(name))) return true;
  return Object.keys(specimen).some((name) => name !== 'collection' && !IN_OBR.has(name));
}

/** Notes go to SPM where there is one. */
function withoutNotes(specimen: Element, all: readonly Element[]): Element {
  if (!saysMore(specimen) && all.includes(specimen)) return specimen;
  const { note: _note, ...rest } = specimen;
  return rest;
}
