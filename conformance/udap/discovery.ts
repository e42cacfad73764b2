/** What clients find a server by. */
import { strict as assert } from 'node:assert';
import { readSigned } from '../../hub/authorization/testing.ts';
import { startAskedHub } from '../requirement-rows/hub.ts';
import { base, type Check, metadata, registration, tokenEndpoint } from './world.ts';

const texts = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string');

export const discovery: Check[] = [
  {
    name: 'metadata tell what there is',
    rows: [
      9, 10, 11, 12, 13, 14, 15, 18, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
      43, 45, 46, 118,
    ],
    async run(world) {
      const answer = await metadata(world);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type')!, /^application\/json/);
      const told = answer.json;
      assert.deepEqual(told.udap_versions_supported, ['1']);
      for (const profile of ['udap_dcr', 'udap_authn', 'udap_authz']) {
        assert.ok(told.udap_profiles_supported.includes(profile), profile);
      }
      // Users are not signed in by others here.
      assert.ok(!told.udap_profiles_supported.includes('udap_to'));
      assert.ok(told.udap_authorization_extensions_supported.includes('hl7-b2b'));
      for (const name of [
        'udap_authorization_extensions_required',
        'udap_certifications_supported',
        'udap_certifications_required',
        'registration_endpoint_jwt_signing_alg_values_supported',
      ]) {
        assert.ok(texts(told[name]), name);
      }
      const within = (some: string[], all: string[]) => some.every((one) => all.includes(one));
      assert.ok(within(told.udap_certifications_required, told.udap_certifications_supported));
      assert.ok(within(told.udap_authorization_extensions_required, told.udap_authorization_extensions_supported));
      assert.deepEqual(told.grant_types_supported, ['authorization_code', 'refresh_token', 'client_credentials']);
      assert.equal(told.authorization_endpoint, `${base}/oauth/authorize`);
      assert.equal(told.token_endpoint, tokenEndpoint);
      assert.equal(told.registration_endpoint, registration);
      assert.deepEqual(told.token_endpoint_auth_methods_supported, ['private_key_jwt']);
      assert.ok(told.token_endpoint_auth_signing_alg_values_supported.includes('RS256'));
      assert.equal(typeof told.signed_metadata, 'string');
    },
  },
  {
    name: 'signed metadata',
    rows: [1, 2, 3, 4, 7, 8, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
    async run(world) {
      const told = (await metadata(world)).json;
      const signed = told.signed_metadata as string;
      assert.match(signed, /^[\w-]+\.[\w-]+\.[\w-]+$/);
      const { alg, claims, uris } = await readSigned(signed);
      assert.equal(alg, 'RS256');
      assert.equal(claims.iss, `${base}/fhir`);
      assert.ok(uris.includes(claims.iss));
      assert.equal(claims.sub, claims.iss);
      assert.ok(claims.exp! > claims.iat! && claims.exp! - claims.iat! <= 365 * 24 * 3600);
      assert.ok(Math.abs(claims.iat! - Date.now() / 1000) < 60);
      assert.equal(typeof claims.jti, 'string');
      const again = await readSigned((await metadata(world)).json.signed_metadata);
      assert.notEqual(again.claims.jti, claims.jti);
      for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint']) {
        assert.equal(claims[name], told[name], name);
      }
    },
  },
  {
    name: 'the certificate is that of the community that is asked about',
    rows: [62],
    async run(world) {
      for (const [uri, root] of [
        ['https://one.example', world.root],
        ['https://two.example', world.other],
      ] as const) {
        const { signed_metadata: signed } = (await metadata(world, `?community=${encodeURIComponent(uri)}`)).json;
        assert.equal((await readSigned(signed)).issuer, root.certificate.subject);
      }
      assert.equal((await metadata(world, '?community=https://unknown.example')).status, 204);
    },
  },
  {
    name: 'a hub in no community says so',
    rows: [19],
    async run() {
      const alone = await startAskedHub();
      try {
        const answer = await alone.send('GET', '/fhir/.well-known/udap', undefined, { role: null });
        assert.equal(answer.status, 404);
      } finally {
        await alone.stop();
      }
    },
  },
];
