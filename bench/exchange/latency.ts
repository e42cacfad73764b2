/**
 * How long a result takes from the laboratory's first byte to the answers of those who are told of it: a hospital over MLLP,
 * a practice as FHIR, and a browser over WebSocket.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { percentiles } from '../client/load.ts';
import { startHub } from '../server/hub.ts';
import { type Usage, usageOf } from '../server/usage.ts';
import { Lab } from './lab.ts';
import { type Known, peopleOf, reportOf } from './people.ts';
import { Arrivals, fhirReceiver, mllpReceiver } from './receivers.ts';
import { file, register, untilDelivered } from './region.ts';
import { subscribe } from './subscriber.ts';

/** Until the hub has compiled what it needs most, and has given up on guesses about it. */
const warmSeconds = 10;
const patienceMs = 20_000;

export interface LatencyResult extends Cost {
  messages: number;
  per_second: number;
  /** Until the laboratory had its acknowledgement. */
  acknowledged_after_plan_p99_ms: number;
  hospital: Told;
  practice: Told;
  websocket: Told;
}

interface Told {
  told: number;
  p50_ms: number;
  p99_ms: number;
  most_ms: number;
  missing: number;
  repeated: number;
  misfiled: number;
  disordered: number;
}

/**
 * @param rates messages a second, one after the other on one hub
 * @param profileDir where Node writes a CPU profile of the hub
 */
export async function latency(
  rates: readonly number[],
  seconds: number,
  profileDir?: string,
): Promise<LatencyResult | { [rate: `at_${number}`]: LatencyResult }> {
  const town = await openTown(1_000, profileDir);
  const { hub, lab, results, arrivals } = town;
  try {
    const measured = async (perSecond: number): Promise<LatencyResult> => {
      const from = town.sent();
      lab.late.length = 0;
      const before = usageOf(hub.pid, hub.postmaster);
      await lab.run(perSecond, seconds, results);
      const wanted = Array.from({ length: town.sent() - from }, (_, i) => from + i);
      for (const until = performance.now() + patienceMs; performance.now() < until; await delay(50))
        if (town.haveAll(wanted)) break;
      return {
        messages: wanted.length,
        per_second: perSecond,
        acknowledged_after_plan_p99_ms: percentiles(lab.late).p99_ms,
        hospital: figures(lab, arrivals.hospital, wanted),
        practice: figures(lab, arrivals.practice, wanted),
        websocket: figures(lab, arrivals.websocket, wanted),
        ...costOf(before, usageOf(hub.pid, hub.postmaster), wanted.length),
      };
    };
    await lab.run(rates[0]!, warmSeconds, results);
    const measurements: { [rate: `at_${number}`]: LatencyResult } = {};
    for (const perSecond of rates) {
      await untilDelivered(hub);
      const result = await measured(perSecond);
      measurements[`at_${perSecond}`] = result;
    }
    return rates.length === 1 ? Object.values(measurements)[0]! : measurements;
  } finally {
    await town.close();
  }
}

export interface CostResult extends Cost {
  messages: number;
}

/**
 * What messages cost where as many as there is room for are on their way, until all three have been told of all: the same work
 * whatever else the machine does.
 * @param warm so many before, for nothing
 * @param underWay so many are on their way at a time
 */
export async function cost(messages: number, warm: number, underWay: number, profileDir?: string): Promise<CostResult> {
  const town = await openTown(300, profileDir);
  const { hub, lab, results } = town;
  try {
    const told = async (count: number) => {
      const sent: number[] = [];
      const left = new Set<number>();
      while (sent.length < count || left.size > 0) {
        for (const one of left) if (town.haveAll([one])) left.delete(one);
        while (left.size < underWay && sent.length < count) {
          const { result, person, text } = results.next().value!;
          sent.push(result);
          left.add(result);
          lab.send(result, person, text);
        }
        await delay(5);
      }
    };
    await told(warm);
    const before = usageOf(hub.pid, hub.postmaster);
    await told(messages);
    return { messages, ...costOf(before, usageOf(hub.pid, hub.postmaster), messages) };
  } finally {
    await town.close();
  }
}

/** CPU of hub and PostgreSQL a message, everything that follows from it included. */
interface Cost {
  cpu_ms: number;
  hub_cpu_ms: number;
}

function costOf(before: Usage, after: Usage, messages: number): Cost {
  const hubMs = (after.hubCpuMs - before.hubCpuMs) / messages;
  return { cpu_ms: hubMs + (after.postgresCpuMs - before.postgresCpuMs) / messages, hub_cpu_ms: hubMs };
}

/** A hub of which hospital, practice and laboratory are participants, and a browser is told; with the people whom all know. */
async function openTown(size: number, profileDir: string | undefined) {
  const people = peopleOf({ people: size, seed: 1 });
  const personOf: number[] = [];
  const arrivalsAt = (of: (one: Known) => string) =>
    new Arrivals((result) => {
      const person = personOf[result];
      return person === undefined ? undefined : of(people[person]!);
    });
  const hospital = arrivalsAt(({ numbers }) => numbers['harbor-hospital']);
  const practice = arrivalsAt(({ numbers }) => numbers['millbrook-practice']);
  const websocket = arrivalsAt(({ numbers }) => numbers['ellery-lab']);
  const arrivals = { hospital, practice, websocket };
  const [mllp, http] = [await mllpReceiver(hospital), await fhirReceiver(practice)];
  const hub = await startHub({ profileDir, words: ['--send-to', `http://127.0.0.1:${http.port}`] });
  const closing: (() => void)[] = [];
  const close = async () => {
    for (const end of closing) end();
    await hub.stop();
    await Promise.all([mllp.close(), http.close()]);
  };
  try {
    await register(hub, {
      'harbor-hospital': { dialect: 'hl7v2', host: '127.0.0.1', port: mllp.port },
      'millbrook-practice': { dialect: 'fhir', url: `http://127.0.0.1:${http.port}/fhir` },
    });
    const lab = await Lab.open(hub.mllp);
    closing.push(() => lab.close());
    for (const [i, { registration }] of people.entries()) {
      lab.send(-1 - i, i, registration.hospital);
      await file(hub, 'millbrook-practice', registration.practice);
    }
    await lab.answered();
    await untilDelivered(hub);
    const next = (person: number) => {
      const { reports } = people[person]!;
      const result = personOf.push(person) - 1;
      return { result, person, text: reportOf(reports[result % reports.length]!, result) };
    };
    // One of each first: whom the hub does not take for the same human at all three sites is left out.
    for (const [person] of people.entries()) {
      const { result, text } = next(person);
      lab.send(result, person, text);
    }
    await lab.answered();
    await untilDelivered(hub);
    const told = people.map((_, i) => i).filter((i) => hospital.at.has(i) && practice.at.has(i));
    console.error(`${told.length} of ${people.length} people are known to all three as one`);
    const socket = await subscribe(hub, websocket);
    closing.push(() => socket.close());
    const results = (function* (): Generator<ReturnType<typeof next>> {
      for (let i = 0; ; i++) yield next(told[(i * 7_919) % told.length]!);
    })();
    const haveAll = (wanted: readonly number[]) =>
      Object.values(arrivals).every(({ at }) => wanted.every((result) => at.has(result)));
    return { hub, lab, arrivals, results, haveAll, sent: () => personOf.length, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function figures(lab: Lab, { at, repeated, misfiled, disordered }: Arrivals, wanted: readonly number[]): Told {
  const found = wanted.filter((result) => at.has(result));
  const took = found.map((result) => at.get(result)! - lab.sent.get(result)!);
  const missing = wanted.length - found.length;
  const most = Math.max(...took);
  return { told: found.length, ...percentiles(took), most_ms: most, missing, repeated, misfiled, disordered };
}
