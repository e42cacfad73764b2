/** NTE: remarks on what precedes them. */
import { childOf, type Element, listOf, textOf } from '../record.ts';
import { writeConcept } from '../values/coded.ts';
import { writePractitioner } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import type { Sheet } from './sheet.ts';

const KIND = 'http://hl7.org/fhir/StructureDefinition/annotationType';

/** An NTE for each note of a resource, its lines as repetitions. */
export function writeNotes(sheet: Sheet, resource: Element): void {
  sheet.restart('NTE');
  for (const note of listOf(resource, 'note')) writeNote(sheet, note);
}

/** Texts that R4 keeps as one string: an NTE for each line, with who remarked it and when where that is told. */
export function writeRemark(sheet: Sheet, resource: Element, element: string): void {
  const text = textOf(resource, element);
  if (text === undefined) return;
  sheet.restart('NTE');
  const url = `http://hl7.org/fhir/5.0/StructureDefinition/extension-${String(resource.resourceType)}.note`;
  const known = listOf(resource, 'extension')
    .filter((item) => item.url === url)
    .map((item) => childOf(item, 'valueAnnotation'))
    .filter((item) => item !== undefined);
  let rest = text;
  for (const note of known) {
    const said = textOf(note, 'text') ?? '';
    const before = rest.indexOf(said);
    if (before < 0) continue;
    writeLines(sheet, rest.slice(0, before));
    writeNote(sheet, note);
    rest = rest.slice(before + said.length);
  }
  writeLines(sheet, rest);
}

function writeLines(sheet: Sheet, text: string): void {
  for (const line of text.split('\n')) if (line !== '') sheet.addNumbered('NTE', (fields) => fields.add(3, line));
}

function writeNote(sheet: Sheet, note: Element): void {
  sheet.addNumbered('NTE', (fields) => {
    fields.add(3, ...(textOf(note, 'text') ?? '').split('\n'));
    const kind = childOf(
      listOf(note, 'extension').find(({ url }) => url === KIND),
      'valueCodeableConcept',
    );
    if (kind !== undefined) fields.add(4, writeConcept(kind, sheet));
    if (note.authorReference !== undefined) fields.add(5, writePractitioner(note.authorReference, sheet));
    fields.add(6, writeDateTime(note.time));
  });
}
