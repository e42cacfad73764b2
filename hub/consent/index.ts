/** Consent: what persons agreed to, as the provisions that the access decision asks, and who may see their own record. */
export { Consents } from './consents.ts';
export { type Explained, explanationsOf } from './explanations.ts';
export { relationTokensBy } from './relation-tokens.ts';
export { confirmedHomes, type Represented, representedBy } from './represented.ts';
