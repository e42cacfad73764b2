/** FT1 and BLG: what an order is charged as, and to which account. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { FT1 } from '../../../v2/tables/finance.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { codingsOf, type Element, listOf, textOf } from '../record.ts';
import { writeCodings } from '../values/coded.ts';
import { writeCodedIdentifier, writeExtendedIdentifier } from '../values/identifiers.ts';
import { writeQuantity } from '../values/quantities.ts';
import { writeNotes } from './notes.ts';
import type { Sheet } from './sheet.ts';

const ft1Rows = compileBack(FT1, { skip: ['FT1-12'] });

export function writeCharges(sheet: Sheet): void {
  for (const charge of sheet.ofPatient('ChargeItem')) {
    sheet.addNumbered('FT1', (fields) => {
      const { own, procedure } = codesOf(charge);
      ft1Rows({ ...charge, code: { coding: own, text: textOf(charge.code, 'text') } }, fields, sheet);
      if (procedure.length > 0) fields.add(25, writeCodings(procedure, undefined, sheet));
      fields.add(6, charge.status === 'aborted' ? 'VO' : 'CG');
      writeItem(sheet, charge, fields);
    });
    writeNotes(sheet, charge);
  }
  for (const account of sheet.ofPatient('Account').slice(1))
    sheet.add('BLG', (fields) => fields.add(3, ...listOf(account, 'identifier').map(writeExtendedIdentifier)));
}

/** FT1-7, the sender's own code, and FT1-25, that of the procedure: a further coding of a system of procedures. */
function codesOf(charge: Element): { own: Element[]; procedure: Element[] } {
  const [first, ...others] = codingsOf(charge.code);
  const procedure = others.filter(({ system }) => PROCEDURES.has(String(system)));
  const own = first === undefined ? [] : [first, ...others.filter((item) => !procedure.includes(item))];
  return { own, procedure };
}

const PROCEDURES = new Set([
  'http://www.ama-assn.org/go/cpt',
  'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
  'http://www.cms.gov/Medicare/Coding/ICD10',
]);

/** The item used (FT1-34 and -35) and the dispense of a product (FT1-42 and -43). */
function writeItem(sheet: Sheet, charge: Element, fields: SegmentFields): void {
  const find = (element: string, type: string) =>
    listOf(charge, element)
      .map((reference) => sheet.record.resolve(reference))
      .find((item) => item?.resourceType === type);
  const device = find('supportingInformation', 'Device');
  fields.add(34, ...listOf(device, 'identifier').map(writeCodedIdentifier));
  fields.add(35, textOf(device, 'modelNumber'));
  const dispense = find('service', 'MedicationDispense');
  fields.add(42, ...listOf(dispense, 'identifier').map((item): RepetitionValue => textOf(item, 'value')));
  if (dispense?.quantity !== undefined) fields.add(43, writeQuantity(dispense.quantity, sheet));
}
