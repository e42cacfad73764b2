/** CON: consents, with who gave them for the patient. */
import { CON } from '../../../v2/tables/documents.ts';
import { compileBack } from '../engine.ts';
import { type Element, listOf, textOf } from '../record.ts';
import { writeTableConcept } from '../values/coded.ts';
import { writeName } from '../values/names.ts';
import type { Sheet } from './sheet.ts';

const conRows = compileBack(CON);

/** HL7 table 0498. */
const STATUS: Record<string, string> = { active: 'A', rejected: 'R', proposed: 'P', inactive: 'X' };

export function writeConsents(sheet: Sheet): void {
  for (const consent of sheet.ofPatient('Consent', 'patient')) {
    const consenter = consenterOf(sheet, consent);
    sheet.addNumbered('CON', (fields) => {
      conRows(consent, fields, sheet);
      fields.add(11, STATUS[textOf(consent, 'status') ?? '']);
      fields.add(24, ...listOf(consenter, 'name').map(writeName));
      fields.add(25, ...listOf(consenter, 'relationship').map((item) => writeTableConcept('0548', item, sheet)));
    });
  }
}

/** The related person who consents for the patient. */
function consenterOf(sheet: Sheet, consent: Element): Element | undefined {
  const found = sheet.record.resolve(listOf(consent, 'performer')[0]);
  return found?.resourceType === 'RelatedPerson' ? found : undefined;
}
