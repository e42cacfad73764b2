/**
 * Answers queries of HL7 v2: read under the access of the participant that asks, recorded in the record of accesses before
 * the answer may leave.
 */
import {
  type Acknowledgement,
  type Condition,
  type Message,
  type ResponseSegment,
  respond,
  type Segment,
} from '@causeway/hl7v2';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultText } from '../faults.ts';
import type { PersonIndex } from '../identity/index.ts';
import { type FhirRecord, newId, RecordError } from '../record/index.ts';
import {
  type Access,
  type AccessLog,
  type NetworkPolicy,
  type Participants,
  PolicyUnreadable,
} from '../trust/index.ts';
import { Continuations } from './continuations.ts';
import { findCandidates, findPatient } from './demographics.ts';
import { Domains } from './domains.ts';
import { correspondingIdentifiers } from './identifiers.ts';
import { immunizationHistory } from './immunizations.ts';
import { QueryError, type QueryKind, type QueryReply, type Question } from './query.ts';
import { vaccinationRecord } from './vaccination-record.ts';

export interface ResponderParts {
  /** Under row security: each read has the scope of its access. */
  record: FhirRecord;
  persons: PersonIndex;
  database: Database;
  participants: Participants;
  policy: NetworkPolicy;
  accessLog: AccessLog;
  log: Logger;
}

/** A query as the gate took it. */
export interface TakenQuery {
  message: Message;
  kind: QueryKind;
  /** The participant's key. */
  source: string;
  /** Whose token the query came with. */
  caller?: Access | undefined;
  /** MSA-4. */
  expectedSequenceNumber?: number | undefined;
}

/** How long an answer may take. */
const answerMs = 20_000;
/** Segments of a query are repeated in its answer: so much of them at most. */
const mostAsked = 16_384;
const recordedAsked = 400;

export class QueryResponder {
  readonly #parts: ResponderParts;
  readonly #continuations: Continuations;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
    this.#continuations = new Continuations(parts.database);
  }

  /** The answer to a query; what it gives out is recorded. Never rejects. */
  async answer(query: TakenQuery): Promise<Acknowledgement> {
    await this.#parts.policy.fresh();
    const access = this.#accessOf(query);
    let reply: QueryReply;
    try {
      reply = await inTime(this.#reply(query, access));
    } catch (error) {
      reply = failed('AE', conditionsOf(error));
      if (!(error instanceof QueryError || error instanceof RecordError)) {
        this.#parts.log.error({ error: faultText(error) }, 'a query could not be answered');
      }
    }
    return this.#recorded(query, access, reply, statusOf(reply));
  }

  /** The answer to a query that its sender may not ask. Never rejects. */
  refuse(query: TakenQuery, reason: string): Promise<Acknowledgement> {
    const reply = failed('AR', [{ errorCode: '199', message: reason }]);
    return this.#recorded(query, this.#accessOf(query), reply, 403);
  }

  /** Whoever brings the query, it is read as by the participant; both are recorded. */
  #accessOf({ source, caller }: TakenQuery): Access {
    const access = this.#parts.policy.participantAccess(this.#parts.participants.byKey(source), 'query');
    return caller ? { ...access, who: caller.who, name: caller.name, role: caller.role } : access;
  }

  async #reply({ message, source, kind }: TakenQuery, access: Access): Promise<QueryReply> {
    checkForm(message, kind);
    if (!this.#parts.policy.isReadable) throw new RecordError(503, 'transient', new PolicyUnreadable().message);
    if (access.refused !== undefined) throw new RecordError(403, 'forbidden', access.refused);
    const domains = new Domains(this.#parts.participants.all(), source);
    const { record, persons } = this.#parts;
    const question: Question = {
      message,
      access,
      source,
      record,
      persons,
      domains,
      continuations: this.#continuations,
    };
    switch (kind.answer[1]) {
      case 'K22':
        return findCandidates(question);
      case 'K23':
        return correspondingIdentifiers(question);
      case 'K11':
        return immunizationHistory(question);
      case 'A19':
        return findPatient(question);
      case 'Q02':
        return vaccinationRecord(question);
      default:
        await this.#continuations.cancel(source, message.get('QID-1') ?? '');
        return { status: 'OK', segments: [], patients: [] };
    }
  }

  async #recorded(query: TakenQuery, access: Access, reply: QueryReply, status: number): Promise<Acknowledgement> {
    const { message } = query;
    const said = asked(query).map(({ raw }) => raw.toWellFormed());
    const what = `${message.type.code}^${message.type.event} ${said.join(' ').slice(0, recordedAsked)}`;
    try {
      await this.#parts.accessLog.record(access, { action: 'query', what, status, patients: reply.patients });
      return composed(query, reply);
    } catch (error) {
      this.#parts.log.error({ error: faultText(error) }, 'a query was not answered');
      return composed(query, failed('AE', [unavailable]));
    }
  }
}

const unavailable: Condition = { errorCode: '207', message: 'The hub could not answer the query; ask again' };

/** @throws QueryError where the query is not of its form */
function checkForm(message: Message, { segment: name }: QueryKind): void {
  const segment = message.segment(name);
  if (segment === undefined) {
    throw new QueryError({ errorCode: '100', message: `The query has no ${name}`, segment: name });
  }
  const at = { segment: name, occurrence: 1 };
  if (segment.raw.length > mostAsked)
    throw new QueryError({ ...at, errorCode: '104', message: 'The query is too long' });
  const tag = { QPD: 2, QRD: 4, QID: 1 }[name];
  if (name !== 'QRD' && message.get(`${name}-${tag}`) === undefined) {
    throw new QueryError({
      ...at,
      errorCode: '101',
      message: `${name}-${tag} is empty: the query needs a tag`,
      field: tag,
    });
  }
  const [priority, field] = name === 'QRD' ? (['QRD', 3] as const) : (['RCP', 1] as const);
  if (!['I', undefined].includes(message.get(`${priority}-${field}`))) {
    const reason = 'Queries are answered at once (I) only';
    throw new QueryError({ errorCode: '103', message: reason, segment: priority, occurrence: 1, field });
  }
}

function composed(query: TakenQuery, reply: QueryReply): Acknowledgement {
  const { message, kind, expectedSequenceNumber } = query;
  const { status, profile, conditions, type = kind.answer } = reply;
  const [code] = type;
  const segments: ResponseSegment[] = [];
  // By chapter: VXR and VXX have no QAK, QCK nothing beside it.
  if (['RSP', 'ADR', 'QCK'].includes(code)) segments.push(queryStatus(message, reply));
  if (['RSP', 'ADR', 'VXR', 'VXX'].includes(code)) segments.push(...asked(query));
  segments.push(...reply.segments);
  if (reply.pointer !== undefined) segments.push({ name: 'DSC', values: { 1: reply.pointer, 2: 'I' } });
  return respond(message, {
    outcome: status === 'AE' ? 'error' : status === 'AR' ? 'reject' : 'accept',
    time: new Date(),
    controlId: newId().replaceAll('-', '').slice(-20),
    type,
    profile,
    conditions,
    expectedSequenceNumber,
    segments,
  });
}

/** QAK. */
function queryStatus(message: Message, { status, hits }: QueryReply): ResponseSegment {
  const tag = message.get('QPD-2') ?? message.get('QRD-4');
  const name = message.segment('QPD')?.field(1).first;
  const named = name && Array.from({ length: name.componentCount }, (_, i) => name.component(i + 1).text);
  const counts = hits === undefined ? {} : { 4: hits, 5: hits, 6: 0 };
  return { name: 'QAK', values: { 1: tag?.slice(0, 32), 2: status, 3: named, ...counts } };
}

/** What the query asks, as far as it can be repeated. */
function asked({ message, kind }: TakenQuery): Segment[] {
  const names = kind.segment === 'QRD' ? ['QRD', 'QRF'] : [kind.segment];
  return names.flatMap((name) => message.segment(name) ?? []).filter(({ raw }) => raw.length <= mostAsked);
}

function failed(status: 'AE' | 'AR', conditions: Condition[]): QueryReply {
  return { status, conditions, segments: [], patients: [] };
}

/** Of a search that was understood and cannot be carried out, the record's own reason. */
function conditionsOf(error: unknown): Condition[] {
  if (error instanceof QueryError) return error.conditions;
  if (error instanceof RecordError && error.status < 500) return [{ errorCode: '199', message: error.message }];
  return [unavailable];
}

/** As HTTP would say it, for the record of accesses. */
function statusOf({ status, conditions = [] }: QueryReply): number {
  if (status !== 'AE') return 200;
  return conditions.some(({ errorCode }) => errorCode === '207') ? 500 : 400;
}

/** @throws QueryError when the time is over */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new QueryError({
      errorCode: '207',
      message: 'The answer took too long: say more of who is asked for',
    });
    timer = setTimeout(() => reject(error), answerMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
