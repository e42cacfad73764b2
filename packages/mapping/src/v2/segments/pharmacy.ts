/**
 * RXO, RXE, RXD, RXG, RXR, RXC: medication requests and dispenses, and how they are given. The order is the ORC before them: placer (else filler) number and drug make the request.
 */

import { Words } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { addUnits } from '../datatypes/quantity.ts';
import { readContactPoint } from '../datatypes/telecom.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { RXD, RXE, RXG, RXO, RXR_ADMINISTRATION, RXR_DOSAGE, RXR_IMMUNIZATION } from '../tables/pharmacy.ts';
import { ORC_FILLER_GROUP, ORC_REQUEST } from '../tables/results.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { orderIdentity, orderingFacility } from './results.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';
import { quantityTiming, settleTimings } from './timing.ts';

const rxoRows = compileRows(RXO);
const rxeRows = compileRows(RXE);
const rxdRows = compileRows(RXD);
const rxrDosage = compileRows(RXR_DOSAGE);
const rxrAdministration = compileRows(RXR_ADMINISTRATION);
const rxgRows = compileRows(RXG);
const rxrImmunization = compileRows(RXR_IMMUNIZATION);
const orcMedication = compileRows(
  ORC_REQUEST.filter(([from]) => !['ORC-4', 'ORC-29'].includes(from)).concat(ORC_FILLER_GROUP, [
    ['ORC-4', 'groupIdentifier', 'GroupIdentifier'],
    ['ORC-29', 'category[]', 'CodeableConcept'],
  ]),
);

interface Dose {
  low: number;
  high: number;
  units: number;
  dispense: number;
  dispenseUnits: number;
}

export const rxo: SegmentHandler = (segment, state) => {
  medicationRequest(
    segment,
    state,
    1,
    'original-order',
    { low: 2, high: 3, units: 4, dispense: 11, dispenseUnits: 12 },
    rxoRows,
  );
};

export const rxe: SegmentHandler = (segment, state) => {
  medicationRequest(
    segment,
    state,
    2,
    'order',
    { low: 3, high: 4, units: 5, dispense: 10, dispenseUnits: 11 },
    rxeRows,
  );
};

function medicationRequest(
  segment: SourceSegment,
  state: State,
  codeField: number,
  intent: string,
  dose: Dose,
  rows: typeof rxoRows,
): void {
  const run = state.run;
  const known = state.medication;
  const original = known?.type === 'MedicationRequest' ? known : undefined;
  const draft = requestDraft(segment, state, codeField, original);
  const ordered = original === draft ? state.orc : (state.orc ?? state.medicationOrder);
  state.medication = draft;
  state.noted = { draft, element: 'note' };
  state.participated = draft;
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  if (ordered !== undefined) {
    orcMedication(ordered, draft, run);
    orderStatus(ordered, draft, state);
    state.orc = undefined;
  }
  rows(segment, draft, run);
  if (ordered !== undefined) orderingFacility(ordered, draft, state);
  draft.adds.push('identifier');
  draft.require('status', 'active');
  if (original === undefined || original !== draft) draft.resource.intent = intent;
  if (codeField === 2 && original !== undefined && original !== draft) draft.resource.basedOn = [original.reference];
  doses(segment, draft, dose, state);
  rate(segment, draft, state, codeField === 1 ? { amount: 21, units: 22 } : { amount: 23, units: 24 });
  pharmacy(segment, draft, state, codeField === 1 ? { address: 33, phone: 36 } : { address: 41, phone: 45 });
  draft.require('medicationCodeableConcept', absentConcept());
  settleTimings(state);
  if (codeField === 2) quantityTiming(segment, 1, state);
  if (ordered !== undefined) quantityTiming(ordered, 7, state);
}

/**
 * The request of an order for a drug. RXE after RXO of the same order is the same request when it encodes the same
 * drug, else one of its own that is based on what was asked for.
 */
function requestDraft(segment: SourceSegment, state: State, codeField: number, original: Draft | undefined): Draft {
  const drug = peek(segment, codeField) ?? peek(segment, codeField, 2) ?? '';
  if (original !== undefined && (drug === '' || original.key.endsWith(`|${drug}`))) return original;
  const ordered = state.orc ?? state.medicationOrder;
  state.medicationOrder = ordered;
  const order = orderIdentity(state.run, ordered, 2) ??
    orderIdentity(state.run, ordered, 3) ?? ['message', state.run.context.messageUri];
  return state.run.draft('MedicationRequest', 'merge', patientOf(state).id, ...order, drug);
}

/** How fast it is given: an amount (RXO-21, RXE-23) of a unit of rate (mL/hr), beside the dose. */
function rate(segment: SourceSegment, draft: Draft, state: State, fields: { amount: number; units: number }): void {
  const units = peek(segment, fields.units);
  if (units === undefined || !/[/]/.test(units)) return;
  const index = ((dosageOf(draft).doseAndRate as Element[] | undefined) ?? []).length;
  const base = `dosageInstruction[0].doseAndRate[${index}].rateQuantity`;
  const quantity = quantityOf(segment, fields.amount, fields.units, draft, base, state);
  if (quantity === undefined) return;
  const dosage = dosageOf(draft);
  dosage.doseAndRate = [...((dosage.doseAndRate as Element[] | undefined) ?? []), { rateQuantity: quantity }];
}

/** The pharmacy's address and phone, beside its code. */
function pharmacy(
  segment: SourceSegment,
  draft: Draft,
  state: State,
  fields: { address: number; phone: number },
): void {
  const performer = (draft.resource.dispenseRequest as Element | undefined)?.performer as Element | undefined;
  const organization = state.run.referred(performer?.reference);
  if (organization === undefined) return;
  const place = { draft: organization, base: '' };
  const address = cellOf(segment, fields.address, state.run);
  const read = address === undefined ? undefined : readAddress(address.at(place));
  if (read !== undefined) place.base = `address[${organization.append('address', read)}]`;
  const at = { draft: organization, base: '' };
  const phone = cellOf(segment, fields.phone, state.run);
  const point = phone === undefined ? undefined : readContactPoint(phone.at(at), 'work');
  if (point !== undefined) at.base = `telecom[${organization.append('telecom', point)}]`;
}

function orderStatus(ordered: SourceSegment, draft: Draft, state: State): void {
  const stated = cellOf(ordered, 5, state.run);
  const mapped = lookup('requestStatus', stated?.peek(1));
  const status = mapped ?? lookup('orderControl', peek(ordered, 1));
  if (mapped !== undefined) stated?.at({ draft, base: 'status' }).text('', 1);
  if (status !== undefined) draft.resource.status = status === 'revoked' ? 'cancelled' : status;
}

/** The dosage all rows fill: `dosageInstruction[0]`. */
export function dosageOf(draft: Draft): Element {
  const list = (draft.resource.dosageInstruction as Element[] | undefined) ?? [];
  draft.resource.dosageInstruction = list;
  if (list.length === 0) {
    list.push({});
    draft.slots ??= new Map();
    draft.slots.set('dosageInstruction[first]', { element: list[0]!, base: 'dosageInstruction[0]' });
  }
  return list[0]!;
}

function dosageIn(draft: Draft): Element | undefined {
  return (draft.resource.dosageInstruction as Element[] | undefined)?.[0];
}

function doses(segment: SourceSegment, draft: Draft, fields: Dose, state: State): void {
  const run = state.run;
  const [low, most] = [peek(segment, fields.low), peek(segment, fields.high)];
  const isRange = most !== undefined && Number(most) !== Number(low);
  const index = ((dosageIn(draft)?.doseAndRate as Element[] | undefined) ?? []).length;
  const base = `dosageInstruction[0].doseAndRate[${index}].${isRange ? 'doseRange.low' : 'doseQuantity'}`;
  const amount = quantityOf(segment, fields.low, fields.units, draft, base, state);
  const high = cellOf(segment, fields.high, run)
    ?.at({ draft, base: isRange ? base.replace(/low$/, 'high') : base })
    .number('value', 1);
  if (amount !== undefined || high !== undefined) {
    const dosage = dosageOf(draft);
    const { value: _value, ...unit } = amount ?? {};
    const given =
      high === undefined || !isRange
        ? { doseQuantity: amount }
        : { doseRange: { ...(amount !== undefined && { low: amount }), high: { ...unit, value: high } } };
    dosage.doseAndRate = [...((dosage.doseAndRate as Element[] | undefined) ?? []), given];
  }
  if ((draft.resource.dispenseRequest as Element | undefined)?.quantity !== undefined) return;
  const dispensed = quantityOf(
    segment,
    fields.dispense,
    fields.dispenseUnits,
    draft,
    'dispenseRequest.quantity',
    state,
  );
  if (dispensed === undefined) return;
  const request = (draft.resource.dispenseRequest as Element | undefined) ?? {};
  request.quantity = dispensed;
  draft.resource.dispenseRequest = request;
}

/** A number and its units in two fields. */
export function quantityOf(
  segment: SourceSegment,
  field: number,
  unitField: number,
  draft: Draft,
  base: string,
  state: State,
): Element | undefined {
  const value = cellOf(segment, field, state.run)?.at({ draft, base }).number('value', 1);
  if (value === undefined) return undefined;
  const quantity: Element = { value };
  const units = cellOf(segment, unitField, state.run)?.at({ draft, base });
  if (units !== undefined) addUnits(quantity, units, '');
  return quantity;
}

/** RXG: the order to give one dose of what RXE ordered, by its give sub-id. */
export const rxg: SegmentHandler = (segment, state) => {
  const run = state.run;
  const order = state.medication?.type === 'MedicationRequest' ? state.medication : undefined;
  const ordered = state.orc ?? state.medicationOrder;
  const identity = orderIdentity(run, ordered, 2) ??
    orderIdentity(run, ordered, 3) ?? ['message', run.context.messageUri];
  const key = [...identity, 'give', peek(segment, 1) ?? '', peek(segment, 4) ?? peek(segment, 4, 2) ?? ''];
  const draft = run.draft('MedicationRequest', 'merge', patientOf(state).id, ...key);
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  if (state.orc !== undefined) {
    orcMedication(state.orc, draft, run);
    orderStatus(state.orc, draft, state);
    state.medicationOrder = state.orc;
    state.orc = undefined;
  }
  state.medication = draft;
  state.noted = { draft, element: 'note' };
  state.participated = draft;
  rxgRows(segment, draft, run);
  draft.adds.push('identifier');
  draft.require('status', 'active');
  draft.resource.intent = 'instance-order';
  if (order !== undefined) draft.resource.basedOn = [order.reference];
  doses(segment, draft, { low: 5, high: 6, units: 7, dispense: 99, dispenseUnits: 99 }, state);
  rate(segment, draft, state, { amount: 15, units: 16 });
  draft.require('medicationCodeableConcept', absentConcept());
  settleTimings(state);
  quantityTiming(segment, 3, state);
};

export const rxd: SegmentHandler = (segment, state) => {
  const run = state.run;
  const request = state.medication;
  const number = peek(segment, 7);
  const order = number === undefined ? undefined : ['prescription', number];
  const identity = orderIdentity(run, state.orc, 3) ??
    orderIdentity(run, state.orc, 2) ??
    order ?? ['message', run.context.messageUri];
  const draft = run.draft(
    'MedicationDispense',
    'merge',
    patientOf(state).id,
    ...identity,
    peek(segment, 2) ?? '',
    peek(segment, 1) ?? '',
  );
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.context = state.encounter.reference;
  rxdRows(segment, draft, run);
  draft.require('medicationCodeableConcept', absentConcept());
  draft.resource.status = 'completed';
  if (request?.type === 'MedicationRequest') draft.resource.authorizingPrescription = [request.reference];
  const quantity = quantityOf(segment, 4, 5, draft, 'quantity', state);
  if (quantity !== undefined) draft.resource.quantity = quantity;
  state.medication = draft;
  state.noted = { draft, element: 'note' };
};

export const rxr: SegmentHandler = (segment, state) => {
  if (state.medication?.type === 'MedicationAdministration') rxrAdministration(segment, state.medication, state.run);
  else if (state.immunization !== undefined) rxrImmunization(segment, state.immunization, state.run);
  else if (state.medication !== undefined) {
    dosageOf(state.medication);
    rxrDosage(segment, state.medication, state.run);
  }
};

/** RXC: components of a compound, told in the dosage's text since MedicationRequest has no place for them. */
export const rxc: SegmentHandler = (segment, state) => {
  const draft = state.medication;
  if (draft === undefined) return;
  const place = { draft, base: 'note' };
  const words = new Words('text', ' ', INTRODUCTION);
  for (const field of [1, 2, 3, 4, 5, 6, 8, 9]) {
    const cell = cellOf(segment, field, state.run)?.at(place);
    for (const component of field === 2 ? [1, 2, 3] : [1, 2]) words.add(cell, component);
  }
  if (words.text !== INTRODUCTION) place.base = `note[${draft.append('note', { text: words.text })}]`;
};

const INTRODUCTION = 'Component:';
