/** A route that is taken away, and is there again. */
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf, routesTo } from '../trust/index.ts';
import { RemovedRoutes } from './removed-routes.ts';
import { mllpReceiver, type Site, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

let test: TestDatabase;
let outbox: TestOutbox;
let hospital: TestReceiver;
const logged: { msg: string; level: number; withdrawn?: number; reason?: string; told?: number }[] = [];

beforeAll(async () => {
  test = await testDatabase();
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  outbox = await testOutbox(test.database, log);
  hospital = await mllpReceiver();
  await outbox.routes(sites.practice, []);
  await outbox.sender(100_000).start();
});
beforeEach(async () => {
  await outbox.routes(sites.hospital, routesTo(hospital.endpoint));
  await until(isKnown);
  await test.database.query('DELETE FROM delivery');
  hospital.messages.length = 0;
  logged.length = 0;
});
afterAll(async () => {
  await outbox.stop();
  await hospital.close();
  await test.drop();
});

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 1_000) throw new Error(`It does not come: ${await states()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isKnown = async () => {
  const found = await test.database.query('SELECT FROM removed_route WHERE destination = $1', [sites.hospital]);
  return found.rowCount === 0;
};
const states = async () => (await outbox.rows()).map(({ kind, state }) => `${kind} ${state}`);
const told = () => hospital.messages.map((one) => `${one.get('OBX-11')} ${one.get('OBX-5') ?? ''}`.trim());
const ended = () => until(async () => (await states()).every((one) => !/waiting|failed/.test(one)));

function report(patient: string, ids: { report: string; result: string }, value: number, status = 'final') {
  const subject = { reference: `Patient/${patient}` };
  const code = { coding: [{ system: 'http://loinc.org', code: '2823-3', display: 'Potassium' }] };
  const valueQuantity = { value, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
  const result = [{ reference: `Observation/${ids.result}` }];
  const own = status === 'entered-in-error' ? 'final' : status;
  return outbox.say(
    sites.lab,
    { resourceType: 'Observation', id: ids.result, status, code, subject, valueQuantity } as never,
    { resourceType: 'DiagnosticReport', id: ids.report, status: own, code, subject, result } as never,
  );
}

const fresh = () => ({ report: newId(), result: newId() });
const person = (name: string): Promise<Record<Site, string>> => outbox.register(name);

it('what waits for a route that is removed is withdrawn, told once, and told anew by one of its name, as it is then', async () => {
  const patient = await person('Ada');
  // Nobody answers.
  await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
  const [first, second, third] = [fresh(), fresh(), fresh()];
  await report(patient.lab, first, 4.1);
  await report(patient.lab, second, 4.2);
  await report(patient.lab, third, 4.3);
  await until(async () => (await states()).some((one) => one === 'new failed'));
  await outbox.routes(sites.hospital, []);
  await until(async () => (await states()).every((one) => one === 'new cancelled'));
  expect((await outbox.rows()).map(({ last_error }) => last_error)).toEqual(
    Array(3).fill('Withdrawn: the route was removed.'),
  );
  await until(() => logged.some(({ msg }) => msg === 'deliveries were withdrawn'));
  expect((await outbox.deliveries.status()).routesRemoved).toMatchObject([
    { key: sites.hospital, route: 'main', withdrawn: 3 },
  ]);
  expect((await outbox.deliveries.status()).destinationsDown).toEqual([]);
  // What became of them meanwhile counts; what came meanwhile is not told later by itself.
  await report(patient.lab, second, 5.2, 'corrected');
  await report(patient.lab, third, 4.3, 'entered-in-error');
  await report(patient.lab, fresh(), 4.4);
  await outbox.routes(sites.hospital, routesTo(hospital.endpoint));
  await until(async () => (await states()).filter((one) => one === 'new delivered').length === 2);
  await until(isKnown);
  expect(told()).toEqual(['F 4.1', 'C 5.2']);
  expect((await outbox.deliveries.status()).routesRemoved).toEqual([]);
  expect(logged.filter(({ msg }) => msg === 'deliveries were withdrawn')).toMatchObject([{ level: 50, withdrawn: 3 }]);
  expect(logged.filter(({ msg }) => msg.startsWith('a route is there again'))).toMatchObject([{ told: 2 }]);
});

it('what was told before is corrected and taken back once the route is there again, and only what changed', async () => {
  const [ada, beatrice] = [await person('Cleo'), await person('Dora')];
  const [same, corrected, withdrawn, gone, others] = [fresh(), fresh(), fresh(), fresh(), fresh()];
  for (const [i, ids] of [same, corrected, withdrawn, gone].entries()) await report(ada.lab, ids, i + 1);
  await report(beatrice.lab, others, 9);
  await ended();
  expect(told()).toHaveLength(5);
  await outbox.routes(sites.hospital, []);
  await report(ada.lab, corrected, 22, 'corrected');
  await report(ada.lab, withdrawn, 3, 'entered-in-error');
  await outbox.record.writer.write({
    keys: [{ type: 'DiagnosticReport', id: gone.report }],
    patients: [],
    apply: (set) => void set.remove('DiagnosticReport', gone.report),
  });
  await outbox.persons.unlink(beatrice.hospital, beatrice.hospital, steward, 'another person');
  await outbox.routes(sites.hospital, routesTo(hospital.endpoint));
  await until(isKnown);
  await ended();
  const since = hospital.messages
    .slice(5)
    .map((one) => `${one.get('OBX-11') ?? one.get('OBR-25')} ${one.get('OBX-5') ?? ''}`.trim());
  expect(since.toSorted()).toEqual(['C 22', 'D', 'W', 'W']);
  expect((await states()).slice(5).toSorted()).toEqual([
    'correction delivered',
    ...Array(3).fill('retraction delivered'),
  ]);
});

it('is looked at as long as something waits for it, and no longer', async () => {
  const patient = await person('Gwen');
  await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
  await report(patient.lab, fresh(), 4.1);
  await outbox.routes(sites.hospital, []);
  await until(async () => (await states()).every((one) => one === 'new cancelled'));
  await until(() => logged.some(({ msg }) => msg === 'deliveries were withdrawn'));
  const asked: string[] = [];
  const { database } = test;
  const counted = new Proxy(database, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name);
      return (statement: { name?: string }, values?: unknown[]) => {
        asked.push(statement.name ?? '');
        return target.query(statement as never, values);
      };
    },
  });
  const looking = new RemovedRoutes(counted, pino({ level: 'silent' }), async () => 0);
  await looking.look();
  expect(asked).toEqual(['outbox_removed_routes']);
  await database.query(`UPDATE delivery SET state = 'waiting' WHERE state = 'cancelled'`);
  await looking.look();
  expect(asked).toContain('outbox_withdraw');
  expect(await states()).toEqual(['new cancelled']);
});

it('of an organisation that has left the network nothing waits any more', async () => {
  const patient = await person('Fay');
  await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
  await report(patient.lab, fresh(), 4.1);
  await test.database.query(
    `INSERT INTO participant_step (participant, state, by_whom, note) VALUES ($1, 'ended', 'a', 'left')`,
    [sites.hospital],
  );
  await until(async () => {
    // The sender looks whenever organisations change.
    await outbox.routes(sites.practice, []);
    return (await states()).every((one) => one === 'new cancelled');
  });
  expect((await outbox.rows())[0]!.last_error).toBe('Withdrawn: the organisation has left the network.');
  await until(() => logged.some(({ reason }) => reason === 'the organisation has left the network'));
});
