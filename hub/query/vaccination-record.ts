/**
 * A person's immunizations by the older VXQ^V01 (HL7 v2.3.1, section 4.12): VXR^V03 is the record of the one who matches,
 * VXX^V02 a list of those who may be meant, QCK^Q02 says that nobody was found or too many.
 */
import { readSubject } from './asked-person.ts';
import { candidatesOf } from './candidates.ts';
import { history, listed, mostCandidates } from './immunizations.ts';
import { limitOf, type QueryReply, type Question } from './query.ts';

/** Answers a VXQ. @throws QueryError */
export async function vaccinationRecord(question: Question): Promise<QueryReply> {
  const person = readSubject(question.message, question.domains);
  const limit = Math.min(limitOf(question.message) ?? mostCandidates, mostCandidates);
  const { matches, candidates, isCrowded } = await candidatesOf(question, person);
  const found = matches.length > 0 ? matches : candidates;
  if (found.length === 0 && !isCrowded) return { status: 'NF', segments: [], patients: [] };
  const patients = found.map(({ id }) => id!);
  if (!isCrowded && matches.length === 1) {
    const segments = await history(question, matches[0]!);
    return { status: 'OK', type: ['VXR', 'V03', 'VXR_V03'], segments, patients };
  }
  if (isCrowded || found.length > limit) return { status: 'TM', segments: [], patients: [] };
  return { status: 'OK', type: ['VXX', 'V02', 'VXX_V02'], segments: listed(question, found), patients };
}
