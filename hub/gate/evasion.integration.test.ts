/**
 * A40: consents evaded by another id of the person, or by what tells of what is hidden. What is hidden holds strings that
 * are nowhere else; no answer to a clinician has one, by whichever id and way, and each leaves one line in the record of accesses.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Json } from '../testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import { oneHuman } from '../testing-patients.ts';

const canary = 'Qzxevasionvw';
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
let hub: AttackedHub;
let merged: string;

beforeAll(async () => {
  hub = await startAttackedHub();
  for (const id of ['one', 'two']) {
    await put({ id, ...(oneHuman('Evasion') as Json) });
    const subject = { reference: `Patient/${id}` };
    const hidden = (more: Json) => put({ ...more, meta: { security: [{ system: actCode, code: 'ETHUD' }] } });
    await hidden({ resourceType: 'Condition', id: `${id}-c`, subject, code: { text: `${canary}1` } });
    const code = { coding: [{ system: 'urn:c', code: `${canary}2`, display: `${canary}3` }] };
    await hidden({
      resourceType: 'Observation',
      id: `${id}-o`,
      status: 'final',
      subject,
      code,
      valueString: `${canary}4`,
    });
    const attachment = { contentType: 'text/plain', data: Buffer.from(`${canary}5`).toString('base64'), title: canary };
    await hidden({
      resourceType: 'DocumentReference',
      id: `${id}-d`,
      status: 'current',
      subject,
      content: [{ attachment }],
    });
    await hidden({
      resourceType: 'Encounter',
      id: `${id}-e`,
      status: 'finished',
      class: { code: 'AMB' },
      subject,
      reasonCode: [{ text: canary }],
    });
    // What may be seen names what may not.
    const names = ['Condition/x-c', 'Observation/x-o', 'DocumentReference/x-d'].map((name) => ({
      reference: name.replace('x', id),
    }));
    await put({
      resourceType: 'Condition',
      id: `${id}-plain`,
      subject,
      code: { text: 'plain' },
      evidence: [{ detail: names }],
    });
    await put({
      resourceType: 'List',
      id: `${id}-list`,
      status: 'current',
      mode: 'working',
      subject,
      entry: names.map((item) => ({ item })),
    });
    const section = [{ title: 'x', entry: names }];
    const head = { status: 'final', type: { text: 'x' }, date: '2026-01-01', author: [{ display: 'x' }], title: 'x' };
    await put({ resourceType: 'Composition', id: `${id}-comp`, subject, section, ...head });
    await put({
      resourceType: 'Provenance',
      id: `${id}-prov`,
      target: names,
      recorded: '2026-01-01T00:00:00Z',
      agent: [{ who: { display: 'x' } }],
    });
    await put({
      resourceType: 'DiagnosticReport',
      id: `${id}-rep`,
      status: 'final',
      code: { text: 'x' },
      subject,
      result: [names[1]],
    });
  }
  await put({
    resourceType: 'Consent',
    id: 'refusal',
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: 'Patient/one' },
    policyRule: { coding: [{ code: 'OPTIN' }] },
    provision: { type: 'deny', securityLabel: [{ system: actCode, code: 'ETHUD' }] },
  });
  merged = (await hub.get('/fhir/Patient?family=Evasion')).json.entry[0].resource.id;
});
afterAll(() => {
  hub.secret(canary);
  return hub.stop();
});

async function put(resource: Json): Promise<void> {
  const answer = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (answer.status >= 300) throw new Error(`${resource.resourceType} ${answer.text}`);
}

/** All ways by one id of the person. */
const ways = (id: string) => [
  ...['', '/_history', '/$everything', '/$everything?_type=Condition,Observation', '/*'].map(
    (end) => `/fhir/Patient/${id}${end}`,
  ),
  ...[
    'Condition',
    'Observation',
    'DocumentReference',
    'Encounter',
    'List',
    'Composition',
    'Provenance',
    'DiagnosticReport',
  ].flatMap((type) => [
    `/fhir/${type}?patient=${id}&_include=*&_revinclude=*`,
    `/fhir/${type}?patient=Patient/${id}&_summary=text`,
    `/fhir/Patient/${id}/${type}?_include:iterate=*`,
  ]),
  `/fhir/Patient?_id=${id}&_revinclude=*&_revinclude:iterate=*`,
  `/fhir/Patient?link=Patient/${id}&_revinclude=*`,
  `/fhir/List?patient=${id}&_include=List:item&_include:iterate=*`,
  `/fhir/Composition?patient=${id}&_include=Composition:entry`,
  `/fhir/Observation/$lastn?patient=${id}`,
  `/fhir/DocumentReference/$docref?patient=${id}&on-demand=true`,
  `/fhir/$graphql?query={Patient(id:"${id}"){id ConditionList(_reference:subject){code{text}} ObservationList(_reference:subject){valueString}}}`,
  `/api/persons/${id}`,
];
const everywhere = [
  '/fhir/_history?_count=1000',
  '/fhir/Condition/_history',
  '/fhir/Condition?_sort=code&_count=100',
  '/fhir/Observation?_sort=-_lastUpdated&_elements=valueString',
  '/fhir/Observation?_tag=x&_include=*',
  '/fhir?_type=Condition,Observation,DocumentReference',
  '/fhir/$graphql?query={ListList(status:"current"){entry{item{resource{id ...on Condition{code{text}} ...on Observation{valueString}}}}}}',
];

const has = ({ text }: Answer) =>
  text.includes(canary) || text.includes(Buffer.from(canary).toString('base64').slice(0, 14));

async function tried(path: string): Promise<Answer> {
  const answer = await leavingOneEvent(hub, path, () => hub.get(encodeURI(path), { role: 'clinician' }));
  expect([path, answer.status < 500, has(answer)], answer.text.slice(0, 300)).toEqual([path, true, false]);
  return answer;
}

async function nothingIsTold(ids: string[]): Promise<void> {
  let opened = 0;
  for (const path of [...ids.flatMap(ways), ...everywhere]) if ((await tried(path)).status === 200) opened++;
  expect(opened).toBeGreaterThan(ids.length * 10);
  for (const type of ['Condition', 'Observation', 'DocumentReference', 'Encounter']) {
    for (const id of ids.filter((one) => one === 'one' || one === 'two')) {
      const path = `/fhir/${type}/${id}-${type[0]!.toLowerCase()}`;
      for (const end of ['', '/_history', '/_history/1']) expect((await tried(path + end)).status).toBe(404);
    }
  }
}

/** Asked for by what is in it: found by nobody but the custodian. */
const searches = [
  `Observation?code=${canary}2`,
  `Patient?_has:Observation:patient:code=${canary}2`,
  `List?item:Observation.code=${canary}2`,
  `Provenance?target:Observation.code=${canary}2`,
  `DiagnosticReport?result.code=${canary}2`,
  `Observation?_content=${canary}4`,
  `Observation?_filter=code eq ${canary}2`,
];

async function nothingIsFound(): Promise<void> {
  for (const search of searches) {
    const { status, json } = await hub.get(encodeURI(`/fhir/${search}`), { role: 'clinician' });
    expect([search, status < 500, json.entry?.length ?? 0, json.total ?? 0]).toEqual([search, true, 0, 0]);
  }
}

describe('what a person refused', () => {
  it('is there for the custodian, by most of the ways', async () => {
    const found = await Promise.all([...ways(merged), ...everywhere].map((path) => hub.get(encodeURI(path))));
    expect(found.filter(has).length).toBeGreaterThan(25);
    const counts = await Promise.all(searches.map((search) => hub.get(encodeURI(`/fhir/${search}`))));
    expect(counts.filter(({ json }) => (json.entry?.length ?? 0) > 0).length).toBeGreaterThan(4);
  });

  it('is told by none of the ids of a person of several records', async () => {
    expect(['one', 'two']).not.toContain(merged);
    await nothingIsTold(['one', 'two', merged]);
    await nothingIsFound();
  });

  it('is told by none after the records were found to be of two', async () => {
    const unlink = { patient: 'two', reason: 'Another human.' };
    expect((await hub.send('POST', `/api/persons/${merged}/unlink`, unlink, { role: 'steward' })).status).toBe(200);
    const answers = await Promise.all(
      ['Condition/two-c', 'Condition/one-c'].map((name) => hub.get(`/fhir/${name}`, { role: 'clinician' })),
    );
    // The refusal was the first one's: of the other human it says nothing any more.
    expect(answers.map(({ status }) => status)).toEqual([200, 404]);
    for (const path of [...ways('one'), ...ways(merged)]) await tried(path);
  });
});
