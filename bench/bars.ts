/** What the figures have to be, and whether they are. */
import type { Failure, Figures } from './measure.ts';
import { isFailure } from './report.ts';

export type Results = Record<string, Figures | Failure>;

/** One demand. */
export interface Bar {
  /** What is demanded, e.g. `read, 8 clients`. */
  what: string;
  unit: string;
  atLeast?: number;
  atMost?: number;
  /** The figure; undefined where it was not measured. */
  figure(results: Results): number | undefined;
}

export interface Judged {
  what: string;
  demand: string;
  figure: number | undefined;
  /** Undefined where there is no figure. */
  held: boolean | undefined;
}

/** The demands on single operations, memory, start and ingest against COPY. */
export const issueBars: Bar[] = [
  ...operation('ingest', 'transactions of Synthea size', 8, 3_000, 0.45, 'resources/s'),
  ...operation('create', 'create a Patient of 4 KB', 8, 2_000, 0.8),
  ...operation('read', 'read by id', 8, 2_500, 0.5),
  ...operation('read', 'read by id', 32, 5_000, 0.3),
  ...operation('search_patient_code', 'Observation by patient and code', 8, 2_000, 0.7),
  ...operation('search_patient_code', 'Observation by patient and code', 32, 3_000, 0.5),
  ...operation('search_patient_name', 'Patient by name and birth date', 8, 700, 2),
  ...operation('everything', 'Patient $everything', 8, 150, 9),
  { what: 'memory of the hub under load', unit: 'MiB', atMost: 250, figure: mostOf('hub_peak_mib') },
  { what: 'memory of PostgreSQL under load', unit: 'MiB', atMost: 500, figure: mostOf('postgres_peak_mib') },
  { what: 'start on an empty directory', unit: 's', atMost: 20, figure: figureOf('start', 'empty_s') },
  { what: 'start with data', unit: 's', atMost: 3, figure: figureOf('start', 'with_data_s') },
  { what: 'ingest as a share of COPY', unit: '', atLeast: 0.4, figure: figureOf('copy_ceiling', 'ratio') },
];

/** The demands on how cost grows. */
export const growthBars: Bar[] = [
  {
    what: 'searches and reads of one patient, large over small: CPU',
    unit: '×',
    atMost: 1.3,
    figure: figureOf('growth_people', 'largest_cpu_ratio'),
  },
  {
    what: 'searches and reads of one patient, large over small: median time of one client',
    unit: '×',
    atMost: 1.3,
    figure: figureOf('growth_people', 'largest_p50_ratio'),
  },
  {
    what: 'first page of a token search, most matches over fewest: CPU',
    unit: '×',
    atMost: 1.3,
    figure: figureOf('growth_token', 'cpu_ratio'),
  },
  {
    what: 'first page of a token search, most matches over fewest: median time',
    unit: '×',
    atMost: 1.3,
    figure: figureOf('growth_token', 'p50_ratio'),
  },
  {
    what: 'rate of ingest, last part over first',
    unit: '×',
    atLeast: 0.7,
    figure: figureOf('growth_ingest', 'end_over_start'),
  },
  {
    what: 'rate of ingest for the same CPU time, last part over first',
    unit: '×',
    atLeast: 0.7,
    figure: figureOf('growth_ingest', 'end_over_start_per_cpu'),
  },
];

/** Each demand with its figure. */
export function judge(results: Results, bars: Bar[]): Judged[] {
  return bars.map(({ what, unit, atLeast, atMost, figure }) => {
    const found = figure(results);
    const demand = `${atLeast === undefined ? '≤' : '≥'} ${atLeast ?? atMost} ${unit}`.trim();
    const held = found === undefined ? undefined : atLeast === undefined ? found <= atMost! : found >= atLeast;
    return { what, demand, figure: found, held };
  });
}

/** The demands that have figures, a line each. */
export function barLines(results: Results, bars: Bar[]): string[] {
  return judge(results, bars)
    .filter(({ figure }) => figure !== undefined)
    .map(({ what, demand, figure, held }) => `${held ? 'held  ' : 'MISSED'} ${what}: ${figure} (${demand})`);
}

function operation(name: string, what: string, clients: number, rate: number, cpuMs: number, unit = '/s'): [Bar, Bar] {
  const said = `${what}, ${clients} clients`;
  return [
    { what: said, unit, atLeast: rate, figure: figureOf(name, 'rate_per_s', clients) },
    { what: `${said}: CPU`, unit: 'ms', atMost: cpuMs, figure: figureOf(name, 'cpu_ms_per_op', clients) },
  ];
}

function figureOf(name: string, key: string, clients?: number): Bar['figure'] {
  return (results) => {
    const result = results[name];
    if (!result || isFailure(result)) return undefined;
    const variants = result.by_clients as Results | undefined;
    const one = clients === undefined || result.clients === clients ? result : variants?.[clients];
    const figure = one && !isFailure(one) ? one[key] : undefined;
    return typeof figure === 'number' ? figure : undefined;
  };
}

/** The largest of a figure among the FHIR operations, whatever the number of clients. */
function mostOf(key: 'hub_peak_mib' | 'postgres_peak_mib'): Bar['figure'] {
  return (results) => {
    const all = Object.values(results).flatMap((result) =>
      isFailure(result) ? [] : [result, ...Object.values((result.by_clients ?? {}) as Results)],
    );
    const figures = all.flatMap((one) => (!isFailure(one) && typeof one[key] === 'number' ? one[key] : []));
    return figures.length === 0 ? undefined : Math.max(...figures);
  };
}
