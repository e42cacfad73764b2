/**
 * What a caller may read, before anybody's consent is asked: layers 1 to 3 of docs/access.md and what the others need,
 * made once a request of who asks, for whom and why, and of the network's policy.
 */
import type { CareRules } from './care-rules.ts';
import { type LabelName, label } from './label-bits.ts';
import type { RelationshipRule } from './policy.ts';
import { type Redaction, type RedactionRule, redactionsOf } from './redaction.ts';

export type Role =
  | 'administrator'
  | 'system'
  | 'clinician'
  | 'patient'
  | 'proxy'
  | 'steward'
  | 'public-health'
  | 'researcher'
  | 'privacy-officer'
  | 'auditor'
  | 'integration-engineer';

/** Who asks. */
export interface Subject {
  role: Role;
  /** A code of v3-ActReason. */
  purpose: string;
  /** The participant that the caller belongs to; undefined for those of the hub itself. */
  organization: string | undefined;
  /** The names by which provisions may name the caller, its organisation and its role. */
  names: readonly string[];
  /** The caller is confined to the records of known persons. */
  isConfined: boolean;
  /** An app asks, on whosever behalf: it is never the hub's own. */
  isApp?: boolean;
  /** The types that an agreement names; undefined: none does. */
  agreedTypes?: readonly string[];
  /** Of a proxy: the ages of those represented, in years; undefined where it is not known. */
  ages?: readonly (number | undefined)[];
  /** An emergency access is under way, for the person to whom the caller is confined. */
  isEmergency?: boolean;
}

/** A rule of a jurisdiction; it never opens what the table closes. */
export interface LabelRule {
  label: LabelName;
  /** Undefined: every purpose but PATRQT. */
  purposes?: readonly string[];
  /** States of the asking organisation; undefined: all. */
  states?: readonly string[];
  /** From this age on, and below 18, it holds for proxies only. */
  proxyFromAge?: number;
  mode: 'permission' | 'withheld';
}

export interface Policy {
  model: 'opt-out' | 'opt-in';
  /** An IANA name. */
  zone: string;
  rules: readonly LabelRule[];
  requireAgreements?: boolean;
  relationship?: RelationshipRule;
  care?: Partial<CareRules>;
  redactions?: readonly RedactionRule[];
  /** The state of a participant, where it is known. */
  stateOf(organization: string | undefined): string | undefined;
}

/** Resources of a type that have one of each list of tokens: hashes as the record's rows have them, in decimal digits. */
export interface FoundBy {
  type: string;
  all: readonly (readonly string[])[];
}

/** What rows are held against. */
export interface Limits {
  /** Everything may be read; nothing else is asked. */
  isCustodian: boolean;
  types: readonly string[] | 'all';
  /** Of other types, what is found by some tokens. `hiddenBy` takes them for hidden. */
  found?: readonly FoundBy[];
  /** Of no patient, only what cannot be in a patient's compartment. */
  isConfined: boolean;
  /** Labels that hide a row. */
  withheld: number;
  /** Those of them that do not hide the organisation's own records. */
  ownOpens: number;
  /** The caller's organisation, where its own records are excepted. */
  own: string | undefined;
  /** Whether refusals bind: all, those that name the caller, or none. Where `named`, so it is with permissions. */
  refusals: 'all' | 'named' | 'none';
  /** Labels for which permission is needed. */
  permissionFor: number;
  /** Permission is needed for everything. */
  isPermissionNeeded: boolean;
  names: readonly string[];
  purpose: string;
  /** Elements that are hidden of what may be read. */
  redactions?: readonly Redaction[];
}

const treating = ['TREAT', 'ETREAT'];
const careAndPayment = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT'];

/** The purposes of each role; the first is meant where none is named. */
export const purposesOf: Record<Role, readonly string[]> = {
  administrator: ['HOPERAT'],
  system: ['HOPERAT', 'TREAT', 'ETREAT', 'HPAYMT'],
  clinician: careAndPayment,
  patient: ['PATRQT'],
  proxy: ['FAMRQT'],
  steward: ['HOPERAT'],
  'public-health': ['PUBHLTH'],
  researcher: ['HRESCH'],
  'privacy-officer': ['HCOMPL'],
  // Holds everybody to their word; of records it sees who looked at them.
  auditor: ['HCOMPL'],
  // Runs the connections; has no business in records.
  'integration-engineer': ['HSYSADMIN'],
};

const privacyTypes = ['Consent', 'Provenance', 'AuditEvent', 'Patient', 'RelatedPerson'];
const everySensitivity =
  label.substanceUse |
  label.mentalHealth |
  label.hiv |
  label.sexuallyTransmitted |
  label.violence |
  label.reproduction |
  label.genetics;

export function limitsOf(subject: Subject, policy: Policy): Limits {
  const { role, organization } = subject;
  const none = nothing(subject);
  if (isCustodian(subject)) return { ...none, isCustodian: true, types: 'all' };
  if (!purposesOf[role]?.includes(subject.purpose)) return none;
  const types = typesOf(subject);
  if (types !== 'all' && types.length === 0) return none;
  if (subject.isEmergency && (role !== 'clinician' || subject.purpose !== 'ETREAT' || !subject.isConfined)) return none;
  if ((role === 'patient' || role === 'proxy') && !subject.isConfined) return none;
  const purpose = subject.purpose === 'ETREAT' && !subject.isEmergency ? 'TREAT' : subject.purpose;
  const isOwnCare = (role === 'clinician' || role === 'system') && organization !== undefined;
  const byRule = (mode: LabelRule['mode']) => ruled(policy, { ...subject, purpose }, mode);
  const withheldByRule = byRule('withheld');
  const permissionFor =
    label.part2 | label.veryRestricted | (purpose === 'HRESCH' ? everySensitivity : 0) | byRule('permission');
  const asksNobody = purpose === 'PATRQT' || subject.isEmergency === true;
  const redactions = redactionsOf(policy.redactions ?? [], { role, purpose, organization });
  return {
    isCustodian: false,
    types,
    isConfined: subject.isConfined,
    withheld: withheldFrom(subject) | withheldByRule,
    ownOpens:
      isOwnCare && treating.includes(purpose) ? (label.psychotherapyNotes | label.unlabelled) & ~withheldByRule : 0,
    own: isOwnCare && [...treating, 'HOPERAT'].includes(purpose) ? organization : undefined,
    refusals: asksNobody || purpose === 'PUBHLTH' ? 'none' : role === 'proxy' ? 'named' : 'all',
    permissionFor: asksNobody ? 0 : purpose === 'PUBHLTH' ? label.veryRestricted : permissionFor,
    isPermissionNeeded: !asksNobody && isPermissionNeeded(purpose, policy),
    names: subject.names,
    purpose,
    ...(redactions ? { redactions } : {}),
  };
}

/** The hub's own accounts and those who run it. */
function isCustodian({ role, organization, isEmergency, isApp }: Subject): boolean {
  return !isEmergency && !isApp && (role === 'administrator' || (role === 'system' && organization === undefined));
}

function nothing({ names, purpose }: Subject): Limits {
  return {
    isCustodian: false,
    types: [],
    isConfined: true,
    withheld: -1,
    ownOpens: 0,
    own: undefined,
    refusals: 'all',
    permissionFor: -1,
    isPermissionNeeded: true,
    names,
    purpose,
  };
}

function typesOf({ role, agreedTypes }: Subject): readonly string[] | 'all' {
  if (role === 'public-health' || role === 'researcher') return agreedTypes ?? [];
  if (role === 'privacy-officer') return privacyTypes;
  if (role === 'auditor') return ['AuditEvent'];
  if (role === 'integration-engineer') return [];
  return 'all';
}

function withheldFrom({ role, purpose, isEmergency }: Subject): number {
  let withheld: number = label.psychotherapyNotes;
  if (purpose !== 'PATRQT' && !isEmergency) withheld |= label.unlabelled;
  if (role === 'proxy') withheld |= label.violence;
  if (purpose === 'HRESCH') withheld |= label.restricted | label.veryRestricted;
  if (purpose === 'PUBHLTH') withheld |= label.veryRestricted;
  return withheld;
}

function ruled(policy: Policy, subject: Subject, mode: LabelRule['mode']): number {
  const state = policy.stateOf(subject.organization);
  let labels = 0;
  for (const rule of policy.rules) {
    if (rule.mode !== mode || !isForPurpose(rule, subject.purpose)) continue;
    if (rule.proxyFromAge !== undefined && !isProxyOfMinor(subject, rule.proxyFromAge)) continue;
    // Of an organisation whose state is not known, a rule of some states is taken to hold.
    if (rule.states && state !== undefined && !rule.states.includes(state)) continue;
    labels |= label[rule.label];
  }
  return labels;
}

/** The patient's own access is meant only by rules that name it. */
function isForPurpose({ purposes }: LabelRule, purpose: string): boolean {
  return purposes === undefined ? purpose !== 'PATRQT' : purposes.includes(purpose);
}

/** Whether somebody represented is, or may be, of that age and not yet 18. */
function isProxyOfMinor({ role, ages = [undefined] }: Subject, from: number): boolean {
  return role === 'proxy' && ages.some((age) => age === undefined || (age >= from && age < 18));
}

function isPermissionNeeded(purpose: string, { model }: Policy): boolean {
  if (purpose === 'HRESCH' || purpose === 'HMARKT') return true;
  return model === 'opt-in' && careAndPayment.includes(purpose);
}
