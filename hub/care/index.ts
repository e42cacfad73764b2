/** Who cares for whom. */
export { careRulesOf, counts, isTold, Relationships } from './relationships.ts';
