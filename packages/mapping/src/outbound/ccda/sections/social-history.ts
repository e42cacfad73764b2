/** Social history: smoking, birth sex and every other social observation. */
import type { Observation, Patient } from '@medplum/fhirtypes';
import { LOINC } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { observation, timeOf, timeWords, valueWords } from '../observation.ts';
import { observationsIn } from '../observation-sections.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { smallObservation, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, fixed, hasCode, interval, nameOf, time } from '../values.ts';
import type { Writer } from '../writer.ts';

export const SOCIAL_HISTORY: SectionKind = {
  template: ['.2.17', '2015-08-01'],
  code: '29762-2',
  display: 'Social history note',
  title: 'Social History',
  none: 'There is no information about social history.',
};

const SMOKING = '72166-2';
const TOBACCO = '11367-0';
const BIRTH_SEX = '76689-9';
const BIRTH_SEX_URL = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex';

export function writeSocialHistory(writer: Writer): SectionBody {
  const body = emptyBody(['Topic', 'Value', 'When']);
  const told = observationsIn(writer, 'social-history');
  for (const one of told) {
    if (writer.isTaken(one)) continue;
    const row = writer.nextId('social');
    body.rows.push({ id: row, cells: [nameOf(one.code) ?? 'not stated', valueWords(one), timeWords(one)] });
    body.entries.push(social(writer, one, row));
  }
  const sex = birthSexOf(writer.chart.patient);
  if (sex !== undefined && !told.some((one) => hasCode(one.code, BIRTH_SEX))) {
    const row = writer.nextId('social');
    body.rows.push({ id: row, cells: ['Sex assigned at birth', sex, writer.chart.patient.birthDate] });
    body.entries.push(birthSex(writer.chart.patient, sex, row));
  }
  return body;
}

function social(writer: Writer, one: Observation, row: string): CdaElement {
  const text = textReference(row);
  if (hasCode(one.code, SMOKING) && one.valueCodeableConcept !== undefined) {
    return observation(writer, one, {
      templates: template('smokingStatus'),
      code: code('code', one.code, { prefer: ['http://loinc.org'] }),
      text,
      completed: true,
      effectiveTime: time('effectiveTime', one.effectiveDateTime ?? one.effectivePeriod?.start),
    });
  }
  if (hasCode(one.code, TOBACCO) && one.valueCodeableConcept?.coding !== undefined) {
    return observation(writer, one, {
      templates: template('tobaccoUse'),
      text,
      completed: true,
      effectiveTime: since(one),
    });
  }
  if (hasCode(one.code, BIRTH_SEX) && one.valueCodeableConcept !== undefined) {
    return observation(writer, one, {
      templates: template('birthSex'),
      text,
      completed: true,
      effectiveTime: time('effectiveTime', one.effectiveDateTime ?? one.effectivePeriod?.start),
    });
  }
  return observation(writer, one, {
    templates: template('socialHistory'),
    code: code('code', one.code),
    text,
    completed: true,
    effectiveTime: timeOf(one),
  });
}

function since(one: Observation): CdaElement {
  const { effectivePeriod, effectiveDateTime } = one;
  return interval('effectiveTime', { low: effectivePeriod?.start ?? effectiveDateTime, high: effectivePeriod?.end });
}

function birthSexOf(patient: Patient): string | undefined {
  return patient.extension?.find(({ url }) => url === BIRTH_SEX_URL)?.valueCode;
}

function birthSex(patient: Patient, sex: string, row: string): CdaElement {
  const value =
    sex === 'M' || sex === 'F'
      ? fixed('value', sex, '2.16.840.1.113883.5.1', sex === 'M' ? 'Male' : 'Female', 'CD')
      : el('value', { 'xsi:type': 'CD', nullFlavor: sex === 'ASKU' || sex === 'OTH' ? sex : 'UNK' });
  return smallObservation(
    'birthSex',
    fixed('code', BIRTH_SEX, LOINC, 'Sex assigned at birth'),
    textReference(row),
    time('effectiveTime', patient.birthDate),
    value,
  );
}
