/** Who may see what: bindings, the policy, labels, consents, emergencies, and why. */

export type Relation = 'self' | 'parent' | 'guardian' | 'carer' | 'other';

/** Whom an account stands for. */
export interface Binding {
  id: string;
  username: string;
  /** Id of a Patient. */
  patient: string;
  relation: Relation;
  proofing: 'in-person' | 'invitation' | 'external';
  evidence: string;
  boundBy: string;
  since: string;
  until?: string;
}

/** Names of sensitive kinds of data; docs/access.md, 2. */
export type KindOfData =
  | 'part2'
  | 'psychotherapyNotes'
  | 'substanceUse'
  | 'mentalHealth'
  | 'hiv'
  | 'sexuallyTransmitted'
  | 'violence'
  | 'reproduction'
  | 'genetics'
  | 'restricted'
  | 'veryRestricted';

/** A rule of the network: some kind of data is withheld, or needs the person's permission. */
export interface PolicyRule {
  label: KindOfData | 'unlabelled';
  purposes?: string[];
  states?: string[];
  proxyFromAge?: number;
  mode: 'permission' | 'withheld';
}

/** Elements that are hidden from some; what is left out holds for all. */
export interface PolicyRedaction {
  elements: string[];
  purposes?: string[];
  roles?: string[];
  organizations?: string[];
  labels?: (KindOfData | 'unlabelled')[];
  keep?: 'year';
}

/** Purposes for which it can be asked whether an organisation has to do with the person. */
export type ProvenPurpose = 'TREAT' | 'HPAYMT' | 'HOPERAT';

export interface WrittenPolicy {
  model: 'opt-out' | 'opt-in';
  zone: string;
  rules: PolicyRule[];
  redactions?: PolicyRedaction[];
  requireAgreements?: boolean;
  relationship?: { mode: 'flag' | 'require'; purposes?: ProvenPurpose[]; daysBack: number; daysAhead: number };
  care?: Partial<CareRules>;
}

/** How long what shows that an organisation cares lasts, and within which time loops have to be closed. */
export interface CareRules {
  chart: boolean;
  encounterDays: number;
  appointmentDays: number;
  orderDays: number;
  transitionHours: number;
  referralDays: number;
  criticalMinutes: number;
  recallHours: number;
}

export interface PolicyVersion {
  version: number;
  at?: string;
  by?: string;
  reason?: string;
  policy: WrittenPolicy;
}

export interface NetworkPolicy {
  version: number;
  isReadable: boolean;
  versions: PolicyVersion[];
}

/** Codes that have a label, of a value set or by themselves; those of earlier versions are only counted. */
export interface LabelSet {
  label: KindOfData;
  name: string;
  valueSet?: string;
  count: number;
  codes?: string[];
}

export interface LabelRulesVersion {
  version: number;
  at: string;
  by: string;
  reason: string;
  sets: LabelSet[];
  /** Stored versions gone through, of how many, and how many have other labels since. */
  done: number;
  total?: number;
  changed: number;
  finished?: string;
}

export interface LabelRules {
  /** 0 where the network has added none. */
  version: number;
  labels: { label: KindOfData; tableSize: number }[];
  /** The newest first. */
  versions: LabelRulesVersion[];
}

/** Who may see, or may not see, what; what is left out is not limited. */
export interface ConsentChoice {
  effect: 'permit' | 'deny';
  organizations?: string[];
  purposes?: string[];
  kinds?: KindOfData[];
  days?: { from?: string; to?: string };
  holds?: { from?: string; to?: string };
  exceptions?: ConsentChoice[];
}

export interface GivenConsent {
  id: string;
  status: string;
  given: string;
  /** Null where it says more than a choice can. */
  choice: ConsentChoice | null;
  evidence?: string;
}

export interface GivenConsents {
  consents: GivenConsent[];
  organizations: { key: string; name: string; kind: string }[];
  /** Filed by staff on behalf of the person, with evidence. */
  isStaff: boolean;
  model: 'opt-out' | 'opt-in';
}

export interface ConsentPreview {
  organization: string;
  types: { type: string; all: number; visible: number }[];
}

export type EmergencyReason = 'life-threat' | 'unconscious' | 'urgent-care' | 'public-danger' | 'other';

export interface Emergency {
  id: string;
  by: string;
  organization: string;
  /** Id of a Patient. */
  patient: string;
  reasonCode: EmergencyReason;
  reason: string;
  begun: string;
  ends: string;
  ended?: string;
  review?: { verdict: 'appropriate' | 'inappropriate'; by: string; at: string; comment: string };
}

export interface EmergencyState {
  underWay: Emergency | null;
  mayBegin: boolean;
  reasons: EmergencyReason[];
}

export interface EmergencyQueue {
  emergencies: Emergency[];
  open: number;
  overdue: number;
}

export interface PersonalNotice {
  id: number;
  at: string;
  kind: string;
  about: {
    patients?: string[];
    kind?: string;
    key?: string;
    persons?: number;
    usual?: number;
    destination?: string;
    count?: number;
    text?: string;
    patient?: string;
    by?: string;
    organization?: string;
    reason?: string;
    verdict?: string;
    comment?: string;
    loop?: string;
    isLate?: boolean;
    people?: number;
  };
  isRead: boolean;
}

/** What one layer of the access decision says. */
export interface AccessLayer {
  layer: 'role' | 'compartment' | 'label' | 'refusal' | 'permission';
  passes: boolean;
  words: string;
}

/** Why somebody would see a resource, or not. */
export interface ResourceExplanation {
  isVisible: boolean;
  hiddenBy: AccessLayer['layer'] | null;
  layers: AccessLayer[];
  notice: string;
}

/** What somebody would see of a record, by type, and why. */
export interface RecordExplanation {
  notice: string;
  types: { type: string; all: number; visible: number; reasons: { words: string; count: number }[] }[];
}

/** Who was found for an emergency access. */
export interface EmergencyLookup {
  isTooMany: boolean;
  persons: { id: string; name: { family?: string; given?: string[] }[]; birthDate?: string; gender?: string }[];
}

/** An element that may be hidden, and whether its year alone can be given out. */
export interface RedactableElement {
  path: string;
  isDate: boolean;
}

/** A resource as it would be given out, and which of its elements are left out or cut. */
export interface RedactedPreview {
  shown: object;
  changed: string[];
}
