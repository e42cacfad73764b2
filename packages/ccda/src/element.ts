/**
 * The read-only tree of an XML document: elements with their attributes, mixed content, place in the source and XPath.
 * Names are by namespace, not by the prefix the sender chose: `observation` for urn:hl7-org:v3, `sdtc:raceCode` for
 * urn:hl7-org:sdtc, `xsi:type`, and `{uri}name` for any other.
 */

export const CDA_NAMESPACE = 'urn:hl7-org:v3';
export const SDTC_NAMESPACE = 'urn:hl7-org:sdtc';
export const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';

export interface XmlAttribute {
  readonly name: string;
  readonly value: string;
}

const NONE: readonly never[] = [];

export class XmlElement {
  readonly name: string;
  readonly parent: XmlElement | undefined;
  /** The how-many-eth element of the document, from 0. */
  readonly order: number;
  /** Offsets of the element's markup in the decoded source text; `end` is behind the closing tag. */
  readonly start: number;
  end: number;
  readonly attributes: readonly XmlAttribute[];
  children: readonly XmlElement[] = NONE;
  /** Children and character data in document order, unescaped; blanks between elements only inside a narrative. */
  content: readonly (XmlElement | string)[] = NONE;
  private position = 0;
  private pathText: string | undefined;

  constructor(
    name: string,
    parent: XmlElement | undefined,
    order: number,
    start: number,
    attributes: readonly XmlAttribute[],
  ) {
    this.name = name;
    this.parent = parent;
    this.order = order;
    this.start = start;
    this.end = start;
    this.attributes = attributes;
  }

  /** Puts a child behind what is there; only while the document is being read. */
  appendChild(child: XmlElement): void {
    // An element without text of its own has one list for both.
    const alike = this.content === this.children;
    if (this.children === NONE) this.children = [child];
    else (this.children as XmlElement[]).push(child);
    if (alike) this.content = this.children;
    else (this.content as (XmlElement | string)[]).push(child);
  }

  /** Puts character data behind what is there, as one with the data just before it. */
  appendText(characters: string): void {
    if (this.content === this.children) this.content = [...this.children];
    const content = this.content as (XmlElement | string)[];
    const last = content.length - 1;
    if (typeof content[last] === 'string') content[last] += characters;
    else content.push(characters);
  }

  /**
   * Says that the element has been read to its end. Lists that grow keep room for many more; a document has millions of
   * short ones.
   */
  close(end: number): void {
    this.end = end;
    const alike = this.content === this.children;
    if (this.children.length > 1) this.children = this.children.slice();
    if (alike) this.content = this.children;
    else if (this.content.length > 1) this.content = this.content.slice();
  }

  /** Gives up what is inside; only for an element that can be read again (`XmlDocument.within`). */
  empty(): void {
    this.children = NONE;
    this.content = NONE;
  }

  /** The value of an attribute, without surrounding blanks; undefined when absent or blank. */
  attr(name: string): string | undefined {
    for (const attribute of this.attributes) {
      if (attribute.name === name) return attribute.value.trim() || undefined;
    }
    return undefined;
  }

  /** The first child element of that name. */
  child(name: string): XmlElement | undefined {
    for (const child of this.children) if (child.name === name) return child;
    return undefined;
  }

  /** All child elements of that name, in order. */
  all(name: string): readonly XmlElement[] {
    let found: XmlElement[] | undefined;
    for (const child of this.children) {
      if (child.name !== name) continue;
      if (found === undefined) found = [child];
      else found.push(child);
    }
    return found ?? NONE;
  }

  /** The first element reached by child names. */
  find(...names: string[]): XmlElement | undefined {
    let at: XmlElement | undefined = this;
    for (const name of names) at = at?.child(name);
    return at;
  }

  /** Character data directly in this element, blanks at both ends removed. */
  get text(): string {
    if (this.content.length === this.children.length) return '';
    let text = '';
    for (const node of this.content) if (typeof node === 'string') text += node;
    return text.trim();
  }

  /** All character data below, runs of blanks made one, with a blank between cells, items and lines. */
  get allText(): string {
    const parts: string[] = [];
    collectText(this, parts);
    return parts.join('').replace(/\s+/g, ' ').trim();
  }

  /** An XPath of names and positions, e.g. `/ClinicalDocument/recordTarget/patientRole/id[2]`. */
  get path(): string {
    if (this.pathText === undefined) {
      if (this.parent === undefined) this.pathText = `/${this.name}`;
      else {
        this.pathText = this.pathUnder(this.parent.path);
      }
    }
    return this.pathText;
  }

  /** The element's path, told that of its parent; unlike `path` it is not kept. */
  pathUnder(parent: string): string {
    if (this.position === 0) this.parent?.numberChildren();
    return this.position > 0 ? `${parent}/${this.name}[${this.position}]` : `${parent}/${this.name}`;
  }

  /** `xsi:type` without its prefix. */
  get xsiType(): string | undefined {
    const type = this.attr('xsi:type');
    return type?.slice(type.indexOf(':') + 1);
  }

  hasTemplate(oid: string): boolean {
    for (const child of this.children) if (child.name === 'templateId' && child.attr('root') === oid) return true;
    return false;
  }

  private numberChildren(): void {
    const counts = new Map<string, number>();
    for (const child of this.children) counts.set(child.name, (counts.get(child.name) ?? 0) + 1);
    const seen = new Map<string, number>();
    for (const child of this.children) {
      const nth = (seen.get(child.name) ?? 0) + 1;
      seen.set(child.name, nth);
      child.position = counts.get(child.name) === 1 ? -1 : nth;
    }
  }
}

const BREAKING = new Set(['td', 'th', 'tr', 'item', 'paragraph', 'br', 'caption', 'list', 'table']);

function collectText(element: XmlElement, parts: string[]): void {
  for (const node of element.content) {
    if (typeof node === 'string') parts.push(node);
    else {
      const apart = BREAKING.has(node.name);
      if (apart) parts.push(' ');
      collectText(node, parts);
      if (apart) parts.push(' ');
    }
  }
}
