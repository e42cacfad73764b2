/** CON: what the patient consents to, or refuses, as a Consent (v2.9 chapter 9.9.1). */
import { absentConcept } from '../datatypes/extension.ts';
import { readHumanName } from '../datatypes/name.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { CON } from '../tables/documents.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const conRows = compileRows(CON);

/** HL7 table 0498. */
const STATUS: Record<string, string> = {
  A: 'active',
  L: 'active',
  R: 'rejected',
  P: 'proposed',
  B: 'inactive',
  X: 'inactive',
};

export const con: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 4) ?? [
    'form',
    peek(segment, 2) ?? '',
    peek(segment, 3) ?? '',
    peek(segment, 14) ?? peek(segment, 13) ?? peek(segment, 12) ?? run.context.messageUri,
  ];
  const draft = run.draft('Consent', 'merge', patientOf(state).id, ...identity);
  draft.resource.patient = subjectOf(state);
  conRows(segment, draft, run);
  draft.require('scope', absentConcept());
  draft.require('category', [absentConcept()]);
  draft.require('policyRule', absentConcept());
  const cell = cellOf(segment, 11, run);
  const status = STATUS[cell?.peek(1)?.toUpperCase() ?? ''];
  if (status !== undefined) {
    for (const component of [1, 2, 3]) cell?.used(component);
    draft.resource.status = status;
  }
  draft.require('status', 'active');
  consenter(segment, state, draft.resource);
};

/** CON-24 with CON-25: who consents for the patient; without a relationship it is the patient. */
function consenter(segment: SourceSegment, state: State, consent: Element): void {
  const run = state.run;
  const cell = cellOf(segment, 24, run);
  if (cell === undefined || (cell.peek(1) ?? cell.peek(2)) === undefined) return;
  const name = [cell.peek(1) ?? '', cell.peek(2) ?? ''].map((part) => part.toUpperCase());
  const person = run.draft('RelatedPerson', 'merge', patientOf(state).id, 'consenter', ...name);
  person.clinical = false;
  person.resource.patient = subjectOf(state);
  const place = { draft: person, base: '' };
  const read = readHumanName(cell.at(place));
  if (read !== undefined) place.base = `name[${person.append('name', Array.isArray(read) ? read[0] : read)}]`;
  relationRows(segment, person, run);
  consent.performer = [person.reference];
}

const relationRows = compileRows([['CON-25', 'relationship[]', 'TableConcept:0548']]);
