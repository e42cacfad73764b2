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

export interface XmlDocument {
  root: XmlElement;
  /** The decoded text; an element's exact markup is `source.slice(element.start, element.end)`. */
  source: string;
  encoding: string;
  /** Elements in the document. */
  elements: number;
}

export type XmlResult = { ok: true; document: XmlDocument } | { ok: false; error: XmlError };

/** Reads a document. Anything wrong is a value with its line and column; nothing is thrown. */
export function parseXml(input: Uint8Array | string, limits: Partial<XmlLimits> = {}): XmlResult {
  const bound = { ...XML_LIMITS, ...limits };
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength;
  if (size > bound.bytes) {
    return refused({ code: 'limit', message: `the document has ${size} bytes; at most ${bound.bytes} are accepted` });
  }
  const decoded = typeof input === 'string' ? { ok: true as const, text: input, encoding: 'utf-8' } : decodeXml(input);
  if (!decoded.ok) return refused({ code: 'encoding', message: decoded.message });
  const source = decoded.text.trimStart().replace(/^\uFEFF/, '');
  if (source === '') return refused({ code: 'empty', message: 'the document is empty' });
  return build(source, decoded.encoding, bound);
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

function build(source: string, encoding: string, bound: XmlLimits): XmlResult {
  const parser = new SaxesParser({
    xmlns: true,
    position: true,
    additionalNamespaces: { xsi: XSI_NAMESPACE, sdtc: SDTC_NAMESPACE, voc: 'urn:hl7-org:v3/voc' },
  });
  let root: XmlElement | undefined;
  let open: XmlElement | undefined;
  // The narrative block that is open: only there do blanks between elements count.
  let narrative: XmlElement | undefined;
  let elements = 0;
  let depth = 0;
  const names = new Names();

  const refuse = (code: XmlError['code'], message: string): never => {
    throw new Refusal({ code, message, ...positionOf(source, parser.position) });
  };
  const text = (characters: string): void => {
    if (open === undefined || (narrative === undefined && !/\S/.test(characters))) return;
    open.appendText(characters);
  };

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
    // No attribute value may hold a `<`: the last one before here opened this tag.
    const start = source.lastIndexOf('<', parser.position - 1);
    const element = new XmlElement(names.of(tag.uri, tag.local), open, elements - 1, start, attributes);
    if (open === undefined) root = element;
    else open.appendChild(element);
    open = element;
    if (element.name === 'text' && element.parent?.name === 'section') narrative ??= element;
  });
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('closetag', () => {
    depth -= 1;
    if (open === undefined) return;
    open.close(parser.position);
    if (open === narrative) narrative = undefined;
    open = open.parent;
  });

  try {
    parser.write(source).close();
  } catch (error) {
    if (error instanceof Refusal) return refused(error.error);
    return refused(describe(error, source, parser.position));
  }
  if (root === undefined) return refused({ code: 'empty', message: 'the document has no element' });
  return { ok: true, document: { root, source, encoding, elements } };
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
