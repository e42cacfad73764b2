/** What tokens are, open and become. */
import { strict as assert } from 'node:assert';
import {
  authorizationRequest,
  authorize,
  pkce,
  publicApp,
  readIdToken,
  withToken,
} from '../../hub/authorization/testing.ts';
import { type Check, isTokenAnswer, launch, opens, refresh, scopes } from './world.ts';

export const tokens: Check[] = [
  {
    name: 'a token is held against its time, its scopes and its audience',
    rows: [77, 94, 95, 96, 265, 266],
    async run(world) {
      const { hub, patient, browser, app } = world;
      const { token } = await launch(world, 'patient/Patient.rs');
      const { access_token: access } = token.json;
      assert.equal(await opens(world, access, `/fhir/Patient/${patient}`), 200);
      assert.equal(await opens(world, access, '/fhir/Observation'), 403);
      await hub.database.query("UPDATE oauth_artifact SET expires = now() WHERE kind = 'AccessToken'");
      assert.equal(await opens(world, access, `/fhir/Patient/${patient}`), 401);
      for (const aud of [undefined, 'https://other.example/fhir']) {
        const request = authorizationRequest(hub, {
          client: app,
          scope: 'patient/*.rs',
          challenge: pkce().challenge,
          more: { aud },
        });
        assert.equal((await browser.get(`/oauth/authorize?${request}`)).status, 400);
      }
    },
  },
  {
    name: 'refreshing',
    rows: [89, 101, 103, 104, 109, 110, 111, 112, 113, 114, 115, 365],
    async run(world) {
      const asked = 'openid launch/patient offline_access patient/Patient.rs patient/Observation.rs';
      const { token } = await launch(world, asked);
      const again = await refresh(world, token.json.refresh_token);
      isTokenAnswer(again);
      assert.equal(again.json.scope, token.json.scope);
      const narrow = await refresh(world, again.json.refresh_token, { scope: 'patient/Patient.rs' });
      assert.equal(narrow.json.scope, 'patient/Patient.rs');
      assert.equal(await opens(world, narrow.json.access_token, '/fhir/Observation'), 403);
      assert.equal((await refresh(world, narrow.json.refresh_token, { scope: 'user/*.cruds' })).status, 400);
      const { token: other } = await launch(world, asked);
      const foreign = await publicApp(world.hub, scopes);
      assert.equal((await refresh(world, other.json.refresh_token, { client_id: foreign.id })).status, 400);
      assert.equal((await launch(world, 'patient/Patient.rs')).token.json.refresh_token, undefined);
    },
  },
  {
    name: 'online access ends with the sign-in',
    rows: [100, 366],
    async run(world) {
      const browser = await world.hub.signedIn('clinician');
      const { token } = await launch({ ...world, browser }, 'patient/Patient.rs online_access');
      const again = await refresh(world, token.json.refresh_token);
      isTokenAnswer(again);
      await browser.post('/auth/logout', {});
      assert.equal((await refresh(world, again.json.refresh_token)).status, 400);
    },
  },
  {
    name: 'scopes never widen what a user may do',
    rows: [119],
    async run(world) {
      const browser = await world.hub.signedIn('steward');
      const { token } = await launch({ ...world, browser }, 'user/*.cruds');
      const body = { resourceType: 'Patient' };
      assert.equal((await withToken(world.hub, token.json.access_token, '/fhir/Patient', 'POST', body)).status, 403);
    },
  },
  {
    name: 'user and wildcard scopes',
    rows: [140, 144, 367, 368],
    async run(world) {
      const { hub, patient, other } = world;
      const { token } = await launch(world, 'user/Organization.c');
      const body = { resourceType: 'Organization', name: 'Made by an app' };
      const made = await withToken(hub, token.json.access_token, '/fhir/Organization', 'POST', body);
      assert.equal(made.status, 201, made.text);
      const wide = (await launch(world, 'user/*.rs')).token.json.access_token;
      for (const path of [
        `/fhir/Patient/${patient}`,
        `/fhir/Patient/${other}`,
        '/fhir/Condition',
        `/fhir/Patient/${patient}/$everything`,
      ]) {
        assert.equal(await opens(world, wide, path), 200, path);
      }
      const own = (await launch(world, 'patient/*.rs')).token.json.access_token;
      for (const path of ['/fhir/Observation', `/fhir/Patient/${patient}/$everything`])
        assert.equal(await opens(world, own, path), 200, path);
    },
  },
  {
    name: 'Bundles are judged by what is in them',
    rows: [130],
    async run(world) {
      const { token } = await launch(world, 'patient/Patient.rs');
      const entry = ['Patient', 'Observation'].map((url) => ({ request: { method: 'GET', url } }));
      const answer = await withToken(world.hub, token.json.access_token, '/fhir', 'POST', {
        resourceType: 'Bundle',
        type: 'batch',
        entry,
      });
      const statuses = answer.json.entry.map((one: { response: { status: string } }) =>
        one.response.status.slice(0, 3),
      );
      assert.deepEqual(statuses, ['200', '403']);
    },
  },
  {
    name: 'scopes of a patient have one, and stay with it',
    rows: [136, 149, 164, 168, 169, 170, 363],
    async run(world) {
      const { hub, browser, app, patient, other } = world;
      const { token } = await launch(world, 'launch/patient patient/*.rs');
      assert.equal(token.json.patient, patient);
      assert.equal(await opens(world, token.json.access_token, `/fhir/Patient/${other}`), 404);
      const found = await withToken(hub, token.json.access_token, '/fhir/Observation');
      assert.equal(found.json.entry.length, 2);
      const request = authorizationRequest(hub, { client: app, scope: 'patient/*.rs', challenge: pkce().challenge });
      await assert.rejects(authorize(browser, request, {}));
    },
  },
  {
    name: 'id tokens',
    rows: [197, 198, 200, 205, 207, 209, 210, 358],
    async run(world) {
      const { token } = await launch(world, 'openid fhirUser user/Practitioner.r', {}, { nonce: 'n' });
      const told = (await world.hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null }))
        .json;
      const { keys, payload, protectedHeader } = await readIdToken(token.json.id_token, told.jwks_uri, {
        issuer: told.issuer,
        audience: world.app,
      });
      for (const key of keys.keys) assert.ok(key.kty && !('x5c' in key) && !('d' in key));
      assert.equal(protectedHeader.alg, 'RS256');
      assert.equal(payload.nonce, 'n');
      const user = await withToken(world.hub, token.json.access_token, new URL(String(payload.fhirUser)).pathname);
      assert.ok(
        ['Patient', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Person'].includes(user.json.resourceType),
      );
    },
  },
  {
    name: 'scopes of versions 1 and 2',
    rows: [369, 370],
    async run(world) {
      const one = await launch(world, 'patient/Observation.read');
      assert.equal(one.token.json.scope, 'patient/Observation.read');
      assert.equal(await opens(world, one.token.json.access_token, '/fhir/Observation'), 200);
      const scope =
        'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs';
      const two = await launch(world, scope);
      assert.equal(two.token.json.scope, scope);
      const found = await withToken(world.hub, two.token.json.access_token, '/fhir/Observation');
      assert.deepEqual([found.status, found.json.entry], [200, undefined]);
    },
  },
];
