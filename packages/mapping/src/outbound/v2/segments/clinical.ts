/** AL1, IAM, DG1, PR1, ACC, PDA and DB1: allergies, diagnoses, procedures, an accident, a death, a disability. */
import { AL1, DG1, IAM, PR1 } from '../../../v2/tables/clinical.ts';
import { ACCIDENT_PARTS, DEATH_PARTS } from '../../../v2/tables/incidents.ts';
import { DB1, DB1_STATEMENTS } from '../../../v2/tables/statements.ts';
import { codeFor, codeForConcept } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import { childOf, codingsOf, type Element, hasCode, listOf, referenceOf, textOf, textsOf } from '../record.ts';
import { writeConcept } from '../values/coded.ts';
import { writeEntityIdentifier } from '../values/identifiers.ts';
import { writePractitioner } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import { writeNotes } from './notes.ts';
import { writeRoles } from './roles.ts';
import { nameOf, type Sheet } from './sheet.ts';
import { writeParts, writeStatements } from './statements.ts';

const db1Rows = compileBack(DB1);
const al1Rows = compileBack(AL1);
const iamRows = compileBack(IAM);
const dg1Rows = compileBack(DG1);
const pr1Rows = compileBack(PR1, { single: ['PR1-8', 'PR1-11', 'PR1-12'] });

/** AL1; IAM for an allergy that has a number or of which it is told how certain it is. */
export function writeAllergies(sheet: Sheet): void {
  for (const allergy of sheet.ofPatient('AllergyIntolerance', 'patient')) {
    const adverse = allergy.identifier !== undefined || allergy.verificationStatus !== undefined;
    const name = adverse ? 'IAM' : 'AL1';
    sheet.addNumbered(name, (fields) => {
      (adverse ? iamRows : al1Rows)(allergy, fields, sheet);
      fields.add(2, allergyType(allergy));
      fields.add(4, severityOf(allergy));
      if (!adverse) return;
      const status = textOf(codingsOf(allergy.verificationStatus)[0], 'code');
      const changed = sheet.kind === 'correction' ? 'U' : 'A';
      fields.add(6, status === 'entered-in-error' ? 'D' : changed);
      fields.add(17, VERIFICATION[status ?? '']);
    });
    writeNotes(sheet, allergy);
  }
}

function allergyType(allergy: Element): string | undefined {
  const category = textsOf(allergy, 'category')[0];
  return codeFor('allergyCategory', category) ?? (allergy.type === 'allergy' ? 'MC' : undefined);
}

/** HL7 table 0128: the reaction tells mild from moderate, which criticality does not. */
function severityOf(allergy: Element): string | undefined {
  const reaction = textOf(listOf(allergy, 'reaction')[0], 'severity');
  return codeFor('reactionSeverity', reaction) ?? codeFor('criticality', textOf(allergy, 'criticality'));
}

/** HL7 table 0438. */
const VERIFICATION: Record<string, string> = {
  confirmed: 'C',
  refuted: 'D',
  'entered-in-error': 'E',
  unconfirmed: 'U',
};

/** DG1 of what was diagnosed in the visit, with its role and rank there. */
export function writeDiagnoses(sheet: Sheet, encounter: Element | undefined): void {
  const roles = new Map<string | undefined, Element>();
  for (const role of listOf(encounter, 'diagnosis').toReversed()) roles.set(textOf(role.condition, 'reference'), role);
  for (const condition of sheet.ofPatient('Condition')) {
    if (!listOf(condition, 'category').some((item) => hasCode(item, 'encounter-diagnosis'))) continue;
    const role = roles.get(referenceOf(condition));
    sheet.addNumbered('DG1', (fields) => {
      const category = listOf(condition, 'category').filter((item) => !hasCode(item, 'encounter-diagnosis'));
      dg1Rows({ ...condition, category }, fields, sheet);
      const use = codingsOf(childOf(role, 'use'))[0];
      if (use !== undefined) fields.add(6, codeForConcept('diagnosisUse', use) ?? textOf(use, 'code'));
      fields.add(15, textOf(role, 'rank'));
      if (hasCode(condition.verificationStatus, 'entered-in-error')) fields.add(21, 'D');
      fields.add(4, textOf(condition.code, 'text'));
    });
    writeNotes(sheet, condition);
  }
}

/** PR1, each followed by who took part in what role. */
export function writeProcedures(sheet: Sheet): void {
  for (const procedure of sheet.ofPatient('Procedure')) {
    const period = childOf(procedure, 'performedPeriod');
    const start = textOf(procedure, 'performedDateTime') ?? textOf(period, 'start');
    const end = textOf(period, 'end');
    sheet.addNumbered('PR1', (fields) => {
      pr1Rows(withoutRoles(sheet, procedure), fields, sheet);
      fields.add(4, textOf(procedure.code, 'text'));
      fields.add(5, writeDateTime(start));
      if (start !== undefined && end !== undefined) {
        const minutes = Math.round((Date.parse(end) - Date.parse(start)) / 60_000);
        if (minutes > 0) fields.add(7, String(minutes));
      }
      if (procedure.status === 'entered-in-error') fields.add(20, 'D');
      const parent = childOf(listOf(procedure, 'partOf')[0], 'identifier');
      if (parent !== undefined) fields.add(25, writeEntityIdentifier(parent));
    });
    writeRoles(
      sheet,
      'ROL',
      listOf(procedure, 'performer').map(({ actor }) => actor),
    );
    writeNotes(sheet, procedure);
  }
}

/** Performers that are roles stand in segments of their own. */
function withoutRoles(sheet: Sheet, procedure: Element): Element {
  const performer = listOf(procedure, 'performer').filter(
    ({ actor }) => sheet.record.resolve(actor)?.resourceType !== 'PractitionerRole',
  );
  return { ...procedure, performer };
}

/** ACC and PDA. */
export function writeIncidents(sheet: Sheet): void {
  for (const incident of sheet.ofPatient('Observation')) {
    const name = nameOf(incident);
    const performer = listOf(incident, 'performer')[0];
    if (name === 'Accident')
      sheet.add('ACC', (fields) => {
        fields.add(1, writeDateTime(incident.effectiveDateTime));
        writeParts(sheet, ACCIDENT_PARTS, incident, fields);
        if (performer !== undefined) fields.add(7, writePractitioner(performer, sheet));
        fields.add(8, textOf(incident, 'valueString'));
        fields.add(13, ...listOf(incident, 'identifier').map(writeEntityIdentifier));
      });
    if (name === 'Cause of death')
      sheet.add('PDA', (fields) => {
        const cause = childOf(incident, 'valueCodeableConcept');
        if (cause !== undefined) fields.add(1, writeConcept(cause, sheet));
        writeParts(sheet, DEATH_PARTS, incident, fields);
        if (performer !== undefined) fields.add(5, writePractitioner(performer, sheet));
      });
  }
}

/** DB1 of the patient. */
export function writeDisability(sheet: Sheet): void {
  sheet.addNumbered('DB1', (fields) => {
    if (sheet.patient !== undefined && sheet.relayed) db1Rows(sheet.patient, fields, sheet);
    writeStatements(sheet, DB1_STATEMENTS, fields);
    if (!fields.isEmpty) fields.add(2, 'PT');
  });
}
