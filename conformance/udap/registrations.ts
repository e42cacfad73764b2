/** How clients register themselves, change and cancel that. */
import { strict as assert } from 'node:assert';
import { appClaims, inDays, statementClaims, testRoot } from '../../hub/authorization/testing.ts';
import { type Check, isRefused, newClient, newService, newUri, register, registration, serviceToken } from './world.ts';

export const registrations: Check[] = [
  {
    name: 'a registration is answered with what was registered, and good from then on',
    rows: [68, 105, 110, 111, 112, 113, 287],
    async run(world) {
      for (const more of [{}, appClaims]) {
        const { registered, statement, id } = await newClient(world, more);
        assert.match(registered.headers.get('content-type')!, /^application\/json/);
        assert.equal(registered.json.software_statement, statement);
        assert.equal(typeof id, 'string');
        const asked = statementClaims('', '', more) as { [name: string]: unknown };
        for (const name of ['client_name', 'grant_types', 'token_endpoint_auth_method', 'scope', 'contacts']) {
          assert.deepEqual(registered.json[name], asked[name], name);
        }
        for (const name of ['redirect_uris', 'response_types', 'logo_uri']) {
          assert.deepEqual(registered.json[name], asked[name], name);
        }
        assert.equal(registered.json.client_secret, undefined);
        const listed = (await world.hub.get('/api/clients')).json.clients.find((one: { id: string }) => one.id === id);
        assert.match(listed.udap.certificateExpires, /^\d{4}-/);
      }
      assert.equal((await serviceToken(world, await newService(world))).status, 200);
    },
  },
  {
    name: 'what is not valid is refused with its reason',
    rows: [105, 106, 107, 108, 109, 114],
    async run(world) {
      const { uri, holder } = await newUri(world);
      const now = Math.floor(Date.now() / 1000);
      const cases: { [what: string]: object } = {
        iss: { iss: 'https://other.example', sub: 'https://other.example' },
        sub: { sub: 'https://other.example' },
        aud: { aud: 'https://other.example/register' },
        expired: { iat: now - 400, exp: now - 100 },
        'longer than five minutes': { iat: now, exp: now + 301 },
      };
      for (const more of Object.values(cases)) {
        isRefused(
          await register(world, await holder.sign(statementClaims(uri, registration, more))),
          400,
          'invalid_software_statement',
        );
      }
      const good = await holder.sign(statementClaims(uri, registration));
      isRefused(await register(world, `${good.slice(0, -6)}AAAAAA`), 400, 'invalid_software_statement');
      const stranger = await (await testRoot('One')).issue('Stranger', uri);
      const old = await world.root.issue('Old', uri, { notAfter: inDays(-0.5) });
      for (const one of [stranger, old]) {
        const answer = await register(world, await one.sign(statementClaims(uri, registration)));
        isRefused(answer, 400, 'unapproved_software_statement');
        assert.equal(typeof answer.json.error_description, 'string');
      }
      const revoked = await world.revoked.sign(statementClaims('https://revoked.example', registration));
      isRefused(await register(world, revoked), 400, 'unapproved_software_statement');
      const wrong = await holder.sign(statementClaims(uri, registration, { grant_types: ['password'] }));
      isRefused(await register(world, wrong), 400, 'invalid_client_metadata');
    },
  },
  {
    name: 'certifications that are not known are passed over',
    rows: [116],
    async run(world) {
      const { uri, holder } = await newUri(world);
      const statement = await holder.sign(statementClaims(uri, registration));
      const certification = await holder.sign({ iss: uri, sub: uri, certification_uris: ['https://unknown.example'] });
      const answer = await register(world, statement, { certifications: [certification, 'no JWT'] });
      assert.equal(answer.status, 201, answer.text);
    },
  },
  {
    name: 'another statement of the same client changes its registration, an empty one cancels it',
    rows: [119, 121],
    async run(world) {
      const { id, uri, holder } = await newClient(world);
      const changes = { client_name: 'Another name', scope: 'system/Patient.r' };
      const changed = await register(world, await holder.sign(statementClaims(uri, registration, changes)));
      assert.deepEqual([changed.status, changed.json.client_id], [200, id]);
      const listed = (await world.hub.get('/api/clients')).json.clients.filter(
        (one: { udap?: { uri: string } }) => one.udap?.uri === uri,
      );
      assert.deepEqual(
        listed.map((one: { name: string; metadata: { allowed_scopes: string } }) => [
          one.name,
          one.metadata.allowed_scopes,
        ]),
        [['Another name', 'system/Patient.r']],
      );
      const empty = await holder.sign(statementClaims(uri, registration, { grant_types: [] }));
      const cancelled = await register(world, empty);
      assert.deepEqual([cancelled.status, cancelled.json.grant_types], [200, []]);
      isRefused(await serviceToken(world, { id, holder }), 401, 'invalid_client');
    },
  },
];
