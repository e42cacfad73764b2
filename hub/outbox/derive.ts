/**
 * Says, in the transaction of a change, what must reach whom: a result goes to every other site that cares for the
 * person and knows the person under a record number of its own, a discharge summary to the family practice, and whatever
 * else a site's endpoint asks for. What changed is sent again as a correction, what is withdrawn or turns out to be another
 * person's as a retraction.
 *
 * Links made by the matcher are good enough here; filing into another site's chart without a person's confirmation is
 * decided by the routes of a destination.
 */
import { isReplacedSummary, openRecalls, Relationships } from '../care/index.ts';
import { locks } from '../database/index.ts';
import type { PersonChange, PersonIndex } from '../identity/index.ts';
import type { FhirRecord, ResourceChange, WriteSet } from '../record/index.ts';
import type { Participants, Route, Topic } from '../trust/index.ts';
import { confirmedLinks } from './confirmed.ts';
import {
  cancelUnsent,
  heldOf,
  insert,
  type Kind,
  type Member,
  membersOf,
  type Row,
  sentAbout,
  sentKey,
  sharedWith,
  withheldOf,
} from './derived-rows.ts';
import { asksForChanges, finalBefore, linkedFoci, noteBefore } from './earlier.ts';
import { changedFoci, type Focus, fociNamed, fociOf, focusKey, withoutRetold } from './focus.ts';
import { Introductions } from './introduce.ts';
import type { Lane } from './queue.ts';
import type { Missed } from './removed-routes.ts';
import { going } from './route-rules.ts';
import { parted, strayed, strayedIn, undone } from './taken-back.ts';
import { wantedTopics } from './wishes.ts';

/** What is told as a correction of these was told as something that does not hold; of others it is the next step. */
const recalledTopics: ReadonlySet<string> = new Set(['result', 'document', 'discharge-summary', 'immunization']);

export class Derivation {
  readonly #record: FhirRecord;
  readonly #persons: PersonIndex;
  readonly #participants: Participants;
  readonly #relationships: Relationships;
  readonly #written = new WeakMap<WriteSet, Lane[]>();
  /** Transactions in which a route is told what it missed. */
  readonly #retellings = new WeakMap<
    WriteSet,
    { lane: Lane; missed: readonly Missed[]; isFirst: boolean; told: number }
  >();

  /**
   * Adds itself to every transaction of the record, after the person index.
   * @param onCommit when something is to be sent: by which routes, and what of
   * @param relationships who cares for whom; noted in the same transactions
   */
  constructor(
    record: FhirRecord,
    persons: PersonIndex,
    participants: Participants,
    onCommit: (lanes: Lane[], changes: readonly ResourceChange[]) => void,
    relationships = new Relationships(record.keys, participants),
  ) {
    this.#relationships = relationships;
    this.#record = record;
    this.#persons = persons;
    this.#participants = participants;
    record.writer.beforeCommit((set) => this.#derive(set));
    record.writer.afterCommit((set) => {
      const lanes = this.#written.get(set);
      if (lanes) onCommit(lanes, set.changes);
    });
  }

  /** Tells a route that is there again what it missed, as it is now; first what is to be taken back. See `removed-routes.ts`. */
  async retell(lane: Lane, missed: readonly Missed[], isFirst: boolean): Promise<number> {
    const asked = { lane, missed, isFirst, told: 0 };
    await this.#record.writer.write({
      keys: [],
      patients: [],
      alone: true,
      apply: (set) => {
        this.#retellings.set(set, asked);
        set.touched = true;
      },
    });
    return asked.told;
  }

  async #derive(set: WriteSet): Promise<void> {
    const retelling = this.#retellings.get(set);
    if (retelling) {
      const { lane, missed, isFirst } = retelling;
      const rows = await this.#missed(set, lane, missed, isFirst);
      retelling.told = rows.length;
      return this.#write(set, rows);
    }
    const { keys } = this.#record;
    const wanted = wantedTopics(this.#participants.all());
    const anywhere = wanted.size > 0;
    const changed = anywhere ? await changedFoci(set, keys, wanted) : [];
    const moved = anywhere ? this.#persons.changesOf(set) : [];
    const decided = anywhere ? consentHomes(set) : [];
    const astray = anywhere ? strayedIn(set) : [];
    const confirmed = anywhere ? this.#persons.confirmedIn(set) : [];
    const affected = changed.length + moved.length + decided.length + confirmed.length > 0;
    if (affected) await lockLinks(set, decided.length + astray.length > 0);
    const begun = await this.#relationships.note(set, () => (affected ? Promise.resolve() : lockLinks(set)));
    if (!anywhere || !(affected || begun.length > 0)) return;
    const gained = moved.flatMap(({ before, after }) => (gains({ before, after }) ? after : []));
    const joined = [...new Set([...gained, ...begun])];
    const known = new Set(changed.map(focusKey));
    const older =
      joined.length > (begun.length > 0 ? 0 : 1)
        ? (await fociOf(set, keys, joined, wanted)).filter((one) => !known.has(focusKey(one)))
        : [];
    const linked = wanted.has('linked') ? await linkedFoci(set, keys, gained) : [];
    if (this.#routes().some(asksForChanges)) await noteBefore(set, keys, changed);
    const foci = [...linked, ...(await withoutRetold(set, [...older, ...changed]))];
    const relinked = [...new Set(moved.flatMap(({ before, after }) => [...before, ...after]))];
    const derived = new Set(foci.map(focusKey));
    const told = await this.#rows(set, foci, new Set(changed));
    const takenBack = [...(await undone(set, relinked)), ...(await strayed(set, astray))];
    const retold = await this.#retold(set, takenBack, derived);
    for (const { focus } of retold) derived.add(focusKey(focus));
    const withheld = await this.#withheld(set, [...new Set([...decided, ...relinked, ...confirmed])], derived);
    await this.#write(set, [...told, ...takenBack, ...retold, ...withheld]);
  }

  async #write(set: WriteSet, rows: Row[]): Promise<void> {
    if (rows.length === 0) return;
    insert(set, rows, await this.#recalls(set, rows));
    const lanes = new Map(rows.map(({ destination, route }) => [`${destination} ${route}`, { destination, route }]));
    this.#written.set(set, [...lanes.values()]);
  }

  async #rows(
    set: WriteSet,
    foci: Focus[],
    changed: Set<Focus>,
    isMeant: (row: Row) => boolean = () => true,
    isAnew = false,
  ): Promise<Row[]> {
    if (foci.length === 0) return [];
    const asked = [...new Set(foci.map(({ home }) => home))];
    const members = await membersOf(set, asked, this.#relationships);
    await cancelUnsent(
      set,
      foci.filter(({ withdrawn }) => withdrawn),
    );
    const sent = await sentAbout(set, foci);
    const held = heldOf(sent);
    const revised = foci.filter((one) => changed.has(one) && recalledTopics.has(one.topic) && held.has(focusKey(one)));
    const final = await finalBefore(set, this.#record.keys, revised);
    // A summary of the hub's own that the source's has replaced was not wrong.
    const recallOf = (kind: Kind, focus: Focus) =>
      kind === 'retraction'
        ? isReplacedSummary(focus.resource)
          ? undefined
          : 'withdrawn'
        : kind === 'correction' && final.has(focusKey(focus))
          ? 'corrected'
          : undefined;
    const isDemanding = this.#routes().some(({ grade }) => grade);
    const isConfirmed = isDemanding
      ? await confirmedLinks(set.transaction, [...members.map(({ home }) => home)])
      : () => true;
    const introductions = await Introductions.of(set, members, this.#routes());
    const rows: Row[] = [];
    const written = new Set<string>();
    for (const focus of foci) {
      const origin = members.find(({ home }) => home === focus.home);
      if (!origin) continue;
      const others = members.filter(({ person, source }) => person === origin.person && source !== origin.source);
      for (const destination of this.#participants.all()) {
        const own = others.filter(({ source }) => source === destination.key);
        for (const route of destination.key === origin.source ? [] : (destination.routes ?? [])) {
          const introduced = introductions.recipients(destination, route, origin, own.length > 0);
          const known = [...own, ...introduced];
          if (known.length === 0) continue;
          const history = sent.get(sentKey(destination.key, route.name, focus)) ?? [];
          const told = known.filter(({ patient }) =>
            history.some(({ recipient, live }) => live && recipient === patient),
          );
          const { goes, urgent, isChange } = going(route, destination, focus, told.length > 0);
          if (!goes) continue;
          const isLive = told.length > 0 && !isAnew;
          const kind = isChange && !isLive ? 'correction' : kindOf(focus, isLive, changed.has(focus));
          // Who does not care any longer is told what becomes of what it was told, and nothing new.
          const isToldElse = told.length > 0 && told.every((one) => introduced.includes(one));
          const chosen = isToldElse
            ? told[0]
            : own.length === 0 && introductions.cares(destination, origin)
              ? introduced[0]
              : choose(own, told);
          const recipient = chosen ?? (kind === 'new' ? undefined : told[0]);
          if (!kind || !recipient) continue;
          const isUnsure = route.grade === 'confirmed' && kind !== 'retraction';
          const isHeld = isUnsure && !isConfirmed(focus.home, recipient.home);
          // That it is one person with the recipient tells of it as well.
          const key = `${sentKey(destination.key, route.name, focus)} ${recipient.patient}`;
          if (written.has(key)) continue;
          written.add(key);
          const last = history.find((one) => one.recipient === recipient.patient);
          const row: Row = {
            focus,
            recall: recallOf(kind, focus),
            source: origin.source,
            person: origin.person,
            destination: destination.key,
            route: route.name,
            dialect: route.to.dialect,
            recipient: recipient.patient,
            recipientHome: recipient.home,
            kind,
            round: (last?.round ?? 0) + 1,
            urgent,
            ...(isHeld ? { isHeld } : {}),
          };
          if (!isMeant(row)) continue;
          rows.push(row);
          if (!isHeld && introduced.includes(recipient)) introductions.note(destination, route, recipient);
        }
      }
    }
    return introductions.before(rows, this.#record.keys);
  }

  #routes(): Route[] {
    return this.#participants.all().flatMap(({ routes = [] }) => routes);
  }

  /** The recalls that these rows are part of, by focus. */
  #recalls(set: WriteSet, rows: Row[]): Promise<Map<string, string>> {
    const recalled = rows.flatMap(({ focus: { type, rid, version, home }, source, recall: why }) =>
      why ? { type, rid, version, home, source, why } : [],
    );
    return openRecalls(set, recalled, this.#relationships.rules());
  }

  /**
   * What the access decision kept back of persons whose consents changed, and what waited for somebody to confirm a link, once more, as it is now and in the order in which
   * it was kept back. It is decided on anew before it is sent.
   * @param derived what is told of anyhow
   */
  async #withheld(set: WriteSet, homes: number[], derived: ReadonlySet<string>): Promise<Row[]> {
    const kept = (await withheldOf(set, homes)).filter((one) => !derived.has(focusKey(one)));
    if (kept.length === 0) return [];
    const foci = await fociNamed(set, this.#record.keys, kept, wantedTopics(this.#participants.all()));
    const place = new Map(kept.map(({ key }, i) => [key, i] as const).reverse());
    const placeOf = ({ destination, route, focus }: Row) => place.get(sentKey(destination, route, focus)) ?? -1;
    const isMeant = (row: Row) => placeOf(row) >= 0 && !row.isHeld;
    const rows = await this.#rows(set, foci, new Set(foci), isMeant);
    return rows.sort((a, b) => placeOf(a) - placeOf(b));
  }

  /**
   * What others state of the same facts as what is taken back: where that told the same it is told itself, behind it.
   * @param derived what is told of anyhow
   */
  async #retold(set: WriteSet, takenBack: readonly Row[], derived: ReadonlySet<string>): Promise<Row[]> {
    const shared = (await sharedWith(set, takenBack)).filter((one) => !derived.has(focusKey(one)));
    if (shared.length === 0) return [];
    const foci = await fociNamed(set, this.#record.keys, shared, wantedTopics(this.#participants.all()));
    const meant = new Set(shared.map(({ key }) => key));
    const isMeant = ({ destination, route, focus, recipient }: Row) =>
      meant.has(`${sentKey(destination, route, focus)} ${recipient}`);
    return this.#rows(set, foci, new Set(), isMeant, true);
  }

  /** What a route missed while it was not there. */
  async #missed(set: WriteSet, lane: Lane, missed: readonly Missed[], isFirst: boolean): Promise<Row[]> {
    await lockLinks(set, true);
    const { destination, route } = lane;
    const retracted = isFirst ? await parted(set, lane) : [];
    const gone = missed
      .filter(({ isGone }) => isGone)
      .map(({ topic, ...one }): Focus => {
        const rest = { message: undefined, resource: undefined, isPast: false, isCritical: false };
        return { ...one, ...rest, topic: topic as Topic, withdrawn: true };
      });
    const wanted = wantedTopics(this.#participants.all());
    const named = missed.filter(({ isGone }) => !isGone);
    const there = await fociNamed(set, this.#record.keys, named, wanted, true);
    const place = new Map(missed.map((one, i) => [focusKey(one), i]));
    const foci = [...gone, ...there].sort((a, b) => place.get(focusKey(a))! - place.get(focusKey(b))!);
    const isMeant = (row: Row) => row.destination === destination && row.route === route;
    return [...retracted, ...(await this.#rows(set, foci, new Set(foci), isMeant))];
  }
}

/**
 * Lets no link change until the commit, so that neither a new result nor a new link misses the other. Taken before any
 * row is written that a change of links writes too.
 * @param alone nobody else writes deliveries until then: they would be decided on by consents that do not hold any more, or be
 *   held to be told already by what is taken back
 */
async function lockLinks(set: WriteSet, alone = false): Promise<void> {
  const kind = alone ? '' : '_shared';
  await set.transaction.query({
    name: `outbox_links${kind}`,
    text: `SELECT pg_advisory_xact_lock_shared(${locks.links}), pg_advisory_xact_lock${kind}(${locks.deliveries})`,
  });
}

function gains({ before, after }: Pick<PersonChange, 'before' | 'after'>): boolean {
  return after.length > 1 && after.some((home) => !before.includes(home));
}

/** What a recipient must be told, given whether it holds something that was not taken back. */
function kindOf(focus: Focus, live: boolean, changed: boolean): Kind | undefined {
  if (focus.withdrawn) return live ? 'retraction' : undefined;
  if (!live) return focus.isPast ? undefined : 'new';
  return changed ? 'correction' : undefined;
}

/**
 * One of a site's own Patients of the person: the one that was told before, else the one that was known first; a record
 * that the site itself has merged into another is told nothing more.
 */
function choose(own: Member[], told: Member[]): Member | undefined {
  const caring = own.filter(({ cares }) => cares).sort((a, b) => a.home - b.home);
  return caring.find((member) => told.includes(member)) ?? caring[0];
}

/** The homes whose consents a transaction changes. */
function consentHomes(set: WriteSet): number[] {
  const consents = set.changes.filter(({ after }) => after.type === 'Consent');
  return [...new Set(consents.flatMap(({ before, after }) => [after.home, ...(before ? [before.home] : [])]))];
}
