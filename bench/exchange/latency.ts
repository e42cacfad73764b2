/**
 * How long a result takes from the laboratory's first byte to the answers of those who are told of it: a hospital over MLLP,
 * a practice as FHIR, and a browser over WebSocket.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { percentiles } from '../client/load.ts';
import { startHub } from '../server/hub.ts';
import { usageOf } from '../server/usage.ts';
import { Lab } from './lab.ts';
import { type Known, peopleOf, reportOf } from './people.ts';
import { Arrivals, fhirReceiver, mllpReceiver } from './receivers.ts';
import { file, register, untilDelivered } from './region.ts';
import { subscribe } from './subscriber.ts';

const town = { people: 1_000, seed: 1 };
/** Until the hub has compiled what it needs most, and has given up on guesses about it. */
const warmSeconds = 10;
const patienceMs = 20_000;

export interface LatencyResult {
  messages: number;
  per_second: number;
  /** Until the laboratory had its acknowledgement. */
  acknowledged_after_plan_p99_ms: number;
  hospital: Told;
  practice: Told;
  websocket: Told;
  /** CPU of hub and PostgreSQL a message, everything that follows from it included. */
  cpu_ms: number;
  hub_cpu_ms: number;
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
  const people = peopleOf(town);
  const personOf: number[] = [];
  const arrivalsAt = (of: (one: Known) => string) =>
    new Arrivals((result) => {
      const person = personOf[result];
      return person === undefined ? undefined : of(people[person]!);
    });
  const hospital = arrivalsAt(({ numbers }) => numbers['harbor-hospital']);
  const practice = arrivalsAt(({ numbers }) => numbers['millbrook-practice']);
  const browser = arrivalsAt(({ numbers }) => numbers['ellery-lab']);
  const [mllp, http] = [await mllpReceiver(hospital), await fhirReceiver(practice)];
  const hub = await startHub({ profileDir, words: ['--send-to', `http://127.0.0.1:${http.port}`] });
  try {
    await register(hub, {
      'harbor-hospital': { dialect: 'hl7v2', host: '127.0.0.1', port: mllp.port },
      'millbrook-practice': { dialect: 'fhir', url: `http://127.0.0.1:${http.port}/fhir` },
    });
    const lab = await Lab.open(hub.mllp);
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
    const socket = await subscribe(hub, browser);
    const results = function* (): Generator<ReturnType<typeof next>> {
      for (let i = 0; ; i++) yield next(told[(i * 7_919) % told.length]!);
    };
    const measured = async (perSecond: number): Promise<LatencyResult> => {
      const from = personOf.length;
      lab.late.length = 0;
      const before = usageOf(hub.pid, hub.postmaster);
      await lab.run(perSecond, seconds, results());
      const wanted = Array.from({ length: personOf.length - from }, (_, i) => from + i);
      const all = { hospital, practice, websocket: browser };
      for (const until = performance.now() + patienceMs; performance.now() < until; await delay(50))
        if (Object.values(all).every(({ at }) => wanted.every((result) => at.has(result)))) break;
      const after = usageOf(hub.pid, hub.postmaster);
      const hubMs = (after.hubCpuMs - before.hubCpuMs) / wanted.length;
      return {
        messages: wanted.length,
        per_second: perSecond,
        acknowledged_after_plan_p99_ms: percentiles(lab.late).p99_ms,
        hospital: figures(lab, hospital, wanted),
        practice: figures(lab, practice, wanted),
        websocket: figures(lab, browser, wanted),
        cpu_ms: hubMs + (after.postgresCpuMs - before.postgresCpuMs) / wanted.length,
        hub_cpu_ms: hubMs,
      };
    };
    await lab.run(rates[0]!, warmSeconds, results());
    const measurements: { [rate: `at_${number}`]: LatencyResult } = {};
    for (const perSecond of rates) {
      await untilDelivered(hub);
      const result = await measured(perSecond);
      measurements[`at_${perSecond}`] = result;
    }
    lab.close();
    socket.close();
    return rates.length === 1 ? Object.values(measurements)[0]! : measurements;
  } finally {
    await hub.stop();
    await Promise.all([mllp.close(), http.close()]);
  }
}

function figures(lab: Lab, { at, repeated, misfiled, disordered }: Arrivals, wanted: readonly number[]): Told {
  const found = wanted.filter((result) => at.has(result));
  const took = found.map((result) => at.get(result)! - lab.sent.get(result)!);
  const missing = wanted.length - found.length;
  const most = Math.max(...took);
  return { told: found.length, ...percentiles(took), most_ms: most, missing, repeated, misfiled, disordered };
}
