/** Which persons were looked at by whom, within the last hour and by hours of the clock; bounded in memory. */

export type Looker = 'organization' | 'account';

const hourMs = 3_600_000;
/** More persons of one looker are not told apart: it is far over any bound. */
const mostPersons = 20_000;
const mostLookers = 20_000;

interface Looked {
  kind: Looker;
  key: string;
  /** When each person was looked at last, in milliseconds. */
  last: Map<string, number>;
  /** Persons by the beginning of the hour of the clock. */
  hours: Map<number, Set<string>>;
}

export class Seen {
  readonly #lookers = new Map<string, Looked>();

  /** Notes that persons were looked at. @param at milliseconds since 1970 */
  add(kind: Looker, key: string, at: number, persons: readonly string[]): void {
    const name = `${kind} ${key}`;
    let looked = this.#lookers.get(name);
    if (!looked) {
      if (this.#lookers.size >= mostLookers) return;
      looked = { kind, key, last: new Map(), hours: new Map() };
      this.#lookers.set(name, looked);
    }
    const hour = Math.floor(at / hourMs) * hourMs;
    let inHour = looked.hours.get(hour);
    if (!inHour) {
      inHour = new Set();
      looked.hours.set(hour, inHour);
    }
    for (const person of persons) {
      if (inHour.size < mostPersons) inHour.add(person);
      const before = looked.last.get(person);
      if (before !== undefined ? before < at : looked.last.size < mostPersons) looked.last.set(person, at);
    }
  }

  /** Who looked at more than so many persons within the hour before `now`. */
  over(bound: number, now: number): { kind: Looker; key: string; persons: number }[] {
    const found: { kind: Looker; key: string; persons: number }[] = [];
    for (const { kind, key, last } of this.#lookers.values()) {
      if (last.size <= bound) continue;
      for (const [person, at] of last) if (at < now - hourMs) last.delete(person);
      if (last.size > bound) found.push({ kind, key, persons: last.size });
    }
    return found;
  }

  /** How many persons everybody looked at in each hour that is over; they are told of once, and forgotten. */
  closedHours(now: number): { hour: number; counts: { kind: Looker; key: string; persons: number }[] }[] {
    const closed = new Map<number, { kind: Looker; key: string; persons: number }[]>();
    // What was written in the last moments of an hour is read a little later.
    const before = Math.floor((now - 60_000) / hourMs) * hourMs;
    for (const [name, { kind, key, last, hours }] of this.#lookers) {
      for (const [hour, persons] of hours) {
        if (hour >= before) continue;
        hours.delete(hour);
        const counts = closed.get(hour) ?? [];
        counts.push({ kind, key, persons: persons.size });
        closed.set(hour, counts);
      }
      for (const [person, at] of last) if (at < now - hourMs) last.delete(person);
      if (last.size === 0 && hours.size === 0) this.#lookers.delete(name);
    }
    return [...closed].map(([hour, counts]) => ({ hour, counts }));
  }
}
