/** Which elements are hidden from a caller: docs/access.md, 7 Redaction. */
import { type HiddenElement, hidingFault } from '@causeway/fhir';
import { type LabelName, label } from './label-bits.ts';

/** A rule of a network; what is left out holds for all. */
export interface RedactionRule {
  /** `Patient.address`, `Patient.contact.telecom`. */
  elements: readonly string[];
  /** Undefined: every purpose but PATRQT and that of an emergency. */
  purposes?: readonly string[];
  roles?: readonly string[];
  /** Keys of the asking organisations. */
  organizations?: readonly string[];
  /** Only of what has one of these labels. */
  labels?: readonly LabelName[];
  /** Of dates, what is given out. */
  keep?: 'year';
}

/** What is hidden of resources that have one of the labels, or, where these are 0, of all. */
export interface Redaction {
  elements: readonly HiddenElement[];
  labels: number;
}

/** Who asks, as a rule looks at it. @param purpose as it counts: ETREAT in an emergency only */
export interface RedactedCaller {
  role: string;
  purpose: string;
  organization: string | undefined;
}

/** What the rules hide from a caller; undefined where nothing. */
export function redactionsOf(rules: readonly RedactionRule[], caller: RedactedCaller): Redaction[] | undefined {
  const found = rules.filter((rule) => isFor(rule, caller)).map(redactionOf);
  return found.length > 0 ? found : undefined;
}

function isFor({ purposes, roles, organizations }: RedactionRule, caller: RedactedCaller): boolean {
  const { role, purpose, organization } = caller;
  const isForPurpose = purposes ? purposes.includes(purpose) : purpose !== 'PATRQT' && purpose !== 'ETREAT';
  // Of a caller of no organisation that is known, a rule for some is taken to hold.
  const isForOrganization = !organizations || organization === undefined || organizations.includes(organization);
  return isForPurpose && isForOrganization && (!roles || roles.includes(role));
}

const made = new WeakMap<RedactionRule, Redaction>();

function redactionOf(rule: RedactionRule): Redaction {
  let redaction = made.get(rule);
  if (!redaction) {
    const { elements, labels = [], keep } = rule;
    redaction = {
      elements: elements.map((path) => ({ path, keepsYear: keep === 'year' })),
      labels: labels.reduce((sum, name) => sum | label[name], 0),
    };
    made.set(rule, redaction);
  }
  return redaction;
}

const members = ['elements', 'purposes', 'roles', 'organizations', 'labels', 'keep'];
const mostElements = 200;

/** What is wrong with a rule. */
export function redactionFaults(rule: unknown): string[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return ['must be an object.'];
  const faults = Object.keys(rule).flatMap((name) => (members.includes(name) ? [] : [`${name} is not known.`]));
  const { elements, keep, labels, ...lists } = rule as Record<string, unknown>;
  if (keep !== undefined && keep !== 'year') faults.push('keep must be year.');
  if (!isTexts(elements) || elements.length > mostElements) {
    faults.push(`elements must be a list of at most ${mostElements}, as Patient.address.`);
  } else faults.push(...elements.flatMap((path) => hidingFault(path, keep === 'year')?.concat('.') ?? []));
  for (const name of ['purposes', 'roles', 'organizations']) {
    if (lists[name] !== undefined && !isTexts(lists[name])) faults.push(`${name} must be a list of codes.`);
  }
  if (labels !== undefined && !(isTexts(labels) && labels.every((name) => Object.hasOwn(label, name)))) {
    faults.push(`labels must be a list of ${Object.keys(label).join(', ')}.`);
  }
  return faults;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '');
}
