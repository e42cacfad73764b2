/** ACC and PDA: an accident, a death, as an Observation with what is told of it as components (v2.9 chapters 6.5.9, 3.4.12). */

/** A part of the account that Observation has no element for. */
export interface IncidentPart {
  field: number;
  text: string;
  kind: 'concept' | 'boolean' | 'text' | 'period';
}

export const ACCIDENT_PARTS: readonly IncidentPart[] = [
  { field: 2, text: 'Kind of accident', kind: 'concept' },
  { field: 3, text: 'Accident location', kind: 'text' },
  { field: 4, text: 'Accident state', kind: 'concept' },
  { field: 5, text: 'Job-related', kind: 'boolean' },
  { field: 6, text: 'Death', kind: 'boolean' },
  { field: 9, text: 'Brought in by', kind: 'text' },
  { field: 10, text: 'Police notified', kind: 'boolean' },
  { field: 11, text: 'Accident address', kind: 'text' },
  { field: 12, text: 'Patient liability', kind: 'text' },
];

export const DEATH_PARTS: readonly IncidentPart[] = [
  { field: 2, text: 'Death location', kind: 'text' },
  { field: 3, text: 'Death certified', kind: 'boolean' },
  { field: 4, text: 'Death certificate signed', kind: 'text' },
  { field: 6, text: 'Autopsy', kind: 'boolean' },
  { field: 7, text: 'Time of autopsy', kind: 'period' },
  { field: 8, text: 'Autopsy performed by', kind: 'text' },
  { field: 9, text: 'Coroner involved', kind: 'boolean' },
];
