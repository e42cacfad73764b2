/**
 * XML elements, attributes and texts with their offsets, addressed as the ledger addresses them: an XPath of names and
 * positions such as `/ClinicalDocument/recordTarget/patientRole/id[2]/@extension`, a position only where the parent has
 * several children of that name (XML 1.0 §2 and §3). It only looks: entities and comments are passed over, nothing is
 * expanded, and a text that is not well-formed gives the places that could be read.
 */
import type { Places, Range } from './places.ts';

interface Element {
  name: string;
  parent: Element | undefined;
  children: Element[];
  startTag: Range;
  end: number;
  text: Range | undefined;
}

const MARKUP = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<(?:"[^"]*"|'[^']*'|[^<>"'])*>/g;
const ATTRIBUTE = /([^\s=/<>"']+)\s*=\s*("[^"]*"|'[^']*')/g;
/** Deeper nesting is not followed. */
const MAX_DEPTH = 200;

/** @param text XML as it is shown */
export function xmlPlaces(text: string): Places {
  const root = readElements(text);
  return {
    placeOf: (source) => placeOf(root, text, source),
    sourceAt: (offset) => sourceAt(root, text, offset),
  };
}

/** The document as an element without a name, its only child the root. */
function readElements(text: string): Element {
  const document: Element = newElement('', undefined, [0, 0]);
  document.end = text.length;
  let [current, depth, textFrom] = [document, 0, 0];
  for (const match of text.matchAll(MARKUP)) {
    const [tag, at] = [match[0], match.index];
    if (/^<(?:!--|\?|!D)/.test(tag)) continue;
    if (!tag.startsWith('<![')) noteText(current, text, textFrom, at);
    else noteText(current, text, at, at + tag.length);
    textFrom = at + tag.length;
    if (tag.startsWith('<!')) continue;
    if (tag.startsWith('</')) {
      current.end = textFrom;
      if (current.parent) [current, depth] = [current.parent, depth - 1];
      continue;
    }
    const element = newElement(/^<([^\s/>]*)/.exec(tag)?.[1] ?? '', current, [at, textFrom]);
    current.children.push(element);
    if (!tag.endsWith('/>') && depth < MAX_DEPTH) [current, depth] = [element, depth + 1];
  }
  for (; current.parent; current = current.parent) current.end = text.length;
  return document;
}

function newElement(name: string, parent: Element | undefined, startTag: Range): Element {
  return { name, parent, children: [], startTag, end: startTag[1], text: undefined };
}

/** White space between elements is layout, no text. */
function noteText(element: Element, text: string, from: number, to: number): void {
  const found = text.slice(from, to);
  if (element.text || found.trim() === '') return;
  const start = from + found.length - found.trimStart().length;
  element.text = [start, start + found.trim().length];
}

function placeOf(document: Element, text: string, source: string): Range | undefined {
  let element = document;
  for (const step of source.split('/').slice(1)) {
    if (step.startsWith('@')) return attributesOf(element, text).find(({ name }) => name === step.slice(1))?.range;
    if (step.startsWith('text()')) return element.text ?? element.startTag;
    const parts = /^([^[\]]+)(?:\[(\d{1,9})\])?$/.exec(step);
    const child = element.children.filter(({ name }) => isNamed(name, parts?.[1]))[Number(parts?.[2] ?? 1) - 1];
    if (!child) return undefined;
    element = child;
  }
  if (element === document) return undefined;
  return element.children.length > 0 && element.name === 'text' ? [element.startTag[0], element.end] : element.startTag;
}

function isNamed(name: string, wanted: string | undefined): boolean {
  return name === wanted || name.slice(name.indexOf(':') + 1) === wanted;
}

function attributesOf({ startTag: [start, end] }: Element, text: string): { name: string; range: Range }[] {
  return [...text.slice(start, end).matchAll(ATTRIBUTE)].map((match) => ({
    name: match[1]!,
    range: [start + match.index, start + match.index + match[0].length],
  }));
}

function sourceAt(document: Element, text: string, offset: number): string | undefined {
  let element = document;
  let path = '';
  for (;;) {
    const child = element.children.find(({ startTag, end }) => startTag[0] <= offset && offset < end);
    if (!child) break;
    const alike = element.children.filter(({ name }) => name === child.name);
    path += `/${child.name}${alike.length > 1 ? `[${alike.indexOf(child) + 1}]` : ''}`;
    if (child.name === 'text') return path;
    element = child;
  }
  if (element === document) return undefined;
  const attribute = attributesOf(element, text).find(({ range }) => range[0] <= offset && offset < range[1]);
  if (attribute) return `${path}/@${attribute.name}`;
  return element.text && element.text[0] <= offset && offset < element.text[1] ? `${path}/text()` : path;
}
