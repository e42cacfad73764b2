/**
 * Who somebody is: Q22 (find candidates; IHE ITI TF-2, section 3.21, PDQ) and, for one record number, the older A19 (patient
 * query). The rest of an answer that is limited (RCP-2) is asked for by its pointer (DSC).
 */
import type { Condition } from '@causeway/hl7v2';
import { personSegments } from '@causeway/mapping';
import type { Patient } from '@medplum/fhirtypes';
import { byIdentifier, type Criteria, readCriteria } from './criteria.ts';
import { type Domain, isOf } from './domains.ts';
import { findPersons, searched } from './persons.ts';
import { limitOf, QueryError, type QueryReply, type Question, wrongIn } from './query.ts';

/** People in one answer. */
const mostPersons = 100;
/** People whom one query may find, part after part. */
const mostFound = 500;

/** Answers a Q22. @throws QueryError */
export async function findCandidates(question: Question): Promise<QueryReply> {
  const { message, record, access, source, domains, continuations } = question;
  const criteria = readCriteria(message, domains);
  const wanted = wantedDomains(question, 8);
  const limit = limitOf(message);
  const query = { source, tag: message.get('QPD-2')!, asked: message.segment('QPD')!.raw };
  const pointer = message.get('DSC-1');
  const cursor = pointer === undefined ? undefined : await continuations.find(pointer, query);
  if (pointer !== undefined && cursor === undefined) {
    const reason = 'The continuation pointer is not one of this query, or not any more: ask anew';
    throw new QueryError({ errorCode: '204', message: reason, segment: 'DSC', occurrence: 1, field: 1 });
  }
  if (cursor === undefined) await refuseMany(question, criteria);
  const page = Math.min(limit ?? mostPersons, mostPersons);
  const { patients, next } = await findPersons(record, access, criteria, page, cursor);
  if (next !== undefined && limit === undefined) {
    throw wrongIn(3, '199', `More than ${mostPersons} people fit: say more, or take the answer in parts (RCP-2)`);
  }
  const told = patients.flatMap((patient) => tellable(question, patient, wanted));
  return {
    status: told.length > 0 || next !== undefined ? 'OK' : 'NF',
    hits: cursor === undefined && next === undefined ? told.length : undefined,
    segments: told.flatMap((patient, i) => personSegments(patient, [], i + 1)),
    pointer: next === undefined ? undefined : await continuations.keep(query, next),
    patients: told.map(({ id }) => id!),
  };
}

/** Answers an A19: QRD-8 names one patient by record number. @throws QueryError */
export async function findPatient(question: Question): Promise<QueryReply> {
  const { message, record, access, domains } = question;
  const at = { segment: 'QRD', occurrence: 1, field: 8 };
  const who = message.segment('QRD')?.field(8).repetitions ?? [];
  const number = who[0]?.component(1).text.trim();
  if (!number || who.length > 1) {
    throw new QueryError({ ...at, errorCode: '101', message: 'QRD-8 has to name one patient by record number' });
  }
  const authority = who[0]!.component(9);
  const domain = authority.isEmpty ? domains.own() : (domains.find(authority) ?? domains.unregistered(authority));
  if (!domain) {
    throw new QueryError({ ...at, errorCode: '204', message: 'The authority of the number is not known here' });
  }
  const { patients, next } = await findPersons(record, access, byIdentifier(domain, number), 2);
  if (patients.length > 1 || next !== undefined) {
    throw new QueryError({ ...at, errorCode: '205', message: 'The number is one of several people' });
  }
  const told = patients.flatMap((patient) => tellable(question, patient, undefined));
  return {
    status: told.length > 0 ? 'OK' : 'NF',
    segments: told.flatMap((patient, i) => personSegments(patient, [], i + 1)),
    patients: told.map(({ id }) => id!),
  };
}

/**
 * The domains that identifiers are wanted of; undefined where of all.
 * @param field the field of QPD that names them
 * @throws QueryError for those that are not known, by their place
 */
export function wantedDomains({ message, domains }: Question, field: number): Domain[] | undefined {
  const said = message.segment('QPD')!.field(field).repetitions;
  if (said.every(({ isEmpty }) => isEmpty)) return undefined;
  const unknown: Condition[] = [];
  const known = said.flatMap((one, i) => {
    const domain = domains.find(one.component(4));
    if (domain) return domain;
    const reason = 'The domain is not known here, or several are called so';
    unknown.push({ errorCode: '204', message: reason, segment: 'QPD', occurrence: 1, field, repetition: i + 1 });
    return [];
  });
  if (unknown.length > 0) throw new QueryError(...unknown);
  return known;
}

/** The person with the identifiers that are wanted, named as the asker knows their authorities; none without one of them. */
function tellable({ domains }: Question, patient: Patient, wanted: Domain[] | undefined): Patient[] {
  const identifier = (patient.identifier ?? [])
    .filter((one) => wanted === undefined || isOf(one, wanted))
    .map((one) => domains.named(one));
  return identifier.length === 0 && wanted !== undefined ? [] : [{ ...patient, identifier }];
}

/** @throws QueryError where a query would go through a good part of the record */
async function refuseMany({ record, access }: Question, { parameters }: Criteria): Promise<void> {
  const counting: [string, string][] = [...parameters, ['_summary', 'count'], ['_total', 'estimate']];
  const { total = 0 } = await searched(record, access, counting);
  if (total > mostFound) throw wrongIn(3, '199', `More than ${mostFound} people may fit: say more of who it is`);
}
