/**
 * What compiled expressions call: nodes and their values as XPath 1.0 defines them. A node is an element, an
 * attribute, or a string, which stands for a text node. The functions that go through nodes take what to do with each
 * and stop at the first that answers true.
 */
import { type XmlAttribute, XmlElement } from '../element.ts';

export type Node = XmlElement | XmlAttribute | string;

type Visit<T> = (node: T) => boolean;

/** The elements of a document by what rules begin with. */
export interface DocumentIndex {
  root: XmlElement;
  named: ReadonlyMap<string, readonly XmlElement[]>;
  /** `name|root|extension` of a templateId, or `name|root` where it has no extension. */
  templates: ReadonlyMap<string, readonly XmlElement[]>;
}

/** Indexes a document, in document order. */
export function indexDocument(root: XmlElement): DocumentIndex {
  const named = new Map<string, XmlElement[]>();
  const templates = new Map<string, XmlElement[]>();
  const walk = (element: XmlElement): void => {
    add(named, element.name, element);
    for (const child of element.children) {
      if (child.name !== 'templateId') continue;
      const extension = attribute(child, 'extension');
      const key = `${element.name}|${attribute(child, 'root') ?? ''}`;
      add(templates, extension === undefined ? key : `${key}|${extension}`, element);
    }
    for (const child of element.children) walk(child);
  };
  walk(root);
  return { root, named, templates };
}

function add(index: Map<string, XmlElement[]>, key: string, element: XmlElement): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [element]);
  else if (list[list.length - 1] !== element) list.push(element);
}

/** The value of an attribute as it was written; undefined where there is none. */
export function attribute(node: Node, name: string): string | undefined {
  if (!(node instanceof XmlElement)) return undefined;
  for (const one of node.attributes) if (one.name === name) return one.value;
  return undefined;
}

export function eachAttribute(node: Node, name: string, visit: Visit<XmlAttribute>): boolean {
  if (!(node instanceof XmlElement)) return false;
  for (const one of node.attributes) if ((name === '*' || one.name === name) && visit(one)) return true;
  return false;
}

export function eachChild(node: Node, name: string, visit: Visit<XmlElement>): boolean {
  if (!(node instanceof XmlElement)) return false;
  for (const child of node.children) if (child.name === name && visit(child)) return true;
  return false;
}

/** Child elements of any name; with `text`, text nodes too. */
export function eachNode(node: Node, text: boolean, visit: Visit<Node>): boolean {
  if (!(node instanceof XmlElement)) return false;
  for (const child of text ? node.content : node.children) if (visit(child)) return true;
  return false;
}

export function eachText(node: Node, visit: Visit<string>): boolean {
  if (!(node instanceof XmlElement)) return false;
  for (const child of node.content) if (typeof child === 'string' && visit(child)) return true;
  return false;
}

export function eachDescendant(node: Node, name: string, visit: Visit<XmlElement>): boolean {
  if (!(node instanceof XmlElement)) return false;
  for (const child of node.children) {
    if ((child.name === name && visit(child)) || eachDescendant(child, name, visit)) return true;
  }
  return false;
}

/** Descendants of the root element, by the index. */
export function eachNamed(index: DocumentIndex, name: string, visit: Visit<XmlElement>): boolean {
  for (const element of index.named.get(name) ?? []) if (element !== index.root && visit(element)) return true;
  return false;
}

export function isElement(node: Node, name: string): boolean {
  return node instanceof XmlElement && node.name === name;
}

/** Nodes that `go` visits. */
export function collect(go: (visit: Visit<Node>) => boolean): Node[] {
  const nodes: Node[] = [];
  go((node) => {
    nodes.push(node);
    return false;
  });
  return nodes;
}

/** How many distinct nodes `go` visits; text nodes are visited once by the compiler's promise. */
export function count(go: (visit: Visit<Node>) => boolean, distinct: boolean): number {
  if (distinct) {
    const nodes = collect(go);
    return new Set(nodes.filter((node) => typeof node !== 'string')).size + nodes.filter(isText).length;
  }
  let number = 0;
  go(() => {
    number++;
    return false;
  });
  return number;
}

function isText(node: Node): node is string {
  return typeof node === 'string';
}

/** The string value of the first node visited, or the empty string (§4.2). */
export function firstString(go: (visit: Visit<Node>) => boolean): string {
  let first = '';
  go((node) => {
    first = string(node);
    return true;
  });
  return first;
}

/** The string value of a node (§5). */
export function string(node: Node): string {
  if (typeof node === 'string') return node;
  if (!(node instanceof XmlElement)) return node.value;
  let text = '';
  for (const part of node.content) text += string(part);
  return text;
}

/** §4.4: blanks around are allowed, an empty string is not a number. */
export function number(text: string): number {
  return /^\s*-?(\d+(\.\d*)?|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN;
}

export function normalizeSpace(text: string): string {
  return text.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
}

/** §4.2 `substring`: positions from 1, rounded, each of them may lie outside. */
export function substring(text: string, start: number, length = Number.POSITIVE_INFINITY): string {
  const from = Math.floor(start + 0.5);
  const to = from + Math.floor(length + 0.5);
  if (Number.isNaN(from) || Number.isNaN(to)) return '';
  return text.slice(Math.max(from - 1, 0), Math.max(Math.min(to - 1, text.length), 0));
}

export function substringAfter(text: string, part: string): string {
  const at = text.indexOf(part);
  return at === -1 ? '' : text.slice(at + part.length);
}

export function substringBefore(text: string, part: string): string {
  return text.slice(0, Math.max(text.indexOf(part), 0));
}

export function translate(text: string, from: string, to: string): string {
  let result = '';
  for (const character of text) {
    const at = from.indexOf(character);
    if (at === -1) result += character;
    else if (at < to.length) result += to[at];
  }
  return result;
}
