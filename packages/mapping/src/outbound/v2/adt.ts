/** ADT (v2.5.1 chapter 3), and the patient part that every message begins with. */

import { ADT_PARTS, type AdtPart, ALL_ADT_PARTS } from './messages.ts';
import { type Element, listOf, referenceOf } from './record.ts';
import {
  writeAllergies,
  writeDiagnoses,
  writeDisability,
  writeIncidents,
  writeProcedures,
} from './segments/clinical.ts';
import { writeGuarantors, writeInsurance } from './segments/finance.ts';
import { orderGroups } from './segments/orders.ts';
import { replacedBy, writeMerged, writeNextOfKin, writePd1, writePid, writeRestrictions } from './segments/patient.ts';
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
}

/** ROL of those who care for the patient beyond this visit. */
export function writePatientRoles(sheet: Sheet, patient: Element): void {
  writeRoles(sheet, 'ROL', listOf(patient, 'generalPractitioner'));
  for (const role of unattachedRoles(sheet)) writeRole(sheet, 'ROL', role);
}

/** ROL of those who take part in the visit. */
export function writeVisitRoles(sheet: Sheet, encounter: Element): void {
  const references = listOf(encounter, 'participant').map(({ individual }) => individual);
  writeRoles(sheet, 'ROL', references);
}

/** Observations of the patient that belong to no order and no immunization, and that no other segment says. */
export function looseObservations(sheet: Sheet): Element[] {
  const ordered = new Set(orderGroups(sheet).flatMap(({ observations }) => observations));
  return sheet
    .ofPatient('Observation')
    .filter((item) => !ordered.has(item) && !isStatement(item) && item.partOf === undefined && !isResult(sheet, item));
}

/** Whether a report of the message lists the observation. */
function isResult(sheet: Sheet, observation: Element): boolean {
  const reference = referenceOf(observation);
  return sheet.record
    .all('DiagnosticReport')
    .some((report) => listOf(report, 'result').some((item) => item.reference === reference));
}
