/** Functional status, mental status and physical examination. */
import type { Observation } from '@medplum/fhirtypes';
import { LOINC } from '../codes.ts';
import type { CdaElement, Child } from '../element.ts';
import { observation, timeWords, valueWords } from '../observation.ts';
import { type ObservationSection, observationsIn } from '../observation-sections.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, fixed, nameOf } from '../values.ts';
import type { Writer } from '../writer.ts';

export const FUNCTIONAL_STATUS: SectionKind = {
  template: ['.2.14', '2014-06-09'],
  code: '47420-5',
  display: 'Functional status assessment note',
  title: 'Functional Status',
  none: 'There is no information about functional status.',
};

export const MENTAL_STATUS: SectionKind = {
  template: ['.2.56', '2015-08-01'],
  code: '10190-7',
  display: 'Mental status Narrative',
  title: 'Mental Status',
  none: 'There is no information about mental status.',
};

export const PHYSICAL_EXAM: SectionKind = {
  template: ['2.16.840.1.113883.10.20.2.10', '2015-08-01'],
  code: '29545-1',
  display: 'Physical findings Narrative',
  title: 'Physical Examination',
  none: 'There is no information about a physical examination.',
};

interface Form {
  /** The template for findings, with the code it must have. */
  finding?: { name: 'functionalStatus' | 'mentalStatus'; code: string; display: string };
}

const FORMS: Partial<Record<ObservationSection, Form>> = {
  'functional-status': { finding: { name: 'functionalStatus', code: '54522-8', display: 'Functional status' } },
  'mental-status': { finding: { name: 'mentalStatus', code: '8693-4', display: 'Mental status' } },
};

export function writeStatus(writer: Writer, section: ObservationSection): SectionBody {
  const body = emptyBody(['Observation', 'Value', 'When']);
  for (const one of observationsIn(writer, section)) {
    if (writer.isTaken(one)) continue;
    const row = writer.nextId(section);
    body.rows.push({ id: row, cells: [nameOf(one.code) ?? 'not stated', valueWords(one), timeWords(one)] });
    body.entries.push(statusObservation(writer, one, row, FORMS[section]?.finding));
  }
  return body;
}

/** A coded finding by the section's template, a score by Assessment Scale, everything else in the plain form. */
function statusObservation(writer: Writer, one: Observation, row: string, finding: Form['finding']): CdaElement {
  const text = textReference(row);
  if (finding !== undefined && one.valueCodeableConcept !== undefined && one.hasMember === undefined) {
    const kept: Child = asTranslations({ coding: one.code?.coding?.filter(({ code }) => code !== finding.code) });
    return observation(writer, one, {
      templates: template(finding.name),
      code: fixed('code', finding.code, LOINC, finding.display, undefined, kept),
      text,
      completed: true,
    });
  }
  const scored = one.valueQuantity !== undefined || one.valueInteger !== undefined;
  if (finding !== undefined && scored) {
    return observation(writer, one, { templates: template('assessmentScale'), text, completed: true });
  }
  return observation(writer, one, { text, completed: true });
}
