/** The person index as the rest of the hub sees it. */
import { blockingKeys, compare, demographicsOf, type Prepared, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { Database, Result, Row } from '../database/index.ts';
import { type FhirRecord, RecordError, ridOf, type WriteSet } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { DemographicsStore, type SourcePatient, sourceName } from './demographics-store.ts';
import { Linking } from './linking.ts';
import type { PersonChange } from './members.ts';
import { persons } from './persons.ts';
import { statedReplacements } from './replaced.ts';

/** What a source says about identities: A40 and its family, A24, A37, A43. Ids are those of source Patients. */
export interface StatedIdentity {
  /** `move`: what was linked with `a` is somebody else; `a` belongs to `b`. */
  kind: 'merge' | 'link' | 'unlink' | 'move';
  a: string;
  b: string;
  /** When the source said so, ISO 8601. */
  at: string;
  source: string;
}

/** Demographics of a source patient, for people who compare. */
export interface Side {
  patient: string;
  person: string;
  source: string;
  sourceName: string;
  name: string;
  birthDate: string | null;
  gender: string | null;
  address: string | null;
  phone: string | null;
  identifiers: { system: string; value: string }[];
}

/** More than these are not compared: a key that so many share says too little. */
const alikePerKey = 64;
const mostAlike = 100;

export class PersonIndex {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #store: DemographicsStore;
  readonly #stated = new WeakMap<WriteSet, StatedIdentity[]>();
  readonly #changes = new WeakMap<WriteSet, PersonChange[]>();
  readonly #confirmed = new WeakMap<WriteSet, ReadonlySet<number>>();

  constructor(database: Database, record: FhirRecord) {
    this.#database = database;
    this.#record = record;
    this.#store = new DemographicsStore(record.keys);
    record.usePersons(persons(database, record.keys));
    record.writer.beforeCommit((set) => this.#link(set));
  }

  /** Adds what a message says about identities to the transaction that stores the message's facts. */
  state(set: WriteSet, identity: StatedIdentity): void {
    this.#stated.set(set, [...(this.#stated.get(set) ?? []), identity]);
  }

  /** The persons whose members changed in a transaction. */
  changesOf(set: WriteSet): PersonChange[] {
    return this.#changes.get(set) ?? [];
  }

  /** The homes of which a steward or a source said in a transaction that they are one with another, linked before or not. */
  confirmedIn(set: WriteSet): number[] {
    return [...(this.#confirmed.get(set) ?? [])];
  }

  async #link(set: WriteSet): Promise<void> {
    const patients = set.changes.filter(({ after }) => after.type === 'Patient');
    const stated = this.#stated.get(set) ?? [];
    if (patients.length === 0 && stated.length === 0) return;
    const linking = new Linking(set.transaction, this.#record.keys, this.#store, set.now);
    linking.lock();
    await linking.changed(patients);
    for (const { kind, a, b, source, at } of stated) {
      const [one, other] = [set.homeOf(a), set.homeOf(b)];
      const ground = { by: `source:${source}`, reason: `the source said ${kind}`, at: new Date(at) };
      if (one === other || (await linking.isDecidedSince(one, other, ground.at))) continue;
      if (kind === 'move') await linking.separate(one, undefined, ground);
      if (kind === 'unlink') await linking.separate(one, [other], ground);
      else await linking.confirm(one, other, ground, 'source');
    }
    for (const replacement of await statedReplacements(set, this.#record.keys, patients))
      await linking.replace(replacement);
    this.#changes.set(set, await linking.finish(set));
    this.#confirmed.set(set, linking.confirmed);
  }

  /**
   * Who may be somebody of these demographics: ids of persons and source patients, as they are presented, that share a
   * blocking key with them. Who may see them, and whether they are alike, is for the caller to ask.
   */
  async alike(patient: Patient): Promise<string[]> {
    const keys = this.#record.keys.index.keyedBlocking(blockingKeys(prepare(demographicsOf(patient))));
    const { rows } = await this.#database.query<{ id: string }>({
      name: 'persons_alike',
      text: `SELECT DISTINCT coalesce(l.presented, l.patient) AS id FROM unnest($1::bigint[]) AS k (key)
             CROSS JOIN LATERAL (SELECT home FROM blocking_key WHERE key = k.key ORDER BY home LIMIT ${alikePerKey}) o
             JOIN link l ON l.home = o.home LIMIT ${mostAlike}`,
      values: [`{${keys.join(',')}}`],
    });
    return rows.map(({ id }) => id);
  }

  /** What matching looks at in source patients, by the digests that their links hold. */
  prepared(members: readonly { home: number; demographics: string | null }[]): Promise<Map<number, Prepared>> {
    return this.#store.prepared(this.#database, members);
  }

  /** Open or decided reviews, newest first. */
  async reviews(
    state: 'open' | 'decided',
    page: { limit: number; before: Date | undefined },
  ): Promise<{ reviews: object[]; open: number; next: string | null }> {
    const { rows } = await this.#database.query({
      text: `SELECT * FROM review WHERE decision IS ${state === 'open' ? 'NULL' : 'NOT NULL'}
             AND ($1::timestamptz IS NULL OR created < $1) ORDER BY created DESC, id LIMIT ${page.limit}`,
      values: [page.before ?? null],
    });
    const open = await this.#database.query('SELECT count(*) AS count FROM review WHERE decision IS NULL');
    const reviews = await this.#describe(rows);
    const last = rows.length === page.limit ? rows.at(-1) : undefined;
    return { reviews, open: Number(open.rows[0]!.count), next: last ? last.created.toISOString() : null };
  }

  /** Decides a review. @throws RecordError 404, 409 */
  async decide(id: string, access: Access, decision: 'same' | 'different', reason: string): Promise<object> {
    const found = await this.#database.query('SELECT a, b, decision FROM review WHERE id = $1', [ridOf(id)]);
    const review = found.rows[0];
    if (!review) throw new RecordError(404, 'not-found', 'There is no review of this id.');
    if (review.decision) throw new RecordError(409, 'conflict', 'This review was decided already.');
    await this.#change(async (linking) => {
      const ground = { by: access.who, reason };
      if (decision === 'same') await linking.confirm(review.a, review.b, ground, 'confirmed');
      else await linking.separate(review.a, [review.b], ground);
    });
    const { rows } = await this.#database.query('SELECT * FROM review WHERE id = $1', [ridOf(id)]);
    return (await this.#describe(rows))[0]!;
  }

  /** Takes a source patient out of its person. @throws RecordError 404 */
  async unlink(id: string, patient: string, access: Access, reason: string): Promise<object> {
    const { homes, rids } = await this.#resolve(id);
    const home = homes[rids.indexOf(ridOf(patient))];
    if (home === undefined || homes.length < 2) {
      throw new RecordError(404, 'not-found', 'This source patient is not linked to that person.');
    }
    await this.#change((linking) => linking.separate(home, undefined, { by: access.who, reason }));
    return this.person(
      homes.find((one) => one !== home) === undefined ? id : rids.find((rid) => rid !== ridOf(patient))!,
    );
  }

  /** A person's source patients and the history of their links. @throws RecordError 404 */
  async person(id: string): Promise<object> {
    const { homes, rids } = await this.#resolve(id);
    if (homes.length === 0) throw new RecordError(404, 'not-found', 'There is no person or source patient of this id.');
    const links = await this.#links(homes);
    const sources = await this.#store.load(this.#database, homes);
    const history = await this.#database.query(
      `SELECT at, by_whom, event, patient, reason, probability FROM link_history
       WHERE patient = ANY($1) OR person = ANY($2) OR previous = ANY($2) ORDER BY id DESC LIMIT 200`,
      [rids, links.rows.map((row) => row.person)],
    );
    return {
      id: links.rows[0]?.presented ?? links.rows[0]?.patient ?? id,
      members: links.rows.map((row) => ({
        ...side(row, sources.get(row.home)),
        grade: row.grade,
        since: row.since,
      })),
      history: history.rows.map(({ by_whom, ...row }) => ({ ...row, by: by_whom })),
    };
  }

  #links(homes: number[]): Promise<Result<Row>> {
    return this.#database.query({
      text: 'SELECT home, patient, source, person, presented, grade, since FROM link WHERE home = ANY($1) ORDER BY since',
      values: [homes],
    });
  }

  async #resolve(id: string): Promise<{ homes: number[]; rids: string[] }> {
    return persons(this.#database, this.#record.keys).resolvePatient(id);
  }

  async #change(decide: (linking: Linking) => Promise<void>): Promise<void> {
    await this.#record.writer.write({
      keys: [],
      patients: [],
      alone: true,
      apply: async (set) => {
        const linking = new Linking(set.transaction, this.#record.keys, this.#store, set.now);
        linking.lock();
        await decide(linking);
        this.#changes.set(set, await linking.finish(set));
        this.#confirmed.set(set, linking.confirmed);
        set.touch();
      },
    });
  }

  async #describe(reviews: Row[]): Promise<object[]> {
    const homes = [...new Set(reviews.flatMap(({ a, b }) => [a, b]))];
    const sources = await this.#store.load(this.#database, homes);
    const links = await this.#links(homes);
    const byHome = new Map(links.rows.map((row) => [row.home, row]));
    return reviews.flatMap((review) => {
      const [a, b] = [sources.get(review.a), sources.get(review.b)];
      if (!a || !b) return [];
      return {
        id: review.id,
        kind: review.kind,
        state: review.decision ? 'decided' : 'open',
        createdAt: review.created,
        score: review.weight,
        probability: review.probability,
        a: side(byHome.get(review.a), a),
        b: side(byHome.get(review.b), b),
        explanation: compare(a.prepared, b.prepared).explanation,
        guards: review.guards,
        decision: review.decision
          ? { decision: review.decision, by: review.decided_by, at: review.decided_at, reason: review.reason }
          : null,
      };
    });
  }
}

function side(link: Row | undefined, source: SourcePatient | undefined): Side {
  const patient = source?.patient ?? ({ resourceType: 'Patient' } as Patient);
  const name = patient.name?.[0];
  const address = patient.address?.[0];
  return {
    patient: patient.id ?? link?.patient,
    person: link?.presented ?? link?.patient,
    source: link?.source ?? 'api',
    sourceName: sourceName(patient) ?? link?.source ?? 'api',
    name: name
      ? (name.text ?? [...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean).join(' '))
      : '',
    birthDate: patient.birthDate ?? null,
    gender: patient.gender ?? null,
    address: address
      ? [...(address.line ?? []), address.city, address.state, address.postalCode].filter(Boolean).join(', ')
      : null,
    phone: patient.telecom?.find(({ system }) => system === 'phone')?.value ?? null,
    identifiers: (patient.identifier ?? []).map(({ system, value }) => ({ system: system ?? '', value: value ?? '' })),
  };
}
