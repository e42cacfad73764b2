/**
 * Clinical statements → facts: which table, which identity, what is said beside the rows, and how a nested statement
 * hangs on the one around it.
 */
import { statementsIn, type XmlElement } from '@causeway/ccda';
import { firstCode, hasText } from './concepts.ts';
import { absentReason, text } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import { copyOf, type Json } from './fhir-path.ts';
import { identityOf } from './identity.ts';
import { linkFacts } from './links.ts';
import { isDenied, isNullAct } from './negation.ts';
import { externalDocument, udiDevice } from './participants.ts';
import { recordParticipations } from './participations.ts';
import { RULES } from './rules.ts';
import type { Run } from './run.ts';
import type { Table } from './table.ts';
import { DENIED_CONCERN } from './tables/conditions.ts';
import { UDI_ORGANIZER } from './tables/devices.ts';
import { chooseTable, isComment, isEntryReference, isWrapper } from './tables/index.ts';
import { tellWrapper } from './wrappers.ts';

const DECEASED_OBSERVATION = '2.16.840.1.113883.10.20.22.4.79';

/** What a statement is found in. */
export interface Surrounding {
  /** LOINC code of the section. */
  section?: string;
  /** The concern or other wrapper around it. */
  wrapper?: XmlElement;
  /** The fact that the statement is nested in. */
  parent?: Draft;
}

/** The status of a statement that is null as a whole though codes are filled in. */
const NULL_STATUS: Record<string, Json> = {
  DiagnosticReport: { status: 'unknown' },
  DeviceRequest: { status: 'unknown' },
  Encounter: { status: 'unknown' },
  Immunization: { status: 'not-done' },
  MedicationDispense: { status: 'unknown' },
  MedicationRequest: { status: 'unknown' },
  MedicationStatement: { status: 'unknown' },
  Observation: { status: 'unknown' },
  Procedure: { status: 'unknown' },
  ServiceRequest: { status: 'unknown' },
};

/** Where in FHIR a resource says whom it is about. */
const SUBJECT: Record<string, string> = {
  AllergyIntolerance: 'patient',
  Immunization: 'patient',
  FamilyMemberHistory: 'patient',
  Coverage: 'beneficiary',
  Device: 'patient',
};

/**
 * Converts one statement and all that is nested in it.
 * @returns the facts that stand for the statement: one, or for a wrapper those inside it
 */
export function convertStatement(run: Run, element: XmlElement, around: Surrounding = {}): Draft[] {
  const known = run.owners.get(element);
  if (known !== undefined) return [known];
  if (run.folded.has(element)) return [];
  const surrounding = { ...around, section: around.section ?? sectionCodeOf(element) };
  const rule = run.account.rule;
  try {
    if (isEntryReference(element)) return referToEntry(run, element, surrounding);
    if (element.hasTemplate(UDI_ORGANIZER)) return convertUdi(run, element);
    if (isWrapper(element)) return convertWrapper(run, element, surrounding);
    if (saysNothing(element)) return [];
    if (isComment(element) && !hasWords(run, element)) {
      const code = element.child('code');
      if (code !== undefined) run.account.consumeBelow(code, 'comment without words');
      return [];
    }
    const section = surrounding.parent === undefined ? surrounding.section : undefined;
    return [convertFact(run, element, chooseTable(element, section), surrounding)];
  } finally {
    run.account.rule = rule;
  }
}

function hasWords(run: Run, element: XmlElement): boolean {
  const words = element.child('text');
  if (words === undefined) return false;
  const reference = words.child('reference')?.attr('value');
  return words.text !== '' || (reference !== undefined && (run.narrative(reference)?.allText ?? '') !== '');
}

/** A statement that is null as a whole, with nothing coded in it: there is no fact to tell. */
function saysNothing(element: XmlElement): boolean {
  return element.attr('nullFlavor') !== undefined && !hasCode(element);
}

function hasCode(element: XmlElement): boolean {
  if (element.name !== 'statusCode' && element.attr('code') !== undefined) return true;
  if (element.name === 'originalText' || (element.name === 'value' && element.attr('value') !== undefined)) return true;
  return element.children.some(hasCode);
}

function convertWrapper(run: Run, element: XmlElement, around: Surrounding): Draft[] {
  const inner: Draft[] = [];
  const within: Surrounding = { ...around, wrapper: element };
  for (const child of nestedIn(element)) inner.push(...convertStatement(run, child, within));
  const first = inner[0];
  if (first === undefined) return isDenied(element) ? [convertFact(run, element, DENIED_CONCERN, around)] : [];
  run.owners.set(element, first);
  tellWrapper(run, element, inner);
  return inner;
}

/** The parts of a UDI belong to the device that carries it. */
function convertUdi(run: Run, element: XmlElement): Draft[] {
  const draft = udiDevice(run, element);
  if (draft === undefined) return [];
  run.owners.set(element, draft);
  return [draft];
}

function convertFact(run: Run, element: XmlElement, table: Table, around: Surrounding): Draft {
  // A document restates what it holds: it speaks at its own time, not at that of an entry's first author.
  const draft = run.draft(table.resource, identityOf(run, element, table.resource));
  run.owners.set(element, draft);
  if (table.fixed !== undefined) Object.assign(draft.resource, copyOf(table.fixed));
  draft.resource[SUBJECT[table.resource] ?? 'subject'] = run.referenceTo(run.patient);
  run.account.rule = table.name;
  applyRows(run, element, draft, table.rows, table.name);
  run.account.rule = table.name;
  nameFromNarrative(run, element, draft);
  if (table.rule !== undefined) RULES[table.rule]({ run, element, draft, around });
  if (isNullAct(run, element, around)) Object.assign(draft.resource, NULL_STATUS[table.resource]);
  completeRequired(draft, table, around);
  run.account.consumed(element, 'moodCode', `${table.name}: mood`);
  const result = run.admit(draft, element);
  run.owners.set(element, result);
  if (result.type === 'Observation' && element.hasTemplate(DECEASED_OBSERVATION)) run.deaths.push(result);
  recordParticipations(run, element, result);
  if (around.wrapper !== undefined) recordParticipations(run, around.wrapper, result);
  convertNested(run, element, result, around);
  for (const reference of element.all('reference')) {
    const document = reference.child('externalDocument');
    const other = document && externalDocument(run, document);
    if (other !== undefined) linkFacts(run, result, other, reference.attr('typeCode') ?? '');
  }
  return result;
}

/** Where a resource says what it is about. */
const NAME: Record<string, string> = {
  AllergyIntolerance: 'code',
  Condition: 'code',
  Immunization: 'vaccineCode',
  MedicationRequest: 'medicationCodeableConcept',
  MedicationStatement: 'medicationCodeableConcept',
  Procedure: 'code',
};

/** A statement without any code or name of its own is called what the narrative calls it. */
function nameFromNarrative(run: Run, element: XmlElement, draft: Draft): void {
  const name = NAME[draft.type];
  const words = element.child('text');
  if (name === undefined || words === undefined || isDenied(element) || element.child('value')?.child('originalText'))
    return;
  const concept = draft.resource[name];
  if (firstCode(concept) !== undefined || hasText(concept) || element.child('value')?.attr('code')) return;
  const called = text(run, words, { draft, path: `${name}.text` });
  if (called !== undefined) draft.resource[name] = { text: called };
}

/** Statements below that no row took: facts of their own, linked to this one. */
function convertNested(run: Run, element: XmlElement, draft: Draft, around: Surrounding): void {
  for (const container of element.children) {
    for (const child of statementsIn(container)) {
      if (run.folded.get(child) !== undefined) {
        recordParticipations(run, child, draft);
        convertNested(run, child, draft, around);
        continue;
      }
      if (run.owners.has(child)) continue;
      const inner = convertStatement(run, child, { section: around.section, parent: draft });
      for (const fact of inner) linkFacts(run, draft, fact, container.attr('typeCode') ?? '');
    }
  }
}

function nestedIn(element: XmlElement): XmlElement[] {
  return element.children.flatMap((container) => statementsIn(container));
}

/** An Entry Reference points at a statement elsewhere by its id; the link is made when all are known. */
function referToEntry(run: Run, element: XmlElement, around: Surrounding): Draft[] {
  if (around.parent !== undefined) {
    run.entryReferences.push({ order: element.order, entry: entryOf(element), from: around.parent });
  }
  return [];
}

/** The outermost entry around a statement, or in a fragment the root: it stays when what is inside is let go. */
function entryOf(element: XmlElement): XmlElement {
  let entry: XmlElement | undefined;
  let at = element;
  for (; at.parent !== undefined; at = at.parent) if (at.name === 'entry') entry = at;
  return entry ?? at;
}

function completeRequired(draft: Draft, table: Table, around: Surrounding): void {
  for (const [name, standIn] of Object.entries(table.required ?? {})) {
    if (hasElement(draft.resource, name)) continue;
    if (standIn === 'absent') {
      const extension = [absentReason('UNK')];
      if (name.endsWith('[x]')) draft.resource[`_${name.replace('[x]', 'DateTime')}`] = { extension };
      else draft.resource[name] = { extension };
    } else if (standIn === 'parent') {
      const parent = around.parent?.resource[name] as Json | undefined;
      draft.resource[name] = parent === undefined ? { extension: [absentReason('UNK')] } : copyOf(parent);
    } else draft.resource[name] = standIn;
  }
}

function hasElement(resource: Json, name: string): boolean {
  if (!name.endsWith('[x]')) return resource[name] !== undefined;
  const stem = name.slice(0, -3);
  return Object.keys(resource).some((key) => key.startsWith(stem) || key.startsWith(`_${stem}`));
}

function sectionCodeOf(element: XmlElement): string | undefined {
  for (let at = element.parent; at !== undefined; at = at.parent) {
    if (at.name === 'section') return at.child('code')?.attr('code');
  }
  return undefined;
}
