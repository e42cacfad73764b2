/** Large Bundles whose versions wait in a spool while other changes are committed under a later time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, testRecord } from '../testing-record.ts';
import { type AnswerText, BundleIntake, type EntryOutcome, type FhirRecord } from './index.ts';

const base = 'http://hub/fhir';
const directory = mkdtempSync(join(tmpdir(), 'causeway-settled-'));
let test: TestDatabase;
/** Two hubs over one database. */
let one: FhirRecord;
let other: FhirRecord;
/** What the other hub stores while the first one's next transaction is about to be written. */
let meanwhile: string[] = [];
const overtaking: Date[] = [];

beforeAll(async () => {
  ({ test, record: one, another: other } = await both());
  one.writer.beforeCommit(async () => {
    for (const id of meanwhile.splice(0)) {
      const text = JSON.stringify({ resourceType: 'Basic', id, code: { text: 'meanwhile' } });
      overtaking.push((await other.update(custodian, other.scan(text, 'Basic'), id)).updated);
    }
  });
});
afterAll(async () => {
  await test.drop();
  rmSync(directory, { recursive: true });
});

async function both() {
  const { another, ...made } = await testRecord();
  return { ...made, another: another() };
}

/** Characters that compress, and look like the time of the resource. */
const padding = '{"meta":{"lastUpdated":"2020-01-01T00:00:00.000Z"}} á "quoted" \\ '.repeat(300);

/** Of every fourth resource the meta comes first, of the others last; some have others in them, some a home. */
function told(i: number): Record<string, unknown> {
  const meta = { lastUpdated: '2021-01-01T00:00:00.000Z', tag: [{ code: `"lastUpdated":"${i}` }] };
  const contained = [{ resourceType: 'Basic', id: 'c', meta, code: { text: 'contained' } }];
  const id = `settled-${i}`;
  const code = { coding: [{ system: 'urn:settled', code: `c${i}` }] };
  const note = { extension: [{ url: 'urn:settled', valueString: padding }] };
  const subject = i % 3 === 0 ? { subject: { reference: 'Patient/settled' } } : {};
  const inner = i % 5 === 0 ? { contained } : {};
  return i % 4 === 0
    ? { meta, resourceType: 'Basic', id, ...inner, code, ...subject, ...note }
    : { resourceType: 'Basic', id, ...inner, code, ...note, ...subject, meta };
}

async function transaction(resources: Record<string, unknown>[], more: object[] = []): Promise<EntryOutcome[]> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const bytes = Buffer.from(
    JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [...entry, ...more] }),
  );
  const intake = new BundleIntake(directory);
  for (let at = 0; at < bytes.length; at += 50_000) intake.write(bytes.subarray(at, at + 50_000));
  const unexpected = () => {
    throw new Error('Nothing is read alone.');
  };
  const exchange = { base, isStoredWanted: true, single: unexpected, fault: unexpected };
  const { outcomes } = await one.bundle(custodian, intake.end(base), exchange);
  const texts = outcomes.map(({ stored }) => stored && textOf(stored));
  intake.close();
  return outcomes.map(({ status, location, etag, lastModified }, i) => ({
    status,
    location,
    etag: etag!,
    lastModified: lastModified!,
    stored: texts[i],
  }));
}

function textOf(answer: AnswerText): string {
  return typeof answer === 'string' ? answer : answer.text();
}

async function idsSince(time: Date): Promise<string[]> {
  const query = new URLSearchParams(`_lastUpdated=gt${time.toISOString()}&_count=1000`);
  const { matches } = await one.search(clinician, one.readSearch('Basic', query, false));
  return matches.map(({ text }) => JSON.parse(text).id).sort();
}

const count = 120;
const ids = Array.from({ length: count }, (_, i) => `settled-${i}`);

it.each([
  ['made', 1],
  ['next', 2],
])(
  'versions that are %s have the later time in row, text, history, index and answer, and nothing else changes',
  async (_, version) => {
    overtaking.length = 0;
    meanwhile = ['first', 'second'];
    const patient = { resourceType: 'Patient', id: 'settled', name: [{ family: `Settled ${version}` }] };
    const outcomes = await transaction([patient, ...ids.map((_id, i) => told(i))]);
    expect(overtaking).toHaveLength(2);
    const [time] = new Set(outcomes.map(({ lastModified }) => lastModified!.getTime()));
    expect(new Set(outcomes.map(({ lastModified }) => lastModified!.getTime()))).toEqual(new Set([time]));
    const later = new Date(time!).toISOString();
    expect(time).toBeGreaterThan(overtaking[1]!.getTime());
    expect(await idsSince(overtaking[1]!)).toEqual([...ids].sort());
    expect(await idsSince(new Date(time!))).toEqual([]);
    for (const [i, id] of ids.entries()) {
      const read = await one.read(clinician, 'Basic', id);
      expect(outcomes[i + 1]).toMatchObject({
        status: version === 1 ? 201 : 200,
        etag: `W/"${version}"`,
        stored: read.text,
      });
      expect(read.updated.getTime()).toBe(time);
      const { tag } = told(i).meta as { tag: unknown };
      expect(JSON.parse(read.text)).toEqual({
        ...told(i),
        meta: { versionId: String(version), lastUpdated: later, tag },
      });
      const past = await one.vread(clinician, 'Basic', id, String(version));
      expect(past.text).toBe(read.text);
    }
    const found = await one.search(
      clinician,
      one.readSearch('Basic', new URLSearchParams('code=urn:settled|c77'), false),
    );
    expect(found.matches.map(({ text }) => JSON.parse(text).id)).toEqual(['settled-77']);
  },
);

it('a deletion beside them has the later time too', async () => {
  meanwhile = ['third'];
  overtaking.length = 0;
  const outcomes = await transaction(
    ids.slice(1).map((_id, i) => told(i + 1)),
    [{ request: { method: 'DELETE', url: 'Basic/settled-0' } }],
  );
  const times = new Set(outcomes.map(({ lastModified }) => lastModified!.getTime()));
  expect(times.size).toBe(1);
  expect([...times][0]).toBeGreaterThan(overtaking[0]!.getTime());
  const { versions } = await one.history(clinician, { type: 'Basic', id: 'settled-0' }, { count: 1 });
  expect([versions[0]!.deleted, versions[0]!.updated.getTime()]).toEqual([true, [...times][0]]);
});
