/** Sharing by the person (SMART Health Links). */

/** A link as those see it who made it; times are instants. */
export interface HealthLink {
  id: string;
  label?: string;
  /** Of the letters L (long term), P (passcode), U (one file). */
  flag: string;
  by: string;
  made: string;
  expires?: string;
  revoked?: string;
  attemptsLeft: number;
  files: { contentType: string; bytes: number; updated: string }[];
  uses: { at: string; outcome: 'opened' | 'wrong passcode'; recipient?: string }[];
}
