/** The same fact by two paths: a laboratory's result comes from the laboratory, and again as the practice relays it. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Message } from '@causeway/hl7v2';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';
import { DeliveryRetention } from './index.ts';
import { mllpReceiver, type Site, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

const timing = { refusals: 2, answerMs: 150 };
let test: TestDatabase;
let outbox: TestOutbox;
let hospital: TestReceiver;
/** What the hospital answers. */
let outcome: 'accept' | 'reject' | 'silence';
/** What it got before this test. */
let before = 0;
let patients: Record<Site, string>;
let number: string;
let people = 0;

beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  hospital = await mllpReceiver(() => {
    const said = outcome;
    // Silent once: it has the message, and is sent it again.
    if (said === 'silence') outcome = 'accept';
    return said;
  });
  await outbox.endpoint(sites.hospital, hospital.endpoint);
  await outbox.routes(sites.practice, []);
});
beforeEach(async () => {
  outcome = 'accept';
  patients = await outbox.register(`Person${String.fromCharCode(65 + people++).repeat(4)}`);
  number = `F-${randomUUID()}`;
  before = hospital.messages.length;
  await outbox.sender(50, timing).start();
});
afterAll(async () => {
  await outbox.stop();
  await hospital.close();
  await test.drop();
});

const loinc = { system: 'http://loinc.org', code: '2823-3', display: 'Potassium' };

interface Said {
  value?: number;
  status?: string;
  system?: string;
  patient?: string;
  /** Of the order that it is on. */
  placer?: object;
}

/** A report of one potassium in the words of a site. */
async function say(site: Site, ids: { report: string; result: string }, said: Said = {}): Promise<void> {
  const { value = 4.4, status = 'final', system = 'urn:oid:2.999.7.1', placer } = said;
  const subject = { reference: `Patient/${said.patient ?? patients[site]}` };
  const own = { system: `urn:causeway:authority:${sites[site]}:L`, code: `K-${site}` };
  const code = { coding: [loinc, own], text: `Potassium at the ${site}` };
  const valueQuantity = { value, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
  const result = {
    resourceType: 'Observation',
    id: ids.result,
    status,
    code,
    subject,
    valueQuantity,
    effectiveDateTime: '2026-03-01T10:00:00Z',
  };
  const report = {
    resourceType: 'DiagnosticReport',
    id: ids.report,
    status: status === 'entered-in-error' ? 'final' : status,
    identifier: [
      { system: `urn:causeway:authority:${sites[site]}:X`, value: ids.report },
      { type: { coding: [{ code: 'FILL' }] }, system, value: number },
      ...(placer ? [{ type: { coding: [{ code: 'PLAC' }] }, ...placer }] : []),
    ],
    code,
    subject,
    issued: `2026-03-01T1${site.length}:00:00Z`,
    performer: [{ display: sites[site] }],
    result: [{ reference: `Observation/${ids.result}` }],
  };
  await outbox.say(sites[site], result as never, report as never);
}

const fresh = () => ({ report: newId(), result: newId() });

/** What became of every delivery about the person, in order. */
async function story(): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const rows = (await outbox.rows()) as unknown as Record<string, string>[];
    const own = rows.filter(({ recipient }) => recipient === patients.hospital);
    if (!own.some(({ state }) => state === 'waiting' || state === 'failed'))
      return own.map(({ source, kind, state }) => `${source!.split('-')[1]} ${kind} ${state}`);
    if (tries > 1_000) throw new Error('These hang.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const told = () =>
  hospital.messages
    .slice(before)
    .map((message: Message) => `${message.get('OBX-11')} ${message.get('OBX-5') ?? ''}`.trim());

describe('what another path told already', () => {
  it('is not told again as new, and shows which delivery told it', async () => {
    const [first, second] = [fresh(), fresh()];
    await say('lab', first);
    await say('practice', second);
    expect(await story()).toEqual(['lab new delivered', 'practice new already-delivered']);
    expect(told()).toEqual(['F 4.4']);
    const { deliveries } = await outbox.deliveries.list({ state: 'already-delivered', limit: 1 });
    const [shown] = deliveries as { sameAs: string; lastError: string; focus: string }[];
    const own = (await outbox.rows()).filter(({ kind, state }) => kind === 'new' && state === 'delivered').at(-1)!;
    expect(shown).toMatchObject({ sameAs: own.id, focus: `DiagnosticReport/${second.report}` });
    expect(shown!.lastError).toMatch(/^The same was delivered on 20.*, from The lab\.$/);
    expect((await outbox.deliveries.status()).deliveriesAlready).toBe(1);
  });

  it('of two that come at the same moment one is told', async () => {
    await Promise.all([say('lab', fresh()), say('practice', fresh())]);
    expect((await story()).map((line) => line.split(' ')[2]).sort()).toEqual(['already-delivered', 'delivered']);
    expect(told()).toEqual(['F 4.4']);
  });

  it.each<[string, Said]>([
    ['value', { value: 4.5 }],
    ["number of a site's own namespace", { system: 'urn:causeway:authority:shared:LIS' }],
  ])('is told where it has another %s', async (_, other) => {
    await say('lab', fresh(), other.system?.startsWith('urn:causeway') ? other : {});
    await say('practice', fresh(), other);
    expect(await story()).toEqual(['lab new delivered', 'practice new delivered']);
  });

  it('does not hide a correction, by whichever path it comes; of the same correction one is told', async () => {
    const [first, second] = [fresh(), fresh()];
    await say('lab', first);
    await say('practice', second);
    await say('practice', second, { value: 5.9, status: 'corrected' });
    await say('lab', first, { value: 5.9, status: 'corrected' });
    expect(await story()).toEqual([
      'lab new delivered',
      'practice new already-delivered',
      'practice correction delivered',
      'lab correction already-delivered',
    ]);
    // Back to what was told before the last: it is not what was told last.
    await say('lab', first, { value: 4.4, status: 'final' });
    expect((await story()).at(-1)).toBe('lab correction delivered');
    expect(told().map((line) => line.split(' ')[1])).toEqual(['4.4', '5.9', '4.4']);
  });

  it('is told where what told it was given up, or was withdrawn before', async () => {
    outcome = 'reject';
    await say('lab', fresh());
    expect(await story()).toEqual(['lab new dead']);
    outcome = 'accept';
    const second = fresh();
    await say('practice', second);
    expect(await story()).toEqual(['lab new dead', 'practice new delivered']);
    await say('practice', second, { status: 'entered-in-error' });
    await say('lab', fresh());
    expect((await story()).slice(2)).toEqual(['practice retraction delivered', 'lab new delivered']);
  });

  it('is told where it was last told something else under another number', async () => {
    const second = fresh();
    await say('lab', fresh());
    await say('practice', second, { value: 5.9, system: 'urn:causeway:authority:shared:LIS' });
    await say('practice', second);
    expect(await story()).toEqual(['lab new delivered', 'practice new delivered', 'practice correction delivered']);
  });

  it('is told where the other path was taken back since, as what it stated is gone', async () => {
    const second = fresh();
    await say('lab', fresh());
    await say('practice', second);
    await story();
    await outbox.record.writer.write({
      keys: [{ type: 'DiagnosticReport', id: second.report }],
      patients: [],
      apply: (set) => void set.remove('DiagnosticReport', second.report),
    });
    await say('practice', fresh());
    expect((await story()).slice(2)).toEqual(['practice retraction delivered', 'practice new delivered']);
  });

  it('is told where only the order is the same: two alike may be on one', async () => {
    const placer = { system: 'urn:oid:2.999.7.9', value: number };
    await say('lab', fresh(), { placer });
    number = `F-${randomUUID()}`;
    await say('lab', fresh(), { placer });
    expect(await story()).toEqual(['lab new delivered', 'lab new delivered']);
  });

  it('corrects, at who knows resources by their ids, what each path has told', async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.setHeader('content-type', 'application/fhir+json');
      response.end(JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await outbox.endpoint(sites.hospital, { dialect: 'fhir', url: `http://127.0.0.1:${port}/fhir` });
    const [first, second] = [fresh(), fresh()];
    await say('lab', first);
    await say('practice', second);
    await say('practice', second, { value: 5.9, status: 'corrected' });
    await say('lab', first, { value: 5.9, status: 'corrected' });
    expect(await story()).toEqual([
      'lab new delivered',
      'practice new already-delivered',
      'practice correction delivered',
      'lab correction delivered',
    ]);
    await outbox.endpoint(sites.hospital, hospital.endpoint);
    server.close();
  });

  it('is not told twice to who knows resources by their ids, where the other path takes back what it told', async () => {
    const posted: string[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        posted.push(text);
        response.setHeader('content-type', 'application/fhir+json');
        response.end(JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await outbox.endpoint(sites.hospital, { dialect: 'fhir', url: `http://127.0.0.1:${port}/fhir` });
    const other = await outbox.register(`Other${String.fromCharCode(65 + people++).repeat(4)}`);
    const [first, second] = [fresh(), fresh()];
    await say('lab', first);
    await say('practice', second, { value: 5.9 });
    await story();
    await say('lab', first, { patient: other.lab });
    expect(await story()).toEqual([
      'lab new delivered',
      'practice new delivered',
      'lab retraction delivered',
      'practice new already-delivered',
    ]);
    expect(posted.filter((text) => text.includes(second.report))).toHaveLength(1);
    await outbox.endpoint(sites.hospital, hospital.endpoint);
    server.close();
  });

  it('and could not be sent yet, is told once, behind what the other path takes back', async () => {
    const other = await outbox.register(`Other${String.fromCharCode(65 + people++).repeat(4)}`);
    const [first, second] = [fresh(), fresh()];
    await say('lab', first);
    await story();
    await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
    await say('practice', second, { value: 5.9 });
    const own = async () =>
      (await outbox.rows()).filter((one) => (one as unknown as Record<string, string>).recipient === patients.hospital);
    await vi.waitFor(async () => expect((await own()).at(-1)).toMatchObject({ state: 'failed' }), 20_000);
    // Between two attempts.
    await outbox.stop();
    await say('lab', first, { patient: other.lab });
    await outbox.endpoint(sites.hospital, hospital.endpoint);
    await outbox.sender(50, timing).start();
    expect(await story()).toEqual([
      'lab new delivered',
      'practice new cancelled',
      'lab retraction delivered',
      'practice new delivered',
    ]);
    // With the one that is told of the other person.
    await vi.waitFor(() => expect(told().toSorted()).toEqual(['F 4.4', 'F 4.4', 'F 5.9', 'W']), 20_000);
  });

  it('withdrawn by the other path, is taken back', async () => {
    const second = fresh();
    await say('lab', fresh());
    await say('practice', second);
    // What is withdrawn before it was told need not be told.
    await story();
    await say('practice', second, { status: 'entered-in-error' });
    expect((await story()).at(-1)).toBe('practice retraction delivered');
    expect(told().at(-1)).toMatch(/^[DW]/);
  });

  it('is told after all, behind the retraction, where what told it turns out to be of another person', async () => {
    await say('lab', fresh());
    await say('practice', fresh());
    await story();
    await outbox.persons.unlink(patients.lab, patients.lab, steward, 'another person');
    expect(await story()).toEqual([
      'lab new delivered',
      'practice new cancelled',
      'lab retraction delivered',
      'practice new delivered',
    ]);
    expect(told().at(-1)).toBe('F 4.4');
  });

  it('is told after all where what told it is said to be of somebody else', async () => {
    const first = fresh();
    await say('lab', first);
    await say('practice', fresh());
    await story();
    const [other, mine] = [await outbox.register(`Other${'BCDE'[people % 4]!.repeat(3)}`, 'lab'), patients];
    await say('lab', first, { patient: other.lab });
    patients = mine;
    expect((await story()).slice(2)).toEqual(['lab retraction delivered', 'practice new delivered']);
  });

  it('is not taken back where it turns out to be of another person itself: it was never sent', async () => {
    const second = fresh();
    await say('lab', fresh());
    await say('practice', second);
    await story();
    await outbox.persons.unlink(patients.practice, patients.practice, steward, 'another person');
    expect(await story()).toEqual(['lab new delivered', 'practice new cancelled']);
    expect(told()).toEqual(['F 4.4']);
  });

  it('is known by its receipt, when the delivery itself is kept no longer', async () => {
    await say('lab', fresh());
    await story();
    const policy = { destination: sites.hospital, route: undefined, keepDays: 0 };
    const retention = new DeliveryRetention(test.database, outbox.participants);
    await retention.set(policy, 'a', 'x', async () => {});
    await test.database.transaction((transaction) => retention.step(transaction, 0, new Date(Date.now() + 60_000)));
    await say('practice', fresh());
    expect(await story()).toEqual(['practice new already-delivered']);
  });
});

const statement = fc.record({
  by: fc.constantFrom<Site>('lab', 'practice'),
  said: fc.constantFrom(1, 2, 'gone' as const),
  meanwhile: fc.constantFrom('answers', 'is silent once', 'the hub ends'),
});

it('whatever both paths say in turn, each statement that differs from the last is told once, in order', async () => {
  const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 4, maxLength: 9 }), async (statements) => {
      number = `F-${randomUUID()}`;
      before = hospital.messages.length;
      const ids = { lab: fresh(), practice: fresh() };
      const own: Partial<Record<string, number | 'gone'>> = {};
      const expected: string[] = [];
      for (const { by, said, meanwhile } of statements) {
        if (own[by] === said || (said === 'gone' && own[by] === undefined)) continue;
        own[by] = said;
        if (said === 'gone' || expected.at(-1) !== String(said)) expected.push(String(said));
        if (meanwhile === 'is silent once') outcome = 'silence';
        const path = by as 'lab' | 'practice';
        await say(by, ids[path], said === 'gone' ? { value: 0, status: 'entered-in-error' } : { value: said });
        if (meanwhile === 'the hub ends') {
          await outbox.stop();
          await outbox.sender(50, timing).start();
        }
        await story();
        outcome = 'accept';
      }
      const once = new Map(hospital.messages.slice(before).map((message) => [message.controlId, message]));
      expect([...once.values()].map((message) => message.get('OBX-5') ?? 'gone')).toEqual(expected);
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 3), endOnFailure: true, ...seed },
  );
}, 600_000);
