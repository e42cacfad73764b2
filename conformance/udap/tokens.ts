/** How clients are authorized, and show who they are. */
import { strict as assert } from 'node:assert';
import {
  appClaims,
  assertionClaims,
  authorize,
  b2b,
  form,
  inDays,
  pkce,
  redirectUri,
  testRoot,
  withToken,
} from '../../hub/authorization/testing.ts';
import {
  appRequest,
  type Check,
  isRefused,
  newClient,
  newCode,
  newService,
  serviceToken,
  tokenEndpoint,
  useCode,
} from './world.ts';

export const tokens: Check[] = [
  {
    name: 'an app gets a code, with its state, and a token for it',
    rows: [133, 134, 138, 146, 147, 148, 149, 150, 184, 190, 284, 285],
    async run(world) {
      const app = await newClient(world, appClaims);
      const { code, verifier, end } = await newCode(world, app);
      assert.equal(end.origin + end.pathname, redirectUri);
      assert.equal(end.searchParams.get('state'), 'abc');
      assert.ok(code);
      const given = await useCode(world, app, { code, code_verifier: verifier });
      assert.equal(given.status, 200, given.text);
      assert.equal(typeof given.json.access_token, 'string');
      assert.equal(given.json.token_type, 'Bearer');
      assert.ok(given.json.expires_in <= 3600);
      assert.equal((await withToken(world.hub, given.json.access_token, `/fhir/Patient/${world.patient}`)).status, 200);
    },
  },
  {
    name: 'a code is good for its client, once, with its verifier and address, for a short time',
    rows: [135, 137, 146, 147, 148, 149, 150],
    async run(world) {
      const [app, other] = [await newClient(world, appClaims), await newClient(world, appClaims)];
      const wrong = async (fields: { [name: string]: string | undefined }, by = app) => {
        const { code, verifier } = await newCode(world, app);
        const answer = await useCode(world, by, { code, code_verifier: verifier, ...fields });
        assert.ok(answer.status === 400 || answer.status === 401, answer.text);
        assert.equal(answer.json.access_token, undefined);
      };
      await wrong({}, other);
      await wrong({ client_assertion: undefined, client_assertion_type: undefined });
      await wrong({ client_assertion: undefined, client_assertion_type: undefined, client_id: app.id });
      await wrong({ redirect_uri: undefined });
      await wrong({ redirect_uri: 'https://other.example/back' });
      await wrong({ code: 'none' });
      await wrong({ code_verifier: pkce().verifier });
      const { code, verifier } = await newCode(world, app);
      const first = await useCode(world, app, { code, code_verifier: verifier });
      assert.equal(first.status, 200, first.text);
      isRefused(await useCode(world, app, { code, code_verifier: verifier }), 400, 'invalid_grant');
      const late = await newCode(world, app);
      const { rows } = await world.hub.database.query(
        `SELECT max(expires) - now() <= interval '10 minutes' AS short FROM oauth_artifact
         WHERE kind = 'AuthorizationCode' AND consumed IS NULL`,
      );
      assert.equal(rows[0]!.short, true);
      await world.hub.database.query(
        `UPDATE oauth_artifact SET expires = now() - interval '1 second' WHERE kind = 'AuthorizationCode'`,
      );
      isRefused(await useCode(world, app, { code: late.code, code_verifier: late.verifier }), 400, 'invalid_grant');
    },
  },
  {
    name: 'nobody is sent to an address that is not the client’s',
    rows: [242],
    async run(world) {
      const app = await newClient(world, appClaims);
      for (const more of [
        { redirect_uri: 'https://other.example/back' },
        { redirect_uri: undefined },
        { client_id: undefined },
        { client_id: 'nobody' },
      ]) {
        const answer = await world.browser.get(`/oauth/authorize?${appRequest(app.id, pkce().challenge, more)}`);
        assert.equal(answer.status, 400, JSON.stringify(more));
        assert.equal(answer.headers.get('location'), null);
      }
    },
  },
  {
    name: 'authorization is asked for by GET and by POST; without state it is refused',
    rows: [133, 190, 246],
    async run(world) {
      const app = await newClient(world, appClaims);
      await authorize(world.browser, appRequest(app.id, pkce().challenge), { patient: world.patient });
      const asked = await form(world.hub, '/oauth/authorize', Object.fromEntries(appRequest(app.id, pkce().challenge)));
      assert.equal(asked.status, 303);
      const stateless = appRequest(app.id, pkce().challenge, { state: undefined });
      const refused = await world.browser.get(`/oauth/authorize?${stateless}`);
      assert.match(refused.headers.get('location') ?? '', /error=invalid_request/);
    },
  },
  {
    name: 'a user is asked, in the browser that was sent here and in no other',
    rows: [278],
    async run(world) {
      const app = await newClient(world, appClaims);
      const asked = await world.browser.get(`/oauth/authorize?${appRequest(app.id, pkce().challenge)}`);
      const page = asked.headers.get('location')!;
      assert.match(page, /\/oauth\/interaction\//);
      const other = await world.hub.signedIn('clinician');
      const answer = await other.post(`${page}/answer`, { isAllowed: true, scopes: [], patient: world.patient });
      assert.ok(answer.status >= 400, answer.text);
    },
  },
  {
    name: 'a service shows who it is, for whom and why it asks',
    rows: [4, 172, 173, 182, 184, 229],
    async run(world) {
      const service = await newService(world);
      const given = await serviceToken(world, service);
      assert.equal(given.status, 200, given.text);
      assert.ok(given.json.expires_in <= 3600);
      assert.equal((await withToken(world.hub, given.json.access_token, '/fhir/Patient')).status, 200);
    },
  },
  {
    name: 'who cannot show it gets nothing',
    rows: [172, 173, 174, 176, 229],
    async run(world) {
      const service = await newService(world);
      const { id, uri, holder } = service;
      const claims = assertionClaims(id, tokenEndpoint, b2b('https://harbor.example'));
      const cut = `${(await holder.sign(claims)).slice(0, -6)}AAAAAA`;
      const fields = {
        grant_type: 'client_credentials',
        scope: 'system/Patient.rs',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      };
      isRefused(await form(world.hub, '/oauth/token', { ...fields, client_assertion: cut }), 401, 'invalid_client');
      const holders = [
        await (await testRoot('One', 'RS256')).issue('Stranger', uri),
        await world.root.issue('Old', uri, { notAfter: inDays(-0.5) }),
        await world.root.issue('Another', 'https://another.example'),
        await world.other.issue('Elsewhere', uri),
      ];
      for (const one of holders) isRefused(await serviceToken(world, { id, holder: one }), 401, 'invalid_client');
      isRefused(await serviceToken(world, service, {}, { x5c: holders[2]!.x5c }), 401, 'invalid_client');
      isRefused(await serviceToken(world, service, {}, { x5c: undefined }), 401, 'invalid_client');
      isRefused(await serviceToken(world, service, { aud: 'https://other.example' }), 401, 'invalid_client');
    },
  },
  {
    name: 'parameters that are wrong or missing are refused',
    rows: [182, 183],
    async run(world) {
      const service = await newService(world);
      isRefused(await serviceToken(world, service, { extensions: undefined }), 400, 'invalid_grant');
      isRefused(await serviceToken(world, service, b2b('no URI')), 400, 'invalid_grant');
      const ask = async (fields: { [name: string]: string }) => {
        const claims = assertionClaims(service.id, tokenEndpoint, b2b('https://harbor.example'));
        return form(world.hub, '/oauth/token', {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await service.holder.sign(claims),
          ...fields,
        });
      };
      isRefused(await ask({ scope: 'system/Patient.rs' }), 400, 'invalid_request');
      isRefused(await ask({ grant_type: 'password', scope: 'system/Patient.rs' }), 400, 'unsupported_grant_type');
      isRefused(await ask({ grant_type: 'client_credentials', scope: 'system/Condition.rs' }), 400, 'invalid_scope');
    },
  },
];
