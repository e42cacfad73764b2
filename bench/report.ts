/** The results for people: one line a measurement, printed as it is done. */
import type { Figures } from './measure.ts';

const columns: [key: keyof Figures, title: string, width: number, digits: number][] = [
  ['rate_per_s', 'per s', 10, 0],
  ['p50_ms', 'p50 ms', 10, 2],
  ['p99_ms', 'p99 ms', 10, 2],
  ['cpu_ms_per_op', 'CPU ms/op', 11, 3],
  ['hub_cpu_ms_per_op', 'hub', 8, 3],
  ['postgres_cpu_ms_per_op', 'database', 10, 3],
  ['hub_rss_mib', 'hub MiB', 9, 0],
  ['postgres_rss_mib', 'db MiB', 8, 0],
  ['load_1min', 'load', 7, 2],
];
const nameWidth = 26;

export const tableHead = ''.padEnd(nameWidth) + columns.map(([, title, width]) => title.padStart(width)).join('');

/** A measurement's lines: one for each number of clients. */
export function tableLines(name: string, result: Figures | { error: string }): string[] {
  if ('error' in result && typeof result.error === 'string')
    return [`${name.padEnd(nameWidth)}failed: ${result.error}`];
  const figures = result as Figures;
  const variants = (figures.by_clients ?? figures.by_connections) as Record<string, Figures> | undefined;
  if (!variants) return [line(figures.clients === undefined ? name : `${name} ×${figures.clients}`, figures)];
  return Object.entries(variants).map(([clients, one]) => line(`${name} ×${clients}`, one));
}

function line(title: string, figures: Figures): string {
  const cells = columns.map(([key, , width, digits]) => {
    const value = figures[key];
    return (typeof value === 'number' ? value.toFixed(digits) : '').padStart(width);
  });
  return title.padEnd(nameWidth) + cells.join('');
}

/** The same figures with four significant digits. */
export function rounded<T>(figures: T): T {
  if (typeof figures === 'number') {
    return (Math.abs(figures) >= 1000 ? Math.round(figures) : Number(figures.toPrecision(4))) as T;
  }
  if (typeof figures !== 'object' || figures === null) return figures;
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)])) as T;
}
