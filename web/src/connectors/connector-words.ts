/** Kinds and states of connectors in plain words. */
import type { ConnectorCounts, ConnectorKind, ConnectorState, TableKind } from '../api/contract.ts';
import type { Tone } from '../theme/tones.ts';

export const KIND_WORDS: Record<ConnectorKind, string> = {
  fhir: 'FHIR server',
  sftp: 'SFTP folder',
  folder: 'Folder of this machine',
  sql: 'Query on a database',
};

export const CONNECTOR_STATES: Record<ConnectorState, { label: string; tone: Tone }> = {
  new: { label: 'Not run yet', tone: 'info' },
  waiting: { label: 'Up to date', tone: 'good' },
  running: { label: 'Running', tone: 'info' },
  failing: { label: 'Failing', tone: 'bad' },
  paused: { label: 'Paused', tone: 'neutral' },
};

export const TABLE_KINDS: Record<TableKind, string> = {
  patient: 'Patients',
  encounter: 'Visits',
  observation: 'Results and measurements',
  allergy: 'Allergies',
  medication: 'Medicines',
  immunization: 'Immunizations',
  appointment: 'Appointments',
};

/** `12 taken, 3 unchanged`. */
export function countWords({ taken, unchanged, refused, gone }: ConnectorCounts): string {
  const some = [`${taken} taken`, unchanged && `${unchanged} unchanged`, refused && `${refused} refused`];
  return [...some, gone && `${gone} deleted at the source`].filter(Boolean).join(', ');
}

/** How long ago, roughly. */
export function lagWords(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
