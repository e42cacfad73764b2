/**
 * Places in the text of an original: from what a ledger entry names to where it stands, and back. Ranges are offsets
 * into the very text that is shown, `[start, end)`.
 */
import type { Dialect } from '../api/contract.ts';
import { jsonPlaces } from './json-places.ts';
import { xmlPlaces } from './xml-places.ts';

export type Range = readonly [start: number, end: number];

export interface Places {
  /** Where the ledger's `source` stands; undefined when the text has no such place. */
  placeOf(source: string): Range | undefined;
  /** The narrowest ledger place at an offset; undefined outside of every element. */
  sourceAt(offset: number): string | undefined;
}

const NOWHERE: Places = { placeOf: () => undefined, sourceAt: () => undefined };

/** The places of an XML or JSON text; HL7 v2 is cut into fields instead (`er7-view.ts`) and has none here. */
export function placesIn(text: string, dialect: Dialect): Places {
  if (dialect === 'ccda') return xmlPlaces(text);
  if (dialect === 'table') return rowPlaces(text);
  return dialect === 'fhir' ? jsonPlaces(text) : NOWHERE;
}

/** A row of a table: the ledger names its columns, `results/MRN`, which stand in its member `row`. */
function rowPlaces(text: string): Places {
  const places = jsonPlaces(text);
  const table = /"table": ?"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? '';
  return {
    placeOf: (source) => places.placeOf(`Row.row.${source.slice(source.indexOf('/') + 1)}`),
    sourceAt: (offset) => {
      const column = /\.row\.(.+)$/.exec(places.sourceAt(offset) ?? '')?.[1];
      return column && `${table}/${column}`;
    },
  };
}
