/** INV: a reagent, control or other substance on a laboratory's shelf (v2.9 chapter 13.4.4), as a Substance. */
import { absentConcept } from '../datatypes/extension.ts';
import { addUnits } from '../datatypes/quantity.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import { cellOf } from './patient.ts';
import { peek, type SegmentHandler } from './state.ts';

const invRows = compileRows([
  ['INV-1', 'code', 'CodeableConcept'],
  ['INV-3', 'category[]', 'CodeableConcept'],
  ['INV-4', 'instance[first].identifier', 'CodedIdentifier'],
  ['INV-12', 'instance[first].expiry', 'dateTime'],
  ['INV-16', 'identifier[]', 'PlainIdentifier', { with: { type: { text: 'Test kit' } } }],
  ['INV-17', 'identifier[]', 'PlainIdentifier', { with: { type: { text: 'Manufacturer lot' } } }],
  ['INV-18', 'identifier[]', 'PlainIdentifier', { with: { type: { text: 'Supplier' } } }],
]);

/** HL7 table 0383: what may not be used. */
const UNUSABLE = /^(E[A-Z]|QW)$/i;

export const inv: SegmentHandler = (segment, state) => {
  const run = state.run;
  const container = peek(segment, 4) ?? peek(segment, 17) ?? String(segment.occurrence);
  const draft = run.draft('Substance', 'merge', peek(segment, 1) ?? '', container);
  draft.clinical = false;
  draft.adds.push('identifier');
  invRows(segment, draft, run);
  draft.require('code', absentConcept());
  const stated = cellOf(segment, 2, run);
  const status = stated?.used(1);
  for (const component of [2, 3]) stated?.used(component);
  draft.resource.status = status !== undefined && UNUSABLE.test(status) ? 'inactive' : 'active';
  const at = { draft, base: 'instance[0].quantity' };
  const value = cellOf(segment, 9, run)?.at(at).number('value', 1);
  if (value === undefined) return;
  const quantity: Element = { value };
  const units = cellOf(segment, 11, run)?.at(at);
  if (units !== undefined) addUnits(quantity, units, '');
  draft.resource.instance ??= [{}];
  (draft.resource.instance as Element[])[0]!.quantity = quantity;
};
