/** Vital signs: an organizer for what was measured at one time. */
import type { Observation, ObservationComponent } from '@medplum/fhirtypes';
import { choice } from '../any-value.ts';
import { LOINC, SNOMED } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { momentOf, observation, timeWords, valueWords } from '../observation.ts';
import { observationsIn } from '../observation-sections.ts';
import { authors } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, code, fixed, hasCode, ids, nameOf, ownId, period, quantity, time } from '../values.ts';
import type { Writer } from '../writer.ts';

export const VITAL_SIGNS: SectionKind = {
  template: ['.2.4.1', '2015-08-01'],
  code: '8716-3',
  display: 'Vital signs note',
  title: 'Vital Signs',
  none: 'There is no information about vital signs.',
};

export function writeVitalSigns(writer: Writer): SectionBody {
  const body = emptyBody(['Vital sign', 'Value', 'Date']);
  const singles = new Map<string, Observation[]>();
  for (const one of observationsIn(writer, 'vital-signs')) {
    const members = membersOf(writer, one);
    if (members.length > 0) body.entries.push(panel(writer, one, members, body));
    else {
      const moment = momentOf(one) ?? '';
      const group = singles.get(moment);
      if (group === undefined) singles.set(moment, [one]);
      else group.push(one);
    }
  }
  for (const group of singles.values()) body.entries.push(...grouped(writer, group, body));
  return body;
}

function membersOf(writer: Writer, holder: Observation): Observation[] {
  if (choice(holder, 'value') !== undefined) return [];
  return writer.chart
    .childrenOf(holder)
    .filter(
      (child): child is Observation => child.resourceType === 'Observation' && child.status !== 'entered-in-error',
    )
    .filter((child) => !writer.isTaken(child));
}

function panel(writer: Writer, holder: Observation, members: readonly Observation[], body: SectionBody): CdaElement {
  writer.take(holder);
  const signs = members.flatMap((member) => signsOf(writer, member, body));
  return putBack(organizer(writer, holder, ids(holder), signs), holder);
}

/** What was measured at one time without a panel around it. */
function grouped(writer: Writer, group: readonly Observation[], body: SectionBody): CdaElement[] {
  const signs = group.flatMap((one) => signsOf(writer, one, body));
  const [first] = group as [Observation];
  const panels = group.filter(isSplit).flatMap(({ code: concept }) => concept.coding ?? []);
  return [organizer(writer, { ...first, code: { coding: panels } }, [ownId(first)], signs, false)];
}

function organizer(
  writer: Writer,
  holder: Observation,
  own: readonly CdaElement[],
  signs: readonly CdaElement[],
  whole = true,
): CdaElement {
  const general = fixed('translation', '46680005', SNOMED, 'Vital signs');
  const others = asTranslations(holder.code).filter(
    (one) => !one.attributes.some(([, value]) => value === '74728-7' || value === '46680005'),
  );
  return statement(
    'organizer',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    template('vitalSignsOrganizer'),
    own,
    fixed(
      'code',
      '74728-7',
      LOINC,
      'Vital signs, weight, height, head circumference, oxygen saturation and BMI panel',
      undefined,
      general,
      others,
    ),
    statusCode('completed'),
    timeIn(holder),
    whole && authors(writer, holder),
    signs.map((sign) => el('component', {}, sign)),
  );
}

function timeIn(holder: Observation): CdaElement {
  const { effectivePeriod } = holder;
  return effectivePeriod === undefined
    ? time('effectiveTime', momentOf(holder))
    : period('effectiveTime', effectivePeriod);
}

/** A Vital Sign Observation; of a panel in one resource, one for each component. */
function signsOf(writer: Writer, one: Observation, body: SectionBody): CdaElement[] {
  const { component = [] } = one;
  if (isSplit(one)) {
    writer.take(one);
    return component.map((part, n) => sign(writer, ofComponent(one, part, n), body));
  }
  return [sign(writer, one, body)];
}

/** Whether an observation is a panel of which the components are the signs. */
function isSplit(one: Observation): boolean {
  const [first] = one.component ?? [];
  return first !== undefined && one.valueQuantity === undefined && !hasCode(first.valueCodeableConcept, '2667000');
}

/** A component of a measurement as a measurement. */
function ofComponent(one: Observation, part: ObservationComponent, n: number): Observation {
  const { component: _, identifier: __, code: ___, interpretation: ____, ...around } = one;
  return { ...around, ...part, id: `${one.id}-${n + 1}`, extension: undefined };
}

function sign(writer: Writer, one: Observation, body: SectionBody): CdaElement {
  writer.take(one);
  const row = writer.nextId('vital');
  body.rows.push({ id: row, cells: [nameOf(one.code) ?? 'not stated', valueWords(one), timeWords(one)] });
  const { interpretation = [] } = one;
  return observation(
    writer,
    { ...one, interpretation: interpretation.filter(({ coding }) => coding !== undefined) },
    {
      templates: template('vitalSign'),
      code: code('code', one.code, { prefer: ['http://loinc.org'] }),
      text: textReference(row),
      completed: true,
      value: measured(one),
    },
  );
}

/** Vital signs are quantities; where there is none, one that is unknown stands for it. */
function measured({ valueQuantity }: Observation): CdaElement {
  if (valueQuantity?.value !== undefined) return quantity('value', { ...valueQuantity, comparator: undefined }, 'PQ');
  return el('value', { 'xsi:type': 'PQ', nullFlavor: 'UNK', unit: '1' });
}
