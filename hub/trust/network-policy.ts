/**
 * What the network has decided for everybody, as it is stored; changed by its privacy officer, known to every hub over the
 * database within moments. One that cannot be read or understood closes all ordinary reads (docs/access.md, 5).
 */
import {
  type Asker,
  firstPolicy,
  type Limits,
  type Policy,
  purposesOf,
  readPolicy,
  type WrittenPolicy,
} from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import type { DecidedBy } from '../audit/index.ts';
import type { Database, Transaction } from '../database/index.ts';
import { type Access, type AccessUser, accessOf, ofTypes, participantAccess, type Role } from './access.ts';
import type { Agreements } from './agreements.ts';
import { hubKind, type Participants } from './participants.ts';
import type { RelationTokens } from './relation.ts';
import { type Activity, type AgreedPurpose, typedPurposes } from './standing.ts';

/** The policy that holds was written by a newer hub, or is damaged. */
export class PolicyUnreadable extends Error {
  constructor() {
    super('The policy of the network cannot be read; until it can, nothing is given out.');
  }
}

/** A version of the policy. */
export interface PolicyVersion {
  /** 0 before anything was decided. */
  version: number;
  at: Date | undefined;
  by: string | undefined;
  reason: string | undefined;
  policy: WrittenPolicy;
}

const pollMs = 1_000;
/** How long the database may take to tell which version holds. */
const patienceMs = 5_000;
/** So many versions are looked through for the last that can be understood. */
const lookedThrough = 100;

/** What was learnt longer ago is learnt anew before it decides. */
const freshMs = 1_500;
/** After so long a change holds on every hub. */
export const settledMs = freshMs + 100;

/** Roles whose access is their organisation's, so that it needs an agreement. */
const ofOrganizations: readonly Role[] = ['clinician', 'public-health', 'researcher', 'system'];

const noTokens: RelationTokens = {
  logical: [],
  logicalMarkers: [],
  identifier: '0',
  identifierMarker: '0',
  masks: [],
  void: [],
};

export class NetworkPolicy {
  readonly #database: Database;
  readonly #participants: (Pick<Participants, 'all'> & { isKnown?: boolean }) | undefined;
  readonly #agreements: Agreements | undefined;
  /** What of the record names an organisation; wired by the hub. */
  relationTokens: (organization: string) => RelationTokens = () => noTokens;
  #version = 0;
  #consents = 0;
  /** Undefined while what is stored cannot be understood. */
  #policy: Policy | undefined;
  #lastKnown: Policy;
  #lastKnownVersion = 0;
  /** What holds could be asked for the last time that it was. */
  #isHeard = true;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** When what is known was asked for, by `performance.now()`. */
  #learnt = performance.now();
  #learning: Promise<void> | undefined;
  #beforeChange: (transaction: Transaction, policy: WrittenPolicy) => Promise<void> = async () => {};

  /** @param participants tell in which state an organisation is, and which one an account names */
  constructor(
    database: Database,
    participants?: Pick<Participants, 'all'> & { isKnown?: boolean },
    agreements?: Agreements,
  ) {
    this.#database = database;
    this.#participants = participants;
    this.#agreements = agreements;
    this.#lastKnown = this.#made(firstPolicy);
    this.#policy = this.#lastKnown;
  }

  /** The number of the version that holds. */
  get version(): number {
    return this.#version;
  }

  /** What is decided now is decided by this, as it is told in the audit log. */
  get decidedBy(): DecidedBy {
    return { policy: this.#lastKnownVersion, agreements: this.#agreements?.step ?? 0, consents: this.#consents };
  }

  /** Changes with the policy and with what is agreed: whoever remembers a decision remembers it by this. */
  get stamp(): string {
    return `${this.#version}.${this.#agreements?.stamp ?? 0}`;
  }

  /** The policy. @throws PolicyUnreadable where the one that is stored cannot be read: then nothing is given out */
  get current(): Policy {
    if (!this.isReadable) throw new PolicyUnreadable();
    return this.#policy!;
  }

  get isReadable(): boolean {
    return this.#policy !== undefined && this.#isHeard && this.#participants?.isKnown !== false;
  }

  /**
   * Makes sure that a change which was told of as made holds here. Where the database does not answer, nothing can be read
   * of the policy. Asked before each decision, it mostly has nothing to do.
   */
  async fresh(): Promise<void> {
    // What could not be learnt is asked for again and again; nothing waits for it.
    if (this.#isFresh() || !this.#isHeard) return;
    // What is being asked for may have been asked for before the change.
    await this.#learning?.catch(() => {});
    if (!this.#isFresh() && this.#isHeard) await this.load().catch(() => {});
  }

  #isFresh(): boolean {
    return performance.now() - this.#learnt < freshMs;
  }

  /** The last one that could be read: emergency access goes on by it, and what nothing is decided for. */
  get lastKnown(): Policy {
    return this.#lastKnown;
  }

  /** The access of a user. @throws PolicyUnreadable save for the hub's own and for an emergency */
  accessOf(user: AccessUser): Access {
    const placed = this.#placed(user);
    const decided = { ...accessOf(placed, this.#lastKnown), decidedBy: this.decidedBy };
    const access = this.#withoutHubs(decided, placed.participant);
    this.check(access.limits, user.isEmergency);
    if (access.limits.isCustodian || !ofOrganizations.includes(user.role)) return access;
    const { purpose } = access;
    const isEmergency = user.isEmergency ?? false;
    const refused = this.refused(placed.participant, 'query', purpose, isEmergency);
    if (refused !== undefined) return { ...ofTypes(access, []), homes: [], refused };
    return isEmergency ? access : this.#related(access, placed.participant ?? user.organization);
  }

  /** The same access; that of another hub without what hubs told, of whom each is asked for its own. */
  #withoutHubs(access: Access, participant: string | undefined): Access {
    if (participant === undefined) return access;
    const hubs = (this.#participants?.all() ?? []).filter(({ kind }) => kind === hubKind).map(({ key }) => key);
    return hubs.includes(participant) ? { ...access, notOf: hubs } : access;
  }

  /** The same access, with what the network asks for of a relationship to the persons whose records it reads. */
  #related(access: Access, organization: string): Access {
    const { relationship } = this.#lastKnown;
    if (!relationship || (access.role !== 'clinician' && access.role !== 'system')) return access;
    const { purposes = ['TREAT'], mode, daysBack, daysAhead } = relationship;
    const purpose = purposes.find((one) => one === access.limits.purpose);
    if (purpose === undefined) return access;
    const tokens = this.relationTokens(organization);
    return { ...access, relation: { purpose, mode, daysBack, daysAhead, organization, tokens } };
  }

  /** A user as an explanation asks for it: by the policy, and by the table alone; and why an agreement refuses it all. */
  askerOf(user: AccessUser): Asker & { refused: string | undefined } {
    const { limits, refused } = this.accessOf(user);
    const withoutRules = accessOf(this.#placed(user), { ...this.#lastKnown, rules: [] }).limits;
    return { limits, withoutRules, isEmergency: user.isEmergency === true, refused };
  }

  /** @throws PolicyUnreadable where nothing may be given out now to a caller of these limits */
  check({ isCustodian }: Pick<Limits, 'isCustodian'>, isEmergency = false): void {
    if (!this.isReadable && !isEmergency && !isCustodian) throw new PolicyUnreadable();
  }

  /** Why an organisation may not do something; undefined where it may. */
  refused(participant: string | undefined, activity: Activity, purpose = 'TREAT', isEmergency = false) {
    const isRequired = this.#lastKnown.requireAgreements ?? false;
    const asked = { activity, purpose: activity === 'send' ? undefined : purpose, isEmergency };
    return this.#agreements?.refused(participant, asked, isRequired);
  }

  /** The access of an organisation whose system asks or is sent to: for the care that it gives, or another purpose that is agreed on. */
  participantAccess(
    { key, name }: { key: string; name: string },
    activity: Activity,
    purpose: AgreedPurpose = 'TREAT',
  ): Access {
    const types = typedPurposes.includes(purpose)
      ? (this.#agreements?.typesOf(key, purpose, activity) ?? [])
      : undefined;
    const decided = participantAccess({ key, name }, this.#lastKnown, purpose, types);
    const access = this.#withoutHubs({ ...decided, decidedBy: this.decidedBy }, key);
    const refused = this.refused(key, activity, purpose) ?? unnamedTypes(purpose, types);
    if (refused !== undefined) return { ...ofTypes(access, []), homes: [], refused };
    // Who is sent to has been found by the care that it gives.
    return activity === 'query' ? this.#related(access, key) : access;
  }

  /** Those of an organisation that is on the network, by its key or its name, are that participant's. */
  #placed(user: AccessUser): AccessUser {
    if (!ofOrganizations.includes(user.role)) return user;
    const { organization, role } = user;
    const isNamed = role !== 'system' && user.participant === undefined;
    const found = isNamed
      ? this.#participants?.all().find(({ key, name }) => key === organization || name === organization)
      : undefined;
    const participant = user.participant ?? found?.key;
    if (participant === undefined) return user;
    const purpose = user.purpose ?? purposesOf[role][0]!;
    const types = typedPurposes.includes(purpose) ? this.#agreements?.typesOf(participant, purpose) : undefined;
    return { ...user, participant, ...(types ? { agreedTypes: types } : {}) };
  }

  /** Learns which version holds, and what is agreed; until it has, what held before serves emergencies only. One time of asking serves all who ask meanwhile. */
  load(): Promise<void> {
    this.#learning ??= this.#learn().finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  async #learn(): Promise<void> {
    const asked = performance.now();
    try {
      const [row, consents] = await inTime(
        Promise.all([this.#latest(), this.#lastConsent(), this.#agreements?.load()]),
      );
      this.#consents = consents;
      if (row && row.version > this.#version) {
        this.#take(row.version, row.policy);
        if (!this.#policy) await this.#takeLastReadable(row.version);
      }
      this.#learnt = asked;
      this.#isHeard = true;
    } catch (error) {
      this.#isHeard = false;
      throw error;
    }
  }

  async #latest(): Promise<{ version: number; policy: unknown } | undefined> {
    const { rows } = await this.#database.query<{ version: number; policy: unknown }>({
      name: 'network_policy',
      text: 'SELECT version, policy FROM network_policy ORDER BY version DESC LIMIT 1',
    });
    return rows[0];
  }

  /** The number of the last change of a Consent. */
  async #lastConsent(): Promise<number> {
    const { rows } = await this.#database.as('all').query<{ last: number | null }>({
      name: 'last_consent',
      text: `SELECT max(seq) AS last FROM resource WHERE type = ${typeCode('Consent')}`,
    });
    return rows[0]!.last ?? 0;
  }

  /** A hub that is started over a policy that it cannot understand goes on, in emergencies, by the last that it can. */
  async #takeLastReadable(before: number): Promise<void> {
    if (this.#lastKnownVersion > 0) return;
    const { rows } = await this.#database.query(
      'SELECT version, policy FROM network_policy WHERE version < $1 ORDER BY version DESC LIMIT $2',
      [before, lookedThrough],
    );
    for (const { version, policy: stored } of rows) {
      const policy = readPolicy(stored);
      if ('wrong' in policy) continue;
      this.#lastKnown = this.#made(policy);
      this.#lastKnownVersion = version;
      return;
    }
  }

  /** Learns what other hubs over the same database change. @param fault is told where the database does not answer */
  watch(fault: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      this.#turn = this.load().catch(fault);
    }, pollMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  /**
   * Decides anew.
   * @param also what happens in the same transaction, as the version is made
   * @returns what is wrong with the policy, or the version that holds now
   */
  async put(
    written: unknown,
    by: string,
    reason: string,
    also: (transaction: Transaction, version: number) => void = () => {},
  ): Promise<{ wrong: string[] } | { version: number }> {
    const policy = readPolicy(written);
    if ('wrong' in policy) return policy;
    const change = async (transaction: Transaction): Promise<number> => {
      const { rows } = await transaction.query(
        'INSERT INTO network_policy (by_whom, reason, policy) VALUES ($1, $2, $3) RETURNING version',
        [by, reason, JSON.stringify(policy)],
      );
      also(transaction, rows[0]!.version);
      await this.#beforeChange(transaction, policy);
      return rows[0]!.version;
    };
    const made = await this.#database.transaction(change, { scope: 'all' });
    this.#take(made, policy);
    return { version: this.#version };
  }

  /** Adds what happens, in its transaction, with each change of the policy. */
  beforeChange(follow: (transaction: Transaction, policy: WrittenPolicy) => Promise<void>): void {
    this.#beforeChange = follow;
  }

  /** The versions, newest first. */
  async history(limit = 100): Promise<PolicyVersion[]> {
    const { rows } = await this.#database.query('SELECT * FROM network_policy ORDER BY version DESC LIMIT $1', [limit]);
    const versions = rows.map(({ version, at, by_whom: by, reason, policy }) => ({ version, at, by, reason, policy }));
    if (versions.length === limit) return versions;
    return [...versions, { version: 0, at: undefined, by: undefined, reason: undefined, policy: firstPolicy }];
  }

  #take(version: number, stored: unknown): void {
    const policy = readPolicy(stored);
    this.#version = version;
    this.#policy = 'wrong' in policy ? undefined : this.#made(policy);
    if (!this.#policy) return;
    this.#lastKnown = this.#policy;
    this.#lastKnownVersion = version;
  }

  #made(policy: WrittenPolicy): Policy {
    const stateOf = (organization: string | undefined) =>
      this.#participants?.all().find(({ key }) => key === organization)?.state;
    return { ...policy, stateOf };
  }
}

/** Why nothing may be read for a purpose whose agreement has to name the types. */
function unnamedTypes(purpose: string, types: readonly string[] | undefined): string | undefined {
  if (types === undefined || types.length > 0) return undefined;
  return `The organisation has no agreement that names what it may read for ${purpose}.`;
}

/** @throws where the answer is not there in time, so that a database that hangs closes as one that fails does */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The policy of the network did not come in time.')), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
