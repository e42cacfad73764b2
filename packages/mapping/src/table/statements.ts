/** What a row states beside its patient: a resource of its kind, or undefined where the row says too little for one. */
import { ucumOf } from '../v2/units.ts';
import type { TableKind } from './fields.ts';
import type { Row, Target } from './row.ts';
import * as words from './words.ts';

type Element = { [element: string]: unknown };
type Reader = (row: Row, target: Target, patient: string) => Element | undefined;

/** How a kind is read, and which fields tell one row of a patient from another where rows have no number of their own. */
export interface Statement {
  type: string;
  read: Reader;
  identity: readonly string[];
}

export const statements: { readonly [kind in Exclude<TableKind, 'patient'>]: Statement } = {
  encounter: { type: 'Encounter', read: encounter, identity: ['encounter.start', 'encounter.type'] },
  observation: {
    type: 'Observation',
    read: observation,
    identity: ['observation.code', 'observation.display', 'observation.date'],
  },
  allergy: { type: 'AllergyIntolerance', read: allergy, identity: ['allergy.code', 'allergy.display'] },
  medication: {
    type: 'MedicationStatement',
    read: medication,
    identity: ['medication.code', 'medication.display', 'medication.start'],
  },
  immunization: {
    type: 'Immunization',
    read: immunization,
    identity: ['immunization.code', 'immunization.display', 'immunization.date'],
  },
  appointment: { type: 'Appointment', read: appointment, identity: ['appointment.start'] },
};

const unknownClass = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor',
  code: 'UNK',
  display: 'unknown',
};

function encounter(row: Row, target: Target, patient: string): Element {
  const code = row.word('encounter.class', target, 'class.code', words.encounterClasses);
  const period = periodOf(row, target, 'encounter', 'period');
  const ended = period?.end === undefined ? 'in-progress' : 'finished';
  const status = row.word('encounter.status', target, 'status', words.encounterStatuses);
  const type = row.concept('encounter.type', undefined, target, 'type[0]');
  const reason = row.text('encounter.reason', target, 'reasonCode[0].text');
  const place = row.text('encounter.location', target, 'location[0].location.display');
  const who = row.text('encounter.practitioner', target, 'participant[0].individual.display');
  return {
    status: status ?? (period === undefined ? 'unknown' : ended),
    class: code === undefined ? unknownClass : { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
    subject: { reference: patient },
    ...(type && { type: [type] }),
    ...(period && { period }),
    ...(reason && { reasonCode: [{ text: reason }] }),
    ...(place && { location: [{ location: { display: place } }] }),
    ...(who && { participant: [{ individual: { display: who } }] }),
  };
}

function observation(row: Row, target: Target, patient: string): Element | undefined {
  const code = row.concept('observation.code', 'observation.display', target, 'code');
  if (code === undefined)
    return missing(row, 'observation.code', 'of what was observed there is neither code nor name');
  const unit = row.peek('observation.unit');
  const value = quantityOrText(row, target, unit);
  const category = row.word('observation.category', target, 'category[0].coding[0].code', words.observationCategories);
  const date = row.date('observation.date', target, 'effectiveDateTime');
  const flag = row.word('observation.flag', target, 'interpretation[0].coding[0].code', words.interpretations);
  const range = row.text('observation.range', target, 'referenceRange[0].text');
  const note = row.text('observation.note', target, 'note[0].text');
  const status = row.word('observation.status', target, 'status', words.observationStatuses);
  const system = 'http://terminology.hl7.org/CodeSystem/';
  return {
    status: status ?? (row.has('observation.status') ? 'unknown' : 'final'),
    ...(category && { category: [{ coding: [{ system: `${system}observation-category`, code: category }] }] }),
    code,
    subject: { reference: patient },
    ...(date && { effectiveDateTime: date }),
    ...value,
    ...(flag && { interpretation: [{ coding: [{ system: `${system}v3-ObservationInterpretation`, code: flag }] }] }),
    ...(note && { note: [{ text: note }] }),
    ...(range && { referenceRange: [{ text: range }] }),
  };
}

const decimal = /^([<>]=?)?\s*(-?(?:0|[1-9]\d*)(?:\.\d+)?)$/;

/** A number is a quantity, its digits as they were written; anything else a text. */
function quantityOrText(row: Row, target: Target, unit: string | undefined): Element {
  const found = decimal.exec(row.peek('observation.value') ?? '');
  if (!found) {
    const text = row.text('observation.value', target, 'valueString');
    if (text === undefined) return {};
    const said = unit === undefined ? undefined : row.text('observation.unit', target, 'valueString');
    return { valueString: said === undefined ? text : `${text} ${said}` };
  }
  row.text('observation.value', target, 'valueQuantity.value');
  const [, comparator, digits] = found;
  const said = row.text('observation.unit', target, 'valueQuantity.unit');
  const code = said === undefined ? undefined : ucumOf(said);
  return {
    valueQuantity: {
      value: JSON.rawJSON(digits!),
      ...(comparator && { comparator }),
      ...(said && { unit: said }),
      ...(code && { system: 'http://unitsofmeasure.org', code }),
    },
  };
}

function allergy(row: Row, target: Target, patient: string): Element | undefined {
  const code = row.concept('allergy.code', 'allergy.display', target, 'code');
  if (code === undefined) return missing(row, 'allergy.code', 'the substance is not named');
  const status = row.word('allergy.status', target, 'clinicalStatus.coding[0].code', words.allergyStatuses);
  const isError = status === 'entered-in-error';
  const isKnown = status !== undefined || !row.has('allergy.status');
  const reaction = row.text('allergy.reaction', target, 'reaction[0].manifestation[0].text');
  const severity =
    reaction === undefined ? undefined : row.word('allergy.severity', target, 'reaction[0].severity', words.severities);
  const criticality = row.word('allergy.criticality', target, 'criticality', words.criticalities);
  const onset = row.date('allergy.onset', target, 'onsetDateTime');
  const system = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-';
  return {
    ...(!isError &&
      isKnown && { clinicalStatus: { coding: [{ system: `${system}clinical`, code: status ?? 'active' }] } }),
    ...(isError && { verificationStatus: { coding: [{ system: `${system}verification`, code: status }] } }),
    code,
    patient: { reference: patient },
    ...(criticality && { criticality }),
    ...(onset && { onsetDateTime: onset }),
    ...(reaction && { reaction: [{ manifestation: [{ text: reaction }], ...(severity && { severity }) }] }),
  };
}

function medication(row: Row, target: Target, patient: string): Element | undefined {
  const concept = row.concept('medication.code', 'medication.display', target, 'medicationCodeableConcept');
  if (concept === undefined) return missing(row, 'medication.code', 'the medicine is not named');
  const status = row.word('medication.status', target, 'status', words.medicationStatuses);
  const period = periodOf(row, target, 'medication', 'effectivePeriod');
  const dosage = row.text('medication.dosage', target, 'dosage[0].text');
  const note = row.text('medication.note', target, 'note[0].text');
  return {
    status: status ?? 'unknown',
    medicationCodeableConcept: concept,
    subject: { reference: patient },
    ...(period && { effectivePeriod: period }),
    ...(note && { note: [{ text: note }] }),
    ...(dosage && { dosage: [{ text: dosage }] }),
  };
}

function immunization(row: Row, target: Target, patient: string): Element | undefined {
  const vaccine = row.concept('immunization.code', 'immunization.display', target, 'vaccineCode');
  if (vaccine === undefined) return missing(row, 'immunization.code', 'the vaccine is not named');
  const date = row.date('immunization.date', target, 'occurrenceDateTime');
  if (date === undefined) return missing(row, 'immunization.date', 'it is not said when it was given');
  const status = row.word('immunization.status', target, 'status', words.immunizationStatuses);
  if (status === undefined && row.has('immunization.status')) {
    // Whether it was given is what counts: a word that is not known is not taken for yes.
    return missing(row, 'immunization.status', 'whether it was given is not said in words that are known');
  }
  const manufacturer = row.text('immunization.manufacturer', target, 'manufacturer.display');
  const lotNumber = row.text('immunization.lot', target, 'lotNumber');
  const site = row.text('immunization.site', target, 'site.text');
  const route = row.text('immunization.route', target, 'route.text');
  return {
    status: status ?? 'completed',
    vaccineCode: vaccine,
    patient: { reference: patient },
    occurrenceDateTime: date,
    ...(manufacturer && { manufacturer: { display: manufacturer } }),
    ...(lotNumber && { lotNumber }),
    ...(site && { site: { text: site } }),
    ...(route && { route: { text: route } }),
  };
}

function appointment(row: Row, target: Target, patient: string): Element | undefined {
  const start = instant(row, 'appointment.start', target, 'start');
  const end = instant(row, 'appointment.end', target, 'end');
  const stated = row.word('appointment.status', target, 'status', words.appointmentStatuses);
  if (stated === undefined && row.has('appointment.status'))
    return missing(row, 'appointment.status', 'its status is none that is known');
  if (start === undefined && stated !== 'proposed' && stated !== 'cancelled')
    return missing(row, 'appointment.start', 'it is not said when it begins');
  const type = row.concept('appointment.type', undefined, target, 'appointmentType');
  const description = row.text('appointment.reason', target, 'description');
  const who = row.text('appointment.practitioner', target, 'participant[1].actor.display');
  const place = row.text('appointment.location', target, `participant[${who === undefined ? 1 : 2}].actor.display`);
  return {
    status: stated ?? 'booked',
    ...(type && { appointmentType: type }),
    ...(description && { description }),
    // Invariant app-2: both or neither.
    ...(start && { start, end: end ?? start }),
    participant: [
      { actor: { reference: patient }, status: 'accepted' },
      ...[who, place].flatMap((display) => (display === undefined ? [] : { actor: { display }, status: 'accepted' })),
    ],
  };
}

function instant(row: Row, field: string, target: Target, path: string): string | undefined {
  const time = row.date(field, target, path);
  if (time === undefined || time.length > 10) return time;
  return row.refuse(field, 'An appointment needs the time of day.');
}

function periodOf(row: Row, target: Target, kind: string, path: string): { start?: string; end?: string } | undefined {
  const start = row.date(`${kind}.start`, target, `${path}.start`);
  const end = row.date(`${kind}.end`, target, `${path}.end`);
  return start === undefined && end === undefined ? undefined : { ...(start && { start }), ...(end && { end }) };
}

function missing(row: Row, field: string, reason: string): undefined {
  row.remark('error', 'required', field, `The row states nothing beside its patient: ${reason}.`);
  return undefined;
}
