/**
 * The access decision once more, for tests alone: written from docs/access.md and FHIR R4 Consent, without any of the
 * evaluator's code, by trying everything out. Slow and plain; whoever changes the page changes this and the evaluator,
 * each from the page.
 */
import { isInPatientCompartment } from '@causeway/fhir';
import { label } from './label-bits.ts';
import type { Policy, Subject } from './limits.ts';
import { calendar, holds, isPeriod, moments, type Period } from './oracle-dates.ts';
import type { Hidden, RowFacts } from './visible.ts';

interface Coding {
  system?: string;
  code?: string;
}
interface Concept {
  coding?: Coding[];
  text?: string;
}
interface Reference {
  reference?: string;
  identifier?: { system?: string; value?: string };
  display?: string;
}
export interface ConsentProvision {
  modifierExtension?: object[];
  type?: string;
  period?: Period;
  actor?: { role: Concept; reference: Reference }[];
  action?: Concept[];
  securityLabel?: Coding[];
  purpose?: Coding[];
  class?: Coding[];
  code?: Concept[];
  dataPeriod?: Period;
  data?: { meaning: string; reference: Reference }[];
  provision?: ConsentProvision[];
}
export interface ConsentJson {
  resourceType: 'Consent';
  status: string;
  scope: Concept;
  patient: Reference;
  dateTime?: string;
  policyRule?: Concept;
  verification?: { verified: boolean }[];
  provision?: ConsentProvision;
}

export interface OracleConsent {
  /** The one who gave it is the row's source patient, or linked to it by confirmation. */
  isConfirmed: boolean;
  consent: ConsentJson;
}

/** One case: who asks, by which policy, for which row, with which consents, when (milliseconds since 1970). */
export interface Question {
  subject: Subject;
  policy: Policy;
  row: RowFacts;
  given: readonly OracleConsent[];
  now: number;
}

const carers = ['clinician', 'system'];
const read: Record<string, string[]> = {
  administrator: ['HOPERAT'],
  clinician: ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT'],
  system: ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT'],
  patient: ['PATRQT'],
  proxy: ['FAMRQT'],
  steward: ['HOPERAT'],
  'public-health': ['PUBHLTH'],
  researcher: ['HRESCH'],
  'privacy-officer': ['HCOMPL'],
  auditor: ['HCOMPL'],
};

/** Which layer hides the row; undefined where none does. */
export function oracle(question: Question): Hidden | undefined {
  const { subject, policy, row } = question;
  const { role } = subject;
  const isHubs =
    !subject.isApp &&
    !subject.isEmergency &&
    (role === 'administrator' || (role === 'system' && !subject.organization));
  if (isHubs) return undefined;

  // 1 Role and purpose
  if (!read[role]?.includes(subject.purpose)) return 'role';
  if (subject.isEmergency && (role !== 'clinician' || subject.purpose !== 'ETREAT' || !subject.isConfined))
    return 'role';
  if (['patient', 'proxy'].includes(role) && !subject.isConfined) return 'role';
  if (role === 'public-health' || role === 'researcher') {
    if (!subject.agreedTypes?.includes(row.type)) return 'role';
  }
  if (role === 'privacy-officer') {
    if (!['Consent', 'Provenance', 'AuditEvent', 'Patient', 'RelatedPerson'].includes(row.type)) return 'role';
  }
  if (role === 'auditor' && row.type !== 'AuditEvent') return 'role';

  // Compartment
  if (row.patient === undefined) {
    return subject.isConfined && isInPatientCompartment(row.type) ? 'compartment' : undefined;
  }

  // Who it is
  const isEmergency = subject.isEmergency === true;
  const purpose = subject.purpose === 'ETREAT' && !isEmergency ? 'TREAT' : subject.purpose;
  const isOwn = carers.includes(role) && row.patient.source === subject.organization;
  const isOwnCare = isOwn && ['TREAT', 'ETREAT'].includes(purpose);
  const isOwnWork = isOwn && ['TREAT', 'ETREAT', 'HOPERAT'].includes(purpose);

  // 2 Labels
  const has = (name: keyof typeof label) => (row.labels & label[name]) !== 0;
  if (has('unlabelled') && role !== 'patient' && !isOwnCare && !isEmergency) return 'label';
  if (has('psychotherapyNotes') && !isOwnCare) return 'label';
  if (has('violence') && role === 'proxy') return 'label';
  if (has('restricted') && purpose === 'HRESCH') return 'label';
  if (has('veryRestricted') && ['HRESCH', 'PUBHLTH'].includes(purpose)) return 'label';
  const rules = policy.rules.filter((rule) => {
    if (!has(rule.label)) return false;
    if (rule.purposes ? !rule.purposes.includes(purpose) : purpose === 'PATRQT') return false;
    const state = policy.stateOf(subject.organization);
    if (rule.states && state !== undefined && !rule.states.includes(state)) return false;
    if (rule.proxyFromAge === undefined) return true;
    if (role !== 'proxy') return false;
    const from = rule.proxyFromAge;
    const ages = subject.ages === undefined || subject.ages.length === 0 ? [undefined] : subject.ages;
    return ages.some((age) => age === undefined || (age >= from && age < 18));
  });
  if (rules.some((rule) => rule.mode === 'withheld')) return 'label';

  // 3 Consent
  const verdicts = verdictsOf(question, purpose);
  if (role !== 'patient' && role !== 'public-health' && !isEmergency) {
    for (const { denials } of verdicts) {
      for (const denial of denials) {
        const isNaming = denial !== 'unreadable' && denial.some((provision) => provision.actor);
        if (isNaming || !isOwnWork) return 'refusal';
      }
    }
  }

  // Permission
  if (role === 'patient' || role === 'public-health' || isEmergency || isOwnWork) return undefined;
  const permissions = verdicts.flatMap(({ denials, permissions }) => (denials.length > 0 ? [] : permissions));
  const isAlways =
    purpose === 'HRESCH' || (policy.model === 'opt-in' && ['TREAT', 'HPAYMT', 'HOPERAT'].includes(purpose));
  if (isAlways && permissions.length === 0) return 'permission';
  for (const name of Object.keys(label) as (keyof typeof label)[]) {
    if (!has(name)) continue;
    const isNeeded =
      name === 'part2' ||
      name === 'veryRestricted' ||
      (purpose === 'HRESCH' && sensitive.includes(name)) ||
      rules.some((rule) => rule.label === name);
    const isGiven = permissions.some((path) => {
      const naming = path.filter((provision) => provision.securityLabel).at(-1);
      if (naming) return naming.securityLabel!.some((coding) => labelMeant(coding) === name);
      return path[0]!.purpose !== undefined;
    });
    if (isNeeded && !isGiven) return 'permission';
  }
  return undefined;
}

const sensitive = [
  'substanceUse',
  'mentalHealth',
  'hiv',
  'sexuallyTransmitted',
  'violence',
  'reproduction',
  'genetics',
];

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const meanings: Record<string, string> = {
  '42CFRPart2': 'part2',
  PSYTHPN: 'psychotherapyNotes',
  ...Object.fromEntries(['ETHUD', 'ETH', 'SUD'].map((code) => [code, 'substanceUse'])),
  ...Object.fromEntries(['PSY', 'MH', 'BH'].map((code) => [code, 'mentalHealth'])),
  HIV: 'hiv',
  STD: 'sexuallyTransmitted',
  ...Object.fromEntries(['SDV', 'DV', 'IPV', 'SEV'].map((code) => [code, 'violence'])),
  ...Object.fromEntries(['SEX', 'PREGNANT', 'REPRO'].map((code) => [code, 'reproduction'])),
  GDIS: 'genetics',
};

function labelMeant({ system, code }: Coding): string | undefined {
  if (system === confidentiality) return code === 'R' ? 'restricted' : code === 'V' ? 'veryRestricted' : undefined;
  return system === actCode ? meanings[code ?? ''] : undefined;
}

/** From the root to the provision that decides. */
type Path = ConsentProvision[];

interface Verdict {
  denials: (Path | 'unreadable')[];
  permissions: Path[];
}

/** What each consent that counts says of the row and the caller. */
function verdictsOf({ subject, policy, row, given, now }: Question, purpose: string): Verdict[] {
  const { zone } = policy;
  const active = given.filter(({ consent }) => consent.status === 'active');
  const readable = active.filter(({ consent }) => isUnderstood(consent, zone));
  const holding = readable.filter(({ consent }) => holds(consent.provision?.period, zone, now));
  const standing = holding.filter(
    (older) => !holding.some((newer) => isVerified(newer.consent) && newer.isConfirmed && replaces(newer, older, zone)),
  );
  const unreadable = active.filter((one) => !readable.includes(one));
  return [
    ...unreadable.map((): Verdict => ({ denials: ['unreadable'], permissions: [] })),
    ...standing.map(({ consent, isConfirmed }): Verdict => {
      const all = decidingOf(rootOf(consent), []);
      const deciding = subject.role === 'proxy' ? all.filter((path) => path.some(({ actor }) => actor)) : all;
      return {
        denials: deciding.filter((path) => path.at(-1)!.type === 'deny'),
        permissions:
          isConfirmed && isVerified(consent) ? deciding.filter((path) => path.at(-1)!.type === 'permit') : [],
      };
    }),
  ];

  function decidingOf(provision: ConsentProvision, above: Path): Path[] {
    if (!applies(provision)) return [];
    const path = [...above, provision];
    const below = (provision.provision ?? []).flatMap((child) => decidingOf(child, path));
    return below.length > 0 ? below : [path];
  }

  function applies(provision: ConsentProvision): boolean {
    const { period, actor, action, securityLabel, purpose: purposes, class: types, code, dataPeriod, data } = provision;
    if (!holds(period, zone, now)) return false;
    const isPlainRefusal = provision.type === 'deny' && !provision.provision;
    const means = (reference: Reference, name: string) =>
      nameOf(reference) === name || (isPlainRefusal && reference.reference?.endsWith(`/${name}`) === true);
    if (actor && !actor.some(({ reference }) => subject.names.some((name) => means(reference, name)))) return false;
    if (purposes && !purposes.some((coding) => coding.code === purpose)) return false;
    if (action && !action.some((one) => one.coding!.some((coding) => readings.includes(coding.code!)))) return false;
    if (securityLabel) {
      const names = securityLabel.map(labelMeant) as (keyof typeof label)[];
      if (!names.some((name) => (row.labels & label[name]) !== 0)) return false;
    }
    if (types && !types.some((coding) => coding.code === row.type)) return false;
    if (code) {
      const codes = code.flatMap((one) => one.coding!).map((coding) => `${coding.system ?? ''}|${coding.code}`);
      if (!codes.some((one) => row.codes.has(one))) return false;
    }
    if (data) {
      const author = `urn:causeway:participant|${row.patient!.source}`;
      const isMeant = data.some(({ meaning, reference }) =>
        meaning === 'instance' ? means(reference, row.reference) : nameOf(reference) === author,
      );
      if (!isMeant) return false;
    }
    if (dataPeriod) {
      const first = dataPeriod.start === undefined ? '0000' : calendar(dataPeriod.start.slice(0, 10))!.first;
      const last = dataPeriod.end === undefined ? '9999-99' : calendar(dataPeriod.end.slice(0, 10))!.last;
      const { days } = row;
      if (provision.type === 'permit') return days !== undefined && days.from >= first && days.to <= last;
      return days === undefined || (days.from <= last && days.to >= first);
    }
    return true;
  }
}

const readings = ['access', 'use', 'disclose'];

/** The root with its effect. */
function rootOf({ provision, policyRule }: ConsentJson): ConsentProvision {
  const codes = (policyRule?.coding ?? []).map(({ code }) => code);
  const byRule = codes.includes('OPTOUT') ? 'deny' : codes.includes('OPTIN') ? 'permit' : undefined;
  const type = provision?.type ?? byRule;
  return { ...provision, ...(type === undefined ? {} : { type }) };
}

function isVerified({ verification }: ConsentJson): boolean {
  return (verification ?? []).some(({ verified }) => verified);
}

/** Of the same scope and the same actors, and certainly newer. */
function replaces({ consent: newer }: OracleConsent, { consent: older }: OracleConsent, zone: string): boolean {
  if (newer.dateTime === undefined || older.dateTime === undefined) return false;
  const about = ({ scope, provision }: ConsentJson) =>
    JSON.stringify([
      [...new Set((scope.coding ?? []).map(({ system, code }) => `${system}|${code}`))].sort(),
      [...new Set((provision?.actor ?? []).map(({ reference }) => nameOf(reference)))].sort(),
    ]);
  return about(newer) === about(older) && moments(newer.dateTime, zone)!.from >= moments(older.dateTime, zone)!.to;
}

function nameOf({ reference, identifier }: Reference): string | undefined {
  if (identifier?.system !== undefined && identifier.value !== undefined)
    return `${identifier.system}|${identifier.value}`;
  return reference;
}

function isUnderstood(consent: ConsentJson, zone: string): boolean {
  if (consent.dateTime !== undefined && !moments(consent.dateTime, zone)) return false;
  return isClear(rootOf(consent));

  function isClear(provision: ConsentProvision): boolean {
    const { modifierExtension, type, actor, action, securityLabel, purpose, class: types, code, data } = provision;
    if (modifierExtension || (type !== 'permit' && type !== 'deny')) return false;
    if (!isPeriod(provision.period, zone) || !isPeriod(provision.dataPeriod, 'UTC')) return false;
    const lists = [actor, action, securityLabel, purpose, types, code, data, provision.provision];
    if (lists.some((list) => list?.length === 0)) return false;
    const actions = [...readings, 'collect', 'correct'];
    return (
      (actor ?? []).every(({ reference }) => nameOf(reference) !== undefined) &&
      (action ?? []).every((one) => one.coding?.every((coding) => actions.includes(coding.code ?? '')) === true) &&
      (securityLabel ?? []).every((coding) => labelMeant(coding) !== undefined) &&
      (purpose ?? []).every((coding) => coding.system === 'http://terminology.hl7.org/CodeSystem/v3-ActReason') &&
      (types ?? []).every((coding) => coding.system === 'http://hl7.org/fhir/resource-types') &&
      (code ?? []).every((one) => one.coding?.every((coding) => coding.code !== undefined) === true) &&
      (data ?? []).every(
        ({ meaning }) => ['instance', 'authoredby'].includes(meaning) && meaning === data![0]!.meaning,
      ) &&
      (provision.provision ?? []).every(isClear)
    );
  }
}
