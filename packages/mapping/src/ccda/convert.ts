/**
 * C-CDA → FHIR R4, after HL7's "C-CDA on FHIR" guide and beyond it: every entry becomes a fact, by its template's
 * table or by its class, and every atom of the document has its place in the ledger.
 */
import type { CdaDocument, CdaSection } from '@causeway/ccda';
import type { Conversion, ConversionContext } from '../conversion.ts';
import {
  convertEncompassingEncounter,
  convertHeaderParticipants,
  makeComposition,
  makeDocumentReference,
  makeProvenance,
  type SectionFacts,
} from './document-facts.ts';
import type { Draft } from './draft.ts';
import { compileRows } from './engine.ts';
import { keepOpenCodes } from './leftovers.ts';
import { linkFacts } from './links.ts';
import { adoptBirthSex, convertPatient } from './patient.ts';
import { Run } from './run.ts';
import { convertStatement, findSharedIds, recordAgent } from './statements.ts';
import { DENIED_CONCERN } from './tables/conditions.ts';
import { TABLES } from './tables/index.ts';

for (const table of [...TABLES, DENIED_CONCERN]) compileRows(table.rows);

/** Converts a document or fragment. Whatever the content, there is an answer; what cannot be right is in `issues`. */
export function convertCcda(document: CdaDocument, context: ConversionContext): Conversion {
  const run = new Run(document, context);
  run.sharedIds = findSharedIds(document.xml.root);
  convertPatient(run);
  const encounter = convertEncompassingEncounter(run);
  convertHeaderParticipants(run);
  const sections = document.sections.map((section) => convertSection(run, section));
  for (const entry of document.looseEntries) convertStatement(run, entry.element);
  resolveEntryReferences(run);
  const composition = makeComposition(run, sections, encounter);
  const original = makeDocumentReference(run, encounter);
  const documents = [composition, original].filter((one): one is Draft => one !== undefined);
  if (documents.length > 0)
    for (const author of document.header?.authors ?? []) recordAgent(run, author, 'author', documents);
  makeProvenance(run, original);
  adoptBirthSex(run);
  keepOpenCodes(run, document.xml.root, composition ?? original);
  run.bindReferences();
  for (const draft of run.all()) draft.resource.meta = { source: context.messageUri };
  return {
    facts: run.all().map((draft) => draft.fact()),
    identityEvents: [],
    ledger: run.account.ledger(document),
    issues: run.issues,
  };
}

function convertSection(run: Run, section: CdaSection): SectionFacts {
  const facts = section.entries.flatMap((entry) =>
    convertStatement(run, entry.element, { section: section.code?.code }),
  );
  return { section, facts, inner: section.sections.map((inner) => convertSection(run, inner)) };
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
    for (const id of element.all('id')) {
      const target = byId.get(`${id.attr('root')}|${id.attr('extension') ?? ''}`);
      if (target === undefined) continue;
      linkFacts(run, from, target, element.parent?.attr('typeCode') ?? '');
      for (const name of ['root', 'extension']) run.account.consumed(id, name);
    }
  }
}
