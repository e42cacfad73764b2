/**
 * What comes to pass in any order: results, corrections, withdrawals, links made and undone, refusals given and revoked, sites
 * that fail in all ways, hubs that end at any moment. In the end what the sites were sent says what a model of it says, and every
 * delivery came to an end with its reason. `MODEL_RUNS=200` looks for longer; a failure names its seed (`MODEL_SEED`).
 */
import { createHash } from 'node:crypto';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { acknowledge, encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Consents } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { controlIdOf } from './index.ts';
import type { Sender } from './sender.ts';
import { type Site, sites, type TestOutbox, testOutbox } from './testing.ts';

const runs = Number(process.env.MODEL_RUNS ?? 3);
const timing = { answerMs: 120, connectMs: 500, firstRetryMs: 5, longestRetryMs: 40 };
const manners = ['answers', 'is silent', 'refuses', 'takes nothing', 'breaks off'] as const;
type Manner = (typeof manners)[number];
const receivers = ['hospital', 'practice'] as const;
type Receiver = (typeof receivers)[number];

/** The people of a run: who knows them besides the laboratory. */
const knownTo: readonly Receiver[] = ['hospital', 'practice', 'hospital'];

type Action =
  | { do: 'report' | 'unlink' | 'link' | 'refuse' | 'allow'; person: number }
  | { do: 'correct' | 'withdraw'; person: number; nth: number }
  | { do: 'become'; site: Receiver; manner: Manner }
  | { do: 'end' | 'kill' }
  | { do: 'wait'; ms: number };

const person = fc.nat({ max: knownTo.length - 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('report' as const), person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('correct' as const), person, nth: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('withdraw' as const), person, nth: fc.nat({ max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('unlink', 'link', 'refuse', 'allow'), person }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('become' as const),
      site: fc.constantFrom(...receivers),
      manner: fc.constantFrom(...manners),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end', 'kill') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 150 }) }) },
);

let test: TestDatabase;
let outbox: TestOutbox;
const systems = {} as Record<Receiver, System>;

beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  new Consents(outbox.record, outbox.persons, () => 'UTC');
  for (const site of receivers) {
    systems[site] = await System.open(site === 'hospital' ? 'mllp' : 'http');
    const { port } = systems[site];
    const to =
      site === 'hospital'
        ? { dialect: 'hl7v2' as const, host: '127.0.0.1', port }
        : { dialect: 'fhir' as const, url: `http://127.0.0.1:${port}/fhir` };
    await outbox.endpoint(sites[site], to);
  }
});
afterAll(async () => {
  await outbox.stop();
  for (const site of receivers) await systems[site].become('refuses');
  await test.drop();
});

it('whatever comes to pass, each site is told what it is owed, in order, and nothing that it may not have', async () => {
  const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 30 }), async (actions) => {
      const run = await Run.begin();
      try {
        for (const one of actions) await run.do(one);
        await run.judge();
      } finally {
        await run.close();
      }
    }),
    { numRuns: runs, endOnFailure: true, ...seed },
  );
}, 600_000);

/** A line in the log of a site. */
interface Line {
  id: string;
  order: string;
  /** Undefined where it is taken back. */
  value: number | undefined;
  filedUnder: string;
}

/** A report as the laboratory said it last. */
interface Said {
  id: string;
  result: string;
  order: string;
  value: number;
  isWithdrawn: boolean;
}

interface Known {
  given: string;
  site: Receiver;
  patients: Record<Site, string>;
  isLinked: boolean;
  isRefused: boolean;
  reports: Said[];
  /** What was said while it was refused, or of somebody else, and was not to be told since. */
  hidden: Set<number>;
}

let made = 0;

/** A name that is like no other. */
function letters(n: number): string {
  return [...createHash('sha256').update(String(n)).digest().subarray(0, 8)]
    .map((one) => 'abcdefghijklmnop'[one % 16])
    .join('');
}

/** Demographics that are like nobody else's. */
function unlike(n: number): object {
  const day = new Date(Date.UTC(1940, 0, 1) + n * 9_876_543_210).toISOString().slice(0, 10);
  return {
    name: [{ family: letters(-n), given: [letters(n)] }],
    birthDate: day,
    telecom: [{ system: 'phone', value: `555-${String(n * 7_919).padStart(7, '0')}` }],
    address: [{ line: [`${n} ${letters(n + 0.5)} Lane`], city: 'Sedgewick', postalCode: String(10_000 + n) }],
  };
}

class Run {
  readonly #people: Known[];
  #sender: Sender;
  #database: Killable;

  static async begin(): Promise<Run> {
    const people: Known[] = [];
    for (const site of knownTo) {
      const given = letters(++made);
      const patients = { [site]: newId(), lab: newId() } as Record<Site, string>;
      for (const at of [site, 'lab'] as const)
        await outbox.say(sites[at], outbox.patientAt(at, patients[at], unlike(made), given));
      people.push({ given, site, patients, isLinked: true, isRefused: false, reports: [], hidden: new Set() });
    }
    for (const site of receivers) {
      await systems[site].become('answers');
      systems[site].lines.length = 0;
    }
    const run = new Run(people);
    await run.#sender.start();
    return run;
  }

  private constructor(people: Known[]) {
    this.#people = people;
    this.#database = killable(test.database);
    this.#sender = outbox.sender(100_000, timing, this.#database.database);
  }

  async do(action: Action): Promise<void> {
    switch (action.do) {
      case 'wait':
        return delay(action.ms);
      case 'become':
        return systems[action.site].become(action.manner);
      case 'kill':
        this.#database.kill();
        return this.#begin();
      case 'end':
        return this.#begin();
      case 'report': {
        const value = ++made;
        const said = { id: newId(), result: newId(), order: `F-${value}`, value, isWithdrawn: false };
        this.#people[action.person]!.reports.push(said);
        return this.#say(this.#people[action.person]!, said);
      }
      case 'correct':
      case 'withdraw': {
        const { [action.person]: known } = this.#people;
        const said = known!.reports[action.nth % Math.max(1, known!.reports.length)];
        if (!said || said.isWithdrawn) return;
        if (action.do === 'correct') said.value = ++made;
        else said.isWithdrawn = true;
        return this.#say(known!, said, action.do === 'correct' ? 'corrected' : 'entered-in-error');
      }
      default:
        return this.#decide(this.#people[action.person]!, action.do);
    }
  }

  /** Heals everything, and holds what the sites were sent against what they were owed. */
  async judge(): Promise<void> {
    for (const site of receivers) await systems[site].become('answers');
    for (const known of this.#people) await this.#decide(known, 'allow');
    await this.#settled();
    const before = { hospital: systems.hospital.lines.length, practice: systems.practice.lines.length };
    for (const site of receivers) await outbox.deliveries.replaySome({ destination: sites[site] });
    await this.#settled();
    const rows = (await test.database.query('SELECT * FROM delivery ORDER BY seq')).rows;
    const unexplained = rows.filter(
      ({ state, last_error }) => state === 'dead' || (state === 'cancelled' && !last_error),
    );
    expect(unexplained.map(({ state, last_error }) => [state, last_error])).toEqual([]);
    for (const known of this.#people) {
      const { lines } = systems[known.site];
      const own = lines.filter(({ filedUnder }) => filedUnder === `${known.site}-${known.given}`);
      const seqOf = new Map(rows.map(({ id, seq }) => [known.site === 'hospital' ? controlIdOf(id) : `"${id}"`, seq]));
      // What was given up is sent again, with what followed it about the same, after all that was sent meanwhile.
      for (const part of [lines.slice(0, before[known.site]), lines.slice(before[known.site])]) {
        const seqs = part.filter((line) => own.includes(line)).map(({ id }) => seqOf.get(id)!);
        expect(seqs, known.given).toEqual(seqs.toSorted((a, b) => a - b));
      }
      for (const { order, value, isWithdrawn } of known.reports) {
        const last = own.filter((one) => one.order === order).at(-1);
        const owed = known.isLinked && !isWithdrawn ? value : undefined;
        expect({ order, last: last?.value }, `${known.given} at the ${known.site}`).toEqual({ order, last: owed });
      }
      const leaked = own.filter(({ value }) => value !== undefined && known.hidden.has(value));
      expect(leaked).toEqual([]);
    }
  }

  async close(): Promise<void> {
    await this.#sender.stop();
    // What is left of one run is not the next one's.
    await test.database.query('DELETE FROM delivery');
  }

  /** The hub ends, and another one goes on. */
  async #begin(): Promise<void> {
    await this.#sender.stop();
    this.#database = killable(test.database);
    this.#sender = outbox.sender(100_000, timing, this.#database.database);
    await this.#sender.start();
  }

  #say({ patients, isLinked, isRefused, hidden }: Known, said: Said, status = 'final'): Promise<void> {
    if (!said.isWithdrawn && (!isLinked || isRefused)) hidden.add(said.value);
    const subject = { reference: `Patient/${patients.lab}` };
    const code = { coding: [{ system: 'http://loinc.org', code: '2823-3', display: 'Potassium' }] };
    const filler = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] };
    const amount = { value: said.value, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
    return outbox.say(
      sites.lab,
      { resourceType: 'Observation', id: said.result, status, code, subject, valueQuantity: amount } as never,
      {
        resourceType: 'DiagnosticReport',
        id: said.id,
        status: status === 'entered-in-error' ? 'final' : status,
        identifier: [{ type: filler, system: 'urn:causeway:authority:ellery-lab:LIS', value: said.order }],
        code,
        subject,
        result: [{ reference: `Observation/${said.result}` }],
      } as never,
    );
  }

  async #decide(known: Known, what: 'unlink' | 'link' | 'refuse' | 'allow'): Promise<void> {
    const { patients, site } = known;
    if (what === 'refuse' || what === 'allow') {
      if (known.isRefused === (what === 'refuse')) return;
      known.isRefused = what === 'refuse';
      await outbox.say(sites.lab, consent(patients.lab, known.isRefused ? 'active' : 'inactive', sites[site]));
    } else {
      if (known.isLinked === (what === 'link')) return;
      known.isLinked = what === 'link';
      const identity = {
        kind: what,
        a: patients.lab,
        b: patients[site],
        at: new Date().toISOString(),
        source: sites.lab,
      };
      await outbox.record.writer.write({
        keys: [],
        patients: [patients.lab, patients[site]],
        apply: (set) => {
          outbox.persons.state(set, identity);
          set.touched = true;
        },
      });
    }
    // What was said before may be told then, with what became of it.
    if (known.isLinked && !known.isRefused) known.hidden.clear();
  }

  async #settled(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { rows } = await test.database.query(
        `SELECT seq, destination, state, attempts, leased, last_error, reconsider FROM delivery WHERE state IN ('waiting', 'failed')`,
      );
      if (rows.length === 0) return;
      if (tries > 600) throw new Error(`These hang: ${JSON.stringify(rows)}`);
      await delay(25);
    }
  }
}

function consent(patient: string, status: string, to: string) {
  const recipient = { identifier: { system: 'urn:causeway:participant', value: to } };
  return {
    resourceType: 'Consent',
    id: `refusal-${patient}`.slice(0, 64),
    status,
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    patient: { reference: `Patient/${patient}` },
    provision: { type: 'deny', actor: [{ role: { text: 'recipient' }, reference: recipient }] },
  };
}

interface Killable {
  database: Database;
  /** From there on nothing is read or written any more, as of a hub that was killed. */
  kill(): void;
}

function killable(database: Database): Killable {
  let isDead = false;
  return {
    kill: () => {
      isDead = true;
    },
    database: new Proxy(database, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          isDead && (name === 'query' || name === 'transaction')
            ? Promise.reject(new Error('The hub was killed.'))
            : value.apply(target, args);
      },
    }),
  };
}

/** A site's system, which logs what it gets before it answers. */
class System {
  readonly lines: Line[] = [];
  port = 0;
  #manner: Manner = 'answers';
  readonly #server: Server | HttpServer;
  readonly #sockets = new Set<Socket>();

  static async open(protocol: 'mllp' | 'http'): Promise<System> {
    const system = new System(protocol);
    await system.#listen();
    return system;
  }

  private constructor(protocol: 'mllp' | 'http') {
    this.#server = protocol === 'mllp' ? createTcp((socket) => this.#mllp(socket)) : this.#http();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async become(manner: Manner): Promise<void> {
    if (manner === this.#manner) return;
    const before = this.#manner;
    this.#manner = manner;
    for (const socket of this.#sockets) socket.destroy();
    if (before === 'refuses') await this.#listen();
    if (manner === 'refuses') await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.port, '127.0.0.1', () => {
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #mllp(socket: Socket): void {
    const decoder = new MllpDecoder();
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        const message = event.kind === 'frame' ? parseMessage(event.content) : undefined;
        if (!message || isParseError(message)) throw new Error('The hub sent no message.');
        const value = message.get('OBX-5');
        this.lines.push({
          id: message.controlId!,
          order: message.get('OBR-3.1')!,
          value: value === undefined ? undefined : Number(value),
          filedUnder: message.get('PID-3.1')!,
        });
        if (this.#manner === 'breaks off') socket.destroy();
        if (this.#manner === 'is silent' || this.#manner === 'breaks off') continue;
        const outcome = this.#manner === 'takes nothing' ? 'error' : 'accept';
        socket.write(encodeFrame(acknowledge(message, { outcome, time: new Date(), controlId: '1' })!.bytes));
      }
    });
  }

  #http(): HttpServer {
    return createHttp(async (request, response) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const { entry } = JSON.parse(Buffer.concat(chunks).toString());
        // biome-ignore lint/suspicious/noExplicitAny: resources of several types.
        const resources: any[] = entry.map(({ resource }: { resource: object }) => resource);
        const report = resources.find(({ resourceType }) => resourceType === 'DiagnosticReport');
        const observation = resources.find(({ resourceType }) => resourceType === 'Observation');
        this.lines.push({
          id: String(request.headers['idempotency-key']),
          order: report.identifier.find(({ value }: { value: string }) => value.startsWith('F-')).value,
          value: report.status === 'entered-in-error' ? undefined : observation?.valueQuantity?.value,
          filedUnder: report.subject.identifier.value,
        });
        if (this.#manner === 'breaks off') response.destroy();
        if (this.#manner === 'is silent' || this.#manner === 'breaks off') return;
        response.writeHead(this.#manner === 'takes nothing' ? 422 : 200).end('{}');
      } catch {
        response.destroy();
      }
    });
  }
}
