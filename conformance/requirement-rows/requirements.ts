/** The requirement rows of a test kit: a CSV file with a row for each sentence of the specification. */
import { readFileSync } from 'node:fs';
import { readCsv } from '../csv.ts';

export interface Requirement {
  id: string;
  text: string;
  /** SHALL, SHOULD, MAY, … */
  strength: string;
  actors: string;
  set: string;
  url: string;
}

export function readRequirements(path: string): Requirement[] {
  return readCsv(readFileSync(path, 'utf8')).rows.map((row) => ({
    set: row['Req Set'] ?? '',
    id: row.ID ?? '',
    url: row.URL ?? '',
    text: row.Requirement ?? '',
    strength: row.Conformance ?? '',
    actors: row.Actors ?? '',
  }));
}
