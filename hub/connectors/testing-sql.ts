/** Tests of a connector that takes the rows of a query on a real PostgreSQL, on a hub that others are tried on too. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import type { Json, TestHub } from '../testing.ts';
import { runConnector } from './testing-run.ts';

/** @param hubOf the hub, once it is started */
export function sqlTests(hubOf: () => TestHub): void {
  describe('a query on a legacy database', () => {
    let hub: TestHub;
    let legacy: TestDatabase;

    beforeAll(async () => {
      hub = hubOf();
      legacy = await testDatabase();
      await hub.send('PUT', '/api/participants/old-lab', { name: 'Old Lab', kind: 'laboratory' });
      await legacy.database.query(`CREATE TABLE labs (id bigint, mrn text, code text, result numeric, taken timestamp,
      note text, changed timestamptz)`);
      await add(1, 7, '2026-01-01T00:00:00Z');
    });
    afterAll(() => legacy.drop());

    /** Rows of one moment, so that pages end within it. */
    async function add(from: number, count: number, changed: string, result = '4.10'): Promise<void> {
      await legacy.database.query(
        `INSERT INTO labs SELECT n, 'M' || n % 3, '2823-3', $3::numeric, '2026-01-02 03:04', NULL, $4
       FROM generate_series($1::int, $1::int + $2::int - 1) n`,
        [from, count, result, changed],
      );
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
      },
    };

    function connector(more: object = {}) {
      const { host, port, user: username, database } = legacy.connection as Json;
      const source = { engine: 'postgresql', host, port, database, username, tls: false };
      const settings = { ...source, query: 'SELECT * FROM labs', watermark: 'changed', key: 'id', pageRows: 3 };
      return { participant: 'old-lab', kind: 'sql', settings: { ...settings, everyMinutes: 600, ...more }, map };
    }

    const run = (key: string, body?: object) => runConnector(hub, key, body);

    it('is tried without taking anything', async () => {
      const { status, json, text } = await hub.send('POST', '/api/connectors/preview', connector());
      expect(status, text).toBe(200);
      expect(json.rows[0]).toMatchObject({ id: '1', result: '4.10', taken: '2026-01-02 03:04:00' });
      expect(json.messages[0].resources[1]).toMatchObject({ valueQuantity: { value: 4.1 } });
    });

    it('is taken in pages by its watermark, then only what is behind it; what is changed revises', async () => {
      expect(await run('legacy', connector())).toMatchObject({ state: 'waiting', all: { taken: 7 } });
      const all = await hub.get('/fhir/Observation?_summary=count&_tag=urn:causeway:source|old-lab');
      expect(all.json.total).toBe(7);
      await add(8, 2, '2026-01-05T00:00:00Z');
      await legacy.database.query(`UPDATE labs SET result = 5.2, changed = '2026-01-06T00:00:00Z' WHERE id = 1`);
      expect(await run('legacy')).toMatchObject({ last: { taken: 3, unchanged: 0 }, progress: { key: '1' } });
      const changed = await hub.resources('Observation?identifier=1');
      expect(changed).toMatchObject([{ meta: { versionId: '2' }, valueQuantity: { value: 5.2 } }]);
      expect((await run('legacy')).last).toMatchObject({ taken: 0, unchanged: 0 });
    });

    it('reaches back for what was committed late, and what comes twice is not taken again', async () => {
      await add(20, 1, '2026-01-05T23:59:00Z');
      const after = await run('legacy', connector({ overlapSeconds: 600 }));
      expect(after.last).toMatchObject({ taken: 1, unchanged: 1 });
    });

    it('that would write, or names what is not there, is told and writes nothing', async () => {
      await legacy.database.query('CREATE SEQUENCE counter');
      const writing = connector({ query: `SELECT *, nextval('counter') FROM labs` });
      const written = await hub.send('POST', '/api/connectors/preview', writing);
      expect([written.status, written.text]).toEqual([422, expect.stringMatching(/25006/)]);
      const missing = await hub.send('POST', '/api/connectors/preview', connector({ query: 'SELECT * FROM nowhere' }));
      expect(missing.text).toMatch(/42P01.*nowhere/);
      const two = await hub.send('POST', '/api/connectors/preview', connector({ query: 'SELECT 1; DROP TABLE labs' }));
      expect(two.status).toBe(400);
      const slow = connector({ query: 'SELECT labs.* FROM labs, pg_sleep(3)', timeoutSeconds: 1 });
      expect((await hub.send('POST', '/api/connectors/preview', slow)).text).toMatch(/57014/);
    });
  });
}
