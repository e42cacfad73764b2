import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };
const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });

describe('$everything', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ bundleBytes: 16 * 1024 * 1024 });
  });
  afterAll(() => hub.stop());

  const store = async (...resources: { resourceType: string; id: string }[]) => {
    const entry = resources.map((resource) => ({
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      resource,
    }));
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    const answer = await hub.send('POST', '/fhir', bundle, { headers: json });
    expect([answer.status, answer.json.issue]).toEqual([200, undefined]);
  };
  const observation = (id: string, patient: string, more: object = {}) => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: loinc('718-7'),
    subject: { reference: `Patient/${patient}` },
    ...more,
  });
  const named = (bundle: Json, mode?: string): string[] =>
    (bundle.entry ?? [])
      .filter(({ search }: Json) => mode === undefined || search.mode === mode)
      .map(({ resource }: Json) => `${resource.resourceType}/${resource.id}`);
  const get = async (path: string) => {
    const answer = await hub.get(path);
    expect([path, answer.status, answer.json.issue]).toEqual([path, 200, undefined]);
    return answer.json;
  };
  const walk = async (path: string, between: (page: number) => Promise<void> = async () => {}) => {
    const pages: Json[] = [];
    let next: string | undefined = path;
    while (next !== undefined) {
      const page = await get(next);
      pages.push(page);
      if (pages.length > 400) throw new Error('The pages do not end.');
      await between(pages.length);
      next = page.link.find(({ relation }: Json) => relation === 'next')?.url.slice(hub.url.length);
    }
    return pages;
  };

  it('has the record, what others say of the patient, and what explains it', async () => {
    await store(
      { resourceType: 'Organization', id: 'ev-org', name: 'Harbor' } as never,
      {
        resourceType: 'PractitionerRole',
        id: 'ev-role',
        practitioner: { reference: 'Practitioner/ev-doc' },
        organization: { reference: 'Organization/ev-org' },
      } as never,
      { resourceType: 'Practitioner', id: 'ev-doc' },
      { resourceType: 'Practitioner', id: 'ev-unrelated' },
      { resourceType: 'Binary', id: 'ev-binary', contentType: 'text/plain', data: 'aGVsbG8=' } as never,
      { resourceType: 'Patient', id: 'ev', name: [{ family: 'Whole' }] } as never,
      { resourceType: 'Patient', id: 'ev-other', name: [{ family: 'Else' }] } as never,
      observation('ev-1', 'ev', { performer: [{ reference: 'PractitionerRole/ev-role' }] }),
      observation('ev-2', 'ev-other', { performer: [{ reference: 'Patient/ev' }] }),
      observation('ev-3', 'ev-other'),
      {
        resourceType: 'DocumentReference',
        id: 'ev-doc',
        status: 'current',
        subject: { reference: 'Patient/ev' },
        content: [{ attachment: { url: 'Binary/ev-binary' } }],
      } as never,
    );
    const bundle = await get('/fhir/Patient/ev/$everything');
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect(named(bundle, 'match')[0]).toBe('Patient/ev');
    expect(named(bundle, 'match').sort()).toEqual([
      'DocumentReference/ev-doc',
      'Observation/ev-1',
      'Observation/ev-2',
      'Patient/ev',
    ]);
    expect(named(bundle, 'include').sort()).toEqual([
      'Binary/ev-binary',
      'Organization/ev-org',
      'Practitioner/ev-doc',
      'PractitionerRole/ev-role',
    ]);
    expect(named(await get('/fhir/Patient/ev/$everything?_type=Practitioner,Organization')).sort()).toEqual([
      'Organization/ev-org',
      'Practitioner/ev-doc',
    ]);
    expect(named(await get('/fhir/Patient/ev/$everything?_type=Patient&_type=DocumentReference')).sort()).toEqual([
      'DocumentReference/ev-doc',
      'Patient/ev',
    ]);
  });

  it('pages without a gap, a repetition or an end that never comes, while the record changes', async () => {
    const ids = Array.from({ length: 230 }, (_, i) => `pg-${i}`);
    await store({ resourceType: 'Patient', id: 'pg' }, ...ids.map((id) => observation(id, 'pg')));
    for (const count of [1, 7, 100, 231, 5_000]) {
      const pages = count === 1 ? await walk('/fhir/Patient/pg/$everything?_count=1') : [];
      if (count > 1) {
        pages.push(
          ...(await walk(`/fhir/Patient/pg/$everything?_count=${count}`, async (page) => {
            if (page > 3) return;
            await store(observation(ids[page]!, 'pg', { valueString: `changed ${count}` }));
            await store(observation(`pg-late-${count}-${page}`, 'pg'));
            await hub.send('DELETE', `/fhir/Observation/pg-late-${count}-${page}`);
          })),
        );
      }
      const seen = pages.flatMap((page) => named(page));
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(['Patient/pg', ...ids.map((id) => `Observation/${id}`)]));
      for (const page of pages) expect(named(page).length).toBeLessThanOrEqual(count);
    }
  });

  it('gives out what was stored since, and care between dates', async () => {
    await store(
      { resourceType: 'Patient', id: 'since' },
      observation('since-old', 'since', { effectiveDateTime: '2019-05-04' }),
      observation('since-span', 'since', { effectivePeriod: { start: '2019-01-01', end: '2021-02-01' } }),
      { resourceType: 'AllergyIntolerance', id: 'since-a', patient: { reference: 'Patient/since' } } as never,
    );
    const before = new Date(Date.now() + 2).toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store(observation('since-new', 'since', { effectiveDateTime: '2021-01-31T23:30:00-05:00' }));
    const of = async (query: string) => named(await get(`/fhir/Patient/since/$everything?${query}`)).sort();
    expect(await of(`_since=${before}`)).toEqual(['Observation/since-new']);
    expect(await of(`_since=2999-01-01`)).toEqual([]);
    const undated = ['AllergyIntolerance/since-a'];
    expect(await of('start=2021-02-01')).toEqual([
      ...undated,
      'Observation/since-new',
      'Observation/since-span',
      'Patient/since',
    ]);
    expect(await of('end=2019')).toEqual([
      ...undated,
      'Observation/since-old',
      'Observation/since-span',
      'Patient/since',
    ]);
    expect(await of('start=2020-01&end=2020-12')).toEqual([...undated, 'Observation/since-span', 'Patient/since']);
    const pages = await walk('/fhir/Patient/since/$everything?start=2020-01&end=2020-12&_count=1');
    expect(pages.flatMap((page) => named(page)).sort()).toEqual([
      ...undated,
      'Observation/since-span',
      'Patient/since',
    ]);
  });

  it('reads a Parameters resource as it reads a query, and refuses what it does not understand', async () => {
    await store({ resourceType: 'Patient', id: 'post' }, observation('post-1', 'post'), observation('post-2', 'post'));
    const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
    const post = (body: object) => hub.send('POST', '/fhir/Patient/post/$everything', body, { headers: json });
    const answer = await post(
      parameters({ name: '_type', valueCode: 'Observation' }, { name: '_count', valueInteger: 1 }),
    );
    expect(answer.status).toBe(200);
    expect(named(answer.json)).toEqual(['Observation/post-1']);
    const next = answer.json.link.find(({ relation }: Json) => relation === 'next').url;
    expect(named(await get(next.slice(hub.url.length)))).toEqual(['Observation/post-2']);
    expect((await hub.send('POST', '/fhir/Patient/post/$everything')).json.entry).toHaveLength(3);
    for (const [body, expression] of [
      [parameters({ name: '_tipe', valueCode: 'Observation' }), '_tipe'],
      [parameters({ name: '_count', valueInteger: 1 }, { name: '_count', valueInteger: 2 }), '_count'],
      [parameters({ name: '_count', valueString: 'many' }), '_count'],
      [parameters({ name: '_since', valuePeriod: { start: '2020' } }), '_since'],
      [parameters({ name: 'start', valueDate: '2021' }, { name: 'end', valueDate: '2020' }), 'start'],
      [parameters({ name: '_cursor', valueString: 'x' }), '_cursor'],
      [parameters({ name: '_type', valueCode: 'Nonsense' }), '_type'],
      [parameters({ name: '__proto__', valueCode: 'x' }), '__proto__'],
    ] as const) {
      const refused = await post(body);
      expect([expression, refused.status, refused.json.issue?.[0].expression]).toEqual([expression, 400, [expression]]);
    }
    expect((await hub.get('/fhir/Patient/post/$everything?_tipe=x')).json.issue[0].diagnostics).toContain('_type');
    expect((await hub.get('/fhir/Encounter/x/$everything?start=2020')).status).toBe(400);
    expect((await hub.get('/fhir/Patient/nobody/$everything')).status).toBe(404);
  });

  it('follows an encounter: what names it, whom it is about, what explains it', async () => {
    const here = { reference: 'Encounter/enc' };
    await store(
      { resourceType: 'Practitioner', id: 'enc-doc' },
      { resourceType: 'Location', id: 'enc-place' },
      { resourceType: 'Patient', id: 'enc-p' },
      {
        resourceType: 'Encounter',
        id: 'enc',
        status: 'finished',
        class: { code: 'AMB' },
        subject: { reference: 'Patient/enc-p' },
        location: [{ location: { reference: 'Location/enc-place' } }],
        diagnosis: [{ condition: { reference: 'Condition/enc-dx' } }],
      } as never,
      { resourceType: 'Condition', id: 'enc-dx', subject: { reference: 'Patient/enc-p' } } as never,
      observation('enc-1', 'enc-p', { encounter: here, performer: [{ reference: 'Practitioner/enc-doc' }] }),
      observation('enc-2', 'enc-p', { encounter: here }),
      observation('enc-3', 'enc-p'),
      observation('enc-4', 'somebody', { encounter: here }),
    );
    const bundle = await get('/fhir/Encounter/enc/$everything');
    expect(named(bundle, 'match')).toEqual(['Encounter/enc', 'Observation/enc-1', 'Observation/enc-2']);
    expect(named(bundle, 'include').sort()).toEqual([
      'Condition/enc-dx',
      'Location/enc-place',
      'Patient/enc-p',
      'Practitioner/enc-doc',
    ]);
    const pages = await walk('/fhir/Encounter/enc/$everything?_count=1');
    expect(pages.flatMap((page) => named(page, 'match'))).toEqual(named(bundle, 'match'));
    expect(named(await get('/fhir/Encounter/enc/$everything?_type=Observation')).sort()).toEqual([
      'Observation/enc-1',
      'Observation/enc-2',
    ]);
    expect((await hub.get('/fhir/Encounter/none/$everything')).status).toBe(404);
  });

  it('keeps a page in bounds where resources are large, and loses none of them', async () => {
    const note = (text: string) => ({ note: [{ text: text.repeat(9_000_000 / text.length) }] });
    await store({ resourceType: 'Patient', id: 'large' });
    const ids = ['large-0', 'large-1', 'large-2', 'large-3', 'large-4'];
    for (const id of ids) await store(observation(id, 'large', note(`${id} `)));
    for (let i = 0; i < 2; i++) {
      const data = Buffer.alloc(1_000_000, i).toString('base64');
      await store({ resourceType: 'Binary', id: `large-file-${i}`, contentType: 'x/y', data } as never);
    }
    const attachments = [0, 1].map((i) => ({ attachment: { url: `Binary/large-file-${i}` } }));
    const document = { resourceType: 'DocumentReference', id: 'large-doc', status: 'current', content: attachments };
    await store({ ...document, subject: { reference: 'Patient/large' } } as never);
    const pages = await walk('/fhir/Patient/large/$everything');
    expect(pages.length).toBeGreaterThan(1);
    const matched = pages.flatMap((page) => named(page, 'match'));
    expect(matched).toEqual(['Patient/large', ...ids.map((id) => `Observation/${id}`), 'DocumentReference/large-doc']);
    expect(pages.flatMap((page) => named(page, 'include'))).toHaveLength(2);
  });

  it('has all patients whom the caller may see, and records whose records it gave out', async () => {
    await store({ resourceType: 'Patient', id: 'all-a' }, observation('all-1', 'all-a'), {
      resourceType: 'Patient',
      id: 'all-b',
    });
    const pages = await walk('/fhir/Patient/$everything?_count=50');
    const seen = pages.flatMap((page) => named(page, 'match'));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(['Patient/all-a', 'Observation/all-1', 'Patient/all-b']));
    const given = (await accessesOf(hub)).filter(
      ({ action, what, patients = [] }) =>
        action === 'everything' && what.startsWith('/Patient/$everything') && patients.length > 0,
    );
    expect(given).toHaveLength(pages.length);
    const engineer = await hub.get('/fhir/Patient/$everything', { role: 'integration-engineer' });
    expect(engineer.json.entry).toBeUndefined();
  });
});
