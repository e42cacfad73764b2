/** The person index: which source patients are one human. */
export { forgetPatients } from './forget.ts';
export { linkLock, type PersonChange } from './linking.ts';
export { PersonIndex } from './person-index.ts';
