/** Immunizations: given and not given. */
import type { Immunization, Organization } from '@medplum/fhirtypes';
import { dayWords } from '../any-value.ts';
import { LOINC } from '../codes.ts';
import { route } from '../dosage.ts';
import { type CdaElement, el } from '../element.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors, organizationRole, participant, performer, place } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, fixed, hasCode, ids, nameOf, primitiveFlavor, quantity, time } from '../values.ts';
import type { Writer } from '../writer.ts';
import { reasons } from './medications.ts';

export const IMMUNIZATIONS: SectionKind = {
  template: ['.2.2.1', '2015-08-01'],
  code: '11369-6',
  display: 'History of Immunization note',
  title: 'Immunizations',
  none: 'There is no information about immunizations.',
};

const CVX = 'http://hl7.org/fhir/sid/cvx';

export function writeImmunizations(writer: Writer): SectionBody {
  const body = emptyBody(['Vaccine', 'Date', 'Status', 'Lot']);
  for (const immunization of writer.chart.all<Immunization>('Immunization')) {
    if (immunization.status === 'entered-in-error' || hasCode(immunization.vaccineCode, 'no-immunization-info'))
      continue;
    if (writer.take(immunization)) continue;
    const row = writer.nextId('immunization');
    body.rows.push({
      id: row,
      cells: [
        nameOf(immunization.vaccineCode) ?? 'not stated',
        immunization.occurrenceString ?? dayWords(immunization.occurrenceDateTime),
        immunization.status === 'not-done' ? `not given ${nameOf(immunization.statusReason) ?? ''}`.trim() : 'given',
        immunization.lotNumber,
      ],
    });
    body.entries.push(activity(writer, immunization, row));
  }
  return body;
}

function activity(writer: Writer, immunization: Immunization, row: string): CdaElement {
  const { statusReason, doseQuantity, protocolApplied } = immunization;
  const dose = protocolApplied?.[0]?.doseNumberPositiveInt;
  const none = hasCode(immunization.vaccineCode, 'no-known-immunizations');
  const denied = immunization.status === 'not-done' || none;
  const [first, ...others] = immunization.performer ?? [];
  const element = statement(
    'substanceAdministration',
    { classCode: 'SBADM', moodCode: 'EVN', negationInd: denied },
    template('immunization'),
    ids(immunization),
    textReference(row),
    statusCode('completed'),
    time(
      'effectiveTime',
      immunization.occurrenceDateTime,
      primitiveFlavor(immunization, 'occurrenceDateTime') ?? 'UNK',
    ),
    dose !== undefined && el('repeatNumber', { value: String(dose) }),
    immunization.route && route(immunization.route),
    immunization.site && code('approachSiteCode', immunization.site),
    doseQuantity && quantity('doseQuantity', doseQuantity),
    el('consumable', {}, vaccine(writer, immunization)),
    first && performer(writer, first.actor, immunization),
    others.map(({ actor }) => participant(writer, 'SPRF', actor, immunization)),
    authors(writer, immunization, { who: undefined }),
    place(writer.chart.find(immunization.location, immunization), immunization.location?.display),
    statusReason && related('RSON', refusal(statusReason)),
    reasons(writer, immunization),
    notes(immunization.note, writer),
    nested(writer, immunization),
  );
  return putBack(element, immunization);
}

function vaccine(writer: Writer, immunization: Immunization): CdaElement {
  const maker = writer.chart.find<Organization>(immunization.manufacturer, immunization);
  const named = immunization.manufacturer?.display;
  return el(
    'manufacturedProduct',
    { classCode: 'MANU' },
    template('immunizationInformation'),
    el(
      'manufacturedMaterial',
      {},
      code('code', immunization.vaccineCode, { prefer: [CVX], allowed: ({ system }) => system === CVX }),
      immunization.lotNumber !== undefined && el('lotNumberText', {}, immunization.lotNumber),
    ),
    maker === undefined
      ? named !== undefined && el('manufacturerOrganization', {}, el('name', {}, named))
      : organizationRole('manufacturerOrganization', maker),
  );
}

function refusal(reason: NonNullable<Immunization['statusReason']>): CdaElement {
  return smallObservation(
    'immunizationNotGiven',
    el('id', { nullFlavor: 'NI' }),
    fixed('code', '71798-3', LOINC, 'Reason for not administering immunization'),
    code('value', reason, { type: 'CD', prefer: ['http://terminology.hl7.org/CodeSystem/v3-ActReason'] }),
  );
}
