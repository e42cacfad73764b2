/** The authorization server: clients, launches, what users allow, and the tokens that come of it. */
export { type AskedWithProof, Authorization, type ShownWithToken } from './authorization.ts';
export { CertificateRevocation } from './certificate-revocation.ts';
export { type CertificateDistrust, distrustOf, revocationOf } from './certificate-trust.ts';
export { type ClientState, clientStates, type RegisteredClient } from './clients.ts';
export { ConnectionRevocation } from './connection-revocation.ts';
export { ExternalProvider, ExternalRefused, NamedProvider, type Vouched } from './external-provider.ts';
export type { ConnectedApp, VerifiedToken } from './grants.ts';
export type { Answer, Exchange, Question } from './interactions.ts';
export { SigningKeys, signingKeyColumn } from './keys.ts';
export { RevocationSources, type SilentSource } from './revocation-sources.ts';
export { communityFiles } from './udap/community-file.ts';
export { setParticipant } from './udap/organizations.ts';
export type { RevocationRule } from './udap/revocation-rules.ts';
export { userResource } from './user-resource.ts';
