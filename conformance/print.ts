/** The results as people read them: one table over all suites, then each failure. */
import type { SuiteResult } from './result.ts';

/** Columns by the figure they show; what a suite has no figure for stays empty. */
const COLUMNS: readonly (readonly [title: string, figure: string])[] = [
  ['files', 'files'],
  ['cases', 'total'],
  ['accepted', 'accepted'],
  ['refused', 'refused'],
  ['crashed', 'crashed'],
  ['failed', 'failed'],
  ['disputed', 'disputed'],
  ['converted', 'converted'],
  ['resources', 'resources'],
  ['fields with content', 'fields'],
  ['mapped', 'mapped'],
  ['used', 'consumed'],
  ['structural', 'structural'],
  ['kept', 'kept'],
  ['not mapped', 'rejected'],
  ['accounted %', 'accounted_pct'],
  ['mapped %', 'mapped_pct'],
  ['codes kept %', 'codes_kept_pct'],
];

/** The table of suites that convert or check files. */
export function tableOf(results: Readonly<Record<string, SuiteResult>>): string {
  const rows = Object.entries(results).map(([name, result]) => {
    const figures: Record<string, unknown> = { ...result, accepted: result.total - result.refused - result.crashed };
    return [name, ...COLUMNS.map(([, figure]) => String(figures[figure] ?? ''))];
  });
  return aligned([['suite', ...COLUMNS.map(([title]) => title)], ...rows]);
}

/** Rows with each column as wide as its widest cell; the first to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}

const FAILURES_SHOWN = 40;
const REASON_SHOWN = 600;

/** The failing cases of one suite. */
export function failuresOf(name: string, { failures }: SuiteResult): string {
  const lines = failures.slice(0, FAILURES_SHOWN).map(({ id, reason }) => `  ${id}: ${reason.slice(0, REASON_SHOWN)}`);
  const more = failures.length > FAILURES_SHOWN ? [`  … and ${failures.length - FAILURES_SHOWN} more`] : [];
  return [`${name}: ${failures.length} failed`, ...lines, ...more].join('\n');
}
