/** A connector to a FHIR server, which is another hub: SMART Backend Services, a bulk export, increments, deletions. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backendService } from '../authorization/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { runConnector } from './testing-run.ts';

let hub: TestHub;
let site: TestHub;
let clientId: string;

beforeAll(async () => {
  [hub, site] = await Promise.all([startTestHub(), startTestHub()]);
  await hub.send('PUT', '/api/participants/oak-hospital', { name: 'Oak Hospital', kind: 'hospital' });
  const { keys } = (await hub.get('/oauth/jwks', { role: null })).json;
  const known = keys.map((jwk: Json) => ({ jwk }));
  clientId = (await backendService(site, known, 'system/Patient.rs system/Observation.rs')).id;
  for (const [id, family] of [
    ['a', 'Elm'],
    ['b', 'Ash'],
  ]) {
    await stated('Patient', id!, { name: [{ family }] });
    await stated('Observation', `${id}1`, observation(id!, 5.1));
    await stated('Observation', `${id}2`, observation(id!, 6.2));
  }
});
afterAll(async () => {
  await Promise.all([hub.stop(), site.stop()]);
});

const observation = (patient: string, value: number) => ({
  status: 'final',
  code: { text: 'potassium' },
  subject: { reference: `Patient/${patient}` },
  valueQuantity: { value, unit: 'mmol/L' },
});

async function stated(resourceType: string, id: string, body: object): Promise<void> {
  const { status, text } = await site.send('PUT', `/fhir/${resourceType}/${id}`, { resourceType, id, ...body });
  expect(status, text).toBeLessThan(300);
}

const connector = (more: object = {}) => ({
  participant: 'oak-hospital',
  kind: 'fhir',
  settings: { url: `${site.url}/fhir`, types: ['Patient', 'Observation'], clientId, everyMinutes: 600, ...more },
});

/** What is told of a connector after a run, which left it in a state. */
async function run(key: string, body?: object, state = 'waiting'): Promise<Json> {
  const after = await runConnector(hub, key, body);
  expect([after.state, after.error ?? null]).toEqual([state, state === 'failing' ? expect.any(String) : null]);
  return after;
}

const family = (name: string) => hub.resources(`Patient?family=${name}`);
const valuesOf = async (name: string) =>
  (await hub.resources(`Observation?patient.family=${name}&_sort=_id`))
    .map((one) => [one.status, one.valueQuantity?.value])
    .sort();

describe('a FHIR server', () => {
  it('is tried without taking anything', async () => {
    const { status, json, text } = await hub.send('POST', '/api/connectors/preview', connector());
    expect(status, text).toBe(200);
    expect(json.found).toMatch(/The server answers. Patient/);
    expect(json.messages.flatMap(({ resources }: Json) => resources).length).toBeGreaterThan(2);
    expect((await hub.get('/api/messages')).json.messages).toEqual([]);
  });

  it('gives all of it by an export at first, then what changed; what comes twice changes nothing', async () => {
    const first = await run('oak', connector());
    expect(first).toMatchObject({ all: { taken: 6, refused: 0 }, progress: { since: expect.any(String) } });
    expect(await family('Elm')).toMatchObject([{ meta: { tag: [{ code: 'oak-hospital' }] } }]);
    expect(await valuesOf('Elm')).toEqual([
      ['final', 5.1],
      ['final', 6.2],
    ]);
    await stated('Observation', 'a1', observation('a', 5.4));
    await stated('Observation', 'a3', observation('a', 7));
    const second = await run('oak');
    expect(second.last).toEqual({ taken: 2, unchanged: 5, refused: 0, gone: 0 });
    expect(await valuesOf('Elm')).toEqual([
      ['final', 5.4],
      ['final', 6.2],
      ['final', 7],
    ]);
    const messages = (await hub.get('/api/messages')).json.messages.length;
    expect((await run('oak')).last).toEqual({ taken: 0, unchanged: 7, refused: 0, gone: 0 });
    expect((await hub.get('/api/messages')).json.messages).toHaveLength(messages);
  });

  it('has deleted something: noticed by comparing ids, it is entered in error here, and whoever stays stays', async () => {
    expect((await site.send('DELETE', '/fhir/Observation/a2')).status).toBe(204);
    await hub.test.database.query(
      `UPDATE connector SET progress = progress || '{"compared": "2020-01-01T00:00:00Z"}' WHERE key = 'oak'`,
    );
    expect((await run('oak')).last).toMatchObject({ gone: 1 });
    expect(await valuesOf('Elm')).toEqual([
      ['entered-in-error', 6.2],
      ['final', 5.4],
      ['final', 7],
    ]);
    await hub.test.database.query(
      `UPDATE connector SET progress = progress || '{"compared": "2020-01-01T00:00:00Z"}' WHERE key = 'oak'`,
    );
    expect((await run('oak')).last).toMatchObject({ gone: 0 });
  });

  it('that misses more than is believed is not believed: nothing is withdrawn', async () => {
    for (const id of ['b1', 'b2']) await site.send('DELETE', `/fhir/Observation/${id}`);
    await hub.test.database.query(
      `UPDATE connector SET progress = progress || '{"compared": "2020-01-01T00:00:00Z"}' WHERE key = 'oak'`,
    );
    const { error } = await run('oak', connector({ mostGone: 1 }), 'failing');
    expect(error).toMatch(/not believed/);
    expect((await valuesOf('Ash')).map(([status]) => status)).toEqual(['final', 'final']);
  });

  it('tells of deletions by its history, and gives all of it page by page', async () => {
    await hub.send('PUT', '/api/participants/second-view', { name: 'Second view', kind: 'hospital' });
    const body = { ...connector({ bulk: false, deletions: 'history' }), participant: 'second-view' };
    await stated('Observation', 'b3', observation('b', 1));
    expect((await run('pages', body)).all).toMatchObject({ taken: 5 });
    await site.send('DELETE', '/fhir/Observation/b3');
    await stated('Observation', 'b4', observation('b', 2));
    await site.send('DELETE', '/fhir/Observation/b4');
    expect((await run('pages')).last).toMatchObject({ gone: 1, taken: 0 });
    const own = await hub.resources('Observation?_tag=urn:causeway:source|second-view&status=entered-in-error');
    expect(own).toMatchObject([{ valueQuantity: { value: 1 } }]);
  });
});

describe('a server that misbehaves', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: string[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  const at = (more: object = {}) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4`;
    asked = [];
    return connector({ url, sign: 'none', clientId: undefined, types: ['Patient'], ...more });
  };
  const json = (response: ServerResponse, body: object, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));

  it('and asks to wait is left alone for so long, which is no failure', async () => {
    answer = (request, response) => {
      if (request.url!.includes('metadata')) json(response, {});
      else response.writeHead(429, { 'retry-after': '120' }).end();
    };
    const after = await run('busy', at({ bulk: false }));
    expect(after.failures).toBe(0);
    const waits = Date.parse(after.nextRun) - Date.parse(after.ended);
    expect(waits).toBeGreaterThan(115_000);
    expect(waits).toBeLessThan(125_000);
  });

  it('without an export is asked page by page, and goes on where it was when it breaks off', async () => {
    let isBroken = true;
    const page = (id: string, next?: string) => ({
      resourceType: 'Bundle',
      type: 'searchset',
      link: next ? [{ relation: 'next', url: next }] : [],
      entry: [{ resource: { resourceType: 'Patient', id, name: [{ family: `Page${id}` }] } }],
    });
    answer = (request, response) => {
      if (request.url!.includes('$export')) json(response, {}, 404);
      else if (request.url!.includes('metadata')) json(response, {});
      else if (!request.url!.includes('page=2')) json(response, page('1', '/r4/Patient?page=2'));
      else if (isBroken) response.destroy();
      else json(response, page('2'));
    };
    const broken = await run('parts', at(), 'failing');
    expect(broken).toMatchObject({ failures: 1, all: { taken: 1 } });
    expect(broken.error).toMatch(/could not be reached/);
    isBroken = false;
    asked = [];
    expect(await run('parts')).toMatchObject({ failures: 0, last: { taken: 1 } });
    expect(asked.filter((url) => url.startsWith('/r4/Patient'))).toEqual(['/r4/Patient?page=2']);
    expect(await family('Page2')).toHaveLength(1);
  });

  const observed = (id: string, more: object = {}) => ({
    resourceType: 'Observation',
    id,
    meta: { lastUpdated: '2026-01-02T03:04:05Z' },
    status: 'final',
    code: { text: id },
    subject: { reference: 'Patient/1' },
    ...more,
  });
  const bundle = (entry: object[], next?: string) => ({
    resourceType: 'Bundle',
    type: 'searchset',
    link: next ? [{ relation: 'next', url: next }] : [],
    entry,
  });
  const statusOf = async (text: string) => (await hub.resources(`Observation?code:text=${text}`))[0].status;

  it('and hides something for a while has it back when it shows it again, as it was', async () => {
    let isHidden = false;
    let hour = 10;
    answer = (request, response) => {
      response.setHeader('date', `Sun, 01 Feb 2026 ${hour}:00:00 GMT`);
      if (request.url!.includes('metadata')) return json(response, {});
      if (request.url!.includes('Observation/fleeting'))
        return json(response, isHidden ? {} : observed('fleeting'), isHidden ? 404 : 200);
      const isIncrement = request.url!.includes('_lastUpdated');
      json(response, bundle(isHidden || isIncrement ? [] : [{ resource: observed('fleeting') }]));
    };
    await run('fleeting', at({ bulk: false, types: ['Observation'] }));
    const compare = () =>
      hub.test.database.query(
        `UPDATE connector SET progress = progress || '{"compared": "2020-01-01T00:00:00Z"}' WHERE key = 'fleeting'`,
      );
    expect(await statusOf('fleeting')).toBe('final');
    isHidden = true;
    hour = 11;
    await compare();
    expect((await run('fleeting')).last).toMatchObject({ gone: 1 });
    expect(await statusOf('fleeting')).toBe('entered-in-error');
    isHidden = false;
    hour = 12;
    await compare();
    expect((await run('fleeting')).last).toMatchObject({ taken: 1, gone: 0 });
    expect(await statusOf('fleeting')).toBe('final');
  });

  it('and tells on a later page of a deletion before what it made again takes nothing back', async () => {
    const made = observed('remade');
    const history = [
      bundle(
        [
          {
            resource: observed('remade', { note: [{ text: 'again' }] }),
            request: { method: 'PUT', url: 'Observation/remade' },
          },
        ],
        '/r4/Observation/_history?page=2',
      ),
      bundle([
        { request: { method: 'DELETE', url: 'Observation/remade' } },
        { resource: made, request: { method: 'PUT', url: 'Observation/remade' } },
      ]),
    ];
    answer = (request, response) => {
      if (request.url!.includes('metadata')) return json(response, {});
      if (!request.url!.includes('_history')) return json(response, bundle([{ resource: made }]));
      json(response, history[request.url!.includes('page=2') ? 1 : 0]!);
    };
    await run('remade', at({ bulk: false, types: ['Observation'], deletions: 'history' }));
    expect((await run('remade')).last).toMatchObject({ gone: 0 });
    expect(await statusOf('remade')).toBe('final');
  });

  it('and gives addresses that open files to whoever has them has them shown to nobody', async () => {
    answer = (request, response) => {
      if (request.url!.includes('$export'))
        return response.writeHead(202, { 'content-location': '/r4/status?ticket=hidden' }).end();
      if (request.url!.includes('status')) {
        const output = [{ type: 'Patient', url: `${connectorUrl()}/file?signature=hidden` }];
        return json(response, { transactionTime: '2026-01-02T03:04:05Z', requiresAccessToken: false, output });
      }
      response.writeHead(500).end();
    };
    const connectorUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4`;
    await run('signed', at(), 'failing');
    const { text } = await hub.get('/api/connectors/signed');
    expect(text).not.toContain('hidden');
    expect(text).toContain('"files":1');
    expect((await hub.get('/api/connectors')).text).not.toContain('hidden');
  });

  it('and leads elsewhere is not followed', async () => {
    answer = (request, response) => {
      if (request.url!.includes('metadata')) json(response, {});
      else
        json(response, {
          resourceType: 'Bundle',
          link: [{ relation: 'next', url: 'http://169.254.169.254/latest' }],
        });
    };
    const { error } = await run('astray', at({ bulk: false }), 'failing');
    expect(error).toMatch(/goes on at another server/);
    answer = (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    expect((await run('astray', undefined, 'failing')).error).toMatch(/redirects/);
  });
});
