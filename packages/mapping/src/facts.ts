/** What is done with facts once they are converted, for those who do not convert: without the tables, which are large. */
export { factId } from './fact-id.ts';
export { mergeFact } from './merge-fact.ts';
export { isWithdrawn } from './outbound/envelope.ts';
export { canBeWithdrawn, withdrawn } from './withdrawn.ts';
