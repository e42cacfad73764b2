/** What every FHIR interaction takes from a request: its caller, its base URL, its body, and the record of its access. */
import { isResourceType } from '@causeway/fhir';
import type { CcdaOptions, SummaryOptions } from '@causeway/mapping/outbound';
import type { FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import type { DeliveryRetention } from '../outbox/index.ts';
import {
  type Audit,
  type Expunger,
  type FhirRecord,
  jsonText,
  type Labels,
  type LargeBodies,
  RecordError,
  type Removal,
  type Retention,
} from '../record/index.ts';
import type { Subscriptions } from '../subscriptions/index.ts';
import { type AccessLog, refusedChange } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import type { FhirAddresses } from './fhir-addresses.ts';
import { patientsIn, patientsInAll } from './fhir-answers.ts';
import { answerForm, formatOf, isRightVersion, mediaTypeOf } from './fhir-format.ts';

export interface FhirParts {
  record: FhirRecord;
  audit: AuditLog;
  database: Database;
  accessLog: AccessLog;
  authenticator: Authenticator;
  bundleBytes: number;
  /** Where what is too large for the memory is kept while it is worked on. */
  spoolDirectory: string;
  /** Writes a C-CDA document of the texts of resources, beside what the hub does meanwhile. */
  writeCcda(texts: string[], options: CcdaOptions): Promise<string>;
  /** Writes the International Patient Summary of the texts of resources, likewise. */
  writeSummary(texts: string[], options: SummaryOptions): Promise<string>;
  largeBodies: LargeBodies;
  addresses: FhirAddresses;
  labels: Labels;
  expunger: Expunger;
  retention: Retention;
  deliveryRetention: DeliveryRetention;
  subscriptions: Subscriptions;
  /** Whether this hub removes anything for good. */
  allowExpunge: boolean;
  /** Notes a fault of the hub in a part of a request, which fails alone. */
  fault(error: unknown, route: string): void;
}

/** The parameters of an address `/fhir/:type/:id/_history/:version`. */
export type Params = { type: string; id: string; version: string };

/** What the record of a change takes from its outcome. */
export type Written = { status: number; text: string };

/** The base URL that the client used. */
export function baseUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}/fhir`;
}

/** Path and query after the base, as they came. */
export function pathOf(request: FastifyRequest): string {
  return request.url.slice('/fhir'.length);
}

/** The query's parameters, decoded. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(request.url.split('?')[1] ?? '');
}

/**
 * A caller who may change resources, by a request whose answer can be written in the form it asks for: what is wrong
 * with that is said before anything is changed. @throws RecordError 401, 403, 404, 405, 406
 */
export async function writer(parts: FhirParts, request: FastifyRequest, action: string): Promise<Caller> {
  const who = await parts.authenticator.caller(request, action);
  answerForm(request);
  const { type, id } = request.params as Partial<Params>;
  if ((type !== undefined && !isResourceType(type)) || /^[$_]/.test(id ?? ''))
    throw parts.addresses.refusal(request.method, request.url);
  checkMayChange(who, type);
  return who;
}

/** @throws RecordError 403 where a caller may not change resources of a type, or any where none is named */
export function checkMayChange(who: Caller, type?: string): void {
  const refused = refusedChange(who, type);
  if (refused !== undefined) throw new RecordError(403, 'forbidden', refused);
}

/** Records an access that changed nothing; resolves once it is on disk. */
export function recordAccess(
  parts: FhirParts,
  who: Caller,
  action: string,
  what: string,
  status: number,
  patients: Iterable<string> = [],
): Promise<void> {
  return parts.accessLog.record(who, { action, what: what.slice(0, 500), status, patients: [...patients] });
}

/** The record of the access that a change is, for its transaction. */
export function auditOf(access: Caller, action: string, what: string): Audit<Written> {
  return ({ status, text }) => ({
    access,
    entry: { action, what: what.slice(0, 500), status, patients: patientsIn(text) },
  });
}

/** The format that a body is said to have; undefined where nothing is said. @throws RecordError 415 */
export function bodyFormat(request: FastifyRequest): 'json' | 'xml' | undefined {
  const header = request.headers['content-type'];
  const format = header === undefined ? undefined : formatOf(mediaTypeOf(header));
  if (header !== undefined && (format === undefined || !isRightVersion(header))) {
    const text =
      'The body has a format this server does not read; send application/fhir+json or application/fhir+xml, FHIR version 4.0, in UTF-8.';
    throw new RecordError(415, 'not-supported', text);
  }
  return format;
}

/** The record of the access that a deletion is. @param named the resource, where it is not there or was deleted before */
export function removalAudit(access: Caller, action: string, what: string, named: string): Audit<Removal | undefined> {
  const audit = auditOf(access, action, what);
  return (removed) => audit({ status: 204, text: removed?.text ?? named });
}

/** The record of the access that a deletion of all that a search found is. */
export function removalsAudit(access: Caller, action: string, what: string): Audit<readonly { text: string }[]> {
  const audit = auditOf(access, action, what);
  return (removed) => {
    const note = audit({ status: 204, text: '' });
    note.entry.patients = patientsInAll(removed.map(({ text }) => text));
    return note;
  };
}

/** The texts of bodies that were read, and converted, before (`large-bodies.ts`). */
export const readBefore = new WeakMap<FastifyRequest, string>();

/** The body as FHIR JSON, whichever format it came in. @throws RecordError 400, 415 */
export function bodyText(request: FastifyRequest): string {
  const body = request.body as Buffer | undefined;
  const format = bodyFormat(request);
  if (!body || body.length === 0) {
    throw new RecordError(400, 'required', 'The request has no body; send a resource as application/fhir+json.');
  }
  return readBefore.get(request) ?? jsonText(body, format).text;
}
