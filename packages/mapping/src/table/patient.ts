/** The Patient that a row is about. */
import type { Fact } from '../conversion.ts';
import type { Row, Target } from './row.ts';
import { genders } from './words.ts';

type Stated = Pick<Fact, 'mode' | 'adds'> & { resource: { [element: string]: unknown } };

const demographics = ['family', 'given', 'middle', 'name', 'birthDate', 'gender', 'phone', 'email', 'line', 'city'];

/** With the record number alone the Patient is only named; with anything else the row states it. */
export function patientOf(row: Row, target: Target, system: string): Stated {
  const value = row.text('patient.id', target, 'identifier[0].value');
  const identifier: object[] = [{ type: recordNumber, system, value }];
  const ssn = row.text('patient.ssn', target, 'identifier[1].value');
  if (ssn !== undefined)
    identifier.push({ type: socialSecurity, system: 'http://hl7.org/fhir/sid/us-ssn', value: ssn });
  const gender = row.word('patient.gender', target, 'gender', genders);
  const birthDate = row.date('patient.birthDate', target, 'birthDate')?.slice(0, 10);
  const deceased = row.date('patient.deceased', target, 'deceasedDateTime');
  const name = nameOf(row, target);
  const telecom = telecomOf(row, target);
  const address = addressOf(row, target);
  const isStated = demographics.some((field) => row.has(`patient.${field}`));
  return {
    mode: isStated ? 'merge' : 'reference',
    adds: ['identifier'],
    resource: {
      identifier,
      ...(name && { name: [name] }),
      ...(telecom.length > 0 && { telecom }),
      ...(gender && { gender }),
      ...(birthDate && { birthDate }),
      ...(deceased && { deceasedDateTime: deceased }),
      ...(address && { address: [address] }),
    },
  };
}

const typeSystem = 'http://terminology.hl7.org/CodeSystem/v2-0203';
const recordNumber = { coding: [{ system: typeSystem, code: 'MR' }] };
const socialSecurity = { coding: [{ system: typeSystem, code: 'SS' }] };

function nameOf(row: Row, target: Target): object | undefined {
  const path = 'name[0]';
  const family = row.text('patient.family', target, `${path}.family`);
  const given = ['patient.given', 'patient.middle'].flatMap(
    (field, i) => row.text(field, target, `${path}.given[${i}]`) ?? [],
  );
  if (family !== undefined || given.length > 0) {
    return { ...(family && { family }), ...(given.length > 0 && { given }) };
  }
  const whole = row.text('patient.name', target, path);
  if (whole === undefined) return undefined;
  const [last, first] = whole.split(',').map((part) => part.trim());
  return first ? { family: last, given: first.split(/\s+/) } : { text: whole };
}

function telecomOf(row: Row, target: Target): object[] {
  const phone = row.text('patient.phone', target, 'telecom[0].value');
  const email = row.text('patient.email', target, `telecom[${phone === undefined ? 0 : 1}].value`);
  return [
    ...(phone === undefined ? [] : [{ system: 'phone', value: phone }]),
    ...(email === undefined ? [] : [{ system: 'email', value: email }]),
  ];
}

function addressOf(row: Row, target: Target): object | undefined {
  const at = (field: string, path: string) => row.text(`patient.${field}`, target, `address[0].${path}`);
  const line = [at('line', 'line[0]'), at('line2', 'line[1]')].filter((one) => one !== undefined);
  const parts = { city: at('city', 'city'), state: at('state', 'state'), postalCode: at('postalCode', 'postalCode') };
  const address = { ...(line.length > 0 && { line }), ...parts, country: at('country', 'country') };
  const said = Object.fromEntries(Object.entries(address).filter(([, value]) => value !== undefined));
  return Object.keys(said).length > 0 ? said : undefined;
}
