/** The access decision as pure functions: labels, consents, limits, and what is visible. docs/access.md is its table. */

export { type CareRules, firstCareRules } from './care-rules.ts';
export { type Choice, choiceFaults, choiceOf, consentOf } from './choices.ts';
export { consentsThatCount, type GivenConsent } from './consents.ts';
export { daysOf } from './days.ts';
export { type Asker, type Explanation, explain, type Layer, type Reason } from './explain.ts';
export { inWords, labelWords, type Names } from './in-words.ts';
export { allLabels, type LabelName, label } from './label-bits.ts';
export { codingsOf, labelOfCode, labelsOf, namesOf, sourceOf } from './labels.ts';
export {
  type FoundBy,
  type LabelRule,
  type Limits,
  limitsOf,
  type Policy,
  purposesOf,
  type Role,
  type Subject,
} from './limits.ts';
export { firstPolicy, type RelationshipRule, readPolicy, type WrittenPolicy } from './policy.ts';
export {
  dayOf,
  type Effect,
  type Provision,
  type ReadableConsent,
  type ReadConsent,
  readConsent,
  referenceNames,
} from './provisions.ts';
export { type Redaction, type RedactionRule, redactionFaults, redactionsOf } from './redaction.ts';
export { tableSize, type WidenedCodes } from './sensitive-codes.ts';
export { type Interval, interval } from './time.ts';
export {
  authorName,
  coveredBy,
  type HeldProvision,
  type Hidden,
  hiddenBy,
  isNaming,
  participantSystem,
  type RowFacts,
} from './visible.ts';
