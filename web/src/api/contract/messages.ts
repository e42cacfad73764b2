/** Messages, what became of them, and what was sent on. */

export type Dialect = 'hl7v2' | 'ccda' | 'fhir' | 'table';
export type MessageState = 'received' | 'processed' | 'failed' | 'dead' | 'refused' | 'kept';

/** How many atoms of the source went where; `kept` and `rejected` are what was not mapped. */
export interface LedgerCounts {
  resources: number;
  mapped: number;
  consumed: number;
  structural: number;
  kept: number;
  rejected: number;
}

export interface Message {
  id: string;
  receivedAt: string;
  source: string;
  sourceName: string;
  dialect: Dialect;
  type: string;
  controlId: string | null;
  size: number;
  state: MessageState;
  attempts: number;
  error: string | null;
  counts: LedgerCounts;
  issues: number;
  person: string | null;
}

export interface MessagePage {
  messages: Message[];
  next: string | null;
}

export type Disposition = 'mapped' | 'consumed' | 'structural' | 'kept' | 'rejected';

/** Where one atom of the source went. `source` is `PID[1]-5[1].1.1` in HL7 v2 and an XPath in C-CDA. */
export interface LedgerEntry {
  source: string;
  disposition: Disposition;
  target?: string | null;
  rule?: string | null;
  reason?: string | null;
  value?: string | null;
}

export interface MessageIssue {
  severity: 'error' | 'warning' | 'information' | 'fatal';
  code: string;
  source: string;
  message: string;
}

export type DeliveryState =
  | 'waiting'
  | 'accepted'
  | 'delivered'
  | 'failed'
  | 'dead'
  | 'cancelled'
  | 'already-delivered';

export interface Delivery {
  id: string;
  destination: string;
  destinationName: string;
  route: string;
  dialect: Dialect;
  state: DeliveryState;
  attempts: number;
  lastError: string | null;
  createdAt: string;
  deliveredAt: string | null;
  kind: 'new' | 'correction' | 'retraction';
  /** What it is about, such as a result or a discharge summary. */
  topic?: string | null;
}

/** What the sender is told, in HL7 v2's enhanced mode, of what came of its message. */
export interface ApplicationAcknowledgement {
  state: 'due' | 'sent' | 'confirmed' | 'refused' | 'unwanted' | 'kept';
  /** MSA-1. */
  code: string | null;
  sentAt: string | null;
  error: string | null;
}

export interface MessageDetail extends Message {
  original: string;
  encoding: string;
  applicationAcknowledgement: ApplicationAcknowledgement | null;
  issueList: MessageIssue[];
  ledger: LedgerEntry[];
  /** Why there is no ledger, of a large original. */
  ledgerLeftOut?: string;
  /** Whether what it made was made by another map than that of the ledger, which is today's. */
  isOfEarlierMap?: boolean;
  resources: { reference: string; versionId: string | number }[];
  deliveries: Delivery[];
}
