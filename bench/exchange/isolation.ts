/**
 * What one destination of fifty that is down costs the others. The laboratory sends results at a steady rate, each to one of
 * fifty sites; times in which all sites answer alternate with times in which one of them is down, in one way after the other.
 * In the end the logs of the sites must have every result, in order for each person, each under one id.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { adt, oru } from '../../hub/testing-messages.ts';
import { percentiles } from '../client/load.ts';
import { type BenchHub, startHub } from '../server/hub.ts';
import { load } from '../server/machine.ts';
import { usageOf } from '../server/usage.ts';
import { asKnown } from './invented-people.ts';
import { Lab } from './lab.ts';
import { call, untilDelivered } from './region.ts';
import { type Manner, SiteSystem } from './site-system.ts';

const sites = 50;
const peopleOfSite = 4;
const people = sites * peopleOfSite;
const warmSeconds = 20;
/** All sites answer before and after for as long as one is down, at most for so long. */
const upMinutesAtMost = 4;
const settleMs = 3_000;
const drainedWithinMs = 30 * 60_000;

/** How the site that is down is down, one way after the other, and which one that is: the first speaks MLLP, the second FHIR. */
const manners: Record<string, { manners: Manner[]; site: number }> = {
  refuses: { manners: ['refuses connections'], site: 0 },
  silent: { manners: ['is silent'], site: 0 },
  slow: { manners: ['is slow'], site: 1 },
  fails: { manners: ['fails'], site: 1 },
  gone: { manners: ['refuses connections', 'is silent'], site: 0 },
};

export interface IsolationResult {
  per_second: number;
  down: Down[];
  /** CPU of hub and PostgreSQL a result, in all the time. */
  cpu_ms: number;
  results: number;
  /** What came again, always under its id, at the sites that were down. */
  repeated: number;
  /** What the logs of the sites say is wrong; empty when nothing is. */
  faults: string[];
}

interface Down {
  manner: string;
  minutes: number;
  /** Of the other 49, while all answered (before and after), and while one was down. */
  up: Told;
  down: Told;
  ratio_p50: number;
  ratio_p99: number;
  /** Of the medians of the minutes' 99th percentiles: what some seconds of other load do not move. */
  ratio_p99_of_minutes: number;
  /** The largest ratio of medians of any of the 49. */
  worst_site_ratio_p50: number;
  waited_for_it: number;
  drained_after_s: number;
}

interface Told {
  results: number;
  p50_ms: number;
  p99_ms: number;
  p99_of_minutes_ms: number;
  load: number;
}

/** Some time under load: the results sent in each of its minutes, by their numbers. */
interface Span {
  minutes: { from: number; to: number }[];
  load: number[];
}

export async function isolation(perSecond: number, minutes: number, kinds: string[]): Promise<IsolationResult> {
  const systems = await Promise.all(
    Array.from({ length: sites }, (_, site) => SiteSystem.open(site % 2 === 0 ? 'mllp' : 'http')),
  );
  const allowed = systems.flatMap(({ protocol, port }) => (protocol === 'http' ? `http://127.0.0.1:${port}` : []));
  const hub = await startHub({ words: ['--send-to', allowed.join(',')] });
  const lab = await Lab.open(hub.mllp);
  try {
    await prepare(hub, lab, systems);
    const from = usageOf(hub.pid, hub.postmaster);
    let sent = 0;
    const results = (function* () {
      for (;;) {
        const result = sent++;
        const person = personOf(result);
        yield { result, person, text: report(person, result) };
      }
    })();
    const span = async (seconds: number): Promise<Span> => {
      const one: Span = { minutes: [], load: [] };
      for (let left = seconds; left > 0; left -= 60) {
        const first = sent;
        await lab.run(perSecond, Math.min(60, left), results);
        one.minutes.push({ from: first, to: sent });
        one.load.push(load());
      }
      return one;
    };
    await span(warmSeconds);
    const upSeconds = Math.min(minutes, upMinutesAtMost) * 60;
    const down: Down[] = [];
    let before = await span(upSeconds);
    for (const kind of kinds) {
      const { manners: turns, site } = manners[kind]!;
      const system = systems[site]!;
      const during: Span[] = [];
      for (const manner of turns) {
        await system.become(manner);
        during.push(await span((minutes * 60) / turns.length));
      }
      const owed = () => owedTo(system, site, sent);
      const waited = owed().length;
      await system.become('answers');
      const healed = performance.now();
      const drained = new Set(owed());
      while (owed().some((result) => drained.has(result))) {
        if (performance.now() - healed > drainedWithinMs) break;
        await span(5);
      }
      const drainedAfter = (performance.now() - healed) / 1_000;
      await delay(settleMs);
      const after = await span(upSeconds);
      await delay(settleMs);
      const others = systems.filter((one) => one !== system);
      down.push({
        manner: turns.join(', then '),
        minutes,
        ...compared(lab, others, [before, after], during),
        waited_for_it: waited,
        drained_after_s: drainedAfter,
      });
      console.error(JSON.stringify(down.at(-1)));
      before = after;
    }
    await untilDelivered(hub);
    const to = usageOf(hub.pid, hub.postmaster);
    const used = to.hubCpuMs - from.hubCpuMs + to.postgresCpuMs - from.postgresCpuMs;
    return { per_second: perSecond, down, cpu_ms: used / sent, results: sent, ...judge(systems, sent) };
  } finally {
    lab.close();
    await hub.stop();
    await Promise.all(systems.map((system) => system.close()));
  }
}

/** Makes the sites known, and to each of them its people. */
async function prepare(hub: BenchHub, lab: Lab, systems: readonly SiteSystem[]): Promise<void> {
  const register = async (key: string, kind: string, endpoint?: object) => {
    const authority = key.toUpperCase();
    const more = { sendingFacility: authority, identifierSystem: `urn:bench:${key}`, identifierAuthority: authority };
    await call(hub, 'PUT', `/api/participants/${key}`, { name: key, kind, ...more, ...(endpoint ? { endpoint } : {}) });
    const identifierSystems = { [authority]: `urn:bench:${key}` };
    await call(hub, 'PUT', `/api/participants/${key}/settings`, { identifierSystems });
  };
  await register('lab', 'lab');
  for (const [site, { protocol, port }] of systems.entries()) {
    const http = { dialect: 'fhir', url: `http://127.0.0.1:${port}/fhir` };
    await register(keyOf(site), 'hospital', protocol === 'mllp' ? { dialect: 'hl7v2', host: '127.0.0.1', port } : http);
  }
  // Care ends with time: they have been seen today.
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  for (let person = 0; person < people; person++) {
    const facility = keyOf(siteOf(person)).toUpperCase();
    lab.send(-1 - person, person, adt('A04', asKnown(person, facility), { controlId: `A${person}`, facility, time }));
  }
  await lab.answered();
  await untilDelivered(hub);
}

function keyOf(site: number): string {
  return `site-${String(site).padStart(2, '0')}`;
}

/** Results go round the people, so that each site gets one after the other. */
function personOf(result: number): number {
  return result % people;
}

function siteOf(person: number): number {
  return person % sites;
}

function report(person: number, result: number): string {
  const order = `BX-${String(result).padStart(9, '0')}`;
  const stated = { order, code: '718-7', value: String(result % 1_000) };
  return oru(asKnown(person, 'LAB'), stated, { controlId: order, facility: 'LAB' });
}

/** The results that a site was to get of the first so many, and did not take yet. */
function owedTo({ lines }: SiteSystem, site: number, sent: number): number[] {
  const has = new Set(lines.flatMap(({ result, answered }) => (answered ? result : [])));
  return Array.from({ length: sent }, (_, result) => result).filter(
    (result) => siteOf(personOf(result)) === site && !has.has(result),
  );
}

function compared(lab: Lab, others: readonly SiteSystem[], up: Span[], down: Span[]) {
  const [whole, part] = [told(lab, others, up), told(lab, others, down)];
  const bySite = others.map((one) => told(lab, [one], down).p50_ms / told(lab, [one], up).p50_ms);
  return {
    up: whole,
    down: part,
    ratio_p50: part.p50_ms / whole.p50_ms,
    ratio_p99: part.p99_ms / whole.p99_ms,
    ratio_p99_of_minutes: part.p99_of_minutes_ms / whole.p99_of_minutes_ms,
    worst_site_ratio_p50: Math.max(...bySite),
  };
}

/** How long results took, from the laboratory's first byte until a site had them. */
function told(lab: Lab, systems: readonly SiteSystem[], spans: Span[]): Told {
  const minutes = spans.flatMap((span) => span.minutes);
  const byMinute = minutes.map(({ from, to }) =>
    systems.flatMap(({ lines }) =>
      lines.flatMap(({ result, at }) => (result >= from && result < to ? at - lab.sent.get(result)! : [])),
    ),
  );
  const all = byMinute.flat();
  const loads = spans.flatMap((span) => span.load);
  return {
    results: all.length,
    ...percentiles(all),
    p99_of_minutes_ms: percentiles(byMinute.map((took) => percentiles(took).p99_ms)).p50_ms,
    load: loads.reduce((sum, one) => sum + one, 0) / loads.length,
  };
}

/** What the logs of the sites say. */
function judge(systems: readonly SiteSystem[], sent: number): { repeated: number; faults: string[] } {
  const faults: string[] = [];
  let repeated = 0;
  for (const [site, system] of systems.entries()) {
    const last = new Map<number, number>();
    const idOf = new Map<number, string>();
    const resultOf = new Map<string, number>();
    for (const { result, filedUnder, id } of system.lines) {
      const person = personOf(result);
      const what = `${keyOf(site)}: ${result}`;
      if (siteOf(person) !== site) faults.push(`${what} is another site's`);
      if (filedUnder !== `${keyOf(site).toUpperCase()}-${person}`) faults.push(`${what} was filed under ${filedUnder}`);
      if (result < (last.get(person) ?? -1)) faults.push(`${what} came after a later one of its person`);
      last.set(person, result);
      if (idOf.has(result)) repeated++;
      if ((idOf.get(result) ?? id) !== id) faults.push(`${what} came under two ids`);
      if ((resultOf.get(id) ?? result) !== result) faults.push(`${what} came under another's id`);
      idOf.set(result, id);
      resultOf.set(id, result);
    }
    for (const result of owedTo(system, site, sent)) faults.push(`${keyOf(site)}: ${result} never came`);
  }
  return { repeated, faults: faults.length > 50 ? [...faults.slice(0, 50), `and ${faults.length - 50} more`] : faults };
}
