/** FT1: charges. */
import { readConcept, shiftCodings } from '../datatypes/coded.ts';
import { absentConcept } from '../datatypes/extension.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { FT1 } from '../tables/finance.ts';
import { cellOf } from './patient.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const ft1Rows = compileRows(FT1);

/** FT1: a charge by its transaction id, else by what, when and how it was charged. */
export const ft1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const id = peek(segment, 2);
  const key =
    id === undefined ? ['unnumbered', run.context.messageUri, String(segment.occurrence)] : ['transaction', id];
  const draft = run.draft('ChargeItem', 'merge', patientOf(state).id, ...key);
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.context = state.encounter.reference;
  if (state.account !== undefined) draft.resource.account = [state.account.reference];
  ft1Rows(segment, draft, run);
  procedureCode(segment, draft, state);
  unitPrice(segment, state);
  itemUsed(segment, draft, state);
  dispensed(segment, draft, state);
  draft.require('code', absentConcept());
  const type = peek(segment, 6)?.toUpperCase();
  draft.resource.status = type === 'VO' || type === 'CD' ? 'aborted' : 'billable';
  state.noted = { draft, element: 'note' };
};

/** FT1-34 (item number) and FT1-35 (model): the item that is charged for. */
function itemUsed(segment: SourceSegment, draft: Draft, state: State): void {
  const [item, model] = [peek(segment, 34) ?? peek(segment, 34, 2), peek(segment, 35)];
  if (item === undefined && model === undefined) return;
  const device = state.run.draft('Device', 'reference', 'item', item ?? '', model ?? '');
  device.clinical = false;
  itemRows(segment, device, state.run);
  draft.append('supportingInformation', device.reference);
}

/** FT1-42 and -43 (prescription number, quantity of the product of FT1-29): the dispense that is charged. */
function dispensed(segment: SourceSegment, draft: Draft, state: State): void {
  const number = peek(segment, 42);
  if (number === undefined && peek(segment, 43) === undefined) return;
  const product = peek(segment, 29) ?? '';
  const key = number === undefined ? ['charge', draft.id] : ['prescription', number, product];
  const dispense = state.run.draft('MedicationDispense', 'reference', patientOf(state).id, ...key);
  dispense.resource.subject = subjectOf(state);
  dispense.resource.status = 'completed';
  dispenseRows(segment, dispense, state.run);
  const drug = draft.resource.productCodeableConcept;
  dispense.resource.medicationCodeableConcept = drug ?? absentConcept();
  draft.append('service', dispense.reference);
}

const dispenseRows = compileRows([
  [
    'FT1-42',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'RX' }] } } },
  ],
  ['FT1-43', 'quantity', 'Quantity'],
]);

const itemRows = compileRows([
  ['FT1-34', 'identifier[]', 'CodedIdentifier'],
  ['FT1-35', 'modelNumber', 'string'],
]);

/** FT1-25: the procedure in a standard coding, beside the sender's own charge code (FT1-7). */
function procedureCode(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 25, state.run);
  if (cell === undefined) return;
  const place = { draft, base: '' };
  const concept = readConcept(cell.at(place));
  if (concept === undefined) return;
  const code = (draft.resource.code as Element | undefined) ?? {};
  const known = (code.coding as Element[] | undefined) ?? [];
  const stated = (concept.coding as Element[] | undefined) ?? [];
  place.base = 'code';
  if (stated.length > 0) shiftCodings(segment.fields[25]?.[0], known.length);
  if (stated.length > 0) code.coding = [...known, ...stated];
  if (concept.text !== undefined) code.text ??= concept.text;
  draft.resource.code = code;
}

/** FT1-12: a unit price that with the quantity makes the amount (FT1-11) says nothing more. */
function unitPrice(segment: SourceSegment, state: State): void {
  const [quantity, amount, unit] = [10, 11, 12].map((field) => Number(peek(segment, field) ?? Number.NaN));
  if (Math.abs((quantity ?? 1) * unit! - amount!) >= 0.005 || Number.isNaN(unit)) return;
  const cell = cellOf(segment, 12, state.run);
  cell?.used(1);
  if (peek(segment, 12, 1) !== undefined) cell?.used(1, 2);
}
