import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Answer, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { contents, ended, exported, kickOff, kickOffHeaders, statusOf } from './testing.ts';

let hub: TestHub;
let server: Server;
let files: string;
const served = new Map<string, string>();
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!);
    const content = served.get(request.url!);
    if (content?.startsWith('->')) response.writeHead(302, { location: content.slice(2) }).end();
    else if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/fhir+ndjson' }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  files = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hub = await startTestHub({ importFrom: [`${files}/allowed/`], importBytes: 40 * 1024 * 1024 });
});
afterAll(async () => {
  await hub.stop();
  server.close();
});

const upload = (body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  hub.send('POST', '/fhir/$import', body, {
    headers: { 'content-type': 'application/fhir+ndjson', ...kickOffHeaders, ...headers },
  });
const imported = async (body: string | Buffer, headers?: Record<string, string>) => {
  const begun = await upload(body, headers);
  expect([begun.status, begun.text.slice(0, 300)]).toEqual([202, begun.text.slice(0, 300)]);
  const done = await ended(hub, statusOf(hub, begun));
  expect(done.status).toBe(200);
  return done.json;
};
const lines = (...resources: object[]) => resources.map((one) => `${JSON.stringify(one)}\n`).join('');
const observation = (id: string, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: `Patient/${patient}` },
  ...more,
});
const version = async (path: string) => (await hub.get(`/fhir/${path}`)).json.meta?.versionId;

describe('an upload', () => {
  it('is stored under its ids, and can be searched for at once', async () => {
    const result = await imported(
      lines({ resourceType: 'Patient', id: 'i1', name: [{ family: 'Imported' }] }, observation('io1', 'i1')),
    );
    expect(result).toMatchObject({ request: `${hub.url}/fhir/$import`, output: [{ count: 2 }], error: [] });
    expect((await hub.get('/fhir/Observation?patient=i1')).json.entry).toHaveLength(1);
    expect((await hub.get('/fhir/Patient?family=imported')).json.entry[0].resource.id).toBe('i1');
    const taken = (await accessesOf(hub)).find(({ what }) => /^\/\$import .* 2 resources/.test(what));
    expect(taken).toMatchObject({ action: 'import', who: 'test-administrator', patients: ['i1'] });
  });

  it('makes no version of what is stored already, and the next of what is not', async () => {
    await imported(lines(observation('again', 'i1'), observation('other', 'i1')));
    const stored = (await hub.get('/fhir/Observation/again')).text;
    await imported(`${stored}\n${lines(observation('other', 'i1', { code: { text: 'y' } }))}`);
    await imported(lines(observation('again', 'i1')));
    expect(await version('Observation/again')).toBe('1');
    expect(await version('Observation/other')).toBe('2');
  });

  it('of one resource twice leaves the later', async () => {
    await imported(lines(observation('twice', 'i1'), observation('twice', 'i1', { code: { text: 'later' } })));
    const { json } = await hub.get('/fhir/Observation/twice');
    expect([json.meta.versionId, json.code.text]).toEqual(['2', 'later']);
  });

  it('tells of each bad line what is wrong, and stores the others', async () => {
    const good = lines(observation('good1', 'i1'));
    const bad: [string | Buffer, string][] = [
      ['{"resourceType":"Observation","id":"b1",', 'structure'],
      ['{"resourceType":"Patient","id":"b2","id":"b3"}', 'structure'],
      [Buffer.from('{"resourceType":"Patient","id":"b4","name":[{"family":"\xff"}]}', 'latin1'), 'structure'],
      ['{"resourceType":"Nonsense","id":"b5"}', 'value'],
      ['{"resourceType":"Patient","id":"not an id"}', 'value'],
      ['{"resourceType":"Observation","id":"b6","status":"nonsense","code":{"text":"x"}}', ''],
      ['{"resourceType":"Patient","id":"b7","__proto__":{"x":1}}', ''],
      ['[1,2]', 'structure'],
      [`{"resourceType":"Patient","id":"b8","x":${'['.repeat(200)}${']'.repeat(200)}}`, ''],
      [`{"resourceType":"Patient","id":"b9","name":[{"family":"${'x'.repeat(17 * 1024 * 1024)}"}]}`, 'too-long'],
    ];
    const body = Buffer.concat([
      Buffer.from(good),
      ...bad.flatMap(([line]) => [Buffer.from(line as never), Buffer.from('\n\r\n')]),
      Buffer.from(JSON.stringify(observation('good2', 'i1'))),
    ]);
    const { output, error } = await imported(body);
    expect(output[0].count).toBe(2);
    expect(error).toMatchObject([{ type: 'OperationOutcome', count: bad.length }]);
    const outcomes = await contents(hub, error);
    for (const [i, [, code]] of bad.entries()) {
      const { issue } = outcomes[i]!;
      expect(issue[0].diagnostics).toMatch(new RegExp(`^Line ${2 + 2 * i}\\b`));
      if (code)
        expect([i, issue[0].code]).toEqual([i, expect.stringMatching(new RegExp(`^(${code}|invalid|duplicate)$`))]);
    }
    expect(JSON.stringify(outcomes)).not.toContain('xxxx');
    for (const id of ['good1', 'good2']) expect(await version(`Observation/${id}`)).toBe('1');
    for (const id of ['b2', 'b3', 'b7', 'b8', 'b9']) expect((await hub.get(`/fhir/Patient/${id}`)).status).toBe(404);
  });

  it('of what was exported here changes nothing: a person put together from sources is told of, not stored', async () => {
    const twin = (id: string) => ({ ...oneHuman('Twinning'), id });
    await imported(lines(twin('t1'), twin('t2'), observation('t-o', 't2')));
    const { output } = await exported(hub, '/fhir/$export?_type=Patient,Observation');
    const given = await contents(hub, output);
    const count = async () =>
      (await hub.test.database.query('SELECT count(*) AS n, max(seq) AS seq FROM resource')).rows[0];
    const before = await count();
    const { error } = await imported(lines(...given));
    expect(error).toMatchObject([{ count: 1 }]);
    expect((await contents(hub, error))[0].issue[0].diagnostics).toContain('several sources');
    const after = await count();
    expect(after!.n).toBe(before!.n);
    expect(given.filter(({ name }) => name?.[0].family === 'Twinning')).toHaveLength(1);
    expect((await hub.get('/fhir/Observation?patient=t1')).json.entry).toHaveLength(1);
  });

  it('may be compressed, and is refused where it is too large or in another form', async () => {
    const result = await imported(gzipSync(lines(observation('zipped', 'i1'))), { 'content-encoding': 'gzip' });
    expect(result.output[0].count).toBe(1);
    expect((await upload('x', { 'content-encoding': 'br' })).status).toBe(415);
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, `${' '.repeat(1023)}\n`));
    expect((await upload(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await upload('x', { 'content-type': 'text/csv' })).status).toBe(415);
    const { rows } = await hub.test.database.query(`SELECT 1 FROM bulk_job WHERE state = 'receiving'`);
    expect(rows).toEqual([]);
  });

  it('is for those who may, asynchronously', async () => {
    const body = lines(observation('no', 'i1'));
    const type = { 'content-type': 'application/fhir+ndjson', accept: 'application/fhir+json' };
    expect((await hub.send('POST', '/fhir/$import', body, { headers: type })).status).toBe(400);
    const headers = { ...type, ...kickOffHeaders };
    for (const [role, status] of [
      ['clinician', 403],
      ['integration-engineer', 403],
      [null, 401],
    ] as const) {
      expect((await hub.send('POST', '/fhir/$import', body, { role, headers })).status).toBe(status);
    }
    expect((await hub.get('/fhir/Observation/no')).status).toBe(404);
  });
});

describe('files that are fetched', () => {
  const parameters = (...inputs: [string, string][]) => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'inputFormat', valueCode: 'application/fhir+ndjson' },
      { name: 'inputSource', valueUri: 'https://other.example.org' },
      ...inputs.map(([type, url]) => ({
        name: 'input',
        part: [
          { name: 'type', valueCode: type },
          { name: 'url', valueUrl: url },
        ],
      })),
    ],
  });

  it('are stored, and what cannot be fetched or stored is told of each', async () => {
    served.set('/allowed/p.ndjson', lines({ resourceType: 'Patient', id: 'f1' }));
    served.set('/allowed/o.ndjson', lines(observation('f1', 'f1'), { resourceType: 'Patient', id: 'f2' }));
    served.set('/allowed/away.ndjson', `->${files}/secret`);
    served.set('/secret', lines({ resourceType: 'Patient', id: 'secret' }));
    const begun = await kickOff(
      hub,
      '/fhir/$import',
      parameters(
        ['Patient', `${files}/allowed/p.ndjson`],
        ['Observation', `${files}/allowed/o.ndjson`],
        ['Patient', `${files}/allowed/away.ndjson`],
      ),
    );
    expect([begun.status, begun.text]).toEqual([202, begun.text]);
    const { json } = await ended(hub, statusOf(hub, begun));
    expect(json.output).toEqual([
      { type: 'Patient', inputUrl: `${files}/allowed/p.ndjson`, count: 1 },
      { type: 'Observation', inputUrl: `${files}/allowed/o.ndjson`, count: 1 },
      { type: 'Patient', inputUrl: `${files}/allowed/away.ndjson`, count: 0 },
    ]);
    expect(json.error).toHaveLength(2);
    const outcomes = await contents(hub, json.error);
    expect(outcomes.map(({ issue }) => issue[0].diagnostics)).toEqual([
      'Line 2 is a Patient, and the file is said to hold Observation.',
      'A file of the import answered 302, and redirects are not followed.',
    ]);
    expect(asked).not.toContain('/secret');
    expect((await hub.get('/fhir/Patient/secret')).status).toBe(404);
  });

  it('are those of allowed addresses only', async () => {
    for (const url of [
      `${files}/secret`,
      `${files}/allowed/../secret`,
      `${files}/allowed/%2e%2e/secret`,
      `${files}/allowedfiles`,
      `${files.replace('127.0.0.1', 'localhost')}/allowed/p.ndjson`,
      `${files.replace('http://', 'http://user:password@')}/allowed/p.ndjson`,
      `http://169.254.169.254/allowed/p.ndjson`,
      'file:///etc/passwd',
    ]) {
      const answer = await kickOff(hub, '/fhir/$import', parameters(['Patient', url]));
      expect([url, answer.status]).toEqual([url, 403]);
    }
    expect(asked).not.toContain('/secret');
  });

  it('must be named as they are asked for', async () => {
    const url = `${files}/allowed/p.ndjson`;
    for (const body of [
      { resourceType: 'Parameters', parameter: [] },
      { resourceType: 'Patient' },
      parameters(['Nonsense', url]),
      parameters(['Patient', 'nonsense']),
      {
        resourceType: 'Parameters',
        parameter: [...parameters(['Patient', url]).parameter, { name: 'mode', valueString: 'x' }],
      },
      { inputFormat: 'text/csv', input: [{ type: 'Patient', url }] },
    ]) {
      expect((await kickOff(hub, '/fhir/$import', body)).status).toBe(400);
    }
  });
});
