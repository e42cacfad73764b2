import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { clinician, custodian, testRecord } from '../../testing-record.ts';
import { type FhirRecord, RecordError } from '../index.ts';
import { ridOf } from '../keys.ts';
import { Searcher } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;

const loinc = 'http://loinc.org';
const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const ucum = 'http://unitsofmeasure.org';
const quantity = (value: number, code: string) => ({ value, unit: code, system: ucum, code });
const coded = (code: string, display?: string) => ({
  coding: [{ system: loinc, code, ...(display ? { display } : {}) }],
});

async function put(resource: { resourceType: string; id: string } & Record<string, unknown>) {
  const { resourceType, id } = resource;
  await record.update(custodian, record.scan(JSON.stringify(resource), resourceType), id);
}

const observation = (id: string, patient: string, code: string, more: object = {}) =>
  put({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: coded(code),
    subject: { reference: `Patient/${patient}` },
    ...more,
  });

async function page(query: string) {
  const [type, parameters] = query.split('?') as [string, string];
  return record.search(clinician, record.readSearch(type, new URLSearchParams(parameters), false));
}

const idOf = ({ text }: { text: string }) => (JSON.parse(text) as { id: string }).id;

async function ids(query: string): Promise<string[]> {
  return (await page(query)).matches.map(idOf);
}

/** All pages, and how many there were. */
async function all(query: string): Promise<{ found: string[]; pages: number }> {
  const found: string[] = [];
  for (let cursor = '', pages = 1; ; pages++) {
    const { matches, next } = await page(`${query}${cursor}`);
    found.push(...matches.map(idOf));
    if (next === undefined) return { found, pages };
    cursor = `&_cursor=${next}`;
  }
}

async function refused(query: string): Promise<RecordError> {
  try {
    await page(query);
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error(`${query} was not refused.`);
}

beforeAll(async () => {
  ({ test, record } = await testRecord());
  await put({ resourceType: 'Organization', id: 'org1', name: 'Harbor Clinic' });
  await put({
    resourceType: 'Organization',
    id: 'org2',
    name: 'Hill Hospital',
    partOf: { reference: 'Organization/org1' },
  });
  await put({ resourceType: 'Practitioner', id: 'dr1', name: [{ family: 'Amber' }] });
  await put({
    resourceType: 'Patient',
    id: 'p1',
    name: [{ family: 'Zürcher', given: ['Ada'] }],
    gender: 'female',
    birthDate: '1970-03-04',
    generalPractitioner: [{ reference: 'Practitioner/dr1' }],
    managingOrganization: { reference: 'Organization/org2' },
    identifier: [
      { system: 'urn:mrn', value: '11', type: { coding: [{ system: 'urn:kinds', code: 'MR' }] } },
      { system: 'urn:other', value: '12' },
    ],
  });
  await put({
    resourceType: 'Patient',
    id: 'p2',
    name: [{ family: 'Zurbriggen' }],
    gender: 'male',
    birthDate: '1980-12-24',
  });
  await put({
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/p1' },
  });
  const at = (day: string) => ({ effectiveDateTime: `2024-01-${day}T10:00:00Z` });
  await observation('o1', 'p1', '2339-0', {
    ...at('01'),
    valueQuantity: quantity(0.005, 'g'),
    encounter: { reference: 'Encounter/e1' },
  });
  await observation('o2', 'p1', '2339-0', {
    ...at('03'),
    valueQuantity: quantity(6, 'mg'),
    performer: [{ reference: 'Practitioner/dr1' }],
  });
  await observation('o3', 'p2', '2339-0', {
    ...at('02'),
    valueQuantity: { value: 5, unit: 'drops', system: 'urn:units', code: 'gtt' },
  });
  await observation('bp', 'p2', '85354-9', {
    ...at('04'),
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Pressure taken <b>sitting</b></div>' },
    category: [{ coding: [{ system: 'urn:cat', code: 'vital-signs', display: 'Vital Signs' }] }],
    component: [
      { code: coded('8480-6'), valueQuantity: quantity(150, 'mm[Hg]') },
      { code: coded('8462-4'), valueQuantity: quantity(80, 'mm[Hg]') },
    ],
  });
  const stay = (id: string, from: string, to: string) =>
    put({
      resourceType: 'Encounter',
      id,
      status: 'finished',
      class: { code: 'IMP' },
      period: { start: `2024-02-${from}:00:00Z`, end: `2024-02-${to}:00:00Z` },
    });
  await stay('before', '08T10', '09T10');
  await stay('endsWithin', '09T10', '10T10');
  await stay('within', '10T10', '10T12');
  await stay('endsAfter', '10T10', '11T10');
  await stay('around', '09T10', '11T10');
  await stay('after', '11T10', '12T10');
  await put({ resourceType: 'Location', id: 'near', name: 'Near', position: { latitude: 48.2, longitude: 16.37 } });
  await put({ resourceType: 'Location', id: 'far', name: 'Far', position: { latitude: 47.07, longitude: 15.44 } });
  await put({ resourceType: 'Location', id: 'dateline', name: 'East', position: { latitude: 0, longitude: 179.99 } });
  await put({
    resourceType: 'CodeSystem',
    id: 'cs',
    url: 'urn:cs',
    status: 'active',
    content: 'complete',
    concept: [{ code: 'heart', concept: [{ code: 'mi', concept: [{ code: 'stemi' }] }] }, { code: 'lung' }],
  });
  await put({
    resourceType: 'ValueSet',
    id: 'vs',
    url: 'http://example.org/sets/heart/all',
    status: 'active',
    compose: { include: [{ system: 'urn:cs', filter: [{ property: 'concept', op: 'is-a', value: 'heart' }] }] },
  });
  const condition = (id: string, code: string, clinicalStatus: object) =>
    put({
      resourceType: 'Condition',
      id,
      subject: { reference: 'Patient/p1' },
      code: { coding: [{ system: 'urn:cs', code }], text: `About the ${code}` },
      clinicalStatus,
    });
  await condition('c1', 'stemi', { coding: [{ system: `${hl7}condition-clinical`, code: 'active' }] });
  await condition('c2', 'lung', { coding: [{ system: 'urn:own', code: 'active' }] });
  await condition('c3', 'heart', { coding: [{ system: `${hl7}condition-clinical`, code: 'recurrence' }] });
  await put({
    resourceType: 'Encounter',
    id: 'e2',
    status: 'finished',
    class: { system: `${hl7}v3-ActCode`, code: 'IMP' },
  });
  const valueSet = (id: string, url: string, include: object, more: object = {}) =>
    put({ resourceType: 'ValueSet', id, url, status: 'active', compose: { include: [include] }, ...more });
  await valueSet('again', 'urn:vs:again', {
    system: `${hl7}condition-clinical`,
    filter: [{ property: 'concept', op: 'descendent-of', value: 'active' }],
    valueSet: ['http://hl7.org/fhir/ValueSet/condition-clinical'],
  });
  const women = { system: 'http://hl7.org/fhir/administrative-gender', concept: [{ code: 'female' }] };
  await valueSet('women', 'urn:vs:women', women);
  const own = { system: 'urn:own', concept: [{ code: 'active' }] };
  await valueSet('own', 'http://hl7.org/fhir/ValueSet/condition-clinical', own, { version: 'own' });
  await valueSet('nowhere', 'urn:vs:nowhere', {
    system: 'urn:cs',
    filter: [{ property: 'concept', op: 'is-a', value: 'nowhere' }],
  });
  const loops = { valueSet: ['urn:vs:loop'] };
  await valueSet('loop', 'urn:vs:loop', loops);
  await put({
    resourceType: 'List',
    id: 'l1',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Condition/c1' } }, { item: { reference: 'Condition/c2' }, deleted: true }],
  });
});
afterAll(() => test.drop());

describe('what finds (https://hl7.org/fhir/R4/search.html)', () => {
  it.each([
    // §3.1.1.4.11 quantity, in whatever unit of its kind
    ['Observation?value-quantity=5|mg', ['o1']],
    ['Observation?value-quantity=0.005|http://unitsofmeasure.org|g', ['o1']],
    ['Observation?value-quantity=gt5.5|http://unitsofmeasure.org|mg', ['o2']],
    ['Observation?value-quantity=5|urn:units|gtt', ['o3']],
    ['Observation?value-quantity=5||gtt', ['o3']],
    ['Observation?value-quantity=5', ['o3']],
    ['Observation?value-quantity=5|urn:units|other', []],
    // composites: of the resource, of its components, of either
    ['Observation?code-value-quantity=http://loinc.org|2339-0$ge5.5|mg', ['o2']],
    ['Observation?component-code-value-quantity=http://loinc.org|8480-6$gt140', ['bp']],
    ['Observation?component-code-value-quantity=http://loinc.org|8462-4$gt140', []],
    ['Observation?combo-code-value-quantity=8480-6$150', ['bp']],
    ['Observation?combo-code-value-quantity=2339-0$6', ['o2']],
    ['Observation?combo-code-value-quantity=2339-0$150', []],
    // what is of the resource or of its components
    ['Observation?combo-code=8480-6,2339-0&patient=p2', ['bp', 'o3']],
    ['Observation?combo-code=http://loinc.org|85354-9', ['bp']],
    ['Observation?combo-code:not=http://loinc.org|8480-6&patient=p2', ['o3']],
    ['Observation?combo-value-quantity=gt100', ['bp']],
    ['Observation?combo-value-quantity=gt5.5|mg', ['o2']],
    ['Patient?_has:Observation:patient:combo-code=8480-6', ['p2']],
    // §3.1.1.4.10 token
    ['Patient?identifier=urn:mrn|11', ['p1']],
    ['Patient?identifier=urn:mrn|', ['p1']],
    ['Patient?identifier=urn:mrn|12', []],
    ['Patient?identifier:of-type=urn:kinds|MR|11', ['p1']],
    ['Patient?identifier:of-type=urn:kinds|MR|12', []],
    ['Condition?code:text=heart', ['c3']],
    ['Condition?code:below=urn:cs|mi', ['c1']],
    ['Condition?code:above=urn:cs|mi', ['c3']],
    ['Condition?code:in=http://example.org/sets/heart/all', ['c1', 'c3']],
    ['Condition?code:not-in=http://example.org/sets/heart/all', ['c2']],
    ['Condition?code:not=urn:cs|lung', ['c1', 'c3']],
    // the codes and hierarchies that HL7 publishes
    [`Condition?clinical-status:below=${hl7}condition-clinical|active`, ['c1', 'c3']],
    [`Condition?clinical-status:below=${hl7}condition-clinical|recurrence`, ['c3']],
    [`Condition?clinical-status:above=${hl7}condition-clinical|recurrence`, ['c1', 'c3']],
    ['Condition?clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical', ['c1', 'c3']],
    ['Condition?clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical|4.0.1', ['c1', 'c3']],
    ['Condition?clinical-status:not-in=http://hl7.org/fhir/ValueSet/condition-clinical', ['c2']],
    ['Encounter?class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode', ['e2']],
    [`Encounter?class:below=${hl7}v3-ActCode|_ActEncounterCode`, ['e2']],
    [`Encounter?class:below=${hl7}v3-ActCode|IMP`, ['e2']],
    [`Encounter?class:above=${hl7}v3-ActCode|ACUTE`, ['e2']],
    ['Encounter?class:in=http://terminology.hl7.org/ValueSet/v3-ActInvoiceElementModifier', []],
    // a stored value set by its id, and one made of what is published
    ['Condition?code:in=ValueSet/vs', ['c1', 'c3']],
    ['Condition?clinical-status:in=urn:vs:again', ['c3']],
    // nobody replaces what is published whole; a version of one's own is found by its version
    [`Condition?clinical-status:below=${hl7}condition-ver-status|unconfirmed`, []],
    ['Condition?clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical|own', ['c2']],
    // codes of elements without a system are those of the value set the element is bound to
    ['Patient?gender=http://hl7.org/fhir/administrative-gender|female', ['p1']],
    ['Patient?gender=http://hl7.org/fhir/administrative-gender|', ['p1', 'p2']],
    ['Patient?gender=urn:other|female', []],
    ['Patient?gender:not=http://hl7.org/fhir/administrative-gender|female', ['p2']],
    ['Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', ['p1', 'p2']],
    ['Patient?gender:not-in=urn:vs:women', ['p2']],
    // §3.1.1.4.9 string
    ['Patient?family:exact=Zürcher', ['p1']],
    ['Patient?family:exact=zurcher', []],
    ['Patient?family:contains=RCHE', ['p1']],
    // §3.1.1.4.13 uri
    ['ValueSet?url:below=http://example.org/sets', ['vs']],
    ['ValueSet?url:below=http://example.org/set', []],
    ['ValueSet?url:above=http://example.org/sets/heart/all/more', ['vs']],
    // §3.1.1.4.1 chains
    ['Observation?subject:Patient.family=zur&code=2339-0', ['o1', 'o2', 'o3']],
    ['Observation?patient.organization.name=hill&code=2339-0', ['o1', 'o2']],
    ['Observation?patient.organization.partof.name=harbor&code=2339-0', ['o1', 'o2']],
    ['Observation?encounter.class=AMB', ['o1']],
    ['Observation?performer:Practitioner.family=amber', ['o2']],
    // §3.1.1.4.2 reverse chains
    ['Patient?_has:Observation:patient:code=85354-9', ['p2']],
    ['Patient?_has:Observation:patient:code:not=2339-0', ['p2']],
    ['Observation?code=2339-0&subject:Patient.gender:not=male', ['o1', 'o2']],
    ['Patient?_has:Observation:patient:performer.family=amber', ['p1']],
    ['Encounter?_has:Observation:encounter:code=2339-0', ['e1']],
    ['Organization?_has:Organization:partof:_has:Patient:organization:family=zurcher', ['org1']],
    ['Observation?patient._has:Condition:patient:code=urn:cs|lung&code=2339-0', ['o1', 'o2']],
    // §3.1.3 _filter
    ['Patient?_filter=gender eq female or birthdate ge 1980-01-01', ['p1', 'p2']],
    ['Patient?_filter=not (gender eq female)', ['p2']],
    ['Observation?_filter=code eq 2339-0 and (date gt 2024-01-02 or value-quantity le 5.2|mg)', ['o1', 'o2']],
    ['Patient?_filter=family co "rich" or family sw zurb', ['p2']],
    // §3.1.1.4.2 words, lists, places
    ['Observation?_text=sitting', ['bp']],
    ['Observation?_text=standing', []],
    ['Observation?_content=(vital or standing) and not standing', ['bp']],
    ['Condition?_list=l1', ['c1']],
    ['Location?near=48.2|16.38|5|km', ['near']],
    ['Location?near=48.2|16.37|160|km', ['near', 'far']],
    ['Location?near=0|-179.99|5', ['dateline']],
    ['Location?near:missing=false', ['near', 'far', 'dateline']],
    // dates
    ['Observation?date=2024-01-03', ['o2']],
    ['Observation?date=sa2024-01-03', ['bp']],
    ['Observation?date=eb2024-01-02', ['o1']],
    ['Observation?date=ge2024-01-02&date=lt2024-01-04', ['o2', 'o3']],
    // §3.1.1.4.5: ge is "the range above the search value intersects with the range of the target value, or the range of
    // the search value fully contains the range of the target value"; le the same with the range below
    ['Encounter?date=ge2024-02-10', ['within', 'endsAfter', 'around', 'after']],
    ['Encounter?date=le2024-02-10', ['before', 'endsWithin', 'within', 'around']],
    ['Encounter?date=gt2024-02-10', ['endsAfter', 'around', 'after']],
    ['Encounter?date=lt2024-02-10', ['before', 'endsWithin', 'around']],
    ['Encounter?date=eq2024-02-10', ['within']],
    ['Encounter?date=ne2024-02-10', ['before', 'endsWithin', 'endsAfter', 'around', 'after']],
    ['Encounter?date=sa2024-02-10', ['after']],
    ['Encounter?date=eb2024-02-10', ['before']],
  ])('%s', async (query, expected) => {
    expect((await ids(query)).sort()).toEqual([...expected].sort());
    expect((await all(`${query}&_count=1`)).found.sort()).toEqual([...expected].sort());
    expect((await page(`${query}&_summary=count`)).total).toBe(expected.length);
  });
});

it('takes each of several filters on a date by itself where there are several dates', async () => {
  const event = ['2020-01-01', '2025-01-01'];
  await put({
    resourceType: 'MedicationRequest',
    id: 'twice',
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { text: 'x' },
    subject: { reference: 'Patient/p1' },
    dosageInstruction: [{ timing: { event: [event[0]] } }, { timing: { event: [event[1]] } }],
  });
  expect(await ids('MedicationRequest?date=ge2022&date=lt2023')).toEqual(['twice']);
  expect(await ids('MedicationRequest?date=ge2022,lt2020&date=gt2025')).toEqual([]);
  expect(await ids('Observation?date=ge2024-01-02&date=le2024-01-03&date=ne2024-01-03')).toEqual(['o3']);
});

describe('order and pages (§3.1.1.5.1)', () => {
  const codes = 'Observation?code=2339-0,85354-9';
  it.each([
    [`${codes}&_sort=date`, ['o1', 'o3', 'o2', 'bp']],
    [`${codes}&_sort=-date`, ['bp', 'o2', 'o3', 'o1']],
    ['Observation?_sort=-date', ['bp', 'o2', 'o3', 'o1']],
    [`${codes}&_sort=-code,date`, ['bp', 'o1', 'o3', 'o2']],
    ['Condition?_sort=code', ['c3', 'c2', 'c1']],
    ['Patient?_sort=-birthdate', ['p2', 'p1']],
    ['Patient?_sort=family', ['p2', 'p1']],
    ['Observation?patient=p1&_sort=date', ['o1', 'o2']],
    ['Observation?_sort=value-quantity,-date', ['o1', 'o3', 'o2', 'bp']],
  ])('%s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
    expect((await all(`${query}&_count=1`)).found).toEqual(expected);
    expect((await all(`${query}&_count=3`)).found).toEqual(expected);
  });

  it('puts what has no value of the key last, in both directions', async () => {
    await put({ resourceType: 'Basic', id: 'b1', code: { text: 'x' }, created: '2020-01-01' });
    await put({ resourceType: 'Basic', id: 'b2', code: { text: 'x' } });
    await put({ resourceType: 'Basic', id: 'b3', code: { text: 'x' }, created: '2021-01-01' });
    for (const count of [1, 2, 50]) {
      expect((await all(`Basic?_sort=created&_count=${count}`)).found).toEqual(['b1', 'b3', 'b2']);
      expect((await all(`Basic?_sort=-created&_count=${count}`)).found).toEqual(['b3', 'b1', 'b2']);
    }
  });

  it('gives each resource once and no new ones, whatever changes between pages', async () => {
    for (let i = 0; i < 30; i++)
      await put({ resourceType: 'Substance', id: `s${i}`, code: { coding: [{ code: 'x' }] } });
    const before = new Set(await ids('Substance?code=x&_count=100'));
    const seen: string[] = [];
    for (let cursor = '', i = 0; ; i++) {
      const { matches, next } = await page(`Substance?code=x&_count=7${cursor}`);
      seen.push(...matches.map(idOf));
      await put({ resourceType: 'Substance', id: `new${i}`, code: { coding: [{ code: 'x' }] } });
      await put({ resourceType: 'Substance', id: seen[0]!, code: { coding: [{ code: 'x' }], text: String(i) } });
      if (next === undefined) break;
      cursor = `&_cursor=${next}`;
    }
    expect(seen).toHaveLength(30);
    expect(new Set(seen)).toEqual(before);
  });
});

describe('includes (§3.1.1.5.4–5)', () => {
  const included = async (query: string) =>
    (await page(query)).included.map((one) => `${one.type}/${idOf(one)}`).sort();

  it('follow references, again and again with :iterate', async () => {
    expect(await included('Observation?_id=o1&_include=Observation:subject')).toEqual(['Patient/p1']);
    expect(
      await included('Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization'),
    ).toEqual(['Organization/org2', 'Patient/p1']);
    const query = 'Patient?_id=p1&_include=Patient:organization&_include:iterate=Organization:partof';
    expect(await included(query)).toEqual(['Organization/org1', 'Organization/org2']);
    expect(await included('Patient?_id=p1&_include=*')).toEqual(['Organization/org2', 'Practitioner/dr1']);
  });

  it('follow references backwards, of one parameter or of any', async () => {
    expect(await included('Encounter?_id=e1&_revinclude=Observation:encounter')).toEqual(['Observation/o1']);
    expect(await included('Encounter?_id=e1&_revinclude=Observation:*')).toEqual(['Observation/o1']);
    expect(await included('Encounter?_id=e1&_revinclude=*')).toEqual(['Observation/o1']);
    expect(
      await included('Organization?_id=org1&_revinclude=Organization:partof&_revinclude:iterate=Patient:organization'),
    ).toEqual(['Organization/org2', 'Patient/p1']);
  });

  it('end where references run in a circle', async () => {
    await put({ resourceType: 'Organization', id: 'a', partOf: { reference: 'Organization/b' } });
    await put({ resourceType: 'Organization', id: 'b', partOf: { reference: 'Organization/a' } });
    expect(await included('Organization?_id=a&_include:iterate=Organization:partof')).toEqual(['Organization/b']);
  });
});

describe('totals', () => {
  it('are exact, estimated or left out, as is asked for', async () => {
    expect((await page('Observation?code=2339-0&_count=1')).total).toBeUndefined();
    expect((await page('Observation?code=2339-0&_count=1&_total=accurate')).total).toBe(3);
    expect((await page('Observation?code=2339-0&_count=1&_total=estimate')).total).toBe(3);
    expect((await page('Observation?_content=sitting&_total=accurate')).total).toBe(1);
  });
});

it('looks up whom a search is about once, however many statements it needs', async () => {
  const basic = (i: number) =>
    put({ resourceType: 'Basic', id: `many${i}`, code: { text: 'x' }, subject: { reference: 'Patient/p1' } });
  await Promise.all(Array.from({ length: 1_100 }, (_, i) => basic(i)));
  let lookups = 0;
  const resolve = async (id: string) => {
    lookups++;
    return { rids: [ridOf(id)], homes: (await record.homesOf([id])).get(id)! };
  };
  const searcher = new Searcher(
    test.database,
    record.reader,
    record.keys.index,
    resolve,
    async (_access, found) => found,
  );
  const request = record.readSearch('Basic', new URLSearchParams('subject=Patient/p1&_content=x'), false);
  const { matches } = await searcher.search(clinician, { ...request, count: 1_000, total: 'accurate' });
  expect([matches.length, lookups]).toEqual([1_000, 1]);
});

describe('what is refused, with its reason', () => {
  it.each([
    ['Observation?value-quantity=much', 'number'],
    ['Observation?component-code-value-quantity=8480-6', 'token$quantity'],
    ['Patient?identifier=a|b|c', 'system|code'],
    ['Patient?birthdate:exact=2000', ':missing'],
    ['Location?near=95|0', 'latitude|longitude'],
    ['Patient?_filter=gender eq', 'a value'],
    ['Patient?_filter=gender eq female or', 'search parameter'],
    ['Patient?_filter=(gender eq female', ')'],
    ['Patient?_has:Observation:code:code=1', 'not a reference'],
    ['Patient?_has:Encounter:service-provider:status=planned', 'does not refer to Patient'],
    ['Observation?subject.nothing=1', 'not a search parameter'],
    ['Condition?code:in=urn:unknown', 'not known'],
    ['Condition?code:not-in=urn:unknown', 'not known'],
    ['Condition?code:in=ValueSet/unknown', 'not known'],
    ['Condition?code:in=http://hl7.org/fhir/ValueSet/condition-clinical|unknown', 'not known'],
    ['Condition?code:in=http://hl7.org/fhir/ValueSet/clinical-findings', 'without its codes'],
    ['Condition?code:in=http://hl7.org/fhir/ValueSet/message-events', 'without its codes'],
    ['Condition?code:in=urn:vs:nowhere', 'does not have'],
    ['Condition?code:below=urn:unknown|x', 'not known'],
    ['Patient?_query=current', 'named queries'],
    ['Patient?_sort=_score', 'not a search parameter'],
    ['Patient?_contained=true', 'contained resources are not found by themselves'],
    ['Patient?_containedType=contained', 'understood as container'],
    ['Condition?code:below=http://snomed.info/sct|64572001', 'without its codes'],
    ['Condition?code:below=urn:cs|unknown', 'does not have'],
    ['Condition?code:below=mi', 'system|code'],
    ['Condition?code:in=urn:vs:loop', 'too deep'],
    ['Observation?_sort=code-value-quantity', 'no order'],
    ['Observation?_cursor=abc', 'start the search again'],
    ['Patient?_text=', 'no value'],
    ['Patient?family=a&_include=Patient:gender', 'not a reference'],
    [
      `Patient?${'organization.partof.'.replace('organization.', 'organization.').concat('partof.'.repeat(20))}name=x`,
      'too deep',
    ],
  ])('%s', async (query, reason) => {
    const error = await refused(query);
    expect(error.status).toBe(400);
    expect(error.message).toContain(reason);
  });

  it('is answered in bounded time, whatever stands in a value', async () => {
    const hostile = [
      "'; DROP TABLE resource; --",
      '%%%%%%%%%%%%%%%%',
      '\\',
      '((((((((((',
      '$1',
      'a'.repeat(5_000),
      '\u{10ffff}',
      '__proto__',
    ];
    for (const value of hostile) {
      for (const name of ['family:contains', 'family', 'identifier', '_id', 'organization', '_content', 'name:exact']) {
        const found = await page(`Patient?${name}=${encodeURIComponent(value.replaceAll('(', '\\('))}`).catch(
          (error) => error,
        );
        if (found instanceof Error && !(found instanceof RecordError)) throw found;
      }
    }
    const many = Array.from({ length: 1_000 }, (_, i) => `urn:x|${i}`).join(',');
    expect(await ids(`Patient?identifier=${many}`)).toEqual([]);
    expect(await ids(`Patient?identifier=${many},urn:mrn|11`)).toEqual(['p1']);
  });
});

describe('explain', () => {
  it('tells which index leads', async () => {
    const explained = await record.explain(
      clinician,
      record.readSearch(
        'Observation',
        [
          ['patient', 'p1'],
          ['code', '2339-0'],
        ],
        false,
      ),
    );
    expect(explained.lead).toBe('code within the records of 1 source patient');
    expect(explained.rows).toBe(2);
    expect(JSON.stringify(explained.plan)).toContain('index_token_by_value');
    const whole = await record.explain(clinician, record.readSearch('Observation', [['status', 'final']], false));
    expect(whole.lead).toBe('status');
  });
});
