/** What only a discharge summary has: course, diagnoses, medications, instructions and consultations of the stay. */
import type { CompositionSection, Condition, MedicationRequest } from '@medplum/fhirtypes';
import { LOINC } from '../codes.ts';
import { narrativeOf } from '../narrative.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, statement, statusCode } from '../statement.ts';
import { template } from '../templates.ts';
import { fixed, hasCode } from '../values.ts';
import type { Writer } from '../writer.ts';
import { diagnosesOf } from './encounters.ts';
import { MEDICATION_COLUMNS, medicationActivity, medicineCells, medicinesOf } from './medications.ts';
import { narrativeSection } from './notes.ts';
import { hasCategory, isStated, PROBLEM_COLUMNS, problemCells, problemObservation } from './problems.ts';

export const HOSPITAL_COURSE: SectionKind = {
  template: ['1.3.6.1.4.1.19376.1.5.3.1.3.5'],
  code: '8648-8',
  display: 'Hospital course note',
  title: 'Hospital Course',
  none: 'There is no information about the course of the stay.',
};

export const DISCHARGE_INSTRUCTIONS: SectionKind = {
  template: ['.2.41'],
  code: '8653-8',
  display: 'Hospital discharge instructions',
  title: 'Discharge Instructions',
  none: 'There is no information about instructions.',
};

export const CONSULTATIONS: SectionKind = {
  template: ['.2.42'],
  code: '18841-7',
  display: 'Hospital consultations Document',
  title: 'Consultations',
  none: 'There is no information about consultations.',
};

export const DISCHARGE_DIAGNOSIS: SectionKind = {
  template: ['.2.24', '2015-08-01'],
  code: '11535-2',
  display: 'Hospital discharge Dx Narrative',
  translation: ['78375-3', 'Discharge diagnosis Narrative'],
  title: 'Discharge Diagnosis',
  none: 'There is no information about discharge diagnoses.',
};

export const ADMISSION_DIAGNOSIS: SectionKind = {
  template: ['.2.43', '2015-08-01'],
  code: '46241-6',
  display: 'Hospital admission diagnosis Narrative - Reported',
  translation: ['42347-5', 'Admission diagnosis (narrative)'],
  title: 'Admission Diagnosis',
  none: 'There is no information about admission diagnoses.',
};

export const DISCHARGE_MEDICATIONS: SectionKind = {
  template: ['.2.11.1', '2015-08-01'],
  code: '10183-2',
  display: 'Hospital discharge medications Narrative',
  translation: ['75311-1', 'Discharge medications Narrative'],
  title: 'Discharge Medications',
  none: 'There is no information about discharge medications.',
};

/** A section of words only, from the newest document that has one. */
export function writeWords(writer: Writer, kind: SectionKind): SectionBody {
  const found: CompositionSection | undefined = narrativeSection(writer, kind.code);
  return { ...emptyBody([]), words: narrativeOf(found?.text?.div) };
}

/** Diagnoses of the stay by their use: those of discharge, or those of admission. */
export function writeDiagnoses(writer: Writer, use: 'discharge' | 'admission'): SectionBody {
  const body = emptyBody(PROBLEM_COLUMNS);
  const [name, code, display] =
    use === 'discharge'
      ? (['dischargeDiagnosis', '11535-2', 'Hospital discharge diagnosis'] as const)
      : (['admissionDiagnosis', '46241-6', 'Hospital admission diagnosis'] as const);
  const observations = stayDiagnoses(writer, use).map((condition) => {
    const row = writer.nextId(`${use}-diagnosis`);
    body.rows.push({ id: row, cells: problemCells(condition) });
    return related('SUBJ', problemObservation(writer, condition, row));
  });
  if (observations.length > 0) {
    body.entries.push(
      statement(
        'act',
        { classCode: 'ACT', moodCode: 'EVN' },
        template(name),
        fixed('code', code, LOINC, display),
        statusCode('active'),
        observations,
      ),
    );
  }
  return body;
}

/** By the use that the encounter tells, or the section a document had them in; without either they are of discharge. */
function stayDiagnoses(writer: Writer, use: 'discharge' | 'admission'): Condition[] {
  const { stay, chart } = writer;
  const sections = use === 'discharge' ? ['11535-2'] : ['46241-6', '42347-5'];
  const found = new Set<Condition>();
  if (stay !== undefined) {
    const uses = new Map((stay.diagnosis ?? []).map((one) => [one.condition.reference, one.use]));
    for (const condition of diagnosesOf(writer, stay)) {
      const admission = hasCode(uses.get(`Condition/${condition.id}`), 'AD');
      if (admission === (use === 'admission')) found.add(condition);
    }
  }
  for (const condition of chart.all<Condition>('Condition')) {
    if (!isStated(condition)) continue;
    const section = chart.sectionOf(condition) ?? '';
    const ofStay = stay !== undefined && condition.encounter?.reference === `Encounter/${stay.id}`;
    const undecided = use === 'discharge' && ofStay && hasCategory(condition, 'encounter-diagnosis');
    if (sections.includes(section) || (undecided && !['46241-6', '42347-5'].includes(section))) found.add(condition);
  }
  return [...found];
}

/** What the person is to take from discharge on: orders of discharge where they are marked, else all that is active. */
export function writeDischargeMedications(writer: Writer): SectionBody {
  const body = emptyBody(MEDICATION_COLUMNS);
  const all = medicinesOf(writer).filter((one) => one.resourceType !== 'MedicationAdministration');
  const marked = all.filter(
    (one) =>
      writer.chart.sectionOf(one) === '10183-2' || (one.resourceType === 'MedicationRequest' && isOfDischarge(one)),
  );
  const chosen = marked.length > 0 ? marked : all.filter(({ status }) => status === 'active' || status === 'unknown');
  for (const medicine of chosen) {
    const row = writer.nextId('medication');
    body.rows.push({ id: row, cells: medicineCells(writer, medicine) });
    body.entries.push(
      statement(
        'act',
        { classCode: 'ACT', moodCode: 'EVN' },
        template('dischargeMedication'),
        fixed(
          'code',
          '10183-2',
          LOINC,
          'Hospital discharge medications Narrative',
          undefined,
          fixed('translation', '75311-1', LOINC, 'Discharge medications Narrative'),
        ),
        statusCode('completed'),
        related('SUBJ', medicationActivity(writer, medicine, row)),
      ),
    );
  }
  return body;
}

function isOfDischarge({ category = [] }: MedicationRequest): boolean {
  return category.some((one) => hasCode(one, 'discharge'));
}
