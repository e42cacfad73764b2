/** Advance directives: observations about them, and consents to treatment. */
import type { Coding, Consent, Observation } from '@medplum/fhirtypes';
import { choice, dayWords } from '../any-value.ts';
import { LOINC } from '../codes.ts';
import { type CdaElement, type Child, el } from '../element.ts';
import { momentOf, observation, timeWords, valueWords } from '../observation.ts';
import { observationsIn } from '../observation-sections.ts';
import { authors } from '../participants.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, code, fixed, hasCode, ids, interval, nameOf, ownId } from '../values.ts';
import type { Writer } from '../writer.ts';

export const ADVANCE_DIRECTIVES: SectionKind = {
  template: ['.2.21.1', '2022-02-14', '2015-08-01'],
  code: '42348-3',
  display: 'Advance healthcare directives',
  title: 'Advance Directives',
  none: 'There is no information about advance directives.',
};

export function writeDirectives(writer: Writer): SectionBody {
  const body = emptyBody(['Directive', 'Content', 'When']);
  for (const one of observationsIn(writer, 'advance-directives')) {
    if (writer.isTaken(one)) continue;
    const members =
      choice(one, 'value') === undefined
        ? writer.chart.childrenOf(one).filter((child): child is Observation => child.resourceType === 'Observation')
        : [];
    const told = members.length === 0 ? [one] : members;
    if (members.length > 0) writer.take(one);
    const kept =
      members.length === 0
        ? []
        : asTranslations({ coding: one.code?.coding?.filter((coding) => coding.code !== '45473-6') });
    body.entries.push(
      organizer(
        told.map((member) => directive(writer, member, body)),
        members.length === 0 ? [ownId(one)] : ids(one),
        kept,
      ),
    );
  }
  for (const consent of writer.chart.all<Consent>('Consent')) {
    if (!hasCode(consent.scope, 'adr', 'treatment') || consent.status === 'entered-in-error' || writer.take(consent))
      continue;
    body.entries.push(organizer([consentDirective(writer, consent, body)], [ownId(consent)], []));
  }
  return body;
}

function organizer(directives: readonly CdaElement[], own: readonly CdaElement[], kept: Child): CdaElement {
  return statement(
    'organizer',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    template('advanceDirectiveOrganizer'),
    own,
    fixed('code', '45473-6', LOINC, 'Advance directive - living will', undefined, kept),
    statusCode('completed'),
    directives.map((one) => el('component', {}, one)),
  );
}

function directive(writer: Writer, one: Observation, body: SectionBody): CdaElement {
  const row = writer.nextId('directive');
  body.rows.push({ id: row, cells: [nameOf(one.code) ?? 'not stated', valueWords(one), timeWords(one)] });
  const coded = one.valueCodeableConcept ?? { text: valueWords(one) };
  return observation(writer, one, {
    templates: template('advanceDirective'),
    code: kind(one.code),
    text: textReference(row),
    completed: true,
    effectiveTime: interval('effectiveTime', {
      low: momentOf(one),
      high: one.effectivePeriod?.end,
      highFlavor: 'NA',
    }),
    value: code('value', coded.coding === undefined && coded.text === '' ? undefined : coded, { type: 'CD', allowed }),
    more: externalDocument(ids(one), one.code),
  });
}

/** Treatments that a directive may be about, in SNOMED CT (value set Advance Directives Content Type). */
const CONTENTS = new Set(
  (
    '103735009 108259003 225365006 229912004 25156005 271298009 281789004 281800008 363259005 385741000 385763009 ' +
    '386367000 405083000 52765003 61420007 71388002 78823007 89666000'
  ).split(' '),
);

function allowed({ code: one = '' }: Coding): boolean {
  return CONTENTS.has(one);
}

/** The code that the template must have, and what the directive itself is as its translation. */
function kind(concept: Observation['code'] | undefined): CdaElement {
  const others = asTranslations({ coding: concept?.coding?.filter(({ code: one }) => one !== '75320-2') });
  return fixed('code', '75320-2', LOINC, 'Advance directive', undefined, others);
}

function externalDocument(own: readonly CdaElement[], concept: Observation['code'] | undefined): CdaElement {
  return el('reference', { typeCode: 'REFR' }, el('externalDocument', {}, own, code('code', concept)));
}

function consentDirective(writer: Writer, consent: Consent, body: SectionBody): CdaElement {
  const row = writer.nextId('directive');
  const [category] = consent.category;
  body.rows.push({ id: row, cells: [nameOf(category) ?? 'not stated', '', dayWords(consent.dateTime)] });
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template('advanceDirective'),
    ids(consent),
    fixed('code', '75320-2', LOINC, 'Advance directive'),
    textReference(row),
    statusCode('completed'),
    interval('effectiveTime', {
      low: consent.provision?.period?.start ?? consent.dateTime,
      high: consent.provision?.period?.end,
      highFlavor: 'NA',
    }),
    code('value', category, { type: 'CD', allowed }),
    authors(writer, consent),
    externalDocument(ids(consent), category),
  );
}
