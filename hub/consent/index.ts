/** Consent: what persons agreed to, as the provisions that the access decision asks. */
export { Consents } from './consents.ts';
