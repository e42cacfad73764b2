/**
 * Entries and narratives of a large document: what is inside is let go when it was read, and read again from the source
 * when it is needed. The source was found well-formed before.
 */
import type { SaxesTagNS } from 'saxes';
import { XmlElement } from './element.ts';
import { attributesOf, KNOWN_PREFIXES, type Names, newParser, type Parser, TreeBuilder } from './tree.ts';
import type { NarrativePlace } from './xml.ts';

/** The namespaces in scope, by prefix. */
type Scope = Record<string, string>;

export class Folds {
  readonly #source: string;
  readonly #names: Names;
  readonly #version: () => string | undefined;
  readonly #scopes: Scope[] = [KNOWN_PREFIXES];
  readonly #folded = new Map<XmlElement, Scope>();
  readonly #unfolded = new Set<XmlElement>();
  readonly #readers = new Map<Scope, Reader>();
  /** How many tags declared namespaces so far, and had when each open element began. */
  #declaring = 0;
  readonly #before: number[] = [];

  /** @param version of the document’s XML, once it began */
  constructor(source: string, names: Names, version: () => string | undefined) {
    this.#source = source;
    this.#names = names;
    this.#version = version;
  }

  enter(tag: SaxesTagNS): void {
    const outer = this.#scopes.at(-1)!;
    let declares = false;
    for (const _ in tag.ns) declares = true;
    this.#before.push(this.#declaring);
    if (declares) this.#declaring += 1;
    this.#scopes.push(declares ? { ...outer, ...tag.ns } : outer);
  }

  leave(element: XmlElement): void {
    this.#scopes.pop();
    const before = this.#before.pop()!;
    const isEntry = element.name === 'entry';
    if ((!isEntry && element.name !== 'text') || element.parent?.name !== 'section') return;
    // Parts of a narrative are read alone: what is declared around them there would be lost.
    if (!isEntry && this.#declaring > before) return;
    element.empty();
    this.#folded.set(element, this.#scopes.at(-1)!);
  }

  has(element: XmlElement): boolean {
    return this.#folded.has(element);
  }

  within<T>(element: XmlElement, work: () => T): T {
    const scope = this.#folded.get(element);
    if (scope === undefined || this.#unfolded.has(element)) return work();
    this.#unfolded.add(element);
    try {
      this.#reader(scope).read(element, element.name === 'text');
      return work();
    } finally {
      element.empty();
      this.#unfolded.delete(element);
    }
  }

  part({ text, around, start, end, order }: NarrativePlace): XmlElement {
    const parent = new XmlElement(around, undefined, -1, start, []);
    return this.#reader(this.#folded.get(text)!).part(parent, start, end, order);
  }

  #reader(scope: Scope): Reader {
    let reader = this.#readers.get(scope);
    if (reader === undefined) {
      reader = new Reader(this.#source, scope, this.#version(), this.#names);
      this.#readers.set(scope, reader);
    }
    return reader;
  }
}

/** Reads elements again that stand under the same namespaces, by one parser: to make one takes longer than to read much. */
class Reader {
  readonly #source: string;
  readonly #names: Names;
  readonly #parser: Parser;
  #tree!: TreeBuilder;
  #order = 0;
  /** The element whose content is read, until its tag was met. */
  #into: XmlElement | undefined;

  constructor(source: string, scope: Scope, version: string | undefined, names: Names) {
    this.#source = source;
    this.#names = names;
    this.#parser = newParser(scope, version);
    this.#parser.on('opentag', (tag) => {
      if (this.#into !== undefined) this.#into = undefined;
      else this.#tree.open(tag, attributesOf(tag, this.#names), this.#order);
      this.#order += 1;
    });
    this.#parser.on('text', (characters) => this.#tree.text(characters));
    this.#parser.on('cdata', (characters) => this.#tree.text(characters));
    this.#parser.on('closetag', () => void this.#tree.close());
  }

  /** Reads the content of an element. */
  read(element: XmlElement, isNarrative: boolean): void {
    this.#into = element;
    this.#parse(element, isNarrative, element.start, element.end, element.order);
  }

  /** Reads an element of a narrative. */
  part(around: XmlElement, start: number, end: number, order: number): XmlElement {
    this.#parse(around, true, start, end, order);
    return around.children[0]!;
  }

  #parse(open: XmlElement, isNarrative: boolean, start: number, end: number, order: number): void {
    const text = this.#source.slice(start, end);
    this.#tree = new TreeBuilder(this.#parser, text, start, this.#names);
    this.#tree.reopen(open, isNarrative);
    this.#order = order;
    this.#parser.write(text).close();
  }
}
