/** Lists of people: what is shown before they are taken, what taking them does, and that the last one holds. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { sites, type TestOutbox, testOutbox } from '../outbox/testing.ts';
import { newId } from '../record/index.ts';
import { AccessLog, accessOf, type Participant } from '../trust/index.ts';
import { csvRows, Panels } from './index.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let panels: Panels;
const access = accessOf({ username: 'stella', name: 'Stella', role: 'administrator', organization: 'hub' });

beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  const { record, persons, relationships } = outbox;
  panels = new Panels({
    database: test.database,
    record,
    persons,
    relationships,
    accessLog: new AccessLog(test.database, testAudit(test.database)),
  });
});
afterAll(async () => {
  await outbox.stop();
  await test.drop();
});

const participant = (site: keyof typeof sites): Participant => outbox.participants.byKey(sites[site]);

async function patient(site: keyof typeof sites, number: string, family: string, birthDate: string): Promise<string> {
  const id = newId();
  await outbox.say(sites[site], {
    resourceType: 'Patient',
    id,
    identifier: [{ system: participant(site).identifierSystem, value: number }],
    name: [{ family, given: ['Ada'] }],
    birthDate,
    gender: 'female',
    telecom: [{ system: 'phone', value: '555-0142' }],
    address: [{ line: ['9 Heron Lane'], city: 'Sedgewick', postalCode: '04999' }],
  } as never);
  return id;
}

async function take(site: keyof typeof sites, csv: string) {
  const rows = await csvRows(csv);
  if ('wrong' in rows) throw new Error(rows.wrong);
  const seen = await panels.preview(participant(site), rows, access);
  return { seen, taken: await panels.take(participant(site), rows, access) };
}

const header = 'mrn,family,given,dob,sex,phone,address,city,zip';
const rest = 'F,555-0142,9 Heron Lane,Sedgewick,04999';

it('shows who is known, who fits, and who does not; who has a number becomes a Patient and is told', async () => {
  await patient('hospital', 'H1', 'Quillfeather', '1957-03-14');
  const inLab = await patient('lab', 'L2', 'Rookwood', '1961-05-06');
  const report = { resourceType: 'DiagnosticReport', id: newId(), status: 'final', code: { text: 'x' } };
  await outbox.say(sites.lab, { ...report, subject: { reference: `Patient/${inLab}` } } as never);
  const { seen, taken } = await take(
    'hospital',
    [
      header,
      `H1,Quillfeather,Ada,1957-03-14,${rest}`,
      `H2,Rookwood,Ada,1961-05-06,${rest}`,
      `H3,Nobody,Ada,1999-09-09,${rest}`,
      `,Rookwood,Ada,1961-05-06,${rest}`,
      `,Unheard,Zoe,1970-01-01,F,555-7788,1 Elm Road,Ashby,11111`,
      `,Rookwood,Ada,,,555-0142,9 Heron Lane,Sedgewick,04999`,
    ].join('\n'),
  );
  expect(seen.map(({ line, outcome, isTaken }) => [line, outcome, isTaken])).toEqual([
    [2, 'known', true],
    [3, 'matched', true],
    [4, 'unknown', true],
    [5, 'matched', true],
    [6, 'unknown', false],
    [7, 'ambiguous', false],
  ]);
  expect(seen[1]!.patient).toBe(inLab);
  expect(taken).toMatchObject({
    state: 'current',
    rows: 6,
    people: 4,
    begun: 4,
    ended: 0,
    leftOut: [6, 7],
    by: 'stella',
  });
  // The hospital files what the laboratory found under its own number, which it told by its list.
  const told = (await outbox.rows()) as unknown as { destination: string; recipient: string }[];
  expect(told.map(({ destination }) => destination)).toEqual([sites.hospital]);
  const { rows } = await test.database.query('SELECT source, home FROM link WHERE patient = $1', [told[0]!.recipient]);
  expect(rows[0]!.source).toBe(sites.hospital);
  const members = await panels.members(sites.hospital, access);
  expect(members).toHaveLength(4);
  const { rows: homes } = await test.database.query('SELECT home FROM link WHERE patient = $1', [members[0]!.patient]);
  const clinician = { username: 'cleo', name: 'Cleo', role: 'clinician', organization: sites.hospital } as const;
  const confined = { ...accessOf(clinician), homes: [homes[0]!.home as number] };
  expect(await panels.members(sites.hospital, confined)).toEqual([members[0]]);
});

it('is refused where the organisation’s numbers name nobody, and while another is being taken', async () => {
  const rows = (await csvRows('mrn\n1')) as never;
  const without = { ...participant('practice'), identifierSystem: undefined };
  await expect(panels.take(without, rows, access)).rejects.toMatchObject({ status: 409 });
  await test.database.query(
    `INSERT INTO panel (id, participant, by_whom, state, rows) VALUES ($1, $2, 'x', 'applying', 1)`,
    [newId(), sites.practice],
  );
  await expect(panels.take(participant('practice'), rows, access)).rejects.toMatchObject({ status: 409 });
  await test.database.query(`DELETE FROM panel WHERE participant = $1`, [sites.practice]);
});

it('whatever lists follow each other, the last one holds: each is on it since it came on without a break, and off since it went', async () => {
  const numbers = ['A', 'B', 'C', 'D', 'E'];
  const uploads = fc.array(fc.uniqueArray(fc.constantFrom(...numbers), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 4,
  });
  const numberOf = new Map<number, string>();
  let last: string[] = [];
  /** What was found after the lists before, by number: when each spell began, and whether it ended. */
  let spells = new Map<string, { evidence: string; open: boolean }[]>();
  await fc.assert(
    fc.asyncProperty(uploads, async (sequence) => {
      for (const list of sequence) {
        const { taken } = await take(
          'practice',
          [header, ...list.map((one) => `${one},Bird${one},Ada,1950-01-01,${rest}`)].join('\n'),
        );
        const begun = list.filter((one) => !last.includes(one));
        const ended = last.filter((one) => !list.includes(one));
        expect([taken.people, taken.begun, taken.ended]).toEqual([list.length, begun.length, ended.length]);
        spells = new Map(
          numbers.map((one) => {
            const known = spells.get(one) ?? [];
            if (begun.includes(one)) return [one, [...known, { evidence: `panel/${taken.id}`, open: true }]];
            return [one, ended.includes(one) ? known.map((spell) => ({ ...spell, open: false })) : known];
          }),
        );
        last = list;
        const { rows } = await test.database.query(
          `SELECT c.home, l.patient, c.evidence, c.starts, c.ends, p.uploaded FROM care_relationship c JOIN link l USING (home)
           JOIN panel p ON 'panel/' || p.id = c.evidence
           WHERE c.site = $1 AND c.kind = 'panel' ORDER BY c.starts, c.home`,
          [sites.practice],
        );
        for (const { home, patient: id } of rows) {
          if (numberOf.has(home)) continue;
          const { text } = await outbox.record.read(access, 'Patient', id);
          numberOf.set(home, JSON.parse(text).identifier[0].value);
        }
        for (const row of rows) {
          expect(row.starts.getTime()).toBeGreaterThanOrEqual(row.uploaded.getTime());
          if (row.ends !== null) expect(row.ends.getTime()).toBeGreaterThanOrEqual(row.starts.getTime());
        }
        const stored = new Map(
          numbers.map((one) => [
            one,
            rows
              .filter(({ home }) => numberOf.get(home) === one)
              .map(({ evidence, ends }) => ({ evidence, open: ends === null })),
          ]),
        );
        expect(stored).toEqual(spells);
      }
    }),
    { numRuns: 8 },
  );
  const lists = await panels.list(sites.practice, 100);
  expect(lists.filter(({ state }) => state === 'current')).toHaveLength(1);
  expect(lists[0]!.state).toBe('current');
});
