/**
 * Who is asking, for whom and why. Every read of the record takes an Access; the decision it stands for (docs/access.md) is
 * part of the SQL of that read.
 */

import {
  type Role as AccessRole,
  type FoundBy,
  firstPolicy,
  type Limits,
  limitsOf,
  type Policy,
  purposesOf,
} from '@causeway/access';
import { isDefinition } from '@causeway/fhir';
import type { DecidedBy } from '../audit/index.ts';
import { type DecidedRow, visibleRow } from './decision.ts';
import { isRelated, type Relation } from './relation.ts';
import type { Scope } from './scopes.ts';
import type { AgreedPurpose } from './standing.ts';

export const roles = [
  'clinician',
  'patient',
  'proxy',
  'steward',
  'integration-engineer',
  'privacy-officer',
  'auditor',
  'public-health',
  'researcher',
  'administrator',
  'system',
] as const satisfies readonly AccessRole[];
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
  /** What of them may be read. */
  limits: Limits;
  /** Whose relationship to the persons counts, where the network looks at that for what it reads. */
  relation?: Relation;
  /** Keys of organisations whose records it is not given: of another hub those of all hubs. */
  notOf?: readonly string[];
  /** The registered client that asks, where it is one. */
  client?: string;
  /** What its token came of, where it came by one of an app. */
  cameOf?: TokenOrigin;
  /** The network address from which it asks. */
  address?: string | undefined;
  /** By a token that an operator of the hub made, for no account. */
  isScript?: true;
  /** The emergency access under which it reads. */
  emergency?: string;
  /** Why it may read nothing at all, whatever it asks for: its organisation has no agreement for it. */
  refused?: string;
  /** What the client was granted; what it does not plainly cover is denied. */
  grant?: Grant;
  /** The versions of what it was decided by; missing of what the hub does for itself. */
  decidedBy?: DecidedBy;
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

/** What an app's token came of, by which it can be told later whether it was taken back before its time. */
export interface TokenOrigin {
  /** The SHA-256 under which the token is stored, hexadecimal. */
  token: string;
  /** When it expires by itself (ISO 8601). */
  tokenUntil: string;
  /** What a user allowed, and when that ends by itself. */
  grant?: string;
  grantUntil?: string;
}

/** Who an access is for. */
export interface AccessUser {
  username: string;
  name: string;
  role: Role;
  organization: string;
  /** The participant whose clients and staff they are; undefined for those of the hub itself. */
  participant?: string;
  /** Names by which consents may mean them, beside those made of account, role and participant. */
  names?: readonly string[];
  /** What it is for, where that is said. */
  purpose?: string;
  /** The homes to which the access is confined. */
  homes?: number[];
  /** The types that its organisation's agreement names. */
  agreedTypes?: readonly string[];
  /** Of a proxy: the ages of those represented. */
  ages?: readonly (number | undefined)[];
  /** An emergency access is under way. */
  isEmergency?: boolean;
  /** An app asks on their behalf. */
  isApp?: boolean;
}

/** Until a network has said anything. */
export const defaultPolicy: Policy = { ...firstPolicy, stateOf: () => undefined };

/** Roles that are confined to the persons they are bound to: without any they see none. */
const confinedRoles: readonly Role[] = ['patient', 'proxy'];

/** Roles that may change resources directly. */
const writers: readonly Role[] = ['clinician', 'administrator', 'system'];

/** Why an access may not change resources of a type, or any; undefined where it may. */
export function refusedChange({ role }: Pick<Access, 'role'>, type?: string): string | undefined {
  if (!writers.includes(role)) return `The role ${role} may not change resources.`;
  if (type === undefined || !isDefinition(type) || role === 'administrator') return undefined;
  return `The role ${role} may not change a ${type}, by which the whole hub goes; an administrator may.`;
}

/** The access of a signed-in account or a token. A role that has no business in records may read none. */
export function accessOf(user: AccessUser, policy: Policy = defaultPolicy): Access {
  const { role, participant } = user;
  const purpose = user.purpose ?? (role === 'system' && participant !== undefined ? 'TREAT' : purposesOf[role][0]!);
  const homes = user.homes ?? (confinedRoles.includes(role) ? [] : 'all');
  const limits = limitsOf(
    {
      role,
      purpose,
      organization: participant,
      names: [
        `account:${user.username}`,
        `role:${role}`,
        ...(participant === undefined ? [] : [`urn:causeway:participant|${participant}`]),
        ...(user.names ?? []),
      ],
      isConfined: homes !== 'all',
      ...(user.agreedTypes ? { agreedTypes: user.agreedTypes } : {}),
      ...(user.ages ? { ages: user.ages } : {}),
      ...(user.isEmergency ? { isEmergency: true } : {}),
      ...(user.isApp ? { isApp: true } : {}),
    },
    policy,
  );
  const isOfAny = limits.types === 'all' || limits.types.length > 0;
  return {
    who: user.username,
    name: user.name,
    role,
    organization: user.organization,
    purpose,
    homes: isOfAny ? homes : [],
    limits,
  };
}

/** The same access, to some types only, and of others to what is found by some tokens. */
export function ofTypes<A extends Access>(access: A, types: readonly string[], found: readonly FoundBy[] = []): A {
  const { limits } = access;
  const may = (type: string) => limits.types === 'all' || limits.types.includes(type);
  return {
    ...access,
    limits: { ...limits, types: types.filter(may), found: found.filter(({ type }) => may(type)) },
  };
}

/** The same access, confined to homes. */
export function confinedTo<A extends Access>(access: A, homes: number[]): A {
  return { ...access, homes, limits: { ...access.limits, isConfined: true } };
}

/**
 * The access of an organisation's system, that asks over HL7 v2 or is sent to, for a purpose that is agreed on.
 * @param agreedTypes those that the agreement names, for a purpose for which it has to
 */
export function participantAccess(
  { key, name }: { key: string; name: string },
  policy: Policy,
  purpose: AgreedPurpose,
  agreedTypes: readonly string[] | undefined,
): Access {
  const role = purpose === 'PUBHLTH' ? 'public-health' : purpose === 'HRESCH' ? 'researcher' : 'system';
  const user: AccessUser = { username: `site:${key}`, name, role, organization: key, participant: key, purpose };
  return accessOf({ ...user, ...(agreedTypes ? { agreedTypes } : {}) }, policy);
}

/**
 * The access decision on a row of `resource`, or of `resource_history`, as SQL.
 * @param alias the table's alias
 * @param parameter adds a value to the statement and returns its placeholder
 * @param known what is known of the rows beforehand
 */
export function accessCondition(
  access: Access,
  alias: string,
  parameter: (value: unknown) => string,
  table: 'resource' | 'resource_history' = 'resource',
  known: Pick<DecidedRow, 'type' | 'isOfFew'> = {},
): string {
  if (access.homes !== 'all' && access.homes.length === 0) return 'false';
  const row = { ...known, alias, hasTokens: table === 'resource' };
  const { isCustodian } = access.limits;
  const homes =
    access.homes === 'all'
      ? 'true'
      : isCustodian
        ? homeCondition(access, `${alias}.home`, parameter)
        : `${alias}.home = ANY(${parameter(access.homes)}::bigint[])`;
  const decided = visibleRow(access.limits, row, homes, parameter);
  const visible = access.notOf ? `(${decided} AND ${isOfNone(access.notOf, alias, parameter)})` : decided;
  if (access.relation?.mode !== 'require') return visible;
  return `(${visible} AND (${alias}.home < 0 OR ${isRelated(access.relation, alias, parameter)}))`;
}

/** That a row is of no record that one of these organisations told the hub. */
function isOfNone(keys: readonly string[], alias: string, parameter: (value: unknown) => string): string {
  return `NOT EXISTS (SELECT 1 FROM link told WHERE told.home = ${alias}.home
    AND told.source = ANY(${parameter([...keys])}::text[]) OFFSET 0)`;
}

/**
 * The condition on a home alone: which compartments an access may look into at all. What it may see there is decided row
 * by row.
 */
export function homeCondition(access: Access, column: string, parameter: (value: unknown) => string): string {
  if (access.homes === 'all') return 'true';
  if (access.homes.length === 0) return 'false';
  return `(${column} < 0 OR ${column} = ANY(${parameter(access.homes)}::bigint[]))`;
}

/**
 * Whose rows an access may touch, as row security is told: `all`, or homes (0: those of no patient), and, after a stroke,
 * the labels that hide a row. The second lock beside `accessCondition`.
 */
export function scopeOf({ homes, limits }: Access): string {
  const withheld = limits.isCustodian ? 0 : limits.withheld & ~limits.ownOpens;
  const of = homes === 'all' ? 'all' : homes.length === 0 ? '' : [0, ...homes].join(',');
  return withheld === 0 ? of : `${of}/${withheld}`;
}
