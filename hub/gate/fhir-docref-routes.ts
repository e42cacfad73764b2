/**
 * `DocumentReference/$docref` (US Core, http://hl7.org/fhir/us/core/OperationDefinition/docref): the documents of a patient,
 * those that are stored and those that are made when they are read: the Continuity of Care Document, and the Discharge
 * Summary of each stay.
 */

import type { CodeableConcept, DocumentReference, Encounter } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { careTime, type EverythingRequest, RecordError, type ShownResource } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { type DocumentSubject, documentId, documentOf, writeDocument } from './ccda-documents.ts';
import { bundle, entry } from './fhir-answers.ts';
import { baseUrl, type FhirParts, pathOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { shown, warningEntry } from './fhir-search-bundle.ts';
import { sendBundle, sendText } from './fhir-send.ts';
import { type OperationParameters, operationParameters, type ParameterKind } from './operation-parameters.ts';

const understood: Record<string, ParameterKind> = {
  patient: 'one',
  start: 'one',
  end: 'one',
  type: 'either',
  'on-demand': 'one',
};
const mostDocuments = 1_000;
/** Stays of which Discharge Summaries are offered: the latest. */
const mostStays = 50;

const loinc = 'http://loinc.org';
const kinds = {
  ccd: { code: '34133-9', display: 'Summary of episode note', title: 'Continuity of Care Document' },
  'discharge-summary': { code: '18842-5', display: 'Discharge summary', title: 'Discharge Summary' },
} as const;

export function fhirDocrefRoutes(app: FastifyInstance, parts: FhirParts): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/fhir/DocumentReference/$docref',
    handler: async (request, reply) => {
      const who = await parts.authenticator.caller(request, 'docref');
      const parameters = operationParameters(parts, request, understood);
      const form = answerForm(request, parameters.query());
      const patient = patientOf(parameters);
      const { stored, made, left } = await documents(parts, who, patient, parameters);
      await recordAccess(parts, who, 'docref', `/DocumentReference/$docref?${parameters.query()}`, 200, [patient]);
      const base = baseUrl(request);
      const links = [['self', `${base}/DocumentReference/$docref?${parameters.query()}`]];
      const entries = [
        ...made.map(
          (one) => `{"resource":${JSON.stringify(referenceTo(base, patient, one))},"search":{"mode":"match"}}`,
        ),
        ...stored.map((one) => entry(base, shown(one, form.subset), 'match')),
        ...(left ? [warningEntry([tooMany()])] : []),
      ];
      return sendBundle(request, reply, bundle('searchset', links, entries, made.length + stored.length), form);
    },
  });
}

/** Sends the document that a Binary's id names, as it is, or as a Binary where FHIR's media types are asked for. */
export async function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: FhirParts,
  who: Caller,
  { id, asResource }: { id: string; asResource: boolean },
): Promise<FastifyReply> {
  const { xml, patient } = await writeDocument(parts, who, documentOf(id)!);
  await recordAccess(parts, who, 'read', pathOf(request), 200, [patient]);
  reply.header('vary', 'accept').header('cache-control', 'no-store');
  if (asResource) {
    const binary = {
      resourceType: 'Binary',
      id,
      contentType: 'application/xml',
      securityContext: { reference: `Patient/${patient}` },
      data: Buffer.from(xml).toString('base64'),
    };
    return sendText(request, reply, JSON.stringify(binary));
  }
  return reply
    .header('content-type', 'application/xml; charset=utf-8')
    .header('content-disposition', `attachment; filename="${id.split('.')[0]}.xml"`)
    .header('content-security-policy', "sandbox; default-src 'none'")
    .header('x-security-context', `Patient/${patient}`)
    .send(xml);
}

function patientOf(parameters: OperationParameters): string {
  const id = /^(?:Patient\/)?([A-Za-z0-9\-.]{1,64})$/.exec(parameters.text('patient') ?? '')?.[1];
  if (id !== undefined) return id;
  throw new RecordError(400, 'required', 'The parameter patient names the Patient by its id.', 'patient');
}

/** A document that can be made, with the time of care that it tells of. */
interface Offered {
  subject: DocumentSubject;
  period?: { start?: string; end?: string } | undefined;
  encounter?: string;
}

interface Found {
  stored: ShownResource[];
  made: Offered[];
  /** Whether there are more than an answer has room for. */
  left: boolean;
}

/** Without dates: the documents that are current, of each type the latest. */
async function documents(
  parts: FhirParts,
  who: Caller,
  patient: string,
  parameters: OperationParameters,
): Promise<Found> {
  const [start, end] = [parameters.time('start'), parameters.time('end')];
  const care = { low: start?.low ?? Number.NEGATIVE_INFINITY, high: end?.high ?? Number.POSITIVE_INFINITY };
  if (care.low >= care.high) throw new RecordError(400, 'invalid', 'The parameter start lies after end.', 'start');
  const isDated = start !== undefined || end !== undefined;
  const type = typeOf(parameters);
  const onlyMade = parameters.flag('on-demand');
  const read = async (resourceType: string) => {
    const asked: EverythingRequest = {
      count: mostDocuments,
      cursor: undefined,
      types: [resourceType],
      since: undefined,
      care: isDated ? care : undefined,
    };
    return parts.record.everything(who, patient, asked);
  };
  await parts.record.read(who, 'Patient', patient);
  const { matches, next } = onlyMade ? { matches: [], next: undefined } : await read('DocumentReference');
  const stored = matches.filter(({ text }) => {
    const document = JSON.parse(text) as DocumentReference;
    return document.status === 'current' && isOfType(document.type, type);
  });
  const made: Offered[] = [];
  if (isOfType(conceptOf('ccd'), type)) {
    const day = (name: 'start' | 'end') => parameters.text(name)?.slice(0, 10);
    const days = isDated
      ? { start: firstDay(day('start')), end: lastDay(day('end')) }
      : { start: undefined, end: undefined };
    made.push({ subject: { kind: 'ccd', patient, ...days }, period: isDated ? days : undefined });
  }
  let left = next !== undefined;
  if (isOfType(conceptOf('discharge-summary'), type)) {
    const encounters = await read('Encounter');
    left ||= encounters.next !== undefined;
    made.push(...staysIn(encounters.matches).slice(0, isDated ? mostStays : 1));
  }
  return { stored: isDated ? stored : latestOfEachType(stored), made, left };
}

/** The stays that have ended, the last first. */
function staysIn(stored: readonly ShownResource[]): Offered[] {
  return stored
    .map(({ text }) => JSON.parse(text) as Encounter)
    .filter(
      ({ status, period, class: kind }) => status === 'finished' && period?.end && inpatient.has(kind?.code ?? ''),
    )
    .sort((a, b) => (a.period!.end! < b.period!.end! ? 1 : -1))
    .map(({ id, period }) => ({
      subject: { kind: 'discharge-summary', encounter: id! },
      period: { start: period!.start, end: period!.end } as { start?: string; end?: string },
      encounter: id!,
    }));
}

const inpatient = new Set(['IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC']);

function latestOfEachType(stored: readonly ShownResource[]): ShownResource[] {
  const latest = new Map<string, { at: number; one: ShownResource }>();
  for (const one of stored) {
    const document = JSON.parse(one.text) as DocumentReference;
    const { system, code } = document.type?.coding?.[0] ?? {};
    const key = code === undefined ? (document.type?.text ?? '') : `${system}|${code}`;
    const at =
      careTime(document as object as Record<string, unknown>)?.low ??
      new Date(document.meta?.lastUpdated ?? 0).getTime();
    if (at > (latest.get(key)?.at ?? Number.NEGATIVE_INFINITY)) latest.set(key, { at, one });
  }
  return [...latest.values()].map(({ one }) => one);
}

function referenceTo(base: string, patient: string, { subject, period, encounter }: Offered): DocumentReference {
  const { title } = kinds[subject.kind];
  return {
    resourceType: 'DocumentReference',
    meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference'] },
    status: 'current',
    type: conceptOf(subject.kind),
    category: [
      {
        coding: [
          {
            system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
            code: 'clinical-note',
            display: 'Clinical Note',
          },
        ],
      },
    ],
    subject: { reference: `Patient/${patient}` },
    date: new Date().toISOString(),
    custodian: { display: 'Causeway' },
    content: [
      {
        attachment: { contentType: 'application/xml', url: `${base}/Binary/${documentId(subject)}`, title },
        format: {
          system: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
          code: 'urn:hl7-org:sdwg:ccda-structuredBody:2.1',
          display: 'C-CDA R2.1 structured body',
        },
      },
    ],
    ...(period || encounter
      ? { context: { ...(encounter ? { encounter: [{ reference: `Encounter/${encounter}` }] } : {}), period } }
      : {}),
  };
}

function conceptOf(kind: DocumentSubject['kind']): CodeableConcept {
  const { code, display } = kinds[kind];
  return { coding: [{ system: loinc, code, display }] };
}

interface AskedType {
  system: string | undefined;
  code: string;
}

/** The types that are asked for: `system|code`, a code, or a CodeableConcept. @throws RecordError 400 */
function typeOf(parameters: OperationParameters): AskedType[] | undefined {
  const concept = parameters.either('type') as CodeableConcept | string | undefined;
  if (concept === undefined) return undefined;
  const codings =
    typeof concept === 'string'
      ? [{ system: concept.split('|').slice(0, -1).join('|') || undefined, code: concept.split('|').at(-1) }]
      : (concept.coding ?? []);
  const asked = codings.flatMap(({ system, code }) => (code ? { system, code } : []));
  if (asked.length > 0) return asked;
  throw new RecordError(400, 'value', 'The parameter type is a code, such as http://loinc.org|34133-9.', 'type');
}

function isOfType(concept: CodeableConcept | undefined, asked: AskedType[] | undefined): boolean {
  if (asked === undefined) return true;
  return asked.some((one) =>
    concept?.coding?.some(
      ({ system, code }) => code === one.code && (one.system === undefined || system === one.system),
    ),
  );
}

/** The first day of a date that may name a month or a year only. */
function firstDay(date: string | undefined): string | undefined {
  return date && `${date}${'-01-01'.slice(date.length - 4)}`;
}

/** The last day of a date that may name a month or a year only. */
function lastDay(date: string | undefined): string | undefined {
  if (date === undefined || date.length === 10) return date;
  if (date.length === 4) return `${date}-12-31`;
  const [year, month] = date.split('-').map(Number) as [number, number];
  return `${date}-${String(new Date(Date.UTC(year, month, 0)).getUTCDate()).padStart(2, '0')}`;
}

function tooMany() {
  return {
    severity: 'warning' as const,
    code: 'too-costly',
    diagnostics: `There are more documents than an answer has room for (${mostDocuments}); ask for care between two days (start, end).`,
  };
}
