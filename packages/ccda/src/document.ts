/**
 * A CDA document as its parts: header, sections, entries (C-CDA R2.1, CDA R2 §4). Fragments, whose root is a section,
 * an entry or a single clinical statement, are read as a document without a header.
 */
import type { CD, II, TS } from './datatypes.ts';
import { readCD, readII, readTS } from './datatypes.ts';
import type { XmlElement } from './element.ts';
import { parseXml, parseXmlHead, type XmlDocument, type XmlError, type XmlLimits, type XmlResult } from './xml.ts';

/** The elements that state something clinical: the entry classes of CDA R2 §4.3.6. */
export const CLINICAL_STATEMENTS: ReadonlySet<string> = new Set([
  'act',
  'encounter',
  'observation',
  'observationMedia',
  'organizer',
  'procedure',
  'regionOfInterest',
  'substanceAdministration',
  'supply',
]);

export interface CdaSection {
  element: XmlElement;
  templateIds: II[];
  code?: CD;
  title?: string;
  /** The narrative block; its exact markup is `source.slice(text.start, text.end)`. */
  text?: XmlElement;
  nullFlavor?: string;
  /** None where the document is in memory in part (`XmlDocument.within`). */
  entries: CdaEntry[];
  sections: CdaSection[];
}

export interface CdaEntry {
  /** The clinical statement itself, not the `entry` around it. */
  element: XmlElement;
  kind: string;
  moodCode?: string;
  negated: boolean;
  templateIds: II[];
  ids: II[];
  code?: CD;
}

export interface CdaHeader {
  id?: II;
  setId?: II;
  versionNumber?: string;
  code?: CD;
  title?: string;
  effectiveTime?: TS;
  confidentialityCode?: CD;
  languageCode?: string;
  templateIds: II[];
  recordTargets: readonly XmlElement[];
  authors: readonly XmlElement[];
  dataEnterer?: XmlElement;
  informants: readonly XmlElement[];
  custodian?: XmlElement;
  informationRecipients: readonly XmlElement[];
  legalAuthenticator?: XmlElement;
  authenticators: readonly XmlElement[];
  participants: readonly XmlElement[];
  inFulfillmentOf: readonly XmlElement[];
  documentationOf: readonly XmlElement[];
  relatedDocuments: readonly XmlElement[];
  componentOf?: XmlElement;
}

export interface CdaDocument {
  xml: XmlDocument;
  /** Absent in a fragment. */
  header?: CdaHeader;
  sections: CdaSection[];
  /** Entries that stand outside any section: only in fragments. */
  looseEntries: CdaEntry[];
  /** `nonXMLBody/text`: a scanned or otherwise unstructured document. */
  nonXmlBody?: XmlElement;
}

export type CdaResult = { ok: true; document: CdaDocument } | { ok: false; error: XmlError };

/** Reads a C-CDA document or fragment. What is wrong is a value with its line and column; nothing is thrown. */
export function parseCda(input: Uint8Array | string, limits: Partial<XmlLimits> = {}, whole?: number): CdaResult {
  return documentOf(parseXml(input, limits, whole));
}

/** How many bytes of a document are read at most to see what it is. */
const HEAD_BYTES = 256 * 1024;

/**
 * Reads what a document says of itself: its header, which ends where the body begins; of a fragment as much as shows
 * that it is one. Takes some milliseconds however large the document is; what follows is not looked at, but for a document of no
 * more than 256 KiB, which is read whole.
 */
export function parseCdaHead(input: Uint8Array): CdaResult {
  return documentOf(parseXmlHead(input, HEAD_BYTES, isBeyondHeader));
}

function isBeyondHeader(opened: XmlElement): boolean {
  const { name, parent } = opened;
  if (name === 'component' && parent?.name === 'ClinicalDocument') return parent.child('recordTarget') !== undefined;
  return (name === 'section' || CLINICAL_STATEMENTS.has(name)) && rootOf(opened).name !== 'ClinicalDocument';
}

function rootOf(element: XmlElement): XmlElement {
  let root = element;
  while (root.parent !== undefined) root = root.parent;
  return root;
}

function documentOf(parsed: XmlResult): CdaResult {
  if (!parsed.ok) return parsed;
  const xml = parsed.document;
  const { root } = xml;
  if (root.name === 'ClinicalDocument') {
    const body = root.all('component').flatMap((component) => component.children);
    return {
      ok: true,
      document: {
        xml,
        header: readHeader(root),
        sections: body.filter((child) => child.name === 'structuredBody').flatMap(sectionsUnder),
        looseEntries: [],
        nonXmlBody: body.find((child) => child.name === 'nonXMLBody')?.child('text'),
      },
    };
  }
  if (root.name.startsWith('{')) {
    const message = 'the root element is not of CDA: a ClinicalDocument in namespace urn:hl7-org:v3 is expected';
    return { ok: false, error: { code: 'not-cda', message, line: 1, column: 1 } };
  }
  const sections: CdaSection[] = [];
  const looseEntries: CdaEntry[] = [];
  collectFragment(root, sections, looseEntries);
  return { ok: true, document: { xml, header: fragmentHeader(root), sections, looseEntries } };
}

/** One section with what stands in it. */
export function readSection(element: XmlElement): CdaSection {
  const code = element.child('code');
  return {
    element,
    templateIds: element.all('templateId').map(readII),
    code: code && readCD(code),
    title: element.child('title')?.allText || undefined,
    text: element.child('text'),
    nullFlavor: element.attr('nullFlavor'),
    entries: element.all('entry').flatMap((entry) => statementsIn(entry).map(readEntry)),
    sections: sectionsUnder(element),
  };
}

/** A clinical statement with what identifies it. */
export function readEntry(element: XmlElement): CdaEntry {
  const code = element.child('code');
  return {
    element,
    kind: element.name,
    moodCode: element.attr('moodCode'),
    negated: element.attr('negationInd') === 'true',
    templateIds: element.all('templateId').map(readII),
    ids: element.all('id').map(readII),
    code: code && readCD(code),
  };
}

/** The clinical statements directly inside an `entry`, `entryRelationship` or `component`. */
export function statementsIn(container: XmlElement): XmlElement[] {
  return container.children.filter((child) => CLINICAL_STATEMENTS.has(child.name));
}

function sectionsUnder(element: XmlElement): CdaSection[] {
  return element.all('component').flatMap((component) => component.all('section').map(readSection));
}

function collectFragment(element: XmlElement, sections: CdaSection[], entries: CdaEntry[]): void {
  if (element.name === 'section') sections.push(readSection(element));
  else if (CLINICAL_STATEMENTS.has(element.name)) entries.push(readEntry(element));
  else for (const child of element.children) collectFragment(child, sections, entries);
}

/** A fragment may be a piece of a header, such as a lone `recordTarget`. */
function fragmentHeader(root: XmlElement): CdaHeader | undefined {
  const names = ['recordTarget', 'author', 'custodian', 'documentationOf', 'componentOf', 'informant', 'participant'];
  if (!names.includes(root.name)) return undefined;
  const one = (name: string): XmlElement | undefined => (root.name === name ? root : undefined);
  const many = (name: string): XmlElement[] => (root.name === name ? [root] : []);
  return {
    templateIds: [],
    recordTargets: many('recordTarget'),
    authors: many('author'),
    informants: many('informant'),
    custodian: one('custodian'),
    informationRecipients: [],
    authenticators: [],
    participants: many('participant'),
    inFulfillmentOf: [],
    documentationOf: many('documentationOf'),
    relatedDocuments: [],
    componentOf: one('componentOf'),
  };
}

function readHeader(root: XmlElement): CdaHeader {
  const read = <T>(name: string, reader: (element: XmlElement) => T): T | undefined => {
    const child = root.child(name);
    return child && reader(child);
  };
  return {
    id: read('id', readII),
    setId: read('setId', readII),
    versionNumber: root.child('versionNumber')?.attr('value'),
    code: read('code', readCD),
    title: root.child('title')?.allText || undefined,
    effectiveTime: read('effectiveTime', readTS),
    confidentialityCode: read('confidentialityCode', readCD),
    languageCode: root.child('languageCode')?.attr('code'),
    templateIds: root.all('templateId').map(readII),
    recordTargets: root.all('recordTarget'),
    authors: root.all('author'),
    dataEnterer: root.child('dataEnterer'),
    informants: root.all('informant'),
    custodian: root.child('custodian'),
    informationRecipients: root.all('informationRecipient'),
    legalAuthenticator: root.child('legalAuthenticator'),
    authenticators: root.all('authenticator'),
    participants: root.all('participant'),
    inFulfillmentOf: root.all('inFulfillmentOf'),
    documentationOf: root.all('documentationOf'),
    relatedDocuments: root.all('relatedDocument'),
    componentOf: root.child('componentOf'),
  };
}
