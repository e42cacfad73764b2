/**
 * CPU time per resource of the write path's pure part: scan, canonical text, index values, compartment, validation; and of
 * the forms in which a resource is read: XML, summaries, indented.
 * Run: `npx causeway-node packages/fhir/bench.ts [--json]`. `bench.json` holds the figures that README.md speaks of.
 */

import { availableParallelism, cpus } from 'node:os';
import {
  canonicalText,
  compartment,
  compileDefinitions,
  extract,
  isFhirError,
  jsonFromXml,
  loadDefinitions,
  parseJson,
  prettyJson,
  scanResource,
  subset,
  validate,
  xmlFromJson,
} from './src/index.ts';

const VERSION = { id: '0197a000-7000-7000-8000-000000000001', versionId: '1', lastUpdated: '2026-01-31T08:00:00.000Z' };

const extension = (url: string, code: string, display: string) => ({
  url: `http://hl7.org/fhir/us/core/StructureDefinition/${url}`,
  extension: [
    { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code, display } },
    { url: 'text', valueString: display },
  ],
});

const identifier = (code: string, display: string, system: string, value: string) => ({
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code, display }], text: display },
  system,
  value,
});

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient'] },
  text: {
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml">${'A person of the bench. '.repeat(12)}</div>`,
  },
  extension: [
    extension('us-core-race', '2106-3', 'White'),
    extension('us-core-ethnicity', '2186-5', 'Not Hispanic or Latino'),
    { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Öberg' },
  ],
  identifier: [
    identifier('MR', 'Medical record number', 'urn:oid:1.2.36.146.595.217.0.1', '00012345'),
    identifier('SS', 'Social Security number', 'http://hl7.org/fhir/sid/us-ssn', '999-11-2222'),
    identifier('DL', "Driver's license number", 'urn:oid:2.16.840.1.113883.4.3.25', 'S99900001'),
  ],
  active: true,
  name: [
    { use: 'official', family: 'Lindqvist', given: ['Maja', 'Ester'], prefix: ['Ms.'] },
    { use: 'maiden', family: 'Öberg', given: ['Maja', 'Ester'] },
  ],
  telecom: [
    { system: 'phone', value: '555-010-4477', use: 'home' },
    { system: 'email', value: 'maja@example.org' },
  ],
  gender: 'female',
  birthDate: '1971-06-03',
  address: [
    {
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/geolocation',
          extension: [
            { url: 'latitude', valueDecimal: 42.1505 },
            { url: 'longitude', valueDecimal: -71.2502 },
          ],
        },
      ],
      line: ['17 Mill Lane', 'Unit 4'],
      city: 'Easton',
      state: 'MA',
      postalCode: '02334',
      country: 'US',
    },
  ],
  maritalStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }],
    text: 'M',
  },
  multipleBirthBoolean: false,
  contact: [{ name: { family: 'Lindqvist', given: ['Olle'] }, telecom: [{ system: 'phone', value: '555-010-4478' }] }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'sv', display: 'Swedish' }] } }],
  generalPractitioner: [{ reference: 'Practitioner/d1', display: 'Dr. Berg' }],
};

const observation = {
  resourceType: 'Observation',
  id: 'o1',
  meta: { profile: ['http://hl7.org/fhir/StructureDefinition/vitalsigns'] },
  status: 'final',
  category: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/observation-category',
          code: 'vital-signs',
          display: 'Vital Signs',
        },
      ],
    },
  ],
  code: {
    coding: [{ system: 'http://loinc.org', code: '85354-9', display: 'Blood pressure panel' }],
    text: 'Blood pressure',
  },
  subject: { reference: 'Patient/p1' },
  encounter: { reference: 'Encounter/e1' },
  effectiveDateTime: '2026-01-30T09:12:44+01:00',
  issued: '2026-01-30T09:12:44.123+01:00',
  performer: [{ reference: 'Practitioner/d1' }],
  component: ['8480-6', '8462-4'].map((code, index) => ({
    code: { coding: [{ system: 'http://loinc.org', code, display: index === 0 ? 'Systolic' : 'Diastolic' }] },
    valueQuantity: { value: 120.5 - index * 40, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
    interpretation: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
            code: 'N',
            display: 'Normal',
          },
        ],
      },
    ],
  })),
};

function scanned(text: string) {
  const result = scanResource(text);
  if (isFhirError(result)) throw new Error(result.error);
  return result;
}

function written(text: string): string {
  const xml = xmlFromJson(text);
  if (typeof xml !== 'string') throw new Error(xml.error);
  return xml;
}

/** Microseconds of this process's CPU per call, the least of several rounds. */
function measure(run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 12; round++) {
    const calls = 2000;
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) run();
    const used = process.cpuUsage(before);
    if (round > 3) least = Math.min(least, (used.user + used.system) / calls);
  }
  return Math.round(least * 10) / 10;
}

const compiledAt = performance.now();
const kept = JSON.stringify(compileDefinitions());
const loadedAt = performance.now();
loadDefinitions(JSON.parse(kept));
const readyAt = performance.now();

const results: Record<string, Record<string, number>> = {
  definitions: {
    'compile, ms': Math.round(loadedAt - compiledAt),
    'load, ms': Math.round(readyAt - loadedAt),
    'artifact, KB': Math.round(kept.length / 1024),
  },
};
for (const [name, resource, indent] of [
  ['Patient', patient, 0],
  ['Patient, indented', patient, 2],
  ['Observation', observation, 0],
] as const) {
  const text = JSON.stringify(resource, null, indent);
  const { value, resourceType } = scanned(text);
  const xml = written(text);
  results[name] = {
    characters: text.length,
    'JSON.parse alone': measure(() => JSON.parse(text)),
    'hand-written parser': measure(() => parseJson(text)),
    scanResource: measure(() => scanned(text)),
    'scanResource + canonicalText': measure(() => canonicalText(scanned(text), VERSION)),
    extract: measure(() => extract(value)),
    'index values': extract(value).length,
    compartment: measure(() => compartment(resourceType, value)),
    validate: measure(() => validate(value)),
    'characters of XML': xml.length,
    xmlFromJson: measure(() => xmlFromJson(text)),
    jsonFromXml: measure(() => jsonFromXml(xml)),
    'subset, _summary=true': measure(() => subset(text, { summary: 'true' })),
    prettyJson: measure(() => prettyJson(text)),
    all: measure(() => {
      const resource = scanned(text);
      const written = canonicalText(resource, VERSION);
      return [written, validate(resource.value), extract(resource.value), compartment(resourceType, resource.value)];
    }),
  };
}
const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`;
const report = {
  machine,
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  unit: 'µs of CPU a resource',
  results,
};
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else console.table(results);
