/** Distinct Patients of 2.3 to 4 KB, with the elements that US systems usually send. */
import type { Patient } from '@medplum/fhirtypes';
import type { Draws } from './random.ts';

const syllables = [
  'bar',
  'den',
  'fol',
  'gri',
  'hal',
  'jor',
  'kel',
  'lin',
  'mor',
  'nes',
  'per',
  'quil',
  'ros',
  'ster',
  'tan',
  'ver',
  'wil',
  'yar',
];
const endings = ['son', 'ley', 'ton', 'ford', 'man', 'field', 'well', 'berg'];
const streets = ['Mill Lane', 'Harbor Road', 'Station Street', 'Orchard Avenue', 'Quarry Hill', 'Beacon Terrace'];
const towns = ['Easton', 'Millbrook', 'Fairhaven', 'Northfield', 'Oakdale', 'Stonebridge'];
const extensionBase = 'http://hl7.org/fhir/us/core/StructureDefinition';
const identifierTypes = 'http://terminology.hl7.org/CodeSystem/v2-0203';

/** What makes a Patient longer than 2 KB, left out of a brief one. */
const lengthy = ['extension', 'maritalStatus', 'contact'] as const;

/**
 * The same person told in about so many bytes of JSON, as it is stored by a server: brief ones leave out what a brief
 * record leaves out, and the narrative is as long as it has to be.
 */
export function sized(patient: Patient, bytes: number): Patient & { resourceType: 'Patient' } {
  const told = { ...patient };
  if (bytes < 3_000) for (const element of lengthy) delete told[element];
  const div = (text: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>`;
  told.text = { status: 'generated', div: div('') };
  const left = Math.max(0, bytes - JSON.stringify(told).length);
  told.text = { status: 'generated', div: div(narrative.repeat(Math.ceil(left / narrative.length)).slice(0, left)) };
  return told;
}

const narrative = 'Made for measuring; stands for nobody. ';

/** A person of the bench, 3.5 KB. The same draws give the same person. */
export function patientOf(draws: Draws, serial: string): Patient & { resourceType: 'Patient' } {
  const family = nameOf(draws, draws.pick(endings));
  const given = [nameOf(draws, ''), nameOf(draws, '')];
  const female = draws.unit() < 0.5;
  const place = { city: draws.pick(towns), state: 'MA', country: 'US' };
  const street = `${draws.integer(1, 990)} ${draws.pick(streets)}`;
  const phone = `555-${draws.integer(100, 999)}-${draws.integer(1000, 9999)}`;
  const born = `${draws.integer(1930, 2020)}-${two(draws.integer(1, 12))}-${two(draws.integer(1, 28))}`;
  return {
    resourceType: 'Patient',
    meta: { profile: [`${extensionBase}/us-core-patient`] },
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${`Made for measuring; stands for nobody. ${serial}. `.repeat(6)}</div>`,
    },
    extension: [
      coded('us-core-race', 'urn:oid:2.16.840.1.113883.6.238', draws.pick(['2106-3', '2054-5', '2028-9']), 'Race'),
      coded('us-core-ethnicity', 'urn:oid:2.16.840.1.113883.6.238', draws.pick(['2186-5', '2135-2']), 'Ethnicity'),
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: nameOf(draws, 'well') },
      { url: `${extensionBase}/us-core-birthsex`, valueCode: female ? 'F' : 'M' },
      {
        url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
        valueAddress: { city: draws.pick(towns), state: 'MA', country: 'US' },
      },
    ],
    identifier: [
      identifier('MR', 'Medical Record Number', 'https://bench.example/record-number', serial),
      identifier(
        'SS',
        'Social Security Number',
        'http://hl7.org/fhir/sid/us-ssn',
        `999-${draws.integer(10, 99)}-${draws.integer(1000, 9999)}`,
      ),
      identifier(
        'DL',
        "Driver's license number",
        'urn:oid:2.16.840.1.113883.4.3.25',
        `S${draws.integer(10_000_000, 99_999_999)}`,
      ),
      identifier(
        'PPN',
        'Passport Number',
        'http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber',
        `X${draws.integer(10_000_000, 99_999_999)}X`,
      ),
    ],
    active: true,
    name: [
      { use: 'official', family, given, prefix: [female ? 'Ms.' : 'Mr.'] },
      ...(female ? [{ use: 'maiden' as const, family: nameOf(draws, 'ton'), given }] : []),
    ],
    telecom: [
      { system: 'phone', value: phone, use: 'home' },
      { system: 'email', value: `${given[0]!.toLowerCase()}.${family.toLowerCase()}@bench.example`, use: 'home' },
    ],
    gender: female ? 'female' : 'male',
    birthDate: born,
    address: [
      {
        extension: [
          {
            url: 'http://hl7.org/fhir/StructureDefinition/geolocation',
            extension: [
              { url: 'latitude', valueDecimal: 42 + draws.integer(0, 9999) / 10_000 },
              { url: 'longitude', valueDecimal: -71 - draws.integer(0, 9999) / 10_000 },
            ],
          },
        ],
        use: 'home',
        line: [street],
        postalCode: String(draws.integer(1001, 2791)).padStart(5, '0'),
        ...place,
      },
    ],
    maritalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }],
      text: 'Married',
    },
    multipleBirthBoolean: false,
    contact: [
      {
        relationship: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'N', display: 'Next-of-Kin' }] },
        ],
        name: { family, given: [nameOf(draws, '')] },
        telecom: [{ system: 'phone', value: phone }],
        address: { line: [street], ...place },
      },
    ],
    communication: [
      { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en-US', display: 'English' }], text: 'English' } },
    ],
  };
}

function nameOf(draws: Draws, ending: string): string {
  const name = `${draws.pick(syllables)}${draws.pick(syllables)}${ending}`;
  return name[0]!.toUpperCase() + name.slice(1);
}

function coded(name: string, system: string, code: string, text: string) {
  return {
    url: `${extensionBase}/${name}`,
    extension: [
      { url: 'ombCategory', valueCoding: { system, code, display: text } },
      { url: 'text', valueString: text },
    ],
  };
}

function identifier(code: string, display: string, system: string, value: string) {
  return { type: { coding: [{ system: identifierTypes, code, display }], text: display }, system, value };
}

export function two(value: number): string {
  return String(value).padStart(2, '0');
}
