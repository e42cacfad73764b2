/** Trust: participants, accounts, the access decision, the record of accesses. */
export type { FoundBy } from '@causeway/access';
export {
  type Access,
  type AccessUser,
  accessCondition,
  accessOf,
  confinedTo,
  defaultPolicy,
  type Grant,
  homeCondition,
  ofTypes,
  type Role,
  refusedChange,
  roles,
  scopeOf,
  type TokenOrigin,
} from './access.ts';
export { type AccessEntry, AccessLog, type AccessNote } from './access-log.ts';
export { Accounts, type Refused, type Shown, type SignedIn, type SignIn, type User } from './accounts.ts';
export { type Agreement, Agreements, type Expiring, type Step } from './agreements.ts';
export { type Asker, askerOf } from './asker.ts';
export { type Binding, Bindings, type Relation, relations } from './bindings.ts';
export { type CertificateFile, Certificates, type WatchedCertificate } from './certificates.ts';
export { Emergencies, type Emergency, type EmergencyReason, emergencyReasons } from './emergencies.ts';
export { EmergencyLookups } from './emergency-lookups.ts';
export {
  type Connection,
  connectionsOf,
  ExternalAccounts,
  type ExternalMapping,
  isSameIssuer,
  type Proven,
  readMapping,
} from './external-accounts.ts';
export { FanOut, type FanOutAlarm, fanOutAlarms } from './fan-out.ts';
export { GroupCommit } from './group-commit.ts';
export { NetworkPolicy, PolicyUnreadable, type PolicyVersion, settledMs } from './network-policy.ts';
export { type Notice, Notices, notify } from './notices.ts';
export { type Also, Onboarding, readCertificate, type Terms } from './onboarding.ts';
export {
  type DirectSenders,
  hubKind,
  keyOf,
  type Participant,
  Participants,
  type QueryTopic,
  queryTopics,
  type Transport,
} from './participants.ts';
export type { Passkey, RelyingParty } from './passkeys.ts';
export { provingTypes, type RelationTokens } from './relation.ts';
export { attestedDays, Relations, type Unproven } from './relations.ts';
export {
  asks,
  type CcdaEndpoint,
  type CodeMap,
  type DirectPlace,
  type Endpoint,
  type EndpointTls,
  type FhirEndpoint,
  type FhirForm,
  type FilePlace,
  type FineTopic,
  fhirForms,
  fineTopics,
  type Hl7HttpEndpoint,
  type HttpPlace,
  type MllpEndpoint,
  mainRoute,
  type PickupPlace,
  type QuietHours,
  type Route,
  routesTo,
  type ServicesClient,
  type SftpPlace,
  type Topic,
  topics,
  untoldBy,
  type V2Endpoint,
} from './routes.ts';
export { includesScope, readScope, type Scope, writeScope } from './scopes.ts';
export type { Pending, Proof, Session, SessionLimits } from './sessions.ts';
export { SignInSteps, type StepKind } from './sign-in-steps.ts';
export {
  type Activity,
  type AgreedPurpose,
  activities,
  agreedPurposes,
  type ParticipantState,
  participantStates,
  typedPurposes,
} from './standing.ts';
export { totpColumn } from './totp.ts';
export { type ListedUser, type UserChange, Users } from './users.ts';
