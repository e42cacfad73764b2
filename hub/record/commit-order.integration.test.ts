import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../database/index.ts';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, testRecord } from '../testing-record.ts';
import type { FhirRecord } from './index.ts';

let test: TestDatabase;
/** Two hubs over one database. */
let one: FhirRecord;
let other: FhirRecord;
let another: (database?: Database) => FhirRecord;

beforeAll(async () => {
  ({ test, record: one, another } = await testRecord());
  other = another();
});
afterAll(() => test.drop());

function basic(record: FhirRecord, id: string) {
  return record.scan(JSON.stringify({ resourceType: 'Basic', id, code: { text: id } }), 'Basic');
}

function observation(record: FhirRecord, patient: string, id: string) {
  const subject = { reference: `Patient/${patient}` };
  const told = { resourceType: 'Observation', id, status: 'final', code: { text: 'x' }, subject };
  return record.scan(JSON.stringify(told), 'Observation');
}

async function idsSince(time: string): Promise<string[]> {
  const query = new URLSearchParams(`_lastUpdated=gt${time}`);
  const { matches } = await one.search(clinician, one.readSearch('Basic', query, false));
  return matches.map(({ text }) => JSON.parse(text).id).sort();
}

/** A change that has begun, and waits in its transaction until it is told to go on. */
function slowly(
  record: FhirRecord,
  id: string,
  text = JSON.stringify({ resourceType: 'Basic', id, code: { text: id } }),
) {
  const begun = Promise.withResolvers<void>();
  const may = Promise.withResolvers<void>();
  const done = record.writer.write({
    keys: [{ type: 'Basic', id }],
    patients: [],
    alone: true,
    apply: async (set) => {
      const version = set.put(record.scan(text, 'Basic'), 'Basic', id);
      begun.resolve();
      await may.promise;
      return version;
    },
  });
  return { begun: begun.promise, goOn: () => may.resolve(), done };
}

describe('times are in the order of commits', () => {
  it('a change that began earlier and is committed later has the later time, in text, row and answer', async () => {
    const late = slowly(one, 'late');
    await late.begun;
    const early = await other.update(custodian, basic(other, 'early'), 'early');
    const lastSeen = JSON.parse(early.text).meta.lastUpdated;
    late.goOn();
    const stored = await late.done;
    expect(await idsSince(lastSeen)).toEqual(['late']);
    expect(stored.updated.getTime()).toBeGreaterThan(early.updated.getTime());
    const read = await one.read(clinician, 'Basic', 'late');
    expect(JSON.parse(read.text).meta.lastUpdated).toBe(stored.updated.toISOString());
    expect(read.text).toBe(stored.text);
    expect(read.updated).toEqual(stored.updated);
  });

  it('the later time is put into the resource’s own meta, wherever that stands, and nowhere else', async () => {
    const contained = {
      resourceType: 'Basic',
      id: 'c',
      code: { text: 'c' },
      meta: { lastUpdated: '2020-01-01T00:00:00.000Z' },
    };
    const meta = { tag: [{ code: '"lastUpdated":"' }], lastUpdated: '2021-01-01T00:00:00.000Z' };
    const told = { contained: [contained], resourceType: 'Basic', code: { text: 't' }, meta, id: 'told' };
    const late = slowly(one, 'told', JSON.stringify(told));
    await late.begun;
    const early = await other.update(custodian, basic(other, 'early-2'), 'early-2');
    late.goOn();
    const { text, updated } = await late.done;
    expect(updated.getTime()).toBeGreaterThan(early.updated.getTime());
    const lastUpdated = updated.toISOString();
    expect(JSON.parse(text!)).toEqual({ ...told, meta: { tag: meta.tag, versionId: '1', lastUpdated } });
    expect((await one.read(clinician, 'Basic', 'told')).text).toBe(text);
  });

  it('a poller that asks for what is newer than the newest it saw misses nothing', async () => {
    const seen = new Set<string>();
    let newest = new Date().toISOString();
    let isWriting = true;
    const poll = async () => {
      const query = new URLSearchParams(`_lastUpdated=gt${newest}&_sort=_lastUpdated&_count=1000`);
      const { matches } = await one.search(clinician, one.readSearch('Basic', query, false));
      for (const { text } of matches) {
        const { id, meta } = JSON.parse(text);
        seen.add(id);
        newest = meta.lastUpdated;
      }
    };
    const polling = (async () => {
      while (isWriting) await poll();
    })();
    const written: string[] = [];
    const rounds = Array.from({ length: 150 }, (_, i) => i);
    await Promise.all(
      [one, other, one, other].map(async (record, writer) => {
        for (const round of rounds) {
          const id = `w${writer}-${round}`;
          written.push(id);
          const isAlone = (writer + round) % 3 === 0;
          await record.writer.write({
            keys: [{ type: 'Basic', id }],
            patients: [],
            alone: isAlone,
            apply: (set) => set.put(basic(record, id), 'Basic', id),
          });
        }
      }),
    );
    isWriting = false;
    await polling;
    await poll();
    expect([...seen].sort()).toEqual(written.sort());
  });

  it('the times of versions are in the order of their sequence numbers', async () => {
    const { rows } = await test.database.query(
      `SELECT count(*) FILTER (WHERE updated < before) AS wrong, count(*) AS count FROM
         (SELECT updated, lag(updated) OVER (ORDER BY seq) AS before FROM resource) v`,
    );
    expect(Number(rows[0]!.wrong)).toBe(0);
    expect(Number(rows[0]!.count)).toBeGreaterThan(600);
  });
});

describe('numbers that a small change is not told', () => {
  it('are those of the clock: of versions, of their places and of what they are found by', async () => {
    const text = (id: string, value: string) =>
      JSON.stringify({ resourceType: 'Basic', id, code: { coding: [{ code: value }] } });
    const before = await one.update(custodian, basic(one, 'numbered-before'), 'numbered-before');
    await one.writer.write({
      keys: ['numbered-before', 'numbered-a', 'numbered-b'].map((id) => ({ type: 'Basic', id })),
      patients: [],
      apply: (set) => {
        for (const [id, value] of [
          ['numbered-a', 'a1'],
          ['numbered-b', 'b1'],
          ['numbered-a', 'a2'],
          ['numbered-before', 'b2'],
        ] as const) {
          set.put(one.scan(text(id, value), 'Basic'), 'Basic', id);
        }
      },
    });
    const { rows } = await test.database.query(`
      SELECT v.rid, v.version, v.seq, v.rkey, (SELECT count(*) FROM index_token i WHERE i.home = v.home AND i.rkey = v.rkey) AS tokens
      FROM (SELECT rid, home, version, seq, rkey FROM resource UNION ALL SELECT rid, home, version, seq, rkey FROM resource_history) v,
           clock
      WHERE v.seq > clock.seq - 4 ORDER BY v.seq`);
    const last = rows.at(-1)!.seq;
    const { rows: clock } = await test.database.query('SELECT seq FROM clock');
    expect(clock[0]!.seq).toBe(last);
    expect(rows.map(({ seq }) => seq - last)).toEqual([-3, -2, -1, 0]);
    for (const row of rows) expect(row.tokens).toBe(1);
    const made = rows.filter(({ version, rkey, seq }) => version === 1 && rkey === seq);
    expect(made.length).toBe(2);
    const next = rows.filter(({ version }) => version === 2);
    expect(next.filter(({ rkey }) => made.some((one) => one.rkey === rkey)).length).toBe(1);
    expect(next.filter(({ rkey }) => rkey < last - 3).length).toBe(1);
    expect(before.version).toBe(1);
    const { matches } = await one.search(clinician, one.readSearch('Basic', [['code', 'a2,b1,b2']], false));
    expect(matches.map(({ text: found }) => JSON.parse(found).id).sort()).toEqual([
      'numbered-a',
      'numbered-b',
      'numbered-before',
    ]);
  });
});

describe('the same new resource from several sides at once', () => {
  it('under one id for different patients: each is stored as a version', async () => {
    for (let round = 0; round < 25; round++) {
      const id = `same-${round}`;
      const hubs = Array.from({ length: 8 }, (_, i) => (i < 2 ? [one, other][i]! : another()));
      const outcomes = await Promise.all(
        hubs.map((record, i) => record.update(custodian, observation(record, `p${round}-${i}`, id), id)),
      );
      expect(outcomes.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    }
  });

  it('many at once, each for its own patient, while the patients change: nobody waits in a circle', async () => {
    const databases = await Promise.all(Array.from({ length: 6 }, () => openDatabase({ connection: test.connection })));
    const hubs = databases.map((database) => another(database.as('all')));
    const versions = new Map<string, number>();
    const changes = hubs.flatMap((record, hub) =>
      [0, 1, 2].map(async (turn) => {
        const ids = new Set(Array.from({ length: 30 }, (_, i) => `many-${(i * (turn + 1) * 7 + hub) % 45}`));
        for (const id of ids) versions.set(id, (versions.get(id) ?? 0) + 1);
        const patient = (hub + turn) % 6;
        const roe = {
          resourceType: 'Patient',
          id: `many-${patient}`,
          name: [{ family: 'Roe' }],
          birthDate: '1970-01-01',
        };
        await Promise.all([
          record.update(custodian, record.scan(JSON.stringify(roe), 'Patient'), roe.id),
          record.writer.write({
            keys: [...ids].map((id) => ({ type: 'Observation', id })),
            patients: [`many-${hub}`],
            size: 100,
            apply: (set) => {
              for (const id of ids) set.put(observation(record, `many-${hub}`, id), 'Observation', id);
            },
          }),
        ]);
      }),
    );
    await Promise.all(changes);
    // PostgreSQL's processes tell their counts a second later.
    await new Promise((done) => setTimeout(done, 1_500));
    for (const [id, count] of versions) {
      expect((await one.read(clinician, 'Observation', id)).version).toBe(count);
    }
    const { rows } = await test.database.query(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
    await Promise.all(databases.map((database) => database.close()));
  });
});
