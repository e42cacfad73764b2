/** Who cares for whom, and what people have to bring to an end. */
import type { DeliveryState } from './messages.ts';

export type LoopKind = 'recall' | 'transition' | 'referral' | 'critical-result';

export interface Loop {
  id: string;
  kind: LoopKind;
  state: 'open' | 'accepted' | 'closed';
  why: string;
  opened: string;
  due: string;
  escalated: string | null;
  source: string;
  sourceName: string;
  /** Who has to act, where one organisation has. */
  site: string | null;
  siteName: string | null;
  /** `Observation/…` */
  focus: string;
  /** Not for integration engineers. */
  patient?: string;
  assignee: string | null;
  closed: string | null;
  closedBy: string | null;
  outcome: string | null;
}

export interface LoopList {
  loops: Loop[];
  /** For those who look after the network. */
  open?: number;
  late?: number;
  /** The key of a clinician’s organisation; null where it is not on the network. */
  organization?: string | null;
}

export interface LoopDetails extends Loop {
  events: { at: string; by: string; event: string; note: string | null }[];
}

export interface RecallDetails extends LoopDetails {
  recipients: {
    destination: string;
    destinationName: string;
    route: string;
    told: { kind: string; version: number; at: string | null; state: DeliveryState }[];
    recall?: { kind: string; state: DeliveryState; at: string | null; attempts: number; error: string | null };
  }[];
  readers: { who: string; organization: string; at: string; action: string }[];
}

export interface Care {
  site: string;
  siteName: string;
  kind: string;
  evidence: string;
  starts: string;
  ends: string | null;
}

/** What is known of a line of a list of people. */
export interface PanelLine {
  line: number;
  outcome: 'known' | 'matched' | 'ambiguous' | 'unknown';
  patient?: string;
  isTaken: boolean;
}

export interface Panel {
  id: string;
  uploaded: string;
  by: string;
  state: 'applying' | 'current' | 'replaced' | 'abandoned';
  rows: number;
  people: number;
  begun: number;
  ended: number;
  leftOut: number[];
}

export interface PanelState {
  /** The organisation’s. */
  name: string;
  lists: Panel[];
  members: { patient: string; since: string }[];
}
