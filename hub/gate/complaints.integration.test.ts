/**
 * What users of other FHIR servers complain about in public, tried on this one: each complaint that shows at the size of
 * some thousand resources, by the number it has in our list of them. Times are bounds no user would complain about.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const patientCount = 500;
const perPatient = 10;
const observationCount = patientCount * perPatient;
const codes = ['718-7', '2339-0', '8480-6', '8462-4', '29463-7'];

let hub: TestHub;
let started: string;
/** Ids by the number a Patient was made with. */
let patients: string[];

beforeAll(async () => {
  hub = await startTestHub({ bundleBytes: 32 * 1024 * 1024 });
  started = new Date().toISOString();
  patients = await load();
}, 120_000);
afterAll(() => hub.stop());

const get = (path: string) => hub.get(`/fhir/${path}`);
const post = (bundle: Json) => hub.send('POST', '/fhir', JSON.stringify(bundle), { headers: json });
const transaction = (entry: Json[]) => post({ resourceType: 'Bundle', type: 'transaction', entry });
const matches = ({ json: bundle }: Answer): Json[] =>
  (bundle.entry ?? []).filter((one: Json) => one.search.mode === 'match').map((one: Json) => one.resource);
const nextOf = ({ json: bundle }: Answer): string | undefined =>
  bundle.link.find((link: Json) => link.relation === 'next')?.url.slice(`${hub.url}/fhir/`.length);
const times = <T>(count: number, run: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => run(i)));

/** The answer, which has to be 200 and in time. */
async function within(seconds: number, ask: Promise<Answer>): Promise<Answer> {
  const start = performance.now();
  const answer = await ask;
  expect(answer.status, answer.text.slice(0, 500)).toBe(200);
  expect((performance.now() - start) / 1_000).toBeLessThan(seconds);
  return answer;
}

/** `Type/id` of all that the pages hold, in their order. */
async function walk(path: string): Promise<string[]> {
  const seen: string[] = [];
  for (let next: string | undefined = path, pages = 0; next !== undefined; pages++) {
    expect(pages).toBeLessThan(200);
    const answer: Answer = await within(5, get(next));
    seen.push(...(answer.json.entry ?? []).map(({ resource }: Json) => `${resource.resourceType}/${resource.id}`));
    next = nextOf(answer);
  }
  return seen;
}

/** No two are born on one day, so that nobody is taken for somebody else. */
const birthDateOf = (i: number) => new Date(Date.UTC(1930, 0, 1 + i * 59)).toISOString().slice(0, 10);

/** Two Organizations, and Patients with an Encounter and Observations each, one Patient a group of references. */
async function load(): Promise<string[]> {
  const uuid = (kind: number, i: number) => `urn:uuid:00000000-0000-4000-800${kind}-${String(i).padStart(12, '0')}`;
  const create = (resource: Json, fullUrl?: string) => ({
    ...(fullUrl ? { fullUrl } : {}),
    resource,
    request: { method: 'POST', url: resource.resourceType },
  });
  const put = (resource: Json) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  });
  await within(
    10,
    transaction([
      put({ resourceType: 'Organization', id: 'north', name: 'North' }),
      put({ resourceType: 'Organization', id: 'south', name: 'South', partOf: { reference: 'Organization/north' } }),
    ]),
  );
  const found: string[] = [];
  const step = 100;
  for (let from = 0; from < patientCount; from += step) {
    const entry = Array.from({ length: step }, (_, k) => {
      const i = from + k;
      const subject = { reference: uuid(1, i) };
      const encounter = { reference: uuid(2, i) };
      const patient = {
        resourceType: 'Patient',
        identifier: [{ system: 'urn:mrn', value: String(i) }],
        name: [{ family: `Family${i % 50}`, given: [`Given${i}`] }],
        birthDate: birthDateOf(i),
        managingOrganization: { reference: i % 2 === 0 ? 'Organization/north' : 'Organization/south' },
      };
      const visit = { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, subject };
      const observations = Array.from({ length: perPatient }, (_, n) => ({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: codes[n % codes.length] }] },
        subject,
        encounter,
        effectiveDateTime: `2020-01-${10 + n}T0${i % 10}:00:00Z`,
        valueQuantity: { value: i + n / 10, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
      }));
      return [create(patient, uuid(1, i)), create(visit, uuid(2, i)), ...observations.map((one) => create(one))];
    }).flat();
    const answer = await within(30, transaction(entry));
    const locations: string[] = answer.json.entry.map((one: Json) => one.response.location);
    found.push(...locations.filter((one) => one.startsWith('Patient/')).map((one) => one.split('/')[1]!));
  }
  return found;
}

describe('counts', () => {
  it('complaint 1: counting is left out of a search unless asked for, is exact then, and an estimate only by that name', async () => {
    const plain = await within(5, get('Observation?code=718-7&_count=10'));
    expect([plain.json.total, matches(plain).length]).toEqual([undefined, 10]);
    const exact = await within(5, get('Observation?status=final&_count=10&_total=accurate'));
    expect(exact.json.total).toBe(observationCount);
    expect((await within(5, get('Observation?_summary=count'))).json.total).toBe(observationCount);
    const estimate = await within(5, get('Observation?status=final&_count=10&_total=estimate'));
    expect(estimate.json.total).toBeGreaterThan(observationCount / 5);
    expect(estimate.json.total).toBeLessThan(observationCount * 5);
  });
});

describe('searches that take forever elsewhere', () => {
  it('complaint 2: chained searches', async () => {
    const family = await within(5, get('Observation?subject:Patient.family=family7&_count=1000'));
    expect(matches(family)).toHaveLength(observationCount / 50);
    const far = await within(
      5,
      get('Observation?subject:Patient.organization.partof.name=north&_total=accurate&_count=10'),
    );
    expect(far.json.total).toBe(observationCount / 2);
    const both = 'Observation?patient.birthdate=lt1970-01-01&code=718-7&patient.organization=Organization/south';
    const old = Array.from({ length: patientCount }, (_, i) => i).filter(
      (i) => birthDateOf(i) < '1970-01-01' && i % 2 === 1,
    );
    expect(matches(await within(5, get(`${both}&_count=1000`)))).toHaveLength(old.length * 2);
    expect(matches(await within(5, get('Observation?encounter.subject:Patient.identifier=urn:mrn|17')))).toHaveLength(
      perPatient,
    );
  });

  it('complaint 3: reverse chained searches, with a chain inside', async () => {
    const all = await within(5, get('Patient?_has:Observation:patient:code=718-7&_count=1000'));
    expect(matches(all)).toHaveLength(patientCount);
    const high = await within(5, get('Patient?_has:Observation:patient:value-quantity=ge490&_count=1000'));
    expect(matches(high)).toHaveLength(10);
    const none = await within(5, get('Patient?_has:Observation:patient:code=none'));
    expect(matches(none)).toEqual([]);
    const chained = await within(5, get('Patient?_has:Observation:patient:encounter.status=finished&_count=1000'));
    expect(matches(chained)).toHaveLength(patientCount);
    const nested = await within(
      5,
      get('Organization?_has:Patient:organization:_has:Observation:patient:value-quantity=gt499'),
    );
    expect(matches(nested).map(({ id }) => id)).toEqual(['south']);
  });

  it('complaint 4: long OR lists', async () => {
    const list = (count: number, make: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => make(i)).join(',');
    const search = (type: string, body: string) =>
      within(5, hub.send('POST', `/fhir/${type}/_search`, `${body}&_count=1000`, { headers: form }));
    expect(matches(await search('Patient', `identifier=${list(1_000, (i) => `urn:mrn|${i}`)}`))).toHaveLength(
      patientCount,
    );
    expect(matches(await search('Patient', `_id=${patients.join(',')}`))).toHaveLength(patientCount);
    expect(
      matches(await search('Observation', `code=718-7,${list(500, (i) => `http://loinc.org|x-${i}`)}`)),
    ).toHaveLength(observationCount / codes.length);
    expect(matches(await search('Observation', `code=718-7&patient=${patients.slice(0, 200).join(',')}`))).toHaveLength(
      400,
    );
    expect(matches(await search('Patient', `family=${list(113, (i) => `Family${i % 50}`)}`))).toHaveLength(
      patientCount,
    );
  });

  it('complaint 5: _lastUpdated far back', async () => {
    for (const since of ['ge1900-01-01', 'gt2000', `ge${started}`]) {
      for (const sort of ['', '&_sort=_lastUpdated', '&_sort=-_lastUpdated']) {
        const answer = await within(5, get(`Observation?_lastUpdated=${since}${sort}&_count=100`));
        expect([since, sort, matches(answer).length]).toEqual([since, sort, 100]);
      }
    }
    const seen = await walk(`Encounter?_lastUpdated=ge1900-01-01&_sort=_lastUpdated&_count=200`);
    expect([seen.length, new Set(seen).size]).toEqual([patientCount, patientCount]);
    expect(matches(await within(5, get('Observation?_lastUpdated=lt1990')))).toEqual([]);
  });

  it('complaint 6: several _revinclude with a large _count', async () => {
    const query =
      'Patient?_count=1000&_revinclude=Observation:subject&_revinclude=Encounter:subject&_revinclude=Observation:patient';
    const answer = await within(15, get(query));
    expect(matches(answer)).toHaveLength(patientCount);
    const ids = answer.json.entry.map(({ resource }: Json) => `${resource.resourceType}/${resource.id}`);
    expect(new Set(ids).size).toBe(ids.length);
    const isWhole = ids.length === patientCount + patientCount + observationCount;
    const isTold = answer.json.entry.some(({ search }: Json) => search.mode === 'outcome');
    expect(isWhole || isTold, `${ids.length} entries and nothing said of the rest`).toBe(true);
  });
});

describe('what is stored', () => {
  it('complaint 9: is found at once', async () => {
    for (let i = 0; i < 20; i++) {
      const made = await hub.send(
        'POST',
        '/fhir/Basic',
        `{"resourceType":"Basic","code":{"text":"t","coding":[{"code":"now-${i}"}]}}`,
        { headers: json },
      );
      expect(matches(await get(`Basic?code=now-${i}`)).map(({ id }) => id)).toEqual([made.json.id]);
      await hub.send('DELETE', `/fhir/Basic/${made.json.id}`);
      expect(matches(await get(`Basic?code=now-${i}`))).toEqual([]);
    }
  });

  it('complaint 12: concurrent conditional creates make one resource', async () => {
    for (let round = 0; round < 5; round++) {
      const condition = `identifier=urn:once|${round}`;
      const body = `{"resourceType":"Patient","identifier":[{"system":"urn:once","value":"${round}"}]}`;
      const answers = await times(16, () =>
        hub.send('POST', '/fhir/Patient', body, { headers: { ...json, 'if-none-exist': condition } }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(15).fill(200), 201]);
      expect((await get(`Patient?${condition}&_summary=count`)).json.total).toBe(1);
    }
  });

  it('complaint 13: a conditional PUT twice in one transaction is refused, not dropped', async () => {
    const put = (gender: string) => ({
      resource: { resourceType: 'Patient', identifier: [{ system: 'urn:twice', value: '1' }], gender },
      request: { method: 'PUT', url: 'Patient?identifier=urn:twice|1' },
    });
    for (let round = 0; round < 2; round++) {
      const answer = await transaction([put('male'), put('female')]);
      expect([answer.status >= 400 && answer.status < 500, answer.json.resourceType]).toEqual([
        true,
        'OperationOutcome',
      ]);
      expect((await get('Patient?identifier=urn:twice|1&gender=female&_summary=count')).json.total).toBe(0);
      await within(5, transaction([put('male')]));
    }
  });

  it('complaint 14: Bundles in parallel over the same resources end without deadlocks', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `shared-${i}`);
    const rounds = await times(24, (i) => {
      const order = i % 2 === 0 ? ids : [...ids].reverse();
      const turned = [...order.slice(i), ...order.slice(0, i)];
      return within(
        20,
        transaction(
          turned.map((id) => ({
            resource: { resourceType: 'Basic', id, code: { text: `round ${i}` } },
            request: { method: 'PUT', url: `Basic/${id}` },
          })),
        ),
      );
    });
    for (const { json: answer } of rounds) {
      for (const { response } of answer.entry) expect(response.status).toMatch(/^20[01]/);
    }
    const texts = await Promise.all(ids.map(async (id) => (await get(`Basic/${id}`)).json));
    expect(new Set(texts.map(({ code }) => code.text)).size).toBe(1);
    expect(texts.map(({ meta }) => meta.versionId)).toEqual(ids.map(() => '24'));
  });

  it('complaint 15: a transaction with a thousand entries is stored as a whole or not at all', async () => {
    const entry = (resource: Json) => ({ resource, request: { method: 'POST', url: resource.resourceType } });
    const many = Array.from({ length: 1_000 }, () =>
      entry({ resourceType: 'Basic', code: { coding: [{ code: 'atomic' }] } }),
    );
    const bad = entry({ resourceType: 'Patient', gender: 'nonsense' });
    const refused = await transaction([...many, bad]);
    expect([refused.status, refused.json.resourceType]).toEqual([422, 'OperationOutcome']);
    expect((await get('Basic?code=atomic&_summary=count')).json.total).toBe(0);
    const search = { request: { method: 'GET', url: 'Basic?code=atomic&_count=1000' } };
    const stored = await within(20, transaction([...many, search]));
    expect(stored.json.entry.at(-1).resource.entry).toHaveLength(1_000);
  });

  it('complaint 16: references within a Bundle cost no more the more there are', async () => {
    const chain = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        fullUrl: `urn:uuid:00000000-0000-4000-9000-${String(i).padStart(12, '0')}`,
        resource: {
          resourceType: 'Basic',
          code: { text: 'chain' },
          subject: { reference: `urn:uuid:00000000-0000-4000-9000-${String((i * 7 + 1) % count).padStart(12, '0')}` },
        },
        request: { method: 'POST', url: 'Basic' },
      }));
    const answer = await within(20, transaction(chain(4_000)));
    const last = await get(answer.json.entry.at(-1).response.location.split('/_history')[0]);
    const target = answer.json.entry[(3_999 * 7 + 1) % 4_000].response.location.split('/_history')[0];
    expect(last.json.subject.reference).toBe(target);
  });
});

describe('pages', () => {
  it('complaint 18: two thousand searches later the next page is still there, and deep pages cost what the first does', async () => {
    const first = await within(5, get('Observation?code=718-7&_count=100'));
    for (let round = 0; round < 64; round++) {
      const answers = await times(32, (i) =>
        get(`Patient?identifier=urn:mrn|${(round * 32 + i) % patientCount}&_count=1`),
      );
      expect(answers.every((answer) => answer.status === 200 && matches(answer).length === 1)).toBe(true);
    }
    const rest = await walk(nextOf(first)!);
    const seen = [...matches(first).map(({ id }) => `Observation/${id}`), ...rest];
    expect([seen.length, new Set(seen).size]).toEqual([1_000, 1_000]);
    for (const sort of ['date', '-date', 'value-quantity', 'code']) {
      const all = await walk(`Observation?code=718-7&_sort=${sort}&_count=250`);
      expect([sort, all.length, new Set(all).size]).toEqual([sort, 1_000, 1_000]);
    }
  });

  it('complaint 22: $everything ends, with nothing missing and nothing twice', async () => {
    const id = patients[17]!;
    const query = `subject=Patient/${id}&_count=1000`;
    const wanted = [...(await walk(`Observation?${query}`)), ...(await walk(`Encounter?${query}`)), `Patient/${id}`];
    expect(wanted).toHaveLength(perPatient + 2);
    for (const count of [1, 5, 1_000]) {
      const seen = await walk(`Patient/${id}/$everything?_count=${count}`);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(wanted));
    }
    const many = Array.from({ length: 2_000 }, (_, i) => ({
      resource: { resourceType: 'Condition', id: `many-${i}`, subject: { reference: `Patient/${id}` } },
      request: { method: 'PUT', url: `Condition/many-${i}` },
    }));
    await within(20, transaction(many));
    const seen = (await walk(`Patient/${id}/$everything`)).filter((one) => one.startsWith('Condition/'));
    expect([seen.length, new Set(seen).size]).toEqual([2_000, 2_000]);
  });
});

describe('silence', () => {
  it('a misspelt parameter is refused with the right one, not ignored', async () => {
    for (const [query, meant] of [
      ['Patient?familiy=x', 'family'],
      ['Observation?cod=718-7', 'code'],
      ['Patient?birthdat=2000', 'birthdate'],
    ] as const) {
      const answer = await get(query);
      expect([answer.status, answer.json.issue[0].diagnostics.includes(meant)]).toEqual([400, true]);
    }
    expect((await get('Patient?family:exactly=x')).status).toBe(400);
    expect((await get('Patient?_sort=familiy')).status).toBe(400);
    expect((await get('Patient?_include=Patient:organisation')).status).toBe(400);
  });
});
