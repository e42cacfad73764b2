/** The results for people: one line a measurement, printed as it is done. */
import type { Failure, Figures } from './measure.ts';

const columns: [key: keyof Figures, title: string, width: number, digits: number][] = [
  ['rate_per_s', 'per s', 9, 0],
  ['resources_per_s', 'res/s', 9, 0],
  ['bytes_per_answer', 'bytes', 9, 0],
  ['p50_ms', 'p50 ms', 9, 2],
  ['p99_ms', 'p99 ms', 9, 2],
  ['cpu_ms_per_op', 'CPU ms/op', 11, 3],
  ['hub_cpu_ms_per_op', 'hub', 8, 3],
  ['postgres_cpu_ms_per_op', 'database', 10, 3],
  ['hub_peak_mib', 'hub MiB', 9, 0],
  ['postgres_peak_mib', 'db MiB', 8, 0],
  ['load_1min', 'load', 7, 2],
];
const nameWidth = 28;

export const tableHead = ''.padEnd(nameWidth) + columns.map(([, title, width]) => title.padStart(width)).join('');

/** A measurement's lines: one for each number of clients. */
export function tableLines(name: string, result: Figures | Failure): string[] {
  if (isFailure(result)) return [`${name.padEnd(nameWidth)}failed: ${result.error}`];
  const variants = (result.by_clients ?? result.by_connections) as Record<string, Figures | Failure> | undefined;
  if (variants) {
    return Object.entries(variants).flatMap(([clients, one]) =>
      isFailure(one) ? tableLines(`${name} ×${clients}`, one) : [line(`${name} ×${clients}`, one)],
    );
  }
  return [line(result.clients === undefined ? name : `${name} ×${result.clients}`, result)];
}

export function isFailure(result: Figures | Failure): result is Failure {
  return 'error' in result;
}

/** What no column shows stands behind the line. */
function line(title: string, figures: Figures): string {
  const shown = new Set<string>([
    ...columns.map(([key]) => String(key)),
    'clients',
    'operations',
    'requests',
    'memory',
  ]);
  const cells = columns.map(([key, , width, digits]) => {
    const value = figures[key];
    return (typeof value === 'number' ? value.toFixed(digits) : '').padStart(width);
  });
  const others = Object.entries(figures).filter(([key, value]) => !shown.has(key) && typeof value === 'number');
  return title.padEnd(nameWidth) + cells.join('') + others.map(([key, value]) => `  ${key} ${value}`).join('');
}

/** The same figures with four significant digits. */
export function rounded<T>(figures: T): T {
  if (typeof figures === 'number') {
    return (Math.abs(figures) >= 1000 ? Math.round(figures) : Number(figures.toPrecision(4))) as T;
  }
  if (typeof figures !== 'object' || figures === null) return figures;
  if (Array.isArray(figures)) return figures.map(rounded) as T;
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)])) as T;
}
