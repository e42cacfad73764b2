import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acknowledge, isParseError, parseMessage } from '@causeway/hl7v2';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { controlIdOf } from './index.ts';
import { type Behaviour, mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let receiver: TestReceiver | undefined;
let logged: { level: number; msg: string; destination?: string }[];

beforeEach(async () => {
  test = await testDatabase();
  logged = [];
  outbox = await testOutbox(test.database, pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }));
});
afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
  await outbox.stop();
  await test.drop();
});

const until = async (what: () => boolean | Promise<boolean>) => {
  for (let tries = 0; !(await what()); tries++) {
    if (tries > 500) throw new Error('It did not happen.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const rows = async () => (await outbox.rows()).filter(({ destination }) => destination === sites.hospital);
const alerts = () => logged.filter(({ msg }) => /^a destination takes/.test(msg)).map(({ msg }) => msg);

async function listen(behaviour: Behaviour, acknowledgement: 'original' | 'enhanced' = 'original') {
  receiver = await mllpReceiver(behaviour);
  await outbox.endpoint(sites.hospital, { ...receiver.endpoint, acknowledgement });
  return receiver;
}

/** Results of so many humans for the hospital, one each. */
async function results(...given: string[]) {
  for (const name of given) {
    const [hospital, lab] = [newId(), newId()];
    for (const [site, id] of [
      [sites.hospital, hospital],
      [sites.lab, lab],
    ] as const) {
      await outbox.say(site, {
        resourceType: 'Patient',
        id,
        identifier: [{ system: outbox.participants.byKey(site).identifierSystem, value: `${site}-${name}` }],
        name: [{ family: 'Quillfeather', given: [name] }],
        birthDate: `19${String(30 + name.length)}-03-14`,
        gender: 'female',
        telecom: [{ system: 'phone', value: `555-01${name.length}` }],
        address: [{ line: [`${name.length} Heron Lane`], city: 'Sedgewick', postalCode: '04999' }],
      } as never);
    }
    await outbox.say(sites.lab, {
      resourceType: 'DiagnosticReport',
      id: newId(),
      status: 'final',
      identifier: [{ system: 'urn:causeway:authority:ellery-lab:LIS', value: `F-${name}` }],
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: `Patient/${lab}` },
    } as never);
  }
}

describe('an acknowledgement that does not come in time', () => {
  it('that comes late counts, and nothing is sent again', async () => {
    const to = await listen(() => 'silence');
    await outbox.sender(50, { firstRetryMs: 2_000, longestRetryMs: 2_000 }).start();
    await results('Ada');
    await until(async () => (await rows())[0]?.last_error?.includes('No acknowledgement came') ?? false);
    to.say(acknowledge(to.messages[0]!, { outcome: 'accept', time: new Date(), controlId: '1' })!.bytes);
    await outbox.until('delivered', 1);
    expect(to.messages).toHaveLength(1);
  });

  it('makes a connection anew after the second, and sends the same bytes', async () => {
    let silent = true;
    const to = await listen(() => (silent ? 'silence' : 'accept'));
    await outbox.sender().start();
    await results('Ada');
    await until(() => to.messages.length >= 3);
    silent = false;
    await outbox.until('delivered', 1);
    expect(new Set(to.messages.map(String)).size).toBe(1);
  });

  it('is not flooded: one message at a time, with growing pauses', async () => {
    const to = await listen(() => 'silence');
    await outbox.sender(50, { answerMs: 20, firstRetryMs: 100, longestRetryMs: 10_000 }).start();
    await results('Ada', 'Beatrice', 'Constance', 'Dorothea');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // By doubled pauses of a tenth of a second, halved or half as long again by chance, there is room for five or so.
    expect(to.messages.length).toBeLessThan(9);
  });
});

describe('a destination of enhanced mode', () => {
  it('is asked for both acknowledgements; its application’s is confirmed', async () => {
    const to = await listen(() => ({ commit: 'accept', application: 'accept' }), 'enhanced');
    await outbox.sender().start();
    await results('Ada');
    await outbox.until('delivered', 1);
    expect([to.messages[0]!.get('MSH-15'), to.messages[0]!.get('MSH-16')]).toEqual(['AL', 'AL']);
    await until(() => to.replies.length === 1);
    expect([to.replies[0]!.get('MSA-1'), to.replies[0]!.get('MSA-2')]).toEqual(['CA', 'a1']);
  });

  it('that refuses after it accepted ends as a dead letter that says why', async () => {
    await listen(() => ({ commit: 'accept', application: 'error' }), 'enhanced');
    await outbox.sender(50, { refusals: 1 }).start();
    await results('Ada');
    await outbox.until('dead', 1);
    expect((await rows())[0]!.last_error).toContain('Acknowledged with AE');
  });

  it('that does not accept is tried again', async () => {
    let taken = 0;
    const to = await listen(
      () => (taken++ === 0 ? { commit: 'reject' } : { commit: 'accept', application: 'accept' }),
      'enhanced',
    );
    await outbox.sender().start();
    await results('Ada');
    await outbox.until('delivered', 1);
    expect(to.messages).toHaveLength(2);
  });

  it('has the message once it said CA: it is not sent again, others follow, and what came of it is noted later', async () => {
    const to = await listen(() => ({ commit: 'accept' }), 'enhanced');
    await outbox.sender().start();
    await results('Ada', 'Beatrice');
    await outbox.until('accepted', 2);
    expect(to.messages).toHaveLength(2);
    expect(await outbox.deliveries.status()).toMatchObject({ deliveriesAccepted: 2, delivered: 0 });
    const [ada, beatrice] = to.messages;
    const late = { stage: 'application', time: new Date(), controlId: 'L1' } as const;
    // One over the same connection, one over a connection of the destination's own, as the gate takes it.
    to.say(acknowledge(ada!, { ...late, outcome: 'accept' })!.bytes);
    await outbox.until('delivered', 1);
    const conditions = [{ errorCode: '204', message: 'No such patient.' }] as const;
    const reply = parseMessage(acknowledge(beatrice!, { ...late, outcome: 'error', conditions })!.bytes);
    if (isParseError(reply)) throw new Error(reply.message);
    expect(await outbox.deliveries.noteAnswer(sites.practice, reply)).toBe(false);
    expect(await outbox.deliveries.noteAnswer(sites.hospital, reply)).toBe(true);
    await outbox.until('dead', 1);
    const dead = (await rows()).find(({ state }) => state === 'dead')!;
    expect(dead.last_error).toContain('No such patient.');
    expect(beatrice!.controlId).toBe(controlIdOf(dead.id));
    expect(to.messages).toHaveLength(2);
  });

  it('that says over a connection of its own what came of it, while the hub still listens on the first, is heard', async () => {
    const to = await listen(() => ({ commit: 'accept' }), 'enhanced');
    await outbox.sender(50, { answerMs: 2_000 }).start();
    await results('Ada', 'Beatrice');
    const say = async (place: number, outcome: 'accept' | 'error') => {
      await until(() => to.messages.length > place);
      const conditions = outcome === 'error' ? [{ errorCode: '204', message: 'No such patient.' } as const] : [];
      const said = { stage: 'application', time: new Date(), controlId: `L${place}`, outcome, conditions } as const;
      const reply = parseMessage(acknowledge(to.messages[place]!, said)!.bytes);
      if (isParseError(reply)) throw new Error(reply.message);
      expect(await outbox.deliveries.noteAnswer(sites.hospital, reply)).toBe(true);
    };
    await say(0, 'accept');
    await say(1, 'error');
    await outbox.until('dead', 1);
    expect((await rows()).map(({ state, last_error }) => [state, last_error])).toEqual([
      ['delivered', null],
      ['dead', expect.stringContaining('No such patient.')],
    ]);
  });

  it('is sent again, when asked, what it accepted and never spoke of', async () => {
    const to = await listen(() => ({ commit: 'accept' }), 'enhanced');
    await outbox.sender().start();
    await results('Ada');
    await outbox.until('accepted', 1);
    const [one] = await rows();
    expect(await outbox.deliveries.replay(one!.id)).toBe(1);
    await until(() => to.messages.length === 2);
    await outbox.until('accepted', 1);
    expect(await outbox.deliveries.replaySome({ destination: sites.hospital })).toBe(0);
    expect(await outbox.deliveries.replaySome({ destination: sites.hospital, delivered: true })).toBe(1);
    await until(() => to.messages.length === 3);
  });
});

describe('a destination that stops', () => {
  it('is told of once, and once when it is back, also by a hub that started meanwhile', async () => {
    await outbox.endpoint(sites.hospital, { dialect: 'hl7v2', host: '127.0.0.1', port: 1 });
    const first = outbox.sender();
    await first.start();
    await results('Ada');
    await until(async () => (await rows())[0]!.attempts > 6);
    expect(alerts()).toEqual(['a destination takes no messages']);
    expect((await outbox.deliveries.status()).destinationsDown).toMatchObject([
      { key: sites.hospital, name: 'The hospital', reason: expect.stringContaining('ECONNREFUSED') },
    ]);
    await first.stop();
    const second = outbox.sender();
    await second.start();
    const tried = (await rows())[0]!.attempts;
    await until(async () => (await rows())[0]!.attempts > tried + 4);
    expect(alerts()).toHaveLength(1);
    await listen(() => 'accept');
    await outbox.until('delivered', 1);
    await until(() => alerts().length > 1);
    expect(alerts()).toEqual(['a destination takes no messages', 'a destination takes messages again']);
    expect((await outbox.deliveries.status()).destinationsDown).toEqual([]);
  });

  it('is told of without its own words, which may name somebody: those stand with the delivery', async () => {
    const outcome = { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'Quillfeather is known twice.' }] };
    const server = createServer((_, response) => response.writeHead(503).end(JSON.stringify(outcome)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    await outbox.endpoint(sites.hospital, { dialect: 'fhir', url: `http://127.0.0.1:${port}/fhir` });
    const sender = outbox.sender();
    await sender.start();
    await results('Ada');
    await until(() => alerts().length > 0);
    await sender.stop();
    server.close();
    expect((await rows())[0]!.last_error).toContain('Quillfeather is known twice.');
    const told = JSON.stringify([logged, (await outbox.deliveries.status()).destinationsDown]);
    expect(told).toContain('Answered 503.');
    expect(told).not.toContain('Quillfeather');
  });

  it('is not told of for one connection that broke', async () => {
    const to = await listen(() => 'accept');
    await outbox.endpoint(sites.hospital, { ...to.endpoint, port: 1 });
    await outbox.sender(50, { firstRetryMs: 600, longestRetryMs: 600 }).start();
    await results('Ada');
    await until(async () => (await rows())[0]!.last_error !== null);
    await outbox.endpoint(sites.hospital, to.endpoint);
    await outbox.until('delivered', 1);
    expect(alerts()).toEqual([]);
  });
});
