/**
 * The XML that is written, as a tree: text is escaped where it is written out, and nowhere else, so nothing that a
 * resource holds can become markup.
 */

export interface CdaElement {
  name: string;
  attributes: [name: string, value: string][];
  children: (CdaElement | string)[];
}

/** What an element may be given: absent children and lists within lists are fine. */
export type Child = CdaElement | string | undefined | null | false | readonly Child[];

/** An element; attributes without a value are left out. */
export function el(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: Child[]
): CdaElement {
  const element: CdaElement = { name, attributes: [], children: [] };
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined && value !== '') element.attributes.push([key, value]);
  }
  append(element, children);
  return element;
}

/** Adds children at the end. */
export function append(element: CdaElement, children: readonly Child[]): void {
  for (const child of children) {
    // FHIR has null where an item of a list says nothing but in its extension.
    if (child === undefined || child === null || child === false || child === '') continue;
    if (Array.isArray(child)) append(element, child);
    else element.children.push(child as CdaElement | string);
  }
}

export function attributeOf(element: CdaElement, name: string): string | undefined {
  return element.attributes.find(([key]) => key === name)?.[1];
}

export function setAttribute(element: CdaElement, name: string, value: string): void {
  const known = element.attributes.find(([key]) => key === name);
  if (known === undefined) element.attributes.push([name, value]);
  else known[1] = value;
}

export function childNamed(element: CdaElement, name: string): CdaElement | undefined {
  return element.children.find((child): child is CdaElement => typeof child !== 'string' && child.name === name);
}

/** The document as text. */
export function writeXml(root: CdaElement): string {
  const parts = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  write(root, parts);
  parts.push('\n');
  return parts.join('');
}

function write(element: CdaElement, parts: string[]): void {
  parts.push('<', element.name);
  for (const [name, value] of element.attributes) parts.push(' ', name, '="', escapeAttribute(value), '"');
  if (element.children.length === 0) {
    parts.push('/>');
    return;
  }
  parts.push('>');
  for (const child of element.children) {
    if (typeof child === 'string') parts.push(escapeText(child));
    else write(child, parts);
  }
  parts.push('</', element.name, '>');
}

/** What XML 1.0 §2.2 has no character for is left out; it could not be written in any way. */
const FORBIDDEN =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
const ALL_FORBIDDEN = new RegExp(FORBIDDEN, 'g');
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function escapeText(text: string): string {
  return /[&<>\r]/.test(text) || FORBIDDEN.test(text)
    ? text.replace(ALL_FORBIDDEN, '').replace(/[&<>\r]/g, (character) => ESCAPES[character]!)
    : text;
}

function escapeAttribute(text: string): string {
  return /[&<>"\n\r\t]/.test(text) || FORBIDDEN.test(text)
    ? text.replace(ALL_FORBIDDEN, '').replace(/[&<>"\n\r\t]/g, (character) => ESCAPES[character]!)
    : text;
}
