import { expect, it } from 'vitest';
import { hidableElements, hidingFault, redact, searchParameters, tellsOfHidden } from './index.ts';

const whole = (...paths: string[]) => paths.map((path) => ({ path, keepsYear: false }));
const patient = {
  resourceType: 'Patient',
  id: 'p',
  text: { status: 'generated', div: '<div>Mill Lane</div>' },
  name: [{ family: 'Doe' }],
  birthDate: '1980-02-03',
  _birthDate: { extension: [{ url: 'time', valueDateTime: '1980-02-03T04:05:06Z' }] },
  contact: [{ telecom: [{ value: '1' }] }, { name: { text: 'N' }, telecom: [{ value: '2' }] }],
  address: [{ city: 'Mill Lane' }],
};

it('leaves elements out, with the narrative, and what has nothing left', () => {
  const shown = JSON.parse(redact(JSON.stringify(patient), whole('Patient.address', 'Patient.contact.telecom')));
  expect(shown).toEqual({
    resourceType: 'Patient',
    id: 'p',
    name: patient.name,
    birthDate: patient.birthDate,
    _birthDate: patient._birthDate,
    contact: [{ name: { text: 'N' } }],
  });
});

it('keeps the year of a date', () => {
  const shown = JSON.parse(redact(JSON.stringify(patient), [{ path: 'Patient.birthDate', keepsYear: true }]));
  expect(shown.birthDate).toBe('1980');
  expect(shown._birthDate).toBeUndefined();
  expect(shown.address).toEqual(patient.address);
});

it('reaches resources within others, and each form of an element; digits stay', () => {
  const text = `{"resourceType":"Observation","valueQuantity":{"value":1.50},"contained":[${JSON.stringify(patient)}],"referenceRange":[{"low":{"value":2.00}}]}`;
  const shown = redact(text, whole('Patient.address', 'Observation.value'));
  expect(shown).not.toContain('Mill Lane');
  expect(shown).not.toContain('1.50');
  expect(shown).toContain('2.00');
  const bundle = `{"resourceType":"Bundle","entry":[{"resource":${JSON.stringify(patient)}}]}`;
  expect(redact(bundle, whole('Patient.address'))).not.toContain('Mill Lane');
  expect(redact(bundle, whole('Observation.value'))).toBe(bundle);
});

it('says what cannot be hidden', () => {
  const fault = (path: string, keepsYear = false) => hidingFault(path, keepsYear);
  for (const path of ['Patient.address', 'Patient.contact.telecom', 'Condition.note', 'Observation.value']) {
    expect(fault(path)).toBeUndefined();
  }
  expect(fault('Patient.birthDate', true)).toBeUndefined();
  expect(fault('Patient.address', true)).toBeDefined();
  for (const path of [
    'Patient',
    'Nothing.address',
    'Patient.nothing',
    'Patient.id',
    'Patient.meta',
    'Observation.status',
    'Observation.code',
    'Observation.subject',
    'Encounter.participant',
    'Patient.link',
    'Patient.communication.language',
  ]) {
    expect(fault(path), path).toBeDefined();
  }
});

it('knows which searches tell of a hidden element', () => {
  const telling = (type: string, ...paths: string[]) =>
    searchParameters(type)
      .filter((parameter) => tellsOfHidden(parameter, type, whole(...paths)))
      .map(({ code }) => code);
  expect(telling('Patient', 'Patient.birthDate')).toEqual(['birthdate']);
  expect(telling('Patient', 'Patient.address')).toEqual([
    'address',
    'address-city',
    'address-country',
    'address-postalcode',
    'address-state',
    'address-use',
  ]);
  expect(telling('Patient', 'Patient.address.city')).toEqual(['address', 'address-city']);
  expect(telling('Patient', 'Patient.telecom')).toEqual(['email', 'phone', 'telecom']);
  expect(telling('Patient', 'Patient.deceased')).toEqual(['death-date', 'deceased']);
  expect(telling('Patient', 'Patient.deceasedDateTime')).toEqual(['death-date', 'deceased']);
  expect(telling('Location', 'Location.address')).toContain('near');
  const values = telling('Observation', 'Observation.value');
  for (const code of ['value-quantity', 'code-value-quantity', 'combo-value-quantity', 'value-string']) {
    expect(values).toContain(code);
  }
  for (const code of ['code', 'date', 'patient', '_id', '_lastUpdated']) expect(values).not.toContain(code);
  expect(telling('Condition', 'Condition.note')).toEqual([]);
});

it('the elements of a type that may be hidden are told with their parts, and which are dates', () => {
  const patient = hidableElements('Patient');
  const paths = patient.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['Patient.address', 'Patient.address.line', 'Patient.contact.telecom']));
  for (const kept of [
    'Patient.id',
    'Patient.meta',
    'Patient.text',
    'Patient.managingOrganization',
    'Patient.extension',
  ]) {
    expect(paths).not.toContain(kept);
  }
  expect(new Set(paths).size).toBe(paths.length);
  expect(patient.filter(({ path }) => /^Patient\.(birthDate|gender)$/.test(path))).toEqual([
    { path: 'Patient.gender', isDate: false },
    { path: 'Patient.birthDate', isDate: true },
  ]);
  const observation = hidableElements('Observation').map(({ path }) => path);
  expect(observation).toContain('Observation.value');
  expect(observation).not.toContain('Observation.code');
  for (const path of [...paths, ...observation]) expect([path, hidingFault(path, false)]).toEqual([path, undefined]);
});
