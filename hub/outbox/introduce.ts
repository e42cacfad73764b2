/**
 * Persons for whom a destination cares and of whom it has no Patient: where its route says so they are introduced, under the
 * numbers of one of those who know them, and told of under these.
 */
import { carersOf } from '../care/index.ts';
import type { HomeKeys, WriteSet } from '../record/index.ts';
import type { Participant, Route } from '../trust/index.ts';
import { type Member, type Row, sentKey } from './derived-rows.ts';
import { patientsNow } from './earlier.ts';

export class Introductions {
  readonly #set: WriteSet;
  readonly #members: readonly Member[];
  /** By destination, route and person: under whose numbers; of several since persons turned out to be one. */
  readonly #known = new Map<string, Member[]>();
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
      for (const { destination, route } of member.introduced ?? []) this.#add(destination, route, member);
    }
    const homes = this.#members.map(({ home }) => home);
    if (isAsked) this.#carers = await carersOf(this.#set.transaction, homes, this.#set.now);
  }

  /** Whether an organisation cares for the person of a source patient, whatever it knows. */
  cares(destination: Participant, { home }: Member): boolean {
    return this.#carers.get(home)?.includes(destination.key) === true;
  }

  /**
   * Under whose numbers a destination was told of a person, or can be; what is new goes under the first of them.
   * @param isKnown it has a Patient of its own, so that nobody is introduced any more
   */
  recipients(destination: Participant, route: Route, origin: Member, isKnown: boolean): readonly Member[] {
    const { person } = origin;
    const known = this.#known.get(keyOf(destination.key, route.name, person)) ?? [];
    if (known.length > 0 || isKnown || !introduces(route) || !this.cares(destination, origin)) return known;
    const others = this.#members.filter((one) => one.person === person && one.source !== destination.key && one.stands);
    return others.sort(byHome).slice(0, 1);
  }

  /** Notes that something is to be told under the numbers of a member that the destination may not have heard of. */
  note(destination: Participant, route: Route, member: Member): void {
    const key = keyOf(destination.key, route.name, member.person);
    if (this.#known.has(key)) return;
    this.#fresh.set(key, { member, destination, route });
    this.#add(destination.key, route.name, member);
  }

  #add(destination: string, route: string, member: Member): void {
    const key = keyOf(destination, route, member.person);
    this.#known.set(key, [...(this.#known.get(key) ?? []), member].sort(byHome));
  }

  /**
   * Keeps those who are introduced; their Patients go before all else. In other dialects they go along with it.
   * @param rows what is to be told
   */
  async before(rows: readonly Row[], keys: HomeKeys): Promise<Row[]> {
    const fresh = [...this.#fresh.values()];
    if (fresh.length === 0) return [...rows];
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
    const first = fresh.flatMap(({ member, destination, route }): Row[] => {
      const patient = patients.find(({ rid }) => rid === member.patient);
      if (!patient || route.to.dialect !== 'hl7v2') return [];
      return [
        {
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
        },
      ];
    });
    const introduced = new Map(first.map((row) => [toldKey(row), row]));
    // Where the route takes persons too, it is told of this one already.
    const others = rows.filter((row) => !introduced.has(toldKey(row)));
    return [...first, ...others];
  }
}

function byHome(a: Member, b: Member): number {
  return a.home - b.home;
}

function toldKey({ destination, route, focus, recipient }: Row): string {
  return `${sentKey(destination, route, focus)} ${recipient}`;
}

function introduces({ unknown }: Route): boolean {
  return unknown === 'introduce';
}

function keyOf(destination: string, route: string, person: string): string {
  return `${destination} ${route} ${person}`;
}
