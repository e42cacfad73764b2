/** The requirement rows of a test kit: a CSV file (RFC 4180) with a row for each sentence of the specification. */
import { readFileSync } from 'node:fs';

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
  const [head, ...rows] = cells(readFileSync(path, 'utf8').replace(/^\ufeff/, '')) as [string[], ...string[][]];
  const column = (name: string) => head.indexOf(name);
  const [set, id, url, text, strength, actors] = ['Req Set', 'ID', 'URL', 'Requirement', 'Conformance', 'Actors'].map(
    column,
  );
  return rows.map((row) => ({
    set: row[set!]!,
    id: row[id!]!,
    url: row[url!]!,
    text: row[text!]!,
    strength: row[strength!]!,
    actors: row[actors!]!,
  }));
}

function cells(csv: string): string[][] {
  const rows: string[][] = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/gy;
  for (let found = pattern.exec(csv); found && pattern.lastIndex <= csv.length; found = pattern.exec(csv)) {
    rows.at(-1)!.push(found[1] === undefined ? found[2]! : found[1].replaceAll('""', '"'));
    if (found[3] === '' || pattern.lastIndex === csv.length) break;
    if (found[3] !== ',') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
