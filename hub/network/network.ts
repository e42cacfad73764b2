/**
 * Hub to hub (docs/network.md): asks other hubs about a person, fetches what they let this hub see, and follows what changes
 * there. Each person at each hub is one row of `peer_person`, worked on by one hub at a time.
 */
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import { newId, RecordError } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { hubKind } from '../trust/index.ts';
import { begin, due, type Followed, keep, ofHomes, ring } from './followed.ts';
import { digest, Following, type FollowingParts } from './following.ts';
import { PeerFault } from './peer-client.ts';
import { Peers } from './peers.ts';
import { PrivateMatching, type PrivateMatchingParts } from './private-matching.ts';

export interface NetworkParts extends Omit<FollowingParts, 'matching'>, PrivateMatchingParts {
  master: MasterKey;
  log: Logger;
}

const pollMs = 5_000;
const retryMs = { first: 15_000, longest: 3_600_000 };
const atOnce = 8;

export class Network {
  readonly peers: Peers;
  readonly matching: PrivateMatching;
  readonly #parts: NetworkParts;
  readonly #following: Following;
  #leads = false;
  /** Somebody has asked, or rung, since it was looked whose turn it is. */
  #isWanted = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.peers = new Peers(parts.database, parts.master);
    this.matching = new PrivateMatching(parts, this.peers);
    this.#following = new Following({ ...parts, matching: this.matching }, this.peers);
  }

  /** @param url where this hub is reached by others */
  open(url: string): void {
    this.#following.url = url;
  }

  start(): void {
    this.#leads = true;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#leads = false;
    this.#look();
    await this.#running;
  }

  /**
   * Asks every other hub about a person. @param patient a Patient whom the one who asks may see
   * @param ground what shows that the person is treated here
   * @throws RecordError 409 where no hub is known
   */
  async ask(patient: string, by: string, ground: string): Promise<void> {
    const { database, record, participants } = this.#parts;
    const peers = await this.peers.all();
    if (peers.length === 0) throw new RecordError(409, 'conflict', 'There is no other hub to ask; see Participants.');
    const homes = (await record.homesOf([patient])).get(patient) ?? [];
    const own = await this.#ownHome(
      homes,
      participants
        .all()
        .filter(({ kind }) => kind === hubKind)
        .map(({ key }) => key),
    );
    if (own === undefined) throw new RecordError(409, 'conflict', 'Only another hub knows this person; ask it there.');
    for (const { participant } of peers)
      await begin(database, { id: newId(), peer: participant, home: own, patient, askedBy: by, ground });
    this.#look();
  }

  /** What other hubs were asked about a person, and what came of it. */
  async of(patient: string): Promise<Followed[]> {
    const homes = (await this.#parts.record.homesOf([patient])).get(patient) ?? [];
    return ofHomes(this.#parts.database, homes);
  }

  /** Another hub has told that something changed. @returns whether it is one that is followed */
  async rung(id: string, secret: string): Promise<boolean> {
    const isKnown = await ring(this.#parts.database, id, digest(secret));
    if (isKnown) this.#look();
    return isKnown;
  }

  /** The first record of a person that no hub told. */
  async #ownHome(homes: readonly number[], hubs: readonly string[]): Promise<number | undefined> {
    const { rows } = await this.#parts.database.query<{ home: number }>(
      'SELECT home FROM link WHERE home = ANY($1::bigint[]) AND source <> ALL($2::text[]) ORDER BY home LIMIT 1',
      [`{${homes.join(',')}}`, [...hubs]],
    );
    return rows[0]?.home;
  }

  async #run(): Promise<void> {
    while (this.#leads) {
      this.#isWanted = false;
      const turn = await due(this.#parts.database, atOnce).catch((error) => this.#fault(error));
      await Promise.all(
        (turn ?? []).map(({ followed, at }) => this.#work(followed, at).catch((error) => this.#fault(error))),
      );
      if (!this.#isWanted && !turn?.length) await this.#idle();
    }
  }

  #look(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #work(followed: Followed, at: Date): Promise<void> {
    const { database } = this.#parts;
    const next: Followed = { ...followed };
    let dueMs: number | undefined;
    try {
      dueMs = await this.#following.bringUpToDate(next);
      next.attempts = 0;
      if (next.state !== 'ended') next.reason = undefined;
    } catch (error) {
      if (!(error instanceof PeerFault)) this.#fault(error);
      next.state = error instanceof PeerFault && error.status === 403 ? 'ended' : 'failed';
      next.reason = error instanceof PeerFault ? error.message : 'What was fetched could not be taken.';
      next.attempts++;
      const pause = Math.min(retryMs.first * 2 ** Math.min(next.attempts - 1, 10), retryMs.longest);
      dueMs = Math.max(pause, error instanceof PeerFault ? error.afterMs : 0);
    }
    await keep(database, next, dueMs, at);
  }

  #fault(error: unknown): void {
    this.#parts.log.error({ error: faultText(error) }, 'another hub was not asked as it should');
  }
}
