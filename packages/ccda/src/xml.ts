/**
 * Reads an XML document into a tree without ever expanding entities or fetching anything: a DOCTYPE with an internal
 * subset, and any entity reference beyond the five of XML 1.0 §4.6, refuses the document.
 */
import type { XmlElement } from './element.ts';
import { decodeXml } from './encoding.ts';
import { Folds } from './folds.ts';
import { attributesOf, KNOWN_PREFIXES, Names, newParser, TreeBuilder } from './tree.ts';

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
  /** Whether the content of entries and narratives is let go. */
  isFolded: boolean;
  /**
   * Does something with the content of an element. Of a large document what is inside an `entry` or the `text` of a section
   * is let go when it was read, and read again from the source while it is needed here; elements inside must not be kept.
   */
  within<T>(element: XmlElement, work: () => T): T;
  /** Whether what is inside the element is let go. */
  isLetGo(element: XmlElement): boolean;
  /** Reads a narrative that was let go, or one element of it, by its place. */
  part(place: NarrativePlace): XmlElement;
}

/** Where an element of a narrative stands. */
export interface NarrativePlace {
  /** The narrative: the `text` of a section. */
  text: XmlElement;
  start: number;
  end: number;
  order: number;
  /** The name of the element around it. */
  around: string;
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
  const parser = newParser(KNOWN_PREFIXES);
  const refuse = (code: XmlError['code'], message: string): never => {
    throw new Refusal({ code, message, ...positionOf(source, parser.position) });
  };
  const names = new Names();
  const folds = isFolded ? new Folds(source, names, () => parser.xmlDecl.version) : undefined;
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
  const isLetGo = (element: XmlElement): boolean => folds?.has(element) ?? false;
  const part = (place: NarrativePlace): XmlElement => folds!.part(place);
  return { ok: true, document: { root, source, encoding, elements, isFolded, isLetGo, within, part } };
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
