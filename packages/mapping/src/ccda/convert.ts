/**
 * C-CDA → FHIR R4, after HL7's "C-CDA on FHIR" guide and beyond it: every entry becomes a fact, by its template's
 * table or by its class, and every atom of the document has its place in the ledger.
 */
import { type CdaDocument, type CdaSection, statementsIn, type XmlElement } from '@causeway/ccda';
import { addStandardCodes } from '../concepts.ts';
import type { Conversion, ConversionContext } from '../conversion.ts';
import {
  convertEncompassingEncounter,
  documentKey,
  makeComposition,
  makeDocumentReference,
  makeProvenance,
  type SectionFacts,
} from './document-facts.ts';
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
  const run = new Run(document, context);
  run.sharedIds = findSharedIds(document.xml.root);
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
  for (const draft of run.all()) draft.resource.meta = { source: context.messageUri };
  const facts = run.all().map((draft) => draft.fact());
  const conversion = { facts, identityEvents: [], ledger: run.account.ledger(document), issues: run.issues };
  return addStandardCodes(conversion, context.concepts);
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
  const links = new Map<Draft, XmlElement>();
  for (const { element } of section.entries) {
    const link = linkOf(run, element);
    for (const fact of convertStatement(run, element, { section: section.code?.code })) {
      facts.push(fact);
      if (link !== undefined && !links.has(fact)) links.set(fact, link);
    }
  }
  return { section, facts, links, inner: section.sections.map((inner) => convertSection(run, inner)) };
}

/** The reference by which a statement, or the first inside it, names its place in the narrative. */
function linkOf(run: Run, element: XmlElement): XmlElement | undefined {
  for (const holder of [element, element.child('code'), element.child('value')]) {
    const link = holder?.find(holder === element ? 'text' : 'originalText', 'reference');
    if (link !== undefined && run.narrative(link.attr('value') ?? '') !== undefined) return link;
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
  const byId = new Map<string, Draft>();
  for (const [element, draft] of run.owners) {
    for (const id of element.all('id')) byId.set(`${id.attr('root')}|${id.attr('extension') ?? ''}`, draft);
  }
  for (const { element, from } of run.entryReferences) {
    run.account.rule = 'entry-reference';
    for (const form of [element.child('code'), element.child('statusCode')]) {
      if (form !== undefined) run.account.consumeBelow(form, 'entry-reference: its form');
    }
    for (const id of element.all('id')) {
      const target = byId.get(`${id.attr('root')}|${id.attr('extension') ?? ''}`);
      if (target === undefined) continue;
      linkFacts(run, from, target, element.parent?.attr('typeCode') ?? '');
      for (const name of ['root', 'extension']) run.account.consumed(id, name);
    }
  }
}
