/** The registry of data types that table rows name, written: the way back of `v2/datatypes/index.ts`. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { codingsOf, hasCode, listOf, textOf, type Writing } from '../record.ts';
import {
  isOfVocabulary,
  writeCode,
  writeCoding,
  writeConcept,
  writeTableConcept,
  writeTextOrConcept,
  writeVocabularyConcept,
} from './coded.ts';
import { writeAddress, writeContactPoint, writeContactPoints } from './contacts.ts';
import {
  isBareSsn,
  isLicence,
  isOfKind,
  isPlain,
  writeCodedIdentifier,
  writeEntityIdentifier,
  writeExtendedIdentifier,
  writeLicence,
  writePair,
  writePlainIdentifier,
} from './identifiers.ts';
import { writeCodedLocation, writeDischargeLocation, writeFacility, writeLocation } from './locations.ts';
import { writeNames } from './names.ts';
import {
  isCodedOrganization,
  isPerson,
  organizationOf,
  writeCodedDevice,
  writeCodedOrganization,
  writeDevices,
  writeNamedOrganization,
  writeNamedPractitioner,
  writeNestedPractitioner,
  writeOrganization,
  writePractitioner,
} from './parties.ts';
import { writeAnnotation, writeBoolean, writeDateTime, writePeriod, writeText } from './primitives.ts';
import { writeMoney, writeQuantity } from './quantities.ts';
import {
  isExtension,
  writeDays,
  writeEpisode,
  writeEthnicGroups,
  writeMaidenName,
  writeParents,
  writeSpecimenReference,
  writeSpecimenSource,
} from './special.ts';

/** How values of one data type become repetitions of a field. */
export interface ValueWriter {
  write(values: readonly unknown[], writing: Writing): readonly RepetitionValue[];
  /** What can be written as this type at all. */
  accepts(value: unknown, writing: Writing): boolean;
  /** What this type is made for, when several rows share a target. */
  prefers(value: unknown, writing: Writing): boolean;
}

type WriteOne = (value: unknown, writing: Writing) => RepetitionValue;
type Test = (value: unknown, writing: Writing) => boolean;

const anything: Test = () => true;
const nothing: Test = () => false;

function each(write: WriteOne, accepts: Test = anything, prefers: Test = nothing): ValueWriter {
  return { write: (values, writing) => values.map((value) => write(value, writing)), accepts, prefers };
}

const isOrganization: Test = (value, writing) => organizationOf(value, writing) !== undefined;
const isLocation: Test = (value, { record }) => record.resolve(value)?.resourceType === 'Location';
const isNumbered: Test = (value, writing) => listOf(organizationOf(value, writing), 'identifier').length > 0;
const isUncoded: Test = (value) => codingsOf(value).length === 0;

const writers: Record<string, ValueWriter> = {
  string: each(writeText),
  text: each(writeText),
  Annotation: each(writeAnnotation),
  ConceptNote: each(writeAnnotation),
  ConceptText: each(writeText),
  boolean: each(writeBoolean),
  decimal: each(writeText),
  integer: each(writeText),
  positiveInt: each(writeText),
  Minutes: each(writeText),
  dateTime: each(writeDateTime),
  date: each(writeDateTime),
  birthDate: each(writeDateTime),
  instant: each(writeDateTime),
  Period: each(writePeriod),
  HumanName: { write: writeNames, accepts: anything, prefers: nothing },
  MaidenName: each(writeMaidenName),
  Address: each(writeAddress),
  StreetAddress: each(writeAddress),
  ContactPoint: points(undefined),
  OneContactPoint: each((value) => writeContactPoint(value)),
  HomeContactPoint: points('home'),
  WorkContactPoint: points('work'),
  Identifier: each(writeExtendedIdentifier),
  EntityIdentifier: each(writeEntityIdentifier),
  GroupIdentifier: each(writeEntityIdentifier),
  PlainIdentifier: each(writePlainIdentifier, anything, isPlain),
  CodedIdentifier: each(writeCodedIdentifier),
  PairIdentifiers: {
    write: (values) => [writePair(values)],
    accepts: (value) => ['PLAC', 'FILL'].some((type) => hasCode((value as { type?: unknown }).type, type)),
    prefers: anything,
  },
  Licence: each(writeLicence, isLicence, isLicence),
  Ssn: each(writePlainIdentifier, isBareSsn, isBareSsn),
  CodeableConcept: each(writeConcept),
  TextOrConcept: each(writeTextOrConcept),
  TextConcept: each((value) => textOf(value, 'text'), isUncoded),
  Coding: each(writeCoding),
  Practitioner: each(writePractitioner, isPerson),
  NestedPractitioner: each(writeNestedPractitioner, isPerson),
  NamedPractitioner: each(writeNamedPractitioner, isPerson),
  Organization: each(writeOrganization, isOrganization, isNumbered),
  NamedOrganization: each(writeNamedOrganization, isOrganization),
  CodedOrganization: each(writeCodedOrganization, isOrganization, isCodedOrganization),
  Location: each(writeLocation, isLocation),
  FacilityLocation: each(writeFacility, isLocation),
  CodedLocation: each(writeCodedLocation, isLocation),
  DischargeLocation: each(writeDischargeLocation, isLocation),
  CodedDevice: each(writeCodedDevice, (value, { record }) => record.resolve(value)?.resourceType === 'Device'),
  devices: {
    write: (values, writing) => values.flatMap((value) => writeDevices(value, writing)),
    accepts: anything,
    prefers: nothing,
  },
  Quantity: each(writeQuantity),
  Money: each(writeMoney),
  Days: each(writeDays),
  EpisodeOfCare: each(writeEpisode),
  ParentRequests: {
    write: writeParents,
    accepts: (value) => (value as { identifier?: unknown }).identifier !== undefined,
    prefers: nothing,
  },
  SpecimenSource: each(writeSpecimenSource),
  SpecimenReference: each(writeSpecimenReference),
  race: groups('us-core-race'),
  ethnicity: groups('us-core-ethnicity'),
};

function points(use: string | undefined): ValueWriter {
  return {
    write: (values) => writeContactPoints(values, use),
    accepts: anything,
    prefers: (value, { relayed }) => (use !== undefined || relayed) && textOf(value, 'use') === use,
  };
}

function groups(name: string): ValueWriter {
  const is: Test = (value) => isExtension(value, name);
  return {
    write: (values, writing) => values.flatMap((value) => writeEthnicGroups(value, writing)),
    accepts: is,
    prefers: is,
  };
}

/** @param name as in the tables: a type, `code:VOCABULARY`, `CodeableConcept:VOCABULARY`, `TableConcept:0228` or `Identifier:KIND` */
export function valueWriter(name: string): ValueWriter | undefined {
  const [kind, vocabulary] = name.split(':');
  if (vocabulary === undefined) return writers[name];
  if (kind === 'Identifier') {
    const isOwn: Test = (value) => isOfKind(value, vocabulary);
    return each(writeExtendedIdentifier, isOwn, isOwn);
  }
  if (kind === 'code') return each((value) => writeCode(vocabulary, value));
  if (kind === 'TableConcept') {
    const system = `http://terminology.hl7.org/CodeSystem/v2-${vocabulary}`;
    return each(
      (value, writing) => writeTableConcept(vocabulary, value, writing),
      anything,
      (value) => codingsOf(value).some((coding) => coding.system === system),
    );
  }
  if (kind === 'CodeableConcept')
    return each(
      (value, writing) => writeVocabularyConcept(vocabulary, value, writing),
      anything,
      (value) => isOfVocabulary(vocabulary, value),
    );
  return undefined;
}
