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
  /** Identity providers of trust communities that vouch for the account; by an administrator's choice, or its user's. */
  providers?: { issuer: string; since: string; isMapped: boolean }[];
  /** Whether the user may connect the account with one. */
  canConnect?: boolean;
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

/** A trust community of the hub (UDAP). */
export interface TrustCommunity {
  uri: string;
  name: string;
  revocation: 'required' | 'named' | 'reachable' | 'off';
  /** For which addresses the hub's certificate is. */
  addresses: string[];
  expires: string;
  /** The hub as an identity provider for others of it. */
  provider?: { addresses: string[]; expires: string };
  /** Whose claims make accounts here; left out where no users are signed in elsewhere. */
  accounts?: string[];
}

/** An identity provider at which the hub is a client. */
export interface IdentityProvider {
  address: string;
  community: string;
  client: string;
  registered: string;
  accounts: number;
}

export interface TrustCommunities {
  communities: TrustCommunity[];
  /** What is wrong with those that cannot be read. */
  faults: string[];
  providers: IdentityProvider[];
}
