/** By which numbers a person is known elsewhere: Q23 (get corresponding identifiers; IHE ITI TF-2, section 3.9, PIX). */
import { repetitions } from '@causeway/hl7v2';
import type { Identifier } from '@medplum/fhirtypes';
import { byIdentifier } from './criteria.ts';
import { wantedDomains } from './demographics.ts';
import { isOf, socialSecurity } from './domains.ts';
import { findPersons, identifiersInUse } from './persons.ts';
import { type QueryReply, type Question, wrongIn } from './query.ts';

/** Answers a Q23. @throws QueryError */
export async function correspondingIdentifiers(question: Question): Promise<QueryReply> {
  const { message, record, access, domains } = question;
  const asked = message.segment('QPD')!.field(3).first;
  const number = asked.component(1).text.trim();
  if (number === '') throw wrongIn(3, '101', 'The identifier is missing', { repetition: 1, component: 1 });
  const authority = asked.component(4);
  const known = domains.find(authority);
  const domain = known ?? domains.unregistered(authority);
  const unknownDomain = () =>
    wrongIn(3, '204', 'The domain of the identifier is not known here', { repetition: 1, component: 4 });
  if (!domain) throw unknownDomain();
  const { patients, next } = await findPersons(record, access, byIdentifier(domain, number), 2);
  if (patients.length === 0 && !known) throw unknownDomain();
  const place = { repetition: 1, component: 1 };
  if (patients.length === 0) throw wrongIn(3, '204', 'The identifier is not known in its domain', place);
  if (patients.length > 1 || next !== undefined)
    throw wrongIn(3, '205', 'The identifier is one of several people', place);
  const wanted = wantedDomains(question, 4);
  const isQueried = (one: Identifier) => one.value === number && isOf(one, [domain]);
  const isWanted = (one: Identifier) => (wanted === undefined ? !isOf(one, [socialSecurity]) : isOf(one, wanted));
  const held = await identifiersInUse(record, access, patients[0]!);
  const found = held.filter((one) => isCurrent(one) && !isQueried(one) && isWanted(one));
  if (found.length === 0) return { status: 'NF', segments: [], patients: [] };
  // Those of one domain stand together; names are not told (3.9.4.2.2.5).
  const grouped = [...Map.groupBy(found, ({ system }) => system).values()].flat();
  const list = repetitions(...grouped.map((one) => domains.extended(one)));
  const values = { 3: list, 5: repetitions(undefined, ['', '', '', '', '', '', 'S']) };
  return { status: 'OK', segments: [{ name: 'PID', values }], patients: [patients[0]!.id!] };
}

function isCurrent({ value, system, use, period }: Identifier): boolean {
  if (value === undefined || system === undefined || use === 'old') return false;
  return period?.end === undefined || period.end >= new Date().toISOString().slice(0, period.end.length);
}
