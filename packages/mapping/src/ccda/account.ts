/**
 * The account of a document: for each attribute and each piece of text, where it went. The first thing said of an
 * atom stands, except that `mapped` overrides the others.
 */
import type { CdaDocument, XmlAttribute, XmlElement } from '@causeway/ccda';
import type { LedgerEntry } from '../conversion.ts';
import type { Draft } from './draft.ts';
import { type Mark, Marks } from './marks.ts';

/** An attribute's name, or `#text` for the element's own character data. */
export type AtomName = string;

/** An atom by its place in the document, which stays when the elements of a large one are let go. */
export interface AtomPlace {
  order: number;
  slot: number;
  slots: number;
}

/** Attributes whose value only restates the shape of the document. */
const STRUCTURAL_ATTRIBUTES = new Set([
  'classCode',
  'moodCode',
  'typeCode',
  'determinerCode',
  'contextControlCode',
  'contextConductionInd',
  'inversionInd',
  'independentInd',
  'institutionSpecified',
  'xsi:type',
  'xsi:schemaLocation',
  'codeSystemName',
  'sdtc:valueSet',
  'sdtc:valueSetVersion',
  'ID',
  'inclusive',
  'operator',
  'partType',
]);

/** Null flavors that say no more than an absent element does. */
const SAYS_NOTHING = new Set(['NI', 'UNK', 'NA']);

const STRUCTURAL_ELEMENTS = new Set(['templateId', 'realmCode', 'typeId']);

/** The sixth state does not exist: what nothing claimed is kept in the original, and said to be so. */
const ONLY_IN_ORIGINAL = 'no element for it in the mapping; kept in the original document';

export class Account {
  private marks = new Marks();
  /** The table row at work, written beside what it marks. */
  rule = '';

  mapped(element: XmlElement, atom: AtomName, draft: Draft, path: string): void {
    this.put(element, atom, { disposition: 'mapped', draft, path, rule: this.rule });
  }

  /** As `mapped`, of an atom whose element may be gone. */
  mappedAt({ order, slot, slots }: AtomPlace, draft: Draft, path: string): void {
    this.marks.put(order, slot, slots, { disposition: 'mapped', draft, path, rule: this.rule });
  }

  /** Undefined where the element has no such atom. */
  placeOf(element: XmlElement, atom: AtomName): AtomPlace | undefined {
    const slot = slotOf(element, atom);
    return slot === -1 ? undefined : { order: element.order, slot, slots: element.attributes.length + 1 };
  }

  consumed(element: XmlElement, atom: AtomName, rule: string = this.rule): void {
    this.put(element, atom, { disposition: 'consumed', rule });
  }

  rejected(element: XmlElement, atom: AtomName, reason: string): void {
    this.put(element, atom, { disposition: 'rejected', rule: this.rule, reason });
  }

  structural(element: XmlElement, atom: AtomName): void {
    this.put(element, atom, { disposition: 'structural' });
  }

  kept(element: XmlElement, atom: AtomName, draft: Draft, path: string, reason: string): void {
    this.put(element, atom, { disposition: 'kept', draft, path, reason });
  }

  /** Whether nothing has been said of the atom. */
  isOpen(element: XmlElement, atom: AtomName): boolean {
    const slot = slotOf(element, atom);
    return slot === -1 || this.marks.get(element.order, slot) === undefined;
  }

  /** Takes back what was said of an element and all below it: the value that was put has been taken out again. */
  reopen(element: XmlElement): void {
    this.marks.clear(element.order);
    for (const child of element.children) this.reopen(child);
  }

  /**
   * Says of an element, and of all below it, what was said of another with the same markup, whose elements are numbered
   * alike. @param from the number of the other
   */
  repeat(from: number, to: XmlElement, shift = from - to.order): void {
    this.marks.copy(to.order + shift, to.order, to.attributes.length + 1);
    for (const child of to.children) this.repeat(from, child, shift);
  }

  /** Says that the elements of these numbers are converted: what comes now is the exception. */
  settle(from: number, to: number): void {
    this.marks.pack(from, to);
  }

  /** Marks every open atom at and below an element. */
  consumeBelow(element: XmlElement, rule: string): void {
    for (const attribute of element.attributes) {
      if (this.isOpen(element, attribute.name)) this.consumed(element, attribute.name, rule);
    }
    if (element.text !== '' && this.isOpen(element, '#text')) this.consumed(element, '#text', rule);
    for (const child of element.children) this.consumeBelow(child, rule);
  }

  /**
   * Tells of every atom of the document, in document order; a section's narrative is one atom. The last thing asked of an
   * account: what was noted of an element is given up as it is told.
   */
  ledger(document: CdaDocument, tell: (entry: LedgerEntry) => void): void {
    const { root } = document.xml;
    this.list(document, root, root.path, tell);
  }

  /** Forgets what was said. */
  clear(): void {
    this.marks = new Marks();
  }

  private put(element: XmlElement, atom: AtomName, mark: Mark): void {
    const slot = slotOf(element, atom);
    if (slot !== -1) this.marks.put(element.order, slot, element.attributes.length + 1, mark);
  }

  private list(document: CdaDocument, element: XmlElement, path: string, tell: (entry: LedgerEntry) => void): void {
    const { marks } = this;
    const { order, attributes } = element;
    if (element.name === 'text' && element.parent?.name === 'section') {
      tell(entryOf(path, marks.get(order, 0)));
      return;
    }
    const structural = STRUCTURAL_ELEMENTS.has(element.name);
    for (let index = 0; index < attributes.length; index++) {
      const attribute = attributes[index]!;
      if (attribute.value.trim() === '') continue;
      const mark = marks.get(order, index + 1);
      const source = `${path}/@${attribute.name}`;
      if (mark === undefined && (structural || isStructural(attribute))) {
        tell({ source, disposition: 'structural' });
      } else if (mark === undefined && attribute.name === 'nullFlavor' && SAYS_NOTHING.has(attribute.value)) {
        tell({ source, disposition: 'consumed', rule: 'nullFlavor: left out' });
      } else tell(entryOf(source, mark));
    }
    if (element.name === 'entry') document.xml.within(element, () => this.listContent(document, element, path, tell));
    else this.listContent(document, element, path, tell);
  }

  private listContent(
    document: CdaDocument,
    element: XmlElement,
    path: string,
    tell: (entry: LedgerEntry) => void,
  ): void {
    if (element.text !== '') tell(entryOf(`${path}/text()`, this.marks.get(element.order, 0)));
    this.marks.clear(element.order);
    for (const child of element.children) this.list(document, child, child.pathUnder(path), tell);
  }
}

/** Attributes of the form, and those that say that text is text. */
function isStructural({ name, value }: XmlAttribute): boolean {
  if (name === 'mediaType') return value === 'text/plain' || value === 'text/x-hl7-text+xml';
  if (name === 'representation') return value === 'TXT';
  return STRUCTURAL_ATTRIBUTES.has(name);
}

function slotOf(element: XmlElement, atom: AtomName): number {
  if (atom === '#text') return 0;
  for (let index = 0; index < element.attributes.length; index++) {
    if (element.attributes[index]!.name === atom) return index + 1;
  }
  return -1;
}

function entryOf(source: string, mark: Mark | undefined): LedgerEntry {
  if (mark === undefined) return { source, disposition: 'kept', reason: ONLY_IN_ORIGINAL };
  const entry: LedgerEntry = { source, disposition: mark.disposition };
  if (mark.draft !== undefined) entry.target = mark.draft.target(mark.path ?? '');
  if (mark.rule) entry.rule = mark.rule;
  if (mark.reason) entry.reason = mark.reason;
  return entry;
}
