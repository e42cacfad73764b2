/** Observations that stand for fields of a patient segment (`tables/statements.ts`, `tables/incidents.ts`), as those fields. */
import type { RepetitionValue } from '@causeway/hl7v2';
import type { IncidentPart } from '../../../v2/tables/incidents.ts';
import type { Statement } from '../../../v2/tables/statements.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, codingsOf, type Element, listOf, textOf } from '../record.ts';
import { writeConcept, writeTableConcept } from '../values/coded.ts';
import { writeBoolean, writeDateTime, writePeriod } from '../values/primitives.ts';
import { nameOf, type Sheet } from './sheet.ts';

/** Writes the statements of one segment; `focus` is whom they are about when that is not the patient. */
export function writeStatements(
  sheet: Sheet,
  table: readonly Statement[],
  fields: SegmentFields,
  focus?: Element,
): void {
  const about = focus === undefined ? socialHistory(sheet) : sheet.record.referring('Observation', 'focus', focus);
  for (const statement of table) {
    const [first, ...others] = about.filter((item) => nameOf(item) === statement.text && isSocialHistory(item));
    if (first === undefined) continue;
    writeStatement(sheet, statement, first, fields);
    for (const other of others) fields.add(statement.field, statedValue(sheet, statement, other));
  }
}

/** Whether an observation is one that another segment than OBX says. */
export function isStatement(observation: Element): boolean {
  const name = nameOf(observation);
  if (name === undefined || codingsOf(observation.code).length > 0) return false;
  return isSocialHistory(observation) || name === 'Accident' || name === 'Cause of death';
}

export function writeParts(sheet: Sheet, parts: readonly IncidentPart[], of: Element, fields: SegmentFields): void {
  for (const part of parts) {
    if (fields.has(part.field)) continue;
    const found = listOf(of, 'component').find((item) => textOf(item.code, 'text') === part.text);
    if (found === undefined) continue;
    const concept = childOf(found, 'valueCodeableConcept');
    if (concept !== undefined) fields.add(part.field, writeConcept(concept, sheet));
    else if (found.valuePeriod !== undefined) fields.add(part.field, writePeriod(found.valuePeriod));
    else fields.add(part.field, textOf(found, 'valueString') ?? writeBoolean(found.valueBoolean));
  }
}

function writeStatement(sheet: Sheet, statement: Statement, of: Element, fields: SegmentFields): void {
  const { field, since, until } = statement;
  if (of.status === 'entered-in-error') {
    fields.add(field, null);
    return;
  }
  fields.add(field, statedValue(sheet, statement, of));
  const period = childOf(of, 'effectivePeriod');
  if (since !== undefined) fields.add(since, writeDateTime(textOf(of, 'effectiveDateTime') ?? textOf(period, 'start')));
  if (until !== undefined) fields.add(until, writeDateTime(textOf(period, 'end')));
  writeParts(sheet, statement.parts ?? [], of, fields);
}

/** A code of the field's own table stands alone; with a display, it says which table it is of. */
function statedValue(sheet: Sheet, { table }: Statement, of: Element): RepetitionValue {
  const concept = childOf(of, 'valueCodeableConcept');
  if (concept === undefined) return textOf(of, 'valueString') ?? writeBoolean(of.valueBoolean);
  const described = codingsOf(concept).some(({ display }) => display !== undefined);
  return described ? writeConcept(concept, sheet) : writeTableConcept(table, concept, sheet);
}

function isSocialHistory(observation: Element): boolean {
  return listOf(observation, 'category').some((category) =>
    codingsOf(category).some(({ code }) => code === 'social-history'),
  );
}

/** What is stated of the patient. */
function socialHistory(sheet: Sheet): Element[] {
  return sheet.ofPatient('Observation').filter((item) => isSocialHistory(item) && listOf(item, 'focus').length === 0);
}
