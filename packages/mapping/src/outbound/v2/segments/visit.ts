/** PV1 and PV2: the visit. */
import { PV1, PV2 } from '../../../v2/tables/visit.ts';
import { codeForConcept } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import { childOf, type Element, hasCode, listOf, textOf } from '../record.ts';
import { writeCodings } from '../values/coded.ts';
import { writeLocation } from '../values/locations.ts';
import { accountOf } from './patient.ts';
import type { Sheet } from './sheet.ts';

const pv1Rows = compileBack(PV1, {
  skip: ['PV1-3', 'PV1-8', 'PV1-6', 'PV1-11', 'PV1-42', 'PV1-43', 'PV1-39'],
  single: ['PV1-4', 'PV1-18', 'PV1-19', 'PV1-50'],
});
/** What PV1 has no field for goes to PV2: a planned location, a third kind of visit, a provider known by number. */
const pv2Rows = compileBack(PV2, { skip: ['PV2-1', 'PV2-7', 'PV2-13', 'PV2-23'], single: ['PV2-3', 'PV2-12'] });
const byName = compileBack(PV1.filter(([from]) => from === 'PV1-39'));
const byNumber = compileBack(PV2.filter(([from]) => from === 'PV2-23'));
const referrers = compileBack(PV1.filter(([from]) => from === 'PV1-8'));
const lastReferrer = compileBack(PV2.filter(([from]) => from === 'PV2-13'));
const third = compileBack(PV2.filter(([from]) => from === 'PV2-7'));

/** The encounter the message is about. */
export function encounterOf(sheet: Sheet): Element | undefined {
  return sheet.ofPatient('Encounter')[0];
}

export function writeVisit(sheet: Sheet, encounter: Element): void {
  const { assigned, further } = locationsOf(encounter);
  const [first, last] = referrersOf(encounter);
  const provider = sheet.record.resolve(encounter.serviceProvider);
  const isNumbered = listOf(provider, 'identifier').length > 0;
  sheet.restart('PV1');
  sheet.addNumbered('PV1', (fields) => {
    pv1Rows(encounter, fields, sheet);
    referrers({ participant: first }, fields, sheet);
    fields.add(2, patientClass(sheet, encounter));
    if (assigned !== undefined) fields.add(3, writeLocation(assigned.location, sheet));
    for (const [field, location] of further)
      if (field < 100) fields.add(field, writeLocation(location.location, sheet));
    if (!isNumbered) byName(encounter, fields, sheet);
    const status = textOf(accountOf(sheet), 'status');
    if (status !== 'active' || sheet.relayed) fields.add(41, status);
  });
  sheet.add('PV2', (fields) => {
    pv2Rows(encounter, fields, sheet);
    lastReferrer({ participant: last }, fields, sheet);
    if (isNumbered) byNumber(encounter, fields, sheet);
    const types = listOf(encounter, 'type');
    if (types.length > 2) third({ type: types.slice(2, 3) }, fields, sheet);
    for (const [field, location] of further) if (field > 100) fields.add(1, writeLocation(location.location, sheet));
  });
}

/** PV1 of a message that needs one and is of no visit. */
export function writeNoVisit(sheet: Sheet): void {
  sheet.restart('PV1');
  sheet.addNumbered('PV1', (fields) => fields.add(2, 'N'));
}

/** Who referred the patient (PV1-8); of several, the last is the source of the referral (PV2-13). */
function referrersOf(encounter: Element): [first: Element[], last: Element[]] {
  const all = listOf(encounter, 'participant').filter(
    ({ type }) => Array.isArray(type) && type.some((item) => hasCode(item, 'REF')),
  );
  return all.length < 2 ? [all, []] : [all.slice(0, -1), all.slice(-1)];
}

/** PV1-2, HL7 table 0004; a class nobody stated is told as unknown. */
function patientClass(sheet: Sheet, encounter: Element): string | undefined {
  const coding = childOf(encounter, 'class');
  if (coding === undefined || coding.system === 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor') return 'U';
  const code = codeForConcept('encounterClass', coding);
  return code ?? textOf({ code: writeCodings([coding], undefined, sheet)[0] }, 'code');
}

/** Beyond 100: the field of PV2. */
const FIELDS: Record<string, readonly number[]> = {
  completed: [6, 43],
  active: [11],
  planned: [42, 101],
};

/**
 * The assigned location is the first whose status is what the visit's own status makes of it; the others are prior,
 * temporary or pending by theirs.
 */
function locationsOf(encounter: Element): { assigned: Element | undefined; further: [number, Element][] } {
  const status = encounter.status;
  const expected = status === 'planned' ? 'planned' : status === 'finished' ? 'completed' : 'active';
  const list = listOf(encounter, 'location');
  const first = list[0];
  const assigned = first?.status === undefined || first.status === expected ? first : undefined;
  const free: Record<string, number[]> = Object.fromEntries(
    Object.entries(FIELDS).map(([name, fields]) => [name, [...fields]]),
  );
  const further = list.flatMap((item): [number, Element][] => {
    if (item === assigned) return [];
    const field = free[textOf(item, 'status') ?? 'active']?.shift();
    return field === undefined ? [] : [[field, item]];
  });
  return { assigned, further };
}
