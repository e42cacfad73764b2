import { narrativeIssues, validate } from '@causeway/fhir';
import { describe, expect, it } from 'vitest';
import { writeSummary } from './index.ts';

// biome-ignore lint/suspicious/noExplicitAny: the tests look into resources of many types.
type Json = any;

const options = {
  id: '0b7cbb9d-8a3c-4a83-9d0a-0d5d1f6a0001',
  time: '2026-11-26T10:00:00.000Z',
  base: 'https://hub.example/fhir',
  software: 'Causeway',
};
const patient = {
  resourceType: 'Patient',
  id: 'p',
  name: [{ family: 'Moss', given: ['Ida'] }],
  birthDate: '1950-02-03',
};
const subject = { reference: 'Patient/p' };
const ips = (name: string) => `http://hl7.org/fhir/uv/ips/StructureDefinition/${name}-uv-ips`;
const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }], text: `LOINC ${code}` });
const clinical = (code: string, type = 'condition') => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${type}-clinical`, code }],
});
const category = (code: string) => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
];

function summaryOf(...resources: (object | string)[]): Json {
  const texts = [patient, ...resources].map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  const bundle = JSON.parse(writeSummary(texts, options));
  expect(validate(bundle).filter(({ severity }) => severity === 'error')).toEqual([]);
  for (const { text } of bundle.entry[0].resource.section) expect(narrativeIssues(text.div)).toEqual([]);
  return bundle;
}

const sectionOf = (bundle: Json, code: string): Json =>
  bundle.entry[0].resource.section.find((one: Json) => one.code.coding[0].code === code);
const entriesOf = (bundle: Json, code: string): Json[] =>
  (sectionOf(bundle, code)?.entry ?? []).map(
    ({ reference }: Json) => bundle.entry.find(({ fullUrl }: Json) => fullUrl === reference)?.resource,
  );
const idsOf = (bundle: Json, code: string) => entriesOf(bundle, code).map((one) => one?.id);

describe('the document', () => {
  it('is a Bundle whose Composition comes first, and names each resource by its address', () => {
    const bundle = summaryOf();
    expect(bundle).toMatchObject({
      type: 'document',
      timestamp: options.time,
      identifier: { value: `urn:uuid:${options.id}` },
    });
    const [composition, of] = bundle.entry;
    expect(composition.resource.type.coding[0].code).toBe('60591-5');
    expect(composition.resource.subject.reference).toBe(of.fullUrl);
    expect(of.fullUrl).toBe('https://hub.example/fhir/Patient/p');
    expect(composition.fullUrl).toBe(`urn:uuid:${composition.resource.id}`);
    const addresses = bundle.entry.map(({ fullUrl }: Json) => fullUrl);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses).toContain(composition.resource.author[0].reference);
  });

  it('says by the guide’s codes that there is no information where nothing is known', () => {
    const bundle = summaryOf();
    const coded = ['10160-0', '48765-2', '11450-4'].map((code) => {
      const [one] = entriesOf(bundle, code);
      return (one.medicationCodeableConcept ?? one.code).coding[0].code;
    });
    expect(coded).toEqual(['no-medication-info', 'no-allergy-info', 'no-problem-info']);
    expect(bundle.entry[0].resource.section).toHaveLength(3);
  });

  it('says that somebody has none only where the record does, and nothing else of the kind', () => {
    const none = {
      resourceType: 'AllergyIntolerance',
      id: 'none',
      patient: subject,
      clinicalStatus: clinical('active', 'allergyintolerance'),
      code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] },
    };
    const some = { ...none, id: 'some', code: { text: 'Penicillin' } };
    expect(idsOf(summaryOf(none), '48765-2')).toEqual(['none']);
    expect(idsOf(summaryOf(none, some), '48765-2')).toEqual(['some']);
  });

  it('keeps the digits of numbers, and the highest label', () => {
    const weight = `{"resourceType":"Observation","id":"w","status":"final","subject":{"reference":"Patient/p"},"code":{"text":"Weight"},"category":${JSON.stringify(category('vital-signs'))},"effectiveDateTime":"2026-01-02","valueQuantity":{"value":70.50,"unit":"kg"},"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}}`;
    const text = writeSummary([JSON.stringify(patient), weight], options);
    expect(text).toContain('"value":70.50');
    expect(text).toContain('<td>70.50 kg</td>');
    expect(JSON.parse(text).entry[0].resource.confidentiality).toBe('R');
  });

  it('writes what resources say as words, never as markup', () => {
    const evil = '<script>alert(1)</script>\ufffe&';
    const div = sectionOf(
      summaryOf({
        resourceType: 'Condition',
        id: 'c',
        subject,
        code: { text: evil },
        clinicalStatus: clinical('active'),
      }),
      '11450-4',
    ).text.div;
    expect(div).toContain('&lt;script&gt;');
    expect(div).not.toContain('<script>');
  });

  it('is not made without a Patient', () => {
    expect(() => writeSummary([], options)).toThrow(RangeError);
  });
});

describe('what is told', () => {
  it('tells problems that are there apart from those that were, and neither errors nor somebody else’s', () => {
    const of = (id: string, more: object) => ({ resourceType: 'Condition', id, subject, code: { text: id }, ...more });
    const bundle = summaryOf(
      of('now', { clinicalStatus: clinical('active') }),
      of('then', { clinicalStatus: clinical('resolved') }),
      of('silent', {}),
      of('abated', { abatementDateTime: '2020' }),
      of('error', {
        verificationStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'entered-in-error' }],
        },
      }),
      { ...of('hers', { clinicalStatus: clinical('active') }), subject: { reference: 'Patient/q' } },
    );
    expect(idsOf(bundle, '11450-4').sort()).toEqual(['now', 'silent']);
    expect(idsOf(bundle, '11348-0').sort()).toEqual(['abated', 'then']);
    const [silent] = entriesOf(bundle, '11450-4').filter(({ id }) => id === 'silent');
    expect(silent.clinicalStatus.extension[0].valueCode).toBe('unknown');
    const [abated] = entriesOf(bundle, '11348-0').filter(({ id }) => id === 'abated');
    expect(abated.clinicalStatus.coding[0].code).toBe('inactive');
  });

  it('tells medications in force, those that were only handed out, and how many have ended', () => {
    const request = (id: string, status: string) => ({
      resourceType: 'MedicationRequest',
      id,
      status,
      intent: 'order',
      subject,
      medicationCodeableConcept: { text: id },
    });
    const dispense = (id: string, text: string, whenHandedOver: string) => ({
      resourceType: 'MedicationDispense',
      id,
      status: 'completed',
      subject,
      medicationCodeableConcept: { text },
      whenHandedOver,
    });
    const bundle = summaryOf(
      request('metformin', 'active'),
      request('amoxicillin', 'completed'),
      dispense('d1', 'ibuprofen', '2025-01-01'),
      dispense('d2', 'ibuprofen', '2026-01-01'),
      dispense('d3', 'metformin', '2026-02-01'),
    );
    expect(idsOf(bundle, '10160-0')).toEqual(['metformin', 'd2']);
    expect(sectionOf(bundle, '10160-0').text.div).toContain('1 medication that has ended');
  });

  it('tells of each kind of result the latest, with the report that holds it and what is in it', () => {
    const result = (id: string, code: string, day: string, more: object = {}) => ({
      resourceType: 'Observation',
      id,
      status: 'final',
      subject,
      category: category('laboratory'),
      code: loinc(code),
      effectiveDateTime: day,
      valueQuantity: { value: 5, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
      ...more,
    });
    const report = (id: string, status: string, ...results: string[]) => ({
      resourceType: 'DiagnosticReport',
      id,
      status,
      subject,
      code: loinc('58410-2'),
      performer: [{ reference: 'Organization/lab' }],
      result: results.map((one) => ({ reference: `Observation/${one}` })),
    });
    const bundle = summaryOf(
      result('old', '718-7', '2024-01-01'),
      result('new', '718-7', '2026-01-01'),
      result('corrected', '2345-7', '2026-01-01', { status: 'corrected' }),
      result('preliminary', '2160-0', '2026-01-01', { status: 'preliminary' }),
      result('alone', '2951-2', '2026-01-01', { valueQuantity: { value: 140, unit: 'meq' } }),
      report('r1', 'final', 'old'),
      report('r2', 'corrected', 'new', 'corrected', 'preliminary'),
      { resourceType: 'Organization', id: 'lab' },
    );
    expect(idsOf(bundle, '30954-2')).toEqual(['r2', 'alone']);
    const of = (id: string) => bundle.entry.find((one: Json) => one.resource.id === id)?.resource;
    expect(['old', 'r1', 'preliminary'].map(of)).toEqual([undefined, undefined, undefined]);
    expect(of('new').meta.profile).toEqual([ips('Observation-results-laboratory')]);
    expect(of('new').performer[0].extension[0].valueCode).toBe('unknown');
    expect(of('alone').meta.profile).toEqual([ips('Observation-results')]);
    expect(of('corrected').meta).toBeUndefined();
    expect(of('r2').meta).toBeUndefined();
    expect(of('r2').category[0].extension[0].valueCode).toBe('unknown');
    expect(of('lab')._name.extension[0].valueCode).toBe('unknown');
    expect(of('r2').result.map((one: Json) => one.reference)).toContain(
      'https://hub.example/fhir/Observation/preliminary',
    );
  });

  it('answers the guide’s question about smoking by LOINC, beside what was said', () => {
    const smoking = (code: string) => ({
      resourceType: 'Observation',
      id: 's',
      status: 'final',
      subject,
      code: loinc('72166-2'),
      effectiveInstant: '2026-01-01T10:00:00Z',
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code }] },
    });
    const [known] = entriesOf(summaryOf(smoking('8517006')), '29762-2');
    expect(known.valueCodeableConcept.coding.map((one: Json) => one.code)).toEqual(['8517006', 'LA15920-4']);
    expect(known.effectiveDateTime).toBe('2026-01-01T10:00:00Z');
    expect(known.meta.profile).toEqual([ips('Observation-tobaccouse')]);
    const [other] = entriesOf(summaryOf(smoking('1')), '29762-2');
    expect([other.id, other.meta]).toEqual(['s', undefined]);
  });

  it('tells in the narrative of a panel that its results are below, and units as they are printed', () => {
    const result = (id: string, more: object) => ({
      resourceType: 'Observation',
      id,
      status: 'final',
      subject,
      category: category('laboratory'),
      code: { text: id },
      effectiveDateTime: '2026-01-01',
      ...more,
    });
    const quantity = (value: number, code: string) => ({
      valueQuantity: { value, unit: code, system: 'http://unitsofmeasure.org', code },
    });
    const refers = (...ids: string[]) => ids.map((id) => ({ reference: `Observation/${id}` }));
    const bundle = summaryOf(
      {
        resourceType: 'DiagnosticReport',
        id: 'r',
        status: 'final',
        subject,
        code: { text: 'Kidney' },
        result: refers('panel'),
      },
      result('panel', { hasMember: refers('filtration', 'cells') }),
      result('filtration', quantity(48, 'mL/min/{1.73_m2}')),
      result('cells', quantity(14.2, '10*3/uL')),
    );
    const { div } = sectionOf(bundle, '30954-2').text;
    for (const cells of [
      '<td>Kidney</td><td>1 result below</td>',
      '<td>panel</td><td>2 results below</td>',
      '<td>filtration</td><td>48 mL/min/1.73 m2</td>',
      '<td>cells</td><td>14.2 10³/µL</td>',
    ])
      expect(div).toContain(cells);
  });

  it('tells a device of the patient as one that is used', () => {
    const device = {
      resourceType: 'Device',
      id: 'd',
      status: 'active',
      patient: subject,
      deviceName: [{ name: 'Pacer', type: 'user-friendly-name' }],
    };
    const bundle = summaryOf(device);
    const [use] = entriesOf(bundle, '46264-8');
    expect(use).toMatchObject({ resourceType: 'DeviceUseStatement', status: 'active' });
    expect(use._timingDateTime.extension[0].valueCode).toBe('unknown');
    expect(use.device.reference).toBe('https://hub.example/fhir/Device/d');
    expect(bundle.entry.find((one: Json) => one.resource.id === 'd').resource.meta.profile).toEqual([ips('Device')]);
  });

  it('tells functional status in words, since the guide has no entries for it', () => {
    const bundle = summaryOf({
      resourceType: 'Observation',
      id: 'f',
      status: 'final',
      subject,
      category: category('survey'),
      code: { text: 'Walks alone' },
      valueBoolean: true,
    });
    const section = sectionOf(bundle, '47420-5');
    expect(section.entry).toBeUndefined();
    expect(section.text.div).toContain('<td>Walks alone</td><td>true</td>');
  });
});
