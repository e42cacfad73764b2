/** The answer while it grows: names in their order, each with one value or a list. */
import { GraphqlError, type Location } from './errors.ts';

interface Slot {
  isList: boolean;
  type: string;
  values: unknown[];
}

export class Output {
  readonly #slots = new Map<string, Slot>();

  /** Makes a place for a name, so that it stands in its order; without values a list is empty and a single value absent. */
  reserve(key: string, isList: boolean, type: string, place: Location | undefined): Slot {
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = { isList, type, values: [] };
      this.#slots.set(key, slot);
    } else if (slot.type !== type || slot.isList !== isList) {
      throw new GraphqlError(`Elements of two kinds would be ${key}; give one of them another name.`, place);
    }
    return slot;
  }

  /** @throws GraphqlError for a second value where one is expected, and for values of two types under one name */
  add(key: string, isList: boolean, type: string, value: unknown, place: Location | undefined): void {
    const slot = this.reserve(key, isList, type, place);
    if (!isList && slot.values.length > 0) {
      throw new GraphqlError(
        `${key} would have several values where one is expected; use @first, or leave @singleton out.`,
        place,
      );
    }
    slot.values.push(value);
  }

  /** As plain values; a name is an own property whatever it is, `__proto__` too. */
  toJSON(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (const [key, { isList, values }] of this.#slots) {
      if (isList) entries.push([key, values.map(plain)]);
      else if (values.length > 0) entries.push([key, plain(values[0])]);
    }
    return Object.fromEntries(entries);
  }
}

function plain(value: unknown): unknown {
  return value instanceof Output ? value.toJSON() : value;
}
