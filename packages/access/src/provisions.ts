/**
 * A Consent (FHIR R4) as provisions that can be held against a row and a caller, one by one (docs/access.md, 3 Consent).
 * What cannot be understood whole is said to be unreadable, and why.
 */
import { isResourceType } from '@causeway/fhir';
import { labelOfCode } from './labels.ts';
import { type Interval, interval } from './time.ts';

/** `none`: it would permit, but nobody verified it. It still is an exception to what it is nested in. */
export type Effect = 'permit' | 'deny' | 'none';

/** A provision's own criteria; those of its parents are asked of these. What is left out holds always. */
export interface Provision {
  /** Its number in the Consent, the root's is 0; parents come before children. */
  node: number;
  /** The numbers of its ancestors, and its own. */
  path: readonly number[];
  effect: Effect;
  /** What it was declared to be. */
  permits: boolean;
  /** When it holds. */
  valid: Interval;
  /** Whom it is about, as `callerNames` writes them. */
  actors?: readonly string[];
  purposes?: readonly string[];
  /** Any of these labels. */
  labels?: number;
  types?: readonly string[];
  /** `system|code`, any of these. */
  codes?: readonly string[];
  /** Days of the data, `YYYY-MM-DD`, both included. */
  days?: { from?: string; to?: string };
  /** `Type/id` */
  instances?: readonly string[];
  /** The organisations whose records it is about, as `callerNames` writes them. */
  authors?: readonly string[];
  /** It is about no reading: it never applies. */
  never?: true;
}

export interface ReadableConsent {
  /** `Patient/…` */
  patient: string;
  /** Scope and actors of the root: what a newer one replaces. */
  group: string;
  /** When it was given: a date may mean any moment of it, none any at all. */
  given: Interval;
  isVerified: boolean;
  provisions: readonly Provision[];
}

export type ReadConsent = ReadableConsent | { unreadable: string[]; patient: string | undefined };

const most = { provisions: 200, depth: 10, values: 500 };
const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const consentAction = 'http://terminology.hl7.org/CodeSystem/consentaction';
const resourceTypes = 'http://hl7.org/fhir/resource-types';
const actions = ['collect', 'access', 'use', 'disclose', 'correct'];
const lists = ['actor', 'action', 'securityLabel', 'purpose', 'class', 'code', 'data', 'provision'];
const readingActions = ['access', 'use', 'disclose'];

/**
 * @param consent a Consent that is `active`
 * @param zone the network's time zone, an IANA name
 */
export function readConsent(consent: Record<string, unknown>, zone: string): ReadConsent {
  const faults: string[] = [];
  const patient = text(object(consent.patient).reference);
  if (patient === undefined || !/^Patient\/[A-Za-z0-9\-.]{1,64}$/.test(patient)) {
    faults.push('Consent.patient must refer to a Patient.');
  }
  if (consent.modifierExtension !== undefined) faults.push('Consent has a modifierExtension that is not known.');
  const isVerified = objects(consent.verification).some((one) => one.verified === true);
  const provisions: Provision[] = [];
  const root = object(consent.provision);
  const effect = rootEffect(consent, root);
  if (effect === undefined) {
    faults.push('Consent says neither permit nor deny: give provision.type, or policyRule OPTIN or OPTOUT.');
  } else {
    read({ faults, zone, isVerified, provisions }, { ...root, type: effect }, [], 'Consent.provision');
  }
  const given = interval(text(consent.dateTime), text(consent.dateTime), zone);
  if (given === undefined) faults.push('Consent.dateTime is not a date.');
  if (faults.length > 0) return { unreadable: faults, patient };
  const scope = objects(object(consent.scope).coding).map((one) => `${text(one.system)}|${text(one.code)}`);
  const actors = objects(root.actor).flatMap((actor) => referenceNames(object(actor.reference)));
  return {
    patient: patient!,
    group: JSON.stringify([scope.sort(), [...new Set(actors)].sort()]),
    given: given!,
    isVerified,
    provisions,
  };
}

/** The names that a reference gives to an organisation, a person or a resource, as it stands. */
export function referenceNames(reference: Record<string, unknown>): string[] {
  const { system, value } = object(reference.identifier);
  const literal = text(reference.reference);
  return [
    ...(literal === undefined ? [] : [literal]),
    ...(text(system) === undefined || text(value) === undefined ? [] : [`${text(system)}|${text(value)}`]),
  ];
}

const ofServer = /^.*\/(?=[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$)/;

const typeNamed = /^(?:.*\/)?([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}$/;

/** Those names, and of an address of a server also its type and id, as if that server were this one. */
function possibleNames(reference: Record<string, unknown>): string[] {
  return [...new Set(referenceNames(reference).flatMap((name) => [name, name.replace(ofServer, '')]))];
}

type Named = typeof referenceNames;

interface Reading {
  faults: string[];
  zone: string;
  isVerified: boolean;
  provisions: Provision[];
}

function read(reading: Reading, provision: Record<string, unknown>, above: readonly number[], at: string): void {
  const { faults, provisions, zone } = reading;
  if (provisions.length >= most.provisions || above.length >= most.depth) {
    faults.push(`${at}: a Consent may have ${most.provisions} provisions, ${most.depth} deep.`);
    return;
  }
  const { type } = provision;
  if (type !== 'permit' && type !== 'deny') faults.push(`${at}.type must be permit or deny.`);
  if (provision.modifierExtension !== undefined) faults.push(`${at} has a modifierExtension that is not known.`);
  for (const name of lists) {
    const list = provision[name];
    if (list !== undefined && objects(list).length === 0) faults.push(`${at}.${name} must be a list of something.`);
  }
  const permits = type === 'permit';
  const period = object(provision.period);
  const valid = interval(text(period.start), text(period.end), zone);
  if (!valid) faults.push(`${at}.period has a date that is none.`);
  else if (valid.from >= valid.to) faults.push(`${at}.period ends before it begins.`);
  const node = provisions.length;
  const path = [...above, node];
  // What a refusal may mean widens nothing, as long as no exception hangs on it.
  const named = permits || provision.provision !== undefined ? referenceNames : possibleNames;
  const made: Provision = {
    node,
    path,
    effect: permits ? (reading.isVerified ? 'permit' : 'none') : 'deny',
    permits,
    valid: valid ?? { from: 0, to: 0 },
    ...actorsOf(provision, faults, at, named),
    ...actionsOf(provision, faults, at),
    ...purposesOf(provision, faults, at),
    ...labelsOf(provision, faults, at),
    ...typesOf(provision, faults, at),
    ...codesOf(provision, faults, at),
    ...daysOf(provision, faults, at),
    ...dataOf(provision, faults, at, named),
  };
  provisions.push(made);
  for (const [i, nested] of objects(provision.provision).entries()) {
    read(reading, nested, path, `${at}.provision[${i}]`);
  }
}

function rootEffect(consent: Record<string, unknown>, root: Record<string, unknown>): string | undefined {
  if (root.type !== undefined) return text(root.type);
  const codes = objects(object(consent.policyRule).coding).map(({ code }) => code);
  if (codes.includes('OPTOUT')) return 'deny';
  return codes.includes('OPTIN') ? 'permit' : undefined;
}

function actorsOf(
  provision: Record<string, unknown>,
  faults: string[],
  at: string,
  named: Named,
): { actors?: string[] } {
  if (provision.actor === undefined) return {};
  const actors = objects(provision.actor).map((actor) => named(object(actor.reference)));
  if (actors.some((names) => names.length === 0)) faults.push(`${at}.actor must have a reference or its identifier.`);
  return { actors: limited(actors.flat(), faults, `${at}.actor`) };
}

function actionsOf(provision: Record<string, unknown>, faults: string[], at: string): { never?: true } {
  if (provision.action === undefined) return {};
  const found = codings(provision.action);
  if (
    !areCoded(provision.action) ||
    found.some(({ system, code }) => (system ?? consentAction) !== consentAction || !actions.includes(code ?? ''))
  ) {
    faults.push(`${at}.action has a code that is not of ${consentAction}.`);
  }
  return found.some(({ code }) => readingActions.includes(code ?? '')) ? {} : { never: true };
}

function purposesOf(provision: Record<string, unknown>, faults: string[], at: string): { purposes?: string[] } {
  if (provision.purpose === undefined) return {};
  const found = objects(provision.purpose);
  if (found.some(({ system, code }) => (text(system) ?? actReason) !== actReason || text(code) === undefined)) {
    faults.push(`${at}.purpose has a code that is not of ${actReason}.`);
  }
  return {
    purposes: limited(
      found.map(({ code }) => text(code) ?? ''),
      faults,
      `${at}.purpose`,
    ),
  };
}

function labelsOf(provision: Record<string, unknown>, faults: string[], at: string): { labels?: number } {
  if (provision.securityLabel === undefined) return {};
  let labels = 0;
  for (const { system, code } of objects(provision.securityLabel)) {
    const one = labelOfCode(text(system), text(code));
    if (one === undefined || one === 0)
      faults.push(`${at}.securityLabel ${text(code)} is a label that nothing here has.`);
    labels |= one ?? 0;
  }
  return { labels };
}

function typesOf(provision: Record<string, unknown>, faults: string[], at: string): { types?: string[] } {
  if (provision.class === undefined) return {};
  const found = objects(provision.class);
  if (found.some(({ system, code }) => system !== resourceTypes || !isResourceType(text(code) ?? ''))) {
    faults.push(`${at}.class has a code that is not of ${resourceTypes}.`);
  }
  return { types: found.map(({ code }) => text(code) ?? '') };
}

function codesOf(provision: Record<string, unknown>, faults: string[], at: string): { codes?: string[] } {
  if (provision.code === undefined) return {};
  const found = codings(provision.code);
  if (!areCoded(provision.code) || found.some(({ system, code }) => system === undefined || code === undefined)) {
    faults.push(`${at}.code must have system and code.`);
  }
  return {
    codes: limited(
      found.map(({ system, code }) => `${system}|${code}`),
      faults,
      `${at}.code`,
    ),
  };
}

function daysOf(provision: Record<string, unknown>, faults: string[], at: string): { days?: Provision['days'] & {} } {
  if (provision.dataPeriod === undefined) return {};
  const { start, end } = object(provision.dataPeriod);
  const [from, to] = [dayOf(text(start), 'first'), dayOf(text(end), 'last')];
  if ((start !== undefined && from === undefined) || (end !== undefined && to === undefined)) {
    faults.push(`${at}.dataPeriod has a date that is none.`);
  } else if (from !== undefined && to !== undefined && from > to)
    faults.push(`${at}.dataPeriod ends before it begins.`);
  return { days: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) } };
}

function dataOf(
  provision: Record<string, unknown>,
  faults: string[],
  at: string,
  named: Named,
): { instances?: string[]; authors?: string[] } {
  if (provision.data === undefined) return {};
  const found = objects(provision.data);
  const meaning = text(found[0]?.meaning);
  if ((meaning !== 'instance' && meaning !== 'authoredby') || found.some((one) => one.meaning !== meaning)) {
    faults.push(`${at}.data must have one meaning, instance or authoredby.`);
    return {};
  }
  const names = found.map((one) => named(object(one.reference)));
  if (names.some((one) => one.length === 0)) faults.push(`${at}.data must refer to something.`);
  const values = limited(names.flat(), faults, `${at}.data`);
  if (meaning === 'instance') return { instances: values };
  if (values.some((one) => !['Organization', undefined].includes(typeNamed.exec(one)?.[1]))) {
    faults.push(`${at}.data can be authoredby organisations only.`);
  }
  return { authors: values };
}

/** The first or last day that a date, perhaps of a month or year, stands for. */
export function dayOf(date: string | undefined, which: 'first' | 'last'): string | undefined {
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T|$)/.exec(date ?? '');
  if (!parts) return undefined;
  const [, year, month = which === 'first' ? '01' : '12', day] = parts;
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const found = Number(day ?? (which === 'first' ? 1 : last));
  // Years are four digits, so that days compare as texts; there is no year 0.
  if (year === '0000' || month < '01' || month > '12' || found < 1 || found > last) return undefined;
  return `${year}-${month}-${String(found).padStart(2, '0')}`;
}

function codings(concepts: unknown): { system: string | undefined; code: string | undefined }[] {
  return objects(concepts).flatMap((concept) =>
    objects(concept.coding).map(({ system, code }) => ({ system: text(system), code: text(code) })),
  );
}

/** Whether each of some concepts has a coding: what is said in words alone is not understood. */
function areCoded(concepts: unknown): boolean {
  return objects(concepts).every(({ coding }) => objects(coding).length > 0);
}

function limited(values: string[], faults: string[], at: string): string[] {
  if (values.length > most.values) faults.push(`${at} has more than ${most.values} values.`);
  return values.slice(0, most.values);
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
