import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('http §3.1.0.9 search', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
    const put = (resource: Json) =>
      hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, JSON.stringify(resource), { headers: json });
    const patient = { reference: 'Patient/p' };
    const encounter = { reference: 'Encounter/e' };
    const practitioner = { reference: 'Practitioner/d' };
    const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }] };
    const observation = { resourceType: 'Observation', status: 'final', code };
    await put({ resourceType: 'Patient', id: 'p', name: [{ family: 'Searched' }] });
    await put({ resourceType: 'Patient', id: 'other', name: [{ family: 'Other' }] });
    await put({ resourceType: 'Practitioner', id: 'd', name: [{ family: 'Searched' }] });
    await put({ resourceType: 'Encounter', id: 'e', status: 'finished', class: { code: 'AMB' }, subject: patient });
    for (const id of ['o1', 'o2', 'o3']) await put({ ...observation, id, subject: patient, encounter });
    await put({ ...observation, id: 'o4', code: { text: 'other' }, subject: patient, performer: [practitioner] });
    await put({ ...observation, id: 'o5', subject: { reference: 'Patient/other' }, performer: [patient] });
    await put({ ...observation, id: 'o6', subject: { reference: 'Patient/other' } });
    await put({ resourceType: 'Condition', id: 'c1', subject: patient, encounter, code: { text: 'x' } });
  });
  afterAll(() => hub.stop());

  const get = (path: string, headers: Record<string, string> = {}) => hub.get(`/fhir${path}`, { headers });
  const post = (path: string, body: string, headers = form as Record<string, string>) =>
    hub.send('POST', `/fhir${path}`, body, { headers });
  const found = ({ json: bundle }: { json: Json }) =>
    (bundle.entry ?? [])
      .filter((entry: Json) => entry.search.mode === 'match')
      .map((entry: Json) => `${entry.resource.resourceType}/${entry.resource.id}`)
      .sort();
  const walk = async (path: string) => {
    const seen: string[] = [];
    let next: string | undefined = path;
    for (let page = 0; next !== undefined && page < 30; page++) {
      const answer = await get(next);
      expect(answer.status).toBe(200);
      seen.push(...found(answer));
      const url: string | undefined = answer.json.link.find((link: Json) => link.relation === 'next')?.url;
      next = url?.slice(`${hub.url}/fhir`.length);
    }
    return seen;
  };

  it('answers a searchset Bundle with self link, full URLs and modes', async () => {
    const { json: bundle, status, headers } = await get('/Observation?patient=p&_count=2');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/fhir+json; charset=utf-8']);
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset' });
    expect(bundle.link[0]).toEqual({ relation: 'self', url: `${hub.url}/fhir/Observation?patient=p&_count=2` });
    expect(bundle.entry[0].fullUrl).toBe(`${hub.url}/fhir/Observation/${bundle.entry[0].resource.id}`);
    expect(await walk('/Observation?patient=p&_count=2')).toHaveLength(4);
  });

  it('takes the parameters of a POST from its body and its address alike', async () => {
    const byGet = await get('/Observation?patient=p&code=718-7');
    for (const answer of [
      await post('/Observation/_search', 'patient=p&code=718-7'),
      await post('/Observation/_search?patient=p', 'code=718-7'),
      await post('/Observation/_search?patient=p&code=718-7', ''),
    ]) {
      expect(answer.text).toBe(byGet.text);
    }
    expect((await post('/Observation/_search', '{}', json)).status).toBe(415);
    expect((await post('/Observation/_search', 'nonsense=1')).status).toBe(400);
    expect((await post('/Nonsense/_search', '')).status).toBe(404);
  });

  it('puts what it did not understand into an outcome entry under lenient handling, without errors', async () => {
    const { json: bundle } = await get('/Patient?nonsense=1', { prefer: 'handling=lenient' });
    const outcome = bundle.entry.find((entry: Json) => entry.search.mode === 'outcome').resource;
    expect(outcome.issue.map((issue: Json) => issue.severity)).toEqual(['warning']);
    expect(bundle.link[0].url).not.toContain('nonsense');
  });

  it('§3.1.0.14: pages stay what they were while resources are added, changed and deleted', async () => {
    const put = (id: string, more: object = {}) =>
      hub.send(
        'PUT',
        `/fhir/Basic/${id}`,
        JSON.stringify({ resourceType: 'Basic', id, code: { text: 'paged' }, ...more }),
        { headers: json },
      );
    for (let i = 0; i < 6; i++) await put(`page-${i}`);
    const first = await get('/Basic?_count=2');
    await put('page-new');
    await put('page-0', { language: 'de' });
    await hub.send('DELETE', `/fhir/${found(first)[0]}`);
    const next = first.json.link.find((link: Json) => link.relation === 'next').url.slice(`${hub.url}/fhir`.length);
    const rest = await walk(next);
    expect([...found(first), ...rest].sort()).toEqual([0, 1, 2, 3, 4, 5].map((i) => `Basic/page-${i}`));
  });

  describe('§3.1.0.9.1 variant searches', () => {
    it('searches several types by the parameters that they share, or all by those of every resource', async () => {
      expect(found(await get('?_type=Patient,Practitioner&name=searched'))).toEqual(['Patient/p', 'Practitioner/d']);
      expect(found(await get('?_type=Observation,Condition&encounter=e'))).toEqual([
        'Condition/c1',
        'Observation/o1',
        'Observation/o2',
        'Observation/o3',
      ]);
      expect(found(await get('?_id=p'))).toEqual(['Patient/p']);
      expect(found(await post('/_search', '_type=Patient,Practitioner&name=searched'))).toHaveLength(2);
      expect(await walk('?_type=Patient,Practitioner,Encounter,Observation,Condition&_count=3')).toHaveLength(11);
      const all = await walk('?_count=3');
      expect(new Set(all).size).toBe(all.length);
      expect(all).toEqual(expect.arrayContaining(['Patient/p', 'Practitioner/d', 'Observation/o6', 'Condition/c1']));
    });

    it('answers 400 to a parameter that a listed type does not have, and to types that are none', async () => {
      for (const query of ['?_type=Patient,Observation&family=x', '?family=x', '?_type=Nonsense', '?nonsense=1']) {
        const answer = await get(query);
        expect([query, answer.status, answer.json.resourceType]).toEqual([query, 400, 'OperationOutcome']);
      }
      expect((await get('?_type=Patient,Observation&_sort=birthdate')).status).toBe(400);
      expect((await get('?_type=Patient,Observation&_sort=_lastUpdated&_cursor=W10')).status).toBe(400);
      expect((await get('?_cursor=nonsense')).status).toBe(400);
    });

    it('sorts over several types, page by page, by what all of them have (§3.1.1.5.1)', async () => {
      const dated = {
        resourceType: 'Procedure',
        status: 'completed',
        code: { text: 'x' },
        subject: { reference: 'Patient/sorted' },
      };
      const put = (resource: Json) =>
        hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, JSON.stringify(resource), { headers: json });
      const encounter = { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } };
      for (const [i, day] of ['05', '01', '03', '05'].entries()) {
        await put({ ...dated, id: `s-p${i}`, performedDateTime: `2020-01-${day}` });
        await put({ ...encounter, id: `s-e${i}`, period: { start: `2020-01-${day}T10:00:00Z` } });
      }
      await put({ ...dated, id: 's-undated' });
      const ordered = async (query: string) => {
        const seen: Json[] = [];
        for (let next: string | undefined = query; next !== undefined; ) {
          const answer = await get(next);
          expect([next, answer.status]).toEqual([next, 200]);
          seen.push(...(answer.json.entry ?? []));
          const url: string | undefined = answer.json.link.find((link: Json) => link.relation === 'next')?.url;
          next = url?.slice(`${hub.url}/fhir`.length);
        }
        return seen;
      };
      const ids = async (query: string) => (await ordered(query)).map((entry) => entry.resource.id);
      const byDate = '?_type=Procedure,Encounter&_sort=date';
      const expected = ['s-p1', 's-e1', 's-p2', 's-e2', 's-p0', 's-p3', 's-e0', 's-e3'];
      for (const count of [1, 2, 3, 5, 50]) {
        const found = await ids(`${byDate}&_count=${count}`);
        expect([count, found.slice(0, 4), found.slice(4, 8).sort(), found.slice(8).sort()]).toEqual([
          count,
          expected.slice(0, 4),
          [...expected.slice(4)].sort(),
          ['e', 's-undated'],
        ]);
        expect(new Set(found).size).toBe(found.length);
        const back = await ids(`?_type=Procedure,Encounter&_sort=-date&_count=${count}`);
        expect([back.slice(0, 4).sort(), back.slice(4, 8)]).toEqual([
          ['s-e0', 's-e3', 's-p0', 's-p3'],
          ['s-e2', 's-p2', 's-e1', 's-p1'],
        ]);
      }
      const times = (await ordered('?_sort=-_lastUpdated&_count=7')).map(({ resource }) => resource.meta.lastUpdated);
      expect(times.length).toBeGreaterThan(15);
      expect(times).toEqual([...times].sort().reverse());
      const whole = await get('?_type=Procedure,Encounter&_sort=_id&_count=2&_total=accurate&_include=*');
      expect(whole.json.total).toBe(10);
      const modes = whole.json.entry.map(({ search }: Json) => search.mode);
      expect(modes.slice(0, 2)).toEqual(['match', 'match']);
    });

    it('counts over types', async () => {
      const count = await get('?_type=Patient,Observation&_summary=count');
      expect([count.json.total, count.json.entry]).toEqual([8, undefined]);
      const page = await get('?_type=Patient,Observation&_total=accurate&_count=3');
      expect([page.json.total, page.json.entry.length]).toEqual([8, 3]);
    });

    it('searches the compartment of a patient, of an encounter, of a practitioner', async () => {
      expect(found(await get('/Patient/p/Observation?code=718-7'))).toEqual([
        'Observation/o1',
        'Observation/o2',
        'Observation/o3',
        'Observation/o5',
      ]);
      expect(found(await get('/Patient/p/Condition'))).toEqual(['Condition/c1']);
      expect(found(await get('/Encounter/e/Observation?code=718-7'))).toHaveLength(3);
      expect(found(await get('/Practitioner/d/Observation'))).toEqual(['Observation/o4']);
      expect(found(await get('/Patient/none/Observation'))).toEqual([]);
      expect(found(await post('/Patient/p/Observation/_search', 'code=718-7'))).toHaveLength(4);
      const page = (await get('/Patient/p/Observation?_count=2')).json;
      expect(page.link[0].url).toBe(`${hub.url}/fhir/Patient/p/Observation?_count=2`);
      expect(await walk('/Patient/p/Observation?_count=2')).toHaveLength(5);
    });

    it('searches all of a compartment, its own resource included', async () => {
      const all = ['Condition/c1', 'Encounter/e', 'Observation/o1', 'Observation/o2', 'Observation/o3'];
      expect(found(await get('/Encounter/e/*'))).toEqual(all);
      expect(found(await get('/Encounter/e/*?_type=Condition,Encounter'))).toEqual(['Condition/c1', 'Encounter/e']);
      expect((await walk('/Encounter/e/*?_count=2')).sort()).toEqual(all);
      expect(found(await get('/Patient/p/*'))).toHaveLength(8);
      expect((await get('/Encounter/e/*?_type=Organization')).status).toBe(400);
    });

    it.each([
      ['/Patient/p/Organization', 400],
      ['/Patient/p/Nonsense', 404],
      ['/Organization/o/Patient', 404],
      ['/Nonsense/o/Patient', 404],
      ['/Patient/p/$nonsense', 404],
      ['/Patient/p/Observation?nonsense=1', 400],
      ['/Patient/a%20b/Observation', 404],
    ])('answers %s with %i', async (path, status) => {
      const answer = await get(path);
      expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
    });
  });
});
