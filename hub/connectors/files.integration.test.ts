/** Connectors that take files, from a local folder and by SFTP, and rows of a query, on a whole hub. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { type SftpServer, startSftpServer } from '../testing-sftp.ts';
import { runConnector } from './testing-run.ts';
import { sqlTests } from './testing-sql.ts';

let hub: TestHub;
let root: string;
let sftp: SftpServer;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'causeway-drop-'));
  for (const name of ['labs', 'mixed', 'remote', 'kept', 'long', 'stopped', 'lines']) mkdirSync(join(root, name));
  [hub, sftp] = await Promise.all([
    startTestHub({ connectorFolders: [root] }),
    startSftpServer(root, 'a secret of the site'),
  ]);
  await hub.send('PUT', '/api/participants/mill-clinic', { name: 'Mill Clinic', kind: 'practice' });
});
afterAll(async () => {
  await hub.stop();
  sftp.close();
  rmSync(root, { recursive: true, force: true });
});

/** Writes a file as if it lay there for an hour. */
function drop(path: string, content: string | Buffer, ageMs = 3_600_000): void {
  writeFileSync(join(root, path), content);
  const then = new Date(Date.now() - ageMs);
  utimesSync(join(root, path), then, then);
}

const folder = (path: string, more: object = {}) => ({
  participant: 'mill-clinic',
  kind: 'folder',
  settings: { path: join(root, path), everyMinutes: 600, ...more },
});

async function made(key: string, body: object): Promise<void> {
  const answer = await hub.send('PUT', `/api/connectors/${key}`, body);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
}

/** Resolves when a run has ended that began now or later. */
async function ran(key: string, state = 'waiting'): Promise<Json> {
  return vi.waitFor(
    async () => {
      const { json } = await hub.get(`/api/connectors/${key}`);
      expect(json.state, json.error).toBe(state);
      expect(json.isRunning).toBe(false);
      return json;
    },
    { timeout: 30_000, interval: 50 },
  );
}

async function again(key: string): Promise<Json> {
  await runConnector(hub, key);
  return ran(key);
}

const message = (id: string, mrn: string, more = '') =>
  `MSH|^~\\&|LAB|MILL|HUB|REGION|20260102030405||ORU^R01|${id}|P|2.5.1\nPID|1||${mrn}^^^MILL^MR||Oak^${id}\n` +
  `OBR|1||F${id}|718-7^Hemoglobin^LN|||20260102\nOBX|1|NM|718-7^Hemoglobin^LN||13.2|g/dL|||||F\n${more}`;

const map = {
  kind: 'observation',
  dates: 'MDY',
  columns: {
    MRN: { field: 'patient.id' },
    Surname: { field: 'patient.family' },
    Code: { field: 'observation.code', system: 'LN' },
    Result: { field: 'observation.value' },
    Date: { field: 'observation.date' },
    Tech: { leftOut: 'of no use to others' },
  },
};

describe('a folder of rows', () => {
  it('is tried without taking anything, and taken by the map that is made of it', async () => {
    const rows = [
      'MRN;Surname;Code;Result;Date;Tech;Shelf',
      '1;Käfer;718-7;13,2;01/31/2026;kb;4',
      '2;Oak;718-7;9.1;02/01/2026;kb;',
    ];
    drop('labs/monday.csv', Buffer.from(rows.join('\r\n'), 'latin1'));
    const settings = { content: 'table', pattern: '*.csv', table: { delimiter: ';', encoding: 'windows-1252' } };
    const body = folder('labs', settings);
    const seen = await hub.send('POST', '/api/connectors/preview', { ...body, map });
    expect(seen.status, seen.text).toBe(200);
    expect(seen.json.names).toEqual(['monday.csv']);
    expect(seen.json.rows[0]).toMatchObject({ MRN: '1', Surname: 'Käfer', Shelf: '4' });
    const [first] = seen.json.messages;
    expect(first.resources.map(({ resourceType }: Json) => resourceType)).toEqual(['Patient', 'Observation']);
    expect(first.resources[1]).toMatchObject({ valueString: '13,2', effectiveDateTime: '2026-01-31' });
    const went = Object.fromEntries(first.ledger.map(({ source, disposition }: Json) => [source, disposition]));
    expect(went).toMatchObject({ 'sample/MRN': 'mapped', 'sample/Tech': 'rejected', 'sample/Shelf': 'kept' });
    expect((await hub.get('/api/messages')).json.messages).toEqual([]);
    const proposed = await hub.send('POST', '/api/connectors/proposed-map', {
      columns: Object.keys(seen.json.rows[0]),
      rows: seen.json.rows,
    });
    expect(proposed.json.map).toMatchObject({
      kind: 'observation',
      dates: 'MDY',
      columns: { MRN: { field: 'patient.id' } },
    });

    await made('labs', { ...body, map });
    expect(await ran('labs')).toMatchObject({ last: { taken: 2, refused: 0 }, all: { taken: 2 } });
    await hub.settled();
    const found = await hub.resources('Observation?code=http://loinc.org|718-7&_sort=date');
    expect(found.map((one: Json) => one.valueString ?? one.valueQuantity?.value)).toEqual(['13,2', 9.1]);
    expect(readdirSync(join(root, 'labs/done'))).toEqual(['monday.csv']);
  });

  it('that are corrected by a later file revise what is known, and a row that says too little is told', async () => {
    drop('labs/tuesday.csv', 'MRN;Surname;Code;Result;Date\n2;Oak;718-7;9.4;02/01/2026\n;Nobody;718-7;1;02/01/2026\n');
    expect(await again('labs')).toMatchObject({ last: { taken: 2 }, all: { taken: 4 } });
    await hub.settled();
    const found = await hub.resources('Observation?code=http://loinc.org|718-7&date=2026-02-01');
    expect(found).toMatchObject([{ meta: { versionId: '2' }, valueQuantity: { value: 9.4 } }]);
    const { json } = await hub.get('/api/messages?dialect=table');
    expect(json.messages.map(({ issues }: Json) => issues)).toContain(1);
    const opened = (await hub.get(`/api/messages/${json.messages[0].id}`)).json;
    expect(JSON.parse(opened.original)).toMatchObject({ table: 'labs', file: 'tuesday.csv', row: { Code: '718-7' } });
    expect(opened.ledger.length).toBeGreaterThan(3);
  });

  it('in another encoding than was told goes to the failed ones with its reason, and does not stop the others', async () => {
    await made('labs', folder('labs', { content: 'table', table: { delimiter: ';' } }));
    drop('labs/a-bad.csv', Buffer.from('MRN;Surname\n3;K\xe4fer\n', 'latin1'), 7_200_000);
    drop('labs/b-good.csv', 'MRN;Surname\n3;Kaefer\n');
    const after = await again('labs');
    expect(after.failed).toMatchObject([{ item: 'a-bad.csv', reason: expect.stringMatching(/not in utf-8/) }]);
    expect(readdirSync(join(root, 'labs/failed'))).toEqual(['a-bad.csv']);
    expect(existsSync(join(root, 'labs/done/b-good.csv'))).toBe(true);
  });
});

describe('a folder of messages', () => {
  it('takes single messages, batches and documents of FHIR; what is none goes to the failed ones', async () => {
    const batch = [
      'FHS|^~\\&|LAB',
      'BHS|^~\\&|LAB',
      message('B1', '11').trimEnd(),
      message('B2', '12').trimEnd(),
      'BTS|2',
      'FTS|1',
    ];
    drop('mixed/one.hl7', message('A1', '10'));
    drop('mixed/batch.hl7', batch.join('\n'));
    drop('mixed/short.hl7', ['BHS|^~\\&|LAB', message('C1', '13').trimEnd(), 'BTS|2'].join('\r'));
    drop('mixed/page.txt', 'Dear colleague');
    drop('mixed/young.hl7', message('Y1', '14'), 0);
    const resources = [
      { resourceType: 'Patient', id: 'p1', name: [{ family: 'Line' }] },
      {
        resourceType: 'Observation',
        id: 'o1',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/p1' },
      },
    ];
    drop('mixed/export.ndjson', resources.map((one) => JSON.stringify(one)).join('\n'));
    await made('mixed', folder('mixed'));
    const { failed, all } = await ran('mixed');
    expect(all).toMatchObject({ taken: 5, refused: 1 });
    expect(failed.map(({ item }: Json) => item).sort()).toEqual(['page.txt', 'short.hl7']);
    expect(failed.find(({ item }: Json) => item === 'short.hl7').reason).toMatch(
      /says that it has 2 messages, and has 1/,
    );
    expect(readdirSync(join(root, 'mixed')).sort()).toEqual(['done', 'failed', 'young.hl7']);
    await hub.settled();
    expect(await hub.resources('Patient?family=Line')).toHaveLength(1);
    const { json } = await hub.get('/api/messages?source=mill-clinic&dialect=hl7v2');
    expect(json.messages.map(({ controlId }: Json) => controlId).sort()).toEqual(['A1', 'B1', 'B2', 'C1']);
  });

  it('lies below none that the operator allowed: it is not opened, and the run fails', async () => {
    await made('outside', folder('..', {}));
    const after = await ran('outside', 'failing');
    expect(after.error).toMatch(/operator allowed/);
    expect(after.failures).toBe(1);
  });

  it('is remembered where it must stay as it is; a file that changes is taken again', async () => {
    drop('kept/a.hl7', message('K1', '20'));
    await made('kept', folder('kept', { after: 'remember' }));
    expect(await ran('kept')).toMatchObject({ all: { taken: 1 } });
    expect(await again('kept')).toMatchObject({ last: { taken: 0 }, all: { taken: 1 } });
    drop('kept/a.hl7', message('K1', '20') + message('K2', '21'), 1_800_000);
    expect(await again('kept')).toMatchObject({ last: { taken: 1, unchanged: 1 } });
    expect(readdirSync(join(root, 'kept'))).toEqual(['a.hl7']);
  });
});

describe('a long file', () => {
  it('is gone on with where it was left, and no faster than is allowed', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `${i},x,718-7,${i},01/31/2026`);
    drop('long/rows.csv', ['MRN,Surname,Code,Result,Date', ...rows].join('\n'));
    const settings = { content: 'table', table: {} };
    await made('long', { ...folder('long', { ...settings, perSecond: 20 }), map });
    const counts = async () => (await hub.get('/api/connectors/long')).json.all;
    await vi.waitFor(async () => expect((await counts()).taken).toBe(200), { timeout: 30_000, interval: 50 });
    await hub.send('POST', '/api/connectors/long/pause', {});
    await ran('long', 'paused');
    expect(await counts()).toMatchObject({ taken: 200 });
    await made('long', folder('long', settings));
    await hub.send('POST', '/api/connectors/long/resume', {});
    await vi.waitFor(() => expect(existsSync(join(root, 'long/done/rows.csv'))).toBe(true), { timeout: 30_000 });
    expect((await ran('long')).all).toEqual({ taken: 500, unchanged: 0, refused: 0, gone: 0 });
    const { rows: stored } = await hub.test.database.query(`SELECT 1 FROM message WHERE control_id LIKE 'rows.csv:%'`);
    expect(stored).toHaveLength(500);
  });
});

describe('a participant that may not send any more while it is taken from', () => {
  it('loses nothing: the run fails, and goes on where it was when that is over', async () => {
    await hub.send('PUT', '/api/participants/stopped-clinic', { name: 'Stopped Clinic', kind: 'practice' });
    const step = async (state: string) => {
      await hub.test.database.query(
        `INSERT INTO participant_step (participant, state, by_whom, note) VALUES ('stopped-clinic', $1, 'ann', 'x')`,
        [state],
      );
      await vi.waitFor(async () => {
        expect((await hub.get('/api/participants/stopped-clinic/standing')).json.state).toBe(state);
      });
    };
    const rows = Array.from({ length: 450 }, (_, i) => `${i},x,718-7,${i},01/31/2026`);
    drop('stopped/rows.csv', ['MRN,Surname,Code,Result,Date', ...rows].join('\n'));
    const body = folder('stopped', { content: 'table', table: {}, perSecond: 100 });
    await made('stopped', { ...body, participant: 'stopped-clinic', map });
    const counts = async () => (await hub.get('/api/connectors/stopped')).json.all;
    await vi.waitFor(async () => expect((await counts()).taken).toBe(200), { timeout: 30_000, interval: 20 });
    await step('suspended');
    expect((await ran('stopped', 'failing')).error).toMatch(/suspended/);
    expect(existsSync(join(root, 'stopped/rows.csv'))).toBe(true);
    await step('live');
    await hub.send('POST', '/api/connectors/stopped/run', {});
    await vi.waitFor(() => expect(existsSync(join(root, 'stopped/done/rows.csv'))).toBe(true), { timeout: 30_000 });
    expect((await ran('stopped')).all).toEqual({ taken: 450, unchanged: 0, refused: 0, gone: 0 });
  });
});

describe('a file of resources, one a line', () => {
  it('knows those without an id by what they say, and what stands before a line that is none is taken', async () => {
    const patient = (family: string, more: object = {}) =>
      JSON.stringify({ resourceType: 'Patient', name: [{ family }], ...more });
    drop('lines/a.ndjson', [patient('Lone'), patient('Other'), patient('Known', { id: 'k' })].join('\n'));
    drop(
      'lines/b.ndjson',
      [patient('Before', { id: 'b' }), 'null', patient('After', { id: 'c' })].join('\n'),
      1_800_000,
    );
    await made('lines', folder('lines'));
    const { failed } = await ran('lines');
    expect(failed).toMatchObject([{ item: 'b.ndjson', reason: expect.stringMatching(/no resource/) }]);
    await hub.settled();
    const found = await hub.resources(
      'Patient?_tag=urn:causeway:source|mill-clinic&family=Lone,Other,Known,Before,After',
    );
    expect(found.map(({ name }: Json) => name[0].family).sort()).toEqual(['Before', 'Known', 'Lone', 'Other']);
  });
});

describe('a folder by SFTP', () => {
  const remote = (more: object, secrets: object | undefined) => ({
    participant: 'mill-clinic',
    kind: 'sftp',
    settings: {
      host: '127.0.0.1',
      port: sftp.port,
      username: 'causeway',
      fingerprint: sftp.fingerprint,
      path: '/remote',
      everyMinutes: 600,
      ...more,
    },
    ...(secrets && { secrets }),
  });
  const secrets = { password: 'a secret of the site' };

  it('is taken, and moved there', async () => {
    drop('remote/r1.hl7', message('R1', '30'));
    await made('remote', remote({}, secrets));
    expect(await ran('remote')).toMatchObject({ all: { taken: 1 } });
    expect(readdirSync(join(root, 'remote/done'))).toEqual(['r1.hl7']);
  });

  it('keeps its password to itself', async () => {
    const { text } = await hub.get('/api/connectors/remote');
    expect(text).not.toContain(secrets.password);
    const { rows } = await hub.test.database.query('SELECT secrets, settings::text FROM connector');
    expect(JSON.stringify(rows)).not.toContain('a secret');
    expect(rows.some(({ secrets: sealed }) => sealed?.includes('secret'))).toBe(false);
    const elsewhere = await hub.send('POST', '/api/connectors/preview', {
      key: 'remote',
      ...remote({ host: 'localhost' }, undefined),
    });
    expect(elsewhere.text).toMatch(/neither a password nor a key/);
  });

  it('of another host key is not spoken to, and of a wrong password says so', async () => {
    const other = `SHA256:${Buffer.alloc(32, 7).toString('base64').slice(0, 43)}`;
    const key = await hub.send('POST', '/api/connectors/preview', remote({ fingerprint: other }, secrets));
    expect([key.status, key.text]).toEqual([422, expect.stringMatching(/host key/)]);
    const word = await hub.send('POST', '/api/connectors/preview', remote({}, { password: 'wrong' }));
    expect([word.status, word.text]).toEqual([422, expect.stringMatching(/does not let the hub in/)]);
  });
});

describe('who may', () => {
  it('make connectors are administrators; engineers look after them', async () => {
    const role = 'integration-engineer';
    expect((await hub.send('PUT', '/api/connectors/x', folder('labs'), { role })).status).toBe(403);
    expect((await hub.send('POST', '/api/connectors/preview', folder('labs'), { role })).status).toBe(403);
    expect((await hub.get('/api/connectors', { role })).status).toBe(200);
    expect((await hub.send('POST', '/api/connectors/labs/pause', {}, { role })).json.state).toBe('paused');
    expect((await hub.send('POST', '/api/connectors/labs/run', {}, { role })).status).toBe(409);
    expect((await hub.get('/api/connectors', { role: 'clinician' })).status).toBe(403);
  });

  it('name a path or setting that is wrong is told what would be right', async () => {
    for (const [settings, words] of [
      [{ path: 'labs' }, /absolute path/],
      [{ everyMinutes: 0 }, /whole number/],
      [{ colour: 'red' }, /colour is unknown/],
      [{ content: 'table' }, /how the rows are written/],
    ] as const) {
      const answer = await hub.send('PUT', '/api/connectors/wrong', folder('labs', settings));
      expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(words)]);
    }
  });
});

sqlTests(() => hub);
