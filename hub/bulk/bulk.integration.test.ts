/** What cannot be seen over HTTP yet: small files, and callers who may see some patients only. */
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { PersonIndex } from '../identity/index.ts';
import { FhirRecord, indexKeyOf } from '../record/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { type Access, accessOf } from '../trust/index.ts';
import { Bulk } from './bulk.ts';
import type { ExportLevel } from './export-request.ts';
import { type BulkFile, filesOf } from './files.ts';

const administrator = accessOf({ username: 'a', name: 'A', role: 'administrator', organization: 'o' });
const patients = 12;

const many = Array.from({ length: 1_200 }, (_, i) => `flag${i}`);
const flag = (id: string, reference: string) => ({
  resourceType: 'Flag',
  id,
  status: 'active',
  code: { text: 'f' },
  identifier: [{ value: 'f' }],
  subject: { reference },
});

let test: TestDatabase;
let record: FhirRecord;
let bulk: Bulk;
/** What the caller may see now. */
let decided = administrator;

beforeAll(async () => {
  test = await testDatabase();
  const master = fixedMasterKey(newDataKey());
  record = new FhirRecord(test.database, master, await indexKeyOf(test.database, master));
  new PersonIndex(test.database, record);
  const parts = {
    database: test.database,
    record,
    master,
    log: pino({ level: 'silent' }),
    accessNow: async () => decided,
  };
  bulk = new Bulk(parts, { importFrom: [], importBytes: 1e6, hours: 1 }, { linesPerFile: 7 });
  bulk.start();
  const put = (resource: { resourceType: string; id: string }) =>
    record.update(administrator, record.scan(JSON.stringify(resource), resource.resourceType), resource.id);
  for (let i = 0; i < patients; i++) {
    await put({ resourceType: 'Patient', id: `p${i}` });
    for (let k = 0; k < 1 + (i % 5); k++) {
      await put({
        resourceType: 'Observation',
        id: `o${i}-${k}`,
        status: 'final',
        code: { coding: [{ code: k % 2 ? 'odd' : 'even' }] },
        subject: { reference: `Patient/p${i}` },
      } as never);
    }
  }
  await put({ resourceType: 'Organization', id: 'org' });
  // Files end where a page of homes does.
  await Promise.all(many.map((id, i) => put(flag(id, `Patient/many${i}`))));
});
afterAll(async () => {
  await bulk.stop();
  await test.drop();
});

async function exportOf(access: Access, level: ExportLevel, parameters: [string, string][] = []) {
  const begun = await bulk.export(access, { level, parameters, lenient: false, url: 'x' });
  for (;;) {
    const job = await bulk.jobs.find(begun.id, access);
    if (job.state === 'failed') throw new Error(JSON.stringify(job.problem));
    if (job.state === 'complete') return { job, files: await filesOf(test.database, job.id) };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function idsIn(access: Access, job: string, files: BulkFile[]): Promise<string[]> {
  const ids: string[] = [];
  for (const { number, lines, type } of files) {
    let text = '';
    for await (const bytes of (await bulk.file(access, job, number, 'http://hub.example/fhir', async () => {})).lines)
      text += bytes;
    const own = text.split('\n').filter((line) => line !== '');
    expect([type, own.length]).toEqual([type, lines ?? own.length]);
    ids.push(...own.map((line) => JSON.parse(line).id));
  }
  return ids;
}

const all = Array.from({ length: patients }, (_, i) =>
  Array.from({ length: 1 + (i % 5) }, (_, k) => `o${i}-${k}`),
).flat();

it('cuts a type into files that hold everything once, by ranges and by lists', async () => {
  for (const filter of [[], [['_typeFilter', 'Flag?identifier=f,Flag?identifier=g,Flag?identifier=f']]] as [
    string,
    string,
  ][][]) {
    for (const level of ['system', 'patient'] as const) {
      const { job, files } = await exportOf(administrator, level, [['_type', 'Flag'], ...filter]);
      expect(files.length).toBeGreaterThan(2);
      expect((await idsIn(administrator, job.id, files)).sort()).toEqual([...many].sort());
    }
  }
});

it('shows a caller what that caller may see, when it is prepared and when it is downloaded [9, 226]', async () => {
  const homes = await record.homesOf(['p3', 'p8']);
  const some: Access = { ...administrator, homes: [...homes.values()].flat() };
  const theirs = all.filter((id) => /^o(3|8)-/.test(id));
  decided = some;
  for (const filter of [[], [['_typeFilter', 'Observation?code=odd,Observation?code=even']]] as [string, string][][]) {
    const { job, files } = await exportOf(some, 'system', [['_type', 'Observation'], ...filter]);
    expect((await idsIn(some, job.id, files)).sort()).toEqual(theirs);
  }
  decided = administrator;
  const { job, files } = await exportOf(administrator, 'system', [['_type', 'Observation,Organization']]);
  decided = some;
  const observations = files
    .filter(({ type }) => type === 'Observation')
    .map((file) => ({ ...file, lines: undefined }));
  expect((await idsIn(some, job.id, observations)).sort()).toEqual(theirs);
  const none: Access = { ...administrator, homes: [] };
  decided = none;
  expect(
    await idsIn(
      none,
      job.id,
      files.map((file) => ({ ...file, lines: undefined })),
    ),
  ).toEqual([]);
  decided = administrator;
});
