/** What becomes of an export: its status, what it tells when it is complete, its files, and their end. */
import { strict as assert } from 'node:assert';
import { contents, ended, exported, kickOff, namesOf, pathIn, statusOf } from '../../hub/bulk/testing.ts';
import type { Answer } from '../../hub/testing-calls.ts';
import { asking, type Check, observation, put } from './world.ts';

export const results: Check[] = [
  {
    name: 'a job under way says so; one that failed says why',
    rows: [131, 138, 21, 132, 136, 137, 310],
    async run(world) {
      const own = await asking(world);
      const status = statusOf(own, await kickOff(own, '/fhir/$export'));
      await ended(own, status);
      const set = (state: string) =>
        world.hub.database.query(
          `UPDATE bulk_job SET state = $2, lease_until = now() + interval '1 hour', lease_holder = id,
             problem = '[{"severity":"error","code":"exception","diagnostics":"It failed."}]' WHERE id = $1`,
          [status.split('/').at(-1), state],
        );
      await set('running');
      assert.equal((await own.get(status)).status, 202);
      await set('failed');
      isRefusal(await own.get(status), 500, 600);
      assert.equal((await own.send('DELETE', status)).status, 202);
    },
  },
  {
    name: 'a complete job tells its files, when and for what it was asked',
    rows: [
      146, 195, 22, 144, 145, 147, 150, 151, 152, 154, 155, 156, 157, 159, 160, 161, 162, 164, 165, 166, 168, 169, 170,
      175, 178, 180, 181, 191, 192, 193, 198, 199,
    ],
    async run(world) {
      const own = await asking(world);
      const began = Date.now();
      await put(world, observation('just-now', 'p3'));
      const path = '/fhir/Patient/$export?_type=Patient,Observation';
      const answer = await ended(own, statusOf(own, await kickOff(own, path)));
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type')!, /^application\/json/);
      assert.ok(Date.parse(answer.headers.get('expires')!) > Date.now());
      const { transactionTime, request, requiresAccessToken, output, deleted, error, extension } = answer.json;
      assert.match(transactionTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
      assert.ok(Date.parse(transactionTime) >= began - 1 && Date.parse(transactionTime) <= Date.now());
      assert.equal(request, `${own.url}${path}`);
      assert.equal(requiresAccessToken, true);
      for (const list of [output, deleted, error]) assert.ok(Array.isArray(list));
      assert.ok(extension === undefined || (typeof extension === 'object' && !Array.isArray(extension)));
      assert.ok(output.length >= 2);
      for (const item of output) {
        assert.match(item.url, /^https?:\/\//);
        const inFile = await contents(own, [item]);
        assert.deepEqual([...new Set(inFile.map(({ resourceType }) => resourceType))], [item.type]);
        assert.ok(item.count === undefined || item.count === inFile.length);
        assert.equal((await world.hub.get(pathIn(own, item.url), { role: null })).status, 401);
      }
      assert.ok(namesOf(await contents(own, output)).includes('Observation/just-now'));
    },
  },
  {
    name: 'who asks for the status without pause is held back, and told for how long',
    rows: [125, 127, 128, 140],
    async run(world) {
      const own = await asking(world);
      const status = statusOf(own, await kickOff(own, '/fhir/$export?_type=Patient'));
      await ended(own, status);
      await world.hub.database.query(
        "UPDATE bulk_job SET state = 'running', lease_until = now() + interval '1 hour', lease_holder = id WHERE id = $1",
        [status.split('/').at(-1)],
      );
      const answers = await Promise.all(Array.from({ length: 20 }, () => own.get(status)));
      for (const { headers } of answers) assert.ok(Number(headers.get('retry-after')) > 0);
      const held = answers.filter(({ status: code }) => code !== 202);
      assert.ok(held.length > 0);
      for (const answer of held) {
        isRefusal(answer, 429, 430);
        assert.equal(answer.json.issue[0].code, 'throttled');
      }
      assert.equal((await own.send('DELETE', status)).status, 202);
    },
  },
  {
    name: 'what is not there has no file, and what changes later is not in one',
    rows: [153, 167, 173, 176],
    async run(world) {
      const own = await asking(world);
      const { output: none } = await exported(own, '/fhir/$export?_type=Account');
      assert.deepEqual(none, []);
      const { output } = await exported(own, '/fhir/$export?_type=Account,Observation&_outputFormat=ndjson');
      assert.deepEqual(
        output.map(({ type }: { type: string }) => type),
        ['Observation'],
      );
      await put(world, observation('after-the-export', 'p1'));
      const answer = await own.get(pathIn(own, output[0].url));
      assert.equal(answer.headers.get('content-type'), 'application/fhir+ndjson');
      assert.ok(!answer.text.includes('after-the-export'));
    },
  },
  {
    name: 'an export by POST tells its address without parameters',
    rows: [158],
    async run(world) {
      const own = await asking(world);
      const body = { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Patient' }] };
      const { request } = await exported(own, '/fhir/Patient/$export', body);
      assert.equal(request, `${own.url}/fhir/Patient/$export`);
    },
  },
  {
    name: 'what goes wrong with a part is told in files of OperationOutcomes',
    rows: [142, 143, 196],
    async run(world) {
      const own = await asking(world);
      const member = ['Patient/p1', 'Patient/nobody'].map((reference) => ({ entity: { reference } }));
      await put(world, { resourceType: 'Group', id: 'partly', type: 'person', actual: true, member });
      const { output, error } = await exported(own, '/fhir/Group/partly/$export?_type=Patient');
      assert.deepEqual(namesOf(await contents(own, output)), ['Patient/p1']);
      assert.equal(error.length, 1);
      assert.equal(error[0].type, 'OperationOutcome');
      const answer = await own.get(pathIn(own, error[0].url));
      assert.equal(answer.headers.get('content-type'), 'application/fhir+ndjson');
      assert.equal(JSON.parse(answer.text.trimEnd()).resourceType, 'OperationOutcome');
    },
  },
  {
    name: 'what was deleted since is told as such, and not exported',
    rows: [182, 186, 187, 188, 189, 190],
    async run(world) {
      const own = await asking(world);
      await put(world, observation('gone', 'p1'));
      const { transactionTime } = await exported(own, '/fhir/$export?_type=Organization');
      await world.hub.send('DELETE', '/fhir/Observation/gone');
      const { output, deleted } = await exported(own, `/fhir/$export?_since=${encodeURIComponent(transactionTime)}`);
      assert.ok(!namesOf(await contents(own, output)).includes('Observation/gone'));
      const bundles = await contents(own, deleted);
      assert.equal(bundles.length, 1);
      for (const { resourceType, type, entry } of bundles) {
        assert.deepEqual([resourceType, type], ['Bundle', 'transaction']);
        assert.deepEqual(entry, [{ request: { method: 'DELETE', url: 'Observation/gone' } }]);
      }
    },
  },
  {
    name: 'files are there in the form that was asked for, with the latest version of each resource',
    rows: [14, 24, 25, 148, 202, 204, 206, 207, 208, 209, 210],
    async run(world) {
      const own = await asking(world);
      for (const code of ['first', 'second']) await put(world, observation('changed', 'p1', code));
      const { output } = await exported(own, '/fhir/$export?_type=Observation');
      const answer = await own.get(pathIn(own, output[0].url), { headers: { accept: 'application/fhir+ndjson' } });
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/fhir+ndjson']);
      const all = answer.text.trimEnd().split('\n');
      const changed = all.map((line) => JSON.parse(line)).filter(({ id }) => id === 'changed');
      assert.deepEqual(
        changed.map(({ code }) => code.coding[0].code),
        ['second'],
      );
      isRefusal(await own.get(pathIn(own, output[0].url).replace(/\d+\.ndjson$/, '999.ndjson')), 400, 500);
    },
  },
  {
    name: 'attachments are at absolute addresses, which the same token opens',
    rows: [23, 213, 214, 215],
    async run(world) {
      const own = await asking(world);
      const { output } = await exported(own, '/fhir/Patient/$export?_type=DocumentReference');
      const found = await contents(own, output);
      assert.equal(found.length, 3);
      for (const { content } of found) {
        const { url } = content[0].attachment;
        assert.match(url, /^https?:\/\//);
        const answer = await own.get(pathIn(own, url), { headers: { accept: 'text/plain' } });
        assert.deepEqual([answer.status, answer.text], [200, 'x']);
      }
    },
  },
  {
    name: 'status and files ask for a token of the same client that covers the export',
    rows: [5, 9, 27, 226],
    async run(world) {
      const own = await asking(world);
      const status = statusOf(own, await kickOff(own, '/fhir/$export?_type=Patient,Observation'));
      const { json } = await ended(own, status);
      const narrow = await asking(world, 'system/Patient.rs');
      for (const path of [status, ...json.output.map(({ url }: { url: string }) => pathIn(own, url))]) {
        assert.equal((await world.hub.get(path, { role: null })).status, 401);
        assert.equal((await narrow.get(path)).status, 403);
        const another = { authorization: `Bearer ${await world.hub.token('system', 'another')}` };
        assert.equal((await world.hub.get(path, { headers: another })).status, 404);
      }
      assert.equal((await kickOff(narrow, '/fhir/$export?_type=Observation')).status, 403);
      const { output } = await exported(narrow, '/fhir/$export');
      assert.ok((await contents(narrow, output)).every(({ resourceType }) => resourceType === 'Patient'));
    },
  },
  {
    name: 'a job that is deleted, or has expired, is gone with its files',
    rows: [122, 305, 306, 308, 309],
    async run(world) {
      const own = await asking(world);
      for (const end of ['delete', 'expire']) {
        const status = statusOf(own, await kickOff(own, '/fhir/$export?_type=Patient'));
        const { json } = await ended(own, status);
        if (end === 'delete') assert.equal((await own.send('DELETE', status)).status, 202);
        else
          await world.hub.database.query("UPDATE bulk_job SET expires = now() - interval '1 s' WHERE id = $1", [
            status.split('/').at(-1),
          ]);
        for (const path of [status, pathIn(own, json.output[0].url)]) isRefusal(await own.get(path), 404, 405);
        isRefusal(await own.send('DELETE', status), 404, 405);
      }
    },
  },
];

function isRefusal({ status, headers, json }: Answer, from: number, to: number): void {
  assert.ok(status >= from && status < to, String(status));
  assert.match(headers.get('content-type')!, /^application\/fhir\+json/);
  assert.equal(json.resourceType, 'OperationOutcome');
}
