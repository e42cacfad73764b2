/** The profile of the guide that an observation meets, by what it is of. */
import type { CodeableConcept, Observation, Quantity } from '@medplum/fhirtypes';
import { absent, isThere } from './absent.ts';
import {
  ALCOHOL,
  categoryCodes,
  DELIVERY_DATES,
  hasLoinc,
  ipsProfile,
  LOINC,
  OBSERVATION_CATEGORY,
  PREGNANCY_OUTCOMES,
  PREGNANCY_STATUS,
  PREGNANCY_STATUSES,
  TOBACCO,
  UCUM,
} from './codes.ts';
import { withSmokingAnswer } from './smoking.ts';

/** A copy that claims the profile it meets; as it is where it meets none. */
export function fitObservation(observation: Observation): Observation {
  const timed = withTime(observation);
  const { code } = timed;
  if (hasLoinc(code, TOBACCO)) return tobacco(timed);
  if (hasLoinc(code, ALCOHOL)) return moment(timed, 'Observation-alcoholuse-uv-ips', ['component']);
  if (hasLoinc(code, PREGNANCY_STATUS)) return pregnancyStatus(timed);
  if (hasOnly(code, DELIVERY_DATES)) return moment(timed, 'Observation-pregnancy-edd-uv-ips', [...bodily, 'method']);
  if (hasOnly(code, PREGNANCY_OUTCOMES)) return moment(timed, 'Observation-pregnancy-outcome-uv-ips', bodily);
  return result(timed);
}

/** What observations about a pregnancy have no room for. */
const bodily = ['bodySite', 'specimen', 'device', 'referenceRange', 'component'];

/** An instant is a time of day as well; where nothing is said of the time, that is said. */
function withTime(observation: Observation): Observation {
  const { effectiveInstant, ...rest } = observation;
  if (effectiveInstant !== undefined) return { ...rest, effectiveDateTime: effectiveInstant };
  const names = ['effectiveDateTime', 'effectivePeriod', 'effectiveTiming'];
  if (names.some((name) => isThere(observation, name))) return observation;
  return { ...observation, _effectiveDateTime: absent() } as Observation;
}

function claims(observation: Observation, ...profiles: string[]): Observation {
  const { meta } = observation;
  const urls = profiles.map(ipsProfile).filter((url) => !meta?.profile?.includes(url));
  return { ...observation, meta: { ...meta, profile: [...(meta?.profile ?? []), ...urls] } };
}

/** A profile whose time is a moment, and which has no room for some elements. */
function moment(observation: Observation, profile: string, without: readonly string[]): Observation {
  const fits = isThere(observation, 'effectiveDateTime') && !without.some((name) => isThere(observation, name));
  return fits ? claims(observation, profile) : observation;
}

function tobacco(observation: Observation): Observation {
  const { valueCodeableConcept } = observation;
  const value = valueCodeableConcept && withSmokingAnswer(valueCodeableConcept);
  if (valueCodeableConcept !== undefined && value === undefined) return observation;
  const answered = value === undefined ? observation : { ...observation, valueCodeableConcept: value };
  return moment(answered, 'Observation-tobaccouse-uv-ips', ['component']);
}

function pregnancyStatus(observation: Observation): Observation {
  const { valueCodeableConcept } = observation;
  const isBound = valueCodeableConcept === undefined || hasOnly(valueCodeableConcept, PREGNANCY_STATUSES);
  return isBound ? moment(observation, 'Observation-pregnancy-status-uv-ips', bodily) : observation;
}

function hasOnly(concept: CodeableConcept, codes: readonly string[]): boolean {
  return concept.coding?.some(({ system, code }) => system === LOINC && codes.includes(code ?? '')) ?? false;
}

/** Results: every final one meets the general profile, some that of their kind, which asks for more. */
function result(observation: Observation): Observation {
  const categories = categoryCodes(observation);
  const hasTime = isThere(observation, 'effectiveDateTime') || isThere(observation, 'effectivePeriod');
  if (observation.status !== 'final' || !hasTime) return observation;
  if (categories.some((code) => ['vital-signs', 'social-history'].includes(code))) return observation;
  if (hasCategory(observation, 'laboratory') && isLaboratoryResult(observation))
    return claims(performed(observation), 'Observation-results-laboratory-uv-ips');
  if (hasCategory(observation, 'imaging') && isImagingResult(observation))
    return claims(performed(observation), 'Observation-results-radiology-uv-ips');
  return claims(observation, 'Observation-results-uv-ips');
}

function hasCategory({ category = [] }: Observation, wanted: string): boolean {
  const has = category.filter(({ coding }) =>
    coding?.some(({ system, code }) => system === OBSERVATION_CATEGORY && code === wanted),
  );
  return has.length === 1;
}

function performed(observation: Observation): Observation {
  return observation.performer === undefined ? { ...observation, performer: [absent()] } : observation;
}

/** A value, in units of UCUM where it is measured, or members (ips-2). */
function isLaboratoryResult({ hasMember, ...rest }: Observation): boolean {
  const value = Object.entries(rest).find(([name]) => name.startsWith('value'))?.[1];
  if (value === undefined) return hasMember !== undefined;
  const { valueQuantity, valueRange, valueRatio } = rest;
  const quantities: Quantity[] = [
    valueQuantity,
    valueRange?.low,
    valueRange?.high,
    valueRatio?.numerator,
    valueRatio?.denominator,
  ].flatMap((one) => one ?? []);
  return quantities.every(({ system, code }) => system === UCUM && code !== undefined);
}

/** A text, and a time that names a day at least. */
function isImagingResult({ valueString, component, effectiveDateTime }: Observation): boolean {
  return valueString !== undefined && component === undefined && (effectiveDateTime?.length ?? 10) >= 8;
}
