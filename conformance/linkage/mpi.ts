/**
 * Suite `mpi`: labelled linkage sets, told by how they write the truth: a cluster column, FEBRL's record names, a file
 * of true links, queries against an index, or test rows with the outcome expected of each. No label is used to match.
 */
import { dirname } from 'node:path';
import { compare, defaultModel, type Model, prepare, withPopulation } from '@causeway/matching';
import { caseFiles } from '../case-files.ts';
import { readCsv, type Table } from '../csv.ts';
import { aligned } from '../print.ts';
import { percent, type SuiteResult, Verdicts } from '../result.ts';
import { demographicsIn } from './columns.ts';
import { candidatePairs, figures, type LinkRecord, linkRecords, qualityOf } from './link.ts';

type Row = Readonly<Record<string, string>>;
type Figures = Record<string, number>;

/** Runs every set below `mpi`. A set passes when it could be matched; its figures are for the reader to judge. */
export function runMpi(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const tables = new Map<string, Table>();
  for (const { id, bytes } of caseFiles(cases, ['mpi'])) {
    if (/\.csv$/i.test(id)) tables.set(id, readCsv(bytes.toString('utf8')));
  }
  const sets: Record<string, Figures> = {};
  for (const [id, measure] of setsOf(tables)) {
    verdicts.check(id, () => {
      sets[id] = measure();
      return { reasons: [] };
    });
  }
  return { ...verdicts.result, sets, summary: summaryOf(sets) };
}

function summaryOf(sets: Readonly<Record<string, Figures>>): string {
  const columns = [
    'records',
    'compared',
    'true_pairs',
    'found_pairs',
    'precision',
    'recall',
    'f1',
    'reviews',
    'recall_with_review',
  ];
  const rows = Object.entries(sets).map(([id, set]) => [id, ...columns.map((column) => String(set[column] ?? ''))]);
  const more = Object.entries(sets).flatMap(([id, set]) => {
    const others = Object.entries(set).filter(([name]) => !columns.includes(name) && name !== 'right_pairs');
    return others.length === 0 ? [] : [`${id}: ${others.map(([name, value]) => `${name} ${value}`).join(', ')}`];
  });
  return [aligned([['set', ...columns], ...rows]), ...more].join('\n');
}

/** The sets among the tables, each with what measures it. */
function* setsOf(tables: ReadonlyMap<string, Table>): Generator<[string, () => Figures]> {
  const febrl = new Map<string, Row[]>();
  for (const [id, { columns, rows }] of tables) {
    const near = (wanted: (table: Table) => boolean) =>
      [...tables].find(([other, table]) => other !== id && dirname(other) === dirname(id) && wanted(table))?.[1];
    const cluster = columns.find((column) => column === 'cluster' || column === 'group');
    if (cluster !== undefined) yield [id, () => measureClusters(rows, (row) => row[cluster]!)];
    else if (columns.includes('truth')) {
      const index = near(({ columns: others }) => !others.includes('truth') && others.includes('given'));
      if (index !== undefined) yield [id, () => measureQueries(index.rows, rows)];
    } else if (columns.includes('Expected Result')) {
      const seed = near(({ columns: others }) => others.includes('Match Id') && !others.includes('Expected Result'));
      if (seed !== undefined) yield [id, () => measureExpected(seed.rows, rows)];
    } else if (columns.includes('rec_id') && columns.length > 3) {
      const links = near(({ columns: others }) => others.includes('rec_id_1') && others.includes('rec_id_2'));
      if (links !== undefined) yield [id, () => measureLinks(rows, links.rows)];
      else {
        const name = id.replace(/[ab]\.csv$/, '.csv');
        febrl.set(name, [...(febrl.get(name) ?? []), ...rows]);
      }
    }
  }
  for (const [name, rows] of febrl) yield [name, () => measureClusters(rows, ({ rec_id }) => rec_id!.split('-')[1]!)];
}

function measureClusters(rows: readonly Row[], personOf: (row: Row) => string): Figures {
  const truth = new Map(rows.map((row, index) => [String(index), personOf(row)]));
  return measure(recordsOf(rows), truth);
}

function measureLinks(rows: readonly Row[], links: readonly Row[]): Figures {
  const places = new Map(rows.map(({ rec_id }, index) => [rec_id!, String(index)]));
  const truth = new Map([...places.values()].map((place) => [place, place]));
  for (const { rec_id_1, rec_id_2 } of links) {
    const [a, b] = [places.get(rec_id_1!), places.get(rec_id_2!)];
    if (a !== undefined && b !== undefined) truth.set(b, truth.get(a)!);
  }
  return measure(recordsOf(rows), truth);
}

function measure(records: readonly LinkRecord[], truth: ReadonlyMap<string, string>): Figures {
  const { clusters, compared, reviews } = linkRecords(records, [], modelFor(records.length));
  const quality = qualityOf(clusters, truth);
  const reviewed = reviews.filter(([a, b]) => truth.get(a) === truth.get(b)).length;
  const recall_with_review = percent(quality.right_pairs + reviewed, quality.true_pairs);
  return { records: records.length, compared, reviews: reviews.length, ...quality, recall_with_review };
}

/** Each query against the index: linked to its truth, to somebody else, or left alone. */
function measureQueries(index: readonly Row[], queries: readonly Row[]): Figures {
  const records = [...recordsOf(index), ...recordsOf(queries)];
  const model = modelFor(index.length);
  const best = new Map<number, { place: number; posterior: number }>();
  let compared = 0;
  for (const [place, query] of candidatePairs(records)) {
    if (query < index.length || place >= index.length) continue;
    compared++;
    const { outcome, posterior } = compare(records[place]!.prepared, records[query]!.prepared, model);
    if (outcome === 'link' && posterior > (best.get(query)?.posterior ?? -Infinity))
      best.set(query, { place, posterior });
  }
  let [known, linked, right] = [0, 0, 0];
  const wrong: Figures = {};
  for (const [number, { truth, category = '' }] of queries.entries()) {
    const found = best.get(index.length + number);
    if (truth) known++;
    if (category.startsWith('neg')) wrong[`${category}_linked`] ??= 0;
    if (found === undefined) continue;
    linked++;
    if (index[found.place]!.id === truth) right++;
    else wrong[`${category}_linked`] = (wrong[`${category}_linked`] ?? 0) + 1;
  }
  return { records: records.length, compared, ...figures(known, linked, right), ...wrong };
}

/** Each test row against the seed row it was made from. */
function measureExpected(seed: readonly Row[], rows: readonly Row[]): Figures {
  const model = modelFor(seed.length);
  const seeds = new Map(seed.map((row) => [row['Match Id']!, prepare(demographicsIn(row))]));
  const counts: Figures = {};
  for (const row of rows) {
    const other = seeds.get(row['Match Id']!);
    if (other === undefined) continue;
    const { outcome } = compare(prepare(demographicsIn(row)), other, model);
    const name = `${row['Expected Result']}_${outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const of = (expected: string, outcome: string) => counts[`${expected}_${outcome}`] ?? 0;
  const expected = of('match', 'link') + of('match', 'review') + of('match', 'different');
  const linked = of('match', 'link') + of('no_match', 'link') + of('possible_match', 'link');
  return { records: rows.length, ...figures(expected, linked, of('match', 'link')), ...counts };
}

function recordsOf(rows: readonly Row[]): LinkRecord[] {
  return rows.map((row, index) => ({ id: String(index), prepared: prepare(demographicsIn(row)) }));
}

function modelFor(people: number): Model {
  return withPopulation(defaultModel, people);
}
