/**
 * A fact as any path tells it: the global numbers that name it, and its substance. A laboratory's result comes from the
 * laboratory and again as the hospital relays it; by its number and its substance it is known as one and the same.
 */
import { createHash } from 'node:crypto';
import type { DiagnosticReport, Identifier, Resource } from '@medplum/fhirtypes';
import type { Topic } from '../trust/index.ts';
import type { Content } from './content.ts';
import { resultsIn } from './focus.ts';

/** Of these nothing is ever the same as what another site states: each speaks of its own Patient, or for itself. */
const neverShared: ReadonlySet<Topic> = new Set(['person', 'linked', 'consent', 'referral-answer']);

/**
 * The numbers by which any site names it, as hashes: those of an assigning authority with a name of its own in the
 * world (an OID, a UUID, a URL), never those of a site's own namespace.
 */
export function numbersOf(topic: Topic, resource: Resource | undefined): string[] {
  if (resource === undefined || neverShared.has(topic)) return [];
  const { identifier = [], masterIdentifier = [] } = resource as {
    identifier?: Identifier | Identifier[];
    masterIdentifier?: Identifier;
  };
  const all = [identifier, masterIdentifier].flat();
  const own = resource.resourceType === 'DiagnosticReport' ? ofReport(all) : all;
  const hashes = own.flatMap(({ system = '', value = '' }) => {
    if (value.trim() === '' || !isGlobal(system, value)) return [];
    return digest([resource.resourceType, system, value]);
  });
  return [...new Set(hashes)];
}

/** Without those of its order and its group, which may have others that are alike; where there is its filler's, that alone. */
function ofReport(identifiers: Identifier[]): Identifier[] {
  const isOf = ({ type }: Identifier, codes: readonly string[]) =>
    type?.coding?.some(({ code = '' }) => codes.includes(code));
  const filler = identifiers.filter((one) => isOf(one, ['FILL']));
  return filler.length > 0 ? filler : identifiers.filter((one) => !isOf(one, ['PLAC', 'PGN', 'FGN']));
}

function isGlobal(system: string, value: string): boolean {
  if (system === 'urn:ietf:rfc:3986') return /^(urn:(oid|uuid):|https?:)./i.test(value);
  return /^(urn:oid:|urn:uuid:|https?:\/\/)./i.test(system);
}

/** What is told by a content, whoever states it, as a UUID: in equal ones nothing differs that a reader could go by. */
export function substanceOf({ focus, beside }: Pick<Content, 'focus' | 'beside'>): string {
  const results =
    focus.resourceType === 'DiagnosticReport' ? resultsIn(focus as DiagnosticReport, beside).map(sayer(beside)) : [];
  const told = [focus.resourceType, sayer(beside)(focus), sorted(results)];
  return digest(told);
}

/**
 * What belongs to the way on which it came: its names and numbers there, whose record it lies in, by whom and when it was
 * handed on, how it is sorted. Everything else is substance.
 */
const ofThePath: ReadonlySet<string> = new Set([
  ...['id', 'text', 'contained', 'implicitRules', 'language', 'identifier', 'masterIdentifier', 'category', 'issued'],
  ...['subject', 'patient', 'encounter', 'basedOn', 'result', 'hasMember', 'derivedFrom', 'partOf', 'device'],
  ...['performer', 'resultsInterpreter', 'author', 'authenticator', 'custodian', 'requester', 'recorder', 'asserter'],
  ...['sourcePatientInfo', 'related'],
]);

/** From what is told on, how many references are followed one after the other. */
const steps = 2;

/** What a resource says, in a form that is the same for all who say the same. */
function sayer(beside: readonly Resource[]): (resource: Resource) => unknown {
  const byReference = new Map(beside.map((one) => [`${one.resourceType}/${one.id}`, one]));
  const say = (value: unknown, name: string, step: number): unknown => {
    if (Array.isArray(value)) return sorted(value.map((item) => say(item, name, step)));
    if (typeof value === 'string') return instant(value);
    if (typeof value !== 'object' || value === null) return value;
    const { coding, reference, code, system, value: amount } = value as Record<string, unknown>;
    if (Array.isArray(coding)) return concept(value as Concept, name);
    if (typeof amount === 'number' && (code !== undefined || 'unit' in value)) return quantity(value as Amount, system);
    const named = typeof reference === 'string' ? byReference.get(reference) : undefined;
    if (named && step < steps) return say(named, name, step + 1);
    const isResource = 'resourceType' in value;
    const said = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      // What it is labelled with goes along.
      if (key === 'meta') return [[key, say((item as { security?: unknown }).security ?? [], key, step)]];
      return (isResource || name === 'context') && ofThePath.has(key) ? [] : [[key, say(item, key, step)]];
    });
    return said.sort(([a], [b]) => (a < b ? -1 : 1));
  };
  return (resource) => say(resource, '', 0);
}

interface Concept {
  coding: { system?: string; code?: string }[];
  text?: string;
}

/** Codes of systems that all share; a site's own beside them change nothing, nor do the words for what was measured. */
function concept({ coding, text }: Concept, name: string): unknown {
  const shared = coding.filter(({ system = '', code }) => code !== undefined && isGlobal(system, ''));
  const codes = sorted((shared.length > 0 ? shared : coding).map(({ system, code }) => [system, code]));
  return shared.length > 0 && name === 'code' ? codes : [codes, text];
}

interface Amount {
  value: number;
  comparator?: string;
  unit?: string;
  code?: string;
}

function quantity({ value, comparator, unit, code }: Amount, system: unknown): unknown {
  return [value, comparator, code === undefined ? unit : [system, code]];
}

/** A moment, whatever zone it is told in. */
function instant(text: string): string {
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isMoment ? new Date(text) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : text;
}

/** Without the order, which differs from path to path. */
function sorted(items: readonly unknown[]): unknown[] {
  return items.map((item) => JSON.stringify(item)).sort();
}

/** Half of a SHA-256, written as a UUID. */
function digest(value: unknown): string {
  const hex = createHash('sha256').update(JSON.stringify(value)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
