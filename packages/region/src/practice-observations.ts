/** Results, vital signs, social history and the reason for referral of a C-CDA R2.1 document. */

import { isoDate } from './calendar.ts';
import { abnormalFlag, rangeText } from './codes/tests.ts';
import { SYSTEMS } from './outgoing.ts';
import type { Chart } from './practice-chart.ts';
import { entryId, type PracticePatient, section } from './practice-sections.ts';
import type { Measurement, Order, Visit } from './story.ts';
import { codeAttributes, codedValue, templates, textReference, time, xml } from './xml.ts';

const INTERPRETATION = '2.16.840.1.113883.5.83';

/** Laboratory results, in the practice's conventional units. */
export function resultsSection(about: PracticePatient, chart: Chart): string {
  const rows = chart.orders.flatMap((order) =>
    order.measurements.map(({ test, value }) => ({
      id: `res-${order.id}-${test.key}`,
      cells: [
        test.text,
        `${value.toFixed(test.digits)} ${test.unit}`,
        rangeText(test.low, test.high),
        isoDate(order.at),
      ],
    })),
  );
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.3.1', '2.16.840.1.113883.10.20.22.2.3.1:2015-08-01'],
      code: '30954-2',
      title: 'Results',
      heads: ['Test', 'Value', 'Usual range', 'Taken'],
      empty: 'No results recorded',
    },
    rows,
    chart.orders.map((order) => resultOrganizer(about, order)),
  );
}

function resultOrganizer(about: PracticePatient, order: Order): string {
  const observations = order.measurements.map(
    (measurement) => `<component>${resultObservation(about, order, measurement)}</component>`,
  );
  return `<organizer classCode="BATTERY" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.1', '2.16.840.1.113883.10.20.22.4.1:2015-08-01')}${entryId(about, `res-${order.id}`)}<code ${codeAttributes(SYSTEMS.loinc, order.panel.loinc, order.panel.text)}/><statusCode code="completed"/><effectiveTime><low value="${time(order.at)}"/><high value="${time(order.at)}"/></effectiveTime>${observations.join('')}</organizer>`;
}

function resultObservation(about: PracticePatient, order: Order, { test, value }: Measurement): string {
  const fact = `res-${order.id}-${test.key}`;
  const low = test.low === undefined ? '' : `<low value="${test.low}" unit="${test.unit}"/>`;
  const high = test.high === undefined ? '' : `<high value="${test.high}" unit="${test.unit}"/>`;
  const range = `<referenceRange><observationRange><text>${xml(rangeText(test.low, test.high))}</text><value xsi:type="IVL_PQ">${low}${high}</value></observationRange></referenceRange>`;
  return `<observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.2', '2.16.840.1.113883.10.20.22.4.2:2015-08-01')}${entryId(about, fact)}<code ${codeAttributes(SYSTEMS.loinc, test.loinc, test.text)}/>${textReference(fact)}<statusCode code="completed"/><effectiveTime value="${time(order.at)}"/><value xsi:type="PQ" value="${value.toFixed(test.digits)}" unit="${test.unit}"/><interpretationCode code="${abnormalFlag(test, value)}" codeSystem="${INTERPRETATION}"/>${range}</observation>`;
}

/** Vital signs of the last visits. */
export function vitalSignsSection(about: PracticePatient, chart: Chart): string {
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.4.1', '2.16.840.1.113883.10.20.22.2.4.1:2015-08-01'],
      code: '8716-3',
      title: 'Vital signs',
      heads: ['Sign', 'Value', 'Taken'],
      empty: 'No vital signs recorded',
    },
    chart.visits.flatMap((visit) =>
      signsOf(visit).map((sign) => ({
        id: `vs-${visit.id}-${sign.key}`,
        cells: [sign.text, `${sign.value} ${sign.unit}`, isoDate(visit.at)],
      })),
    ),
    chart.visits.map((visit) => vitalsOrganizer(about, visit)),
  );
}

interface Sign {
  key: string;
  loinc: string;
  text: string;
  value: string;
  unit: string;
}

function signsOf({ vitals }: Visit): Sign[] {
  const bodyMass = (vitals.weightKg / (vitals.heightCm / 100) ** 2).toFixed(1);
  return [
    { key: 'sys', loinc: '8480-6', text: 'Systolic blood pressure', value: String(vitals.systolic), unit: 'mm[Hg]' },
    { key: 'dia', loinc: '8462-4', text: 'Diastolic blood pressure', value: String(vitals.diastolic), unit: 'mm[Hg]' },
    { key: 'pulse', loinc: '8867-4', text: 'Heart rate', value: String(vitals.pulse), unit: '/min' },
    { key: 'temp', loinc: '8310-5', text: 'Body temperature', value: vitals.temperatureC.toFixed(1), unit: 'Cel' },
    { key: 'height', loinc: '8302-2', text: 'Body height', value: String(vitals.heightCm), unit: 'cm' },
    { key: 'weight', loinc: '29463-7', text: 'Body weight', value: vitals.weightKg.toFixed(1), unit: 'kg' },
    { key: 'bmi', loinc: '39156-5', text: 'Body mass index', value: bodyMass, unit: 'kg/m2' },
  ];
}

function vitalsOrganizer(about: PracticePatient, visit: Visit): string {
  const signs = signsOf(visit).map((sign) => {
    const fact = `vs-${visit.id}-${sign.key}`;
    return `<component><observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.27', '2.16.840.1.113883.10.20.22.4.27:2014-06-09')}${entryId(about, fact)}<code ${codeAttributes(SYSTEMS.loinc, sign.loinc, sign.text)}/>${textReference(fact)}<statusCode code="completed"/><effectiveTime value="${time(visit.at)}"/><value xsi:type="PQ" value="${sign.value}" unit="${sign.unit}"/></observation></component>`;
  });
  return `<organizer classCode="CLUSTER" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.26', '2.16.840.1.113883.10.20.22.4.26:2015-08-01')}${entryId(about, `vs-${visit.id}`)}<code code="46680005" codeSystem="2.16.840.1.113883.6.96" displayName="Vital signs"><translation code="74728-7" codeSystem="2.16.840.1.113883.6.1"/></code><statusCode code="completed"/><effectiveTime><low value="${time(visit.at)}"/><high value="${time(visit.at)}"/></effectiveTime>${signs.join('')}</organizer>`;
}

/** Smoking status. */
export function socialHistorySection(about: PracticePatient, chart: Chart): string {
  const { smoking } = about.story;
  const observation = `<observation classCode="OBS" moodCode="EVN">${templates('2.16.840.1.113883.10.20.22.4.78', '2.16.840.1.113883.10.20.22.4.78:2014-06-09')}${entryId(about, 'smoking')}<code ${codeAttributes(SYSTEMS.loinc, '72166-2', 'Smoking status')}/>${textReference('soc-smoking')}<statusCode code="completed"/><effectiveTime value="${time(chart.visit.at)}"/>${codedValue(SYSTEMS.snomed, smoking.snomed, smoking.text)}</observation>`;
  return section(
    {
      templates: ['2.16.840.1.113883.10.20.22.2.17', '2.16.840.1.113883.10.20.22.2.17:2015-08-01'],
      code: '29762-2',
      title: 'Social history',
      heads: ['What', 'Answer', 'Asked'],
      empty: 'Nothing recorded',
    },
    [{ id: 'soc-smoking', cells: ['Smoking', smoking.text, isoDate(chart.visit.at)] }],
    [observation],
  );
}

/** Why the person is sent on, in words. */
export function reasonForReferralSection(about: PracticePatient, chart: Chart, department: string): string {
  const { reason } = chart.visit;
  const text = `For ${department}: ${reason.text.toLowerCase()}. Seen by me on ${isoDate(chart.visit.at)}; please advise. Dr ${about.story.familyDoctor.family}`;
  return `<section>${templates('1.3.6.1.4.1.19376.1.5.3.1.3.1', '1.3.6.1.4.1.19376.1.5.3.1.3.1:2014-06-09')}<code code="42349-1" codeSystem="2.16.840.1.113883.6.1"/><title>Reason for referral</title><text><paragraph ID="referral-reason">${xml(text)}</paragraph></text></section>`;
}
