/** Makes a tree of what the parser of XML meets. */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { CDA_NAMESPACE, SDTC_NAMESPACE, type XmlAttribute, XmlElement, XSI_NAMESPACE } from './element.ts';

/** Prefixes that senders use without declaring them. */
export const KNOWN_PREFIXES = { xsi: XSI_NAMESPACE, sdtc: SDTC_NAMESPACE, voc: 'urn:hl7-org:v3/voc' };

export type Parser = SaxesParser<{
  xmlns: true;
  position: true;
  additionalNamespaces: Record<string, string>;
  defaultXMLVersion: '1.0' | '1.1';
}>;

/** @param version of XML, where nothing says it */
export function newParser(additionalNamespaces: Record<string, string>, version?: string): Parser {
  const defaultXMLVersion = version === '1.1' ? '1.1' : '1.0';
  return new SaxesParser({ xmlns: true, position: true, additionalNamespaces, defaultXMLVersion });
}

/** Makes the tree, or the content of one element of it, of what the parser meets. */
export class TreeBuilder {
  root: XmlElement | undefined;
  readonly #parser: Parser;
  readonly #source: string;
  /** Where in the document the text begins that is parsed. */
  readonly #base: number;
  readonly #names: Names;
  #open: XmlElement | undefined;
  /** The narrative block that is open: only there do blanks between elements count. */
  #narrative: XmlElement | undefined;

  constructor(parser: Parser, source: string, base: number, names: Names) {
    this.#parser = parser;
    this.#source = source;
    this.#base = base;
    this.#names = names;
  }

  open(tag: SaxesTagNS, attributes: readonly XmlAttribute[], order: number): XmlElement {
    // No attribute value may hold a `<`: the last one before here opened this tag.
    const start = this.#source.lastIndexOf('<', this.#parser.position - 1) + this.#base;
    const element = new XmlElement(this.#names.of(tag.uri, tag.local), this.#open, order, start, attributes);
    if (this.#open === undefined) this.root = element;
    else this.#open.appendChild(element);
    this.#open = element;
    if (element.name === 'text' && element.parent?.name === 'section') this.#narrative ??= element;
    return element;
  }

  /** Goes on in an element that is there already. */
  reopen(element: XmlElement, isNarrative: boolean): void {
    this.#open = element;
    if (isNarrative) this.#narrative = element;
  }

  readonly text = (characters: string): void => {
    const open = this.#open;
    if (open === undefined || (this.#narrative === undefined && !/\S/.test(characters))) return;
    open.appendText(characters);
  };

  close(): XmlElement | undefined {
    const closed = this.#open;
    if (closed === undefined) return undefined;
    closed.close(this.#parser.position + this.#base);
    if (closed === this.#narrative) this.#narrative = undefined;
    this.#open = closed.parent;
    return closed;
  }
}

/**
 * The names of a document, each one string however often it stands there: they are compared millions of times, and the
 * same string is equal at a glance.
 */
export class Names {
  private readonly known = new Map<string, Map<string, string>>();

  of(uri: string, local: string): string {
    let names = this.known.get(uri);
    if (names === undefined) {
      names = new Map();
      this.known.set(uri, names);
    }
    let name = names.get(local);
    if (name === undefined) {
      name = nameOf(uri, local);
      names.set(local, name);
    }
    return name;
  }
}

/** A document that declares no namespace is read as CDA, since some senders leave it out. */
export function nameOf(uri: string, local: string): string {
  if (uri === CDA_NAMESPACE || uri === '') return local;
  if (uri === SDTC_NAMESPACE) return `sdtc:${local}`;
  if (uri === XSI_NAMESPACE) return `xsi:${local}`;
  return `{${uri}}${local}`;
}

const NO_ATTRIBUTES: readonly XmlAttribute[] = [];
/** Where the attributes of one tag are gathered, so that their list is no longer than it has to be. */
const COLLECTED: XmlAttribute[] = [];

export function attributesOf(tag: SaxesTagNS, names: Names): readonly XmlAttribute[] {
  let count = 0;
  for (const name in tag.attributes) {
    const { prefix, uri, local, value } = tag.attributes[name]!;
    if (prefix !== 'xmlns' && name !== 'xmlns') COLLECTED[count++] = { name: names.of(uri, local), value };
  }
  if (count === 0) return NO_ATTRIBUTES;
  const attributes = COLLECTED.slice(0, count);
  COLLECTED.fill(undefined as never, 0, count);
  return attributes;
}
