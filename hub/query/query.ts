/** What queries of HL7 v2 have in common: their kinds, what is asked of, and what an answer says. */
import type { Condition, FieldValue, Message, ResponseSegment } from '@causeway/hl7v2';
import type { PersonIndex } from '../identity/index.ts';
import type { FhirRecord } from '../record/index.ts';
import type { Access, QueryTopic } from '../trust/index.ts';
import type { Continuations } from './continuations.ts';
import type { Domains } from './domains.ts';

/** A kind of query that is answered, or the end of one. */
export interface QueryKind {
  /** What a participant must be allowed to ask for; undefined where nothing is given out. */
  topic: QueryTopic | undefined;
  /** The segment that says what is asked. */
  segment: 'QPD' | 'QRD' | 'QID';
  /** MSH-9 of the answer. */
  answer: readonly [string, string, string];
}

const kinds: { [type: string]: QueryKind } = {
  'QBP^Q22': { topic: 'demographics', segment: 'QPD', answer: ['RSP', 'K22', 'RSP_K21'] },
  'QBP^Q23': { topic: 'identifiers', segment: 'QPD', answer: ['RSP', 'K23', 'RSP_K23'] },
  'QBP^Q11': { topic: 'immunizations', segment: 'QPD', answer: ['RSP', 'K11', 'RSP_K11'] },
  'QRY^A19': { topic: 'demographics', segment: 'QRD', answer: ['ADR', 'A19', 'ADR_A19'] },
  // Nobody, too many, an error; otherwise VXR or VXX.
  'VXQ^V01': { topic: 'immunizations', segment: 'QRD', answer: ['QCK', 'Q02', 'QCK_Q02'] },
  'QCN^J01': { topic: undefined, segment: 'QID', answer: ['ACK', 'J01', 'ACK'] },
};

/** The kind of query that a message of this type (MSH-9.1, MSH-9.2) is; undefined for one that is not answered. */
export function queryKind(code: string, event: string): QueryKind | undefined {
  const type = `${code}^${event}`;
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

/** A query, who asks, and what it may be answered from. */
export interface Question {
  message: Message;
  access: Access;
  /** The participant's key. */
  source: string;
  record: FhirRecord;
  persons: PersonIndex;
  domains: Domains;
  continuations: Continuations;
}

/** HL7 table 0208; `TM`, too many candidates, is of the immunization guide. */
export type QueryStatus = 'OK' | 'NF' | 'AE' | 'AR' | 'TM';

/** What a query is answered. */
export interface QueryReply {
  status: QueryStatus;
  /** MSH-9, where it is another than that of the kind. */
  type?: readonly [string, string, string];
  conditions?: Condition[];
  /** MSH-21. */
  profile?: FieldValue;
  /** How many were found, where that is known. */
  hits?: number;
  segments: ResponseSegment[];
  /** DSC-1: by which the next part is asked for. */
  pointer?: string | undefined;
  /** Whose records are given out, as ids of Patients. */
  patients: string[];
}

/** A query that cannot be answered, with the reasons that its sender is told. */
export class QueryError extends Error {
  readonly conditions: Condition[];

  constructor(...conditions: Condition[]) {
    super(conditions[0]?.message);
    this.conditions = conditions;
  }
}

/** The error of one place in QPD. */
export function wrongIn(
  field: number,
  errorCode: Condition['errorCode'],
  message: string,
  at: Pick<Condition, 'repetition' | 'component'> = {},
): QueryError {
  return new QueryError({ errorCode, message, segment: 'QPD', occurrence: 1, field, ...at });
}

/** RCP-2 or QRD-7: how many records the asker takes at once. @throws QueryError */
export function limitOf(message: Message): number | undefined {
  const isOld = message.segment('RCP') === undefined && message.segment('QRD') !== undefined;
  const [segment, field] = isOld ? ['QRD', 7] : ['RCP', 2];
  const said = message.get(`${segment}-${field}`);
  if (said === undefined) return undefined;
  const units = message.get(`${segment}-${field}.2`) ?? 'RD';
  const at = { segment, occurrence: 1, field };
  if (units !== 'RD') {
    throw new QueryError({
      ...at,
      errorCode: '103',
      message: 'Answers are limited by records (RD) only',
      component: 2,
    });
  }
  if (!/^[1-9]\d{0,5}$/.test(said)) {
    throw new QueryError({ ...at, errorCode: '102', message: 'The limit must be a whole number, at least 1' });
  }
  return Number(said);
}
