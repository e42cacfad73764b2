/**
 * The kill test of what goes out: results come in over MLLP while the hub, or its database, is killed at moments drawn from a
 * seed. In the end the logs of the receivers must have each result of each person once, in its order, the last word about each
 * order must be the laboratory's, and each event of a subscription must have one number, none left out.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { signToken, tokenKey } from '../secrets/index.ts';
import { hubConfig, type Json } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';
import { Feed, type FeedMessage } from './feed.ts';
import { dataFolder, generator, HubProcess, sleep } from './hub-under-test.ts';

export interface ExchangeKillResult {
  kills: number;
  /** Of these, of the database and not of the hub. */
  databaseKills: number;
  results: number;
  /** What came again under the same id: sent at least once, and known by its id. */
  repeated: { hospital: number; practice: number; subscriber: number };
  /** What is wrong, in words; empty when nothing is. */
  faults: string[];
  seconds: number;
}

interface Line {
  id: string;
  patient: string;
  order: string;
  /** The value, which is the number of the laboratory's message. */
  result: number;
  /** Of messages of HL7 v2. */
  kind?: 'new' | 'correction';
  /** Of all its bytes. */
  digest: string;
}

const patients = 20;
/** Every so many results of a person one corrects the order that came so many before it. */
const correctedEvery = 5;
const correctedAfter = 3;
/** How many more results come in than the hospital must have before the next kill. */
const ahead = 200;
const patienceMs = 600_000;

/** Runs the test in a folder of its own, which is deleted. */
export async function runExchangeKillTest(options: {
  results: number;
  kills: number;
  seed: number;
  say?: (text: string) => void;
}): Promise<ExchangeKillResult> {
  const { results, kills, seed, say = () => {} } = options;
  const begun = performance.now();
  const random = generator(seed);
  const dataDir = dataFolder();
  const receivers = await startReceivers(dataDir);
  const allowed = [`http://127.0.0.1:${receivers.http}`];
  const hub = new HubProcess({
    ...hubConfig(dataDir, 'embedded', { logLevel: 'fatal' }),
    notifyTo: allowed,
    sendTo: allowed,
  });
  let databaseKills = 0;
  try {
    await hub.start();
    const subscription = await prepare(hub, dataDir, receivers);
    const feed = new Feed(Array.from({ length: results }, (_, i) => result(i)));
    const moments = Array.from({ length: kills }, () => Math.floor(random() * results)).sort((a, b) => a - b);
    for (const [i, moment] of moments.entries()) {
      feed.send(hub.mllpPort, moment + ahead);
      await receivers.reached(moment);
      await sleep(random() * 50);
      const isDatabase = random() < 0.5;
      if (isDatabase) databaseKills++;
      await (isDatabase ? hub.killDatabase() : hub.kill());
      await feed.stopped();
      const what = isDatabase ? 'the database' : 'the hub';
      say(`kill ${i + 1} of ${kills}, of ${what}, after ${moment} results; ${feed.count} were acknowledged`);
      if (random() < 0.2) await hub.killWhileStarting(random() * 3_000);
      await hub.start();
    }
    feed.send(hub.mllpPort);
    await feed.acknowledged(results);
    await feed.stopped();
    say('all results are acknowledged');
    const events = await settled(hub, dataDir, subscription);
    const found = judge(dataDir, results, events);
    return { kills, databaseKills, results, ...found, seconds: (performance.now() - begun) / 1_000 };
  } finally {
    await hub.stop();
    receivers.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Receivers {
  mllp: number;
  http: number;
  /** Resolves when the hospital has the result of this number, or a later one. */
  reached(result: number): Promise<void>;
  stop(): void;
}

async function startReceivers(folder: string): Promise<Receivers> {
  const child = fork(join(import.meta.dirname, 'exchange-receivers.ts'), [folder]);
  const [ports] = (await once(child, 'message')) as [{ mllp: number; http: number }];
  let latest = -1;
  let waiting: { result: number; done: () => void }[] = [];
  child.on('message', ({ hospital }: { hospital: number }) => {
    latest = Math.max(latest, hospital);
    for (const one of waiting) if (latest >= one.result) one.done();
    waiting = waiting.filter(({ result }) => latest < result);
  });
  return {
    ...ports,
    reached: (result) => (latest >= result ? Promise.resolve() : new Promise((done) => waiting.push({ result, done }))),
    stop: () => child.kill(),
  };
}

async function ask(hub: HubProcess, dataDir: string, method: string, path: string, body?: object): Promise<Json> {
  const token = await signToken(tokenKey(dataDir), { subject: 'soak', role: 'administrator', expiresInSeconds: 3_600 });
  const answer = await fetch(hub.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return answer.json();
}

/** Makes the sites known, and the people to hospital and practice; subscribes to results. @returns the subscription's id */
async function prepare(hub: HubProcess, dataDir: string, to: { mllp: number; http: number }): Promise<string> {
  const endpoints: Json = {
    hospital: { dialect: 'hl7v2', host: '127.0.0.1', port: to.mllp },
    practice: { dialect: 'fhir', url: `http://127.0.0.1:${to.http}/fhir` },
  };
  for (const kind of ['hospital', 'practice', 'lab']) {
    await ask(hub, dataDir, 'PUT', `/api/participants/${kind}`, {
      name: kind,
      kind,
      sendingFacility: kind.toUpperCase(),
      identifierSystem: `urn:soak:${kind}`,
      identifierAuthority: kind.toUpperCase(),
      endpoint: endpoints[kind] ?? null,
    });
    const identifierSystems = { [kind.toUpperCase()]: `urn:soak:${kind}` };
    await ask(hub, dataDir, 'PUT', `/api/participants/${kind}/settings`, { identifierSystems });
  }
  const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
  const { id } = await ask(hub, dataDir, 'POST', '/fhir/Subscription', {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'soak',
    criteria: 'urn:causeway:SubscriptionTopic:result',
    channel: {
      type: 'rest-hook',
      endpoint: `http://127.0.0.1:${to.http}/hook`,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: 'id-only' }] },
    },
  });
  // Care ends with time: they have been seen today.
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const registrations = Array.from({ length: patients }, (_, n) =>
    ['HOSPITAL', 'PRACTICE'].map((facility) => ({
      controlId: `${facility}${n}`,
      text: adt('A04', personOf(n, facility), { controlId: `${facility}${n}`, facility, time }),
      lane: n,
    })),
  ).flat();
  const feed = new Feed(registrations);
  feed.send(hub.mllpPort);
  await feed.stopped();
  await idle(hub, dataDir);
  return id;
}

function personOf(n: number, facility: string) {
  const two = String(n + 10);
  return {
    id: `${facility[0]}${n}`,
    family: `Soaked${String.fromCharCode(97 + (n % 26), 97 + ((n * 7) % 26), 97 + ((n * 11) % 26))}`,
    given: `Kim${String.fromCharCode(97 + ((n * 5) % 26), 97 + ((n * 3) % 26))}`,
    birth: `19${two}03${two}`.slice(0, 8),
    sex: n % 2 ? 'F' : 'M',
    street: `${two} Heron Lane`,
    city: 'Sedgewick',
    postalCode: `040${two}`,
    phone: `(207)555-01${two}`,
  };
}

/** The order of a result: its own, or that of an earlier result of the person, which it corrects. */
function orderOf(i: number): number {
  const isCorrection = Math.floor(i / patients) % correctedEvery === correctedEvery - 1;
  return isCorrection ? i - correctedAfter * patients : i;
}

function result(i: number): FeedMessage {
  const n = i % patients;
  const order = orderOf(i);
  const time = new Date(Date.UTC(2024, 2, 1) + i * 1_000).toISOString().replace(/\D/g, '').slice(0, 14);
  const stamp = { controlId: `SOAK${i}`, facility: 'LAB', time };
  const status = order === i ? 'F' : 'C';
  const stated = { order: `ORDER${order}`, code: '718-7', value: String(i), status, orderStatus: status };
  const text = oru(personOf(n, 'LAB'), stated, stamp);
  return { controlId: stamp.controlId, text, lane: n };
}

/** Resolves when everything received is processed and everything due is delivered. */
async function idle(hub: HubProcess, dataDir: string): Promise<void> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(200)) {
    const { waiting, failed, deliveriesWaiting } = await ask(hub, dataDir, 'GET', '/api/status');
    if (waiting + failed + deliveriesWaiting === 0) return;
  }
  const status = await ask(hub, dataDir, 'GET', '/api/status');
  const { waiting, failed, deliveriesWaiting, destinationsDown } = status;
  const left = JSON.stringify({ waiting, failed, deliveriesWaiting, destinationsDown });
  throw new Error(`Not everything was delivered in time: ${left}`);
}

/** Waits until nothing is left to tell. @returns how many events the subscription has */
async function settled(hub: HubProcess, dataDir: string, subscription: string): Promise<number> {
  await idle(hub, dataDir);
  let numbered = -1;
  for (const until = Date.now() + patienceMs; Date.now() < until; await sleep(2_500)) {
    const { entry } = await ask(hub, dataDir, 'GET', `/fhir/Subscription/${subscription}/$status`);
    const { parameter } = entry[0].resource;
    const events = Number(parameter.find((one: Json) => one.name === 'events-since-subscription-start').valueString);
    const told = new Set(linesOf<{ number: number }>(dataDir, 'subscriber').map(({ number }) => number));
    if (events === numbered && told.size >= events) return events;
    numbered = events;
  }
  return numbered;
}

function linesOf<T>(folder: string, name: string): T[] {
  const path = join(folder, `${name}.log`);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** What the receivers' logs say. */
function judge(folder: string, results: number, events: number): Pick<ExchangeKillResult, 'repeated' | 'faults'> {
  const faults: string[] = [];
  const hospital = judgeSite('hospital', linesOf<Line>(folder, 'hospital'), results, faults);
  const practice = judgeSite('practice', linesOf<Line>(folder, 'practice'), results, faults);
  const told = linesOf<{ number: number; focus: string }>(folder, 'subscriber');
  const focusOf = new Map<number, string>();
  for (const { number, focus } of told) {
    const before = focusOf.get(number);
    if (before !== undefined && before !== focus) faults.push(`subscriber: number ${number} is of two events`);
    if (before === undefined && number !== focusOf.size + 1)
      faults.push(`subscriber: number ${number} came after ${focusOf.size} others`);
    focusOf.set(number, focus);
  }
  const orders = new Set(Array.from({ length: results }, (_, i) => orderOf(i)));
  if (new Set(focusOf.values()).size !== orders.size)
    faults.push(`subscriber: it was told of ${new Set(focusOf.values()).size} reports, and not of ${orders.size}`);
  if (focusOf.size !== events) faults.push(`subscriber: ${focusOf.size} events came of ${events} that were numbered`);
  if (events > results) faults.push(`subscriber: ${events} events were numbered for ${results} changes`);
  return { repeated: { hospital, practice, subscriber: told.length - focusOf.size }, faults };
}

/**
 * Holds what a site got against what the laboratory sent. Of a result and its correction that the hub stored at once it may
 * have been told by one message, at the place of the result; whatever came, came under one id for each value, and in the order
 * in which it was said.
 * @returns how many came again
 */
function judgeSite(site: 'hospital' | 'practice', lines: Line[], results: number, faults: string[]): number {
  const byId = new Map<string, Line>();
  const byValue = new Map<number, string>();
  /** Of each person, what came last, and its place in what was said. */
  const last = new Map<string, { id: string; place: number }>();
  const lastOf = new Map<string, number>();
  for (const line of lines) {
    const { id, patient, order, result, kind, digest } = line;
    const what = `${site}: ${order} with the value ${result}`;
    const own = `${site[0]!.toUpperCase()}${result % patients}`;
    if (patient !== own) faults.push(`${what} was filed under ${patient}, and not ${own}`);
    if (order !== `ORDER${orderOf(result)}`) faults.push(`${what}: the value is another order's`);
    if ((byValue.get(result) ?? id) !== id) faults.push(`${what} came under two ids`);
    const [before, latest] = [byId.get(id), last.get(patient)];
    if (before) {
      if (before.digest !== digest) faults.push(`${what} came again under its id with other content`);
      if (latest?.id !== id) faults.push(`${what} came again after a later one of ${patient}`);
      continue;
    }
    const isKnown = lastOf.has(order);
    const place = isKnown ? result : orderOf(result);
    if (latest && place < latest.place) faults.push(`${what} came after a later one of ${patient}`);
    // Told of both at once, a site is told first of the correction, as which the laboratory sent it.
    const isCorrection = isKnown || order !== `ORDER${result}`;
    if (kind && (kind === 'correction') !== isCorrection) faults.push(`${what} came as ${kind}`);
    last.set(patient, { id, place });
    lastOf.set(order, result);
    byId.set(id, line);
    byValue.set(result, id);
  }
  const latest = new Map(Array.from({ length: results }, (_, i) => [`ORDER${orderOf(i)}`, i]));
  for (const [order, value] of latest)
    if (lastOf.get(order) !== value)
      faults.push(`${site}: the last word about ${order} is ${lastOf.get(order) ?? 'nothing'}, and not ${value}`);
  return lines.length - byId.size;
}
