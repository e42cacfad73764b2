/**
 * A person's immunizations: Q11 by the profiles of the HL7 v2.5.1 implementation guide for immunization messaging, release
 * 1.5. Z34 asks for the history, Z44 for the history evaluated and a forecast. The hub evaluates and forecasts nothing, and
 * says so in its answer (ERR). Answers: Z32 and Z42 one person's history, Z31 a list of candidates, Z33 nothing: nobody was
 * found, or too many were.
 */
import type { Condition, ResponseSegment } from '@causeway/hl7v2';
import { immunizationSegments, personSegments } from '@causeway/mapping';
import type { Immunization, Patient, Resource } from '@medplum/fhirtypes';
import { readPerson } from './asked-person.ts';
import { candidatesOf } from './candidates.ts';
import { limitOf, QueryError, type QueryReply, type Question, wrongIn } from './query.ts';

export const mostCandidates = 20;
const mostImmunizations = 1_000;

const profile = (id: string) => [id, 'CDCPHINVS'];
const notEvaluated: Condition = {
  errorCode: '0',
  severity: 'I',
  message: 'This hub does not evaluate doses against a schedule and forecasts none: the history is as it was reported',
};

/** Answers a Q11. @throws QueryError */
export async function immunizationHistory(question: Question): Promise<QueryReply> {
  const { message, domains } = question;
  const asked = profileAsked(question);
  const person = readPerson(message.segment('QPD')!, domains);
  const limit = Math.min(limitOf(message) ?? mostCandidates, mostCandidates);
  const { matches, candidates, isCrowded } = await candidatesOf(question, person);
  const nobody = (status: 'NF' | 'TM'): QueryReply => ({ status, profile: profile('Z33'), segments: [], patients: [] });
  if (isCrowded) return nobody('TM');
  if (matches.length === 1) {
    const [match] = matches as [Patient];
    const segments = await history(question, match);
    const isWhole = asked === 'Z34';
    return {
      status: 'OK',
      hits: 1,
      profile: profile(isWhole ? 'Z32' : 'Z42'),
      conditions: isWhole ? [] : [notEvaluated],
      segments,
      patients: [match.id!],
    };
  }
  const found = matches.length > 0 ? matches : candidates;
  // An evaluated history is of one person or of none.
  if (asked === 'Z44') return nobody(matches.length > 0 ? 'TM' : 'NF');
  if (found.length === 0) return nobody('NF');
  if (found.length > limit) return nobody('TM');
  return {
    status: 'OK',
    hits: found.length,
    profile: profile('Z31'),
    segments: listed(question, found),
    patients: found.map(({ id }) => id!),
  };
}

/** Candidates, numbered. */
export function listed(question: Question, patients: readonly Patient[]): ResponseSegment[] {
  return patients.flatMap((patient, i) => personSegments(named(question, patient), [], i + 1));
}

/** Z34 or Z44, as QPD-1 or MSH-21 says. @throws QueryError */
function profileAsked({ message }: Question): 'Z34' | 'Z44' {
  const said = [message.get('QPD-1'), message.get('MSH-21')];
  const asked = (['Z34', 'Z44'] as const).find((one) => said.includes(one));
  if (asked) return asked;
  throw wrongIn(1, '103', 'The query is none that is answered: Z34 (history) and Z44 (evaluated history) are');
}

/** PID, PD1, NK1 and every immunization that holds, the oldest first. @throws QueryError where there are too many */
export async function history(question: Question, patient: Patient): Promise<ResponseSegment[]> {
  const { record, access } = question;
  const search = async (type: string, parameters: [string, string][]) => {
    const of: [string, string] = ['patient', patient.id!];
    const { matches, included, next } = await record.search(
      access,
      record.readSearch(type, [of, ...parameters], false),
    );
    if (next !== undefined) {
      const reason = `The history has more than ${mostImmunizations} entries, which are not given by HL7 v2: ask by FHIR`;
      throw new QueryError({ errorCode: '199', message: reason });
    }
    const read = ({ text }: { text: string }) => JSON.parse(text) as Resource;
    return { matches: matches.map(read), included: included.map(read) };
  };
  const related = await search('RelatedPerson', [['_count', '50']]);
  const { matches, included } = await search('Immunization', [
    ['_count', String(mostImmunizations)],
    ['_include', 'Immunization:performer'],
    ['_include', 'Immunization:location'],
    ['_include', 'Immunization:manufacturer'],
    ['_revinclude', 'Observation:part-of'],
  ]);
  const given = (matches as Immunization[])
    .filter(({ status }) => status !== 'entered-in-error')
    .sort((a, b) => (dateOf(a) < dateOf(b) ? -1 : 1));
  return [
    ...personSegments(named(question, patient), related.matches, 1),
    ...immunizationSegments(patient, [...given, ...included]),
  ];
}

function dateOf({ occurrenceDateTime, occurrenceString }: Immunization): string {
  return occurrenceDateTime ?? occurrenceString ?? '';
}

/** The person with the identifiers' authorities named as the asker knows them. */
function named({ domains }: Question, patient: Patient): Patient {
  return { ...patient, identifier: (patient.identifier ?? []).map((one) => domains.named(one)) };
}
