/** OBX and SPM: observations and specimens. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { OBX, SAC, SPM } from '../../../v2/tables/results.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, codingsOf, type Element, extensionOf, hasCode, listOf, textOf } from '../record.ts';
import { writeAddress } from '../values/contacts.ts';
import { observationValue, rangeText } from '../values/observation.ts';
import {
  isCodedOrganization,
  organizationOf,
  writeCodedOrganization,
  writeOrganization,
  writePractitioner,
} from '../values/parties.ts';
import { writeNotes } from './notes.ts';
import { writeRoles } from './roles.ts';
import type { Sheet } from './sheet.ts';

const obxRows = compileBack(OBX, { skip: ['OBX-15', 'OBX-16'], single: ['OBX-21'] });
const spmRows = compileBack(SPM, { skip: ['SPM-3'], single: ['SPM-14', 'SPM-31', 'SPM-32'], last: ['SPM-31'] });
const parentRows = compileBack(SPM.filter(([from]) => from === 'SPM-3'));
const sacRows = compileBack(SAC, { skip: ['SAC-6', 'SAC-7'] });

/** An OBX with the participants and notes that follow it. */
export function writeObservation(sheet: Sheet, observation: Element): void {
  sheet.addNumbered('OBX', (fields) => {
    obxRows(observation, fields, sheet);
    fields.add(4, subId(observation));
    const { type, values, units } = observationValue(observation, sheet);
    fields.add(2, type);
    fields.add(5, ...values);
    fields.add(6, units);
    fields.add(7, rangeText(observation));
    fields.add(11, statusOf(sheet, observation));
    writePerformers(sheet, observation, fields);
    const kind = listOf(observation, 'category')
      .flatMap(codingsOf)
      .find(({ system }) => String(system).endsWith('/v2-0936'));
    fields.add(29, textOf(kind, 'code'));
  });
  writeRoles(sheet, 'PRT', listOf(observation, 'performer'));
  writeNotes(sheet, observation);
}

/** OBX-4 as OG. */
function subId(observation: Element): RepetitionValue {
  const url = 'http://hl7.org/fhir/StructureDefinition/observation-v2-subid';
  const extension = listOf(observation, 'extension').find((item) => item.url === url);
  return ['original-sub-identifier', 'group', 'sequence', 'identifier'].map((part) => {
    const value = extensionOf(extension, part);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  });
}

/** OBX-11, HL7 table 0085: the sender's own code where FHIR's status cannot tell it. */
function statusOf(sheet: Sheet, observation: Element): string | undefined {
  const alternate = listOf(childOf(observation, '_status'), 'extension')[0];
  const stated = textOf(codingsOf(alternate?.valueCodeableConcept)[0], 'code');
  if (stated !== undefined) return stated;
  const status = textOf(observation, 'status');
  return status === 'amended' && !sheet.relayed ? 'C' : codeFor('observationStatus', status);
}

/**
 * OBX-16 (people but the medical director), OBX-15 and OBX-23 (organizations): an organization that is known by a code
 * and is not the last is the producer.
 */
function writePerformers(sheet: Sheet, observation: Element, fields: SegmentFields): void {
  const performers = listOf(observation, 'performer');
  const organizations = performers.filter((item) => organizationOf(item, sheet) !== undefined);
  for (const item of performers) {
    const isPerson = sheet.record.resolve(item)?.resourceType === 'Practitioner';
    if (isPerson && !isDirector(item)) fields.add(16, writePractitioner(item, sheet));
  }
  for (const [index, item] of organizations.entries()) {
    const isLast = index === organizations.length - 1;
    const isProducer = organizations.length > 1 ? !isLast : isCodedOrganization(item, sheet);
    if (isProducer) fields.add(15, writeCodedOrganization(item, sheet));
    else {
      fields.add(23, writeOrganization(item, sheet));
      const address = listOf(organizationOf(item, sheet), 'address')[0];
      if (address !== undefined) fields.add(24, writeAddress(address));
    }
  }
}

function isDirector(performer: Element): boolean {
  const url = 'http://hl7.org/fhir/StructureDefinition/event-performerFunction';
  return hasCode(extensionOf(performer, url), 'MDIR');
}

/** SPM with its notes, and SAC of its container. */
export function writeSpecimen(sheet: Sheet, specimen: Element): void {
  sheet.addNumbered('SPM', (fields) => {
    spmRows(specimen, fields, sheet);
    const parents = listOf(specimen, 'parent').filter(({ identifier }) => identifier !== undefined);
    parentRows({ parent: parents }, fields, sheet);
    const status = specimen.status;
    if (status === 'available' || status === 'unavailable') fields.add(20, status === 'available' ? 'Y' : 'N');
  });
  sheet.add('SAC', (fields) => sacRows(specimen, fields, sheet));
  writeNotes(sheet, { note: listOf(specimen, 'note').slice(1) });
}
