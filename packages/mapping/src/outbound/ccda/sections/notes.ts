/** Notes: clinical notes of the record, and narrative sections of documents that were taken in. */
import type {
  Attachment,
  CodeableConcept,
  Composition,
  CompositionSection,
  DiagnosticReport,
  DocumentReference,
  Reference,
} from '@medplum/fhirtypes';
import { dayWords } from '../any-value.ts';
import { LOINC } from '../codes.ts';
import { type CdaElement, type Child, el } from '../element.ts';
import { narrativeOf, paragraphs } from '../narrative.ts';
import { author } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { component } from '../section.ts';
import { statement, statusCode } from '../statement.ts';
import { template, templateIds } from '../templates.ts';
import { asTranslations, code, fixed, ids, interval, nameOf, time } from '../values.ts';
import type { Writer } from '../writer.ts';
import { isNote } from './results.ts';

interface Note {
  resource: DocumentReference | DiagnosticReport;
  type: CodeableConcept | undefined;
  attachments: readonly Attachment[];
  when?: string;
  authors: readonly Reference[];
}

/** A Notes Section for each kind of note. */
export function writeNotes(writer: Writer): CdaElement[] {
  const kinds = new Map<string, Note[]>();
  for (const note of notesOf(writer)) {
    if (writer.take(note.resource)) continue;
    const kind = note.type?.coding?.find(({ system }) => system === 'http://loinc.org')?.code ?? '34109-9';
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, [note]);
    else known.push(note);
  }
  return [...kinds].map(([kind, notes]) => notesSection(writer, kind, notes));
}

function notesOf(writer: Writer): Note[] {
  const documents = writer.chart.all<DocumentReference>('DocumentReference').filter(isClinicalNote);
  const reports = writer.chart.all<DiagnosticReport>('DiagnosticReport').filter(isNote);
  return [
    ...documents.map((resource) => ({
      resource,
      type: resource.type,
      attachments: resource.content.map(({ attachment }) => attachment),
      when: resource.context?.period?.start ?? resource.date,
      authors: resource.author ?? [],
    })),
    ...reports
      .filter(({ status }) => status !== 'entered-in-error')
      .map((resource) => ({
        resource,
        type: resource.code,
        attachments: resource.presentedForm ?? [],
        when: resource.effectiveDateTime ?? resource.issued,
        authors: resource.resultsInterpreter ?? resource.performer ?? [],
      })),
  ];
}

/** Notes, and whatever holds its text; a whole document of another format stays a document of its own. */
function isClinicalNote({ status, category = [], content }: DocumentReference): boolean {
  if (status === 'entered-in-error') return false;
  const noted = category.some(({ coding }) => coding?.some(({ code: one }) => one === 'clinical-note'));
  return noted || content.some(({ attachment }) => isPlain(attachment) && attachment.data !== undefined);
}

function isPlain({ contentType = '' }: Attachment): boolean {
  return contentType.startsWith('text/plain') || contentType.startsWith('text/markdown');
}

function notesSection(writer: Writer, kind: string, notes: readonly Note[]): CdaElement {
  const title = nameOf(notes[0]!.type) ?? 'Notes';
  const told = notes.map((note) => tell(writer, note));
  return component(
    {},
    templateIds('.2.65', '2016-11-01'),
    fixed('code', kind, LOINC, title),
    title,
    told.map(({ narrative }) => narrative),
    told.map(({ entry }) => entry),
  );
}

function tell(writer: Writer, note: Note): { narrative: Child; entry: CdaElement } {
  const { resource, type, when } = note;
  const row = writer.nextId('note');
  const heading = [nameOf(type) ?? 'Note', dayWords(when)].filter((part) => part !== '').join(', ');
  const told = writer.chart.participationsOf(resource, 'author');
  const people =
    told.length > 0
      ? told.map((one) => author(writer, one, resource))
      : note.authors.map((who) => author(writer, { who, time: when }, resource));
  const loinc = fixed(
    'code',
    '34109-9',
    LOINC,
    'Note',
    undefined,
    asTranslations({ coding: type?.coding?.filter(({ code: one }) => one !== '34109-9') }),
  );
  const entry = statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN' },
    template('note'),
    ids(resource),
    loinc,
    el('text', {}, el('reference', { value: `#${row}` })),
    statusCode('completed'),
    periodOf(resource) ?? time('effectiveTime', when),
    people.length > 0 ? people : [author(writer, { who: { display: 'unknown' }, time: when })],
  );
  return {
    narrative: [el('paragraph', { ID: row }, heading), note.attachments.flatMap(contentOf)],
    entry: putBack(entry, resource),
  };
}

function periodOf(resource: DocumentReference | DiagnosticReport): CdaElement | undefined {
  const during = resource.resourceType === 'DocumentReference' ? resource.context?.period : resource.effectivePeriod;
  if (during?.end === undefined) return undefined;
  return interval('effectiveTime', { low: during.start, high: during.end });
}

/** The words of an attachment, or where they are. */
function contentOf(attachment: Attachment): Child[] {
  const { data, contentType = '', url, title } = attachment;
  if (
    data !== undefined &&
    (isPlain(attachment) || contentType.startsWith('text/html') || contentType.startsWith('application/xhtml'))
  ) {
    const words = Buffer.from(data, 'base64').toString('utf8');
    if (isPlain(attachment)) return paragraphs(words);
    const markup = narrativeOf(words.startsWith('<div') ? words : undefined);
    if (markup.length > 0) return markup;
  }
  const named = title ?? (contentType === '' ? 'a document' : `a document (${contentType})`);
  if (url !== undefined && /^https?:/.test(url)) return [el('paragraph', {}, el('linkHtml', { href: url }, named))];
  return [el('paragraph', {}, `${named} is kept where this document comes from.`)];
}

/** The newest narrative of a section with one of these codes, from documents that were taken in. */
export function narrativeSection(writer: Writer, ...codes: readonly string[]): CompositionSection | undefined {
  for (const composition of compositions(writer)) {
    const found = sectionsIn(composition.section).find(
      ({ code: concept, text }) =>
        text !== undefined && concept?.coding?.some(({ code: one }) => one !== undefined && codes.includes(one)),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

export function compositions(writer: Writer): Composition[] {
  return [...writer.chart.all<Composition>('Composition')]
    .filter(({ status }) => status !== 'entered-in-error')
    .sort((a, b) => (a.date < b.date ? 1 : -1));
}

function sectionsIn(sections: readonly CompositionSection[] = []): CompositionSection[] {
  return sections.flatMap((section) => [section, ...sectionsIn(section.section)]);
}

/** Sections of documents that were taken in, of kinds that this document has no section for: their words as they were. */
export function furtherSections(writer: Writer, known: ReadonlySet<string>): CdaElement[] {
  const seen = new Set(known);
  const made: CdaElement[] = [];
  for (const composition of compositions(writer)) {
    for (const section of composition.section ?? []) {
      const kind = section.code?.coding?.find(({ system }) => system === 'http://loinc.org')?.code;
      const narrative = narrativeOf(section.text?.div);
      if (kind === undefined || seen.has(kind) || narrative.length === 0) continue;
      seen.add(kind);
      made.push(
        component({}, [], code('code', section.code), section.title ?? nameOf(section.code) ?? kind, narrative, []),
      );
    }
  }
  return made;
}
