/**
 * A connector to a database that speaks MySQL: a real MariaDB (Debian: mariadb-server), which this starts.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { freePort } from '../testing-port.ts';
import { runConnector } from './testing-run.ts';

const server = process.env.MARIADBD ?? '/usr/sbin/mariadbd';

describe('a query on MariaDB', () => {
  let hub: TestHub;
  let folder: string;
  let child: ChildProcess;
  let port: number;

  beforeAll(async () => {
    hub = await startTestHub();
    await hub.send('PUT', '/api/participants/old-lab', { name: 'Old Lab', kind: 'laboratory' });
    folder = mkdtempSync(join(tmpdir(), 'causeway-mariadb-'));
    port = await freePort();
    const own = [`--datadir=${folder}`, `--user=${userInfo().username}`];
    execFileSync('mariadb-install-db', ['--auth-root-authentication-method=normal', ...own], { stdio: 'ignore' });
    const setUp = join(folder, 'set-up.sql');
    writeFileSync(
      setUp,
      [
        'CREATE DATABASE old;',
        "CREATE USER reader@localhost IDENTIFIED BY 'a secret';",
        'GRANT SELECT, INSERT, CREATE, UPDATE ON old.* TO reader@localhost;',
      ].join('\n'),
    );
    const options = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 's')}`];
    child = spawn(server, ['--no-defaults', ...own, ...options, `--init-file=${setUp}`], { stdio: 'ignore' });
    await vi.waitFor(() => statement('SELECT 1'), { timeout: 60_000, interval: 200 });
    await statement(`CREATE TABLE labs (id bigint unsigned, mrn varchar(20), code varchar(20), result decimal(10,2),
      taken datetime, changed datetime(6), picture blob)`);
    for (let id = 1; id <= 7; id++) {
      await statement(`INSERT INTO labs VALUES (${id}, 'M${id % 3}', '2823-3', 4.10, '2026-01-02 03:04:00',
        '2026-01-01 00:00:00.123456', x'00ff')`);
    }
  }, 120_000);
  afterAll(async () => {
    await hub.stop();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  async function statement(text: string): Promise<void> {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'reader',
      password: 'a secret',
      database: 'old',
    });
    try {
      await connection.query(text);
    } finally {
      await connection.end();
    }
  }

  const map = {
    kind: 'observation',
    columns: {
      mrn: { field: 'patient.id' },
      id: { field: 'row.id' },
      code: { field: 'observation.code', system: 'LN' },
      result: { field: 'observation.value' },
      taken: { field: 'observation.date' },
      changed: { field: 'row.modified' },
      picture: { leftOut: 'no values' },
    },
  };
  const connector = (more: object = {}) => ({
    participant: 'old-lab',
    kind: 'sql',
    settings: {
      ...{ engine: 'mysql', host: '127.0.0.1', port, database: 'old', username: 'reader', tls: false },
      ...{ query: 'SELECT * FROM labs', watermark: 'changed', key: 'id', pageRows: 3, everyMinutes: 600 },
      ...more,
    },
    secrets: { password: 'a secret' },
    map,
  });

  const run = (body?: object) => runConnector(hub, 'old', body);

  it('is taken in pages, though all have one watermark, and then what is behind it', async () => {
    expect(await run(connector())).toMatchObject({ state: 'waiting', all: { taken: 7 } });
    expect((await hub.get('/fhir/Observation?_summary=count')).json.total).toBe(7);
    expect((await run()).last).toMatchObject({ taken: 0, unchanged: 0 });
    await statement(`UPDATE labs SET result = 5.20, changed = '2026-01-06 00:00:00' WHERE id = 1`);
    expect((await run()).last).toMatchObject({ taken: 1 });
    const changed = await hub.resources('Observation?identifier=1');
    expect(changed).toMatchObject([{ valueQuantity: { value: 5.2 }, effectiveDateTime: '2026-01-02T03:04:00Z' }]);
  });

  it('keeps the digits of what it gives', async () => {
    const { json } = await hub.send('POST', '/api/connectors/preview', connector());
    expect(json.rows[0]).toEqual({
      ...{ id: '2', mrn: 'M2', code: '2823-3', result: '4.10', picture: '0x00ff' },
      ...{ taken: '2026-01-02 03:04:00', changed: '2026-01-01 00:00:00.123456' },
    });
  });

  it('that is wrong, or takes too long, says so', async () => {
    const missing = await hub.send('POST', '/api/connectors/preview', connector({ query: 'SELECT * FROM nowhere' }));
    expect([missing.status, missing.text]).toEqual([422, expect.stringMatching(/ER_NO_SUCH_TABLE.*nowhere/)]);
    const slow = connector({ query: 'SELECT labs.*, sleep(3) AS s FROM labs', timeoutSeconds: 1 });
    expect((await hub.send('POST', '/api/connectors/preview', slow)).text).toMatch(
      /1969|3024|ER_(QUERY|STATEMENT)_TIMEOUT/,
    );
    const word = await hub.send('POST', '/api/connectors/preview', { ...connector(), secrets: { password: 'no' } });
    expect(word.text).toMatch(/not reached: ER_ACCESS_DENIED/);
  });
});
