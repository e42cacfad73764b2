/** How an export is asked for, and what it holds by its parameters. */
import { strict as assert } from 'node:assert';
import { contents, exported, kickOff, namesOf, statusOf } from '../../hub/bulk/testing.ts';
import { asking, type Check, levels, observation, parameters, put } from './world.ts';

export const kickOffs: Check[] = [
  {
    name: 'each level is asked for by GET and by POST, and accepted',
    rows: [4, 218, 12, 13, 19, 20, 28, 29, 223, 224, 225, 227, 229, 249, 250, 272, 273, 297, 298, 299, 300, 301],
    async run(world) {
      const own = await asking(world);
      for (const path of levels) {
        for (const body of [undefined, parameters(['_type', 'Patient'])]) {
          const answer = await kickOff(own, path, body);
          assert.equal(answer.status, 202, answer.text);
          assert.match(answer.headers.get('content-location')!, /^https?:\/\/[^/]+\/./);
          assert.equal((await own.send('DELETE', statusOf(own, answer))).status, 202);
        }
        assert.equal((await kickOff(world.hub, path, undefined, { role: null })).status, 401);
      }
    },
  },
  {
    name: 'what cannot be is refused with an OperationOutcome',
    rows: [69, 70, 71, 93, 105, 108, 303, 304],
    async run(world) {
      const own = await asking(world);
      for (const path of [
        '/fhir/$export?_unknown=x',
        '/fhir/$export?_since=yesterday',
        '/fhir/$export?_outputFormat=text/csv',
        '/fhir/$export?_type=Nonsense',
        '/fhir/Patient/$export?_type=ValueSet',
        '/fhir/$export?_typeFilter=Observation%3Fno-such%3Dx',
        '/fhir/Group/none/$export',
        '/fhir/$export?includeAssociatedData=LatestProvenanceResources',
      ]) {
        const answer = await kickOff(own, path);
        assert.ok(answer.status >= 400 && answer.status < 600, `${path}: ${answer.status}`);
        assert.match(answer.headers.get('content-type')!, /^application\/fhir\+json/);
        assert.equal(answer.json.resourceType, 'OperationOutcome');
      }
    },
  },
  {
    name: 'newline-delimited JSON by each of its names, at each level',
    rows: [47, 49, 51, 52, 231, 251, 274],
    async run(world) {
      const own = await asking(world);
      for (const path of levels) {
        for (const format of ['application/fhir+ndjson', 'application/ndjson', 'ndjson']) {
          const { output } = await exported(own, `${path}?_type=Patient&_outputFormat=${encodeURIComponent(format)}`);
          const answer = await own.get(new URL(output[0].url).pathname);
          assert.equal(answer.headers.get('content-type'), 'application/fhir+ndjson');
          for (const line of answer.text.trimEnd().split('\n')) assert.equal(JSON.parse(line).resourceType, 'Patient');
        }
      }
      const { output } = await exported(own, levels[0]!, parameters(['_outputFormat', 'ndjson'], ['_type', 'Patient']));
      assert.equal(output.length, 1);
    },
  },
  {
    name: '_since leaves out what did not change after it, at each level',
    rows: [53, 59, 234, 254],
    async run(world) {
      const own = await asking(world);
      await put(world, observation('before', 'p1'));
      const { transactionTime } = await exported(own, '/fhir/$export?_type=Organization');
      await put(world, observation('after', 'p1'));
      for (const path of levels) {
        const { output } = await exported(
          own,
          `${path}?_type=Observation&_since=${encodeURIComponent(transactionTime)}`,
        );
        assert.deepEqual(namesOf(await contents(own, output)), ['Observation/after'], path);
      }
    },
  },
  {
    name: '_type confines, in one list or in several; without it all types that the token covers are there',
    rows: [32, 62, 63],
    async run(world) {
      const own = await asking(world);
      for (const query of ['_type=Patient,Organization', '_type=Patient&_type=Organization']) {
        const { output } = await exported(own, `/fhir/$export?${query}`);
        assert.deepEqual(typesOf(await contents(own, output)), ['Organization', 'Patient']);
      }
      const { output } = await exported(own, '/fhir/$export');
      const types = typesOf(await contents(own, output));
      for (const type of [
        'Binary',
        'DocumentReference',
        'Group',
        'Observation',
        'Organization',
        'Patient',
        'Provenance',
      ])
        assert.ok(types.includes(type), type);
      const narrow = await asking(world, 'system/Patient.rs system/Organization.rs');
      const part = await exported(narrow, '/fhir/$export');
      assert.deepEqual(typesOf(await contents(narrow, part.output)), ['Organization', 'Patient']);
    },
  },
  {
    name: '_elements are elements at the root',
    rows: [75, 76, 78, 79, 80, 77],
    async run(world) {
      const own = await asking(world);
      assert.equal((await kickOff(own, '/fhir/$export?_elements=Patient.name.family')).status, 400);
      const { output } = await exported(own, '/fhir/$export?_type=Patient&_elements=id');
      for (const one of await contents(own, output)) assert.ok(one.id && !('name' in one));
      const part = await exported(own, '/fhir/$export?_type=Observation,Patient&_elements=Observation.subject,name');
      for (const one of await contents(own, part.output)) {
        assert.ok(one.meta.tag.some(({ code }: { code: string }) => code === 'SUBSETTED'));
        // An Observation has a status and a code, whatever is asked for.
        const due = one.resourceType === 'Patient' ? ['name'] : ['code', 'status', 'subject'];
        const held = Object.keys(one).filter((name) => !['resourceType', 'id', 'meta'].includes(name));
        assert.deepEqual(held.sort(), due);
      }
    },
  },
  {
    name: 'patient confines to those who are named',
    rows: [86, 87, 85],
    async run(world) {
      const own = await asking(world);
      const named = parameters(
        ['patient', 'Patient/p2'],
        ['_type', 'Patient,Observation,DocumentReference,Provenance'],
      );
      for (const path of levels.slice(1)) {
        const { output } = await exported(own, path, named);
        assert.deepEqual(namesOf(await contents(own, output)), [
          'DocumentReference/d-p2',
          'Observation/o-p2',
          'Patient/p2',
          'Provenance/prov-p2',
        ]);
      }
    },
  },
  {
    name: '_typeFilter confines to what any of its searches finds, in one list or in several',
    rows: [103, 117],
    async run(world) {
      const own = await asking(world);
      const [one, two] = ['Observation?patient=p1&_id=o-p1', 'Observation?patient=p2&_id=o-p2'].map(encodeURIComponent);
      for (const query of [`_typeFilter=${one},${two}`, `_typeFilter=${one}&_typeFilter=${two}`]) {
        const { output } = await exported(own, `/fhir/Patient/$export?_type=Observation&${query}`);
        assert.deepEqual(namesOf(await contents(own, output)), ['Observation/o-p1', 'Observation/o-p2']);
      }
    },
  },
  {
    name: 'exports of patients hold their compartments, and the patients themselves',
    rows: [1, 33, 34, 35, 36, 42, 65, 66],
    async run(world) {
      const own = await asking(world);
      const told = (await own.get('/fhir/metadata')).json;
      assert.ok(told.instantiates.includes('http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'));
      assert.equal((await own.get('/fhir/Group/group')).status, 200);
      assert.equal((await own.get('/fhir/Group?_id=group')).json.entry.length, 1);
      for (const [path, ids] of [
        ['/fhir/Patient/$export', ['p1', 'p2', 'p3']],
        ['/fhir/Group/group/$export', ['p1', 'p2']],
      ] as const) {
        const names = namesOf(await contents(own, (await exported(own, path)).output));
        for (const [type, prefix] of [
          ['Patient', ''],
          ['DocumentReference', 'd-'],
        ] as const) {
          const due = ids.map((id) => `${type}/${prefix}${id}`);
          assert.deepEqual(
            names.filter((name) => name.startsWith(`${type}/`)),
            due,
          );
        }
      }
    },
  },
  {
    name: 'what is left out under lenient handling is told in the error files',
    rows: [72, 106, 194, 197],
    async run(world) {
      const own = await asking(world);
      const headers = { prefer: 'respond-async, handling=lenient' };
      const path = '/fhir/$export?_type=Organization,Nonsense&_unknown=x&_typeFilter=Organization%3Fno-such%3Dx';
      const { output, error } = await exported(own, path, undefined, { headers });
      assert.ok((await contents(own, output)).every(({ resourceType }) => resourceType === 'Organization'));
      assert.ok((await contents(own, error)).length >= 3);
    },
  },
  {
    name: 'all Provenance of what is exported goes with it',
    rows: [109, 110, 111, 112],
    async run(world) {
      const own = await asking(world);
      const provenance = async (path: string) =>
        namesOf(await contents(own, (await exported(own, path)).output)).filter((name) =>
          name.startsWith('Provenance/'),
        );
      const ofPatients = ['p1', 'p2', 'p3'].map((id) => `Provenance/prov-${id}`);
      assert.deepEqual(await provenance('/fhir/Patient/$export'), ofPatients);
      assert.deepEqual(await provenance('/fhir/$export'), ['Provenance/prov-org', ...ofPatients]);
      assert.deepEqual(await provenance('/fhir/$export?_type=Patient'), []);
    },
  },
];

function typesOf(resources: readonly { resourceType: string }[]): string[] {
  return [...new Set(resources.map(({ resourceType }) => resourceType))].sort();
}
