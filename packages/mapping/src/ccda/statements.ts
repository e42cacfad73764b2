/**
 * Clinical statements → facts: which table, which identity, what is said beside the rows, and how a nested statement
 * hangs on the one around it.
 */
import { CLINICAL_STATEMENTS, statementsIn, type XmlElement } from '@causeway/ccda';
import { firstCode, hasText } from './concepts.ts';
import { absentReason, text } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import type { Json } from './fhir-path.ts';
import { linkFacts } from './links.ts';
import { isDenied, isNullAct } from './negation.ts';
import { location, organizationOf, participant } from './participants.ts';
import { RULES } from './rules.ts';
import type { Run } from './run.ts';
import type { Table } from './table.ts';
import { DENIED_CONCERN } from './tables/conditions.ts';
import { chooseTable, isComment, isEntryReference, isWrapper } from './tables/index.ts';
import { instantOf } from './time.ts';

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
  const code = element.child('code');
  if (code?.attr('code') === 'CONC') run.account.consumeBelow(code, 'concern act');
  return inner;
}

function convertFact(run: Run, element: XmlElement, table: Table, around: Surrounding): Draft {
  // A document restates what it holds: it speaks at its own time, not at that of an entry's first author.
  const draft = run.draft(table.resource, identityOf(run, element, table.resource));
  run.owners.set(element, draft);
  Object.assign(draft.resource, structuredClone(table.fixed));
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
  recordParticipations(run, element, result);
  if (around.wrapper !== undefined) recordParticipations(run, around.wrapper, result);
  convertNested(run, element, result, around);
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
  if (around.parent !== undefined) run.entryReferences.push({ element, from: around.parent });
  return [];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Resources of which the value is what they are about, not what was found. */
const NAMED_BY_VALUE = new Set(['AllergyIntolerance', 'Condition']);

/**
 * The id that the sender gave, or else what the statement is about and when. An id used for several things, or one
 * that may only name its authority, does not identify alone.
 */
function identityOf(run: Run, element: XmlElement, resource: string): string[] {
  const assertion = element.child('code')?.attr('code') ?? 'ASSERTION';
  const withValue = NAMED_BY_VALUE.has(resource) || assertion === 'ASSERTION';
  const id = identifyingId(element);
  if (id === undefined) return [run.patientIdentity, contentOf(element, withValue)];
  const key = `${id.attr('root')}|${id.attr('extension') ?? ''}`;
  const alone = id.attr('extension') !== undefined || UUID.test(id.attr('root')!);
  if (run.isShared(element.name, key)) return [run.patientIdentity, key, contentOf(element, true)];
  return alone ? [run.patientIdentity, key] : [run.patientIdentity, key, contentOf(element, withValue)];
}

function identifyingId(element: XmlElement): XmlElement | undefined {
  return element.all('id').find((id) => id.attr('root') !== undefined && id.attr('nullFlavor') === undefined);
}

/** Code, agent and time of a statement, and its value where that is the subject. */
function contentOf(element: XmlElement, withValue: boolean): string {
  const part = (at: XmlElement | undefined): string => {
    if (at === undefined) return '';
    const attributes = ['code', 'value', 'unit', 'nullFlavor'].map((name) => at.attr(name) ?? '').join(' ');
    return `${attributes} ${at.allText}`.trim();
  };
  const time = element.child('effectiveTime');
  const material =
    element.find('consumable', 'manufacturedProduct', 'manufacturedMaterial', 'code') ??
    element.find('product', 'manufacturedProduct', 'manufacturedMaterial', 'code') ??
    element.find('participant', 'participantRole', 'playingEntity', 'code');
  const code = part(element.child('code'));
  const about = [code, part(material), withValue ? part(element.child('value')) : ''];
  const bare = about.every((one) => one === '');
  return [
    element.name,
    element.attr('moodCode') ?? '',
    ...about,
    part(time),
    part(time?.child('low')),
    bare ? element.allText.slice(0, 500) : '',
  ].join('/');
}

const EVENT_LOCATION = 'http://hl7.org/fhir/StructureDefinition/event-location';

/** Who took part, by the kinds of agent that Provenance knows. */
const AGENTS: Record<string, string> = { author: 'author', informant: 'informant', performer: 'performer' };

/**
 * Authors of the statement and of the wrapper around it become Provenance; so do informants, performers and other
 * people for whom the resource itself had no element.
 */
function recordParticipations(run: Run, element: XmlElement, draft: Draft): void {
  for (const child of element.children) {
    const place = child.name === 'participant' ? child.child('participantRole') : undefined;
    if (place?.attr('classCode') === 'SDLOC' && !run.owners.has(place)) {
      const where = location(run, place);
      if (where !== undefined)
        draft.put('extension[]', { url: EVENT_LOCATION, valueReference: run.referenceTo(where) });
      continue;
    }
    const kind = AGENTS[child.name];
    if (child.name === 'author') recordAgent(run, child, 'author', [draft]);
    else if (kind !== undefined || isPerson(child)) {
      const placed = run.placed.has(child) || child.children.some((role) => run.placed.has(role));
      if (!placed) recordAgent(run, child, kind ?? 'performer', [draft]);
    }
  }
}

/** A `participant` that is a person or an organization with a name, not a product, place or device. */
function isPerson(element: XmlElement): boolean {
  if (element.name !== 'participant') return false;
  const role = element.child('participantRole');
  if (role === undefined || ['SDLOC', 'MANU'].includes(role.attr('classCode') ?? '')) return false;
  const player = role.child('playingEntity');
  return player?.child('name') !== undefined && player.child('code') === undefined;
}

/** Notes who acted on the targets, and when; one Provenance is made for each agent and time in the end. */
export function recordAgent(run: Run, element: XmlElement, kind: string, targets: readonly Draft[]): void {
  run.account.rule = 'provenance';
  const who = participant(run, element);
  if (who === undefined) return;
  const stated = element.child('time');
  const value = stated?.attr('value');
  const at = value === undefined ? undefined : instantOf(value, run.zone);
  const key = `${kind}|${who.reference}|${at ?? ''}`;
  let agency = run.agencies.get(key);
  if (agency === undefined) {
    agency = { kind, who, organization: organizationOf(run, element), time: at, targets: new Set(), times: [] };
    run.agencies.set(key, agency);
  }
  for (const target of targets) agency.targets.add(target);
  if (at !== undefined) agency.times.push(stated!);
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
      draft.resource[name] = parent === undefined ? { extension: [absentReason('UNK')] } : structuredClone(parent);
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

/** Ids that stand on more than one statement of a class with different content. */
export function findSharedIds(root: XmlElement): Set<string> {
  const contents = new Map<string, string>();
  const shared = new Set<string>();
  const walk = (element: XmlElement): void => {
    const id = CLINICAL_STATEMENTS.has(element.name) ? identifyingId(element) : undefined;
    if (id !== undefined) {
      const key = `${element.name}|${id.attr('root')}|${id.attr('extension') ?? ''}`;
      const content = contentOf(element, true);
      const known = contents.get(key);
      if (known === undefined) contents.set(key, content);
      else if (known !== content) shared.add(key);
    }
    for (const child of element.children) if (child.name !== 'text') walk(child);
  };
  walk(root);
  return shared;
}
