/** What is done for one person at one other hub: found, taken, fetched, followed, or given up. */
import { createHash, randomBytes } from 'node:crypto';
import type { Patient } from '@medplum/fhirtypes';
import type { JWK } from 'jose';
import type { Database } from '../database/index.ts';
import type { Distrust } from '../distrusting-agent.ts';
import type { Receiver } from '../inbox/index.ts';
import { type FhirRecord, RecordError } from '../record/index.ts';
import type { AccessLog, NetworkPolicy, Participants } from '../trust/index.ts';
import { fetchedTypes, type Page, pageOf, readPage, toldTypes } from './answers.ts';
import { expectNotifications, type Followed } from './followed.ts';
import { PeerClient, PeerFault } from './peer-client.ts';
import type { Peer, Peers } from './peers.ts';
import type { PrivateMatching } from './private-matching.ts';
import { Taking } from './taking.ts';

export interface FollowingParts {
  database: Database;
  record: FhirRecord;
  participants: Participants;
  policy: NetworkPolicy;
  accessLog: AccessLog;
  receiver: Receiver;
  /** How hubs are asked that are not told demographics. */
  matching: Pick<PrivateMatching, 'tokensOf'>;
  /** The hub's own signing keys. */
  keys(): Promise<JWK[]>;
  /** Addresses below which other hubs may lie in private networks, or speak plain http. */
  peersAt: readonly string[];
  /** What may be held against their certificates. */
  distrust?: Distrust | undefined;
}

/** How often is asked without having been told, how often all is fetched anew, and when what is apart is looked at again. */
const askedAgainMs = 6 * 3_600_000;
const wholeAgainMs = 24 * 3_600_000;
const wholeSoonMs = 3_600_000;
const apartMs = 3_600_000;
/** For how long somebody is followed after a clinician asked, and how often the other hub is told on what ground. */
const followedMs = 365 * 24 * 3_600_000;
const attestedAgainMs = 20 * 24 * 3_600_000;
const mostPages = 2_000;

export class Following {
  readonly #parts: FollowingParts;
  readonly #peers: Peers;
  readonly #taking: Taking;
  readonly #clients = new Map<string, { peer: string; client: PeerClient }>();
  /** Where this hub is reached by others. */
  url = 'http://localhost';

  constructor(parts: FollowingParts, peers: Peers) {
    this.#parts = parts;
    this.#peers = peers;
    this.#taking = new Taking(parts);
  }

  /** Brings one up to date. @returns when its turn is next; undefined: when somebody asks */
  async bringUpToDate(followed: Followed): Promise<number | undefined> {
    const peer = await this.#peers.one(followed.peer);
    const refused = peer ? this.#refused(followed.peer) : 'This hub does not exchange with it any more.';
    if (!peer || refused !== undefined) return this.#end(followed, peer, refused);
    if (Date.now() - +followed.askedAt > followedMs) {
      await this.#end(followed, peer, 'Nobody has asked for a year.');
      return undefined;
    }
    const client = this.#client(peer);
    const shown = await this.#shownTo(followed, peer.matching);
    // What the person refuses here looks like what is not there.
    if (!shown) return this.#nothing(followed, client);
    if (followed.remote === undefined) {
      const found = await this.#find(peer, client, shown);
      if (!found) return this.#nothing(followed, client);
      await this.#identify(followed, pageOf(found, followed.peer));
    }
    if (!(await this.#isJoined(followed))) return this.#apart(followed, client);
    await this.#attest(followed, client);
    return this.#fetch(followed, client);
  }

  /** Asks who the person is there: by demographics, or by tokens of them, as is agreed on. */
  async #find(peer: Peer, client: PeerClient, shown: Patient): Promise<object | undefined> {
    if (peer.matching === 'plain') return client.match(shown);
    const tokens = await this.#parts.matching.tokensOf(peer.participant, shown);
    return tokens.length === 0 ? undefined : client.matchPrivately(tokens);
  }

  /** Says to the other hub what shows that the person is treated here, as long as somebody has asked. */
  async #attest(followed: Followed, client: PeerClient): Promise<void> {
    const { remote, askedBy, ground, attestedAt } = followed;
    if (attestedAt !== undefined && Date.now() - +attestedAt < attestedAgainMs) return;
    await client.attest(remote!, `Asked for treatment by ${askedBy}; relationship: ${ground}`);
    followed.attestedAt = new Date();
  }

  /** Takes the Patient that the other hub is certain about, and nothing else of it. */
  async #identify(followed: Followed, page: Page): Promise<void> {
    const [remote] = page.patients;
    followed.remote = remote;
    followed.attestedAt = undefined;
    followed.takenAs = page.stated.find((one) => one.startsWith('Patient/'))!.slice('Patient/'.length);
    followed.since = undefined;
    followed.wholeAt = undefined;
    await this.#taking.take(followed.peer, remote!, [page]);
  }

  /** Whether the person index takes the other hub's Patient for the person who was asked about. */
  async #isJoined({ home, takenAs }: Followed): Promise<boolean> {
    const homes = (await this.#parts.record.homesOf([takenAs!])).get(takenAs!) ?? [];
    return homes.includes(home);
  }

  async #fetch(followed: Followed, client: PeerClient): Promise<number | undefined> {
    const isWhole = followed.wholeAt === undefined || Date.now() - +followed.wholeAt > wholeAgainMs;
    const begun = new Date();
    const since = isWhole ? undefined : followed.since;
    const stated = new Set<string>();
    const missing = new Set<string>();
    let last = followed.since;
    let next: string | undefined;
    for (let n = 0; n === 0 || next !== undefined; n++) {
      if (n === mostPages) {
        missing.add('The record has more pages than are fetched.');
        break;
      }
      const answered = await client.everything(followed.remote!, fetchedTypes, since, next);
      if (!answered) {
        if (n > 0) throw new PeerFault('The other hub does not go on with its answer.');
        await this.#taking.withdraw(followed.peer, followed.takenAs!, new Set());
        return this.#nothing(followed, client);
      }
      const page = readPage(answered, followed.peer);
      const other = page.patients.find((id) => id !== followed.remote);
      if (other !== undefined) {
        // There the record is another person's now: who that is has to be asked first.
        followed.remote = undefined;
        return 0;
      }
      await this.#taking.take(followed.peer, followed.remote!, [page]);
      for (const one of page.stated) stated.add(one);
      for (const one of page.missing) missing.add(one);
      if (page.last && (last === undefined || page.last > last)) last = page.last;
      next = page.next;
    }
    let againMs = askedAgainMs;
    if (isWhole && missing.size === 0) {
      const withdrawn = await this.#taking.withdraw(followed.peer, followed.takenAs!, stated);
      // What is given no more may be given again soon, and would not be told of as a change.
      if (withdrawn > 0) againMs = wholeSoonMs;
      followed.wholeAt = new Date(+begun - (withdrawn > 0 ? wholeAgainMs - wholeSoonMs : 0));
    }
    followed.partial = missing.size === 0 ? undefined : [...missing].join(' ').slice(0, 1_000);
    followed.since = last;
    followed.resources = await this.#taking.count(followed.takenAs!);
    followed.state = 'followed';
    await this.#subscribe(followed, client);
    return againMs;
  }

  /** Has the other hub ring when something of the person changes; until it does, what changes is asked for now and then. */
  async #subscribe(followed: Followed, client: PeerClient): Promise<void> {
    if (followed.subscriptions.length > 0) return;
    const secret = randomBytes(32).toString('base64url');
    await expectNotifications(this.#parts.database, followed.id, digest(secret));
    const asked = await Promise.allSettled(
      toldTypes.map((type) =>
        client.subscribe({
          resourceType: 'Subscription',
          status: 'requested',
          reason: 'A hub that follows a person in its care',
          criteria: `${type}?patient=Patient/${followed.remote}`,
          channel: {
            type: 'rest-hook',
            endpoint: `${this.url}/network/events/${followed.id}`,
            header: [`Authorization: Bearer ${secret}`],
          },
        }),
      ),
    );
    for (const one of asked) if (one.status === 'fulfilled') followed.subscriptions.push(one.value);
    const failed = asked.find((one) => one.status === 'rejected');
    if (failed) {
      // All or none: those that are there are given up, and asked for again at the next turn.
      await this.#unsubscribe(followed, client);
      throw failed.reason;
    }
  }

  async #nothing(followed: Followed, client: PeerClient): Promise<undefined> {
    await this.#unsubscribe(followed, client);
    followed.state = 'nothing';
    followed.remote = undefined;
    followed.partial = undefined;
    followed.resources = 0;
  }

  async #apart(followed: Followed, client: PeerClient): Promise<number> {
    await this.#unsubscribe(followed, client);
    followed.state = 'apart';
    return apartMs;
  }

  /** It goes on by itself when the two exchange again. */
  async #end(followed: Followed, peer: Peer | undefined, reason: string | undefined): Promise<number> {
    if (peer) await this.#unsubscribe(followed, this.#client(peer)).catch(() => {});
    followed.state = 'ended';
    followed.reason = reason;
    followed.subscriptions = [];
    return askedAgainMs;
  }

  async #unsubscribe(followed: Followed, client: PeerClient): Promise<void> {
    while (followed.subscriptions.length > 0) {
      await client.unsubscribe(followed.subscriptions.at(-1)!);
      followed.subscriptions.pop();
    }
  }

  /** Why nothing is exchanged with a hub: it is told whom this hub asks about, and its answer is taken. */
  #refused(peer: string): string | undefined {
    const { policy } = this.#parts;
    return policy.refused(peer, 'receive') ?? policy.refused(peer, 'send');
  }

  /**
   * Who the person is, as the other hub may see it, told to it by asking; undefined where it may not.
   */
  async #shownTo(
    { peer, patient, askedBy, remote }: Followed,
    matching: Peer['matching'],
  ): Promise<Patient | undefined> {
    const { record, participants, policy, accessLog } = this.#parts;
    const access = policy.participantAccess(participants.byKey(peer), 'receive');
    try {
      const { text } = await record.read(access, 'Patient', patient);
      if (remote === undefined) {
        const reason = `asked by ${askedBy}`;
        await accessLog.record(access, {
          action: 'ask-hub',
          what: matching === 'private' ? 'private matching' : 'Patient/$match',
          status: 200,
          patients: [patient],
          reason,
        });
      }
      const { name, birthDate, gender, address, telecom, identifier } = JSON.parse(text) as Patient;
      return { resourceType: 'Patient', name, birthDate, gender, address, telecom, identifier } as Patient;
    } catch (error) {
      if (error instanceof RecordError && error.status < 500) return undefined;
      throw error;
    }
  }

  #client(peer: Peer): PeerClient {
    const described = JSON.stringify(peer);
    const known = this.#clients.get(peer.participant);
    if (known?.peer === described) return known.client;
    const { keys, peersAt: allowed, distrust } = this.#parts;
    const client = new PeerClient({ peer, keys, ownUrl: `${this.url}/fhir`, allowed, distrust });
    this.#clients.set(peer.participant, { peer: described, client });
    return client;
  }
}

/** What is kept of a secret. */
export function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
