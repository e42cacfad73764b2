import type { Resource } from '@medplum/fhirtypes';
import { type Reference, referencesOf } from './references.ts';

/**
 * Texts of versions in memory, the latest of each resource: what was just stored is told of next, and whom it names again. A
 * version is known by its time, which no other of the resource ever has, also where it was expunged and is made anew.
 */

/** The text of a version. What it says is parsed once and given to all who ask: nobody may change it. */
export class Known {
  readonly type: string;
  readonly updated: Date;
  readonly text: string;
  #resource: Resource | undefined;
  /** What it refers to where it is the focus, and where it is not. */
  readonly #references: (Reference[] | undefined)[] = [];

  /** @param resource what the text says, where somebody has parsed it already */
  constructor(type: string, updated: Date, text: string, resource?: Resource) {
    this.type = type;
    this.updated = updated;
    this.text = text;
    this.#resource = resource;
  }

  get resource(): Resource {
    this.#resource ??= JSON.parse(this.text) as Resource;
    return this.#resource;
  }

  references(isFocus: boolean): readonly Reference[] {
    this.#references[Number(isFocus)] ??= referencesOf(this.resource, isFocus);
    return this.#references[Number(isFocus)]!;
  }
}

/** So many characters are kept, of texts that are not longer than this: those of some hundred messages. */
const charactersAtMost = 1024 * 1024;
const longest = 64 * 1024;

export class KnownTexts {
  /** By id, the one that was not asked for the longest first. */
  readonly #texts = new Map<string, Known>();
  #characters = 0;

  /** @param resource see `Known` */
  keep({ type, rid, updated }: { type: string; rid: string; updated: Date }, text: string, resource?: Resource): Known {
    const known = new Known(type, updated, text, resource);
    const before = this.#texts.get(rid);
    if (text.length > longest || (before && before.updated > updated)) return known;
    this.#drop(rid);
    this.#texts.set(rid, known);
    this.#characters += text.length;
    for (const oldest of this.#texts.keys()) {
      if (this.#characters <= charactersAtMost) break;
      this.#drop(oldest);
    }
    return known;
  }

  /** Of whatever type. */
  ofId(rid: string): Known | undefined {
    const found = this.#texts.get(rid);
    if (!found) return undefined;
    this.#texts.delete(rid);
    this.#texts.set(rid, found);
    return found;
  }

  of(type: string, rid: string): Known | undefined {
    const found = this.#texts.get(rid);
    return found?.type === type ? found : undefined;
  }

  #drop(rid: string): void {
    const known = this.#texts.get(rid);
    if (!known) return;
    this.#texts.delete(rid);
    this.#characters -= known.text.length;
  }
}
