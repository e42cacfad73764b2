/**
 * Carries out a submission of documents. A C-CDA of somebody who may send messages goes through the inbox: the original is
 * kept, its facts come into the record, and its DocumentReference is the one that the conversion makes, with the metadata of
 * the submission. Any other document is a Binary that is its patient's.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseCdaHead, type XmlElement } from '@causeway/ccda';
import { compare, demographicsOf, prepare } from '@causeway/matching';
import type { DocumentReference, Patient, Reference } from '@medplum/fhirtypes';
import type { FastifyRequest } from 'fastify';
import type { Received, Receiver } from '../inbox/index.ts';
import {
  type BundleExchange,
  type EntryOutcome,
  logicalId,
  RecordError,
  type StoredResource,
} from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptCcda } from './accept.ts';
import type { Caller } from './authenticate.ts';
import { originalId } from './document-addresses.ts';
import { baseUrl } from './fhir-exchange.ts';
import { refusedEntry } from './granted.ts';
import { senders } from './inbox-routes.ts';
import { masterId, measured, type Submission, type SubmittedDocument, type SubmittedEntry } from './mhd-submission.ts';
import type { OriginalParts } from './original-documents.ts';
import type { Sending } from './sending.ts';

export interface PublishParts extends OriginalParts {
  receiver: Receiver;
  sending: Sending;
  participants: Participants;
}

/** How long a document may take to be converted before it is answered without. */
const conversionMs = 20_000;

/** The person that all of a submission is of. */
interface Subject {
  /** As the entries will say it: of this server, or the name of an entry. */
  reference: string;
  patient: Patient;
}

/** A document as it is stored: what the entries of its DocumentReference and Binary become. */
interface Stored {
  document: SubmittedDocument;
  /** The message that it came into the inbox as. */
  message: string | undefined;
  /** The DocumentReference that its conversion made. */
  converted: DocumentReference | undefined;
}

/**
 * @param inTurn does what takes memory when there is room for it; a submission waits outside until its documents are converted
 * @returns for each entry of the submission what became of it
 * @throws RecordError 409, 422 where the submission cannot be taken; 403 where the caller may not
 */
export async function publish(
  parts: PublishParts,
  request: FastifyRequest,
  who: Caller,
  submission: Submission,
  exchange: BundleExchange,
  inTurn: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
): Promise<EntryOutcome[]> {
  for (const entry of submission.entries) {
    const refused = refusedEntry(who, entry);
    if (refused) throw refused;
  }
  const base = baseUrl(request);
  const subject = await subjectOf(parts, who, submission, base);
  const stored: Stored[] = [];
  const received: (Received | undefined)[] = [];
  for (const document of submission.documents) received.push(await judge(parts, who, document, subject));
  const superseded = await replacedBy(parts, who, submission);
  for (const [i, document] of submission.documents.entries()) {
    const message = received[i] && (await parts.receiver.receive(received[i])).id;
    stored.push({ document, message, converted: undefined });
  }
  for (const one of stored) if (one.message) one.converted = await conversionOf(parts, who, one.message);
  const { entries, places } = rewritten(submission, subject, stored, superseded, base);
  const text = bundleText(entries);
  const { outcomes } = await inTurn(() => parts.record.bundle(who, text, { ...exchange, refused: () => undefined }));
  return submission.entries.map((_, at) => {
    const place = places.get(at);
    if (place === undefined) return originalOutcome(stored.find(({ document }) => document.binaryAt === at)!.message!);
    const outcome = outcomes[place]!;
    return stored.some(({ document }) => document.at === at) ? created(outcome) : outcome;
  });
}

/** @throws RecordError 422 where there is no such Patient, or several are named */
async function subjectOf(parts: PublishParts, who: Caller, submission: Submission, base: string): Promise<Subject> {
  const said = [submission.submissionSet.subject, ...submission.documents.map(({ reference }) => reference.subject)];
  const subjects = await Promise.all(said.map((one) => patientOf(parts, who, submission.entries, one ?? {}, base)));
  const [subject] = subjects as [Subject];
  if (subjects.some(({ reference }) => reference !== subject.reference)) {
    throw wrong('XDSPatientIdDoesNotMatch', 'All of a submission is of one patient.', 'subject');
  }
  return subject;
}

async function patientOf(
  { record }: PublishParts,
  who: Caller,
  entries: readonly SubmittedEntry[],
  { reference, identifier }: Reference,
  base: string,
): Promise<Subject> {
  const unknown = wrong('XDSUnknownPatientId', 'The subject is no Patient that is known here.', 'subject');
  const beside = entries.find(({ fullUrl }) => fullUrl !== undefined && fullUrl === reference);
  if (beside?.resource) return { reference: reference!, patient: beside.resource.value as Patient };
  const local = beside?.url ?? (reference?.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference);
  if (local === undefined) {
    const { system, value } = identifier ?? {};
    if (system === undefined || value === undefined) throw unknown;
    const asked = `${escaped(system)}|${escaped(value)}`;
    const { matches } = await record.search(who, record.readSearch('Patient', [['identifier', asked]], false));
    if (matches.length !== 1) throw unknown;
    return { reference: `Patient/${logicalId(matches[0]!.text)}`, patient: JSON.parse(matches[0]!.text) };
  }
  const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(local)?.[1];
  if (id === undefined) throw unknown;
  try {
    return { reference: `Patient/${id}`, patient: JSON.parse((await record.read(who, 'Patient', id)).text) };
  } catch (error) {
    if (error instanceof RecordError && (error.status === 404 || error.status === 410)) throw unknown;
    throw error;
  }
}

/**
 * What goes through the inbox of a document, if anything does.
 * @throws RecordError 409 for one that is there already, 422 for one of somebody else, or that cannot be read
 */
async function judge(
  parts: PublishParts,
  who: Caller,
  { reference, bytes }: SubmittedDocument,
  { patient }: Subject,
): Promise<Received | undefined> {
  await refuseTwice(parts, who, reference);
  if (!bytes || !senders.includes(who.role) || !bytes.subarray(0, 4_096).includes('ClinicalDocument')) return undefined;
  const source = who.site ?? (who.client === undefined ? undefined : who.organization);
  const accepted = acceptCcda(bytes, source, parts.participants);
  if (typeof accepted === 'string') throw wrong('InvalidDocumentContent', accepted, 'content');
  const parsed = parseCdaHead(bytes);
  const target = parsed.ok ? parsed.document.header?.recordTargets[0] : undefined;
  const described = target && describedIn(target);
  if (
    described &&
    compare(prepare(demographicsOf(described)), prepare(demographicsOf(patient))).outcome === 'different'
  ) {
    throw wrong('XDSPatientIdDoesNotMatch', 'The document is of another person than the subject.', 'subject');
  }
  const judged = await parts.sending.judged(accepted);
  if (judged.refused !== undefined) throw new RecordError(403, 'forbidden', judged.refused);
  return judged;
}

/** @throws RecordError 409 where a document of the same masterIdentifier was submitted before */
async function refuseTwice({ record }: PublishParts, who: Caller, reference: DocumentReference): Promise<void> {
  const [system, value] = masterId(reference).split('|') as [string, string];
  const asked: [string, string][] = [['identifier', `${escaped(system)}|${escaped(value)}`]];
  const { matches } = await record.search(who, record.readSearch('DocumentReference', asked, false));
  const isSubmitted = ({ text }: StoredResource) => {
    const known = JSON.parse(text) as DocumentReference;
    return masterId(known) === masterId(reference) && known.content?.[0]?.attachment?.hash !== undefined;
  };
  if (!matches.some(isSubmitted)) return;
  const text = 'XDSDuplicateUniqueIdInRegistry: A document of this masterIdentifier was submitted before.';
  throw new RecordError(409, 'duplicate', text, 'DocumentReference.masterIdentifier');
}

/** Who a C-CDA says it is of. */
function describedIn(target: XmlElement): Patient {
  const role = target.child('patientRole');
  const person = role?.child('patient');
  const name = person?.child('name');
  const digits = person?.child('birthTime')?.attr('value') ?? '';
  const [, year, month, day] = /^(\d{4})(\d\d)?(\d\d)?/.exec(digits) ?? [];
  const sex = person?.child('administrativeGenderCode')?.attr('code');
  return {
    resourceType: 'Patient',
    name: [{ family: name?.child('family')?.text ?? '', given: name?.all('given').map(({ text }) => text) ?? [] }],
    ...(year ? { birthDate: [year, month, day].filter((part) => part !== undefined).join('-') } : {}),
    ...(sex === 'F' || sex === 'M' ? { gender: sex === 'F' ? 'female' : 'male' } : {}),
  };
}

/** The DocumentReferences that documents of a submission replace, where no entry of it says so. @throws RecordError 422 */
async function replacedBy({ record }: PublishParts, who: Caller, submission: Submission): Promise<string[]> {
  const patched = new Set(submission.entries.filter(({ method }) => method === 'PATCH').map(({ url }) => url));
  const found: string[] = [];
  for (const { reference } of submission.documents) {
    for (const { code, target } of reference.relatesTo ?? []) {
      const local = /(?:^|\/)(DocumentReference\/[A-Za-z0-9\-.]{1,64})$/.exec(target.reference ?? '')?.[1];
      if (local === undefined || submission.entries.some(({ fullUrl }) => fullUrl === target.reference)) continue;
      try {
        await record.read(who, 'DocumentReference', local.slice('DocumentReference/'.length));
      } catch (error) {
        if (!(error instanceof RecordError) || error.status === 403) throw error;
        throw wrong('UnresolvedReferenceException', 'What relatesTo names is not there.', 'relatesTo');
      }
      if (code === 'replaces' && !patched.has(local)) found.push(local);
    }
  }
  return [...new Set(found)];
}

/** What conversion made of a document, once it has; undefined where it takes long, failed, or is hidden from the caller. */
async function conversionOf(
  { messages, record }: PublishParts,
  who: Caller,
  message: string,
): Promise<DocumentReference | undefined> {
  const end = Date.now() + conversionMs;
  while (!(await messages.isProcessed(message))) {
    if (Date.now() > end) return undefined;
    await delay(15);
  }
  const url = `urn:causeway:message:${message}`;
  const asked: [string, string][] = [['location', `${url},${url}#nonXMLBody`]];
  const { matches } = await record.search(who, record.readSearch('DocumentReference', asked, false));
  return matches[0] && (JSON.parse(matches[0].text) as DocumentReference);
}

/** The entries as they are carried out, and where each that was sent is among them. */
function rewritten(
  { entries: sent, submissionSetAt, submissionSet }: Submission,
  subject: Subject,
  stored: readonly Stored[],
  superseded: readonly string[],
  base: string,
): {
  entries: { fullUrl?: string | undefined; request: object; text: string | undefined }[];
  places: Map<number, number>;
} {
  const entries: { fullUrl?: string | undefined; request: object; text: string | undefined }[] = [];
  const places = new Map<number, number>();
  const add = (at: number, one: (typeof entries)[number]) => places.set(at, entries.push(one) - 1);
  for (const [at, { fullUrl, request, resource }] of sent.entries()) {
    const one = stored.find(({ document }) => document.at === at || document.binaryAt === at);
    if (at === submissionSetAt) {
      const list = { ...submissionSet, subject: { ...submissionSet.subject, reference: subject.reference } };
      add(at, { fullUrl, request, text: JSON.stringify(list) });
    } else if (one && at === one.document.at) {
      add(at, { fullUrl, ...referenceEntry(one, subject, request, base) });
    } else if (one) {
      if (one.message !== undefined) continue;
      const binary = { ...resource!.value, securityContext: { reference: subject.reference } };
      add(at, { fullUrl, request, text: JSON.stringify(binary) });
    } else {
      add(at, { fullUrl, request, text: resource?.text });
    }
  }
  for (const url of superseded) entries.push({ request: { method: 'PATCH', url }, text: superseding });
  return { entries, places };
}

function referenceEntry(
  { document: { reference, bytes, binaryAt }, message, converted }: Stored,
  subject: Subject,
  request: object,
  base: string,
): { request: object; text: string } {
  const [content] = reference.content!;
  const attachment = {
    ...content!.attachment,
    ...(bytes ? measured(bytes) : {}),
    ...(message === undefined ? {} : { url: `urn:causeway:message:${message}` }),
  };
  const isOwn = binaryAt === undefined && attachment.url?.startsWith(`${base}/`);
  const resource: DocumentReference = {
    ...reference,
    subject: { ...reference.subject, reference: subject.reference },
    content: [{ ...content!, attachment: isOwn ? content!.attachment! : attachment }],
  };
  if (!converted) return { request, text: JSON.stringify(resource) };
  // Conversion knows whose source patient it is, and labels what it makes: its DocumentReference takes the metadata up.
  const next = { ...resource, id: converted.id!, subject: converted.subject };
  const own = converted.masterIdentifier ? [converted.masterIdentifier] : [];
  const identifier = [...(reference.identifier ?? []), ...own, ...(converted.identifier ?? [])];
  return {
    request: { method: 'PUT', url: `DocumentReference/${converted.id}` },
    text: JSON.stringify({ ...next, ...(identifier.length > 0 ? { identifier } : {}) }),
  };
}

const superseding = JSON.stringify({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'DocumentReference.status' },
        { name: 'value', valueCode: 'superseded' },
      ],
    },
  ],
});

function bundleText(
  entries: readonly { fullUrl?: string | undefined; request: object; text: string | undefined }[],
): string {
  const texts = entries.map(({ fullUrl, request, text }) => {
    const frame = JSON.stringify({ ...(fullUrl === undefined ? {} : { fullUrl }), request });
    return text === undefined ? frame : `${frame.slice(0, -1)},"resource":${text}}`;
  });
  return `{"resourceType":"Bundle","type":"transaction","entry":[${texts.join(',')}]}`;
}

function originalOutcome(message: string): EntryOutcome {
  return { status: 201, location: `Binary/${originalId(message)}` };
}

/** A DocumentReference that conversion made first was created by the submission all the same. */
function created(outcome: EntryOutcome): EntryOutcome {
  const { location, etag, lastModified, stored } = outcome;
  return {
    status: 201,
    location,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(stored === undefined ? {} : { stored }),
  };
}

function wrong(code: string, text: string, element: string): RecordError {
  return new RecordError(422, 'business-rule', `${code}: ${text}`, `DocumentReference.${element}`);
}

function escaped(value: string): string {
  return value.replace(/[\\,$|]/g, '\\$&');
}
