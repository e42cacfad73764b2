/** ADT (v2.5.1 chapter 3), and the patient part that every message begins with. */

import { ADT_PARTS, type AdtPart, ALL_ADT_PARTS } from './messages.ts';
import { type Element, listOf } from './record.ts';
import {
  writeAllergies,
  writeDiagnoses,
  writeDisability,
  writeIncidents,
  writeProcedures,
} from './segments/clinical.ts';
import { writeDocument } from './segments/document.ts';
import { writeGuarantors, writeInsurance } from './segments/finance.ts';
import { orderGroups } from './segments/orders.ts';
import {
  isRetired,
  replacedBy,
  writeMerged,
  writeNextOfKin,
  writePd1,
  writePid,
  writeRestrictions,
} from './segments/patient.ts';
import { writeObservation } from './segments/results.ts';
import { unattachedRoles, writeRole, writeRoles } from './segments/roles.ts';
import type { Sheet } from './segments/sheet.ts';
import { isStatement } from './segments/statements.ts';
import { encounterOf, writeNoVisit, writeVisit } from './segments/visit.ts';

/** @param patient what PID says: the person as the receiver knows them, or as the source does */
export function writeAdt(sheet: Sheet, structure: string, patient: Element): void {
  const parts = new Set<AdtPart>(sheet.relayed ? ALL_ADT_PARTS : ADT_PARTS[structure]);
  writePid(sheet, patient);
  writePd1(sheet, patient);
  if (parts.has('restrictions')) writeRestrictions(sheet);
  if (parts.has('roles')) writePatientRoles(sheet, patient);
  if (parts.has('merged')) for (const retired of replacedBy(sheet, patient)) writeMerged(sheet, retired);
  if (parts.has('nextOfKin')) writeNextOfKin(sheet);
  const encounter = encounterOf(sheet);
  if (parts.has('visit') && encounter !== undefined) {
    writeVisit(sheet, encounter);
    if (parts.has('roles') || sheet.relayed) writeVisitRoles(sheet, encounter);
  }
  if (!sheet.relayed && structure === 'ADT_A05' && encounter === undefined) writeNoVisit(sheet);
  if (!sheet.relayed && parts.has('second')) for (const other of sheet.record.all('Patient')) writePid(sheet, other);
  if (parts.has('disability')) writeDisability(sheet);
  if (parts.has('observations'))
    for (const observation of looseObservations(sheet)) writeObservation(sheet, observation);
  if (parts.has('allergies')) writeAllergies(sheet);
  if (parts.has('diagnoses')) writeDiagnoses(sheet, encounter);
  if (parts.has('procedures')) writeProcedures(sheet);
  if (parts.has('guarantors')) writeGuarantors(sheet);
  if (parts.has('insurance')) writeInsurance(sheet);
  if (parts.has('incidents')) writeIncidents(sheet);
  if (!sheet.relayed || !parts.has('second')) return;
  for (const other of sheet.record.all('Patient')) {
    if (other === sheet.patient || isRetired(other)) continue;
    const second = sheet.about(other);
    writePid(second, other);
    writePd1(second, other);
    const visit = encounterOf(second);
    if (parts.has('visit') && visit !== undefined) writeVisit(second, visit);
    sheet.append(second);
  }
}

/** What a message that is passed on says of the patient beyond what its structure has. */
export function writeRest(sheet: Sheet): void {
  if (!sheet.has('ARV')) writeRestrictions(sheet);
  if (!sheet.has('DB1')) writeDisability(sheet);
  if (!sheet.has('AL1', 'IAM')) writeAllergies(sheet);
  if (!sheet.has('DG1')) writeDiagnoses(sheet, encounterOf(sheet));
  if (!sheet.has('PR1')) writeProcedures(sheet);
  if (!sheet.has('GT1')) writeGuarantors(sheet);
  if (!sheet.has('IN1')) writeInsurance(sheet);
  if (!sheet.has('ACC', 'PDA')) writeIncidents(sheet);
  if (!sheet.has('TXA')) for (const document of sheet.ofPatient('DocumentReference')) writeDocument(sheet, document);
}

/** Those who care for the patient beyond this visit. */
export function writePatientRoles(sheet: Sheet, patient: Element): void {
  writeRoles(sheet, roleSegment(sheet), listOf(patient, 'generalPractitioner'));
  for (const role of unattachedRoles(sheet)) writeRole(sheet, roleSegment(sheet), role);
}

/** Those who take part in the visit. */
export function writeVisitRoles(sheet: Sheet, encounter: Element): void {
  const references = listOf(encounter, 'participant').map(({ individual }) => individual);
  writeRoles(sheet, roleSegment(sheet), references);
}

/** The structures of ADT have ROL; where others name who takes part, it is in PRT. */
function roleSegment({ code }: Sheet): 'ROL' | 'PRT' {
  return code === 'ADT' ? 'ROL' : 'PRT';
}

/** Observations of the patient that belong to no order and no immunization, and that no other segment says. */
export function looseObservations(sheet: Sheet): Element[] {
  const ordered = new Set(orderGroups(sheet).flatMap(({ observations }) => observations));
  const isLoose = (item: Element) =>
    !ordered.has(item) &&
    !isStatement(item) &&
    item.partOf === undefined &&
    sheet.record.referring('DiagnosticReport', 'result', item).length === 0;
  return sheet.ofPatient('Observation').filter(isLoose);
}
