/** The registry of data types that table rows name: a reader of one repetition, or of a field's repetitions together. */
import type { Cell } from '../cell.ts';
import { readAddress, readStreetAddress } from './address.ts';
import { codeableConceptReader, codeReader, readCoding, tableConceptReader } from './coded.ts';
import { readEthnicity, readRace } from './ethnicity.ts';
import {
  identifierReader,
  readCodedIdentifier,
  readEntityIdentifier,
  readExtendedIdentifier,
  readFillerGroupIdentifier,
  readGroupIdentifier,
  readLicence,
  readPairIdentifiers,
  readPlainIdentifier,
  readPractitionerNumber,
  readSsn,
} from './identifier.ts';
import { readFacilityLocation, readLocation } from './location.ts';
import { readHumanName } from './name.ts';
import {
  readCodedOrganization,
  readNamedOrganization,
  readNamedPractitioner,
  readNestedPractitioner,
  readOrganization,
  readPractitioner,
} from './party.ts';
import {
  readAnnotation,
  readBirthDate,
  readBoolean,
  readDecimal,
  readInteger,
  readPositiveInteger,
  readString,
  readText,
} from './primitive.ts';
import { readMinutes, readMoney, readPeriod, readQuantity } from './quantity.ts';
import {
  readAddressLocation,
  readCodedDevice,
  readCodedLocation,
  readConceptNote,
  readConceptText,
  readDays,
  readDevices,
  readDischargeLocation,
  readEpisodeOfCare,
  readMaidenName,
  readParentRequests,
  readSpecimenReference,
  readSpecimenSource,
  readTextConcept,
  readTextOrConcept,
} from './special.ts';
import { readContactPoint, readContactPoints } from './telecom.ts';

/** Reads one repetition; undefined when it holds nothing of the type. */
export type Reader = (cell: Cell) => unknown;
/** Reads all repetitions of a field to one value. */
export type FieldReader = (cells: Cell[]) => unknown;

const readers: Record<string, Reader> = {
  string: readString,
  text: readText,
  Annotation: readAnnotation,
  boolean: readBoolean,
  decimal: readDecimal,
  integer: readInteger,
  positiveInt: readPositiveInteger,
  dateTime: (cell) => cell.dateTime('', 1),
  date: (cell) => cell.date('', 1),
  birthDate: readBirthDate,
  instant: (cell) => {
    const value = cell.peek(1) === undefined ? undefined : cell.readDateTime(1)?.dateTime;
    return value === undefined || value.length <= 10 ? undefined : cell.dateTime('', 1);
  },
  HumanName: readHumanName,
  Address: readAddress,
  StreetAddress: readStreetAddress,
  ContactPoint: (cell) => readContactPoints(cell, undefined),
  OneContactPoint: (cell) => readContactPoint(cell, undefined),
  HomeContactPoint: (cell) => readContactPoints(cell, 'home'),
  WorkContactPoint: (cell) => readContactPoints(cell, 'work'),
  Identifier: readExtendedIdentifier,
  EntityIdentifier: readEntityIdentifier,
  GroupIdentifier: readGroupIdentifier,
  FillerGroupIdentifier: readFillerGroupIdentifier,
  PlainIdentifier: readPlainIdentifier,
  CodedIdentifier: readCodedIdentifier,
  PairIdentifiers: readPairIdentifiers,
  PractitionerNumber: readPractitionerNumber,
  Licence: readLicence,
  Ssn: readSsn,
  CodeableConcept: codeableConceptReader(undefined),
  Coding: readCoding,
  Practitioner: readPractitioner,
  NestedPractitioner: readNestedPractitioner,
  NamedPractitioner: readNamedPractitioner,
  Organization: readOrganization,
  NamedOrganization: readNamedOrganization,
  CodedOrganization: readCodedOrganization,
  Location: readLocation,
  FacilityLocation: readFacilityLocation,
  Quantity: readQuantity,
  Money: readMoney,
  Period: readPeriod,
  Minutes: readMinutes,
  MaidenName: readMaidenName,
  DischargeLocation: readDischargeLocation,
  Days: readDays,
  EpisodeOfCare: readEpisodeOfCare,
  ParentRequests: readParentRequests,
  CodedDevice: readCodedDevice,
  TextConcept: readTextConcept,
  TextOrConcept: readTextOrConcept,
  ConceptNote: readConceptNote,
  ConceptText: readConceptText,
  CodedLocation: readCodedLocation,
  AddressLocation: readAddressLocation,
  SpecimenSource: readSpecimenSource,
  SpecimenReference: readSpecimenReference,
};

const fieldReaders: Record<string, FieldReader> = { race: readRace, devices: readDevices, ethnicity: readEthnicity };

/** @param name a registered type, `code:VOCABULARY`, `CodeableConcept:VOCABULARY`, `TableConcept:0228` or `Identifier:KIND` */
export function dataType(name: string): Reader | undefined {
  const [kind, vocabulary] = name.split(':');
  if (vocabulary === undefined) return readers[name];
  if (kind === 'Identifier') return identifierReader(vocabulary);
  if (kind === 'TableConcept') return tableConceptReader(vocabulary);
  if (kind === 'code') return codeReader(vocabulary);
  if (kind === 'CodeableConcept') return codeableConceptReader(vocabulary);
  return undefined;
}

export function fieldType(name: string): FieldReader | undefined {
  return fieldReaders[name];
}
