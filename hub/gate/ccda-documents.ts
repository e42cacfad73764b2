/**
 * C-CDA documents of a person's record, made when they are read: a Continuity of Care Document, or the Discharge Summary of
 * a stay; and the Referral Note of a request, made when it is sent. One that is read is a Binary whose id says of what it is, so that nothing is stored and each reading tells of the
 * record as it is then.
 */
import type { DateRange } from '@causeway/fhir';
import type { CcdaOptions } from '@causeway/mapping/outbound';
import type { Encounter, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { type FhirRecord, logicalId, newId, RecordError, ridOf } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { FhirParts } from './fhir-exchange.ts';
import { Turns } from './turns.ts';

/** What a document is of. Days are `YYYY-MM-DD`. */
export type DocumentSubject =
  | { kind: 'ccd'; patient: string; start: string | undefined; end: string | undefined }
  | { kind: 'discharge-summary'; encounter: string };

/** What a document may be written of: beside those that are read by an id of their own, a referral. */
export type WrittenSubject = DocumentSubject | { kind: 'referral-note'; request: string };

export interface WrittenDocument {
  xml: string;
  /** The id of the Patient it is of. */
  patient: string;
}

/** Its id and time, and which version it is where there may be several. */
export type WrittenAs = Pick<CcdaOptions, 'id' | 'time' | 'version'>;

const hub: Pick<CcdaOptions, 'custodian' | 'software'> = {
  custodian: { resourceType: 'Organization', id: 'causeway', name: 'Causeway' },
  software: { manufacturer: 'Causeway', name: 'Causeway' },
};

/** A document tells of so many resources at most, so that memory stays bounded. */
const mostResources = 10_000;
const mostCharacters = 32 * 1024 * 1024;
const pageSize = 5_000;
const atOnce = new Turns(1);

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const idForm = new RegExp(`^(?:ccd\\.(${uuid})(?:\\.(\\d{8}|-)\\.(\\d{8}|-))?|discharge\\.(${uuid}))$`);

/** The id of the Binary that a document is. */
export function documentId(subject: DocumentSubject): string {
  if (subject.kind === 'discharge-summary') return `discharge.${ridOf(subject.encounter)}`;
  const { patient, start, end } = subject;
  const day = (text: string | undefined) => text?.replaceAll('-', '') ?? '-';
  return `ccd.${ridOf(patient)}${start || end ? `.${day(start)}.${day(end)}` : ''}`;
}

/** What the document of an id is of; undefined for the id of any other Binary. */
export function documentOf(id: string): DocumentSubject | undefined {
  const [, patient, start, end, encounter] = idForm.exec(id) ?? [];
  if (encounter !== undefined) return { kind: 'discharge-summary', encounter };
  if (patient === undefined) return undefined;
  const day = (digits: string | undefined) =>
    digits === undefined || digits === '-' ? undefined : digits.replace(/^(....)(..)(..)$/, '$1-$2-$3');
  return { kind: 'ccd', patient, start: day(start), end: day(end) };
}

/**
 * Writes a document of what an access may read.
 * @param as its id and time; of a document that is handed out again, those that it had
 * @throws RecordError 404 where there is nobody, or no stay; 422 where the record is larger than a document may be
 */
export function writeDocument(
  { record, writeCcda }: Pick<FhirParts, 'record' | 'writeCcda'>,
  access: Access,
  subject: WrittenSubject,
  as: WrittenAs = { id: newId(), time: new Date().toISOString() },
): Promise<WrittenDocument> {
  return atOnce.take(1, async () => {
    const stay =
      subject.kind === 'discharge-summary'
        ? await read<Encounter>(record, access, 'Encounter', subject.encounter)
        : undefined;
    const request =
      subject.kind === 'referral-note'
        ? await read<ServiceRequest>(record, access, 'ServiceRequest', subject.request)
        : undefined;
    const patient = subject.kind === 'ccd' ? subject.patient : patientOf((stay ?? request)!);
    const care = subject.kind === 'ccd' ? careOf(subject) : undefined;
    const texts = await recordOf(record, access, patient, care);
    // What writes documents is large: a hub that is asked for none does without it.
    const xml = await writeCcda(texts, {
      kind: subject.kind,
      ...as,
      ...hub,
      ...(stay ? { encounter: `Encounter/${stay.id}` } : {}),
      ...(request ? { request: `ServiceRequest/${request.id}` } : {}),
    });
    return { xml, patient: logicalId(texts[0]!) };
  });
}

/**
 * The version of a document by which what an earlier one told is withdrawn: nothing of the record but whose it was.
 * @param why in a sentence
 */
export function writeWithdrawal(
  writeCcda: FhirParts['writeCcda'],
  patient: Patient,
  kind: WrittenSubject['kind'],
  as: WrittenAs,
  why: string,
): Promise<string> {
  return writeCcda([JSON.stringify(patient)], { kind, ...as, ...hub, withdrawn: why });
}

/** The time of care that days stand for. @throws RecordError 400 where there is no such day */
function careOf({ start, end }: { start: string | undefined; end: string | undefined }): DateRange | undefined {
  if (start === undefined && end === undefined) return undefined;
  const low = start === undefined ? Number.NEGATIVE_INFINITY : Date.parse(`${start}T00:00:00Z`);
  const high = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(`${end}T00:00:00Z`) + 24 * 3_600_000;
  if (low < high) return { low, high };
  throw new RecordError(400, 'value', 'The days of the document are none, or the first lies after the last.', 'id');
}

async function read<T>(record: FhirRecord, access: Access, type: string, id: string): Promise<T> {
  return JSON.parse((await record.read(access, type, id)).text) as T;
}

function patientOf({ resourceType, subject }: Encounter | ServiceRequest): string {
  const id = /^Patient\/(.+)$/.exec(subject?.reference ?? '')?.[1];
  if (id !== undefined) return id;
  throw new RecordError(404, 'not-found', `The ${resourceType} is of no Patient, so there is no document of it.`);
}

/** The texts of the person's record, the Patient first, by the one way in which everything of a person is read. */
async function recordOf(
  record: FhirRecord,
  access: Access,
  patient: string,
  care: DateRange | undefined,
): Promise<string[]> {
  const found = new Map<string, string>();
  let characters = 0;
  let cursor: string | undefined;
  do {
    const asked = { count: pageSize, cursor, types: undefined, since: undefined, care };
    const { matches, included, next } = await record.everything(access, patient, asked);
    for (const { type, rid, text } of [...matches, ...included]) {
      if (type === 'Binary' || found.has(`${type}/${rid}`)) continue;
      characters += text.length;
      if (found.size >= mostResources || characters > mostCharacters) throw tooLarge();
      found.set(`${type}/${rid}`, text);
    }
    cursor = next;
  } while (cursor !== undefined);
  const [first] = found.keys();
  if (first?.startsWith('Patient/')) return [...found.values()];
  throw new RecordError(404, 'not-found', 'There is no Patient of this id.');
}

function tooLarge(): RecordError {
  return new RecordError(
    422,
    'too-costly',
    `A document tells of ${mostResources} resources or ${mostCharacters / 1024 / 1024} MB of them at most; ask DocumentReference/$docref for care between two days (start, end).`,
  );
}
