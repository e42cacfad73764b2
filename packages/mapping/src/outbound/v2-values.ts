/** FHIR data types as HL7 v2.5.1 data types, for the messages that are written of one report or document. */
import { type Repetitions, type RepetitionValue, repetitions } from '@causeway/hl7v2';
import type { CodeableConcept, Identifier, Patient } from '@medplum/fhirtypes';
import { codeFor } from '../v2/vocabularies.ts';
import { OutboundRecord, type Writing } from './v2/record.ts';
import { writeConcept } from './v2/values/coded.ts';
import { writeEntityIdentifier } from './v2/values/identifiers.ts';
import { writeNames } from './v2/values/names.ts';
import { writeDateTime } from './v2/values/primitives.ts';

/** What a writer of data types has to know of a message in which nothing refers to another resource. */
export function writingFor(origin: string): Writing {
  return { record: new OutboundRecord([]), origin, relayed: false };
}

/** CWE of a concept a site stated. */
export function cwe(concept: CodeableConcept | undefined, origin: string): RepetitionValue {
  return concept === undefined ? undefined : writeConcept(concept, writingFor(origin));
}

/** EI (v2.5.1 chapter 2A.28). */
export function ei(identifier: Identifier | undefined): RepetitionValue {
  return identifier?.value ? writeEntityIdentifier(identifier) : undefined;
}

/** The identifier of a type of HL7 table 0203, such as PLAC or FILL. */
export function identifierOf(identifiers: readonly Identifier[] | undefined, type: string): Identifier | undefined {
  return identifiers?.find((identifier) => identifier.type?.coding?.some(({ code }) => code === type));
}

/** The fields of PID by which a destination finds its own patient: its number, and the person as it knows them. */
export function pid(
  patient: Patient,
  number: string,
  authority: { name?: string | undefined; system: string },
): Record<number, RepetitionValue | Repetitions> {
  const oid = authority.system.startsWith('urn:oid:') ? authority.system.slice('urn:oid:'.length) : undefined;
  const universal = oid === undefined ? [authority.system, 'URI'] : [oid, 'ISO'];
  return {
    1: '1',
    3: [number, '', '', [authority.name, ...universal], 'MR'],
    5: repetitions(...writeNames((patient.name ?? []).slice(0, 5))),
    7: writeDateTime(patient.birthDate),
    8: codeFor('gender', patient.gender) ?? '',
  };
}
