/** The organisations of the network: how they are connected, agreed with, and related to persons. */

/** What a participant may be allowed to ask for by queries of HL7 v2. */
export type QueryTopic = 'demographics' | 'identifiers' | 'immunizations';

/** An organisation on the network, and what the hub is told of its dialect. */
export interface Participant {
  key: string;
  name: string;
  kind: string;
  sendingFacility?: string;
  sendingApplication?: string;
  settings: Record<string, unknown>;
  queries: QueryTopic[];
}

/** How an organisation is connected to the hub. */
export interface Transport {
  certificates?: string[];
  sequenceNumbers?: boolean;
  /** Whose Direct mail is its own: addresses or domains, and the file of the certificates that are trusted for them. */
  direct?: { senders: string[]; trust: string };
}

/** Where an organisation receives; which parts there are depends on the way. */
export interface Endpoint {
  dialect?: string;
  host?: string;
  port?: number;
  tls?: unknown;
  url?: string;
  /** A file of the hub with the value of the Authorization header. */
  authorization?: string;
  acknowledgement?: string;
  messages?: string[];
  version?: string;
  application?: string;
  facility?: string;
}

/** One way by which an organisation is told; see docs/outbound.md. */
export interface Route {
  name: string;
  to: Endpoint & {
    form?: string;
    folder?: string;
    services?: { clientId: string; scope?: string; tokenUrl?: string };
    sftp?: {
      host: string;
      port?: number;
      username: string;
      fingerprint: string;
      passwordFile?: string;
      keyFile?: string;
      path: string;
    };
    direct?: { address: string; certificate: string };
    pickup?: { address: string; pinFile: string };
  };
  topics?: string[];
  filters?: string[];
  urgent?: string[];
  quiet?: { zone: string; from: string; to: string } | undefined;
  codes?: { from: { system: string; code: string }; to: { system: string; code: string; display?: string } }[];
  grade?: string | undefined;
  unknown?: string | undefined;
  purpose?: string | undefined;
}

export type Activity = 'send' | 'query' | 'receive';
export type ParticipantState = 'invited' | 'keys' | 'tested' | 'signed' | 'live' | 'suspended' | 'ended';

/** Where an organisation stands on its way onto the network. */
export interface Standing {
  key: string;
  name: string;
  kind: string;
  /** The state whose law holds for it. */
  place?: string;
  state?: ParticipantState;
  expiring: { what: 'certificate' | 'agreement'; until: string }[];
}

export interface WrittenAgreement {
  id: string;
  version: number;
  may: Activity[];
  purposes: string[];
  types: string[];
  jurisdiction?: string;
  from: string;
  to: string;
  text: string;
  /** SHA-256 of what both sign. */
  hash: string;
  isSigned: boolean;
  supersededBy?: string;
  participantSigned?: { by: string; at: string };
  networkSigned?: { by: string; at: string };
}

export interface StandingDetails extends Omit<Standing, 'expiring'> {
  certificates: string[];
  steps: { state: ParticipantState; at: string; by: string; note: string }[];
  agreements: WrittenAgreement[];
}

/** What an organisation sees by the link that invites it. */
export interface Onboarding {
  key: string;
  name: string;
  state: ParticipantState;
  certificates: string[];
  agreement: WrittenAgreement | null;
}

export interface FanOutAlarm {
  id: number;
  at: string;
  kind: 'organization' | 'account';
  key: string;
  persons: number;
  usual: number;
}

/** Something looked at without any proof that the organisation has to do with the person. */
export interface Unproven {
  day: string;
  organization: string;
  username: string;
  patient: string;
  purpose: string;
  times: number;
  firstAt: string;
  lastAt: string;
  review?: { by: string; at: string; comment: string };
}

export interface UnprovenList {
  unproven: Unproven[];
  alarms: FanOutAlarm[];
}

export interface Relationship {
  mode: 'off' | 'flag' | 'require';
  proof?: string;
}

/** Another hub, and as which client this one asks it. */
export interface Peer {
  participant: string;
  url: string;
  clientId: string;
  scope: string;
}

/** What came of asking another hub about a person. */
export interface AskedNetwork {
  peer: string;
  name: string;
  state: 'asking' | 'nothing' | 'apart' | 'followed' | 'failed' | 'ended';
  /** The Patient that stands for the person there. */
  patient?: string;
  resources?: number;
  /** What of the answer is missing. */
  partial: string | null;
  reason: string | null;
  askedBy: string;
  askedAt: string;
  wholeAt: string | null;
  updated: string;
}

export interface AskedNetworks {
  networks: AskedNetwork[];
  /** Names of the hubs that can be asked. */
  hubs: string[];
}
