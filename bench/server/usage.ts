/**
 * CPU time and memory of the hub and of its PostgreSQL, read from /proc (proc(5)). CPU time is user plus system time of
 * all threads; backends that ended are in their postmaster's `cutime`, so nothing is lost between two readings. Memory
 * is the proportional set size (PSS): shared pages are divided among their users.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Usage {
  hubCpuMs: number;
  postgresCpuMs: number;
}

export interface Memory {
  hubMib: number;
  postgresMib: number;
  /** `rss` where the kernel does not let this account read PSS: resident pages, shared ones counted repeatedly. */
  kind: 'pss' | 'rss';
}

/** Milliseconds in a clock tick: 100 a second on every Linux that Node runs on. */
const tickMs = 10;
const mib = 1024 * 1024;
const pageBytes = 4096;
const samplingMs = 500;
const quietMs = 2_000;
/** CPU time that an idle hub with its database may use, as a share of the time. */
const quietShare = 0.05;

/** Reads the CPU time of a hub and of the postmaster with all its processes. */
export function usageOf(hub: number, postmaster: number | undefined): Usage {
  const own = statOf(hub);
  const usage: Usage = { hubCpuMs: own ? (own.userTicks + own.systemTicks) * tickMs : 0, postgresCpuMs: 0 };
  const main = postmaster === undefined ? undefined : statOf(postmaster);
  if (!main) return usage;
  usage.postgresCpuMs += (main.endedUserTicks + main.endedSystemTicks) * tickMs;
  for (const { stat } of [{ stat: main }, ...childrenOf(postmaster!)]) {
    usage.postgresCpuMs += (stat.userTicks + stat.systemTicks) * tickMs;
  }
  return usage;
}

/** Reads the memory of a hub and of the postmaster with all its processes. */
export function memoryOf(hub: number, postmaster: number | undefined): Memory {
  const memory: Memory = { hubMib: 0, postgresMib: 0, kind: 'pss' };
  const sizeOf = (pid: number): number => {
    const pss = pssOf(pid);
    if (pss !== undefined) return pss / mib;
    const stat = statOf(pid);
    if (stat) memory.kind = 'rss';
    return ((stat?.residentPages ?? 0) * pageBytes) / mib;
  };
  memory.hubMib = sizeOf(hub);
  if (postmaster === undefined) return memory;
  for (const pid of [postmaster, ...childrenOf(postmaster).map((child) => child.pid)])
    memory.postgresMib += sizeOf(pid);
  return memory;
}

/** Watches the memory until the returned function is called, which tells the largest that was seen of each. */
export function watchMemory(hub: number, postmaster: number | undefined): () => Memory {
  const peak = memoryOf(hub, postmaster);
  const look = () => {
    const now = memoryOf(hub, postmaster);
    peak.hubMib = Math.max(peak.hubMib, now.hubMib);
    peak.postgresMib = Math.max(peak.postgresMib, now.postgresMib);
    if (now.kind === 'rss') peak.kind = 'rss';
  };
  const timer = setInterval(look, samplingMs);
  return () => {
    clearInterval(timer);
    look();
    return peak;
  };
}

/**
 * Waits until hub and database have nothing left to do (PostgreSQL vacuums and analyses what was loaded), or a minute
 * has passed.
 */
export async function untilQuiet(hub: number, postmaster: number | undefined): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += quietMs) {
    const before = usageOf(hub, postmaster);
    await delay(quietMs);
    const after = usageOf(hub, postmaster);
    const used = after.hubCpuMs - before.hubCpuMs + after.postgresCpuMs - before.postgresCpuMs;
    if (used < quietMs * quietShare) return;
  }
}

/** The postmaster that a hub started, or undefined while there is none. */
export function postmasterOf(hub: number): number | undefined {
  return childrenOf(hub).find(({ stat }) => stat.name === 'postgres')?.pid;
}

interface Stat {
  name: string;
  parent: number;
  userTicks: number;
  systemTicks: number;
  endedUserTicks: number;
  endedSystemTicks: number;
  residentPages: number;
}

function childrenOf(parent: number): { pid: number; stat: Stat }[] {
  const found: { pid: number; stat: Stat }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat?.parent === parent) found.push({ pid: Number(name), stat });
  }
  return found;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const nameEnd = text.lastIndexOf(')');
    const fields = text
      .slice(nameEnd + 2)
      .split(' ')
      .map(Number);
    const [parent, userTicks, systemTicks, endedUserTicks, endedSystemTicks, residentPages] = [
      1, 11, 12, 13, 14, 21,
    ].map((field) => fields[field]!) as [number, number, number, number, number, number];
    return {
      name: text.slice(text.indexOf('(') + 1, nameEnd),
      parent,
      userTicks,
      systemTicks,
      endedUserTicks,
      endedSystemTicks,
      residentPages,
    };
  } catch {
    return undefined;
  }
}

/** Proportional set size in bytes; undefined where this account may not read it. */
function pssOf(pid: number): number | undefined {
  try {
    const kib = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
