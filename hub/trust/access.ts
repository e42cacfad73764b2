/**
 * Who is asking, for whom and why. Every read of the record takes an Access; the condition it stands for is part of the
 * SQL of that read.
 */

import { isDefinition } from '@causeway/fhir';
import type { Scope } from './scopes.ts';

export const roles = ['clinician', 'steward', 'integration-engineer', 'administrator', 'system'] as const;
export type Role = (typeof roles)[number];

export interface Access {
  /** Account or client. */
  who: string;
  /** Shown to people. */
  name: string;
  role: Role;
  organization: string;
  /** A code of http://terminology.hl7.org/CodeSystem/v3-ActReason: TREAT, HOPERAT, … */
  purpose: string;
  /** The homes whose resources may be read, or `all`. */
  homes: 'all' | number[];
  /** The registered client that asks, where it is one. */
  client?: string;
  /** What the client was granted; what it does not plainly cover is denied. */
  grant?: Grant;
}

/** What an access token carries (SMART App Launch 2.2, "Scopes and Launch Context"). */
export interface Grant {
  scopes: readonly Scope[];
  /** Ids of the Patient and the Encounter in context. */
  patient?: string;
  encounter?: string;
  /** `Practitioner/…` and the like: the user as a resource. */
  fhirUser?: string;
  purposes?: readonly string[];
  organization?: string;
}

/** What each role is for, as a purpose of use when the request names none. */
const purposes: Record<Role, string> = {
  clinician: 'TREAT',
  steward: 'HOPERAT',
  'integration-engineer': 'HOPERAT',
  administrator: 'HOPERAT',
  system: 'HOPERAT',
};

const clinicalReaders: readonly Role[] = ['clinician', 'steward', 'administrator', 'system'];

/** Roles that may change resources directly. */
const writers: readonly Role[] = ['clinician', 'administrator', 'system'];

/** Why an access may not change resources of a type, or any; undefined where it may. */
export function refusedChange({ role }: Pick<Access, 'role'>, type?: string): string | undefined {
  if (!writers.includes(role)) return `The role ${role} may not change resources.`;
  if (type === undefined || !isDefinition(type) || role === 'administrator') return undefined;
  return `The role ${role} may not change a ${type}, by which the whole hub goes; an administrator may.`;
}

/** The access of a signed-in account or a token. A role that has no business in records may read none. */
export function accessOf(user: { username: string; name: string; role: Role; organization: string }): Access {
  return {
    who: user.username,
    name: user.name,
    role: user.role,
    organization: user.organization,
    purpose: purposes[user.role],
    homes: clinicalReaders.includes(user.role) ? 'all' : [],
  };
}

/**
 * The access condition on a row with a `home` column, as SQL. Resources of no patient (practitioners, places) are for
 * everyone who may read at all.
 * @param column the column's name with its alias
 * @param parameter adds a value to the statement and returns its placeholder
 */
export function accessCondition(access: Access, column: string, parameter: (value: unknown) => string): string {
  if (access.homes === 'all') return 'true';
  if (access.homes.length === 0) return 'false';
  return `(${column} < 0 OR ${column} = ANY(${parameter(access.homes)}::bigint[]))`;
}

/** Whose rows an access may touch, as row security is told (0: homes of no patient); the second lock beside `accessCondition`. */
export function scopeOf(access: Access): string {
  if (access.homes === 'all') return 'all';
  return access.homes.length === 0 ? '' : [0, ...access.homes].join(',');
}
