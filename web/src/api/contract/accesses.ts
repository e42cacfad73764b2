/** Accesses to a person's record, their proofs, and accountings of disclosures. */

export interface SeenAccess {
  id: string;
  at: string;
  action: string;
  type?: string;
  who?: { username: string; name: string };
  role: string;
  organization: { key: string; name: string };
  purpose?: string;
  client?: { id: string; name: string };
  /** Whom it was sent to. */
  recipient?: { key: string; name: string };
  isEmergency: boolean;
  isRefused: boolean;
  relationship?: string;
  what?: string;
  reason?: string;
  /** Its number in the log; missing until it has one. */
  index?: number;
}

export interface SeenAccesses {
  accesses: SeenAccess[];
  next?: string;
}

/** The keys by which the log signs, the newest first. */
export interface LogKeys {
  keys: { verifier: string; made: string; ends: string | null }[];
  /** Those who cosign it. */
  witnesses: { name: string; verifier: string }[];
}

export interface DisclosureLine {
  /** Names the access within the log. */
  id: string;
  at: string;
  recipient: { key: string; name: string; address?: string };
  by?: string;
  description: string;
  purpose?: { code: string; words: string };
  /** Whether 45 CFR 164.528 asks for it. */
  isRequired: boolean;
  /** Kept from the person for now. */
  isHeld?: true;
  index?: number;
}

export interface Accounting {
  made: string;
  from: string;
  to: string;
  lines: DisclosureLine[];
  summary: {
    recipient: string;
    purpose?: string;
    count: number;
    first: string;
    last: string;
    isRequired: boolean;
  }[];
}

/** A suspension of what a person is told (45 CFR 164.528(a)(2)). */
export interface AccountingHold {
  id: string;
  patient: string;
  recipient: string;
  statement: 'written' | 'oral';
  evidence: string;
  by: string;
  made: string;
  until: string;
  ended?: string;
}

/** How the audit log stands. */
export interface AuditLogStatus {
  state: 'none' | 'good' | 'refused' | 'wrong';
  problem?: string;
  size: number;
  signed?: string;
  verified: number;
  verifiedAt?: string;
  witnesses: { name: string }[];
}
