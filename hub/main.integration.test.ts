import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHub } from './main.ts';
import { startTestHub, type TestHub } from './testing.ts';
import { adt } from './testing-messages.ts';

describe('a hub as a whole', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  it('makes a searchable Patient of a message', async () => {
    const [answer] = await hub.deliver(
      adt('A04', { id: '4711', family: 'Rivers', given: 'Ada', birth: '19800229', sex: 'F' }),
    );
    expect(answer).toContain('MSA|AA|');
    await hub.settled();
    const found = await hub.get('/fhir/Patient?family=Rivers&birthdate=1980-02-29');
    expect(found.status).toBe(200);
    expect(found.json.entry).toHaveLength(1);
    expect(found.json.entry[0].resource.gender).toBe('female');
    const status = await hub.get('/api/status');
    expect(status.json).toMatchObject({ received: 1, processed: 1, dead: 0, persons: 1, sourcePatients: 1 });
  });

  it('takes content that cannot be right, and counts it', async () => {
    const before = (await hub.get('/api/status')).json.questionable;
    const [answer] = await hub.deliver(adt('A04', { id: '4712', family: 'Rivers', given: 'Bea', birth: '20240230' }));
    expect(answer).toContain('MSA|AA|');
    await hub.settled();
    const status = await hub.get('/api/status');
    expect(status.json).toMatchObject({ dead: 0, questionable: before + 1 });
    const { json } = await hub.get('/fhir/Patient?family=Rivers&given=Bea');
    expect(json.entry[0].resource.birthDate).toBeUndefined();
  });

  it('has on disk what it acknowledged before it was stopped, and goes on with it', async () => {
    const client = await hub.mllp();
    for (let i = 0; i < 200; i++)
      client.send(adt('A08', { id: `STOP${i}`, family: 'Stopper' }, { controlId: `STOP${i}` }));
    await client.answer();
    const { config } = hub;
    const answered = (async () => {
      let count = 1;
      for (;;) {
        try {
          await client.answer();
          count++;
        } catch {
          return count;
        }
      }
    })();
    const other = await startHub(config, quiet, async () => undefined);
    await other.stop();
    client.end();
    const acknowledged = await answered;
    const { rows } = await hub.test.database.query(`SELECT count(*) AS n FROM message WHERE control_id LIKE 'STOP%'`);
    expect(rows[0]!.n).toBe(acknowledged);
    expect(acknowledged).toBe(200);
    await hub.settled();
  });

  it('refuses a database that was written with another key, and leaves nothing open', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'causeway-other-'));
    symlinkSync(join(hub.config.dataDir, 'cache'), join(dataDir, 'cache'));
    await expect(startHub({ ...hub.config, dataDir }, quiet, async () => undefined)).rejects.toThrow(
      /key that opens it is missing/,
    );
    rmSync(dataDir, { recursive: true });
  });

  it('says which port is taken, and stops what was begun', async () => {
    const starting = startHub({ ...hub.config, mllpPort: hub.mllpPort }, quiet, async () => undefined);
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE', port: hub.mllpPort });
    const { rows } = await hub.test.database.query(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'causeway'`,
    );
    expect(rows[0]!.n).toBeLessThanOrEqual(8 + hub.config.databaseConnections);
    expect((await hub.get('/api/status')).status).toBe(200);
  });
});

const quiet = { say: () => {}, count: () => {}, fail: () => {} };
