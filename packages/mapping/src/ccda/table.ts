/**
 * The form of the mapping tables: rows are data, this is what they may say.
 */

import type { ConceptMapName } from './concept-maps.ts';
import type { Json } from './fhir-path.ts';
import type { RuleName } from './rules.ts';

/**
 * How a value is read: a data type, or a participation that becomes a resource of its own. `root` and `extension` are
 * the parts of an II; `folded` puts no value: the statement belongs to the resource around it and is no fact of its own.
 */
export type ValueKind =
  | 'concept'
  | 'coding'
  | 'identifier'
  | 'dateTime'
  | 'start'
  | 'end'
  | 'date'
  | 'instant'
  | 'period'
  | 'timeOrPeriod'
  | 'timing'
  | 'quantity'
  | 'quantityOrRange'
  | 'range'
  | 'any'
  | 'age'
  | 'integer'
  | 'positive'
  | 'boolean'
  | 'repeats'
  | 'text'
  | 'annotation'
  | 'narrative'
  | 'name'
  | 'address'
  | 'telecom'
  | 'organizationName'
  | 'code'
  | 'participant'
  | 'practitioner'
  | 'organization'
  | 'location'
  | 'device'
  | 'specimen'
  | 'statement'
  | 'url'
  | 'mediaType'
  | 'during'
  | 'root'
  | 'extension'
  | 'folded'
  | 'group';

/**
 * `[from, to, kind, detail?]`: where in the statement, where in the resource, how. `detail` is the concept map of
 * `code`, the rows of `group`.
 */
export type Row = readonly [from: string, to: string, kind: ValueKind, detail?: ConceptMapName | readonly Row[]];

export interface Table {
  /** Names the rows in the ledger. */
  name: string;
  resource: string;
  /** The entry classes that the table can read. */
  elements: readonly string[];
  /** Templates that choose this table. */
  templates?: readonly string[];
  /** Section codes (LOINC) in which entries of these classes without a known template choose this table. */
  sections?: readonly string[];
  /** A child element without which the table is not chosen. */
  needs?: string;
  /** Moods that choose this table; any when absent. */
  moods?: readonly string[];
  /** `code/@code` that choose this table. */
  codes?: readonly string[];
  /** Elements that are the same for every statement. */
  fixed?: Json;
  rows: readonly Row[];
  /** What rows cannot say: negation, status that several elements decide. */
  rule?: RuleName;
  /** Elements that FHIR requires, with what to put where the source has nothing: a value, or `absent`. */
  required?: Record<string, unknown>;
}
