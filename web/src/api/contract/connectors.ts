/** Connectors: sources from which the hub takes by itself, and the maps by which their rows are read. */

export type ConnectorKind = 'fhir' | 'sftp' | 'folder' | 'sql';
export type ConnectorState = 'new' | 'waiting' | 'running' | 'failing' | 'paused';

/** What a run did, in messages or resources. */
export interface ConnectorCounts {
  taken: number;
  unchanged: number;
  refused: number;
  gone: number;
}

export interface Connector {
  key: string;
  participant: string;
  kind: ConnectorKind;
  settings: Record<string, unknown>;
  hasSecrets: boolean;
  state: ConnectorState;
  nextRun: string;
  started?: string;
  ended?: string;
  succeeded?: string;
  lagSeconds?: number;
  failures: number;
  error?: string;
  last: ConnectorCounts;
  all: ConnectorCounts;
  progress: Record<string, unknown>;
}

export interface ConnectorDetails extends Connector {
  map: ColumnMap | null;
  failed: { item: string; reason: string; at: string }[];
}

export type TableKind =
  | 'patient'
  | 'encounter'
  | 'observation'
  | 'allergy'
  | 'medication'
  | 'immunization'
  | 'appointment';

export type ColumnUse = { field: string; system?: string; values?: Record<string, string> } | { leftOut: string };

export interface ColumnMap {
  kind: TableKind;
  columns: Record<string, ColumnUse>;
  dates?: 'MDY' | 'DMY';
  empty?: string[];
}

/** A map proposed from names of columns and a sample, and the fields that there are. */
export interface ProposedMap {
  map: ColumnMap;
  ambiguousDates: string[];
  fields: Record<string, { label: string; isDate?: true; isCoded?: true }>;
}

/** What a connector would take, of which nothing was taken. */
export interface ConnectorPreview {
  found: string;
  names?: string[];
  rows?: Record<string, string>[];
  messages: {
    original: string;
    refused?: string;
    resources: { resourceType: string }[];
    issues: { severity: string; source: string; message: string }[];
    ledger: { source: string; disposition: string; reason?: string }[];
  }[];
}
