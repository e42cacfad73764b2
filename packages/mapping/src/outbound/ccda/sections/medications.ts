/** Medications: what is taken, ordered, dispensed and given. */
import type {
  CodeableConcept,
  Condition,
  Dosage,
  Medication,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Period,
  Reference,
  Resource,
} from '@medplum/fhirtypes';
import { dayWords, periodWords } from '../any-value.ts';
import { backwards } from '../codes.ts';
import { amounts, dosageWords, effectiveTimes, instructions } from '../dosage.ts';
import { type CdaElement, type Child, el } from '../element.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors, performer } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, fixed, hasCode, ids, nameOf, quantity, time } from '../values.ts';
import type { Writer } from '../writer.ts';

export const MEDICATIONS: SectionKind = {
  template: ['.2.1.1', '2014-06-09'],
  code: '10160-0',
  display: 'History of Medication use Narrative',
  title: 'Medications',
  none: 'There is no information about medications.',
};

export const MEDICATION_COLUMNS = ['Medication', 'Dosage', 'When', 'Status'];

type Medicine = MedicationStatement | MedicationRequest | MedicationAdministration;

const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
/** Codes that say that nothing is taken. */
const NONE = ['787481004', 'no-known-medications'];
const NO_INFORMATION = 'no-medication-info';

/** Everything that is taken or ordered; what is only planned is in the plan. */
export function writeMedications(writer: Writer): SectionBody {
  const body = emptyBody(MEDICATION_COLUMNS);
  for (const medicine of medicinesOf(writer)) {
    if (!writer.take(medicine)) addMedicine(writer, medicine, body);
  }
  for (const dispense of writer.chart.all<MedicationDispense>('MedicationDispense')) {
    if (dispense.status === 'entered-in-error' || writer.isTaken(dispense)) continue;
    const row = writer.nextId('medication');
    body.rows.push({ id: row, cells: [nameIn(writer, dispense), '', dayWords(dispense.whenHandedOver), 'dispensed'] });
    body.entries.push(aroundDispense(writer, dispense, row));
  }
  return body;
}

export function medicinesOf(writer: Writer): Medicine[] {
  const { chart } = writer;
  const all: Medicine[] = [
    ...chart.all<MedicationStatement>('MedicationStatement'),
    ...chart.all<MedicationRequest>('MedicationRequest').filter((request) => !isPlanned(writer, request)),
    ...chart.all<MedicationAdministration>('MedicationAdministration'),
  ];
  return all.filter((one) => one.status !== 'entered-in-error' && !hasCode(conceptOf(writer, one), NO_INFORMATION));
}

/** A proposal or plan, or a draft: told of in the plan of treatment. */
export function isPlanned(writer: Writer, request: MedicationRequest): boolean {
  if (writer.chart.sectionOf(request) === '18776-5') return true;
  return request.intent === 'proposal' || request.intent === 'plan' || request.status === 'draft';
}

export function addMedicine(writer: Writer, medicine: Medicine, body: SectionBody): void {
  const row = writer.nextId('medication');
  body.rows.push({ id: row, cells: medicineCells(writer, medicine) });
  body.entries.push(medicationActivity(writer, medicine, row));
}

export function medicineCells(writer: Writer, medicine: Medicine): string[] {
  const denied = isDenied(writer, medicine) ? ' (not taken)' : '';
  const { period: during, moment } = timeOf(medicine);
  return [
    `${nameIn(writer, medicine)}${denied}`,
    dosageWords(dosagesOf(medicine)),
    during === undefined ? dayWords(moment) : periodWords(during.start, during.end),
    medicine.status ?? '',
  ];
}

/** Medication Activity. */
export function medicationActivity(writer: Writer, medicine: Medicine, row?: string): CdaElement {
  writer.take(medicine);
  const dosages = dosagesOf(medicine);
  const moodCode = medicine.resourceType === 'MedicationRequest' ? 'INT' : 'EVN';
  const none = hasCode(conceptOf(writer, medicine), ...NONE);
  const element = statement(
    'substanceAdministration',
    { classCode: 'SBADM', moodCode, negationInd: isDenied(writer, medicine) || undefined },
    template('medicationActivity'),
    ids(medicine),
    categoryCode(medicine),
    textReference(row),
    statusCode(activityStatus(medicine)),
    effectiveTimes(dosages, timeOf(medicine)),
    amounts(dosages[0]),
    el('consumable', {}, manufactured(none ? undefined : conceptOf(writer, medicine), none ? 'NA' : undefined)),
    medicineAuthors(writer, medicine),
    medicine.resourceType === 'MedicationAdministration'
      ? (medicine.performer ?? []).map(({ actor }) => performer(writer, actor, medicine))
      : undefined,
    reasons(writer, medicine),
    instructions(dosages, writer, moodCode),
    medicine.resourceType === 'MedicationRequest' ? supplyOrder(writer, medicine) : undefined,
    dispenses(writer, medicine),
    notes(medicine.note, writer),
    nested(writer, medicine),
  );
  return putBack(element, medicine);
}

/** What kind of medication act it is, where the category is a code of LOINC and not FHIR's own. */
function categoryCode(medicine: Medicine): CdaElement | undefined {
  const { category } = medicine;
  const all = category === undefined ? [] : Array.isArray(category) ? category : [category];
  const coding = all.flatMap((one) => (one.coding ?? []).filter(({ system }) => system === 'http://loinc.org'));
  return coding.length === 0 ? undefined : code('code', { coding });
}

export function medicineAuthors(writer: Writer, medicine: Medicine): CdaElement[] {
  if (medicine.resourceType === 'MedicationRequest') {
    return authors(writer, medicine, { who: medicine.requester, time: medicine.authoredOn });
  }
  if (medicine.resourceType === 'MedicationStatement') {
    return authors(writer, medicine, { who: medicine.informationSource, time: medicine.dateAsserted });
  }
  return authors(writer, medicine);
}

/** Medication Information. */
export function manufactured(concept: CodeableConcept | undefined, none?: string): CdaElement {
  return el(
    'manufacturedProduct',
    { classCode: 'MANU' },
    template('medicationInformation'),
    el('manufacturedMaterial', {}, code('code', concept, { prefer: [RXNORM], none })),
  );
}

/** What the medicine is, also where a Medication resource says it. */
export function conceptOf(
  writer: Writer,
  holder: Resource & { medicationCodeableConcept?: CodeableConcept; medicationReference?: Reference },
): CodeableConcept | undefined {
  const { medicationCodeableConcept, medicationReference } = holder;
  if (medicationCodeableConcept !== undefined) return medicationCodeableConcept;
  const medication = writer.chart.find<Medication>(medicationReference, holder);
  if (medication?.code !== undefined) return medication.code;
  return medicationReference?.display === undefined ? undefined : { text: medicationReference.display };
}

function nameIn(writer: Writer, holder: Medicine | MedicationDispense): string {
  return nameOf(conceptOf(writer, holder)) ?? 'not stated';
}

/** A request that it be not given, or something that is not taken. */
export function isDenied(writer: Writer, medicine: Medicine): boolean {
  if (hasCode(conceptOf(writer, medicine), ...NONE)) return true;
  if (medicine.resourceType === 'MedicationRequest') return medicine.doNotPerform === true;
  return medicine.status === 'not-taken' || medicine.status === 'not-done';
}

/** C-CDA has no unknown state: without an end that has come the medicine counts as active. */
function activityStatus(medicine: Medicine): string {
  const { status } = medicine;
  if (status === 'unknown' || status === undefined)
    return timeOf(medicine).period?.end === undefined ? 'active' : 'completed';
  if (status === 'not-taken' || status === 'not-done' || status === 'in-progress') return 'completed';
  if (status === 'cancelled' || status === 'stopped') return 'aborted';
  return backwards('medicationStatementStatus', status) === 'suspended'
    ? 'suspended'
    : status === 'completed'
      ? 'completed'
      : 'active';
}

export function dosagesOf(medicine: Medicine): Dosage[] {
  if (medicine.resourceType === 'MedicationStatement') return medicine.dosage ?? [];
  if (medicine.resourceType === 'MedicationRequest') return medicine.dosageInstruction ?? [];
  const { dosage } = medicine;
  if (dosage === undefined) return [];
  const { text, route, site, method, dose, rateQuantity } = dosage;
  return [{ text, route, site, method, doseAndRate: [{ doseQuantity: dose, rateQuantity }] }];
}

export function timeOf(medicine: Medicine): { period?: Period; moment?: string } {
  if (medicine.resourceType === 'MedicationRequest') {
    const bounds = medicine.dosageInstruction?.find(({ timing }) => timing !== undefined)?.timing;
    if (bounds?.repeat?.boundsPeriod !== undefined || bounds?.event !== undefined) return {};
    return medicine.authoredOn === undefined ? {} : { period: { start: medicine.authoredOn } };
  }
  return { period: medicine.effectivePeriod, moment: medicine.effectiveDateTime };
}

/** Indications: reasons as codes, and conditions of the record that are named as reasons. */
export function reasons(
  writer: Writer,
  holder: Resource & { reasonCode?: CodeableConcept[]; reasonReference?: Reference[] },
): Child {
  const codes = (holder.reasonCode ?? []).map((reason) => indication(reason, [el('id', { nullFlavor: 'NI' })]));
  const conditions = (holder.reasonReference ?? [])
    .map((reference) => writer.chart.find<Condition>(reference, holder))
    .filter((condition) => condition?.resourceType === 'Condition')
    .map((condition) => indication(condition!.code, ids(condition!)));
  return [...codes, ...conditions].map((one) => related('RSON', one));
}

function indication(concept: CodeableConcept | undefined, own: CdaElement[]): CdaElement {
  return smallObservation(
    'indication',
    own,
    fixed('code', '59785-6', '2.16.840.1.113883.6.1', 'Indication for medication'),
    code('value', concept, { type: 'CD' }),
  );
}

function supplyOrder(writer: Writer, request: MedicationRequest): CdaElement | undefined {
  const order = request.dispenseRequest;
  if (order?.quantity === undefined && order?.numberOfRepeatsAllowed === undefined) return undefined;
  return related(
    'REFR',
    statement(
      'supply',
      { classCode: 'SPLY', moodCode: 'INT' },
      template('medicationSupplyOrder'),
      ids(request),
      statusCode(request.status === 'active' ? 'active' : 'completed'),
      order.validityPeriod?.end !== undefined &&
        el(
          'effectiveTime',
          { 'xsi:type': 'IVL_TS' },
          time('low', order.validityPeriod.start),
          time('high', order.validityPeriod.end),
        ),
      // CDA counts the first fill, FHIR the refills.
      order.numberOfRepeatsAllowed !== undefined &&
        el('repeatNumber', { value: String(order.numberOfRepeatsAllowed + 1) }),
      order.quantity && quantity('quantity', order.quantity),
      el('product', {}, manufactured(conceptOf(writer, request))),
    ),
  );
}

function dispenses(writer: Writer, medicine: Medicine): Child {
  return writer.chart
    .childrenOf(medicine)
    .map(
      (child) =>
        child.resourceType === 'MedicationDispense' &&
        !writer.isTaken(child) &&
        related('REFR', dispenseSupply(writer, child)),
    );
}

/** Medication Dispense. */
function dispenseSupply(writer: Writer, dispense: MedicationDispense): CdaElement {
  writer.take(dispense);
  const element = statement(
    'supply',
    { classCode: 'SPLY', moodCode: 'EVN', negationInd: dispense.status === 'declined' || undefined },
    template('medicationDispense'),
    ids(dispense),
    dispense.type === undefined ? el('code', { nullFlavor: 'NI' }) : code('code', dispense.type),
    statusCode('completed'),
    dispense.whenHandedOver !== undefined && time('effectiveTime', dispense.whenHandedOver),
    dispense.quantity && quantity('quantity', dispense.quantity),
    el('product', {}, manufactured(conceptOf(writer, dispense))),
    performer(writer, dispense.performer?.[0]?.actor, dispense),
    notes(dispense.note, writer),
  );
  return putBack(element, dispense);
}

/** A dispense of which no prescription is known, within the medication that it implies. */
function aroundDispense(writer: Writer, dispense: MedicationDispense, row: string): CdaElement {
  const dosages = dispense.dosageInstruction ?? [];
  return statement(
    'substanceAdministration',
    { classCode: 'SBADM', moodCode: 'INT' },
    template('medicationActivity'),
    el('id', { nullFlavor: 'NI' }),
    textReference(row),
    statusCode(dispense.status === 'completed' ? 'completed' : 'active'),
    effectiveTimes(dosages, { period: { start: dispense.whenHandedOver } }),
    amounts(dosages[0]),
    el('consumable', {}, manufactured(conceptOf(writer, dispense))),
    instructions(dosages, writer, 'INT'),
    related('REFR', dispenseSupply(writer, dispense)),
  );
}
