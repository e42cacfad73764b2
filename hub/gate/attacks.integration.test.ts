/**
 * Attacks on other people's records by an app with the token of one patient (docs/attacks.md): each is denied, leaves
 * exactly one event in the record of accesses, and nothing of records or tokens in the log.
 */
import { isInPatientCompartment, resourceTypes } from '@causeway/fhir';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizationRequest,
  authorize,
  Browser,
  pkce,
  publicApp,
  tokenFor,
  withToken,
} from '../authorization/testing.ts';
import type { Answer, Json } from '../testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';

const canary = 'Qzxcanaryvw';
const password = 'a-good-password';
const json = 'application/fhir+json';

let hub: AttackedHub;
let own: string;
let ofOther: string;
/** `Type/id` of what the other patient has, one of each type. */
let foreign: string[];

beforeAll(async () => {
  hub = await startAttackedHub();
  await new Accounts(hub.test.database).make(
    { username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' },
    password,
  );
  await put({ resourceType: 'Patient', id: 'own', name: [{ family: 'Own' }] });
  await put({ resourceType: 'Patient', id: 'other', name: [{ family: canary }] });
  foreign = await storeEach('other');
  await put(observation('own-1', 'own', { hasMember: [{ reference: 'Observation/other-Observation' }] }));
  await put(observation('own-2', 'own'));
  await put(observation('other-about-own', 'other', { focus: [{ reference: 'Patient/own' }] }));
  const app = (await publicApp(hub, 'launch/patient patient/*.cruds')).id;
  own = await tokenOf(app, 'own');
  ofOther = await tokenOf(app, 'other');
});
afterAll(async () => {
  hub.secret(canary, own, ofOther);
  await hub.stop();
});

const observation = (id: string, patient: string, more: object = {}): Json => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: patient === 'other' ? canary : 'own', coding: [{ code: patient === 'other' ? canary : 'own' }] },
  subject: { reference: `Patient/${patient}` },
  ...more,
});

async function put(resource: Json): Promise<number> {
  return (await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource)).status;
}

/** The least that some types of the patient compartment need beside whom they are about. */
const least: { [type: string]: object } = {
  AllergyIntolerance: { patient: true },
  CarePlan: { status: 'active', intent: 'plan' },
  CareTeam: {},
  ClinicalImpression: { status: 'completed' },
  Communication: { status: 'completed' },
  CommunicationRequest: { status: 'active' },
  Condition: {},
  DetectedIssue: { status: 'final', patient: true },
  DeviceRequest: { intent: 'order', codeCodeableConcept: { text: 'x' } },
  DiagnosticReport: { status: 'final', code: { text: 'x' } },
  DocumentReference: { status: 'current', content: [{ attachment: { title: canary } }] },
  Encounter: { status: 'finished', class: { code: 'AMB' } },
  EpisodeOfCare: { status: 'active', patient: true },
  FamilyMemberHistory: { status: 'completed', patient: true, relationship: { text: 'x' } },
  Flag: { status: 'active', code: { text: canary } },
  Goal: { lifecycleStatus: 'active', description: { text: canary } },
  ImagingStudy: { status: 'available' },
  Immunization: { status: 'completed', vaccineCode: { text: 'x' }, patient: true, occurrenceString: 'then' },
  List: { status: 'current', mode: 'working' },
  Media: { status: 'completed', content: { title: canary } },
  MedicationDispense: { status: 'completed', medicationCodeableConcept: { text: 'x' } },
  MedicationRequest: { status: 'active', intent: 'order', medicationCodeableConcept: { text: 'x' } },
  MedicationStatement: { status: 'active', medicationCodeableConcept: { text: 'x' } },
  NutritionOrder: { status: 'active', intent: 'order', dateTime: '2024-01-01', patient: true },
  Observation: { status: 'final', code: { text: canary, coding: [{ code: canary }] } },
  Procedure: { status: 'completed' },
  QuestionnaireResponse: { status: 'completed' },
  RelatedPerson: { patient: true },
  RiskAssessment: { status: 'final' },
  ServiceRequest: { status: 'active', intent: 'order' },
  Specimen: {},
};

/** Stores a resource of each of these types. */
async function storeEach(patient: string): Promise<string[]> {
  const about = { reference: `Patient/${patient}` };
  const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${canary}</div>` };
  const stored: string[] = [];
  for (const [resourceType, more] of Object.entries(least)) {
    const id = `${patient}-${resourceType}`;
    const whom = 'patient' in more ? { patient: about } : { subject: about };
    const status = await put({ resourceType, id, text, ...more, ...whom });
    if (status !== 201) throw new Error(`${resourceType} ${status}`);
    stored.push(`${resourceType}/${id}`);
  }
  return stored;
}

async function tokenOf(app: string, patient: string): Promise<string> {
  const browser = new Browser(hub);
  await browser.signIn('ann', password);
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, { client: app, scope: 'launch/patient patient/*.cruds', challenge });
  const end = await authorize(browser, request, { patient });
  return (await tokenFor(hub, app, end.searchParams.get('code')!, verifier)).json.access_token;
}

/** Tries something with the token of `own`: nothing of the other patient is told, and one line is recorded. */
async function tried(path: string, method = 'GET', body?: object | string, headers: object = {}): Promise<Answer> {
  const answer = await leavingOneEvent(hub, path, () =>
    hub.send(method, path, body, {
      role: null,
      headers: { authorization: `Bearer ${own}`, ...(body ? { 'content-type': json } : {}), ...headers },
    }),
  );
  // What was asked is told again in the link to the answer itself.
  const told = path.includes(canary) ? answer.text.replaceAll(/"url":"[^"]*"/g, '') : answer.text;
  expect(told, path).not.toContain(canary);
  return answer;
}

const names = ({ json: found }: Answer): string[] =>
  (found.entry ?? []).flatMap(({ resource }: Json) => (resource ? [`${resource.resourceType}/${resource.id}`] : []));
const ofOthers = (answer: Answer) => names(answer).filter((name) => name.includes('other'));

/** Status, headers and body, without what tells one request from another. */
const outside = ({ status, headers, text }: Answer, id: string) => ({
  status,
  headers: [...headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, value.replaceAll(id, 'ID')]),
  text: text.replaceAll(id, 'ID'),
});

describe('A01: resources of another patient by their id', () => {
  it('are not there, whatever their type, as those that never were', async () => {
    expect(foreign.length).toBeGreaterThan(30);
    for (const name of [...foreign, 'Patient/other']) {
      const [type, id] = name.split('/') as [string, string];
      for (const end of ['', '/_history/1', '/_history']) {
        const hidden = outside(await tried(`/fhir/${name}${end}`), id);
        const absent = outside(
          await withToken(hub, own, `/fhir/${type}/absent-${id.length}${end}`),
          `absent-${id.length}`,
        );
        expect(hidden, name + end).toEqual(absent);
        expect(hidden.status).toBe(404);
      }
    }
  });

  it('are not to be changed, patched or deleted, as those that never were', async () => {
    const patch = '[{"op":"replace","path":"/status","value":"amended"}]';
    const patchType = { 'content-type': 'application/json-patch+json' };
    for (const id of ['other-Observation', 'absent']) {
      const path = `/fhir/Observation/${id}`;
      const answers = [
        await tried(path, 'PUT', observation(id, 'own')),
        await tried(path, 'PATCH', patch, patchType),
        await tried(path, 'DELETE'),
      ];
      expect([id, answers.map(({ status }) => status)]).toEqual([id, [404, 404, 204]]);
    }
    expect((await hub.get('/fhir/Observation/other-Observation')).json.meta.versionId).toBe('1');
  });
});

describe('searches', () => {
  it('A02: of each type of the compartment find only what is the patient’s', async () => {
    for (const type of resourceTypes().filter(isInPatientCompartment)) {
      const answer = await tried(`/fhir/${type}?_count=1000`);
      expect([type, answer.status, ofOthers(answer)]).toEqual([type, 200, []]);
      expect((await tried(`/fhir/${type}?_summary=count`)).json.total).toBe(names(answer).length);
    }
    expect(names(await tried('/fhir/Observation')).sort()).toEqual(['Observation/own-1', 'Observation/own-2']);
  });

  it.each([
    ['A03', `Patient?_has:Observation:patient:code=${canary}`],
    ['A04', `Observation?subject:Patient.family=${canary}`],
    ['A04', 'Observation?patient=other'],
    ['A04', `Observation?has-member.code=${canary}`],
    ['A06', 'Observation?focus=Patient/own'],
    ['A06', 'Patient/own/Observation?focus=Patient/own'],
    ['A12', `Observation?code=${canary}&_total=accurate&_count=0`],
    ['A12', 'Patient/other/Observation?_count=10'],
  ])('%s: %s finds nothing', async (_, search) => {
    const answer = await tried(`/fhir/${search}`);
    expect([answer.status, names(answer), answer.json.total ?? 0]).toEqual([200, [], 0]);
  });

  it.each([
    '_include=Observation:has-member',
    '_include=*',
    '_include=*&_include:iterate=*',
    '_revinclude=*',
    '_revinclude:iterate=Observation:focus&_include:iterate=Observation:has-member',
  ])('A05: %s brings nothing of another', async (include) => {
    const answer = await tried(`/fhir/Observation?_id=own-1&${include}`);
    expect([answer.status, ofOthers(answer)]).toEqual([200, []]);
    expect(names(answer)).toContain('Observation/own-1');
  });

  it('A07: a page of one is of use to no other', async () => {
    const first = await withToken(hub, ofOther, '/fhir/Observation?_count=1&_sort=-_lastUpdated');
    const next = first.json.link.find(({ relation }: Json) => relation === 'next').url.slice(hub.url.length);
    expect(ofOthers(await tried(next))).toEqual([]);
  });
});

describe('other ways', () => {
  it('A10: operations and GraphQL', async () => {
    for (const path of ['Patient/other/$everything', 'Patient/other/$graph?graph=x', '$export', 'Patient/$export'])
      expect([path, (await tried(`/fhir/${path}`, 'GET', undefined, { prefer: 'respond-async' })).status]).toEqual([
        path,
        expect.toSatisfy((status) => status === 403 || status === 404),
      ]);
    const asked = await tried('/fhir/$graphql?query={PatientList{id}}');
    expect(asked.status).toBe(403);
  });

  it('A17: a Binary in the security context of another', async () => {
    const headers = { 'content-type': 'text/plain', 'x-security-context': 'Patient/other' };
    const made = await hub.send('POST', '/fhir/Binary', canary, { headers });
    expect(made.status).toBe(201);
    const path = made.headers.get('location')!.slice(hub.url.length).split('/_history')[0]!;
    expect((await tried(path)).status).toBe(404);
  });

  it('A19: nothing is moved to another, nor changed by a condition that meets what is hidden', async () => {
    expect((await tried('/fhir/Observation/own-2', 'PUT', observation('own-2', 'other'))).status).toBe(403);
    const move = '[{"op":"replace","path":"/subject/reference","value":"Patient/other"}]';
    const patched = await tried('/fhir/Observation/own-2', 'PATCH', move, {
      'content-type': 'application/json-patch+json',
    });
    expect(patched.status).toBe(403);
    const entry = (request: object, resource?: object) => ({ request, ...(resource ? { resource } : {}) });
    const bundle = { resourceType: 'Bundle', type: 'transaction' };
    const put = entry({ method: 'PUT', url: 'Observation/own-2' }, observation('own-2', 'other'));
    expect((await tried('/fhir', 'POST', { ...bundle, entry: [put] })).status).toBe(403);
    for (const condition of [`code=${canary}`, '_id=other-Observation', 'patient=other']) {
      expect((await tried(`/fhir/Observation?${condition}`, 'DELETE')).status).toBe(403);
    }
    expect((await hub.get('/fhir/Observation?patient=other&_summary=count')).json.total).toBe(2);
    expect((await hub.get('/fhir/Observation/own-2')).json.subject.reference).toBe('Patient/own');
  });

  it('A20, A21: headers that speak of another method, patient, account or tenant change nothing', async () => {
    const headers = {
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
      'x-patient-id': 'other',
      'x-tenant': 'other',
      'x-forwarded-user': 'administrator',
      'x-causeway-role': 'administrator',
    };
    expect((await tried('/fhir/Patient/other', 'GET', undefined, headers)).status).toBe(404);
    expect((await tried('/fhir/Observation/own-1', 'GET', undefined, headers)).status).toBe(200);
    expect((await hub.get('/fhir/Observation/own-1')).status).toBe(200);
  });
});
