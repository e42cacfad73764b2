/** Documents with one thing spoilt each: a checker that finds nothing in one of them is no checker. */
import { type Fields, isObject } from './values.ts';

type Entry = { fullUrl: string; resource: Fields };

/** What is spoilt, the words by which the checker has to say so, and how; `false` where the document has no such thing. */
export const MUTANTS: readonly (readonly [name: string, expected: RegExp, spoil: (bundle: Fields) => unknown])[] = [
  ['no identifier of the Bundle', /cardinality: Bundle\.identifier/, (bundle) => delete bundle.identifier],
  ['another type of Bundle', /fixed: Bundle\.type/, (bundle) => (bundle.type = 'collection')],
  ['no timestamp', /cardinality: Bundle\.timestamp/, (bundle) => delete bundle.timestamp],
  [
    'a search mode',
    /cardinality: Bundle\.entry\.search/,
    (bundle) => (entry(bundle, 'Patient').search = { mode: 'match' }),
  ],
  [
    'no fullUrl',
    /cardinality: Bundle\.entry\.fullUrl/,
    (bundle) => delete (entry(bundle, 'Patient') as Fields).fullUrl,
  ],
  [
    'a second Composition',
    /invariant: Bundle breaks bdl-ips-1/,
    (bundle) =>
      entriesOf(bundle).push({ ...entriesOf(bundle)[0]!, fullUrl: 'urn:uuid:4c1c8d3c-9f0e-4f58-a2c1-000000000001' }),
  ],
  [
    'another code of the document',
    /pattern: Composition\.type/,
    (bundle) => (one(bundle, 'Composition').type = { coding: [{ system: 'http://loinc.org', code: '34133-9' }] }),
  ],
  [
    'a section left out',
    /cardinality: Composition\.section:sectionAllergies/,
    (bundle) => sections(bundle).splice(sections(bundle).findIndex(isSection('48765-2')), 1),
  ],
  [
    'a section twice',
    /cardinality: Composition\.section:sectionProblems is there 2/,
    (bundle) => sections(bundle).push({ ...section(bundle, '11450-4') }),
  ],
  [
    'a section without narrative',
    /cardinality: Composition\.section\.text/,
    (bundle) => delete section(bundle, '10160-0').text,
  ],
  [
    'a section without title',
    /cardinality: Composition\.section:sectionMedications\.title/,
    (bundle) => delete section(bundle, '10160-0').title,
  ],
  [
    'a section without entries',
    /cardinality: Composition\.section:sectionProblems\.entry/,
    (bundle) => delete section(bundle, '11450-4').entry,
  ],
  [
    'an empty reason',
    /cardinality: Composition\.section\.emptyReason/,
    (bundle) => (section(bundle, '11450-4').emptyReason = { text: 'x' }),
  ],
  [
    'an entry of another type',
    /cardinality: Composition\.section:sectionAllergies\.entry:allergyOrIntolerance/,
    (bundle) => (section(bundle, '48765-2').entry = [{ reference: entry(bundle, 'Patient').fullUrl }]),
  ],
  ['a Patient without name', /cardinality: Patient\.name/, (bundle) => delete one(bundle, 'Patient').name],
  [
    'a name that says nothing',
    /invariant: Patient\.name breaks ips-pat-1/,
    (bundle) => (one(bundle, 'Patient').name = [{ use: 'official' }]),
  ],
  ['no date of birth', /cardinality: Patient\.birthDate/, (bundle) => delete one(bundle, 'Patient').birthDate],
  ['no code of a condition', /cardinality: Condition\.code/, (bundle) => delete one(bundle, 'Condition').code],
  [
    'a clinical status of no code',
    /binding: Condition\.clinicalStatus/,
    (bundle) => (one(bundle, 'Condition').clinicalStatus = { coding: [{ system: 'urn:x', code: 'active' }] }),
  ],
  [
    'a subject without reference',
    /cardinality: Condition\.subject\.reference/,
    (bundle) => (one(bundle, 'Condition').subject = { display: 'x' }),
  ],
  [
    'a subject of another type',
    /reference: Condition\.subject leads to/,
    (bundle) => (one(bundle, 'Condition').subject = { reference: entry(bundle, 'Condition').fullUrl }),
  ],
  [
    'an ended problem that is active',
    /invariant: Condition breaks con-4/,
    (bundle) =>
      Object.assign(one(bundle, 'Condition'), {
        abatementDateTime: '2020',
        clinicalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
        },
      }),
  ],
  [
    'a result that is not final',
    /fixed: Observation\.status/,
    (bundle) => set(claiming(bundle, 'Observation-results'), 'status', 'preliminary'),
  ],
  [
    'a result of another category',
    /cardinality: Observation\.category:laboratory/,
    (bundle) => set(claiming(bundle, 'Observation-results-laboratory'), 'category', [{ text: 'x' }]),
  ],
  [
    'a result without time',
    /cardinality: Observation\.effective\[x\]/,
    (bundle) => drop(claiming(bundle, 'Observation-results'), 'effectiveDateTime'),
  ],
  [
    'a result with a time of another kind',
    /type: Observation\.effective\[x\] may not be Instant/,
    (bundle) => rename(claiming(bundle, 'Observation-results'), 'effectiveDateTime', 'effectiveInstant'),
  ],
  [
    'a result without performer',
    /cardinality: Observation\.performer/,
    (bundle) => drop(claiming(bundle, 'Observation-results-laboratory'), 'performer'),
  ],
  [
    'a result without value',
    /invariant: Observation breaks ips-2/,
    (bundle) => dropValue(claiming(bundle, 'Observation-results-laboratory')),
  ],
  [
    'a value in units of no system',
    /fixed: .*Quantity\.system|cardinality: .*Quantity\.system/,
    (bundle) => set(quantity(bundle), 'system', 'urn:x'),
  ],
  ['a value without code of its unit', /cardinality: .*Quantity\.code/, (bundle) => drop(quantity(bundle), 'code')],
  [
    'a value and the reason for none',
    /invariant: Observation breaks obs-6/,
    (bundle) =>
      set(quantity(bundle) && claiming(bundle, 'Observation-results-laboratory'), 'dataAbsentReason', { text: 'x' }),
  ],
  [
    'a report of two categories',
    /cardinality: DiagnosticReport\.category/,
    (bundle) => set(claiming(bundle, 'DiagnosticReport'), 'category', [{ text: 'a' }, { text: 'b' }]),
  ],
  [
    'a report that is not final',
    /fixed: DiagnosticReport\.status/,
    (bundle) => set(claiming(bundle, 'DiagnosticReport'), 'status', 'partial'),
  ],
  [
    'a smoking state of no answer',
    /binding: Observation\.value\[x\]/,
    (bundle) => set(claiming(bundle, 'Observation-tobaccouse'), 'valueCodeableConcept', { text: 'x' }),
  ],
  [
    'a vaccination without time',
    /cardinality: Immunization\.occurrence\[x\]/,
    (bundle) => drop(claiming(bundle, 'Immunization'), 'occurrenceDateTime'),
  ],
  ['a procedure without code', /cardinality: Procedure\.code/, (bundle) => drop(claiming(bundle, 'Procedure'), 'code')],
  [
    'a practitioner without name',
    /cardinality: Practitioner\.name/,
    (bundle) => drop(claiming(bundle, 'Practitioner'), 'name'),
  ],
  [
    'a relative reference',
    /document: the reference .* is relative/,
    (bundle) => (one(bundle, 'Composition').encounter = { reference: 'Encounter/1' }),
  ],
  [
    'a resource that nothing names',
    /document: a Basic is reached from nowhere/,
    (bundle) =>
      entriesOf(bundle).push({
        fullUrl: 'http://x/Basic/1',
        resource: { resourceType: 'Basic', id: '1', code: { text: 'x' } },
      }),
  ],
  [
    'a script in a narrative',
    /document: the narrative of .* is not safe/,
    (bundle) =>
      (section(bundle, '10160-0').text = {
        status: 'generated',
        div: '<div xmlns="http://www.w3.org/1999/xhtml">x<script>y</script></div>',
      }),
  ],
  [
    'an entry that is not there',
    /document: .* names what is not there/,
    (bundle) => (section(bundle, '10160-0').entry as Fields[]).push({ reference: 'http://x/MedicationRequest/none' }),
  ],
  [
    'an address twice',
    /document: an address is there twice/,
    (bundle) => entriesOf(bundle).push(entry(bundle, 'Patient')),
  ],
  ['a claim left out', /a Condition claims no profile/, (bundle) => delete one(bundle, 'Condition').meta],
  [
    'a name of somebody else',
    /source: Patient\.name/,
    (bundle) => (one(bundle, 'Patient').name = [{ family: 'Else' }]),
  ],
  [
    'a date of birth made up',
    /source: Patient\.birthDate/,
    (bundle) => (one(bundle, 'Patient').birthDate = '1900-01-01'),
  ],
  [
    'a problem left out',
    /source: (?:an active Condition|the latest|a \w+) .*not told/,
    (bundle) =>
      (one(bundle, 'Composition').section = sections(bundle)
        .map((some): Fields => ({ ...some, entry: (some.entry as Fields[] | undefined)?.slice(0, 1) }))
        .filter((some) => !isSection('11369-6')(some))),
  ],
];

/** Spoils a copy; undefined where there is nothing to spoil. */
export function mutated(bundle: Fields, spoil: (bundle: Fields) => unknown): Fields | undefined {
  const copy = structuredClone(bundle);
  try {
    return spoil(copy) === undefined ? undefined : copy;
  } catch {
    return undefined;
  }
}

function entriesOf(bundle: Fields): Entry[] {
  return bundle.entry as Entry[];
}

function entry(bundle: Fields, type: string): Entry & Fields {
  return entriesOf(bundle).find(({ resource }) => resource.resourceType === type)! as Entry & Fields;
}

function one(bundle: Fields, type: string): Fields {
  return entry(bundle, type).resource;
}

/** A resource of the record whose profile begins so; a Quantity of one. */
function claiming(bundle: Fields, profile: string): Fields {
  return entriesOf(bundle).find(
    ({ resource, fullUrl }) =>
      !fullUrl.startsWith('urn:') && JSON.stringify(resource.meta ?? '').includes(`/${profile}`),
  )!.resource;
}

function quantity(bundle: Fields): Fields {
  const held = entriesOf(bundle).find(
    ({ resource }) =>
      isObject(resource.valueQuantity) && JSON.stringify(resource.meta ?? '').includes('-results-laboratory-'),
  );
  return held!.resource.valueQuantity as Fields;
}

function sections(bundle: Fields): Fields[] {
  return one(bundle, 'Composition').section as Fields[];
}

function section(bundle: Fields, code: string): Fields {
  return sections(bundle).find(isSection(code))!;
}

function isSection(code: string): (section: Fields) => boolean {
  return ({ code: of }) => JSON.stringify(of).includes(code);
}

function set(holder: Fields, name: string, value: unknown): unknown {
  if (holder[name] === undefined && name !== 'dataAbsentReason') return undefined;
  holder[name] = value;
  return true;
}

function drop(holder: Fields, name: string): unknown {
  if (holder[name] === undefined) return undefined;
  return delete holder[name];
}

function rename(holder: Fields, from: string, to: string): unknown {
  if (holder[from] === undefined) return undefined;
  holder[to] = '2026-01-01T00:00:00Z';
  return delete holder[from];
}

function dropValue(holder: Fields): unknown {
  const name = Object.keys(holder).find((key) => key.startsWith('value'));
  return name === undefined || holder.hasMember !== undefined ? undefined : delete holder[name];
}
