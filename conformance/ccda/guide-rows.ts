/**
 * HL7's guide "C-CDA on FHIR" as tables (CSV): for each row that names a FHIR element, whether the conversion of some
 * document reached that element.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Conversion } from '@causeway/mapping';

const FOLDER = 'ccda/ccda-on-fhir/mappings/CF';

interface GuideRow {
  source: string;
  resource: string;
  /** Steps of the element; none for the resource as a whole. */
  steps: string[];
}

export class GuideRows {
  readonly #tables: [name: string, rows: GuideRow[]][];
  readonly #reached = new Set<GuideRow>();

  constructor(cases: string) {
    const folder = join(cases, FOLDER);
    this.#tables = csvFiles(folder).map((file) => [
      file.replace(/^CCDA-FHIR |\.csv$/g, ''),
      rowsOf(readFileSync(join(folder, file), 'utf8')),
    ]);
  }

  add({ facts }: Conversion): void {
    for (const [, rows] of this.#tables) {
      for (const row of rows) {
        if (this.#reached.has(row)) continue;
        const reached = facts.some(
          ({ resource }) => resource.resourceType === row.resource && reaches(resource, row.steps),
        );
        if (reached) this.#reached.add(row);
      }
    }
  }

  get figures(): Record<string, number> {
    return { guide_rows: this.#tables.flatMap(([, rows]) => rows).length, guide_rows_reached: this.#reached.size };
  }

  get summary(): string {
    if (this.#tables.length === 0) return '';
    const lines = this.#tables.map(([name, rows]) => {
      const open = rows.filter((row) => !this.#reached.has(row));
      const places = open.map(({ source, resource, steps }) => `${source} → ${[resource, ...steps].join('.')}`);
      const rest = open.length === 0 ? '' : `; not: ${places.join(', ')}`;
      return `    ${name}: ${rows.length - open.length} of ${rows.length}${rest}`;
    });
    return ['  rows of the tables of C-CDA on FHIR whose element is reached:', ...lines].join('\n');
  }
}

function csvFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.csv'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Rows with a resource, and an approach that FHIR has a place for. */
function rowsOf(text: string): GuideRow[] {
  const rows: GuideRow[] = [];
  for (const line of text.split(/\r?\n/).slice(1)) {
    const [source = '', , approach = '', resource = '', element = ''] = cells(line);
    const type = resource.trim().replace(/^\./, '');
    if (!/^(source value|transform|reference|fixed value)/.test(approach) || !/^[A-Z]/.test(type)) continue;
    const path = element
      .trim()
      .replace(/^[._]/, '')
      .replace(/[[(][^\])]*[\])]/g, '');
    const steps = path === '' ? [] : path.startsWith('extension: ') ? [path] : path.split('.');
    rows.push({ source: source.replace(/^[. ]+/, '').trim(), resource: type, steps });
  }
  return rows;
}

function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function reaches(value: unknown, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return value !== undefined;
  if (Array.isArray(value)) return value.some((item) => reaches(item, steps));
  if (typeof value !== 'object' || value === null) return false;
  if (step.startsWith('extension: ')) {
    const url = step.slice('extension: '.length);
    return ((value as { extension?: { url: string }[] }).extension ?? []).some((one) => one.url.endsWith(`/${url}`));
  }
  const member = (value as Record<string, unknown>)[step] ?? (value as Record<string, unknown>)[`_${step}`];
  return member !== undefined && reaches(member, rest);
}
