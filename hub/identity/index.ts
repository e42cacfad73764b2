/** The person index: which source patients are one human. */
export { forgetPatients } from './forget.ts';
export { type Match, type MatchGrade, matchesOf } from './match.ts';
export type { PersonChange } from './members.ts';
export { patientsIndexed } from './patients-indexed.ts';
export { PersonIndex, type StatedIdentity } from './person-index.ts';
