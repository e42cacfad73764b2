/**
 * Scans the XHTML of a narrative once: whether it is one well-formed `div` (XML 1.0, Namespaces in XML), and what in it
 * breaks the rules. Not a parser for XML at large: names are ASCII, there is no DOCTYPE.
 */
import { attributeProblem, isNarrativeElement, nameable } from './rules.ts';

/** What was found; sentences are distinct and repeat no content. */
export interface XhtmlScan {
  /** Why it is not one well-formed div; the scan ends there. */
  malformed: string | undefined;
  /** Rules of the narrative that it breaks (txt-1, safety). */
  broken: Set<string>;
  /** Text that is not white space, or an image (txt-2). */
  hasContent: boolean;
  /** The default namespace which the div itself declares. */
  namespace: string | undefined;
}

const MAX_DEPTH = 100;
/** Prefixes declared at one place; a narrative needs none. */
const MAX_PREFIXES = 50;

/** Scans a text; never throws, and takes time in proportion to its length. */
export function scanXhtml(text: string): XhtmlScan {
  const scanner = new Scanner(text);
  scanner.result.malformed = FORBIDDEN.test(text) ? 'it holds a character that XML does not allow' : scanner.run();
  return scanner.result;
}

/** In JSON, what is between the first ">" and the last "<" has to be the content of the div. */
const OUTSIDE = 'nothing may stand before or after the div, no XML declaration or comment either';
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const TAG =
  /<([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const END_TAG = /<\/([A-Za-z_][\w.:-]*)\s*>/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*("[^"]*"|'[^']*')/g;
const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));|&/g;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

class Scanner {
  readonly result: XhtmlScan = { malformed: undefined, broken: new Set(), hasContent: false, namespace: undefined };
  private readonly text: string;
  private readonly open: string[] = [];
  /** Declared prefixes, and how many there were before each open element. */
  private readonly prefixes: string[] = ['xml'];
  private readonly marks: number[] = [];
  private hasRoot = false;

  constructor(text: string) {
    this.text = text;
  }

  /** The reason why the text is not well-formed, or undefined. */
  run(): string | undefined {
    const { text } = this;
    let at = 0;
    while (at < text.length) {
      const next = text.indexOf('<', at);
      const end = next < 0 ? text.length : next;
      const problem = end > at ? this.characters(text.slice(at, end)) : undefined;
      if (problem !== undefined) return problem;
      if (next < 0) break;
      const passed = this.markup(next);
      if (typeof passed === 'string') return passed;
      at = passed;
    }
    if (!this.hasRoot) return 'it has to be one div element';
    if (this.open.length > 0) return `the element ${nameable(this.open.at(-1)!)} is not closed`;
    return undefined;
  }

  /** Where the markup at `start` ends, or what is wrong with it. */
  private markup(start: number): number | string {
    const { text } = this;
    const second = text[start + 1];
    if (second === '/') return this.endTag(start);
    if (second === '!') {
      if (text.startsWith('<!--', start)) return this.comment(start);
      if (!text.startsWith('<![CDATA[', start) || this.open.length === 0)
        return 'a DOCTYPE or declaration has no place in it';
      this.result.broken.add('CDATA sections are not allowed, since HTML reads them otherwise; write the text plainly');
      const close = text.indexOf(']]>', start);
      return close < 0 ? 'a CDATA section is not closed' : close + 3;
    }
    if (second === '?') {
      if (this.open.length === 0) return OUTSIDE;
      this.result.broken.add('processing instructions are not allowed');
      const close = text.indexOf('?>', start);
      if (close < 0 || !/^<\?[A-Za-z_][\w.-]*[\s?]/.test(text.slice(start, start + 100)))
        return 'a processing instruction is broken';
      return close + 2;
    }
    return this.startTag(start);
  }

  private comment(start: number): number | string {
    if (this.open.length === 0) return OUTSIDE;
    const close = this.text.indexOf('--', start + 4);
    if (close < 0 || this.text[close + 2] !== '>') return 'a comment is not closed, or has two hyphens inside';
    const inner = this.text.slice(start + 4, close);
    if (/^-?>|--!>|<!--/.test(inner)) {
      this.result.broken.add('a comment may not begin with ">": HTML ends the comment there');
    }
    return close + 3;
  }

  private endTag(start: number): number | string {
    END_TAG.lastIndex = start;
    const match = END_TAG.exec(this.text);
    if (match === null) return 'an end tag is broken';
    if (this.open.pop() !== match[1]) return `the end tag ${nameable(match[1]!)} closes no open element of this name`;
    this.prefixes.length = this.marks.pop()!;
    return END_TAG.lastIndex;
  }

  private startTag(start: number): number | string {
    TAG.lastIndex = start;
    const match = TAG.exec(this.text);
    if (match === null) return 'a "<" begins no tag, or a tag or attribute is broken; write &lt; for the character';
    const end = TAG.lastIndex;
    const name = match[1]!;
    const isRoot = this.open.length === 0;
    if (isRoot && (this.hasRoot || name !== 'div')) return 'it has to be one div element';
    this.hasRoot = true;
    if (!isNarrativeElement(name)) {
      this.result.broken.add(`the element ${nameable(name)} is not allowed in a narrative (txt-1)`);
    }
    this.marks.push(this.prefixes.length);
    this.open.push(name);
    if (this.open.length > MAX_DEPTH) this.result.broken.add(`elements more than ${MAX_DEPTH} deep are refused`);
    const problem = match[2] === '' ? undefined : this.attributes(name, match[2]!, isRoot);
    if (problem !== undefined) return problem;
    if (!this.isBound(name)) return 'a namespace prefix is not declared';
    if (match[3] === '/') {
      this.open.pop();
      this.prefixes.length = this.marks.pop()!;
    }
    return end;
  }

  private attributes(element: string, source: string, isRoot: boolean): string | undefined {
    const names = new Set<string>();
    for (const [, name, quoted] of source.matchAll(ATTRIBUTE)) {
      const value = decode(quoted!.slice(1, -1));
      if (value === undefined) return ENTITY;
      if (names.has(name!)) return 'an element has the same attribute twice';
      names.add(name!);
      if (name === 'xmlns' || name!.startsWith('xmlns:')) {
        this.namespace(name!, value, isRoot);
        continue;
      }
      const problem = attributeProblem(element, name!, value);
      if (problem !== undefined) this.result.broken.add(problem);
      if (name === 'src' && element === 'img') this.result.hasContent = true;
    }
    for (const name of names) if (name !== 'xmlns' && !this.isBound(name)) return 'a namespace prefix is not declared';
    return undefined;
  }

  private namespace(name: string, value: string, isRoot: boolean): void {
    if (name !== 'xmlns') {
      if (this.prefixes.length < MAX_PREFIXES) this.prefixes.push(name.slice('xmlns:'.length));
      return;
    }
    if (isRoot) this.result.namespace = value;
    if (value !== XHTML) this.result.broken.add(`the namespace of every element has to be ${XHTML} (txt-1)`);
  }

  private isBound(name: string): boolean {
    const colon = name.indexOf(':');
    return colon < 0 || name.startsWith('xmlns:') || this.prefixes.includes(name.slice(0, colon));
  }

  private characters(text: string): string | undefined {
    if (this.open.length === 0) return /\S/.test(text) ? OUTSIDE : undefined;
    if (text.includes(']]>')) return 'the characters ]]> have to be written as ]]&gt;';
    if (text.includes('&') && decode(text) === undefined) return ENTITY;
    if (/\S/.test(text)) this.result.hasContent = true;
    return undefined;
  }
}

/** The namespace of XHTML. */
export const XHTML = 'http://www.w3.org/1999/xhtml';

const ENTITY =
  'an "&" begins neither a character reference nor one of &amp; &lt; &gt; &quot; &apos;; HTML entities such as &nbsp; are not XML, &#160; is';

/** Resolves references; undefined when there is one that XML does not have. */
function decode(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let isRight = true;
  const decoded = text.replace(REFERENCE, (_, hex?: string, decimal?: string, named?: string) => {
    if (named !== undefined) return NAMED.get(named)!;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN);
    if (!isXmlCharacter(code)) {
      isRight = false;
      return '';
    }
    return String.fromCodePoint(code);
  });
  return isRight ? decoded : undefined;
}

function isXmlCharacter(code: number): boolean {
  if (code < 32) return code === 9 || code === 10 || code === 13;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}
