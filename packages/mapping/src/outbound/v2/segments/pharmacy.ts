/** RXO, RXE, RXR and RXA: medication orders and immunizations. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { RXA, RXE, RXO, RXR_DOSAGE, RXR_IMMUNIZATION } from '../../../v2/tables/pharmacy.ts';
import { ORC_REQUEST } from '../../../v2/tables/results.ts';
import { type BackMap, compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, type Element, listOf, textOf } from '../record.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { organizationOf } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import { writeUnits } from '../values/quantities.ts';
import { writeNotes } from './notes.ts';
import { writeOrc } from './orders.ts';
import { writeObservation } from './results.ts';
import { writeRoles } from './roles.ts';
import type { Sheet } from './sheet.ts';
import { writeTiming } from './timing.ts';

const rxoRows = compileBack(RXO, { skip: ['RXO-6'] });
const rxeRows = compileBack(RXE, { skip: ['RXE-21'] });
const rxrDosage = compileBack(RXR_DOSAGE);
const rxrImmunization = compileBack(RXR_IMMUNIZATION);
const rxaRows = compileBack(RXA, { skip: ['RXA-9'] });
/** As `v2/segments/pharmacy.ts` reads an order: its reasons stand with the medicine. */
const orcMedication = compileBack(
  [
    ...ORC_REQUEST.filter(([from]) => !['ORC-4', 'ORC-8', 'ORC-16', 'ORC-29'].includes(from)),
    ['ORC-4', 'groupIdentifier', 'GroupIdentifier'],
  ],
  { single: ['ORC-2', 'ORC-3'] },
);
const orcImmunization = compileBack(
  [
    ...ORC_REQUEST.filter(([from]) => ['ORC-2', 'ORC-3'].includes(from)),
    ['ORC-9', 'recorded', 'dateTime'],
    ['ORC-12', 'performer[].actor', 'Practitioner', { with: { function: { coding: [{ code: 'OP' }] } } }],
  ],
  { single: ['ORC-2', 'ORC-3'] },
);

interface DoseFields {
  code: number;
  low: number;
  high: number;
  units: number;
  dispense: number;
  dispenseUnits: number;
  rate: number;
  rateUnits: number;
  address: number;
  phone: number;
}

const RXO_FIELDS: DoseFields = {
  code: 1,
  low: 2,
  high: 3,
  units: 4,
  dispense: 11,
  dispenseUnits: 12,
  rate: 21,
  rateUnits: 22,
  address: 33,
  phone: 36,
};
const RXE_FIELDS: DoseFields = {
  code: 2,
  low: 3,
  high: 4,
  units: 5,
  dispense: 10,
  dispenseUnits: 11,
  rate: 23,
  rateUnits: 24,
  address: 41,
  phone: 45,
};

/** ORC, RXO of what was asked for, and RXE of how the pharmacy encoded it (where the message has one). */
export function writeMedicationOrder(sheet: Sheet, request: Element, encoded: boolean, isFirst: boolean): void {
  sheet.restart('TQ1');
  const original = listOf(request, 'basedOn')
    .map((reference) => sheet.record.resolve(reference))
    .find((item) => item?.resourceType === 'MedicationRequest');
  const asked = original ?? (request.intent === 'original-order' || !encoded ? request : undefined);
  writeOrc(sheet, request, undefined, isFirst, orcMedication);
  if (asked !== undefined) writeAsked(sheet, asked, asked !== request || !encoded);
  if (!encoded) return;
  writeMedicine(sheet, 'RXE', request, rxeRows, RXE_FIELDS);
  writeNotes(sheet, request);
  writeDosages(sheet, request);
}

/** Requests that another one is based on are written with that. */
export function isAskedByAnother(sheet: Sheet, request: Element): boolean {
  return sheet.record.referring('MedicationRequest', 'basedOn', request).length > 0;
}

function writeAsked(sheet: Sheet, request: Element, alone: boolean): void {
  writeMedicine(sheet, 'RXO', request, rxoRows, RXO_FIELDS);
  if (!alone) return;
  writeNotes(sheet, request);
  writeDosages(sheet, request);
}

function writeMedicine(sheet: Sheet, name: string, request: Element, rows: BackMap, at: DoseFields): void {
  sheet.add(
    name,
    (fields) => {
      rows(request, fields, sheet);
      writeDose(sheet, request, at, fields);
      const supply = childOf(request, 'dispenseRequest');
      const dispensed = childOf(supply, 'quantity');
      fields.add(at.dispense, textOf(dispensed, 'value'));
      if (dispensed !== undefined) fields.add(at.dispenseUnits, writeUnits(dispensed, sheet));
      const pharmacy = organizationOf(childOf(supply, 'performer'), sheet);
      fields.add(at.address, ...listOf(pharmacy, 'address').map(writeAddress));
      fields.add(at.phone, ...listOf(pharmacy, 'telecom').map((point) => writeContactPoint(point, 'work')));
      // An empty segment is none: the order would be taken for one of a service.
      if (fields.isEmpty) fields.add(at.code, [undefined, 'Unknown']);
    },
    true,
  );
}

function writeDose(sheet: Sheet, request: Element, at: DoseFields, fields: SegmentFields): void {
  const doses = listOf(listOf(request, 'dosageInstruction')[0], 'doseAndRate');
  const dose = doses.find((item) => item.doseQuantity !== undefined || item.doseRange !== undefined);
  const range = childOf(dose, 'doseRange');
  const low = childOf(dose, 'doseQuantity') ?? childOf(range, 'low');
  fields.add(at.low, textOf(low, 'value'));
  fields.add(at.high, textOf(childOf(range, 'high'), 'value'));
  if (low?.value !== undefined) fields.add(at.units, writeUnits(low, sheet));
  const rate = childOf(
    doses.find((item) => item.rateQuantity !== undefined),
    'rateQuantity',
  );
  fields.add(at.rate, textOf(rate, 'value'));
  if (rate !== undefined) fields.add(at.rateUnits, writeUnits(rate, sheet));
}

/** RXR of how the medicine is given, TQ1 of when. */
function writeDosages(sheet: Sheet, request: Element): void {
  sheet.restart('TQ1');
  for (const [index, dosage] of listOf(request, 'dosageInstruction').entries()) {
    const dose = childOf(listOf(dosage, 'doseAndRate')[0], 'doseQuantity');
    const isTold = index === 0 && dose?.value !== undefined;
    writeTiming(sheet, dosage.timing, textOf(request, 'priority'), isTold ? undefined : dose);
  }
  sheet.add('RXR', (fields) => rxrDosage(request, fields, sheet));
}

/** ORC, RXA, RXR and the observations on an immunization. */
export function writeImmunization(sheet: Sheet, immunization: Element, isFirst: boolean): void {
  sheet.restart('OBX');
  writeOrc(sheet, { ...immunization, status: undefined }, undefined, isFirst, orcImmunization);
  const [first, ...others] = listOf(immunization, 'note');
  const informationSource = sourceOfInformation(textOf(first, 'text'));
  sheet.add('RXA', (fields) => {
    rxaRows(immunization, fields, sheet);
    fields.add(1, '0');
    fields.add(2, '1');
    fields.add(4, writeDateTime(immunization.occurrenceDateTime));
    const dose = childOf(immunization, 'doseQuantity');
    fields.add(6, textOf(dose, 'value') ?? '999');
    if (dose !== undefined) fields.add(7, writeUnits(dose, sheet));
    fields.add(9, informationSource);
    fields.add(20, immunization.status === 'not-done' ? 'RE' : 'CP');
    fields.add(21, actionOf(sheet, immunization));
    const address = sheet.record.resolve(immunization.location)?.address;
    if (address !== undefined) fields.add(28, writeAddress(address));
  });
  writeRoles(
    sheet,
    'PRT',
    listOf(immunization, 'performer').map(({ actor }) => actor),
  );
  sheet.add('RXR', (fields) => rxrImmunization(immunization, fields, sheet));
  writeNotes(sheet, informationSource === undefined ? immunization : { note: others });
  for (const observation of sheet.record.referring('Observation', 'partOf', immunization))
    writeObservation(sheet, observation);
}

/** HL7 table 0206. */
function actionOf(sheet: Sheet, immunization: Element): string {
  if (immunization.status === 'entered-in-error') return 'D';
  return sheet.kind === 'correction' ? 'U' : 'A';
}

/** RXA-9: a note that is a code of NIP001 with its text, as it was read from there. */
function sourceOfInformation(text: string | undefined): RepetitionValue {
  const found = /^(\d\d) (?:(.+) )?NIP001$/.exec(text ?? '');
  return found === null ? undefined : [found[1], found[2], 'NIP001'];
}
