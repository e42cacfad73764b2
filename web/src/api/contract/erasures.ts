/** Erasures of persons. */

export interface Erasure {
  id: string;
  state: 'requested' | 'withdrawn' | 'confirmed' | 'erased' | 'lifted';
  /** As long as it is only asked for. */
  patient?: string;
  legalBasis: string;
  reason: string;
  requestedBy: string;
  requestedAt: string;
  confirmedBy?: string;
  confirmedAt?: string;
  heldBy?: string;
  erasedAt?: string;
  counts: { [what: string]: number };
  maintainedAt?: string;
  endedBy?: string;
  endedAt?: string;
  refused: number;
  refusedAt?: string;
}

export interface ErasureMaintenance {
  state: 'none' | 'waiting' | 'running' | 'done' | 'failed';
  table?: string;
  done?: number;
  of?: number;
  ended?: string;
  left?: string[];
  reason?: string;
}

export interface ErasureList {
  erasures: Erasure[];
  maintenance: ErasureMaintenance;
}

export interface ErasurePreview {
  resources: { [type: string]: number };
  versions: number;
  messages: number;
  messagesAboutOthers: number;
  sentTo: { [destination: string]: number };
  waiting: number;
  underWay: number;
  accounts: number;
  openLoops: number;
  members: { patient: string; sourceName: string; name: string; birthDate: string | null }[];
}
