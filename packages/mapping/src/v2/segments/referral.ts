/** RF1: a referral; DB1: the disabled person's own number, when that person is the patient. */
import { compileRows } from '../engine.ts';
import { RF1 } from '../tables/referral.ts';
import { DB1, DB1_STATEMENTS } from '../tables/statements.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, subjectOf } from './state.ts';
import { statements } from './statements.ts';

const rf1Rows = compileRows(RF1);
const db1Rows = compileRows(DB1);

/** HL7 table 0283. */
const STATUS: Record<string, string> = { A: 'active', P: 'active', E: 'completed', R: 'revoked' };

export const rf1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = orderIdentity(run, segment, 6) ??
    orderIdentity(run, segment, 11) ?? ['message', run.context.messageUri];
  const draft = run.draft('ServiceRequest', 'merge', 'referral', ...identity);
  draft.resource.subject = subjectOf(state);
  rf1Rows(segment, draft, run);
  draft.adds.push('identifier');
  const status = cellOf(segment, 1, run)?.at({ draft, base: 'status' });
  const known = STATUS[status?.peek(1)?.toUpperCase() ?? ''];
  if (known === undefined) draft.require('status', 'active');
  else {
    draft.resource.status = known;
    for (const component of [1, 2, 3]) status?.used(component);
  }
  draft.resource.intent = 'order';
  const priority = cellOf(segment, 2, run)?.at({ draft, base: 'priority' });
  const urgency = lookup('requestPriority', priority?.peek(1));
  if (urgency !== undefined) {
    draft.resource.priority = urgency;
    priority?.text('', 1);
    priority?.used(2);
    priority?.used(3);
  }
  state.request = draft;
  state.participated = draft;
  state.noted = { draft, element: 'note' };
};

export const db1: SegmentHandler = (segment, state) => {
  if (peek(segment, 2)?.toUpperCase() !== 'PT') return;
  db1Rows(segment, patientOf(state), state.run);
  statements(segment, DB1_STATEMENTS, state);
};
