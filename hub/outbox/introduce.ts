/**
 * Persons for whom a destination cares and of whom it has no Patient: where its route says so they are introduced, under the
 * numbers of one of those who know them, and told of under these.
 */
import { carersOf } from '../care/index.ts';
import type { HomeKeys, WriteSet } from '../record/index.ts';
import type { Participant, Route } from '../trust/index.ts';
import type { Member, Row } from './derived-rows.ts';
import { patientsNow } from './earlier.ts';

export class Introductions {
  readonly #set: WriteSet;
  readonly #members: readonly Member[];
  /** By destination, route and person: under whose numbers. */
  readonly #known = new Map<string, Member>();
  readonly #fresh = new Map<string, { member: Member; destination: Participant; route: Route }>();
  #carers = new Map<number, string[]>();

  private constructor(set: WriteSet, members: readonly Member[]) {
    this.#set = set;
    this.#members = members;
  }

  /** @param routes of all destinations */
  static async of(set: WriteSet, members: readonly Member[], routes: readonly Route[]): Promise<Introductions> {
    const introductions = new Introductions(set, members);
    await introductions.#load(routes.some(introduces));
    return introductions;
  }

  async #load(isAsked: boolean): Promise<void> {
    for (const member of this.#members) {
      for (const { destination, route } of member.introduced ?? [])
        this.#known.set(keyOf(destination, route, member.person), member);
    }
    const homes = this.#members.map(({ home }) => home);
    if (isAsked) this.#carers = await carersOf(this.#set.transaction, homes, this.#set.now);
  }

  /** Whether an organisation cares for the person of a source patient, whatever it knows. */
  cares(destination: Participant, { home }: Member): boolean {
    return this.#carers.get(home)?.includes(destination.key) === true;
  }

  /**
   * Under whose numbers a destination is, or can be, told of a person.
   * @param isKnown it has a Patient of its own, so that nobody is introduced any more
   */
  recipient(destination: Participant, route: Route, { person, home }: Member, isKnown: boolean): Member | undefined {
    const known = this.#known.get(keyOf(destination.key, route.name, person));
    if (known || isKnown || !introduces(route)) return known;
    const all = this.#members.filter((one) => one.person === person && one.source !== destination.key && one.stands);
    const member = all.sort((a, b) => a.home - b.home)[0];
    return member && this.#carers.get(home)?.includes(destination.key) ? member : undefined;
  }

  /** Notes that something is to be told under the numbers of a member that the destination may not have heard of. */
  note(destination: Participant, route: Route, member: Member): void {
    const key = keyOf(destination.key, route.name, member.person);
    if (!this.#known.has(key)) this.#fresh.set(key, { member, destination, route });
    this.#known.set(key, member);
  }

  /** Keeps those who are introduced; the deliveries that go before all else. In other dialects they go along with it. */
  async rows(keys: HomeKeys): Promise<Row[]> {
    const fresh = [...this.#fresh.values()];
    if (fresh.length === 0) return [];
    this.#set.transaction.send({
      name: 'outbox_introduce',
      text: `INSERT INTO introduction (destination, route, home, at) SELECT *, $4 FROM unnest($1::text[], $2::text[], $3::bigint[])
             ON CONFLICT DO NOTHING`,
      values: [
        fresh.map(({ destination }) => destination.key),
        fresh.map(({ route }) => route.name),
        fresh.map(({ member }) => member.home),
        this.#set.now,
      ],
    });
    const patients = await patientsNow(
      this.#set,
      keys,
      fresh.map(({ member }) => member.patient),
    );
    return fresh.flatMap(({ member, destination, route }) => {
      const patient = patients.find(({ rid }) => rid === member.patient);
      if (!patient || route.to.dialect !== 'hl7v2') return [];
      return {
        focus: { ...patient, topic: 'person' },
        recall: undefined,
        source: member.source,
        person: member.person,
        destination: destination.key,
        route: route.name,
        dialect: route.to.dialect,
        recipient: member.patient,
        recipientHome: member.home,
        kind: 'new',
        round: 1,
        urgent: false,
      };
    });
  }
}

function introduces({ unknown }: Route): boolean {
  return unknown === 'introduce';
}

function keyOf(destination: string, route: string, person: string): string {
  return `${destination} ${route} ${person}`;
}
