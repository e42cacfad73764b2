/**
 * MRG: what PID and PV1 name was known as, or where it was filed, before (v2.9 chapters 3.4.12 and 3.5.2). The trigger
 * event says at which level (patient, account, visit) and whether two become one, one gets another identifier, or one
 * belongs elsewhere; see `tables/events.ts`.
 */
import { factId } from '../../fact-id.ts';
import { Cell } from '../cell.ts';
import { peekAuthority, readExtendedIdentifier, systemOf } from '../datatypes/identifier.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceRepetition, SourceSegment } from '../source.ts';
import { ADT_EVENTS, type Level, PRIOR_FIELDS, type Prior } from '../tables/events.ts';
import { identityOf, isPatientIdentifier } from './patient.ts';
import { patientOf, type SegmentHandler, type State, subjectOf } from './state.ts';

const nameRows = compileRows([['MRG-7', 'name[]', 'HumanName']]);

export const mrg: SegmentHandler = (segment, state) => {
  state.run.segment = segment;
  const prior = state.code === 'ADT' ? ADT_EVENTS[state.event]?.prior : undefined;
  state.priorVisit = undefined;
  if (prior === undefined) return;
  for (const level of prior.levels) {
    if (segment.fields[PRIOR_FIELDS[level]] === undefined) continue;
    if (level === 'account') priorAccount(segment, prior, state);
    else if (level === 'visit' || level === 'alternateVisit') state.priorVisit = segment;
    else priorPatient(segment, level, prior, state);
  }
  if (!prior.levels.includes('patient')) superior(segment, ['patient', 'alternate', 'external'], state.run);
  if (!prior.levels.includes('account') && !prior.levels.includes('patient')) superior(segment, ['account'], state.run);
};

/** Identifiers that only say whose account or visit it was: what is filed under them is found by the subordinate one. */
function superior(segment: SourceSegment, levels: readonly Level[], run: Run): void {
  for (const level of levels) {
    for (const repetition of segment.fields[PRIOR_FIELDS[level]] ?? []) {
      if (repetition !== undefined) consumeAll(cellAt(repetition, run, level));
    }
  }
}

function priorPatient(segment: SourceSegment, level: Level, prior: Prior, state: State): void {
  const run = state.run;
  const survivor = patientOf(state);
  for (const repetition of segment.fields[PRIOR_FIELDS[level]] ?? []) {
    if (repetition === undefined) continue;
    const cell = cellAt(repetition, run, level);
    const identity = identityAt(cell);
    if (identity === undefined) continue;
    const retired = factId(run.context.source, 'Patient', ...identity);
    if (retired === survivor.id) {
      consumeAll(cell);
      if (prior.kind === 'move' && level === 'patient') movePerson(segment, survivor, state);
    } else if (level === 'external' && prior.kind === 'move') consumeAll(cell);
    else if (identifies(cell, level, segment, prior, state)) retirePatient(segment, cell, retired, prior, state);
    else formerIdentifier(cell, identity, survivor);
  }
}

/** Whether an identifier of MRG names a patient record that goes away, and not just an identifier which the patient had. */
function identifies(cell: Cell, level: Level, segment: SourceSegment, prior: Prior, state: State): boolean {
  if (level === 'alternate') return false;
  if (level === 'patient') return isPatientIdentifier(cell.peek(5));
  const internal = prior.kind === 'merge' ? segment.fields[1] : state.patientSegment?.fields[3];
  return internal === undefined;
}

function retirePatient(segment: SourceSegment, cell: Cell, id: string, prior: Prior, state: State): void {
  const run = state.run;
  const survivor = patientOf(state);
  const draft = run.draft('Patient', 'merge', ...identityAt(cell)!);
  draft.resource.active = false;
  draft.resource.link = [{ other: survivor.reference, type: 'replaced-by' }];
  draft.adds.push('identifier', 'link');
  const place = { draft, base: '' };
  const identifier = readExtendedIdentifier(cell.at(place));
  if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
  if (draft.resource.name === undefined) nameRows(segment, draft, run);
  survivor.append('link', { other: draft.reference, type: 'replaces' });
  survivor.adds.push('link');
  const [surviving, retired] = [`Patient/${survivor.id}`, `Patient/${id}`];
  state.identityEvents.push(
    prior.kind === 'move'
      ? { kind: 'move', patient: retired, to: surviving, at: run.asOf }
      : { kind: 'merge', surviving, retired, at: run.asOf },
  );
}

/** A43 of one record that two external ids (MRG-4, PID-2) claim: it belongs to the second, no longer to the first. */
function movePerson(segment: SourceSegment, patient: Draft, state: State): void {
  const { run, patientSegment } = state;
  const [from, to] = [identityOf(run, segment.fields[4]), identityOf(run, patientSegment?.fields[2])];
  if (from === undefined || to === undefined || from.join() === to.join()) return;
  const person = (identity: string[]) => `Patient/${factId(run.context.source, 'Patient', ...identity)}`;
  const a = `Patient/${patient.id}`;
  state.identityEvents.push({ kind: 'unlink', a, b: person(from), at: run.asOf });
  state.identityEvents.push({ kind: 'link', a, b: person(to), at: run.asOf });
}

/** An identifier the patient or visit had, beside those it has: `old`, so that it is found and not taken for valid. */
function formerIdentifier(cell: Cell, [system, value]: string[], holder: Draft): void {
  const known = (holder.resource.identifier as Element[] | undefined) ?? [];
  if (known.some((item) => item.system === system && item.value === value)) {
    consumeAll(cell);
    return;
  }
  const place = { draft: holder, base: '' };
  const identifier = readExtendedIdentifier(cell.at(place));
  if (identifier === undefined) return;
  place.base = `identifier[${holder.append('identifier', { use: 'old', ...identifier })}]`;
  holder.adds.push('identifier');
}

function priorAccount(segment: SourceSegment, prior: Prior, state: State): void {
  const run = state.run;
  const repetition = segment.fields[PRIOR_FIELDS.account]?.[0];
  const survivor = state.account;
  if (repetition === undefined) return;
  const cell = cellAt(repetition, run, 'account');
  const identity = identityAt(cell);
  if (identity === undefined) return;
  if (survivor === undefined) {
    run.issue(
      'warning',
      'required',
      'PID[1]-18',
      'The account that goes on (PID-18) is not named, so the prior one (MRG-3) is left as it is.',
    );
    return;
  }
  const retired = run.draft('Account', 'merge', ...identity);
  if (retired === survivor) consumeAll(cell);
  else {
    retired.clinical = false;
    retired.resource.status = 'inactive';
    retired.resource.partOf = survivor.reference;
    retired.resource.subject = [subjectOf(state)];
    replaced(cell, retired, survivor, prior, state);
  }
  if (prior.kind === 'move') refile(survivor, state);
}

/** PV1 after MRG: the visit that goes on, or that belongs here. */
export function settlePriorVisit(state: State): void {
  const { priorVisit: segment, encounter: survivor, run } = state;
  if (segment === undefined || survivor === undefined) return;
  state.priorVisit = undefined;
  run.segment = segment;
  const prior = ADT_EVENTS[state.event]!.prior!;
  for (const level of ['visit', 'alternateVisit'] as const) {
    const repetition = segment.fields[PRIOR_FIELDS[level]]?.[0];
    if (repetition === undefined || !prior.levels.includes(level)) continue;
    const cell = cellAt(repetition, run, level);
    const identity = identityAt(cell);
    if (identity === undefined) continue;
    const id = factId(run.context.source, 'Encounter', ...identity);
    const isOwn = id === survivor.id;
    if (level === 'alternateVisit' && !isOwn && segment.fields[PRIOR_FIELDS.visit] !== undefined)
      formerIdentifier(cell, identity, survivor);
    else if (level === 'alternateVisit' && !isOwn && state.visitNumbered) formerIdentifier(cell, identity, survivor);
    else if (isOwn) consumeAll(cell);
    else {
      const retired = run.draft('Encounter', 'merge', ...identity);
      retired.resource.status = 'entered-in-error';
      retired.resource.partOf = survivor.reference;
      retired.resource.subject = subjectOf(state);
      retired.require('class', UNKNOWN_CLASS);
      replaced(cell, retired, survivor, prior, state);
    }
  }
  if (prior.kind === 'move') refile(survivor, state);
}

/** The class of a visit of which none is stated; Encounter requires one. */
export const UNKNOWN_CLASS: Readonly<Element> = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor',
  code: 'UNK',
  display: 'unknown',
};

function replaced(cell: Cell, retired: Draft, survivor: Draft, prior: Prior, state: State): void {
  const place = { draft: retired, base: '' };
  const identifier = readExtendedIdentifier(cell.at(place));
  if (identifier !== undefined) {
    place.base = `identifier[${retired.append('identifier', { ...identifier, use: 'old' })}]`;
    survivor.append('identifier', { ...identifier, use: 'old' });
  }
  retired.adds.push('identifier');
  survivor.adds.push('identifier');
  const name = (draft: Draft) => `${draft.type}/${draft.id}`;
  state.identityEvents.push({
    kind: 'replace',
    surviving: name(survivor),
    retired: name(retired),
    renumbered: prior.kind !== 'merge',
    at: state.run.asOf,
  });
}

function refile(draft: Draft, state: State): void {
  const to = `Patient/${patientOf(state).id}`;
  state.identityEvents.push({ kind: 'refile', of: `${draft.type}/${draft.id}`, to, at: state.run.asOf });
}

function cellAt(repetition: SourceRepetition, run: Run, level: Level): Cell {
  return new Cell(repetition, run, `MRG-${PRIOR_FIELDS[level]}`);
}

function identityAt(cell: Cell): string[] | undefined {
  const value = cell.peek(1);
  if (value === undefined) return undefined;
  return [systemOf(cell.run, peekAuthority(cell.component(4)), cell.peek(5)), value];
}

function consumeAll(cell: Cell): void {
  for (const component of cell.repetition) for (const atom of component ?? []) cell.consume(atom);
}
