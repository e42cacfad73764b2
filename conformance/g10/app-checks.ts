/** What apps for single patients get, beyond what the suite `smart` shows. */
import { strict as assert } from 'node:assert';
import {
  assertion,
  assertionKey,
  authorizationRequest,
  authorize,
  form,
  pkce,
  redirectUri,
  register,
  withToken,
} from '../../hub/authorization/testing.ts';
import { fromChart, isTokenAnswer, launch, opens, refresh, scopes } from '../smart/world.ts';
import type { Check } from './checks.ts';
import type { Json } from './matches.ts';
import type { World } from './world.ts';

/** Types with data of the USCDI (US Core 3.1.1 to 7.0.0). */
const uscdiTypes = [
  ...['AllergyIntolerance', 'CarePlan', 'CareTeam', 'Condition', 'Device', 'DiagnosticReport', 'DocumentReference'],
  ...['Goal', 'Immunization', 'Medication', 'MedicationRequest', 'Observation', 'Patient', 'Procedure', 'Provenance'],
  ...['Encounter', 'Coverage', 'Specimen', 'MedicationDispense', 'RelatedPerson', 'ServiceRequest', 'Location'],
];
const threeMonths = '92 days';

export const appChecks: Check[] = [
  {
    name: 'apps are registered, by themselves too',
    rows: ['APP-REG-1'],
    async run({ hub }) {
      const described = { client_name: 'An app', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
      assert.match((await register(hub, { ...described, scope: scopes })).id, /./);
      const own = await hub.send('POST', '/oauth/register', { ...described, scope: 'patient/*.rs' }, { role: null });
      assert.equal(own.status, 201, own.text);
      assert.ok(own.json.client_id);
    },
  },
  {
    name: 'the CapabilityStatement tells where apps are authorized',
    rows: ['AUT-PAT-5', 'AUT-PAT-7'],
    async run({ hub }) {
      const { json } = await hub.send('GET', '/fhir/metadata', undefined, { role: null });
      const told = (await hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null })).json;
      const uris = json.rest[0].security.extension.find(({ url }: { url: string }) => url.endsWith('/oauth-uris'));
      const uri = (name: string) => uris.extension.find(({ url }: { url: string }) => url === name).valueUri;
      assert.equal(uri('authorize'), told.authorization_endpoint);
      assert.equal(uri('token'), told.token_endpoint);
    },
  },
  {
    name: 'scopes of patients and users, who is signed in, offline access, banner and style',
    rows: ['AUT-PAT-9', 'AUT-PAT-28', 'AUT-PAT-16', 'AUT-PAT-35', 'AUT-PAT-19', 'AUT-PAT-36', 'AUT-PAT-32'],
    async run(world) {
      const { hub, patient, encounter } = world;
      const asked =
        'launch launch/encounter openid fhirUser offline_access patient/Patient.rs patient/Encounter.read user/Practitioner.read';
      const { token } = await fromChart(world, asked, encounter);
      isTokenAnswer(token);
      const { access_token: access, ...told } = token.json;
      for (const scope of asked.split(' ')) assert.ok(told.scope.split(' ').includes(scope), scope);
      assert.deepEqual([told.patient, told.encounter, told.need_patient_banner], [patient, encounter, false]);
      for (const name of ['id_token', 'refresh_token', 'smart_style_url'])
        assert.equal(typeof told[name], 'string', name);
      const read = async (path: string) => (await withToken(hub, access, `/fhir/${path}`)).json;
      assert.deepEqual((await read(`Patient/${patient}`)).id, patient);
      assert.deepEqual((await read(`Encounter/${encounter}`)).id, encounter);
      const alone = await launch(world, 'launch/patient openid fhirUser offline_access patient/*.rs user/*.rs');
      assert.equal(alone.token.json.patient, patient);
      assert.ok(alone.token.json.id_token && alone.token.json.refresh_token);
      assert.equal((await withToken(hub, alone.token.json.access_token, `/fhir/Patient/${patient}`)).json.id, patient);
    },
  },
  {
    name: 'scopes by category',
    rows: ['AUT-PAT-28'],
    async run(world) {
      const conditions = 'http://terminology.hl7.org/CodeSystem/condition-category';
      const ofUsCore = 'http://hl7.org/fhir/us/core/CodeSystem';
      const categories: [type: string, category: string][] = [
        ['Condition', `${conditions}|encounter-diagnosis`],
        ['Condition', `${conditions}|problem-list-item`],
        ['Condition', `${ofUsCore}/condition-category|health-concern`],
        ['Observation', `${ofUsCore}/us-core-observation-category|clinical-test`],
        ...['laboratory', 'social-history', 'survey', 'vital-signs'].map((code): [string, string] => [
          'Observation',
          `http://terminology.hl7.org/CodeSystem/observation-category|${code}`,
        ]),
        ['Observation', `${ofUsCore}/us-core-category|sdoh`],
      ];
      for (const [i, [type, category]] of categories.entries()) await storeCategorised(world, type, category, i);
      for (const [i, [type, category]] of categories.entries()) {
        const { token } = await launch(world, `patient/${type}.rs?category=${category}`);
        assert.equal(token.json.scope, `patient/${type}.rs?category=${category}`);
        const found = await withToken(world.hub, token.json.access_token, `/fhir/${type}?_count=1000`);
        const ids = (found.json.entry ?? []).map(({ resource }: { resource: { id: string } }) => resource.id);
        assert.deepEqual(ids, [`category-${i}`], category);
        assert.equal(await opens(world, token.json.access_token, `/fhir/${type}/category-${i}`), 200);
        const other = categories.findIndex(([one], k) => one === type && k !== i);
        assert.equal(await opens(world, token.json.access_token, `/fhir/${type}/category-${other}`), 404);
      }
    },
  },
  {
    name: 'users allow what they choose, type by type, and offline access or not',
    rows: ['AUT-PAT-10', 'AUT-PAT-33', 'AUT-PAT-11', 'AUT-PAT-12', 'AUT-PAT-34'],
    async run(world) {
      const { hub, browser, app, patient } = world;
      const asked = [...uscdiTypes.map((type) => `patient/${type}.rs`), 'launch/patient', 'offline_access'];
      const { challenge } = pkce();
      const request = authorizationRequest(hub, { client: app, scope: asked.join(' '), challenge });
      const page = (await browser.get(`/oauth/authorize?${request}`)).headers.get('location');
      const { scopes: shown } = (await browser.get(`${page}/question`)).json;
      assert.deepEqual([...shown].sort(), [...asked].sort());
      const refused = ['offline_access', 'patient/Observation.rs', 'patient/Condition.rs'];
      const allowed = asked.filter((scope) => !refused.includes(scope));
      const { token } = await launch(world, asked.join(' '), { scopes: allowed });
      assert.deepEqual(token.json.scope.split(' ').sort(), [...allowed].sort());
      assert.equal(token.json.refresh_token, undefined);
      for (const type of uscdiTypes) {
        const status = await opens(world, token.json.access_token, `/fhir/${type}?_count=1`);
        assert.equal(status, refused.includes(`patient/${type}.rs`) ? 403 : 200, type);
      }
      const all = await launch(world, asked.join(' '), { patient });
      assert.deepEqual(all.token.json.scope.split(' ').sort(), [...asked].sort());
      assert.equal(typeof all.token.json.refresh_token, 'string');
      const end = await authorize(browser, request, { isAllowed: false });
      assert.equal(end.searchParams.get('error'), 'access_denied');
    },
  },
  {
    name: 'apps that show who they are by keys',
    rows: ['AUT-PAT-30'],
    async run({ hub, browser, patient }) {
      const key = await assertionKey();
      const { id } = await register(hub, {
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [key.jwk] },
        scope: scopes,
      });
      const exchange = async (by: typeof key) => {
        const { verifier, challenge } = pkce();
        const request = authorizationRequest(hub, { client: id, scope: 'patient/*.rs', challenge });
        const end = await authorize(browser, request, { patient });
        return form(hub, '/oauth/token', {
          grant_type: 'authorization_code',
          code: end.searchParams.get('code')!,
          code_verifier: verifier,
          redirect_uri: redirectUri,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await assertion(hub, id, by),
        });
      };
      isTokenAnswer(await exchange(key));
      assert.equal((await exchange({ ...(await assertionKey()), kid: key.kid })).json.error, 'invalid_client');
    },
  },
  {
    name: 'what OpenID Connect tells',
    rows: ['AUT-PAT-17'],
    async run({ hub }) {
      const { json } = await hub.send('GET', '/oauth/.well-known/openid-configuration', undefined, { role: null });
      for (const name of ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri'])
        assert.match(json[name], /^https?:\/\//, name);
      assert.equal(json.issuer, `${hub.url}/oauth`);
      for (const name of [
        'response_types_supported',
        'subject_types_supported',
        'id_token_signing_alg_values_supported',
      ])
        assert.ok(json[name].length > 0, name);
      assert.ok(json.id_token_signing_alg_values_supported.includes('RS256'));
      const { keys } = (await (await fetch(json.jwks_uri)).json()) as { keys: { kty?: string; d?: string }[] };
      assert.ok(keys.length > 0 && keys.every(({ kty, d }) => kty && d === undefined));
    },
  },
  {
    name: 'refresh tokens last three months, from each use anew',
    rows: ['AUT-PAT-16', 'AUT-PAT-35', 'AUT-PAT-21', 'AUT-PAT-22', 'AUT-PAT-23'],
    async run(world) {
      const { database } = world.hub;
      const lasting = async () => {
        const { rows } = await database.query(
          `SELECT count(*)::int AS n FROM oauth_artifact
           WHERE kind = 'RefreshToken' AND expires >= now() + interval '${threeMonths}'`,
        );
        return rows[0]!.n as number;
      };
      const before = await lasting();
      const { token } = await launch(world, 'launch/patient offline_access patient/Patient.rs');
      assert.equal(await lasting(), before + 1);
      await database.query("UPDATE oauth_artifact SET expires = now() + interval '1 day' WHERE kind = 'RefreshToken'");
      const again = await refresh(world, token.json.refresh_token);
      isTokenAnswer(again);
      assert.equal(await lasting(), 1);
      const wrong = await refresh(world, `${again.json.refresh_token}x`);
      assert.deepEqual([wrong.status, wrong.json.error], [400, 'invalid_grant']);
    },
  },
  {
    name: 'where the hub is reached, and by whom it is run, is there for everybody',
    rows: ['API-DOC-3'],
    async run({ hub }) {
      const told = (await hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null })).json;
      const answer = await fetch(told.user_access_brand_bundle, { headers: { origin: 'https://any.example' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('access-control-allow-origin'), '*');
      const { resourceType, entry } = (await answer.json()) as Json;
      assert.equal(resourceType, 'Bundle');
      const all: Json[] = entry.map(({ resource }: Json) => resource);
      const endpoint = all.find((one) => one.resourceType === 'Endpoint' && one.address === `${hub.url}/fhir`);
      assert.ok(endpoint);
      const organizations = all.filter((one) => one.resourceType === 'Organization');
      assert.ok(organizations.length > 0 && organizations.every(({ name }) => typeof name === 'string'));
      assert.ok(organizations.some(({ endpoint: own }) => own?.some((to: Json) => to.reference.endsWith(endpoint.id))));
    },
  },
  {
    name: 'a user takes back what an app may',
    rows: ['PAR-1'],
    async run(world) {
      const { browser, patient } = world;
      const { token } = await launch(world, 'launch/patient offline_access patient/Patient.rs');
      const path = `/fhir/Patient/${patient}`;
      assert.equal(await opens(world, token.json.access_token, path), 200);
      const { apps } = (await browser.get('/api/apps')).json;
      for (const { id } of apps) assert.equal((await browser.delete(`/api/apps/${id}`)).status, 204);
      assert.equal(await opens(world, token.json.access_token, path), 401);
      assert.equal((await refresh(world, token.json.refresh_token)).status, 400);
    },
  },
];

async function storeCategorised({ hub, patient }: World, type: string, category: string, i: number): Promise<void> {
  const [system, code] = category.split('|') as [string, string];
  const resource = {
    resourceType: type,
    id: `category-${i}`,
    subject: { reference: `Patient/${patient}` },
    category: [{ coding: [{ system, code }] }],
    code: { text: code },
    ...(type === 'Observation' ? { status: 'final' } : {}),
  };
  const stored = await hub.send('PUT', `/fhir/${type}/${resource.id}`, resource);
  assert.ok(stored.status <= 201, stored.text);
}
