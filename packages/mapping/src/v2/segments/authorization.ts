/** AUT: what a payer authorizes of a referral, as the answer to a preauthorization (v2.9 chapter 11.8.2). */
import { readCodedOrganization } from '../datatypes/party.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { AUT } from '../tables/finance.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, subjectOf } from './state.ts';

const autRows = compileRows(AUT);
const CLAIM = 'http://terminology.hl7.org/CodeSystem/claim-type';

export const aut: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 6) ?? [
    peek(segment, 2) ?? peek(segment, 3) ?? '',
    peek(segment, 4) ?? run.context.messageUri,
  ];
  const draft = run.draft('ClaimResponse', 'merge', patientOf(state).id, ...identity);
  draft.clinical = false;
  Object.assign(draft.resource, {
    status: 'active',
    type: { coding: [{ system: CLAIM, code: 'institutional' }] },
    use: 'preauthorization',
    patient: subjectOf(state),
    outcome: 'complete',
    insurer: insurer(segment, run) ?? { display: 'Not stated' },
  });
  draft.defaults.push('type');
  autRows(segment, draft, run);
  draft.require('created', run.asOf);
  if (state.request?.type !== 'ServiceRequest') return;
  const treatments = cellOf(segment, 9, run)?.at({ draft: state.request, base: 'quantityQuantity' }).number('value', 1);
  if (treatments !== undefined) state.request.resource.quantityQuantity = { value: treatments, unit: 'treatments' };
  state.request.append('insurance', draft.reference);
  state.request.adds.push('insurance');
};

/** AUT-2 (company id) and AUT-3 (company name). */
function insurer(segment: SourceSegment, run: Run): Element | undefined {
  const id = cellOf(segment, 2, run);
  const name = cellOf(segment, 3, run);
  const reference = id === undefined ? undefined : readCodedOrganization(id);
  if (name?.peek(1) === undefined) return reference;
  const known = run.referred(reference?.reference);
  const draft = known ?? run.draft('Organization', 'reference', 'name', name.peek(1)!.toUpperCase());
  draft.clinical = false;
  draft.resource.name = name.at({ draft, base: 'name' }).text('', 1);
  return { ...draft.reference, display: String(draft.resource.name) };
}
