/** A map proposed from the names of a table's columns and a sample of its values, for somebody to look at. */
import type { ColumnMap, ColumnUse } from './column-map.ts';
import { orderShownBy } from './dates.ts';
import { fieldsOf, type TableKind, tableKinds } from './fields.ts';

export interface ProposedMap {
  map: ColumnMap;
  /** Columns whose days can be read in two ways: somebody has to say which it is. */
  ambiguousDates: string[];
}

/** @param rows values by column @param kind where it is known what the rows tell */
export function proposeMap(
  columns: readonly string[],
  rows: readonly { [column: string]: unknown }[],
  kind = kindOf(columns),
): ProposedMap {
  const fields = fieldsOf(kind);
  const uses: { [column: string]: ColumnUse } = {};
  const taken = new Set<string>();
  // The record number first: a column named plainly `ID` is the row's own, unless nothing else names the patient.
  for (const column of columns) {
    const field = fieldFor(column, kind, taken);
    if (field === undefined) continue;
    taken.add(field);
    uses[column] = { field, ...systemFor(column, field) };
  }
  const valuesOf = (column: string) => rows.map((row) => String(row[column] ?? ''));
  const dated = Object.entries(uses).flatMap(([column, use]) =>
    'field' in use && fields[use.field]?.isDate ? [column] : [],
  );
  const shown = dated.map((column) => ({
    column,
    orders: new Set(valuesOf(column).flatMap((v) => orderShownBy(v) ?? [])),
  }));
  const order = (['DMY', 'MDY'] as const).find((one) => shown.some(({ orders }) => orders.has(one)));
  const isContradictory =
    shown.some(({ orders }) => orders.has('DMY')) && shown.some(({ orders }) => orders.has('MDY'));
  const ambiguousDates =
    order !== undefined && !isContradictory
      ? []
      : shown.filter(({ orders }) => orders.size > 0).map(({ column }) => column);
  return {
    map: { kind, columns: uses, ...(order && !isContradictory && { dates: order }) },
    ambiguousDates,
  };
}

/** The kind whose own fields the columns name most. */
function kindOf(columns: readonly string[]): TableKind {
  const scores = tableKinds.map((kind) => {
    const own = Object.entries(fieldsOf(kind)).filter(([name]) => name.startsWith(`${kind}.`) && kind !== 'patient');
    const named = columns.filter((column) => own.some(([, { words }]) => words.includes(bare(column))));
    const telling = columns.filter((column) => bare(column).includes(kind));
    return { kind, score: named.length + 2 * telling.length };
  });
  return scores.reduce((best, one) => (one.score > best.score ? one : best)).kind;
}

function fieldFor(column: string, kind: TableKind, taken: ReadonlySet<string>): string | undefined {
  const name = bare(column);
  const fields = Object.entries(fieldsOf(kind)).filter(([field]) => !taken.has(field));
  const own = fields.filter(([field]) => field.startsWith(`${kind}.`) && kind !== 'patient');
  const others = fields.filter(([field]) => !own.some(([one]) => one === field));
  const exact = [...own, ...others].find(([, { words }]) => words.includes(name));
  if (exact) return exact[0];
  const inside = [...own, ...others].find(([, { words }]) =>
    words.some((word) => word.length > 4 && name.endsWith(word)),
  );
  return inside?.[0];
}

/** A column that is named by its code system says of which its codes are. */
function systemFor(column: string, field: string): { system?: string } {
  if (!field.endsWith('.code')) return {};
  const named = ['LOINC', 'CVX', 'RXNORM', 'NDC', 'SNOMED'].find((system) => column.toUpperCase().includes(system));
  return named === undefined ? {} : { system: named };
}

function bare(column: string): string {
  return column.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}
