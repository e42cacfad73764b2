/**
 * Which version of which document this is (CDA R2 §4.2.1.9, §4.2.3.1): versions of one set follow each other, and one
 * that replaces the version before says so.
 */
import type { XmlElement } from '@causeway/ccda';
import type { DocumentVersion } from '../conversion.ts';
import type { Draft } from './draft.ts';
import type { Run } from './run.ts';

/** Undefined where the header names no set, or numbers no version. */
export function documentVersion(run: Run, original: Draft | undefined): DocumentVersion | undefined {
  const { header } = run.document;
  const number = numberOf(header?.versionNumber);
  if (original === undefined || header?.setId?.root === undefined || number === undefined) return undefined;
  const { setId, relatedDocuments } = header;
  // What appends to another document leaves that as it is, whatever else it says.
  const appends = relatedDocuments.some((one) => one.attr('typeCode') === 'APND');
  const replaces = relatedDocuments.some((one) => {
    const parent = one.child('parentDocument');
    if (one.attr('typeCode') !== 'RPLC' || parent === undefined) return false;
    return isOfSet(parent.child('setId'), setId) && isBefore(parent.child('versionNumber'), number);
  });
  return { document: original.reference, number, replaces: replaces && !appends };
}

function numberOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Whether a parent document may be of the set: it says so, or says nothing of its set. */
function isOfSet(parent: XmlElement | undefined, set: { root?: string; extension?: string }): boolean {
  if (parent?.attr('root') === undefined) return true;
  return parent.attr('root') === set.root && parent.attr('extension') === set.extension;
}

function isBefore(parent: XmlElement | undefined, number: number): boolean {
  const before = numberOf(parent?.attr('value'));
  return before === undefined || before < number;
}
