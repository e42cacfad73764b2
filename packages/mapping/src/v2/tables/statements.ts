/**
 * What PID, PD1 and DB1 say of a person that Patient has no element for: social history, each an Observation of its
 * own (as v2-to-FHIR does for PD1-7, the living will).
 */

export interface Statement {
  /** The field that states the value. */
  field: number;
  /** What is stated, as the observation's code. */
  text: string;
  /** The standard HL7 table of values that carry no coding system. */
  table: string;
  /** The field that says since when. */
  since?: number;
  /** The field that says until when. */
  until?: number;
  /** The value is yes or no. */
  boolean?: boolean;
}

export const PID_STATEMENTS: readonly Statement[] = [{ field: 27, text: 'Military veteran status', table: '0172' }];

export const PD1_STATEMENTS: readonly Statement[] = [
  { field: 1, text: 'Living dependency', table: '0223' },
  { field: 2, text: 'Living arrangement', table: '0220' },
  { field: 5, text: 'Student status', table: '0231' },
  { field: 7, text: 'Living will', table: '0315' },
  { field: 8, text: 'Organ donor status', table: '0316' },
  { field: 15, text: 'Advance directive', table: '0435' },
  { field: 16, text: 'Immunization registry status', table: '0441', since: 17 },
  { field: 19, text: 'Military branch', table: '0140' },
  { field: 20, text: 'Military rank', table: '0141' },
  { field: 21, text: 'Military status', table: '0142' },
];

export const DB1_STATEMENTS: readonly Statement[] = [
  { field: 4, text: 'Disability', table: '0136', since: 5, until: 6, boolean: true },
];
