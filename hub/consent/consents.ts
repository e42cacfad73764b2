/**
 * Keeps the provisions of `consent_provision` in step with the Consents of the record and with who is linked to whom, in
 * the transactions that change these: what a patient restricts holds from the commit on.
 */
import { consentsThatCount, type GivenConsent, readConsent } from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import type { Database, Transaction } from '../database/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import { type FhirRecord, openText, ridOf, sealIdentity, type WriteSet } from '../record/index.ts';
import { closeAll, closedHome, lockDerivation, lockStamp, stampOf } from './derivation.ts';
import { provisionRows, writeProvisions } from './provision-rows.ts';

/** A source patient, and the person it belongs to. */
interface Member {
  home: number;
  source: string;
  person: string;
  /** Its being this person was confirmed by somebody, or stated by its source. */
  isConfirmed: boolean;
}

const consentType = typeCode('Consent')!;
const lookMs = 1_000;

export class Consents {
  readonly #record: FhirRecord;
  readonly #persons: PersonIndex;
  readonly #zone: () => string;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param zone the network's time zone */
  constructor(record: FhirRecord, persons: PersonIndex, zone: () => string) {
    this.#record = record;
    this.#persons = persons;
    this.#zone = zone;
    record.writer.beforeCommit((set, transaction) => this.#follow(set, transaction));
  }

  /**
   * Says by which time zone, and by this program, provisions are made from this transaction on. Where that is new, whoever
   * gave a consent is closed until they are made anew.
   * @param transaction one that may read every home
   */
  async expect(transaction: Transaction, zone: string): Promise<void> {
    const stamp = stampOf(zone, this.#record.keys.index);
    if ((await lockStamp(transaction)) !== stamp) await closeAll(transaction, stamp);
  }

  /** Makes anew what is closed, now and whenever something is. @param database one that may read every home */
  watch(database: Database, fault: (error: unknown) => void): void {
    const look = () => {
      this.#turn = this.#turn.then(() => this.makeAnew(database, fault)).catch(fault);
    };
    look();
    this.#timer = setInterval(look, lookMs).unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** Makes the provisions of closed homes, a home at a time; goes on where it was interrupted. */
  async makeAnew(database: Database, fault: (error: unknown) => void): Promise<void> {
    // What fails is tried again the next time, and keeps nothing back.
    let after = 0;
    while (!this.#isClosed) {
      const { rows } = await database.query({
        name: 'consent_stale',
        text: 'SELECT home FROM consent_provision WHERE stale AND home > $1 ORDER BY home LIMIT 1',
        values: [after],
      });
      if (!rows[0]) return;
      after = rows[0].home;
      await database
        .transaction((transaction) => this.#derive(transaction, [after], []), { scope: 'all' })
        .catch(fault);
    }
  }

  async #follow(set: WriteSet, transaction: Transaction): Promise<void> {
    const homes = new Set<number>();
    for (const { before, after } of set.changes) {
      if (after.type !== 'Consent') continue;
      if (before) homes.add(before.home);
      homes.add(after.home);
    }
    for (const { before, after } of this.#persons.changesOf(set))
      for (const home of [...before, ...after]) homes.add(home);
    for (const home of homes) if (home < 0) homes.delete(home);
    if (homes.size > 0) await this.#derive(transaction, [...homes], set.changes);
  }

  /** Writes the provisions anew for homes, and for all that belong to the same persons. */
  async #derive(transaction: Transaction, homes: number[], changes: WriteSet['changes']): Promise<void> {
    const [stamp, members] = await Promise.all([lockDerivation(transaction), membersOf(transaction, homes)]);
    const isExpected = stamp === '' || stamp === stampOf(this.#zone(), this.#record.keys.index);
    const consents = await this.#consents(transaction, changes, [
      ...new Set([...homes, ...members.map(({ home }) => home)]),
    ]);
    const affected = new Set([...members.map(({ home }) => home), ...homes]);
    const rows = [...affected].flatMap((home) => {
      const own = members.find((member) => member.home === home) ?? unlinked(home);
      const given = consents.flatMap(({ home: giver, id, consent }): GivenConsent[] => {
        const by = members.find((member) => member.home === giver) ?? unlinked(giver);
        if (by.person !== own.person) return [];
        return [{ id, consent, isConfirmed: giver === home || (by.isConfirmed && own.isConfirmed) }];
      });
      // By another program or time zone than is expected nothing is made: whoever goes by these does it.
      if (!isExpected) return given.length > 0 ? closedHome(home) : [];
      return provisionRows(home, own.source, consentsThatCount(given), this.#record.keys.index);
    });
    writeProvisions(transaction, [...affected], rows);
  }

  /** The active Consents of homes, as the transaction leaves them. */
  async #consents(transaction: Transaction, changes: WriteSet['changes'], homes: number[]) {
    const changed = new Map<string, WriteSet['changes'][number]>();
    for (const change of changes) if (change.after.type === 'Consent') changed.set(change.after.rid, change);
    const { rows } = await transaction.query({
      name: 'consents_of',
      text: `SELECT home, rid, version, body FROM resource WHERE home = ANY($1) AND type = ${consentType} AND NOT deleted`,
      values: [homes],
    });
    const stored = rows.filter((row) => !changed.has(row.rid));
    const keys = await this.#record.keys.load(
      transaction,
      stored.map((row) => row.home),
    );
    const texts = stored.flatMap((row) => {
      const key = keys.get(row.home);
      if (!key || !row.body) return [];
      const text = openText(row.body, key, sealIdentity({ type: 'Consent', rid: row.rid, version: row.version }));
      return { home: row.home as number, id: row.rid as string, resource: JSON.parse(text) as Record<string, unknown> };
    });
    const made = [...changed].flatMap(([id, change]) => {
      const { home } = change.after;
      const resource = homes.includes(home) ? change.parsed() : undefined;
      return resource ? { home, id, resource } : [];
    });
    return [...texts, ...made]
      .filter(({ resource }) => resource.status === 'active')
      .map(({ home, id, resource }) => ({ home, id: ridOf(id), consent: readConsent(resource, this.#zone()) }));
  }
}

/** The members of all persons to whom homes belong, as the transaction leaves them. */
async function membersOf(transaction: Transaction, homes: number[]): Promise<Member[]> {
  const { rows } = await transaction.query({
    name: 'consent_members',
    text: `SELECT m.home, m.source, m.person, m.grade IN ('confirmed', 'source') AS confirmed FROM link m
           WHERE m.person IN (SELECT l.person FROM link l WHERE l.home = ANY($1))`,
    values: [homes],
  });
  return rows.map(({ home, source, person, confirmed }) => ({ home, source, person, isConfirmed: confirmed }));
}

/** A patient of whom only the name is known so far. */
function unlinked(home: number): Member {
  return { home, source: '', person: `home:${home}`, isConfirmed: false };
}
