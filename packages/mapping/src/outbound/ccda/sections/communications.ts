/** Interventions: what was handed over, by whom and to whom. */
import type { Communication } from '@medplum/fhirtypes';
import { dayWords } from '../any-value.ts';
import { SNOMED } from '../codes.ts';
import type { CdaElement } from '../element.ts';
import { notes } from '../notes-within.ts';
import { author, authors, participant, partyOf } from '../participants.ts';
import { nameWords } from '../people.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, fixed, ids, nameOf, time } from '../values.ts';
import type { Writer } from '../writer.ts';

export const INTERVENTIONS: SectionKind = {
  template: ['2.16.840.1.113883.10.20.21.2.3', '2015-08-01'],
  code: '62387-6',
  display: 'Interventions Provided',
  title: 'Interventions',
  none: 'There is no information about interventions.',
};

const HANDOFF = '432138007';

export function writeCommunications(writer: Writer): SectionBody {
  const body = emptyBody(['Communication', 'When', 'To']);
  for (const communication of writer.chart.all<Communication>('Communication')) {
    const recipients = communication.recipient ?? [];
    if (communication.status === 'entered-in-error' || recipients.length === 0 || writer.take(communication)) continue;
    const row = writer.nextId('communication');
    const parties = recipients.map((who) => partyOf(writer, who, communication));
    body.rows.push({
      id: row,
      cells: [
        nameOf(communication.topic) ?? 'Handoff',
        dayWords(communication.sent),
        parties
          .map(({ person, organization, display }) =>
            person === undefined ? (organization?.name ?? display) : nameWords(person.name?.[0]),
          )
          .join(', '),
      ],
    });
    body.entries.push(handoff(writer, communication, row));
  }
  return body;
}

function handoff(writer: Writer, communication: Communication, row: string): CdaElement {
  const others = asTranslations({ coding: communication.topic?.coding?.filter((one) => one.code !== HANDOFF) });
  const told = authors(writer, communication, { who: communication.sender, time: communication.sent });
  const element = statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN' },
    template('handoff'),
    ids(communication),
    fixed('code', HANDOFF, SNOMED, 'Handoff communication', undefined, others),
    textReference(row),
    statusCode('completed'),
    time('effectiveTime', communication.sent),
    told.length > 0 ? told : author(writer, { who: { display: 'unknown' }, time: communication.sent }),
    (communication.recipient ?? []).map((who) => participant(writer, 'IRCP', who, communication)),
    notes(communication.note, writer),
  );
  return putBack(element, communication);
}
