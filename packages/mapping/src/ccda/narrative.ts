/**
 * CDA narrative blocks → FHIR narrative: only the elements and attributes that FHIR's xhtml rules allow (FHIR R4
 * §2.4.1), no script, no style, no link but to the web, mail and the document itself.
 */

import type { XmlElement } from '@causeway/ccda';
import { type Place, text } from './data-types.ts';
import type { Json } from './fhir-path.ts';
import { own } from './own.ts';
import type { Run } from './run.ts';

const XHTML = 'http://www.w3.org/1999/xhtml';

const ELEMENTS: Record<string, string> = {
  paragraph: 'p',
  content: 'span',
  footnote: 'span',
  footnoteRef: 'span',
  caption: 'span',
  item: 'li',
  sub: 'sub',
  sup: 'sup',
  table: 'table',
  thead: 'thead',
  tbody: 'tbody',
  tfoot: 'tfoot',
  tr: 'tr',
  td: 'td',
  th: 'th',
  linkHtml: 'a',
};
const STYLES: Record<string, string> = { Bold: 'b', Italics: 'i', Emphasis: 'i' };
const SAFE_LINK = /^(https?:|mailto:|#)/i;

/** A section's narrative as the `div` of a FHIR Narrative, or undefined when it says nothing. */
export function narrativeOf(run: Run, element: XmlElement): string | undefined {
  return run.document.xml.within(element, () => sectionDiv(element));
}

/** What is inside the `text` of a section as the `div` of a FHIR Narrative, or undefined when it says nothing. */
export function sectionDiv(element: XmlElement): string | undefined {
  const parts: string[] = [];
  for (const node of element.content) write(node, parts);
  const inner = parts.join('').trim();
  const says = element.allText !== '';
  return says ? `<div xmlns="${XHTML}">${inner}</div>` : undefined;
}

/** One element of a narrative as a `div` of its own; a row stands in a table, a cell or item gives what it holds. */
export function elementDiv(element: XmlElement): string {
  const parts: string[] = [];
  if (element.name === 'td' || element.name === 'th' || element.name === 'item') {
    for (const node of element.content) write(node, parts);
  } else write(element, parts);
  const inner = parts.join('').trim();
  if (element.name === 'tr') return `<div xmlns="${XHTML}"><table><tbody>${inner}</tbody></table></div>`;
  if (['thead', 'tbody', 'tfoot'].includes(element.name)) return `<div xmlns="${XHTML}"><table>${inner}</table></div>`;
  return `<div xmlns="${XHTML}">${inner}</div>`;
}

/** The text of a statement, inline or in the section's narrative, as its own narrative. */
export function narrativeText(run: Run, element: XmlElement, place: Place): Json | undefined {
  const words = text(run, element, { draft: place.draft, path: `${place.path}.div` });
  if (words === undefined) return undefined;
  return { status: 'additional', div: `<div xmlns="${XHTML}">${escapeXml(words)}</div>` };
}

export function escapeXml(characters: string): string {
  return characters.replace(/[&<>"]/g, (character) => ESCAPES[character]!);
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function write(node: XmlElement | string, parts: string[]): void {
  if (typeof node === 'string') {
    parts.push(escapeXml(node));
    return;
  }
  if (node.name === 'br') {
    parts.push('<br/>');
    return;
  }
  if (node.name === 'list') {
    writeList(node, parts);
    return;
  }
  if (node.name === 'renderMultiMedia') {
    const caption = node.allText;
    parts.push(`<span${idOf(node)}>[${escapeXml(caption === '' ? 'media in the original document' : caption)}]</span>`);
    return;
  }
  if (node.name === 'col' || node.name === 'colgroup') return;
  const name = node.name === 'caption' && node.parent?.name === 'table' ? 'caption' : own(ELEMENTS, node.name);
  if (name === undefined) {
    const id = idOf(node);
    if (id !== '') parts.push(`<span${id}>`);
    for (const child of node.content) write(child, parts);
    if (id !== '') parts.push('</span>');
    return;
  }
  writeElement(node, name, parts);
}

function writeElement(node: XmlElement, name: string, parts: string[]): void {
  const style = node.name === 'content' ? own(STYLES, node.attr('styleCode') ?? '') : undefined;
  const tag = style ?? name;
  parts.push(`<${tag}${idOf(node)}`);
  if (name === 'td' || name === 'th') {
    for (const span of ['colspan', 'rowspan']) {
      const value = node.attr(span);
      if (value !== undefined && /^\d{1,3}$/.test(value)) parts.push(` ${span}="${value}"`);
    }
  }
  const href = name === 'a' ? node.attr('href') : undefined;
  if (href !== undefined && SAFE_LINK.test(href)) parts.push(` href="${escapeXml(href)}"`);
  parts.push('>');
  const inTable = name === 'table' || name === 'thead' || name === 'tbody' || name === 'tfoot' || name === 'tr';
  for (const child of node.content)
    if (!inTable || typeof child !== 'string' || child.trim() !== '') write(child, parts);
  parts.push(`</${tag}>`);
}

/** The place by which entries refer to an element. */
function idOf(node: XmlElement): string {
  const id = node.attr('ID');
  return id === undefined ? '' : ` id="${escapeXml(id)}"`;
}

function writeList(node: XmlElement, parts: string[]): void {
  const tag = node.attr('listType') === 'ordered' ? 'ol' : 'ul';
  const caption = node.child('caption');
  if (caption !== undefined) writeElement(caption, 'p', parts);
  parts.push(`<${tag}${idOf(node)}>`);
  for (const child of node.content) {
    if (typeof child !== 'string') {
      if (child !== caption) write(child, parts);
    } else if (child.trim() !== '') parts.push(`<li>${escapeXml(child)}</li>`);
  }
  parts.push(`</${tag}>`);
}
