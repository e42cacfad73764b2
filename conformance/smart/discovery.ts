/** What apps find a server by. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { form } from '../../hub/authorization/testing.ts';
import { type Check, launch } from './world.ts';

export const discovery: Check[] = [
  {
    name: 'discovery tells what there is',
    rows: [
      30, 228, 285, 286, 287, 288, 289, 348, 349, 350, 351, 372, 373, 374, 377, 378, 380, 381, 382, 383, 384, 385, 393,
      394,
    ],
    async run({ hub }) {
      for (const accept of ['application/json', 'text/html', 'application/fhir+xml']) {
        const answer = await hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, {
          role: null,
          headers: { accept },
        });
        assert.equal(answer.status, 200);
        assert.match(answer.headers.get('content-type')!, /^application\/json/);
        const told = answer.json;
        const addresses = Object.entries(told).filter(([name]) => /_(?:endpoint|uri)$|^issuer$/.test(name));
        assert.ok(addresses.length >= 6);
        for (const [name, address] of addresses) assert.ok(/^https?:\/\//.test(String(address)), name);
        for (const grant of ['authorization_code', 'client_credentials'])
          assert.ok(told.grant_types_supported.includes(grant));
        assert.ok(told.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
        assert.ok(
          told.token_endpoint_auth_signing_alg_values_supported.some((alg: string) => /^(?:RS|ES)384$/.test(alg)),
        );
        assert.ok(told.scopes_supported.length > 0);
        assert.deepEqual(told.code_challenge_methods_supported, ['S256']);
        for (const capability of [
          'launch-standalone',
          'launch-ehr',
          'authorize-post',
          'client-public',
          'client-confidential-symmetric',
          'client-confidential-asymmetric',
          'context-standalone-patient',
          'context-ehr-patient',
          'context-ehr-encounter',
          'permission-patient',
          'permission-user',
          'permission-v1',
          'permission-v2',
          'sso-openid-connect',
        ]) {
          assert.ok(told.capabilities.includes(capability), capability);
        }
        assert.ok(!told.capabilities.includes('smart-app-state'));
      }
    },
  },
  {
    name: 'other origins may ask',
    rows: [16, 17],
    async run(world) {
      const { hub, app } = world;
      const origin = 'https://app.example';
      for (const path of ['/fhir/.well-known/smart-configuration', '/fhir/metadata']) {
        const answer = await hub.send('GET', path, undefined, {
          role: null,
          headers: { origin: 'https://any.example' },
        });
        assert.ok(['*', 'https://any.example'].includes(answer.headers.get('access-control-allow-origin')!), path);
      }
      for (const path of ['/oauth/token', '/fhir/Patient']) {
        const preflight = await hub.send('OPTIONS', path, undefined, {
          role: null,
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,content-type',
          },
        });
        assert.ok(['*', origin].includes(preflight.headers.get('access-control-allow-origin')!), path);
        assert.match(preflight.headers.get('access-control-allow-headers')!, /authorization/i);
      }
      const { token } = await launch(world, 'patient/Patient.rs offline_access');
      const fields = { grant_type: 'refresh_token', refresh_token: token.json.refresh_token, client_id: app };
      const answer = await form(hub, '/oauth/token', fields, { origin });
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    },
  },
  {
    name: 'the documentation says what Patient.link does',
    rows: [139],
    async run() {
      assert.match(readFileSync(join(import.meta.dirname, '../../docs/apps.md'), 'utf8'), /`Patient\.link`: /);
    },
  },
];
