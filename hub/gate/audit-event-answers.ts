/**
 * AuditEvents of the audit log for those who may read it: patients and those who act for them, of their own; privacy
 * officers, auditors and administrators. Others find the AuditEvents that are stored in the record, like any other resource.
 */

import { confinedReader, findEvents, type Reader, readEvent, readEventSearch, subjectsOf } from '../accesses/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import { type FhirRecord, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, type TextParts } from './fhir-answers.ts';
import { type AnswerForm, plainForm } from './fhir-format.ts';
import { shaped } from './fhir-send.ts';

export interface AuditEventParts {
  audit: AuditLog;
  database: Database;
  record: FhirRecord;
}

const readers = ['patient', 'proxy', 'privacy-officer', 'auditor', 'administrator'];

/** What of the log a caller may read; undefined where nothing. */
export async function logReader(
  parts: AuditEventParts,
  { role, limits, homes }: Caller,
  base: string,
): Promise<Reader | undefined> {
  const isOfType = limits.types === 'all' || limits.types.includes('AuditEvent');
  if (!readers.includes(role) || !isOfType) return undefined;
  return homes === 'all' ? { patients: undefined, base } : confinedReader(parts, homes, base);
}

/** An AuditEvent of the log as text, and whose it is. @throws RecordError 404 */
export async function readAuditEvent(
  { audit }: AuditEventParts,
  reader: Reader,
  id: string,
): Promise<{ text: string; patients: string[] }> {
  const event = await readEvent(audit, reader, id);
  if (!event) throw new RecordError(404, 'not-found', 'There is no AuditEvent of this id.');
  return { text: JSON.stringify(event), patients: patientsOf([event]) };
}

/** The answer to a search for AuditEvents, and whose they are. @param path where it was made, below the base */
export async function searchAuditEvents(
  parts: AuditEventParts,
  reader: Reader,
  parameters: URLSearchParams,
  { isLenient, form, path }: { isLenient: boolean; form: AnswerForm; path: string },
): Promise<{ text: TextParts; patients: string[] }> {
  const meant = async (patients: readonly string[]) => {
    const homes = [...(await parts.record.homesOf(patients)).values()].flat();
    return subjectsOf(parts, [...new Set(homes)]);
  };
  const search = await readEventSearch(parameters, isLenient, reader, meant);
  const { events, total, next } = await findEvents(parts.audit, reader, search);
  const address = `${reader.base}/${path}`;
  const links = [['self', `${address}?${parameters}`]];
  if (next !== undefined) {
    const query = new URLSearchParams(parameters);
    query.set('_cursor', next);
    links.push(['next', `${address}?${query}`]);
  }
  const part: AnswerForm = { ...plainForm, subset: form.subset };
  const entries = events.map((event) => {
    const text = form.subset ? shaped(JSON.stringify(event), part) : JSON.stringify(event);
    return `{"fullUrl":"${reader.base}/AuditEvent/${event.id}","resource":${text},"search":{"mode":"match"}}`;
  });
  return { text: bundle('searchset', links, entries, total), patients: patientsOf(events) };
}

type Entities = readonly { entity?: { what?: { reference?: string } }[] }[];

function patientsOf(events: Entities): string[] {
  const ids = events.flatMap(({ entity = [] }) =>
    entity.flatMap(({ what }) => /^Patient\/(.+)$/.exec(what?.reference ?? '')?.[1] ?? []),
  );
  return [...new Set(ids)];
}
