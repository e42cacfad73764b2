/** People who share family name and birth date and nothing else, so that a search by both finds a page of them. */
import type { Patient } from '@medplum/fhirtypes';
import { patientOf } from './patient.ts';
import { drawsFrom, seedOf } from './random.ts';

/** How many share a name: with 3.5 KB each, a page of 70 KB. */
export const perName = 20;

/** Person number `serial` of a run; each `perName` of them in turn are namesakes. */
export function namesake(run: string, serial: number): Patient & { resourceType: 'Patient' } {
  const own = patientOf(drawsFrom(seedOf(`${run} person ${serial}`)), `${run}-namesake-${serial}`);
  const shared = patientOf(drawsFrom(seedOf(`${run} name ${Math.floor(serial / perName)}`)), '');
  const [official, ...others] = own.name!;
  return {
    ...own,
    birthDate: shared.birthDate!,
    name: [{ ...official, family: shared.name![0]!.family! }, ...others],
  };
}
