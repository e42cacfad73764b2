/** What services for many patients get: the export of a Group. */
import { strict as assert } from 'node:assert';
import { assertion, backendService, systemToken } from '../../hub/authorization/testing.ts';
import { contents, ended, exported, kickOff, pathIn, statusOf, withBearer } from '../../hub/bulk/testing.ts';
import type { Check } from './checks.ts';
import type { Json } from './matches.ts';
import type { World } from './world.ts';

export const exportChecks: Check[] = [
  {
    name: 'the export of a Group is declared, and holds its members with all types of US Core',
    rows: ['SH-PAT-4', 'SH-PAT-5', 'DAT-PAT-8', 'DAT-PAT-17', 'DAT-PAT-10', 'DAT-PAT-13', 'DAT-PAT-14', 'DAT-PAT-15'],
    async run(world) {
      const { hub } = world;
      const told = (await hub.send('GET', '/fhir/metadata', undefined, { role: null })).json;
      assert.ok(told.instantiates.includes('http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'));
      const group = told.rest[0].resource.find(({ type }: Json) => type === 'Group');
      assert.ok(group.operation.some(({ name }: Json) => name === 'export'));

      await storeGroup(world);
      const own = await asking(world, 'system/*.rs');
      const begun = await kickOff(own, '/fhir/Group/sampled-group/$export');
      assert.equal(begun.status, 202);
      const done = await ended(own, statusOf(own, begun));
      assert.equal(done.status, 200, done.text);
      const all = await contents(own, done.json.output);
      const types = new Set(all.map(({ resourceType }) => resourceType));
      for (const type of new Set(world.profiles.map(({ resource }) => resource))) assert.ok(types.has(type), type);
      const patients = all.filter(({ resourceType }) => resourceType === 'Patient').map(({ id }) => id);
      assert.deepEqual(patients, ['sampled']);
      for (const one of all) {
        const about = (one.subject ?? one.patient ?? one.beneficiary)?.reference;
        assert.ok(about === undefined || about === 'Patient/sampled', `${one.resourceType}/${one.id}: ${about}`);
      }
      const [{ url }] = done.json.output;
      const file = await own.get(pathIn(own, url));
      assert.deepEqual([file.status, file.headers.get('content-type')], [200, 'application/fhir+ndjson']);
    },
  },
  {
    name: 'an export holds what its client may see, says what is wrong, and can be deleted',
    rows: ['DAT-PAT-9', 'DAT-PAT-11', 'DAT-PAT-12'],
    async run(world) {
      await storeGroup(world);
      const own = await asking(world, 'system/Group.rs system/Patient.rs');
      const path = '/fhir/Group/sampled-group/$export';
      const { output } = await exported(own, path);
      assert.ok((await contents(own, output)).every(({ resourceType }) => resourceType === 'Patient'));
      const refused = await kickOff(own, `${path}?_type=Observation`);
      assert.deepEqual([refused.status, refused.json.resourceType], [403, 'OperationOutcome']);
      const wrong = await kickOff(own, `${path}?_since=yesterday`);
      assert.deepEqual([wrong.status, wrong.json.resourceType], [400, 'OperationOutcome']);
      const status = statusOf(own, await kickOff(own, path));
      assert.equal((await own.send('DELETE', status)).status, 202);
      assert.equal((await own.get(status)).status, 404);
    },
  },
];

async function asking({ hub, key }: World, scope: string) {
  const { id } = await backendService(hub, [key], scope);
  const answer = await systemToken(hub, await assertion(hub, id, key), scope);
  assert.equal(answer.status, 200, answer.text);
  return withBearer(hub, answer.json.access_token);
}

async function storeGroup({ hub }: World): Promise<void> {
  const member = [{ entity: { reference: 'Patient/sampled' } }];
  const group = { resourceType: 'Group', id: 'sampled-group', type: 'person', actual: true, member };
  const stored = await hub.send('PUT', '/fhir/Group/sampled-group', group);
  assert.ok(stored.status <= 201, stored.text);
}
