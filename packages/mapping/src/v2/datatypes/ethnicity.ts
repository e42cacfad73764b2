/** PID-10 and PID-22 as US Core race and ethnicity (US Core 3.1.1 and later, CDC race and ethnicity codes). */
import type { Cell } from '../cell.ts';
import type { Element } from '../draft.ts';

const CDC = 'urn:oid:2.16.840.1.113883.6.238';
const NULL_FLAVOR = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';
const OMB_RACE: Record<string, string> = {
  '1002-5': 'American Indian or Alaska Native',
  '2028-9': 'Asian',
  '2054-5': 'Black or African American',
  '2076-8': 'Native Hawaiian or Other Pacific Islander',
  '2106-3': 'White',
};
const OMB_ETHNICITY: Record<string, string> = { '2135-2': 'Hispanic or Latino', '2186-5': 'Not Hispanic or Latino' };
/** HL7 table 0189 to CDC codes. */
const ETHNIC_GROUPS: Record<string, string> = { H: '2135-2', N: '2186-5', NH: '2186-5' };
const UNKNOWN: Record<string, string> = { U: 'UNK', UNK: 'UNK', ASKU: 'ASKU' };

/** All repetitions of PID-10 as one race extension. */
export function readRace(cells: Cell[]): Element[] | undefined {
  return readExtension(cells, 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race', OMB_RACE, {}, 5);
}

/** All repetitions of PID-22 as one ethnicity extension. */
export function readEthnicity(cells: Cell[]): Element[] | undefined {
  return readExtension(
    cells,
    'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity',
    OMB_ETHNICITY,
    ETHNIC_GROUPS,
    1,
  );
}

function readExtension(
  cells: Cell[],
  url: string,
  omb: Record<string, string>,
  groups: Record<string, string>,
  most: number,
): Element[] | undefined {
  const parts: Element[] = [];
  const texts: string[] = [];
  let categories = 0;
  for (const cell of cells) {
    for (const first of [1, 4]) {
      const given = cell.peek(first);
      const display = cell.peek(first + 1);
      if (given === undefined && display === undefined) continue;
      const code = given === undefined ? undefined : (groups[given.toUpperCase()] ?? given);
      const category = code === undefined ? undefined : ombCategory(code, omb);
      if (category !== undefined && categories < most) {
        categories++;
        parts.push({ url: 'ombCategory', valueCoding: category });
        cell.mark(cell.atom(first), 'extension');
      } else if (code !== undefined && /^\d{4}-\d$/.test(code)) {
        parts.push({ url: 'detailed', valueCoding: { system: CDC, code, ...(display !== undefined && { display }) } });
        cell.mark(cell.atom(first), 'extension');
      } else if (code !== undefined && display === undefined) {
        texts.push(code);
        cell.mark(cell.atom(first), 'extension');
      }
      if (display !== undefined) {
        texts.push(display);
        cell.mark(cell.atom(first + 1), 'extension');
      } else if (category !== undefined) texts.push(String(category.display));
      if (given !== undefined || display !== undefined) cell.used(first + 2);
    }
  }
  if (parts.length === 0 && texts.length === 0) return undefined;
  parts.push({ url: 'text', valueString: [...new Set(texts)].join(', ') || 'Unknown' });
  return [{ url, extension: parts }];
}

function ombCategory(code: string, omb: Record<string, string>): Element | undefined {
  const display = omb[code];
  if (display !== undefined) return { system: CDC, code, display };
  const unknown = UNKNOWN[code.toUpperCase()];
  return unknown === undefined
    ? undefined
    : { system: NULL_FLAVOR, code: unknown, display: unknown === 'UNK' ? 'Unknown' : 'Asked but unknown' };
}
