/**
 * Forms that a value may take in FHIR without looking like itself: codes that FHIR requires in place of the source's,
 * by the last name of the target path, and the URIs of code systems. Written down here a second time, from the
 * specifications and not from the mapping tables, so that a wrong table shows.
 */

const REQUIRED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gender: {
    M: 'male',
    F: 'female',
    O: 'other',
    A: 'other',
    N: 'other',
    C: 'other',
    U: 'unknown',
    UN: 'other',
    UNK: 'unknown',
  },
};

const SYSTEMS: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org',
};

/** Whether `leaf` is a listed form of `value` for an element at `path`. */
export function isKnownForm(value: string, leaf: string, path: string): boolean {
  const name = /(\w+)(\[\d+\])?$/.exec(path)?.[1] ?? '';
  const sought = value.trim();
  return REQUIRED[name]?.[sought.toUpperCase()] === leaf || SYSTEMS[sought] === leaf;
}
