/**
 * Reads an XML document into a tree without ever expanding entities or fetching anything: a DOCTYPE with an internal
 * subset, and any entity reference beyond the five of XML 1.0 §4.6, refuses the document.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { CDA_NAMESPACE, SDTC_NAMESPACE, type XmlAttribute, XmlElement, XSI_NAMESPACE } from './element.ts';
import { decodeXml } from './encoding.ts';

export interface XmlLimits {
  /** Bytes of the whole document. */
  bytes: number;
  /** Nesting of elements. */
  depth: number;
  /** Elements in the document. */
  elements: number;
  /** Attributes of one element. */
  attributes: number;
}

/** Documents of more characters are in memory in part; it takes little, and reading what is needed again takes time. */
export const WHOLE_CHARACTERS = 4 * 1024 * 1024;

export const XML_LIMITS: XmlLimits = { bytes: 64 * 1024 * 1024, depth: 200, elements: 2_000_000, attributes: 100 };

export interface XmlError {
  code: 'encoding' | 'doctype' | 'entity' | 'malformed' | 'limit' | 'empty' | 'not-cda';
  /** A sentence without content of the document. */
  message: string;
  /** From 1. */
  line?: number;
  /** From 1, in characters. */
  column?: number;
}

/** The tree of a document, which may be in memory in part: see `within`. */
export interface XmlDocument {
  root: XmlElement;
  /** The decoded text; an element's exact markup is `source.slice(element.start, element.end)`. */
  source: string;
  encoding: string;
  /** Elements in the document. */
  elements: number;
  /** Whether the content of entries is let go. */
  isFolded: boolean;
  /**
   * Does something with the content of an element. Of a large document what is inside an `entry` of a section is let go
   * when it was read, and read again from the source while it is needed here; elements inside must not be kept.
   */
  within<T>(element: XmlElement, work: () => T): T;
}

export type XmlResult = { ok: true; document: XmlDocument } | { ok: false; error: XmlError };

/**
 * Reads a document. Anything wrong is a value with its line and column; nothing is thrown.
 * @param whole how many characters a document has at most whose tree is in memory whole
 */
export function parseXml(
  input: Uint8Array | string,
  limits: Partial<XmlLimits> = {},
  whole = WHOLE_CHARACTERS,
): XmlResult {
  const bound = { ...XML_LIMITS, ...limits };
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength;
  if (size > bound.bytes) return refused(tooLarge(size, bound.bytes));
  const decoded = typeof input === 'string' ? { ok: true as const, text: input, encoding: 'utf-8' } : decodeXml(input);
  if (!decoded.ok) return refused({ code: 'encoding', message: decoded.message });
  const source = begun(decoded.text);
  if (source === '') return refused({ code: 'empty', message: 'the document is empty' });
  return build(source, decoded.encoding, bound, { isFolded: source.length > whole });
}

/**
 * Reads a document no further than to where enough is known, and at most so many of its first bytes: what follows is not
 * looked at, and may be malformed. A document of no more bytes than that is read whole.
 * @param isEnough asked at each element as it opens, with its attributes and all that stands before it
 */
export function parseXmlHead(input: Uint8Array, most: number, isEnough: (opened: XmlElement) => boolean): XmlResult {
  if (input.byteLength <= most) return parseXml(input);
  if (input.byteLength > XML_LIMITS.bytes) return refused(tooLarge(input.byteLength, XML_LIMITS.bytes));
  const decoded = decodeXml(input.subarray(0, most), true);
  if (!decoded.ok) return refused({ code: 'encoding', message: decoded.message });
  return build(begun(decoded.text), decoded.encoding, XML_LIMITS, { isEnough });
}

/** Line and column (from 1) of an offset into the source. */
export function positionOf(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let last = -1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) {
    line += 1;
    last = at;
  }
  return { line, column: offset - last };
}

class Refusal extends Error {
  readonly error: XmlError;
  constructor(error: XmlError) {
    super(error.message);
    this.error = error;
  }
}

function refused(error: XmlError): XmlResult {
  return { ok: false, error };
}

/** What must not stand before the XML declaration, and often does, is left out. */
function begun(text: string): string {
  return text.trimStart().replace(/^\uFEFF/, '');
}

function tooLarge(size: number, most: number): XmlError {
  return { code: 'limit', message: `the document has ${size} bytes; at most ${most} are accepted` };
}

/** Thrown where enough is known of a document that is not read whole. */
const ENOUGH = new Error('enough');

interface Manner {
  /** Only of a document that is not read whole: see `parseXmlHead`. */
  isEnough?: (opened: XmlElement) => boolean;
  /** Whether what is inside entries is let go. */
  isFolded?: boolean;
}

function build(source: string, encoding: string, bound: XmlLimits, manner: Manner): XmlResult {
  const { isEnough, isFolded = false } = manner;
  const parser = newParser({ xsi: XSI_NAMESPACE, sdtc: SDTC_NAMESPACE, voc: 'urn:hl7-org:v3/voc' });
  const refuse = (code: XmlError['code'], message: string): never => {
    throw new Refusal({ code, message, ...positionOf(source, parser.position) });
  };
  const names = new Names();
  const folds = isFolded ? new Folds(source, names) : undefined;
  const tree = new TreeBuilder(parser, source, 0, names);
  let elements = 0;
  let depth = 0;

  // Few handlers: each beyond these turns saxes' parser object into a slow one (five times slower as measured).
  if (source.includes('<!DOCTYPE')) {
    parser.on('doctype', (doctype) => {
      if (doctype.includes('[')) refuse('doctype', 'a DOCTYPE with an internal subset is not accepted; remove it');
    });
  }
  parser.on('opentag', (tag) => {
    if (++depth > bound.depth) refuse('limit', `elements are nested deeper than ${bound.depth}`);
    if (++elements > bound.elements) refuse('limit', `the document has more than ${bound.elements} elements`);
    const attributes = attributesOf(tag, names);
    if (attributes.length > bound.attributes) {
      refuse('limit', `an element has more than ${bound.attributes} attributes`);
    }
    const element = tree.open(tag, attributes, elements - 1);
    folds?.enter(tag);
    if (isEnough?.(element)) throw ENOUGH;
  });
  parser.on('text', tree.text);
  parser.on('cdata', tree.text);
  parser.on('closetag', () => {
    depth -= 1;
    const closed = tree.close();
    if (closed !== undefined) folds?.leave(closed);
  });

  try {
    parser.write(source);
    if (isEnough === undefined) parser.close();
  } catch (error) {
    if (error instanceof Refusal) return refused(error.error);
    if (error !== ENOUGH) return refused(describe(error, source, parser.position));
  }
  const { root } = tree;
  if (root === undefined) return refused({ code: 'empty', message: 'the document has no element' });
  const within = <T>(element: XmlElement, work: () => T): T => (folds ? folds.within(element, work) : work());
  return { ok: true, document: { root, source, encoding, elements, isFolded, within } };
}

type Parser = SaxesParser<{ xmlns: true; position: true; additionalNamespaces: Record<string, string> }>;

function newParser(additionalNamespaces: Record<string, string>): Parser {
  return new SaxesParser({ xmlns: true, position: true, additionalNamespaces });
}

/** Makes the tree, or the content of one element of it, of what the parser meets. */
class TreeBuilder {
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
  reopen(element: XmlElement): void {
    this.#open = element;
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

/** The namespaces in scope, by prefix. */
type Scope = Record<string, string>;

/** The entries of a document whose content is read again when it is needed. */
class Folds {
  readonly #source: string;
  readonly #names: Names;
  readonly #scopes: Scope[] = [{ xsi: XSI_NAMESPACE, sdtc: SDTC_NAMESPACE, voc: 'urn:hl7-org:v3/voc' }];
  readonly #folded = new Map<XmlElement, Scope>();
  readonly #unfolded = new Set<XmlElement>();

  constructor(source: string, names: Names) {
    this.#source = source;
    this.#names = names;
  }

  enter(tag: SaxesTagNS): void {
    const outer = this.#scopes.at(-1)!;
    let declares = false;
    for (const _ in tag.ns) declares = true;
    this.#scopes.push(declares ? { ...outer, ...tag.ns } : outer);
  }

  leave(element: XmlElement): void {
    this.#scopes.pop();
    if (element.name !== 'entry' || element.parent?.name !== 'section') return;
    element.empty();
    this.#folded.set(element, this.#scopes.at(-1)!);
  }

  within<T>(element: XmlElement, work: () => T): T {
    const scope = this.#folded.get(element);
    if (scope === undefined || this.#unfolded.has(element)) return work();
    this.#unfolded.add(element);
    try {
      this.#read(element, scope);
      return work();
    } finally {
      element.empty();
      this.#unfolded.delete(element);
    }
  }

  #read(element: XmlElement, scope: Scope): void {
    const text = this.#source.slice(element.start, element.end);
    const parser = newParser(scope);
    const tree = new TreeBuilder(parser, text, element.start, this.#names);
    let order = element.order;
    parser.on('opentag', (tag) => {
      if (order === element.order) tree.reopen(element);
      else tree.open(tag, attributesOf(tag, this.#names), order);
      order += 1;
    });
    parser.on('text', tree.text);
    parser.on('cdata', tree.text);
    parser.on('closetag', () => {
      tree.close();
    });
    parser.write(text).close();
  }
}

/** saxes' own words, unless they might quote the document. */
function describe(error: unknown, source: string, offset: number): XmlError {
  const reason = error instanceof Error ? error.message.replace(/^\d+:\d+: /, '') : '';
  const place = positionOf(source, offset);
  if (/entity/.test(reason)) {
    const message = 'only the five predefined entities and character references are accepted';
    return { code: 'entity', message, ...place };
  }
  const said = /^[a-z' ,<>&;-]+\.?$/i.test(reason) ? reason : 'see this place';
  return { code: 'malformed', message: `the XML is not well-formed: ${said}`, ...place };
}

/**
 * The names of a document, each one string however often it stands there: they are compared millions of times, and the
 * same string is equal at a glance.
 */
class Names {
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

function attributesOf(tag: SaxesTagNS, names: Names): readonly XmlAttribute[] {
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
