/**
 * The scopes for resources of SMART App Launch 2.2 ("Scopes for requesting FHIR Resources"), in the form of version 2
 * (`patient/Observation.rs?category=laboratory`) and of version 1 (`patient/Observation.read`).
 *
 * Nothing is guessed: letters out of their order, types, parameters, modifiers and chains that this hub does not know
 * are refused, since whatever is passed over would widen what a client may do.
 */
import { isResourceType, searchParameters } from '@causeway/fhir';

export interface Scope {
  context: 'patient' | 'user' | 'system';
  /** A resource type, or `*` for every one. */
  type: string;
  create: boolean;
  read: boolean;
  update: boolean;
  delete: boolean;
  search: boolean;
  /** Search parameters all of which have to find the resource, decoded. */
  query: readonly (readonly [name: string, value: string])[];
}

const letters = ['create', 'read', 'update', 'delete', 'search'] as const;

/** What version 1 called reading and writing. */
const versionOne: { [suffix: string]: string } = { read: 'rs', write: 'cud', '*': 'cruds' };

const longest = 1_000;
const mostParameters = 8;
/** Kinds of parameters whose values mean one thing; those of `special` and `composite` are each read in their own way. */
const plainKinds = ['token', 'string', 'reference', 'uri', 'date', 'number', 'quantity'];

/** Reads one scope for resources, or says why it is none. */
export function readScope(text: string): Scope | { refused: string } {
  const shown = text.slice(0, 100);
  if (text.length > longest) return { refused: `${shown}… is longer than a scope may be (${longest} characters).` };
  const parts = /^(patient|user|system)\/([A-Za-z]+|\*)\.([a-z]+|\*)(?:\?(.*))?$/s.exec(text);
  if (!parts) return { refused: `${shown} is no scope for resources, such as patient/Observation.rs.` };
  const [, context, type, suffix, queryText] = parts as unknown as [string, Scope['context'], string, string, string?];
  if (type !== '*' && !isResourceType(type)) return { refused: `${shown} names no FHIR R4 resource type.` };
  const isVersionOne = Object.hasOwn(versionOne, suffix);
  const allowed = isVersionOne ? versionOne[suffix]! : suffix;
  if (!/^c?r?u?d?s?$/.test(allowed)) {
    return { refused: `${shown} does not end in some of the letters c, r, u, d, s in this order, each once.` };
  }
  if (queryText !== undefined && isVersionOne) {
    return { refused: `${shown} has parameters, which scopes that end in .${suffix} do not.` };
  }
  const query = queryText === undefined ? [] : readQuery(type, queryText);
  if (typeof query === 'string') return { refused: `${shown} ${query}` };
  return { context, type, ...permissions(allowed), query };
}

/** The scope as version 2 writes it; `readScope` reads the same from it. */
export function writeScope(scope: Scope): string {
  const suffix = letters.map((name) => (scope[name] ? name[0] : '')).join('');
  const query = scope.query.map(([name, value]) => `${name}=${encoded(value)}`).join('&');
  return `${scope.context}/${scope.type}.${suffix}${query === '' ? '' : `?${query}`}`;
}

/** Whether all that the narrow scope allows is allowed by the wide one. */
export function includesScope(wide: Scope, narrow: Scope): boolean {
  return (
    wide.context === narrow.context &&
    (wide.type === '*' || wide.type === narrow.type) &&
    letters.every((name) => wide[name] || !narrow[name]) &&
    wide.query.every(([name, value]) => narrow.query.some((other) => other[0] === name && other[1] === value))
  );
}

function permissions(allowed: string): Pick<Scope, (typeof letters)[number]> {
  const has = (letter: string) => allowed.includes(letter);
  return { create: has('c'), read: has('r'), update: has('u'), delete: has('d'), search: has('s') };
}

/** The parameters, or what is wrong with them as the rest of a sentence. */
function readQuery(type: string, text: string): [string, string][] | string {
  if (type === '*') return 'has parameters; a scope for all types takes none here.';
  const pairs = text.split('&');
  if (pairs.length > mostParameters) return `has more than ${mostParameters} parameters.`;
  const query: [string, string][] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const known = searchParameters(type).find(({ code }) => code === name);
    if (!known || known.refusal?.() !== undefined || !plainKinds.includes(known.type)) {
      return `has the parameter ${name.slice(0, 60)}; here it must be a plain search parameter of ${type}, without modifier or chain.`;
    }
    const value = decoded(pair.slice(equals + 1));
    if (equals < 0 || value === undefined || value.split(',').some((one) => one.trim() === '')) {
      return `has no value for ${name}, or one that is not encoded as in an address.`;
    }
    query.push([name, value]);
  }
  return query;
}

/** Percent-encoding undone; undefined where it is broken or hides a control character. */
function decoded(value: string): string | undefined {
  try {
    const text = decodeURIComponent(value);
    return /[\0-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** As it may stand in a list of scopes (RFC 6749 §3.3) and between `=` and `&`. */
function encoded(value: string): string {
  return value.replace(/[^!$'()*,\-./0-9:;@A-Z_a-z|~]/gu, (character) => encodeURIComponent(character));
}
