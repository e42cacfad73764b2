/**
 * Readers for the data types of CDA R2 (HL7 V3 Data Types R1): from an element to a plain value. A value that is
 * absent reads as undefined; a `nullFlavor` is kept beside whatever else the element says.
 */
import type { XmlElement } from './element.ts';

export interface II {
  root?: string;
  extension?: string;
  assigningAuthorityName?: string;
  nullFlavor?: string;
}

export interface CD {
  code?: string;
  codeSystem?: string;
  codeSystemName?: string;
  codeSystemVersion?: string;
  displayName?: string;
  /** The element, since its text may be a reference into the narrative. */
  originalText?: XmlElement;
  translations: CD[];
  qualifiers: { name?: CD; value?: CD }[];
  nullFlavor?: string;
}

export interface PQ {
  value?: string;
  unit?: string;
  nullFlavor?: string;
}

export interface Interval<T> {
  low?: T;
  high?: T;
  center?: T;
  width?: PQ;
  lowClosed: boolean;
  highClosed: boolean;
}

/** `value` is the TS text, `YYYYMMDDHHMMSS.UUUU[+|-ZZzz]` cut at its precision. */
export interface TS {
  value?: string;
  nullFlavor?: string;
}

export interface ED {
  mediaType?: string;
  representation?: string;
  /** `#id` into the section's narrative, or a URL. */
  reference?: string;
  text: string;
  nullFlavor?: string;
}

export interface EN {
  use?: string;
  parts: { kind: 'family' | 'given' | 'prefix' | 'suffix' | 'delimiter'; qualifier?: string; text: string }[];
  /** Text of a name that is not divided into parts. */
  text: string;
  nullFlavor?: string;
}

export interface AD {
  use?: string;
  parts: { kind: string; text: string }[];
  text: string;
  nullFlavor?: string;
}

export interface TEL {
  value?: string;
  use?: string;
  nullFlavor?: string;
}

export function readII(element: XmlElement): II {
  return {
    root: element.attr('root'),
    extension: element.attr('extension'),
    assigningAuthorityName: element.attr('assigningAuthorityName'),
    nullFlavor: element.attr('nullFlavor'),
  };
}

/** CD, CE, CV and CS. */
export function readCD(element: XmlElement): CD {
  return {
    code: element.attr('code'),
    codeSystem: element.attr('codeSystem'),
    codeSystemName: element.attr('codeSystemName'),
    codeSystemVersion: element.attr('codeSystemVersion'),
    displayName: element.attr('displayName'),
    originalText: element.child('originalText'),
    translations: element.all('translation').map(readCD),
    qualifiers: element.all('qualifier').map((qualifier) => {
      const name = qualifier.child('name');
      const value = qualifier.child('value');
      return { name: name && readCD(name), value: value && readCD(value) };
    }),
    nullFlavor: element.attr('nullFlavor'),
  };
}

export function readTS(element: XmlElement): TS {
  return { value: element.attr('value'), nullFlavor: element.attr('nullFlavor') };
}

export function readPQ(element: XmlElement): PQ {
  return { value: element.attr('value'), unit: element.attr('unit'), nullFlavor: element.attr('nullFlavor') };
}

/** IVL_TS; a plain TS reads as an interval with only a `center`. */
export function readIVL_TS(element: XmlElement): Interval<TS> {
  const interval = readInterval(element, readTS);
  const value = element.attr('value');
  return value === undefined ? interval : { ...interval, center: { value } };
}

export function readIVL_PQ(element: XmlElement): Interval<PQ> {
  return readInterval(element, readPQ);
}

function readInterval<T>(element: XmlElement, read: (bound: XmlElement) => T): Interval<T> {
  const bound = (name: string): T | undefined => {
    const child = element.child(name);
    return child && read(child);
  };
  const width = element.child('width');
  return {
    low: bound('low'),
    high: bound('high'),
    center: bound('center'),
    width: width && readPQ(width),
    lowClosed: element.child('low')?.attr('inclusive') !== 'false',
    highClosed: element.child('high')?.attr('inclusive') !== 'false',
  };
}

export function readED(element: XmlElement): ED {
  return {
    mediaType: element.attr('mediaType'),
    representation: element.attr('representation'),
    reference: element.child('reference')?.attr('value'),
    text: element.allText,
    nullFlavor: element.attr('nullFlavor'),
  };
}

const NAME_PARTS = new Set(['family', 'given', 'prefix', 'suffix', 'delimiter']);

/** EN, PN and ON. */
export function readEN(element: XmlElement): EN {
  const parts: EN['parts'] = [];
  for (const child of element.children) {
    if (!NAME_PARTS.has(child.name) || child.text === '') continue;
    parts.push({
      kind: child.name as EN['parts'][number]['kind'],
      qualifier: child.attr('qualifier'),
      text: child.text,
    });
  }
  return { use: element.attr('use'), parts, text: element.text, nullFlavor: element.attr('nullFlavor') };
}

export function readAD(element: XmlElement): AD {
  const parts: AD['parts'] = [];
  for (const child of element.children) if (child.text !== '') parts.push({ kind: child.name, text: child.text });
  return { use: element.attr('use'), parts, text: element.text, nullFlavor: element.attr('nullFlavor') };
}

export function readTEL(element: XmlElement): TEL {
  return { value: element.attr('value'), use: element.attr('use'), nullFlavor: element.attr('nullFlavor') };
}
