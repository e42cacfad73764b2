/** Accounts, signing in, sessions. */

export type Role =
  | 'clinician'
  | 'patient'
  | 'proxy'
  | 'steward'
  | 'integration-engineer'
  | 'privacy-officer'
  | 'auditor'
  | 'public-health'
  | 'researcher'
  | 'administrator';

export interface User {
  username: string;
  name: string;
  role: Role;
  organization?: string | null;
}

export interface DemoAccount {
  username: string;
  password: string;
  name: string;
  role: Role;
}

/** What is still needed before somebody is signed in. */
export type NextStep =
  | { next: 'factor'; hasTotp: boolean; hasPasskey: boolean }
  | { next: 'password' }
  | { next: 'enrol' };

/** Of each step of signing in; with the first second factor come recovery codes. */
export type SignInAnswer = ({ user: User } | NextStep) & { recoveryCodes?: string[] };

/** How one can sign in here beside by a password. */
export interface SignInWays {
  passkey: boolean;
  external: { name: string } | null;
}

export interface OpenSession {
  id: string;
  created: string;
  lastUsed: string;
  ends: string;
  proofs: string[];
  agent: string;
  isThis: boolean;
}

export interface Security {
  username: string;
  /** Whether it was proved within the last minutes who is at the screen. */
  isFresh: boolean;
  hasPassword: boolean;
  hasTotp: boolean;
  recoveryCodes: number;
  /** The external provider knows the account. */
  isExternal: boolean;
  external: { name: string } | null;
  passkeys: { id: string; name: string; made: string; lastUsed?: string }[];
  canPasskey: boolean;
  needsFactor: boolean;
  sessions: OpenSession[];
}

/** An account as administrators see it. */
export interface ListedUser extends User {
  organization: string;
  made: string;
  isDisabled: boolean;
  mayEmergency: boolean;
  hasPassword: boolean;
  mustChange: boolean;
  hasTotp: boolean;
  passkeys: number;
  isExternal: boolean;
  lastUsed?: string;
  lockedUntil?: string;
}
