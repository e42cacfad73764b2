/**
 * The account of a document: for each attribute and each piece of text, where it went. The first thing said of an
 * atom stands, except that `mapped` overrides the others.
 */
import type { CdaDocument, XmlAttribute, XmlElement } from '@causeway/ccda';
import type { Disposition, LedgerEntry } from '../conversion.ts';
import type { Draft } from './draft.ts';

/** An attribute's name, or `#text` for the element's own character data. */
export type AtomName = string;

interface Mark {
  disposition: Disposition;
  draft?: Draft;
  path?: string;
  rule?: string;
  reason?: string;
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
  private readonly marks: ((Mark | undefined)[] | undefined)[] = [];
  /** The table row at work, written beside what it marks. */
  rule = '';

  mapped(element: XmlElement, atom: AtomName, draft: Draft, path: string): void {
    this.put(element, atom, { disposition: 'mapped', draft, path, rule: this.rule });
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
    return this.marks[element.order]?.[slotOf(element, atom)] === undefined;
  }

  /** Takes back what was said of an element and all below it: the value that was put has been taken out again. */
  reopen(element: XmlElement): void {
    this.marks[element.order] = undefined;
    for (const child of element.children) this.reopen(child);
  }

  /** Says of an element, and of all below it, what was said of another with the same markup. */
  repeat(from: XmlElement, to: XmlElement): void {
    const marks = this.marks[from.order];
    if (marks !== undefined && this.marks[to.order] === undefined) this.marks[to.order] = marks.slice();
    for (let n = 0; n < from.children.length; n++) this.repeat(from.children[n]!, to.children[n]!);
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
   * One entry for every atom of the document, in document order; a section's narrative is one atom. The last thing asked
   * of an account: what was noted of an element is given up as it is told, since a large document has millions of notes.
   */
  ledger(document: CdaDocument): LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    const { root } = document.xml;
    this.list(root, root.path, entries);
    return entries;
  }

  private put(element: XmlElement, atom: AtomName, mark: Mark): void {
    const slot = slotOf(element, atom);
    if (slot === -1) return;
    let slots = this.marks[element.order];
    if (slots === undefined) {
      slots = new Array<Mark | undefined>(element.attributes.length + 1).fill(undefined);
      this.marks[element.order] = slots;
    }
    const before = slots[slot];
    if (before === undefined || (before.disposition !== 'mapped' && mark.disposition === 'mapped')) slots[slot] = mark;
  }

  private list(element: XmlElement, path: string, entries: LedgerEntry[]): void {
    const slots = this.marks[element.order];
    this.marks[element.order] = undefined;
    if (element.name === 'text' && element.parent?.name === 'section') {
      entries.push(entryOf(path, slots?.[0]));
      return;
    }
    const structural = STRUCTURAL_ELEMENTS.has(element.name);
    for (let index = 0; index < element.attributes.length; index++) {
      const attribute = element.attributes[index]!;
      if (attribute.value.trim() === '') continue;
      const mark = slots?.[index + 1];
      const source = `${path}/@${attribute.name}`;
      if (mark === undefined && (structural || isStructural(attribute))) {
        entries.push({ source, disposition: 'structural' });
      } else if (mark === undefined && attribute.name === 'nullFlavor' && SAYS_NOTHING.has(attribute.value)) {
        entries.push({ source, disposition: 'consumed', rule: 'nullFlavor: left out' });
      } else entries.push(entryOf(source, mark));
    }
    if (element.text !== '') entries.push(entryOf(`${path}/text()`, slots?.[0]));
    for (const child of element.children) this.list(child, child.pathUnder(path), entries);
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
