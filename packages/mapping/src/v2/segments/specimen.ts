/** SPM and SAC: specimens and their containers; and what OBR says of a specimen. */
import { Cell } from '../cell.ts';
import { systemOf } from '../datatypes/identifier.ts';
import type { Draft } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { OBR_SPECIMEN, SAC, SAC_ACCESSION, SAC_OTHER_ACCESSION, SPM } from '../tables/results.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const obrSpecimenRows = compileRows(OBR_SPECIMEN);
const spmRows = compileRows(SPM);
const sacRows = compileRows(SAC);
const accessionRows = compileRows(SAC_ACCESSION);
const otherAccessionRows = compileRows(SAC_OTHER_ACCESSION);

const SPECIMEN_FIELDS = [9, 10, 14, 15, 39];

/** Specimen facts in OBR: a specimen of its own unless SPM follows, which then completes the same one. */
export function collectedSpecimen(segment: SourceSegment, state: State): void {
  if (!SPECIMEN_FIELDS.some((field) => segment.fields[field] !== undefined)) return;
  const draft = specimenDraft(state, ['order', ...state.orderKey]);
  obrSpecimenRows(segment, draft, state.run);
}

function specimenDraft(state: State, identity: string[]): Draft {
  const draft = state.run.draft('Specimen', 'merge', ...identity);
  draft.resource.subject = subjectOf(state);
  draft.adds.push('identifier');
  state.specimen = draft;
  if (state.report !== undefined) state.report.append('specimen', draft.reference);
  if (state.request !== undefined) {
    state.request.append('specimen', draft.reference);
    state.request.adds.push('specimen');
  }
  return draft;
}

export const spm: SegmentHandler = (segment, state) => {
  const run = state.run;
  const repetition = segment.fields[2]?.[0];
  let identity: string[] | undefined;
  if (repetition !== undefined) {
    const cell = new Cell(repetition, run, '');
    for (const component of [2, 1]) {
      const part = cell.inside(component);
      const id = part?.peek(1);
      if (part !== undefined && id !== undefined) {
        identity = [
          systemOf(run, { namespace: part.peek(2), universal: part.peek(3), universalType: part.peek(4) }),
          id,
        ];
        break;
      }
    }
  }
  const ofOrder = state.specimen;
  const fallback =
    state.orderKey.length > 0
      ? ['order', ...state.orderKey]
      : ['patient', patientOf(state).id, peek(segment, 17) ?? run.context.messageUri];
  if (identity === undefined && ofOrder !== undefined && peek(segment, 1) !== '1')
    fallback.push(peek(segment, 1) ?? '');
  const draft = specimenDraft(state, identity ?? fallback);
  if (
    ofOrder !== undefined &&
    ofOrder !== draft &&
    ofOrder.slots === undefined &&
    ofOrder.key.startsWith('Specimen|order|')
  ) {
    draft.append('parent', ofOrder.reference);
  }
  spmRows(segment, draft, run);
  const available = cellOf(segment, 20, run);
  const availability = available?.peek(1)?.toUpperCase();
  if (availability === 'Y' || availability === 'N') {
    draft.resource.status = availability === 'Y' ? 'available' : 'unavailable';
    available?.at({ draft, base: 'status' }).text('', 1);
  }
  state.noted = { draft, element: 'note' };
};

/** SAC after SPM, or alone: then the container's own id is what is known of the specimen. */
export const sac: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 3) ?? orderIdentity(run, segment, 4) ?? orderIdentity(run, segment, 2);
  const known = state.specimen;
  if (known === undefined && identity === undefined) return;
  const draft = known ?? specimenDraft(state, ['container', ...identity!]);
  if (draft.resource.accessionIdentifier === undefined) accessionRows(segment, draft, run);
  else otherAccessionRows(segment, draft, run);
  sacRows(segment, draft, run);
};
