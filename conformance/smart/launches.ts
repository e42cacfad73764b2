/** How apps are launched, and what comes of it. */
import { strict as assert } from 'node:assert';
import {
  authorizationRequest,
  authorize,
  decide,
  form,
  pkce,
  redirectUri,
  tokenFor,
} from '../../hub/authorization/testing.ts';
import { type Check, fromChart, isTokenAnswer, launch } from './world.ts';

export const launches: Check[] = [
  {
    name: 'only registered addresses are returned to',
    rows: [18, 24, 316],
    async run({ hub, browser, app }) {
      assert.match(app, /^[0-9a-f-]{36}$/);
      const request = authorizationRequest(hub, {
        client: app,
        scope: 'patient/*.rs',
        challenge: pkce().challenge,
        more: { redirect_uri: 'https://other.example/back' },
      });
      const answer = await browser.get(`/oauth/authorize?${request}`);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('location'), null);
    },
  },
  {
    name: 'authorization by GET: code, state, token',
    rows: [14, 48, 53, 56, 57, 59, 73, 74, 75, 78, 84, 85, 86, 87, 88, 353, 355],
    async run(world) {
      const { end, token } = await launch(world, 'launch/patient patient/Patient.rs');
      assert.equal(end.origin + end.pathname, redirectUri);
      assert.equal(end.searchParams.get('state'), 'abc');
      assert.ok(end.searchParams.get('code'));
      isTokenAnswer(token);
      assert.equal(token.json.scope, 'launch/patient patient/Patient.rs');
    },
  },
  {
    name: 'authorization by POST',
    rows: [49, 354],
    async run({ hub, browser, app, patient }) {
      const { verifier, challenge } = pkce();
      const asked = await form(
        hub,
        '/oauth/authorize',
        Object.fromEntries(authorizationRequest(hub, { client: app, scope: 'patient/Patient.rs', challenge })),
      );
      browser.take(asked);
      const end = await decide(browser, asked, { patient });
      isTokenAnswer(await tokenFor(hub, app, end.searchParams.get('code')!, verifier));
    },
  },
  {
    name: 'a refusal is told',
    rows: [54],
    async run({ hub, browser, app }) {
      const request = authorizationRequest(hub, { client: app, scope: 'patient/*.rs', challenge: pkce().challenge });
      const end = await authorize(browser, request, { isAllowed: false });
      assert.equal(end.searchParams.get('error'), 'access_denied');
    },
  },
  {
    name: 'the code verifier is asked for and checked; plain is not taken',
    rows: [15, 31],
    async run({ hub, browser, app, patient }) {
      for (const wrong of ['', pkce().verifier]) {
        const request = authorizationRequest(hub, { client: app, scope: 'patient/*.rs', challenge: pkce().challenge });
        const end = await authorize(browser, request, { patient });
        assert.equal((await tokenFor(hub, app, end.searchParams.get('code')!, wrong)).status, 400);
      }
      for (const more of [
        { code_challenge_method: 'plain' },
        { code_challenge: undefined, code_challenge_method: undefined },
      ]) {
        const request = authorizationRequest(hub, {
          client: app,
          scope: 'patient/*.rs',
          challenge: pkce().challenge,
          more,
        });
        const location = (await browser.get(`/oauth/authorize?${request}`)).headers.get('location') ?? '';
        assert.ok(location.includes('error=') && !location.includes('code='), location);
      }
    },
  },
  {
    name: 'a launch from a chart says what else is open, what for, and at whose',
    rows: [172, 174, 176, 177, 178, 188],
    async run(world) {
      const more = { about: [`Observation/${world.observation}`], intent: 'review' };
      const { token } = await fromChart(world, 'launch patient/*.rs', undefined, more);
      const { fhirContext, intent, tenant } = token.json;
      assert.deepEqual(fhirContext, [{ reference: `Observation/${world.observation}` }]);
      assert.equal(intent, 'review');
      assert.equal(typeof tenant, 'string');
      for (const beside of ['Patient', 'Encounter']) {
        const asked = { client: world.app, patient: world.patient, about: [`${beside}/${world.patient}`] };
        assert.equal((await world.browser.post('/api/launches', asked)).status, 400);
      }
    },
  },
  {
    name: 'a launch from a chart has its context',
    rows: [171, 173, 175, 352, 359, 360, 361, 362],
    async run(world) {
      const { token } = await fromChart(world, 'launch launch/encounter patient/Patient.rs', world.encounter);
      assert.equal(token.json.patient, world.patient);
      assert.equal(token.json.encounter, world.encounter);
      assert.equal(token.json.need_patient_banner, false);
      assert.equal((await launch(world, 'launch/patient patient/Patient.rs')).token.json.need_patient_banner, true);
      const style = await fetch(token.json.smart_style_url);
      assert.match(((await style.json()) as { color_text: string }).color_text, /^#[0-9a-f]{6}$/);
    },
  },
];
