/**
 * CPU time and memory of the hub and of its PostgreSQL, read from /proc (proc(5)). CPU time is user plus system time of
 * all threads; backends that ended are in their postmaster's `cutime`, so nothing is lost between two readings.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  hubCpuMs: number;
  postgresCpuMs: number;
  hubRssMib: number;
  /** Shared pages divided among their users where the kernel tells (PSS), else resident pages, counted repeatedly. */
  postgresRssMib: number;
  postgresMemory: 'pss' | 'rss';
}

/** Milliseconds in a clock tick: 100 a second on every Linux that Node runs on. */
const tickMs = 10;
const mib = 1024 * 1024;

/** Reads the usage of a hub and of the postmaster with all its processes. */
export function usageOf(hub: number, postmaster: number | undefined): Usage {
  const own = statOf(hub);
  const usage: Usage = {
    hubCpuMs: own ? own.userTicks * tickMs + own.systemTicks * tickMs : 0,
    postgresCpuMs: 0,
    hubRssMib: (own?.residentPages ?? 0) * (4096 / mib),
    postgresRssMib: 0,
    postgresMemory: 'pss',
  };
  if (postmaster === undefined) return usage;
  const main = statOf(postmaster);
  if (!main) return usage;
  usage.postgresCpuMs += (main.endedUserTicks + main.endedSystemTicks) * tickMs;
  for (const { pid, stat } of [{ pid: postmaster, stat: main }, ...childrenOf(postmaster)]) {
    usage.postgresCpuMs += (stat.userTicks + stat.systemTicks) * tickMs;
    const pss = pssOf(pid);
    if (pss === undefined) usage.postgresMemory = 'rss';
    usage.postgresRssMib += (pss ?? stat.residentPages * 4096) / mib;
  }
  return usage;
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
