import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, engineer, testRecord } from '../testing-record.ts';
import { type FhirRecord, RecordError } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;

beforeAll(async () => {
  ({ test, record } = await testRecord());
});
afterAll(() => test.drop());

function create(resource: { resourceType: string }, ifNoneExist?: string) {
  return record.create(clinician, record.scan(JSON.stringify(resource), resource.resourceType), ifNoneExist);
}

function update(resource: { resourceType: string; id: string }, ifMatch?: string) {
  return record.update(custodian, record.scan(JSON.stringify(resource), resource.resourceType), resource.id, {
    ifMatch,
  });
}

function basic(id: string) {
  return record.scan(JSON.stringify({ resourceType: 'Basic', id, code: { text: '1' } }), 'Basic');
}

async function search(query: string, who = clinician) {
  const [type, parameters] = query.split('?') as [string, string];
  return record.search(who, record.readSearch(type, new URLSearchParams(parameters), false));
}

async function foundIds(query: string): Promise<string[]> {
  return (await search(query)).matches.map(({ text }) => JSON.parse(text).id).sort();
}

async function failure(promise: Promise<unknown> | (() => unknown)): Promise<RecordError> {
  try {
    await (typeof promise === 'function' ? promise() : promise);
  } catch (error) {
    if (error instanceof RecordError) return error;
    throw error;
  }
  throw new Error('Nothing went wrong.');
}

const observation = (id: string, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
  subject: { reference: `Patient/${patient}` },
  ...more,
});

describe('versions', () => {
  it('keeps the text as sent, digits and order of keys included', async () => {
    const text =
      '{"resourceType":"Observation","code":{"text":"x"},"status":"final","valueQuantity":{"value":1.00,"unit":"kg"}}';
    const made = await record.create(clinician, record.scan(text, 'Observation'));
    const stored = await record.read(clinician, 'Observation', made.id);
    expect(stored.text).toContain('"code":{"text":"x"},"status":"final","valueQuantity":{"value":1.00,"unit":"kg"}');
    expect(made).toMatchObject({ status: 201, version: 1 });
  });

  it('counts versions, keeps each, and shows them newest first', async () => {
    await update({ resourceType: 'Patient', id: 'v', gender: 'male' } as never);
    const second = await update({ resourceType: 'Patient', id: 'v', gender: 'female' } as never);
    expect(second).toMatchObject({ status: 200, version: 2 });
    expect(JSON.parse((await record.vread(clinician, 'Patient', 'v', '1')).text)).toMatchObject({ gender: 'male' });
    const { versions } = await record.history(clinician, { type: 'Patient', id: 'v' }, { count: 10 });
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
  });

  it('deletes: gone for reads and searches, kept in history, and may come back', async () => {
    await update({ resourceType: 'Patient', id: 'd', birthDate: '1901-01-01' } as never);
    await record.remove(custodian, 'Patient', 'd');
    expect((await failure(record.read(clinician, 'Patient', 'd'))).status).toBe(410);
    expect(await foundIds('Patient?birthdate=1901-01-01')).toEqual([]);
    expect(JSON.parse((await record.vread(clinician, 'Patient', 'd', '1')).text)).toMatchObject({ id: 'd' });
    const again = await update({ resourceType: 'Patient', id: 'd', birthDate: '1901-01-01' } as never);
    expect(again).toMatchObject({ status: 201, version: 3 });
    expect(await foundIds('Patient?birthdate=1901-01-01')).toEqual(['d']);
  });

  it('refuses a lost update', async () => {
    await update({ resourceType: 'Patient', id: 'm' } as never);
    await update({ resourceType: 'Patient', id: 'm', active: true } as never, 'W/"1"');
    expect((await failure(update({ resourceType: 'Patient', id: 'm' } as never, 'W/"1"'))).status).toBe(412);
  });

  it('makes one resource when many create it under one condition at once', async () => {
    const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:race', value: '1' }] };
    const made = await Promise.all(Array.from({ length: 12 }, () => create(patient, 'identifier=urn:race|1')));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it('lets those who write at once share their transactions, each with its own outcome', async () => {
    const made: string[] = [];
    const one = async () => {
      for (let i = 0; i < 10; i++) {
        const { id } = await create({ resourceType: 'Patient', gender: 'other' } as never);
        made.push(id);
      }
    };
    await Promise.all(Array.from({ length: 8 }, one));
    const { rows } = await test.database.query(
      `SELECT count(DISTINCT r.xmin::text) AS transactions, count(*) AS resources, count(DISTINCT h.home) AS homes
       FROM resource r JOIN patient_home h USING (rid, home) JOIN home_key USING (home) WHERE r.rid = ANY($1)`,
      [made],
    );
    expect(rows[0]).toMatchObject({ resources: 80, homes: 80 });
    expect(rows[0]!.transactions).toBeLessThan(40);
  });

  it('loses none of many concurrent updates of one resource', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        update({ resourceType: 'Basic', id: 'b', code: { text: String(i) } } as never),
      ),
    );
    const { versions } = await record.history(clinician, { type: 'Basic', id: 'b' }, { count: 50 });
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i));
  });

  it('neither an update nor a deletion is lost that waits for the other', async () => {
    for (let round = 0; round < 30; round++) {
      const id = `race-${round}`;
      await update({ resourceType: 'Basic', id, code: { text: '0' } } as never);
      const alone = { keys: [{ type: 'Basic', id }], patients: [], alone: true };
      await Promise.all([
        record.writer.write({ ...alone, apply: (set) => set.put(basic(id), 'Basic', id) }),
        record.writer.write({ ...alone, apply: (set) => (set.get('Basic', id) ? set.remove('Basic', id) : undefined) }),
      ]);
      const { versions } = await record.history(clinician, { type: 'Basic', id }, { count: 5 });
      expect(versions.map(({ version }) => version)).toEqual([3, 2, 1]);
    }
  });
});

describe('what is wrong', () => {
  it('is said with its place', async () => {
    const structure = await failure(() => record.scan('{"resourceType":"Patient","name":"x"}', 'Patient'));
    expect(structure.issues[0]!.expression).toContain('name');
    expect((await failure(() => record.scan('{"resourceType":"Patient",}', 'Patient'))).message).toMatch(/^Line 1/);
    expect((await failure(record.read(clinician, 'Nothing', '1'))).status).toBe(404);
    const misspelt = await failure(search('Patient?birthdat=2000'));
    expect(misspelt.message).toContain('birthdate');
    expect((await failure(search('Patient?birthdate=20000101'))).status).toBe(400);
  });
});

describe('search', () => {
  beforeAll(async () => {
    await update({
      resourceType: 'Patient',
      id: 's1',
      name: [{ family: 'Zürcher', given: ['Ada'] }],
      gender: 'female',
    } as never);
    await update({ resourceType: 'Patient', id: 's2', name: [{ family: 'Zurbriggen' }], gender: 'male' } as never);
    const at = (day: string, value: number) => ({
      effectiveDateTime: `2024-01-${day}`,
      valueQuantity: { value, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
    });
    await update(observation('o1', 's1', at('01', 11)) as never);
    await update(observation('o2', 's1', at('02', 12)) as never);
    await update(observation('o3', 's2', at('03', 13)) as never);
  });

  it.each([
    ['Patient?family=zur', ['s1', 's2']],
    ['Patient?family:exact=Zürcher', ['s1']],
    ['Patient?name=ada&gender=female', ['s1']],
    ['Patient?_id=s2', ['s2']],
    ['Observation?patient=s1&code=http://loinc.org|718-7', ['o1', 'o2']],
    ['Observation?subject=Patient/s1&date=ge2024-01-02', ['o2']],
    ['Observation?code=718-7&date=2024-01-03', ['o3']],
    ['Observation?code=718-7&value-quantity=gt11.5', ['o2', 'o3']],
    ['Observation?value-quantity=12|http://unitsofmeasure.org|g/dL', ['o2']],
    ['Observation?code=718-7&subject:Patient.family=zurb', ['o3']],
    ['Observation?code=718-7&status:not=final', []],
    ['Observation?patient=s1&value-quantity:missing=true', []],
    ['Observation?code=718-7,other&patient=s2', ['o3']],
  ])('%s', async (query, expected) => {
    expect(await foundIds(query)).toEqual(expected);
  });

  it('pages without repeating or losing what is there, while more is added', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; page < 10; page++) {
      const result = await search(`Observation?code=718-7&_count=1${cursor}`);
      seen.push(...result.matches.map(({ text }) => JSON.parse(text).id));
      if (page === 0) await update(observation('late', 's2') as never);
      if (!result.next) break;
      cursor = `&_cursor=${result.next}`;
    }
    expect(seen.filter((id) => id !== 'late').sort()).toEqual(['o1', 'o2', 'o3']);
    await record.remove(custodian, 'Observation', 'late');
  });

  it('sorts by a date, and pages in that order', async () => {
    const first = await search('Observation?code=718-7&_sort=-date&_count=2');
    const second = await search(`Observation?code=718-7&_sort=-date&_count=2&_cursor=${first.next}`);
    const ids = [...first.matches, ...second.matches].map(({ text }) => JSON.parse(text).id);
    expect(ids).toEqual(['o3', 'o2', 'o1']);
  });

  it('includes what is referred to, and what refers', async () => {
    const include = await search('Observation?_id=o1&_include=Observation:subject');
    expect(include.included.map(({ type }) => type)).toEqual(['Patient']);
    const reverse = await search('Patient?_id=s1&_revinclude=Observation:subject');
    expect(reverse.included).toHaveLength(2);
  });

  it('counts', async () => {
    expect((await search('Observation?code=718-7&_summary=count')).total).toBe(3);
    expect((await search('Observation?code=718-7&_count=1&_total=accurate')).total).toBe(3);
  });

  it('gives nothing to a role without business in records', async () => {
    expect((await search('Patient?family=zur', engineer)).matches).toEqual([]);
    expect((await failure(record.read(engineer, 'Patient', 's1'))).status).toBe(404);
  });
});

describe('bundles', () => {
  const exchange = { base: 'http://x/fhir', single: async () => ({ status: 200 }), fault: () => {} };
  const bundle = (...entry: object[]) => JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });

  it('resolves references among entries', async () => {
    const { outcomes } = await record.bundle(
      clinician,
      bundle(
        {
          fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001',
          resource: { resourceType: 'Patient', name: [{ family: 'Transacted' }] },
          request: { method: 'POST', url: 'Patient' },
        },
        {
          resource: {
            ...observation('x', 'x'),
            id: undefined,
            subject: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' },
          },
          request: { method: 'POST', url: 'Observation' },
        },
      ),
      exchange,
    );
    expect(outcomes.map(({ status }) => status)).toEqual([201, 201]);
    const patient = outcomes[0]!.location!.split('/')[1]!;
    const found = await search(`Observation?patient=${patient}`);
    expect(JSON.parse(found.matches[0]!.text).subject.reference).toBe(`Patient/${patient}`);
  });

  it('makes one resource when transactions create it under one condition at once', async () => {
    const text = bundle({
      resource: { resourceType: 'Patient', identifier: [{ system: 'urn:race', value: '2' }] },
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:race|2' },
    });
    const made = await Promise.all(Array.from({ length: 8 }, () => record.bundle(clinician, text, exchange)));
    expect(made.map(({ outcomes }) => outcomes[0]!.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(await foundIds('Patient?identifier=urn:race|2')).toHaveLength(1);
  });

  it('changes nothing when one entry cannot be carried out', async () => {
    const error = await failure(
      record.bundle(
        clinician,
        bundle(
          { resource: { resourceType: 'Patient', id: 'never' }, request: { method: 'PUT', url: 'Patient/never' } },
          {
            resource: { resourceType: 'Patient', id: 's1' },
            request: { method: 'PUT', url: 'Patient/s1', ifMatch: 'W/"99"' },
          },
        ),
        exchange,
      ),
    );
    expect(error.status).toBe(412);
    expect((await failure(record.read(clinician, 'Patient', 'never'))).status).toBe(404);
  });
});

describe('the store against a model', () => {
  it('reads back what a series of writes left, by id and by search', async () => {
    const operation = fc.record({
      id: fc.constantFrom('p1', 'p2', 'p3'),
      gender: fc.constantFrom('male', 'female', undefined),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 12 }), async (operations) => {
        const model = new Map<string, string | undefined>();
        const run = Math.random().toString(36).slice(2);
        for (const { id, gender } of operations) {
          if (gender === undefined) {
            await record.remove(custodian, 'Patient', `${run}${id}`);
            model.delete(id);
          } else {
            await update({
              resourceType: 'Patient',
              id: `${run}${id}`,
              gender,
              identifier: [{ system: 'urn:run', value: run }],
            } as never);
            model.set(id, gender);
          }
        }
        const female = [...model].filter(([, gender]) => gender === 'female').map(([id]) => `${run}${id}`);
        expect(await foundIds(`Patient?identifier=urn:run|${run}&gender=female`)).toEqual(female.sort());
      }),
      { numRuns: 20 },
    );
  });
});
