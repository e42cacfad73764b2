/** How the hub does, what is not mapped, and converting anew. */
import type { AuditLogStatus } from './accesses.ts';
import type { Dialect } from './messages.ts';
import type { FanOutAlarm } from './network.ts';

export interface SourceStatus {
  key: string;
  name: string;
  received: number;
  lastAt: string | null;
}

export interface Status {
  received: number;
  processed: number;
  failed: number;
  dead: number;
  waiting: number;
  notMapped: number;
  /** Messages with content that cannot be right. */
  questionable: number;
  delivered: number;
  deliveriesWaiting: number;
  deliveriesAccepted: number;
  /** The same had reached whom they were for, by another path. */
  deliveriesAlready: number;
  /** Application acknowledgements that cannot be sent until their senders connect. */
  acknowledgementsKept: number;
  /** Messages that were not taken. */
  refused: number;
  /** Deliveries that were given up. */
  deliveriesDead: number;
  auditLog: Pick<AuditLogStatus, 'state' | 'problem'>;
  /** Those that have ended, end within thirty days, or cannot be read. */
  certificatesEnding: { what: string; participant?: string; subject: string; expires?: string; state: string }[];
  /** Lists and responders that tell of revoked certificates and give no answer now. */
  revocationSilent?: { address: string; since: string; reason: string }[];
  /** What of the organisations on the network ends within thirty days, or has ended. */
  expiring?: { participant: string; what: 'certificate' | 'agreement'; until: string }[];
  /** Who looked at far more persons within an hour than usual, in the last day. */
  fanOutAlarms?: FanOutAlarm[];
  connectorsFailing?: { key: string; error: string; since: string | null }[];
  /** Destinations that take nothing now. */
  destinationsDown: { key: string; name: string; since: string; reason: string }[];
  /** Routes that are gone, of which deliveries were withdrawn. */
  routesRemoved?: { key: string; name: string; route: string; since: string; withdrawn: number }[];
  persons: number;
  sourcePatients: number;
  reviewsOpen: number;
  resources: number;
  sources: SourceStatus[];
}

/** The kinds of fields without a place in the record, among the newest messages. */
export interface NotMapped {
  messages: number;
  kinds: { source: string; sourceName: string; dialect: Dialect; kind: string; messages: number }[];
}

/** One resource that converting anew would make another. */
export interface ReprocessChange {
  kind: 'added' | 'changed' | 'removed';
  reference: string;
  versionId: string | null;
  message: { id: string; controlId?: string; type?: string };
  invalid: { expression?: string; diagnostics: string }[];
  differences: { path: string; before?: unknown; after?: unknown }[];
}

/** A page of what would change, patient by patient; `messages` on the first page only. Of each the first changes. */
export interface ReprocessPreview {
  messages?: number;
  lanes: { messages: number; leftBecause?: string; differ: number; changes: ReprocessChange[] }[];
  next: string | null;
}

export interface ReprocessJob {
  id: string;
  requestedAt: string;
  state: 'running' | 'complete' | 'cancelled';
  lanes: number;
  lanesDone: number;
  messages: number;
  added: number;
  changed: number;
  removed: number;
  leftOut: number;
  leftBecause: string | null;
}
