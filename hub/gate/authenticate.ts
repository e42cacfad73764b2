/** Who makes a request: a bearer token of a script or of an app, or the session cookie of the screens. */
import { randomBytes } from 'node:crypto';
import { purposesOf } from '@causeway/access';
import type { FastifyRequest } from 'fastify';
import type { AskedWithProof, ShownWithToken, VerifiedToken } from '../authorization/index.ts';
import { type ClientCertificate, clientCertificate } from '../client-certificate.ts';
import { RecordError } from '../record/index.ts';
import { verifyToken } from '../secrets/index.ts';
import {
  type Access,
  type AccessUser,
  type Accounts,
  type Activity,
  type Asker,
  type NetworkPolicy,
  ofTypes,
  PolicyUnreadable,
  type Role,
  roles,
  type TokenOrigin,
  type User,
} from '../trust/index.ts';
import { mustVerify } from './certified.ts';
import { type GrantFacts, grantedAccess, grantedLater } from './granted.ts';
import { systemOf } from './refused-messages.ts';
import { isUnattended, mustBeOwnChange, sessionToken } from './session-cookie.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const rememberedMs = 30_000;
const remembered = 1_000;
/** Where messages are taken. */
const messageRoutes = ['/hl7', '/inbox', '/ccda'];

/** A caller; `site` is the participant that a token speaks for. */
export interface Caller extends Access {
  site: string | undefined;
}

/** What is asked to know a caller. */
export interface CallerFacts extends GrantFacts {
  /** What a token stands for; undefined where it is none, or not any more. */
  verify(token: string, shown: ShownWithToken): Promise<VerifiedToken | undefined>;
  /** The participant for which the client certificate of a request stands. */
  certified(request: FastifyRequest): string | undefined;
  /** Whether a registered client may ask for anything. */
  isActive(client: string): Promise<boolean>;
  /** Whether an app's token was taken back before its time. */
  isTakenBack(cameOf: TokenOrigin): Promise<boolean>;
  /** What the account of a patient or proxy is bound to. */
  represented(username: string, role: 'patient' | 'proxy'): Promise<{ homes: number[]; ages: (number | undefined)[] }>;
  /** An emergency access that an account has under way. */
  emergency(username: string, id: string): Promise<{ patient: string } | undefined>;
}

export class Authenticator {
  readonly #accounts: Accounts;
  readonly #tokenKey: Buffer;
  readonly #facts: CallerFacts;
  readonly #policy: NetworkPolicy;
  readonly #attempts = new WeakMap<FastifyRequest, { caller: Caller; action: string }>();
  readonly #lent = new Map<string, Caller>();
  readonly #callers = new Map<string, { caller: Caller; stamp: string; until: number }>();

  constructor(accounts: Accounts, tokenKey: Buffer, facts: CallerFacts, policy: NetworkPolicy) {
    this.#policy = policy;
    this.#accounts = accounts;
    this.#tokenKey = tokenKey;
    this.#facts = facts;
  }

  /**
   * Who makes the request. What is attempted is remembered, so that an attempt that fails is recorded too.
   * @throws RecordError 401 where nobody is signed in, 403 where an app's token does not cover the request
   */
  async caller(request: FastifyRequest, action?: string): Promise<Caller> {
    await this.#policy.fresh();
    const identified = { address: request.ip, ...(await this.#identify(request)) };
    this.#attempts.set(request, { caller: identified, action: action ?? request.method });
    const refused = this.#refused(identified, request);
    if (refused !== undefined) throw new RecordError(403, 'forbidden', refused);
    const caller = await grantedAccess(identified, request, this.#facts);
    if (request.headers.authorization === undefined) mustBeOwnChange(request);
    // Who somebody is may be remembered for longer.
    return { ...caller, decidedBy: this.#policy.decidedBy };
  }

  /**
   * Somebody who has one of these roles in person: an app acts with its user's rights over records, never with those over
   * the network, accounts or keys; no more does an organisation's token. @throws RecordError 401, 403
   */
  async inPerson(request: FastifyRequest, roles: readonly string[], action?: string): Promise<Caller> {
    const who = await this.caller(request, action);
    if (who.client !== undefined || who.site !== undefined || !roles.includes(who.role)) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    }
    return who;
  }

  /** Why nothing of a request is done. Of messages the gate decides, since who sends may have no right to read. */
  #refused({ refused, site, client, role, organization }: Caller, request: FastifyRequest): string | undefined {
    const { url = '' } = request.routeOptions;
    if (messageRoutes.includes(url)) return undefined;
    if (site !== undefined && role === 'system' && url.startsWith('/api/'))
      return 'A token of an organisation’s system is for its messages and the FHIR server; people work with the rest.';
    const isSystem = site !== undefined || (client !== undefined && role === 'system');
    if (refused !== undefined || !isSystem || !isWriting(request)) return refused;
    return this.#policy.refused(site ?? organization, 'send');
  }

  /** A token by which a part of the hub itself makes requests for somebody, until `end`. It is good for nothing else. */
  lend(caller: Caller): { token: string; end(): void } {
    const token = randomBytes(32).toString('base64url');
    // Its requests come from the hub itself.
    this.#lent.set(token, { address: undefined, ...caller });
    return { token, end: () => this.#lent.delete(token) };
  }

  /**
   * What somebody may read who asked earlier for what the hub does later: as things are now, and as far as the scopes go
   * that they asked with. Or, as a sentence, why they may not ask any more.
   * @param activity what is done for them, where they are an organisation's
   */
  async later(asker: Asker, activity: Activity): Promise<Access | string> {
    await this.#policy.fresh();
    const { who, name, role, organization, purpose, client, grant, cameOf, isScript, emergency } = asker;
    if (client !== undefined && !(await this.#facts.isActive(client))) {
      return 'The app or service that asked is suspended, or not registered any more.';
    }
    if (cameOf && (await this.#facts.isTakenBack(cameOf))) return 'The token by which it was asked for was taken back.';
    const isService = who === `client:${client}`;
    const site = siteOf(asker);
    const account = isService || isScript ? undefined : await this.#accounts.find(who);
    if (!isScript && !isService && !account) return 'The account that asked is closed.';
    const participant = site ?? (isService ? organization : undefined);
    const refused = participant && this.#policy.refused(participant, activity, purpose);
    if (refused) return refused;
    const user: AccessUser = account ?? { username: who, name, role, organization };
    if (emergency !== undefined) {
      return (
        (await this.#emergencyAccess(user, emergency)) ?? 'The emergency access in which it was asked for has ended.'
      );
    }
    const whole = {
      ...(await this.#bound(user)),
      ...(client === undefined ? {} : { isApp: true }),
      ...(participant ? { participant } : {}),
    };
    const access = this.#accessFor(whole, purpose);
    if (access.refused !== undefined) return access.refused;
    const asked = {
      ...access,
      ...(client === undefined ? {} : { client }),
      ...(grant ? { grant } : {}),
      ...(cameOf ? { cameOf } : {}),
      ...(isScript ? { isScript } : {}),
    };
    const granted = await grantedLater(asked, this.#facts);
    return granted ?? 'The patient of the token is not known any more.';
  }

  /** Who attempted what with a request; undefined where nobody was recognised. */
  attempt(request: FastifyRequest): { caller: Caller; action: string } | undefined {
    return this.#attempts.get(request);
  }

  async #identify(request: FastifyRequest): Promise<Caller> {
    const [, scheme, token] = /^(Bearer|DPoP) (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const purpose = purposeAsked(request);
    const certificate = clientCertificate(request.raw);
    if (token !== undefined) {
      if (scheme!.toLowerCase() === 'bearer') return this.#byToken(token, purpose, certificate);
      // A proof is good once, but a request may be asked about more often.
      const known = this.#attempts.get(request);
      if (known) return known.caller;
      const asked = { method: request.method, path: request.url, proof: request.headers.dpop };
      return this.#byAppToken(token, purpose, certificate, asked);
    }
    mustVerify(certificate);
    const session = sessionToken(request);
    const user = session === undefined ? undefined : await this.#accounts.session(session, isUnattended(request));
    if (!user) {
      const site = messageRoutes.includes(request.routeOptions.url ?? '') ? this.#facts.certified(request) : undefined;
      if (site !== undefined) return { ...this.#accessFor(systemOf(site), purpose), site };
      throw new RecordError(401, 'login', 'Sign in first, or send a token: Authorization: Bearer …');
    }
    const emergency = request.headers['x-emergency-access'];
    if (emergency !== undefined) return this.#inEmergency(user, String(emergency));
    return { ...this.#accessFor(await this.#bound(user), purpose), site: undefined };
  }

  /** @throws RecordError 403 where the user has no such emergency access under way */
  async #inEmergency(user: User, id: string): Promise<Caller> {
    const access = await this.#emergencyAccess(user, id);
    if (access) return { ...access, site: undefined };
    const text = 'This emergency access has ended, or is not yours. Begin one anew if it is still needed.';
    throw new RecordError(403, 'forbidden', text);
  }

  async #emergencyAccess(user: AccessUser, id: string): Promise<Access | undefined> {
    const underWay = uuid.test(id) ? await this.#facts.emergency(user.username, id) : undefined;
    if (!underWay) return undefined;
    const homes = await this.#facts.homesOf(underWay.patient);
    return { ...this.#accessOf({ ...user, purpose: 'ETREAT', isEmergency: true, homes }), emergency: id };
  }

  async #byToken(
    token: string,
    purpose: string | undefined,
    certificate: ClientCertificate | undefined,
  ): Promise<Caller> {
    const lent = this.#lent.get(token);
    if (lent) {
      this.#checkReadable(lent);
      return lent;
    }
    // Those of apps are opaque; those of scripts are JSON Web Tokens.
    if (!token.includes('.')) return this.#byAppToken(token, purpose, certificate);
    mustVerify(certificate);
    const key = `${token} ${purpose ?? ''}`;
    const known = this.#callers.get(key);
    if (known && known.until > Date.now() && known.stamp === this.#policy.stamp) {
      this.#checkReadable(known.caller);
      return known.caller;
    }
    const claims = await verifyToken(this.#tokenKey, token);
    if ('refused' in claims) throw new RecordError(401, 'login', claims.refused);
    const site = siteOf({ who: claims.subject });
    const role = roleOf(claims.role);
    const local = { username: claims.subject, name: claims.subject, role, organization: 'local' };
    const { stamp } = this.#policy;
    const whole = site === undefined ? local : { ...systemOf(site), role };
    const caller = { ...this.#accessFor(whole, purpose), site, isScript: true as const };
    if (this.#callers.size >= remembered) this.#callers.clear();
    this.#callers.set(key, { caller, stamp, until: Math.min(Date.now() + rememberedMs, expiryOf(token)) });
    return caller;
  }

  /** A patient or proxy with the persons it is bound to, asked anew each time; others as they are. */
  async #bound(user: AccessUser): Promise<AccessUser> {
    const { role, username } = user;
    return role === 'patient' || role === 'proxy'
      ? { ...user, ...(await this.#facts.represented(username, role)) }
      : user;
  }

  /** The access of a user for the purpose that is asked for. @param granted those that an app may ask for */
  #accessFor(user: AccessUser, asked: string | undefined, granted?: readonly string[]): Access {
    const purpose = asked ?? granted?.[0];
    if (purpose === undefined) return this.#accessOf(user);
    const access = this.#accessOf({ ...user, purpose });
    if ((granted?.includes(purpose) ?? true) && purposesOf[user.role].includes(purpose)) return access;
    const refused = `The role ${user.role} does not read for the purpose ${purpose.slice(0, 20)} here.`;
    return { ...ofTypes(access, []), homes: [], refused };
  }

  #accessOf(user: AccessUser): Access {
    return readable(() => this.#policy.accessOf(user));
  }

  #checkReadable({ limits }: Caller): void {
    readable(() => this.#policy.check(limits));
  }

  /** Asked anew each time, so that what was taken back opens nothing any more. */
  async #byAppToken(
    token: string,
    purpose: string | undefined,
    certificate: ClientCertificate | undefined,
    proven?: AskedWithProof,
  ): Promise<Caller> {
    const verified = await this.#facts.verify(token, { certificate: certificate?.thumbprint, proven });
    // One that a token is bound to was judged when the token was given.
    if (verified?.certificate === undefined) mustVerify(certificate);
    if (!verified) throw new RecordError(401, 'login', 'The token is not one of this hub, or not any more.');
    const { client, clientName, organization, grant, cameOf } = verified;
    const user = verified.user ?? { username: `client:${client}`, name: clientName, role: 'system', organization };
    // A service is its organisation's, or its own; it is never the hub's.
    const participant = user.role === 'system' ? organization : undefined;
    const whole = { ...(await this.#bound(user)), isApp: true, ...(participant ? { participant } : {}) };
    // One that was granted no purposes reads for the usual one.
    const granted = grant.purposes?.length ? grant.purposes : purpose && [this.#accessOf(whole).purpose];
    return {
      ...this.#accessFor(whole, purpose, granted || undefined),
      site: undefined,
      client,
      grant,
      cameOf,
    };
  }
}

/** The participant that a token speaks for, by its name. */
export function siteOf({ who }: Pick<Access, 'who'>): string | undefined {
  return /^site:(.+)$/.exec(who)?.[1];
}

/** The systems of a participant. */
/** @throws RecordError 503 while the policy of the network cannot be read */
function readable<T>(decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    if (error instanceof PolicyUnreadable) throw new RecordError(503, 'transient', error.message);
    throw error;
  }
}

/** Whether a request changes resources, as far as its address says: what it does by a Bundle is judged by that of the Bundle. */
function isWriting({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  return (
    url.startsWith('/fhir') &&
    ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) &&
    !/_search|\$(?!import)|_bulk/.test(url)
  );
}

/** What a request says it is for: `X-Purpose-Of-Use`, a code of v3-ActReason. */
function purposeAsked(request: FastifyRequest): string | undefined {
  const asked = request.headers['x-purpose-of-use'];
  return asked === undefined ? undefined : String(asked).trim();
}

/** When a token that was verified expires, in milliseconds. */
function expiryOf(token: string): number {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number };
  return exp * 1000;
}

function roleOf(role: string): Role {
  const known = roles.find((one) => one === role);
  if (!known) throw new RecordError(401, 'login', 'The token names no role that the hub knows.');
  return known;
}
