/** TXA and the OBX that hold the document. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { TXA } from '../../../v2/tables/documents.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, type Element, listOf, textOf } from '../record.ts';
import { writeConcept } from '../values/coded.ts';
import { writeEntityIdentifier } from '../values/identifiers.ts';
import { attachmentValue } from '../values/observation.ts';
import { writePractitioner } from '../values/parties.ts';
import type { Sheet } from './sheet.ts';

const txaRows = compileBack(TXA, {
  skip: ['TXA-5', 'TXA-9', 'TXA-10', 'TXA-11', 'TXA-22', 'TXA-25'],
  single: ['TXA-14', 'TXA-15'],
});

export function writeDocument(sheet: Sheet, document: Element): void {
  sheet.restart('OBX');
  sheet.addNumbered('TXA', (fields) => {
    txaRows(document, fields, sheet);
    fields.add(3, formatOf(document));
    writeAuthors(sheet, document, fields);
    fields.add(25, textOf(document, 'description'));
    const parent = childOf(childOf(listOf(document, 'relatesTo')[0], 'target'), 'identifier');
    if (parent !== undefined) fields.add(13, writeEntityIdentifier(parent));
    const withdrawn = document.status === 'entered-in-error';
    fields.add(17, withdrawn ? 'CA' : codeFor('documentCompletion', textOf(document, 'docStatus')));
    fields.add(19, withdrawn ? 'CA' : document.status === 'superseded' ? 'OB' : 'AV');
  });
  for (const [index, { attachment }] of listOf(document, 'content').entries())
    for (const [type, value] of contentOf(attachment)) writeContent(sheet, document, type, value, index);
}

/** One author originated the document (TXA-9); of several the first is the primary provider (TXA-5), and the last of three or more transcribed it (TXA-11). */
function writeAuthors(sheet: Sheet, document: Element, fields: SegmentFields): void {
  const authors = listOf(document, 'author');
  const last = authors.length - 1;
  for (const [index, author] of authors.entries()) {
    const field = last === 0 ? 9 : index === 0 ? 5 : index === last && last > 1 ? 11 : 9;
    fields.add(field, writePractitioner(author, sheet));
  }
  const authenticator = document.authenticator;
  if (authenticator === undefined) return;
  fields.add(document.docStatus === 'final' ? 22 : 10, writePractitioner(authenticator, sheet));
}

/** HL7 table 0191. */
function formatOf(document: Element): string {
  const type = textOf(childOf(listOf(document, 'content')[0], 'attachment'), 'contentType');
  return type === undefined || type.startsWith('text/') ? 'TX' : 'AP';
}

function writeContent(sheet: Sheet, document: Element, type: string, value: RepetitionValue, index: number): void {
  const kinds = listOf(document, 'category');
  const kind = kinds[Math.min(index, kinds.length - 1)] ?? document.type;
  sheet.addNumbered('OBX', (fields) => {
    fields.add(2, type);
    fields.add(3, writeConcept(kind, sheet));
    fields.add(5, value);
    fields.add(11, 'F');
  });
}

/**
 * Text as TX, a line each where each says something by itself (blanks around a line and empty ones would not be read);
 * anything else as ED; what lies elsewhere as RP.
 */
function contentOf(attachment: unknown): [type: string, value: RepetitionValue][] {
  const data = textOf(attachment, 'data');
  const contentType = textOf(attachment, 'contentType') ?? '';
  if (data !== undefined && /^text\/plain\b/i.test(contentType)) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    const lines = text.split('\n');
    return lines.every((line) => line !== '' && line === line.trim())
      ? lines.map((line) => ['TX', line])
      : [['TX', text]];
  }
  if (data === undefined && textOf(attachment, 'url') === undefined) return [];
  return [attachmentValue(attachment as Element)];
}
