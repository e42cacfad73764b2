/** Loops from the changes that open them to what closes them, or the people who are told that they are late. */
import { firstCareRules } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { testMailServer } from '../mail/testing.ts';
import { mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from '../outbox/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf, defaultPolicy } from '../trust/index.ts';
import { LateMail, LoopList, Loops, LoopWatch, readersOf, recipientsOf } from './index.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let receiver: TestReceiver;
let list: LoopList;
let watch: LoopWatch;
let refuses = false;
let late = 0;

beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  new Loops(outbox.record, outbox.participants, () => firstCareRules);
  list = new LoopList(test.database);
  watch = new LoopWatch(
    test.database,
    (count) => {
      late += count;
    },
    () => {},
  );
  receiver = await mllpReceiver(() => (refuses ? 'reject' : 'accept'));
  const messages = ['ORU', 'MDM'] as const;
  await outbox.endpoint(sites.hospital, { ...receiver.endpoint, messages });
  await outbox.endpoint(sites.practice, { ...receiver.endpoint, messages });
  await outbox.sender(50, { refusals: 1 }).start();
});
afterAll(async () => {
  await outbox.stop();
  await receiver.close();
  await test.drop();
});

/** One human at all three sites. */
async function person(given: string) {
  const ids = { hospital: newId(), practice: newId(), lab: newId() };
  for (const site of ['hospital', 'practice', 'lab'] as const) {
    await outbox.say(sites[site], {
      resourceType: 'Patient',
      id: ids[site],
      identifier: [{ system: outbox.participants.byKey(sites[site]).identifierSystem, value: `${site}-${given}` }],
      name: [{ family: `Quill${given}`, given: [given] }],
      birthDate: `19${given.length + 50}-03-14`,
      telecom: [{ system: 'phone', value: `555-01${given.length}9` }],
      address: [{ line: ['9 Heron Lane'], city: 'Sedgewick', postalCode: '04999' }],
    } as never);
  }
  return ids;
}

const code = { coding: [{ system: 'http://loinc.org', code: '2823-3' }] };
const say = (site: keyof typeof sites, resource: object) => outbox.say(sites[site], resource as never);
const of = async (focus: string, state?: 'closed') => {
  const found = await list.list({ limit: 100, state: state ?? 'open' });
  return found.filter((loop) => loop.focus === focus);
};
/** Resolves when nothing waits to be sent. */
async function sent(): Promise<void> {
  for (;;) {
    const { rows } = await test.database.query(`SELECT FROM delivery WHERE state IN ('waiting', 'failed') LIMIT 1`);
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const notices = async (loop: string) =>
  (await test.database.query(`SELECT recipient FROM notice WHERE about->>'loop' = $1 ORDER BY id`, [loop])).rows.map(
    (row) => row.recipient,
  );
const due = (id: string) => test.database.query('UPDATE care_loop SET due = now() WHERE id = $1', [id]);

it('what is corrected after it was final is a recall: who was told what, who saw it here, until all acknowledged', async () => {
  const { lab } = await person('Ada');
  const id = newId();
  const report = (status: string) =>
    say('lab', { resourceType: 'DiagnosticReport', id, status, code, subject: { reference: `Patient/${lab}` } });
  await report('preliminary');
  await sent();
  await report('final');
  await sent();
  // What is settled only then was not told as what holds before.
  expect(await of(`DiagnosticReport/${id}`)).toEqual([]);
  const reader = accessOf({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, defaultPolicy);
  const log = (await import('../trust/index.ts')).AccessLog;
  await new log(test.database, testAudit(test.database)).record(reader, {
    action: 'read',
    what: `DiagnosticReport/${id}`,
    status: 200,
    patients: [lab],
  });
  await report('corrected');
  const [recall] = await of(`DiagnosticReport/${id}`);
  expect(recall).toMatchObject({ kind: 'recall', why: 'corrected', source: sites.lab, state: 'open' });
  await sent();
  const recipients = await recipientsOf(test.database, recall!);
  expect(
    recipients.map(({ destination, told, recall: own }) => [
      destination,
      told.map(({ version }) => version),
      own?.kind,
      own?.state,
    ]),
  ).toEqual([
    [sites.hospital, [1, 2], 'correction', 'delivered'],
    [sites.practice, [1, 2], 'correction', 'delivered'],
  ]);
  expect(await readersOf(test.database, testAudit(test.database), recall!)).toMatchObject([
    { who: 'ann', organization: 'Clinic', action: 'read' },
  ]);
  await watch.look();
  expect(await of(`DiagnosticReport/${id}`, 'closed')).toMatchObject([{ outcome: 'acknowledged', closedBy: 'hub' }]);
});

it('a retraction that a receiver refuses goes to people, once', async () => {
  const { lab } = await person('Beatrix');
  const id = newId();
  const report = (status: string) =>
    say('lab', { resourceType: 'DiagnosticReport', id, status, code, subject: { reference: `Patient/${lab}` } });
  await report('final');
  await sent();
  refuses = true;
  await report('entered-in-error');
  await sent();
  refuses = false;
  const [recall] = await of(`DiagnosticReport/${id}`);
  expect(recall).toMatchObject({ kind: 'recall', why: 'withdrawn', escalated: null });
  await watch.look();
  await watch.look();
  const recipients = await recipientsOf(test.database, recall!);
  expect(recipients.map(({ recall: own }) => own?.state)).toEqual(['dead', 'dead']);
  expect(await notices(recall!.id)).toEqual(['role:integration-engineer', 'role:privacy-officer', 'role:steward']);
});

it('where somebody was told who can be sent nothing any more, a person closes the recall', async () => {
  const { lab } = await person('Constanzia');
  const id = newId();
  const report = (status: string) =>
    say('lab', { resourceType: 'DiagnosticReport', id, status, code, subject: { reference: `Patient/${lab}` } });
  await report('final');
  await sent();
  const practice = outbox.participants.byKey(sites.practice);
  await outbox.participants.put({ ...practice, routes: [] });
  await report('corrected');
  await sent();
  await outbox.participants.put(practice);
  await watch.look();
  const [recall] = await of(`DiagnosticReport/${id}`);
  const recipients = await recipientsOf(test.database, recall!);
  expect(recipients.map(({ destination, recall: own }) => [destination, own?.state])).toEqual([
    [sites.hospital, 'delivered'],
    [sites.practice, undefined],
  ]);
});

it('a link that is undone recalls what was told of another person', async () => {
  const { lab } = await person('Cleopatra');
  const id = newId();
  await say('lab', {
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    code,
    subject: { reference: `Patient/${lab}` },
  });
  await sent();
  const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });
  await outbox.persons.unlink(lab, lab, steward, 'another person');
  expect(await of(`DiagnosticReport/${id}`)).toMatchObject([{ kind: 'recall', why: 'wrong-person' }]);
  await sent();
  await watch.look();
  expect(await of(`DiagnosticReport/${id}`)).toEqual([]);
});

it('a result that turns out to be of another person is taken back where it was told, and told of that person', async () => {
  const [wrong, right] = [await person('Wilhelmina'), await person('Ottilie-Jo')];
  const id = newId();
  const report = (patient: string) =>
    say('lab', {
      resourceType: 'DiagnosticReport',
      id,
      status: 'final',
      code,
      subject: { reference: `Patient/${patient}` },
    });
  await report(wrong.lab);
  await sent();
  await report(right.lab);
  await sent();
  const { rows } = await test.database.query(
    'SELECT destination, kind, recipient, state FROM delivery WHERE focus_rid = $1 ORDER BY destination, seq',
    [id],
  );
  const told = (site: 'hospital' | 'practice') =>
    rows
      .filter(({ destination }) => destination === sites[site])
      .map(({ kind, recipient, state }) => [kind, recipient, state])
      .sort();
  for (const site of ['hospital', 'practice'] as const)
    expect(told(site)).toEqual(
      [
        ['new', right[site], 'delivered'],
        ['new', wrong[site], 'delivered'],
        ['retraction', wrong[site], 'delivered'],
      ].sort(),
    );
  await watch.look();
  expect(await of(`DiagnosticReport/${id}`, 'closed')).toMatchObject([
    { why: 'wrong-person', outcome: 'acknowledged' },
  ]);
});

it('a critical result is told at once to who cares, and to stewards when nobody acknowledges it in time', async () => {
  const { lab } = await person('Dorothea');
  const id = newId();
  const result = (interpretation: string) =>
    say('lab', {
      resourceType: 'Observation',
      id,
      status: 'final',
      code,
      subject: { reference: `Patient/${lab}` },
      effectiveDateTime: new Date().toISOString(),
      interpretation: [{ coding: [{ code: interpretation }] }],
    });
  await result('HH');
  await result('LL');
  const [loop, ...more] = await of(`Observation/${id}`);
  expect(more).toEqual([]);
  const carers = [`organization:${sites.hospital}`, `organization:${sites.practice}`];
  expect((await notices(loop!.id)).sort()).toEqual(carers);
  await due(loop!.id);
  const before = late;
  await watch.look();
  await watch.look();
  expect(late).toBe(before + 1);
  expect((await notices(loop!.id)).slice(2).sort()).toEqual(
    [`organization:${sites.lab}`, ...carers, 'role:steward'].sort(),
  );
  await result('N');
  expect(await of(`Observation/${id}`, 'closed')).toMatchObject([{ outcome: 'not-critical' }]);
});

it('a discharge is open until who cares next has acknowledged its summary', async () => {
  const { hospital } = await person('Eleonora-May');
  const subject = { reference: `Patient/${hospital}` };
  const encounter = newId();
  const hour = 3_600_000;
  const period = {
    start: new Date(Date.now() - 48 * hour).toISOString(),
    end: new Date(Date.now() - hour).toISOString(),
  };
  await say('hospital', {
    resourceType: 'Encounter',
    id: encounter,
    status: 'finished',
    class: { code: 'IMP' },
    subject,
    period,
  });
  expect(await of(`Encounter/${encounter}`)).toMatchObject([
    { kind: 'transition', state: 'open', source: sites.hospital },
  ]);
  await watch.look();
  expect(await of(`Encounter/${encounter}`)).toHaveLength(1);
  const visit = async (from: number, to: number) => {
    const id = newId();
    const time = (ago: number) => new Date(Date.now() - ago * hour).toISOString();
    const own = { start: time(from), end: time(to) };
    await say('hospital', {
      resourceType: 'Encounter',
      id,
      status: 'finished',
      class: { code: 'AMB' },
      subject,
      period: own,
    });
    return id;
  };
  const summary = async (of?: string) => {
    await say('hospital', {
      resourceType: 'DocumentReference',
      id: newId(),
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
      subject,
      content: [{ attachment: { contentType: 'text/plain', data: 'aGVsbG8=' } }],
      ...(of ? { context: { encounter: [{ reference: `Encounter/${of}` }] } } : {}),
    });
    await sent();
    await watch.look();
  };
  // That of an earlier stay, which comes late.
  await summary(await visit(300, 200));
  expect(await of(`Encounter/${encounter}`)).toHaveLength(1);
  // As a document names the stay that it was written in, under a number of its own.
  await summary(await visit(47, 2));
  expect(await of(`Encounter/${encounter}`, 'closed')).toMatchObject([
    { outcome: 'summary-accepted', site: sites.practice },
  ]);
  const next = newId();
  const stay = { resourceType: 'Encounter', id: next, status: 'finished', class: { code: 'IMP' }, subject };
  await test.database.query(`UPDATE delivery SET created = created - interval '2 days'`);
  await say('hospital', { ...stay, period: { start: period.end, end: new Date().toISOString() } });
  await watch.look();
  expect(await of(`Encounter/${next}`)).toHaveLength(1);
  // One that names no visit.
  await summary();
  expect(await of(`Encounter/${next}`)).toEqual([]);
});

it('a referral is accepted by an appointment for it and closed by the consultant’s note, of that person only', async () => {
  const { practice, hospital } = await person('Frederica-Ann');
  const other = await person('Georgina-Rose-Lee');
  const id = newId();
  const participant = (key: string) => ({ identifier: { system: 'urn:causeway:participant', value: key } });
  await say('practice', {
    resourceType: 'ServiceRequest',
    id,
    status: 'active',
    intent: 'order',
    authoredOn: new Date().toISOString(),
    subject: { reference: `Patient/${practice}` },
    performer: [participant(sites.hospital)],
  });
  const focus = `ServiceRequest/${id}`;
  expect(await of(focus)).toMatchObject([
    { kind: 'referral', state: 'open', source: sites.practice, site: sites.hospital },
  ]);
  const booked = (patient: string) =>
    say('hospital', {
      resourceType: 'Appointment',
      id: newId(),
      status: 'booked',
      basedOn: [{ reference: focus }],
      participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
    });
  await booked(other.hospital);
  expect(await of(focus)).toMatchObject([{ state: 'open' }]);
  await booked(hospital);
  expect(await of(focus)).toMatchObject([{ state: 'accepted' }]);
  const note = (patient: string) =>
    say('hospital', {
      resourceType: 'DocumentReference',
      id: newId(),
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '11488-4' }] },
      subject: { reference: `Patient/${patient}` },
      content: [{ attachment: { contentType: 'text/plain', data: 'aGVsbG8=' } }],
    });
  await note(other.hospital);
  expect(await of(focus)).toHaveLength(1);
  await note(hospital);
  const [closed] = await of(focus, 'closed');
  expect(closed).toMatchObject({ outcome: 'answered' });
  expect((await list.read(closed!.id))!.events.map(({ event }) => event)).toEqual(['accepted', 'answered']);
});

it('an organisation is told by mail how many loops of it are late, once, and nothing of whom or what; a refused mail comes later', async () => {
  const server = await testMailServer();
  const { database } = test;
  const practice = outbox.participants.byKey(sites.practice);
  await outbox.participants.put({ ...practice, settings: { ...practice.settings, lateMail: 'desk@example.org' } });
  const pages = () => 'https://hub.example';
  const mail = new LateMail({ database, participants: outbox.participants, mailer: server.mailer(), pages });
  const mailing = new LoopWatch(
    database,
    () => {},
    () => {},
    undefined,
    mail,
  );
  const { lab } = await person('Wilhelmina');
  const loops: string[] = [];
  for (const id of [newId(), newId()]) {
    await say('lab', {
      resourceType: 'Observation',
      id,
      status: 'final',
      code,
      subject: { reference: `Patient/${lab}` },
      effectiveDateTime: new Date().toISOString(),
      interpretation: [{ coding: [{ code: 'HH' }] }],
    });
    loops.push((await of(`Observation/${id}`))[0]!.id);
  }
  for (const loop of loops) await due(loop);
  server.refuse = 450;
  await mailing.look();
  expect(server.got).toEqual([]);
  server.refuse = undefined;
  await database.query(`UPDATE late_mail SET next_attempt = now()`);
  await mailing.look();
  await database.query(`UPDATE late_mail SET next_attempt = now()`);
  await mailing.look();
  expect(server.got.map(({ to }) => to)).toEqual([['desk@example.org']]);
  expect(server.got[0]!.text).toContain('2 things that your organisation has to bring to an end are late.');
  expect(server.got[0]!.text).toContain('https://hub.example/loops');
  expect(server.got[0]!.raw).not.toMatch(/Wilhelmina|Observation|critical|laboratory/i);
  await server.close();
});
