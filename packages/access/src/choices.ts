/** A person's choice in plain terms, as the FHIR R4 Consent that says it, and back. */

import { type LabelName, label } from './label-bits.ts';
import { codingsOf, labelOfCode } from './labels.ts';
import { participantSystem } from './visible.ts';

/** Who may see, or may not see, what. What is left out is not limited. */
export interface Choice {
  effect: 'permit' | 'deny';
  /** Keys of participants. */
  organizations?: readonly string[];
  /** Codes of v3-ActReason. */
  purposes?: readonly string[];
  kinds?: readonly LabelName[];
  /** Of which days the data are, `YYYY-MM-DD`. */
  days?: { from?: string; to?: string };
  /** From when and until when the choice holds, FHIR dates. */
  holds?: { from?: string; to?: string };
  /** What is otherwise. */
  exceptions?: readonly Choice[];
}

export interface ConsentStatement {
  /** `Patient/…` */
  patient: string;
  choice: Choice;
  /** When it was said, ISO 8601. */
  at: string;
  /** Who made sure that it is the person's, as a reference; undefined where nobody did. */
  verifiedWith: string | undefined;
  /** What shows that the person said so: in words, for staff who file it. */
  evidence?: string;
}

const scope = 'http://terminology.hl7.org/CodeSystem/consentscope';
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const participationType = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

/** The Consent that says a choice, without an id. */
export function consentOf({ patient, choice, at, verifiedWith, evidence }: ConsentStatement): Record<string, unknown> {
  const category = { system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' };
  const rule = choice.effect === 'permit' ? 'OPTIN' : 'OPTOUT';
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: scope, code: 'patient-privacy' }] },
    category: [{ coding: [category] }],
    patient: { reference: patient },
    dateTime: at,
    policyRule: { coding: [{ system: actCode, code: rule }], ...(evidence ? { text: evidence } : {}) },
    ...(verifiedWith === undefined
      ? {}
      : { verification: [{ verified: true, verifiedWith: { reference: verifiedWith }, verificationDate: at }] }),
    provision: provisionOf(choice),
  };
}

function provisionOf(choice: Choice): Record<string, unknown> {
  const { effect, organizations, purposes, kinds, days, holds, exceptions } = choice;
  return {
    type: effect,
    ...(holds ? { period: period(holds) } : {}),
    ...(organizations
      ? {
          actor: organizations.map((value) => ({
            role: { coding: [{ system: participationType, code: 'IRCP' }] },
            reference: { identifier: { system: participantSystem, value } },
          })),
        }
      : {}),
    ...(kinds ? { securityLabel: kinds.flatMap((kind) => codingsOf(label[kind])) } : {}),
    ...(purposes ? { purpose: purposes.map((code) => ({ system: actReason, code })) } : {}),
    ...(days ? { dataPeriod: period(days) } : {}),
    ...(exceptions && exceptions.length > 0 ? { provision: exceptions.map(provisionOf) } : {}),
  };
}

function period({ from, to }: { from?: string; to?: string }): { start?: string; end?: string } {
  return { ...(from === undefined ? {} : { start: from }), ...(to === undefined ? {} : { end: to }) };
}

/** The choice that a Consent says; undefined where it says more than a choice can. */
export function choiceOf(consent: Record<string, unknown>): Choice | undefined {
  const { provision } = consent;
  return isObject(provision) ? choiceIn(provision) : undefined;
}

const told = ['id', 'type', 'period', 'actor', 'securityLabel', 'purpose', 'dataPeriod', 'provision'];

function choiceIn(provision: Record<string, unknown>): Choice | undefined {
  const { type } = provision;
  if ((type !== 'permit' && type !== 'deny') || Object.keys(provision).some((name) => !told.includes(name)))
    return undefined;
  const organizations = list(provision.actor)?.map((actor) => {
    const { system, value } = object(object(actor.reference).identifier);
    return system === participantSystem && typeof value === 'string' ? value : undefined;
  });
  const kinds = list(provision.securityLabel)?.map(({ system, code }) => {
    const bit = labelOfCode(String(system), String(code));
    return (Object.keys(label) as LabelName[]).find((name) => label[name] === bit);
  });
  const purposes = list(provision.purpose)?.map(({ code }) => (typeof code === 'string' ? code : undefined));
  const exceptions = list(provision.provision)?.map(choiceIn);
  const parts = { organizations, kinds, purposes, exceptions };
  if (Object.values(parts).some((values) => values?.some((value) => value === undefined))) return undefined;
  return {
    effect: type,
    ...(provision.period ? { holds: days(provision.period) } : {}),
    ...(provision.dataPeriod ? { days: days(provision.dataPeriod) } : {}),
    ...Object.fromEntries(Object.entries(parts).filter(([, values]) => values !== undefined)),
  };
}

function days(value: unknown): { from?: string; to?: string } {
  const { start, end } = object(value);
  return {
    ...(typeof start === 'string' ? { from: start } : {}),
    ...(typeof end === 'string' ? { to: end } : {}),
  };
}

/** What is wrong with a choice that somebody sent; nothing where it is one. */
export function choiceFaults(value: unknown, depth = 0): string[] {
  if (!isObject(value)) return ['A choice must be an object.'];
  const { effect, organizations, purposes, kinds, days: ofDays, holds, exceptions, ...unknown } = value;
  const faults = Object.keys(unknown).map((name) => `${name} is not known.`);
  if (effect !== 'permit' && effect !== 'deny') faults.push('effect must be permit or deny.');
  for (const [name, texts] of Object.entries({ organizations, purposes })) {
    if (texts !== undefined && !isTexts(texts)) faults.push(`${name} must be a list of texts.`);
  }
  const isKind = (one: unknown) => typeof one === 'string' && one !== 'unlabelled' && Object.hasOwn(label, one);
  if (kinds !== undefined && !(Array.isArray(kinds) && kinds.length > 0 && kinds.every(isKind))) {
    faults.push('kinds must be a list of kinds of data.');
  }
  for (const [name, range] of Object.entries({ days: ofDays, holds })) {
    if (range !== undefined && !isRange(range))
      faults.push(`${name} must have from, to or both, as YYYY-MM-DD, in their order.`);
  }
  if (exceptions !== undefined) {
    if (!Array.isArray(exceptions) || exceptions.length > 50 || depth >= 3)
      faults.push('There are too many exceptions.');
    else faults.push(...exceptions.flatMap((one) => choiceFaults(one, depth + 1)));
  }
  return faults;
}

function isRange(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { from, to, ...more } = value;
  const isDay = (one: unknown) => one === undefined || (typeof one === 'string' && /^\d{4}-\d\d-\d\d$/.test(one));
  if (Object.keys(more).length > 0 || (from ?? to) === undefined || !isDay(from) || !isDay(to)) return false;
  return from === undefined || to === undefined || String(from) <= String(to);
}

function isTexts(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 100 &&
    value.every((one) => typeof one === 'string' && one !== '')
  );
}

function list(value: unknown): Record<string, unknown>[] | undefined {
  return Array.isArray(value) ? value.map(object) : undefined;
}

function object(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
