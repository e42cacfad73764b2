/** Medications that somebody takes, or is to take, as the record has them. */
import type {
  CodeableConcept,
  Dosage,
  Medication,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Reference,
  Resource,
} from '@medplum/fhirtypes';
import { type Chart, latestOfEach, newestFirst, targetOf, timeOf } from './chart.ts';
import { hasCode, NONE_KNOWN } from './codes.ts';
import type { Told } from './told.ts';
import { choice, conceptKey, conceptWords, dayWords, quantityWords, valueWords } from './words.ts';

type Stated = MedicationRequest | MedicationStatement;
type Holder = Resource & { medicationCodeableConcept?: CodeableConcept; medicationReference?: Reference };

const STATED = ['active', 'on-hold', 'intended', 'unknown'];
const MEANT = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order', 'plan'];

/** Requests and statements that are in force; of what was only handed out the latest of each medication. */
export function medications(chart: Chart): Told {
  const requests = chart.all<MedicationRequest>('MedicationRequest').filter((one) => MEANT.includes(one.intent));
  const statements = chart.all<MedicationStatement>('MedicationStatement');
  const all: Stated[] = [...requests, ...statements];
  const inForce = all.filter(({ status = 'unknown' }) => STATED.includes(status));
  const some = inForce.filter((one) => !hasCode(conceptOf(chart, one), ...NONE_KNOWN.medications));
  const handedOut = dispensesAlone(chart, all);
  const stated = some.length > 0 || handedOut.length > 0 ? some : inForce;
  const ended = all.filter(({ status = '' }) => ['completed', 'stopped', 'cancelled'].includes(status)).length;
  const plural = ended === 1 ? 'medication that has' : 'medications that have';
  return {
    entries: [
      ...newestFirst<Stated>(stated).map((resource) => ({ resource, rows: [row(chart, resource, resource)] })),
      ...handedOut.map((resource) => ({ resource, rows: [row(chart, resource, resource)] })),
    ],
    below: ended === 0 ? [] : [`The record also tells of ${ended} ${plural} ended.`],
  };
}

/** What was handed out of medications of which nothing else is said. */
function dispensesAlone(chart: Chart, stated: readonly Stated[]): MedicationDispense[] {
  const known = new Set(stated.map((one) => conceptKey(conceptOf(chart, one))));
  const targets = new Set(stated.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const alone = chart
    .all<MedicationDispense>('MedicationDispense')
    .filter(({ status }) => status === 'completed' || status === 'in-progress')
    .filter(({ authorizingPrescription = [] }) => !authorizingPrescription.some((one) => targets.has(targetOf(one)!)))
    .filter((one) => !known.has(conceptKey(conceptOf(chart, one))));
  return latestOfEach(alone, (one) => conceptKey(conceptOf(chart, one)));
}

function conceptOf(chart: Chart, holder: Holder): CodeableConcept | undefined {
  return (
    holder.medicationCodeableConcept ?? chart.find<Medication>(holder.medicationReference, holder)?.code ?? undefined
  );
}

function row(chart: Chart, holder: Holder, resource: Stated | MedicationDispense): string[] {
  const dosage = resource.resourceType === 'MedicationStatement' ? resource.dosage : resource.dosageInstruction;
  const name = conceptWords(conceptOf(chart, holder)) || holder.medicationReference?.display || 'not stated';
  return [name, (dosage ?? []).map(dosageWords).join('; '), resource.status ?? '', dayWords(timeOf(resource))];
}

function dosageWords(dosage: Dosage): string {
  const { text, patientInstruction, doseAndRate = [], route, timing, asNeededBoolean } = dosage;
  if (text !== undefined) return text;
  const doses = doseAndRate.map((one) => valueWords(choice(one, 'dose')));
  const { frequency, period, periodUnit } = timing?.repeat ?? {};
  const often =
    frequency === undefined || period === undefined
      ? conceptWords(timing?.code)
      : `${quantityWords({ value: frequency })} × per ${quantityWords({ value: period, unit: periodUnit })}`;
  const parts = [...doses, conceptWords(route), often, asNeededBoolean ? 'as needed' : '', patientInstruction ?? ''];
  return parts.filter((part) => part !== '').join(', ');
}
