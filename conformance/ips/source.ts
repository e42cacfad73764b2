/**
 * Holds a summary against the record: each resource says what the stored one says, must-support elements among it, and
 * nothing that was made up; and what a summary has to tell of is told.
 */
import { type Fields, isAbsent, isObject, isSame } from './values.ts';

/** @param stored what `$everything` gives out */
export function sourceFaults(bundle: Fields, stored: readonly Fields[], base: string): string[] {
  const entries = (bundle.entry ?? []) as { fullUrl?: string; resource: Fields }[];
  const byName = new Map(stored.map((one) => [`${one.resourceType}/${one.id}`, one]));
  const faults: string[] = [];
  for (const { fullUrl, resource } of entries) {
    if (fullUrl === undefined || fullUrl.startsWith('urn:uuid:')) continue;
    const name = fullUrl.slice(base.length + 1);
    const own = byName.get(name);
    if (own === undefined) faults.push(`source: a ${resource.resourceType} is not in the record`);
    else faults.push(...differences(own, resource, String(resource.resourceType), base));
  }
  return [...faults, ...untold(bundle, stored, base)];
}

/** What may differ, by the path of the element; see docs/summary.md. */
const ALLOWED: { [path: string]: (before: unknown, after: unknown) => boolean } = {
  'Patient.link': (_, after) => after === undefined,
  'DiagnosticReport.category': (before, after) =>
    Array.isArray(after) && after.length === 1 && (before === undefined || includes(before, after[0])),
  'Observation.effectiveInstant': (_, after) => after === undefined,
  'Observation.effectiveDateTime': (before, after) => before === undefined && typeof after === 'string',
  'Observation.valueCodeableConcept.coding': (before, after) =>
    Array.isArray(after) && Array.isArray(before) && before.every((one) => includes(after, one)),
  'Condition.clinicalStatus': (before, after) => before === undefined && JSON.stringify(after).includes('"inactive"'),
  'Device.patient': (before) => before === undefined,
};

function includes(list: unknown, wanted: unknown): boolean {
  return Array.isArray(list) && list.some((one) => isSame(one, wanted));
}

function differences(before: unknown, after: unknown, path: string, base: string): string[] {
  if (isSame(before, after)) return [];
  if (ALLOWED[path]?.(before, after)) return [];
  if (path.endsWith('.meta')) return profilesAdded(before, after) ? [] : [`source: ${path} says something else`];
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differences(before[name], after[name], `${path}.${name}`, base),
    );
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((one, i) => differences(one, after[i], path, base));
  if (before === undefined && onlyAbsent(after)) return [];
  const isAddress = /\.(?:reference|url)$/.test(path) && typeof before === 'string';
  if (isAddress && after === `${base}/${before.replace(/\/_history\/.*$/, '')}`) return [];
  if (isAddress && after === `${base}/${before}`) return [];
  return [`source: ${path} ${before === undefined ? 'is made up' : 'says something else than the record'}`];
}

function onlyAbsent(value: unknown): boolean {
  const all = Array.isArray(value) ? value : [value];
  return all.every((one) => isAbsent({ value: one, beside: undefined, type: undefined }));
}

function profilesAdded(before: unknown, after: unknown): boolean {
  const { profile: had = [], ...rest } = (before ?? {}) as { profile?: string[] };
  const { profile: has = [], ...others } = (after ?? {}) as { profile?: string[] };
  return isSame(rest, others) && had.every((one) => has.includes(one));
}

/** What is in the record and has to be told, found by rules of its own. */
function untold(bundle: Fields, stored: readonly Fields[], base: string): string[] {
  const [composition] = (bundle.entry ?? []) as { resource: Fields }[];
  const told = new Map<string, Set<string>>();
  for (const { code, entry } of (composition?.resource.section ?? []) as Fields[]) {
    const [{ code: loinc }] = (code as { coding: [{ code: string }] }).coding;
    told.set(loinc, new Set(((entry ?? []) as Fields[]).map(({ reference }) => String(reference))));
  }
  const faults: string[] = [];
  const names = new Set(((bundle.entry ?? []) as Fields[]).map(({ fullUrl }) => String(fullUrl)));
  const patient = stored.find(({ resourceType }) => resourceType === 'Patient');
  const own = stored.filter(({ subject, patient: of }) => {
    const reference = (subject ?? of) as Fields | undefined;
    return reference?.reference === `Patient/${patient?.id}`;
  });
  const mustTell = (section: string, wanted: readonly Fields[]) => {
    for (const { resourceType, id } of wanted)
      if (!told.get(section)?.has(`${base}/${resourceType}/${id}`))
        faults.push(`source: a ${resourceType} is not told in section ${section}`);
  };
  const of = (type: string) => own.filter(({ resourceType }) => resourceType === type);
  const isWrong = ({ verificationStatus }: Fields) =>
    /"(?:entered-in-error|refuted)"/.test(JSON.stringify(verificationStatus ?? ''));
  const allergies = of('AllergyIntolerance').filter((one) => !isWrong(one) && !deniesAll(one));
  mustTell('48765-2', allergies);
  mustTell(
    '11369-6',
    of('Immunization').filter(({ status }) => status === 'completed'),
  );
  mustTell(
    '10160-0',
    of('MedicationRequest').filter(({ status, intent }) => status === 'active' && intent === 'order'),
  );
  mustTell(
    '10160-0',
    of('MedicationStatement').filter((one) => one.status === 'active' && !deniesAll(one)),
  );
  const active = of('Condition').filter(
    (one) => !isWrong(one) && /"active"/.test(JSON.stringify(one.clinicalStatus ?? '')),
  );
  const tellsCode = (section: string, code: string) =>
    of('Condition').some((one) => told.get(section)?.has(`${base}/Condition/${one.id}`) && codeOf(one) === code);
  for (const one of active)
    if (!deniesAll(one) && !tellsCode('11450-4', codeOf(one))) faults.push('source: an active Condition is not told');
  for (const category of ['laboratory', 'vital-signs']) {
    for (const latest of latestByCode(of('Observation').filter((one) => isStanding(one, category))))
      if (!latest.some(({ id }) => names.has(`${base}/Observation/${id}`)))
        faults.push(`source: the latest ${category} of a code is not told`);
  }
  return faults;
}

function deniesAll(resource: Fields): boolean {
  return /"(?:716186003|160245001|787481004|no-known-[a-z]+|no-[a-z]+-info)"/.test(
    JSON.stringify(resource.code ?? resource.medicationCodeableConcept ?? ''),
  );
}

function codeOf({ code }: Fields): string {
  const { coding, text } = (code ?? {}) as { coding?: Fields[]; text?: string };
  return coding?.[0]?.code === undefined ? String(text) : `${coding[0].system}|${coding[0].code}`;
}

function isStanding({ status, category }: Fields, wanted: string): boolean {
  return /^(?:final|amended|corrected)$/.test(String(status)) && JSON.stringify(category ?? '').includes(`"${wanted}"`);
}

/** Of each code those of the latest time. */
function latestByCode(observations: readonly Fields[]): Fields[][] {
  const groups = new Map<string, Fields[]>();
  for (const one of observations) groups.set(codeOf(one), [...(groups.get(codeOf(one)) ?? []), one]);
  return [...groups.values()].map((all) => {
    const times = all.map((one) => Date.parse(String(one.effectiveDateTime ?? one.effectiveInstant)));
    const latest = Math.max(...times.filter((time) => !Number.isNaN(time)));
    return all.filter((_, i) => times[i] === latest || !Number.isFinite(latest));
  });
}
