/** The statement for one page of rows: the query that somebody wrote, as a table, in the order of its watermark. */
import type { SqlSettings } from './settings.ts';

/** The columns by which the hub goes on; they are no part of a row. */
export const watermarkColumn = 'causeway_watermark';
export const keyColumn = 'causeway_key';

/** Where a page begins: behind a row, or, without a key, with the rows of a watermark. */
export interface Place {
  watermark: string;
  key?: string | undefined;
}

type Asked = Pick<SqlSettings, 'engine' | 'query' | 'watermark' | 'key' | 'pageRows'>;

export function pageStatement(asked: Asked, after: Place | undefined): { text: string; values: string[] } {
  const { engine, query, pageRows } = asked;
  const [watermark, key] = [`q.${quoted(engine, asked.watermark)}`, `q.${quoted(engine, asked.key)}`];
  const values: string[] = [];
  const parameter = (value: string) => {
    values.push(value);
    return engine === 'postgresql' ? `$${values.length}` : engine === 'mysql' ? '?' : `@p${values.length}`;
  };
  const text = (column: string) =>
    engine === 'postgresql'
      ? `${column}::text`
      : engine === 'mysql'
        ? `CAST(${column} AS CHAR)`
        : `CONVERT(nvarchar(200), ${column}, 126)`;
  const condition = () => {
    if (after === undefined) return `${watermark} IS NOT NULL`;
    if (after.key === undefined) return `${watermark} >= ${parameter(after.watermark)}`;
    if (engine === 'postgresql')
      return `(${watermark}, ${key}) > (${parameter(after.watermark)}, ${parameter(after.key)})`;
    const beyond = `${watermark} > ${parameter(after.watermark)}`;
    return `(${beyond} OR (${watermark} = ${parameter(after.watermark)} AND ${key} > ${parameter(after.key)}))`;
  };
  const columns = `q.*, ${text(watermark)} AS ${watermarkColumn}, ${text(key)} AS ${keyColumn}`;
  const top = engine === 'sqlserver' ? `TOP (${pageRows}) ` : '';
  const limit = engine === 'sqlserver' ? '' : ` LIMIT ${pageRows}`;
  // The query ends with its line: a comment in it must not take what follows.
  return {
    text: `SELECT ${top}${columns} FROM (${query}\n) q WHERE ${condition()} ORDER BY ${watermark}, ${key}${limit}`,
    values,
  };
}

/** A watermark that is a time, so many seconds earlier; any other as it is. */
export function earlier(watermark: string, seconds: number): string {
  const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(watermark);
  if (seconds === 0 || !found) return watermark;
  const [, day, time, zone] = found;
  const offset = zone === undefined ? 'Z' : zone.length === 3 ? `${zone}:00` : zone;
  const before = new Date(Date.parse(`${day}T${time}${offset}`) - seconds * 1_000).toISOString();
  return zone === undefined ? before.slice(0, -1).replace('T', ' ') : before;
}

function quoted(engine: SqlSettings['engine'], name: string): string {
  if (engine === 'mysql') return `\`${name.replaceAll('`', '``')}\``;
  if (engine === 'sqlserver') return `[${name.replaceAll(']', ']]')}]`;
  return `"${name.replaceAll('"', '""')}"`;
}
