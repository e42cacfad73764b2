/** RXA: an immunization; other medicines that were given are in `administration.ts`. */
import { readAddress } from '../datatypes/address.ts';
import { absentConcept } from '../datatypes/extension.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import { RXA } from '../tables/pharmacy.ts';
import { ORC_REQUEST } from '../tables/results.ts';
import { lookup } from '../vocabularies.ts';
import { administered, isVaccine } from './administration.ts';
import { cellOf } from './patient.ts';
import { quantityOf } from './pharmacy.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, subjectOf } from './state.ts';

const rxaRows = compileRows(RXA);
const orcImmunization = compileRows(
  ORC_REQUEST.filter(([from]) => ['ORC-1', 'ORC-2', 'ORC-3'].includes(from)).concat([
    ['ORC-9', 'recorded', 'dateTime'],
    [
      'ORC-12',
      'performer[].actor',
      'Practitioner',
      {
        with: {
          function: {
            coding: [
              { system: 'http://terminology.hl7.org/CodeSystem/v2-0443', code: 'OP', display: 'Ordering Provider' },
            ],
          },
        },
      },
    ],
  ]),
);

/** RXA: an immunization by filler order number, else by patient, vaccine and time; of other medicines see `administered`. */
export const rxa: SegmentHandler = (segment, state) => {
  const run = state.run;
  if (!isVaccine(segment, state)) return administered(segment, state);
  const ordered = state.orc;
  state.orc = undefined;
  const filler = orderIdentity(run, ordered, 3);
  const when = [peek(segment, 5) ?? '', peek(segment, 3) ?? ''];
  const draft = run.draft(
    'Immunization',
    'merge',
    patientOf(state).id,
    ...(filler === undefined || filler[1] === '9999' ? when : [...filler, when[0]!]),
  );
  state.immunization = draft;
  state.medication = undefined;
  state.noted = { draft, element: 'note' };
  state.participated = draft;
  draft.resource.patient = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  if (ordered !== undefined) orcImmunization(ordered, draft, run);
  rxaRows(segment, draft, run);
  draft.adds.push('identifier');
  draft.require('vaccineCode', absentConcept());
  if (draft.resource.occurrenceDateTime === undefined) draft.require('occurrenceString', 'unknown');
  const quantity = peek(segment, 6) === '999' ? undefined : quantityOf(segment, 6, 7, draft, 'doseQuantity', state);
  if (quantity !== undefined) draft.resource.doseQuantity = quantity;
  else cellOf(segment, 6, run)?.used(1);
  const completion = cellOf(segment, 20, run)?.at({ draft, base: 'status' });
  const action = cellOf(segment, 21, run);
  action?.used(1);
  if (action?.peek(1)?.toUpperCase() === 'D') draft.resource.status = 'entered-in-error';
  else {
    draft.resource.status = lookup('immunizationStatus', completion?.peek(1)) ?? 'completed';
    if (lookup('immunizationStatus', completion?.peek(1)) !== undefined) completion?.text('', 1);
  }
  const address = cellOf(segment, 28, run);
  const location = run.referred((draft.resource.location as Element | undefined)?.reference);
  if (address === undefined || location === undefined) return;
  const place = { draft: location, base: 'address' };
  location.resource.address = readAddress(address.at(place)) ?? location.resource.address;
};
