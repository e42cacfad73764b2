/**
 * What PID, PD1 and DB1 say of a person that Patient has no element for: social history, each an Observation of its
 * own (as v2-to-FHIR does for PD1-7, the living will).
 */

import type { Row } from '../engine.ts';
import type { IncidentPart } from './incidents.ts';

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
  /** The value is a name, told as text. */
  name?: boolean;
  /** What is told with it, as components. */
  parts?: readonly IncidentPart[];
}

export const PID_STATEMENTS: readonly Statement[] = [{ field: 27, text: 'Military veteran status', table: '0172' }];

export const PD1_STATEMENTS: readonly Statement[] = [
  { field: 1, text: 'Living dependency', table: '0223' },
  { field: 2, text: 'Living arrangement', table: '0220' },
  { field: 5, text: 'Student status', table: '0231' },
  { field: 7, text: 'Living will', table: '0315' },
  { field: 8, text: 'Organ donor status', table: '0316' },
  { field: 11, text: 'Publicity', table: '0215', since: 18 },
  { field: 12, text: 'Protection of data', table: '0136', since: 13, boolean: true },
  { field: 15, text: 'Advance directive', table: '0435', since: 22 },
  { field: 16, text: 'Immunization registry status', table: '0441', since: 17 },
  { field: 19, text: 'Military branch', table: '0140' },
  { field: 20, text: 'Military rank', table: '0141' },
  { field: 21, text: 'Military status', table: '0142' },
];

export const DB1: readonly Row[] = [
  ['DB1-1', '', 'structural'],
  ['DB1-2', '', 'consumed'],
  ['DB1-3', 'identifier[]', 'Identifier:disabled'],
];

export const DB1_STATEMENTS: readonly Statement[] = [
  { field: 4, text: 'Disability', table: '0136', since: 5, until: 6, boolean: true },
];

/** What is told of a guarantor, who is the observation's focus: the code names whom it is about. */
export const GT1_STATEMENTS: readonly Statement[] = [
  {
    field: 20,
    text: "Guarantor's employment status",
    table: '0066',
    since: 31,
    until: 32,
    parts: [
      { field: 16, text: "Employer's name", kind: 'text' },
      { field: 21, text: 'Employer', kind: 'text' },
      { field: 51, text: 'Employer organization', kind: 'text' },
      { field: 29, text: 'Identifier of employer', kind: 'text' },
      { field: 49, text: 'Job title', kind: 'text' },
      { field: 50, text: 'Job', kind: 'concept' },
    ],
  },
  {
    field: 30,
    text: "Guarantor's marital status",
    table: '0002',
    parts: [{ field: 4, text: 'Spouse', kind: 'text' }],
  },
  { field: 23, text: "Guarantor's credit rating", table: '0341' },
  { field: 25, text: "Guarantor's death", table: '0136', since: 24, boolean: true },
  { field: 42, text: "Guarantor's mother's maiden name", table: '', name: true },
  { field: 43, text: "Guarantor's nationality", table: '0212' },
  { field: 56, text: "Guarantor's country of birth", table: '0399' },
];
