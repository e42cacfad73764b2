/** The policy of a network as it is written down, and what is wrong with one. */
import { type CareRules, careFaults } from './care-rules.ts';
import { label } from './label-bits.ts';
import type { LabelRule } from './limits.ts';
import { type RedactionRule, redactionFaults } from './redaction.ts';

/** What a network has decided for everybody. */
export interface WrittenPolicy {
  model: 'opt-out' | 'opt-in';
  /** The time zone of dates without one, an IANA name. */
  zone: string;
  rules: LabelRule[];
  /** Only who is live on the network, with an agreement in force, may send, ask and receive. Left out: nobody needs one. */
  requireAgreements?: boolean;
  /** Whether who treats has to be known to treat the person. Left out: it is not looked at. */
  relationship?: RelationshipRule;
  /** Who cares for whom, and the times of loops; what is left out is as the hub comes. */
  care?: Partial<CareRules>;
  /** Elements that are hidden; none where it is left out. */
  redactions?: RedactionRule[];
}

/** Purposes for which it can be asked whether the organisation has to do with the person; others have their own proof. */
export const provenPurposes = ['TREAT', 'HPAYMT', 'HOPERAT'] as const;

/** What counts as proof that an organisation has to do with a person, and what is done without. */
export interface RelationshipRule {
  /** `flag`: recorded and shown to the privacy officer; `require`: nothing is seen without. */
  mode: 'flag' | 'require';
  /** For which purposes; left out, for treatment. */
  purposes?: readonly (typeof provenPurposes)[number][];
  /** How long ago, and how far ahead, a visit, an appointment or a referral may lie. */
  daysBack: number;
  daysAhead: number;
}

/** Until a network has decided anything. */
export const firstPolicy: WrittenPolicy = { model: 'opt-out', zone: 'UTC', rules: [] };

const mostRules = 1_000;
const longestDays = 3_650;
const ruleMembers = ['label', 'purposes', 'states', 'proxyFromAge', 'mode'];

/** Reads a policy, or says what is wrong with it. A member that is not known is wrong: it might restrict something. */
export function readPolicy(written: unknown): WrittenPolicy | { wrong: string[] } {
  const wrong: string[] = [];
  if (!isObject(written)) return { wrong: ['The policy must be an object.'] };
  const { model, zone, rules, redactions = [], requireAgreements, relationship, care, ...unknown } = written;
  for (const name of Object.keys(unknown)) wrong.push(`The policy has a member that is not known: ${name}.`);
  if (model !== 'opt-out' && model !== 'opt-in') wrong.push('model must be opt-out or opt-in.');
  if (typeof zone !== 'string' || !isZone(zone)) wrong.push('zone must be the name of a time zone, as Europe/Berlin.');
  if (!Array.isArray(rules) || rules.length > mostRules) wrong.push(`rules must be a list of at most ${mostRules}.`);
  else for (const [i, rule] of rules.entries()) wrong.push(...faultsOf(rule).map((fault) => `rules[${i}]: ${fault}`));
  if (requireAgreements !== undefined && typeof requireAgreements !== 'boolean') {
    wrong.push('requireAgreements must be true or false.');
  }
  if (relationship !== undefined) wrong.push(...relationshipFaults(relationship));
  if (care !== undefined) wrong.push(...careFaults(care));
  if (!Array.isArray(redactions) || redactions.length > mostRules) {
    wrong.push(`redactions must be a list of at most ${mostRules}.`);
  } else {
    for (const [i, rule] of redactions.entries()) {
      wrong.push(...redactionFaults(rule).map((fault) => `redactions[${i}]: ${fault}`));
    }
  }
  return wrong.length > 0 ? { wrong } : (written as unknown as WrittenPolicy);
}

function relationshipFaults(rule: unknown): string[] {
  if (!isObject(rule)) return ['relationship must be an object.'];
  const { mode, purposes, daysBack, daysAhead, ...unknown } = rule;
  const faults = Object.keys(unknown).map((name) => `relationship.${name} is not known.`);
  if (mode !== 'flag' && mode !== 'require') faults.push('relationship.mode must be flag or require.');
  if (purposes !== undefined && !(isTexts(purposes) && purposes.every(isProven))) {
    faults.push(`relationship.purposes must be a list of ${provenPurposes.join(', ')}.`);
  }
  for (const [name, days] of Object.entries({ daysBack, daysAhead })) {
    if (!Number.isInteger(days) || Number(days) < 0 || Number(days) > longestDays) {
      faults.push(`relationship.${name} must be a whole number from 0 to ${longestDays}.`);
    }
  }
  return faults;
}

function faultsOf(rule: unknown): string[] {
  if (!isObject(rule)) return ['must be an object.'];
  const faults = Object.keys(rule)
    .filter((name) => !ruleMembers.includes(name))
    .map((name) => `${name} is not known.`);
  if (typeof rule.label !== 'string' || !Object.hasOwn(label, rule.label)) {
    faults.push(`label must be one of ${Object.keys(label).join(', ')}.`);
  }
  if (rule.mode !== 'permission' && rule.mode !== 'withheld') faults.push('mode must be permission or withheld.');
  for (const name of ['purposes', 'states']) {
    const list = rule[name];
    if (list !== undefined && !isTexts(list)) faults.push(`${name} must be a list of codes.`);
  }
  const { proxyFromAge: age } = rule;
  if (age !== undefined && !(Number.isInteger(age) && Number(age) >= 0 && Number(age) < 18)) {
    faults.push('proxyFromAge must be a whole number from 0 to 17.');
  }
  return faults;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProven(purpose: string): boolean {
  return provenPurposes.some((one) => one === purpose);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '');
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
