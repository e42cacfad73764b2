/** ARV and CTI: a restriction of access to the patient's record, and taking part in a clinical trial. */
import { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { readEntityIdentifier } from '../datatypes/identifier.ts';
import { readText } from '../datatypes/primitive.ts';
import { readPeriod } from '../datatypes/quantity.ts';
import type { Element } from '../draft.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, type SegmentHandler, subjectOf } from './state.ts';

const REASON = 'http://hl7.org/fhir/StructureDefinition/workflow-reason';
const RESTRICTION_REASON = 'http://terminology.hl7.org/CodeSystem/v2-0719';
const RESTRICTION = 'http://terminology.hl7.org/CodeSystem/v2-0717';

/** ARV (v2.9 chapter 3.4.14): a Flag that says what may not be shown, and why; ARV-2 D or X ends it. */
export const arv: SegmentHandler = (segment, state) => {
  const run = state.run;
  const values = (segment.fields[3] ?? []).map((repetition) => repetition?.[1]?.[1]?.clean ?? '').join('+');
  if (values === '') return;
  const draft = run.draft('Flag', 'merge', patientOf(state).id, 'access-restriction', values.toUpperCase());
  draft.resource.subject = subjectOf(state);
  draft.resource.category = [{ text: 'Access restriction' }];
  for (const atom of segment.fields[1]?.[0]?.[1] ?? []) if (atom !== undefined) atom.disposition = 'structural';
  const action = cellOf(segment, 2, run)?.used(1)?.toUpperCase();
  draft.resource.status = action === 'D' || action === 'X' ? 'inactive' : 'active';
  const coding: Element[] = [];
  for (const repetition of segment.fields[3] ?? []) {
    if (repetition === undefined) continue;
    const place = { draft, base: 'code' };
    const concept = readConcept(new Cell(repetition, run, 'ARV-3', place));
    for (const item of (concept?.coding as Element[] | undefined) ?? []) coding.push({ system: RESTRICTION, ...item });
  }
  const code: Element = {};
  if (coding.length > 0) code.coding = coding;
  const text = cellOf(segment, 5, run)?.at({ draft, base: 'code.text' });
  const said = text === undefined ? undefined : readText(text);
  if (said !== undefined) code.text = said;
  draft.resource.code = Object.keys(code).length > 0 ? code : { text: values };
  for (const repetition of segment.fields[4] ?? []) {
    if (repetition === undefined) continue;
    const index = ((draft.resource.extension as Element[] | undefined) ?? []).length;
    const place = { draft, base: `extension[${index}].extension[0].valueCodeableConcept` };
    const reason = readConcept(new Cell(repetition, run, 'ARV-4', place));
    if (reason === undefined) continue;
    for (const item of (reason.coding as Element[] | undefined) ?? []) item.system ??= RESTRICTION_REASON;
    draft.append('extension', { url: REASON, extension: [{ url: 'concept', valueCodeableConcept: reason }] });
  }
  const period = cellOf(segment, 6, run)?.at({ draft, base: 'period' });
  const read = period === undefined ? undefined : readPeriod(period);
  if (read !== undefined) draft.resource.period = read;
};

/** CTI (v2.9 chapter 7.8.2): the patient as a subject of a study. */
export const cti: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 1);
  if (identity === undefined) return;
  const study = run.draft('ResearchStudy', 'reference', ...identity);
  study.clinical = false;
  study.resource.status = 'active';
  const place = { draft: study, base: '' };
  const identifier = cellOf(segment, 1, run)?.at(place);
  const read = identifier === undefined ? undefined : readEntityIdentifier(identifier);
  if (read !== undefined) place.base = `identifier[${study.append('identifier', read)}]`;
  const phase = cellOf(segment, 2, run)?.at({ draft: study, base: 'phase' });
  const concept = phase === undefined ? undefined : readConcept(phase);
  if (concept !== undefined) study.resource.phase = concept;
  const draft = run.draft('ResearchSubject', 'merge', patientOf(state).id, ...identity);
  draft.resource.study = study.reference;
  draft.resource.individual = subjectOf(state);
  draft.require('status', 'on-study');
};
