/** Clients with secrets and keys, services without users, and resource servers. */
import { strict as assert } from 'node:assert';
import {
  type AssertionKey,
  assertion,
  assertionKey,
  authorizationRequest,
  authorize,
  backendService,
  form,
  pkce,
  readIdToken,
  redirectUri,
  register,
  systemToken,
  tokenFor,
} from '../../hub/authorization/testing.ts';
import { type Check, isTokenAnswer, launch, opens, refusedAssertion, scopes } from './world.ts';

export const services: Check[] = [
  {
    name: 'clients with a secret',
    rows: [356],
    async run(world) {
      const { hub, browser, patient } = world;
      const { id, secret } = await register(hub, {
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: scopes,
      });
      const exchange = async (given: string) => {
        const { verifier, challenge } = pkce();
        const end = await authorize(
          browser,
          authorizationRequest(hub, { client: id, scope: 'patient/*.rs', challenge }),
          { patient },
        );
        const authorization = `Basic ${Buffer.from(`${id}:${given}`).toString('base64')}`;
        return tokenFor(hub, id, end.searchParams.get('code')!, verifier, { authorization });
      };
      isTokenAnswer(await exchange(secret!));
      assert.equal((await exchange('wrong')).status, 401);
    },
  },
  {
    name: 'services: registered keys, what they may, short tokens',
    rows: [142, 240, 241, 250, 251, 253, 254, 255, 256, 258, 259, 261, 297, 310, 344, 357],
    async run(world) {
      const { hub, key } = world;
      for (const by of [key, await assertionKey('RS384')]) {
        const { id } = await backendService(hub, [by], 'system/Patient.rs system/Observation.r');
        const answer = await systemToken(hub, await assertion(hub, id, by), 'system/Patient.rs system/Condition.rs');
        isTokenAnswer(answer);
        assert.ok(answer.json.expires_in <= 300);
        assert.equal(answer.json.scope, 'system/Patient.rs');
        assert.equal(await opens(world, answer.json.access_token, '/fhir/Patient'), 200);
        assert.equal(await opens(world, answer.json.access_token, '/fhir/Observation'), 403);
        const refused = await systemToken(hub, await assertion(hub, id, by), 'system/*.cruds');
        assert.equal(refused.json.error, 'invalid_scope');
        assert.equal(typeof refused.json.error_description, 'string');
      }
      await assert.rejects(
        backendService(hub, [], 'system/*.rs', { jwks: undefined, token_endpoint_auth_method: 'client_secret_basic' }),
      );
    },
  },
  {
    name: 'assertions are held against the rules',
    rows: [249, 335, 336, 337, 338, 340],
    async run(world) {
      const { hub, key } = world;
      const { id } = await backendService(hub, [key], 'system/Patient.rs');
      const once = await assertion(hub, id, key);
      assert.equal((await systemToken(hub, once, 'system/Patient.rs')).status, 200);
      await refusedAssertion(world, id, once);
      const now = Math.floor(Date.now() / 1000);
      for (const claims of [
        { exp: now - 60 },
        { exp: now + 3600 },
        { aud: 'https://other.example/token' },
        { iss: 'other' },
        { jti: undefined },
      ]) {
        await refusedAssertion(world, id, await assertion(hub, id, key, claims));
      }
      await refusedAssertion(world, id, await assertion(hub, id, { ...(await assertionKey()), kid: key.kid }));
      await refusedAssertion(world, id, await assertion(hub, id, key, {}, { jku: 'https://other.example/jwks' }));
      await refusedAssertion(world, 'nobody', await assertion(hub, 'nobody', key));
    },
  },
  {
    name: 'key sets by address',
    rows: [296, 339, 341, 342],
    async run(world) {
      const { hub, keySets } = world;
      const [first, second] = [await assertionKey(), await assertionKey()];
      const { id } = await backendService(hub, [], 'system/Patient.rs', { jwks: undefined, jwks_uri: keySets.url });
      const ask = async (by: AssertionKey, header: object = {}) =>
        (await systemToken(hub, await assertion(hub, id, by, {}, { ...header }), 'system/Patient.rs')).status;
      keySets.keys = { keys: [first.jwk] };
      keySets.cacheControl = 'max-age=0';
      assert.equal(await ask(first, { jku: keySets.url }), 200);
      keySets.keys = { keys: [second.jwk] };
      assert.equal(await ask(first), 401);
      keySets.cacheControl = 'max-age=600';
      assert.equal(await ask(second), 200);
      assert.equal(await ask(second), 200);
      const before = keySets.requests.length;
      assert.equal(await ask(second), 200);
      assert.equal(keySets.requests.length, before);
      assert.deepEqual([...new Set(keySets.requests)], ['GET']);
    },
  },
  {
    name: 'introspection',
    rows: [271, 272, 273, 274, 275, 276, 277, 278, 279, 282, 283],
    async run(world) {
      const { hub, key, patient, app } = world;
      const { id } = await backendService(hub, [key], 'system/Patient.rs', { may_introspect: true });
      const own = (await systemToken(hub, await assertion(hub, id, key), 'system/Patient.rs')).json.access_token;
      const { token } = await launch(world, 'openid fhirUser launch/patient patient/Patient.rs');
      const bearer = { authorization: `Bearer ${own}` };
      const { json } = await form(hub, '/oauth/introspect', { token: token.json.access_token }, bearer);
      const told = (await hub.send('GET', '/oauth/.well-known/openid-configuration', undefined, { role: null })).json;
      const { payload: claims } = await readIdToken(token.json.id_token, told.jwks_uri, { audience: app });
      assert.equal(json.active, true);
      assert.equal(json.scope, token.json.scope);
      assert.equal(json.client_id, app);
      assert.ok(Math.abs(json.exp - Date.now() / 1000 - token.json.expires_in) < 60);
      assert.equal(json.patient, patient);
      for (const name of ['need_patient_banner', 'smart_style_url', 'fhirUser'])
        assert.equal(json[name], token.json[name], name);
      assert.deepEqual([json.iss, json.sub], [claims.iss, claims.sub]);
      assert.deepEqual((await form(hub, '/oauth/introspect', { token: 'nonsense' }, bearer)).json, { active: false });
    },
  },
];
