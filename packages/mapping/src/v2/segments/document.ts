/** TXA and the OBX after it: a document with its content. */
import { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { readEntityIdentifier } from '../datatypes/identifier.ts';
import { readPractitioner } from '../datatypes/party.ts';
import { readText } from '../datatypes/primitive.ts';
import { readDevice } from '../datatypes/special.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Place, SourceSegment } from '../source.ts';
import { TXA } from '../tables/documents.ts';
import { lookup } from '../vocabularies.ts';
import { readEncapsulated, readPointer } from './observation-value.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { type SegmentHandler, type State, subjectOf } from './state.ts';

const txaRows = compileRows(TXA);

export const txa: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 12) ?? ['message', run.context.messageUri];
  const draft = run.draft('DocumentReference', 'merge', ...identity);
  state.document = draft;
  state.documentText = undefined;
  state.noted = { draft, element: 'description' };
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.context = { encounter: [state.encounter.reference] };
  txaRows(segment, draft, run);
  draft.require('type', absentConcept());
  status(segment, state);
  relates(segment, state);
  if (state.request !== undefined) {
    draft.resource.context ??= {};
    const context = draft.resource.context as Element;
    context.related = [state.request.reference];
  }
};

/** TXA-19 and the event: T11 (cancel) withdraws, T09/T10 (replacement) supersede the parent. */
function status(segment: SourceSegment, state: State): void {
  const draft = state.document!;
  const availability = cellOf(segment, 19, state.run)?.at({ draft, base: 'status' });
  const code = availability?.peek(1)?.toUpperCase();
  if (state.event === 'T11' || code === 'CA') draft.resource.status = 'entered-in-error';
  else if (code === 'OB') draft.resource.status = 'superseded';
  else draft.resource.status = 'current';
  if (code === 'AV' || code === 'CA' || code === 'OB') availability?.text('', 1);
  const completion = cellOf(segment, 17, state.run)?.at({ draft, base: 'docStatus' });
  const doc = state.event === 'T11' ? 'entered-in-error' : lookup('documentCompletion', completion?.peek(1));
  if (doc === undefined) return;
  draft.resource.docStatus = doc;
  if (state.event === 'T11') completion?.used(1);
  else completion?.text('', 1);
}

/** TXA-13: the parent document that this one replaces (T09, T10) or adds to (T05, T06). */
function relates(segment: SourceSegment, state: State): void {
  const cell = cellOf(segment, 13, state.run)?.at({ draft: state.document, base: 'relatesTo[0].target.identifier' });
  const identifier = cell === undefined ? undefined : readEntityIdentifier(cell);
  if (identifier === undefined) return;
  const draft = state.document!;
  const replaces = state.event === 'T09' || state.event === 'T10';
  draft.resource.relatesTo = [
    {
      code: replaces ? 'replaces' : 'appends',
      target: { type: 'DocumentReference', identifier },
    },
  ];
}

/** OBX after TXA: text lines are gathered into one attachment, encapsulated data becomes one of its own. */
export function addContent(segment: SourceSegment, state: State): void {
  const run = state.run;
  run.segment = segment;
  const draft = state.document!;
  for (const atom of segment.fields[1]?.[0]?.[1] ?? []) if (atom !== undefined) atom.disposition = 'structural';
  const typeCell = cellOf(segment, 2, run);
  const type = typeCell?.used(1)?.toUpperCase();
  const kind = cellOf(segment, 3, run);
  if (kind !== undefined) {
    const place = { draft, base: '' };
    const concept = readConcept(kind.at(place));
    if (concept !== undefined) place.base = `category[${draft.append('category', concept)}]`;
  }
  for (const field of [11, 29]) cellOf(segment, field, run)?.used(1);
  for (const component of [1, 2, 3, 4]) cellOf(segment, 4, run)?.used(component);
  devices(segment, state);
  for (const field of [16, 25]) {
    const author = cellOf(segment, field, run);
    const reference = author === undefined ? undefined : readPractitioner(author);
    if (reference !== undefined) draft.append('author', reference);
  }
  for (const repetition of segment.fields[5] ?? []) {
    if (repetition === undefined) continue;
    draft.resource.content ??= [];
    const list = draft.resource.content as Element[];
    if (type === 'ED' || type === 'RP') {
      const place = { draft, base: `content[${list.length}].attachment` };
      const cell = new Cell(repetition, run, 'OBX-5', place);
      const attachment = type === 'ED' ? readEncapsulated(cell) : readPointer(cell);
      if (attachment === undefined) continue;
      const made = creation(segment, place, state);
      list.push({ attachment: { ...attachment, ...(made !== undefined && { creation: made }) } });
      state.documentPlaces.push(place);
      continue;
    }
    const cell = new Cell(repetition, run, 'OBX-5', { draft, base: 'content[0].attachment.data' });
    const line = readText(cell);
    if (line === undefined) continue;
    const before = state.documentText === undefined ? '' : `${state.documentText}\n`;
    cell.shift(before.length);
    state.documentText = before + line;
  }
}

/** OBX-18: the equipment that made the content. */
function devices(segment: SourceSegment, state: State): void {
  for (const repetition of segment.fields[18] ?? []) {
    const device = repetition === undefined ? undefined : readDevice(new Cell(repetition, state.run, 'OBX-18'));
    if (device !== undefined) state.document!.append('author', device);
  }
}

/** OBX-19, else OBX-14: when the content was made. */
function creation(segment: SourceSegment, place: Place, state: State): string | undefined {
  for (const field of [19, 14]) {
    const made = cellOf(segment, field, state.run)?.at(place).dateTime('creation', 1);
    if (made !== undefined) return made;
  }
  return undefined;
}

/** Writes the gathered lines as the document's first content. */
export function settleDocument(state: State): void {
  const draft = state.document;
  if (draft === undefined) return;
  draft.resource.content ??= [];
  const list = draft.resource.content as Element[];
  if (state.documentText !== undefined) {
    for (const [index, place] of state.documentPlaces.entries()) place.base = `content[${index + 1}].attachment`;
    list.unshift({
      attachment: {
        contentType: 'text/plain; charset=utf-8',
        data: Buffer.from(state.documentText, 'utf8').toString('base64'),
      },
    });
  }
  if (list.length === 0) {
    list.push({ attachment: { title: 'No content sent' } });
    draft.defaults.push('content');
  }
  state.document = undefined;
  state.documentText = undefined;
  state.documentPlaces = [];
}
