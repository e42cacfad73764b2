/**
 * C-CDA → FHIR R4, after HL7's "C-CDA on FHIR" guide and beyond it: every entry becomes a fact, by its template's
 * table or by its class, and every atom of the document has its place in the ledger.
 */
import { type CdaDocument, type CdaSection, statementsIn, type XmlElement } from '@causeway/ccda';
import { addStandardCodesTo } from '../concepts.ts';
import type { Conversion, ConversionContext, ConversionSink, Fact, LedgerEntry } from '../conversion.ts';
import {
  convertEncompassingEncounter,
  documentKey,
  makeComposition,
  makeDocumentReference,
  makeProvenance,
  type SectionFacts,
} from './document-facts.ts';
import { documentVersion } from './document-version.ts';
import type { Draft } from './draft.ts';
import { compileRows } from './engine.ts';
import { makeServiceTeam } from './header.ts';
import { findSharedIds } from './identity.ts';
import { keepOpenCodes } from './leftovers.ts';
import { linkFacts } from './links.ts';
import { participant } from './participants.ts';
import { recordAgent } from './participations.ts';
import { adoptBirthSex, adoptDeath, convertPatient } from './patient.ts';
import { makeCarePlans } from './plan.ts';
import { Run } from './run.ts';
import { convertStatement } from './statements.ts';
import { DENIED_CONCERN } from './tables/conditions.ts';
import { TABLES } from './tables/index.ts';

for (const table of [...TABLES, DENIED_CONCERN]) compileRows(table.rows);

/** Converts a document or fragment. Whatever the content, there is an answer; what cannot be right is in `issues`. */
export function convertCcda(document: CdaDocument, context: ConversionContext): Conversion {
  const facts: Fact[] = [];
  const ledger: LedgerEntry[] = [];
  const sink = { fact: (fact: Fact) => facts.push(fact), atom: (entry: LedgerEntry) => ledger.push(entry) };
  return { ...convertCcdaInto(document, context, sink), facts, ledger };
}

/** As `convertCcda`, with facts and atoms told one after the other: of a large document not all are in memory at once. */
export function convertCcdaInto(
  document: CdaDocument,
  context: ConversionContext,
  sink: ConversionSink,
): Omit<Conversion, 'facts' | 'ledger'> {
  const run = new Run(document, context);
  run.sharedIds = findSharedIds(document.xml);
  convertPatient(run);
  const encounter = convertEncompassingEncounter(run);
  for (const one of headerParticipants(document)) participant(run, one);
  const sections = document.sections.map((section) => convertSection(run, section));
  for (const entry of document.looseEntries) convertStatement(run, entry.element);
  resolveEntryReferences(run);
  makeServiceTeam(run, documentKey(run));
  makeCarePlans(run, sections, documentKey(run), encounter);
  const composition = makeComposition(run, sections, encounter);
  const original = makeDocumentReference(run, encounter);
  const documents = [composition, original].filter((one): one is Draft => one !== undefined);
  if (documents.length > 0) recordDocument(run, documents);
  makeProvenance(run, original);
  adoptBirthSex(run);
  adoptDeath(run);
  keepOpenCodes(run, document.xml.root, composition ?? original);
  run.bindReferences();
  run.account.ledger(document, sink.atom);
  run.finish();
  for (const draft of run.all()) {
    draft.resource.meta = { source: context.messageUri };
    const fact = draft.fact();
    addStandardCodesTo(fact.resource, context.concepts);
    sink.fact(fact);
    draft.release();
  }
  const version = documentVersion(run, original);
  return { identityEvents: [], issues: run.issues, ...(version && { document: version }) };
}

/** Everybody whom the header names. */
function headerParticipants({ header }: CdaDocument): XmlElement[] {
  if (header === undefined) return [];
  const { authors, dataEnterer, informants, informationRecipients, participants } = header;
  const performers = header.documentationOf.flatMap((one) => one.child('serviceEvent')?.all('performer') ?? []);
  const others = [...authors, ...informants, ...informationRecipients, ...participants, ...performers];
  return dataEnterer === undefined ? others : [...others, dataEnterer];
}

/** Who wrote, told and entered the document. */
function recordDocument(run: Run, documents: readonly Draft[]): void {
  const { authors = [], informants = [], dataEnterer } = run.document.header ?? {};
  for (const author of authors) recordAgent(run, author, 'author', documents);
  for (const informant of informants) recordAgent(run, informant, 'informant', documents);
  if (dataEnterer !== undefined) recordAgent(run, dataEnterer, 'enterer', documents);
}

function convertSection(run: Run, section: CdaSection): SectionFacts {
  const facts: Draft[] = [];
  const links: SectionFacts['links'] = new Map();
  const convertEntry = (entry: XmlElement): void => {
    for (const element of statementsIn(entry)) {
      const link = linkOf(run, element);
      const value = link?.attr('value');
      const place = link && run.account.placeOf(link, 'value');
      for (const fact of convertStatement(run, element, { section: section.code?.code })) {
        facts.push(fact);
        if (value !== undefined && place !== undefined && !links.has(fact)) links.set(fact, { value, place });
      }
    }
  };
  for (const entry of section.element.all('entry')) {
    run.document.xml.within(entry, () => {
      convertEntry(entry);
      run.settle(entry);
    });
  }
  return { section, facts, links, inner: section.sections.map((inner) => convertSection(run, inner)) };
}

/** The reference by which a statement, or the first inside it, names its place in the narrative. */
function linkOf(run: Run, element: XmlElement): XmlElement | undefined {
  for (const holder of [element, element.child('code'), element.child('value')]) {
    const link = holder?.find(holder === element ? 'text' : 'originalText', 'reference');
    if (link !== undefined && run.hasNarrative(link.attr('value') ?? '')) return link;
  }
  for (const container of element.children) {
    for (const inner of statementsIn(container)) {
      const link = linkOf(run, inner);
      if (link !== undefined) return link;
    }
  }
  return undefined;
}

/** An Entry Reference names by id a statement that is told elsewhere in the document. */
function resolveEntryReferences(run: Run): void {
  if (run.entryReferences.length === 0) return;
  const byId = statementsById(run);
  for (const { order, entry, from } of run.entryReferences) {
    run.document.xml.within(entry, () => {
      const element = elementAt(entry, order);
      if (element !== undefined) resolveEntryReference(run, element, from, byId);
    });
  }
}

function resolveEntryReference(run: Run, element: XmlElement, from: Draft, byId: ReadonlyMap<string, Draft>): void {
  run.account.rule = 'entry-reference';
  for (const form of [element.child('code'), element.child('statusCode')]) {
    if (form !== undefined) run.account.consumeBelow(form, 'entry-reference: its form');
  }
  for (const id of element.all('id')) {
    const target = byId.get(keyOf(id));
    if (target === undefined) continue;
    linkFacts(run, from, target, element.parent?.attr('typeCode') ?? '');
    for (const name of ['root', 'extension']) run.account.consumed(id, name);
  }
}

/** What tells of each element that has an id; of several with the same the last. */
function statementsById(run: Run): Map<string, Draft> {
  const byId = new Map<string, Draft>();
  const walk = (element: XmlElement): void => {
    const owner = run.owners.get(element);
    if (owner !== undefined) for (const id of element.all('id')) byId.set(keyOf(id), owner);
    if (element.name === 'entry') run.document.xml.within(element, () => walkAll(element.children));
    else walkAll(element.children);
  };
  const walkAll = (elements: readonly XmlElement[]): void => {
    for (const one of elements) walk(one);
  };
  walk(run.document.xml.root);
  return byId;
}

function keyOf(id: XmlElement): string {
  return `${id.attr('root')}|${id.attr('extension') ?? ''}`;
}

/** The element of a number, at or below another: elements are numbered in the order in which they open. */
function elementAt(element: XmlElement, order: number): XmlElement | undefined {
  if (element.order === order) return element;
  let around: XmlElement | undefined;
  for (const child of element.children) if (child.order <= order) around = child;
  return around && elementAt(around, order);
}
