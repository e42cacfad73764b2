/**
 * Whom an external provider stands for: an account whose user connected it, or one that is made, and kept in step, by the
 * provider's claims where the operator said which claims make which role. Nobody else is let in.
 */
import { readFileSync } from 'node:fs';
import type { Queryable } from '../database/index.ts';
import { type Role, roles } from './access.ts';
import type { Accounts, User } from './accounts.ts';
import type { Users } from './users.ts';

/** By which claim something is told: the first of `values`, in their order, that the claim is or holds. */
interface ByClaim {
  claim: string;
  values: { [value: string]: string };
  /** Where none is. */
  otherwise?: string;
}

/** The operator's file. */
export interface ExternalMapping {
  /** What is asked of the provider; default `openid profile`. */
  scope?: string;
  /** The claim that becomes the user name; default `preferred_username`. */
  username?: string;
  role: ByClaim;
  organization: ByClaim;
  /** How the provider says that it has proved who a patient is, so that the account is bound to that person. */
  proofing?: Proofing;
}

/** What makes an account of a patient somebody's own (NIST SP 800-63A, identity assurance level 2). */
interface Proofing {
  /** The claim, and what it is or holds where the identity was proved: `acr`, `http://idmanagement.gov/ns/assurance/ial/2`. */
  claim: string;
  values: string[];
  /** The claim with a number of the person, and the system of identifiers that it is of. */
  number: string;
  system: string;
}

/** What a provider proved of somebody. */
export interface Proven {
  system: string;
  number: string;
  /** FHIR date. */
  birthDate: string;
  family: string;
}

/** A provider that vouches for an account. */
export interface Connection {
  issuer: string;
  since: Date;
  /** By its claims, which an administrator chose; else its user connected it. */
  isMapped: boolean;
}

type Claims = { [name: string]: unknown };

/** @throws Error that says what is wrong with the file */
export function readMapping(path: string): ExternalMapping {
  const mapping = JSON.parse(readFileSync(path, 'utf8')) as ExternalMapping;
  for (const part of ['role', 'organization'] as const) {
    const { claim, values } = mapping[part] ?? {};
    if (typeof claim !== 'string' || typeof values !== 'object' || values === null) {
      throw new Error(`${path}: ${part} needs claim, a text, and values, an object.`);
    }
  }
  const { proofing } = mapping;
  const isWhole =
    proofing === undefined ||
    (['claim', 'number', 'system'].every((name) => typeof proofing[name as 'claim'] === 'string') &&
      Array.isArray(proofing.values) &&
      proofing.values.length > 0);
  if (!isWhole) throw new Error(`${path}: proofing needs claim, number and system, texts, and values, a list.`);
  const given = [...Object.values(mapping.role.values), ...(mapping.role.otherwise ? [mapping.role.otherwise] : [])];
  const wrong = given.find((role) => role === 'system' || !roles.includes(role as Role));
  if (wrong !== undefined) throw new Error(`${path}: “${wrong}” is no role that people have.`);
  return mapping;
}

export class ExternalAccounts {
  readonly #accounts: Accounts;
  readonly #users: Users;
  readonly #mapping: ExternalMapping | undefined;

  constructor(accounts: Accounts, users: Users, mapping: ExternalMapping | undefined) {
    this.#accounts = accounts;
    this.#users = users;
    this.#mapping = mapping;
  }

  /**
   * The account of somebody for whom the provider vouches, made or brought into step where its claims say so; undefined
   * where nobody here is meant, or the account is closed.
   */
  async account(issuer: string, subject: string, claims: Claims, database: Queryable): Promise<string | undefined> {
    const { rows } = await database.query(
      `SELECT e.username, e.mapped, a.disabled FROM external_account e JOIN account a USING (username)
       WHERE issuer = $1 AND subject = $2`,
      [issuer, subject],
    );
    const known = rows[0];
    if (known && !known.mapped) return known.disabled ? undefined : known.username;
    const mapped = this.#mapping && mappedUser(this.#mapping, claims);
    if (known) {
      if (!mapped || known.disabled) return undefined;
      const { name, role, organization } = mapped;
      await this.#users.change(known.username, { name, role, organization }, database);
      return known.username;
    }
    if (!mapped || !(await this.#accounts.make(mapped, undefined, database))) return undefined;
    await this.#keep(issuer, subject, mapped.username, true, database);
    return mapped.username;
  }

  /** What the provider proved of somebody, as far as the operator said how it tells that. */
  provenOf(claims: Claims): Proven | undefined {
    const { proofing } = this.#mapping ?? {};
    const level = proofing && [claims[proofing.claim]].flat();
    if (!proofing || !level?.some((one) => typeof one === 'string' && proofing.values.includes(one))) return undefined;
    const { [proofing.number]: number, birthdate: birthDate, family_name: family } = claims;
    const isWhole =
      typeof number === 'string' &&
      /^[\p{L}\d][\p{L}\d ./-]{3,39}$/u.test(number) &&
      typeof birthDate === 'string' &&
      /^\d{4}-\d\d-\d\d$/.test(birthDate) &&
      typeof family === 'string' &&
      family.trim() !== '';
    return isWhole ? { system: proofing.system, number, birthDate, family } : undefined;
  }

  /** Connects an account with somebody at the provider; returns whether that one was nobody's yet. */
  async connect(issuer: string, subject: string, username: string, database: Queryable): Promise<boolean> {
    return this.#keep(issuer, subject, username, false, database);
  }

  /** @returns whether the account was connected with that provider */
  async disconnect(username: string, issuer: string, database: Queryable): Promise<boolean> {
    const { rowCount } = await database.query(
      `DELETE FROM external_account WHERE username = $1 AND rtrim(issuer, '/') = rtrim($2, '/')`,
      [username, issuer],
    );
    return (rowCount ?? 0) > 0;
  }

  async #keep(issuer: string, subject: string, username: string, mapped: boolean, database: Queryable) {
    const { rowCount } = await database.query(
      `INSERT INTO external_account (issuer, subject, username, mapped) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [issuer, subject, username, mapped],
    );
    return rowCount === 1;
  }
}

/** The providers with which an account is connected. */
export async function connectionsOf(database: Queryable, username: string): Promise<Connection[]> {
  const { rows } = await database.query(
    'SELECT issuer, since, mapped FROM external_account WHERE username = $1 ORDER BY since',
    [username],
  );
  return rows.map(({ issuer, since, mapped }) => ({ issuer, since, isMapped: mapped }));
}

/** Whether two addresses of providers are the same: a slash at the end makes no difference. */
export function isSameIssuer(one: string, other: string): boolean {
  return one.replace(/\/+$/, '') === other.replace(/\/+$/, '');
}

/** The user that claims make; undefined where they do not say enough. */
function mappedUser(
  { username = 'preferred_username', role, organization }: ExternalMapping,
  claims: Claims,
): User | undefined {
  const named = claims[username];
  const [givenRole, givenOrganization] = [toldBy(role, claims), toldBy(organization, claims)];
  const known = roles.find((one) => one === givenRole);
  if (typeof named !== 'string' || named === '' || named.length > 200 || !known || !givenOrganization) return undefined;
  const name = typeof claims.name === 'string' && claims.name !== '' ? claims.name.slice(0, 200) : named;
  return { username: named, name, role: known, organization: givenOrganization };
}

function toldBy({ claim, values, otherwise }: ByClaim, claims: Claims): string | undefined {
  const told = [claims[claim]].flat();
  const found = Object.keys(values).find((value) => told.includes(value));
  return found === undefined ? otherwise : values[found];
}
