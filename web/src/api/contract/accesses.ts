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
}
