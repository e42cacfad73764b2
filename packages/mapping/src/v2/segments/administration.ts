/** RXA of a medicine (RAS): what was given to the patient, when and how much, as a MedicationAdministration. */
import { absentConcept } from '../datatypes/extension.ts';
import type { Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { RXA_ADMINISTRATION, RXA_MEDICATION } from '../tables/pharmacy.ts';
import { cellOf } from './patient.ts';
import { quantityOf } from './pharmacy.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type State, subjectOf } from './state.ts';
import { settleTimings } from './timing.ts';

const administrationRows = compileRows(RXA_ADMINISTRATION);
const medicationRows = compileRows(RXA_MEDICATION);

/** Messages of pharmacies; in all others RXA is a vaccination. */
const PHARMACY = new Set(['RAS', 'RDS', 'RDE', 'RGV', 'RRA']);

export function isVaccine(segment: SourceSegment, state: State): boolean {
  if (!PHARMACY.has(state.code)) return true;
  return [3, 6].some((system) => /^(CVX|HL70292)$/i.test(peek(segment, 5, system) ?? ''));
}

/** HL7 table 0322. */
const STATUS: Record<string, string> = { CP: 'completed', PA: 'stopped', RE: 'not-done', NA: 'not-done' };

/** One administration of an order: by filler (else placer) number, administration sub-id and time. */
export function administered(segment: SourceSegment, state: State): void {
  const run = state.run;
  const ordered = state.orc ?? state.medicationOrder;
  const before = state.medication;
  const request = before?.type === 'MedicationRequest' ? before.reference : before?.resource.request;
  const identity = orderIdentity(run, ordered, 3) ??
    orderIdentity(run, ordered, 2) ?? ['message', run.context.messageUri];
  const given = [peek(segment, 2) ?? '', peek(segment, 3) ?? '', peek(segment, 5) ?? ''];
  const draft = run.draft('MedicationAdministration', 'merge', patientOf(state).id, ...identity, ...given);
  state.orc = undefined;
  state.medicationOrder = ordered;
  state.immunization = undefined;
  settleTimings(state);
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.context = state.encounter.reference;
  if (request !== undefined) draft.resource.request = request;
  administrationRows(segment, draft, run);
  medicine(segment, state, draft.resource, [draft.id]);
  if (draft.resource.effectivePeriod === undefined && draft.resource.effectiveDateTime === undefined)
    draft.resource._effectiveDateTime = { extension: [{ url: ABSENT, valueCode: 'unknown' }] };
  const quantity = quantityOf(segment, 6, 7, draft, 'dosage.dose', state);
  if (quantity !== undefined) draft.resource.dosage = { ...(draft.resource.dosage as Element), dose: quantity };
  const completion = cellOf(segment, 20, run);
  const action = cellOf(segment, 21, run)?.used(1)?.toUpperCase();
  const status = STATUS[completion?.used(1)?.toUpperCase() ?? ''];
  draft.resource.status = action === 'D' ? 'entered-in-error' : (status ?? 'completed');
  state.medication = draft;
  state.noted = { draft, element: 'note' };
  state.participated = draft;
}

const ABSENT = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

function medicine(segment: SourceSegment, state: State, resource: Element, identity: string[]): void {
  const run = state.run;
  const medication = run.draft('Medication', 'merge', ...identity);
  medication.clinical = false;
  medicationRows(segment, medication, run);
  medication.require('code', absentConcept());
  resource.medicationReference = medication.reference;
}
