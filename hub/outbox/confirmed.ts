/** Which records of a person somebody said are one: a steward, or a source. The matcher alone does not suffice. */
import type { Queryable } from '../database/index.ts';

/** @returns whether two homes are one by decisions, directly or by way of others */
export async function confirmedLinks(
  database: Queryable,
  homes: readonly number[],
): Promise<(a: number, b: number) => boolean> {
  const { rows } = await database.query({
    name: 'outbox_confirmed',
    text: `SELECT a, b FROM (
             SELECT DISTINCT ON (a, b) a, b, same FROM link_decision WHERE a = ANY($1) AND b = ANY($1)
             ORDER BY a, b, at DESC, id DESC) latest WHERE same`,
    values: [homes],
  });
  const parent = new Map<number, number>();
  const root = (home: number): number => {
    let at = home;
    for (let up = parent.get(at); up !== undefined; up = parent.get(at)) at = up;
    return at;
  };
  for (const { a, b } of rows) if (root(a) !== root(b)) parent.set(root(a), root(b));
  return (a, b) => root(a) === root(b);
}
