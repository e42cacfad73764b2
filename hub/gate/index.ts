/** The gate: every way in, HTTP and MLLP. */

export { acceptBundle, acceptCcda, acceptV2 } from './accept.ts';
export { ApplicationAcks } from './application-acks.ts';
export type { DemoAccount } from './auth-routes.ts';
export { Authenticator } from './authenticate.ts';
export { documentId, writeDocument, writeWithdrawal } from './ccda-documents.ts';
export { Certified } from './certified.ts';
export { httpServer } from './http.ts';
export { startMllp } from './mllp.ts';
export { originalOf } from './original-documents.ts';
export { RateLimits } from './rate-limits.ts';
export { recognise } from './recognise.ts';
export { RefusedMessages } from './refused-messages.ts';
export { Sending } from './sending.ts';
export { V2Gate } from './take-v2.ts';
export { ServerCertificate } from './tls.ts';
