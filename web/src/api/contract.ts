/**
 * The shapes of the hub's own API (`/auth` and `/api`), as the screens use them. The clinical record is FHIR R4 and
 * has its types from `@medplum/fhirtypes`.
 */

export type Role =
  | 'clinician'
  | 'patient'
  | 'proxy'
  | 'steward'
  | 'integration-engineer'
  | 'privacy-officer'
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

export type Dialect = 'hl7v2' | 'ccda' | 'fhir';
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

export type DeliveryState = 'waiting' | 'accepted' | 'delivered' | 'failed' | 'dead' | 'cancelled';

export interface Delivery {
  id: string;
  destination: string;
  destinationName: string;
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

export interface Identifier {
  system?: string | null;
  value?: string | null;
}

/** One of the two records a reviewer compares. */
export interface ReviewSide {
  patient: string;
  person: string | null;
  source: string;
  sourceName?: string | null;
  name: string | null;
  birthDate: string | null;
  gender: string | null;
  address: string | null;
  phone: string | null;
  identifiers: Identifier[];
}

/** What one field adds to (or takes from) the evidence, in bits. */
export interface FieldEvidence {
  field: string;
  label: string;
  a: string | null;
  b: string | null;
  /** Name of the level of agreement; `missing` where one side has nothing to compare. */
  level: string;
  /** The level in words. */
  meaning?: string;
  weight: number;
}

export interface Review {
  id: string;
  /** `overlay`: one organisation put another human's data over this record; absent means `duplicate`. */
  kind?: 'duplicate' | 'overlay';
  state: 'open' | 'decided';
  createdAt: string;
  score: number;
  probability: number;
  a: ReviewSide;
  b: ReviewSide;
  explanation: FieldEvidence[];
  guards: string[];
  decision: { decision: 'same' | 'different'; by: string; at: string; reason: string | null } | null;
}

export interface ReviewPage {
  reviews: Review[];
  open: number;
  next: string | null;
}

export interface PersonMember {
  patient: string;
  source: string;
  sourceName?: string | null;
  name: string | null;
  birthDate: string | null;
  gender: string | null;
  identifiers: Identifier[];
  grade: 'auto' | 'confirmed' | 'source';
  since: string;
}

export interface PersonEvent {
  at: string;
  by: string;
  event: 'linked' | 'unlinked' | 'merged' | 'split';
  patient: string;
  reason: string | null;
  probability: number | null;
}

export interface Person {
  id: string;
  members: PersonMember[];
  history: PersonEvent[];
}

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
  /** Application acknowledgements that cannot be sent until their senders connect. */
  acknowledgementsKept: number;
  /** Destinations that take nothing now. */
  /** Those that have ended, end within thirty days, or cannot be read. */
  certificatesEnding: { what: string; participant?: string; subject: string; expires?: string; state: string }[];
  /** What of the organisations on the network ends within thirty days, or has ended. */
  expiring?: { participant: string; what: 'certificate' | 'agreement'; until: string }[];
  /** Who looked at far more persons within an hour than usual, in the last day. */
  fanOutAlarms?: FanOutAlarm[];
  destinationsDown: { key: string; name: string; since: string; reason: string }[];
  persons: number;
  sourcePatients: number;
  reviewsOpen: number;
  resources: number;
  sources: SourceStatus[];
}

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

/** What an app asks for, before it is connected. */
export interface AppQuestion {
  client: { id: string; name: string; uri?: string; isNative: boolean };
  /** Where the browser goes back to. */
  returnTo: string;
  scopes: string[];
  needsPatient: boolean;
  /** The patient from whose chart the app was opened. */
  launch?: { patient: string; encounter?: string };
}

export interface ConnectedApp {
  id: string;
  client: string;
  name: string;
  scopes: string[];
  patient?: string;
  since: string;
  expires: string;
}

export type ClientState = 'pending' | 'active' | 'suspended';

/** A registered client; the metadata are those of RFC 7591. */
export interface RegisteredClient {
  id: string;
  name: string;
  state: ClientState;
  organization: string;
  metadata: {
    redirect_uris?: string[];
    grant_types?: string[];
    token_endpoint_auth_method?: string;
    allowed_scopes?: string;
    launch_url?: string;
    jwks_uri?: string;
  };
  registered: string;
  registeredBy?: string;
  /** Of a client of a trust community (UDAP). */
  udap?: { community: string; uri: string; certificateExpires?: string; organizations?: ClientOrganization[] };
}

/** An organisation for which such a client asks; without a participant it waits. */
export interface ClientOrganization {
  organization: string;
  name?: string;
  participant?: string;
  asked: string;
}

export type Relation = 'self' | 'parent' | 'guardian' | 'carer' | 'other';

/** Whom an account stands for. */
export interface Binding {
  id: string;
  username: string;
  /** Id of a Patient. */
  patient: string;
  relation: Relation;
  proofing: 'in-person' | 'invitation' | 'external';
  evidence: string;
  boundBy: string;
  since: string;
  until?: string;
}

/** Names of sensitive kinds of data; docs/access.md, 2. */
export type KindOfData =
  | 'part2'
  | 'psychotherapyNotes'
  | 'substanceUse'
  | 'mentalHealth'
  | 'hiv'
  | 'sexuallyTransmitted'
  | 'violence'
  | 'reproduction'
  | 'genetics'
  | 'restricted'
  | 'veryRestricted';

/** A rule of the network: some kind of data is withheld, or needs the person's permission. */
export interface PolicyRule {
  label: KindOfData | 'unlabelled';
  purposes?: string[];
  states?: string[];
  proxyFromAge?: number;
  mode: 'permission' | 'withheld';
}

/** Elements that are hidden from some; what is left out holds for all. */
export interface PolicyRedaction {
  elements: string[];
  purposes?: string[];
  roles?: string[];
  organizations?: string[];
  labels?: (KindOfData | 'unlabelled')[];
  keep?: 'year';
}

export interface WrittenPolicy {
  model: 'opt-out' | 'opt-in';
  zone: string;
  rules: PolicyRule[];
  redactions?: PolicyRedaction[];
  requireAgreements?: boolean;
  relationship?: { mode: 'flag' | 'require'; daysBack: number; daysAhead: number };
}

export interface PolicyVersion {
  version: number;
  at?: string;
  by?: string;
  reason?: string;
  policy: WrittenPolicy;
}

export interface NetworkPolicy {
  version: number;
  isReadable: boolean;
  versions: PolicyVersion[];
}

/** Codes that have a label, of a value set or by themselves; those of earlier versions are only counted. */
export interface LabelSet {
  label: KindOfData;
  name: string;
  valueSet?: string;
  count: number;
  codes?: string[];
}

export interface LabelRulesVersion {
  version: number;
  at: string;
  by: string;
  reason: string;
  sets: LabelSet[];
  /** Stored versions gone through, of how many, and how many have other labels since. */
  done: number;
  total?: number;
  changed: number;
  finished?: string;
}

export interface LabelRules {
  /** 0 where the network has added none. */
  version: number;
  labels: { label: KindOfData; tableSize: number }[];
  /** The newest first. */
  versions: LabelRulesVersion[];
}

/** Who may see, or may not see, what; what is left out is not limited. */
export interface ConsentChoice {
  effect: 'permit' | 'deny';
  organizations?: string[];
  purposes?: string[];
  kinds?: KindOfData[];
  days?: { from?: string; to?: string };
  holds?: { from?: string; to?: string };
  exceptions?: ConsentChoice[];
}

export interface GivenConsent {
  id: string;
  status: string;
  given: string;
  /** Null where it says more than a choice can. */
  choice: ConsentChoice | null;
  evidence?: string;
}

export interface GivenConsents {
  consents: GivenConsent[];
  organizations: { key: string; name: string; kind: string }[];
  /** Filed by staff on behalf of the person, with evidence. */
  isStaff: boolean;
  model: 'opt-out' | 'opt-in';
}

export interface ConsentPreview {
  organization: string;
  types: { type: string; all: number; visible: number }[];
}

export type EmergencyReason = 'life-threat' | 'unconscious' | 'urgent-care' | 'public-danger' | 'other';

export interface Emergency {
  id: string;
  by: string;
  organization: string;
  /** Id of a Patient. */
  patient: string;
  reasonCode: EmergencyReason;
  reason: string;
  begun: string;
  ends: string;
  ended?: string;
  review?: { verdict: 'appropriate' | 'inappropriate'; by: string; at: string; comment: string };
}

export interface EmergencyState {
  underWay: Emergency | null;
  mayBegin: boolean;
  reasons: EmergencyReason[];
}

export interface EmergencyQueue {
  emergencies: Emergency[];
  open: number;
  overdue: number;
}

export interface PersonalNotice {
  id: number;
  at: string;
  kind: string;
  about: {
    patients?: string[];
    kind?: string;
    key?: string;
    persons?: number;
    usual?: number;
    patient?: string;
    by?: string;
    organization?: string;
    reason?: string;
    verdict?: string;
    comment?: string;
  };
  isRead: boolean;
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

/** What one layer of the access decision says. */
export interface AccessLayer {
  layer: 'role' | 'compartment' | 'label' | 'refusal' | 'permission';
  passes: boolean;
  words: string;
}

/** Why somebody would see a resource, or not. */
export interface ResourceExplanation {
  isVisible: boolean;
  hiddenBy: AccessLayer['layer'] | null;
  layers: AccessLayer[];
  notice: string;
}

/** What somebody would see of a record, by type, and why. */
export interface RecordExplanation {
  notice: string;
  types: { type: string; all: number; visible: number; reasons: { words: string; count: number }[] }[];
}

/** Who was found for an emergency access. */
export interface EmergencyLookup {
  isTooMany: boolean;
  persons: { id: string; name: { family?: string; given?: string[] }[]; birthDate?: string; gender?: string }[];
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

/** Something looked at for treatment without any proof of it. */
export interface Unproven {
  day: string;
  organization: string;
  username: string;
  patient: string;
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
