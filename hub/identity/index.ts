/** The person index: which source patients are one human. */
export { linkLock, type PersonChange } from './linking.ts';
export { PersonIndex } from './person-index.ts';
