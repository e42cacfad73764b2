/**
 * Master files (MFN): staff (M02), locations (M05) and tests (M08). Each record is one fact that registrations and results
 * refer to by the same identity; MFE says whether it is added, changed or put out of use.
 */
import { Cell } from '../cell.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { peekAuthority, systemOf } from '../datatypes/identifier.ts';
import { readLocation } from '../datatypes/location.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import {
  CER,
  EDU,
  LAN,
  LDP,
  LOC,
  OM1,
  OM2,
  OM4,
  PRA_PRACTITIONER,
  PRA_ROLE,
  STF_PRACTITIONER,
  STF_ROLE,
} from '../tables/masters.ts';
import { cellOf } from './patient.ts';
import { peek, type SegmentHandler, type State } from './state.ts';

const stfPractitioner = compileRows(STF_PRACTITIONER);
const stfRole = compileRows(STF_ROLE);
const praPractitioner = compileRows(PRA_PRACTITIONER);
const praRole = compileRows(PRA_ROLE);
const lanRows = compileRows(LAN);
const eduRows = compileRows(EDU);
const cerRows = compileRows(CER);
const locRows = compileRows(LOC);
const ldpRows = compileRows(LDP);
const om1Rows = compileRows(OM1);
const om2Rows = compileRows(OM2);
const om4Rows = compileRows(OM4);

/** MFI: which file, and what is done to it as a whole. */
export const mfi: SegmentHandler = (segment) => consume(segment, () => true);

/** MFE: what is done to the record that follows (table 0180). */
export const mfe: SegmentHandler = (segment, state) => {
  state.master = undefined;
  state.masterRetired = ['MDL', 'MDC'].includes(peek(segment, 1) ?? '');
  consume(segment, (field) => field !== 4);
  consume(segment, (field) => field === 4);
};

function consume(segment: SourceSegment, isOf: (field: number) => boolean): void {
  for (const atom of segment.atoms) {
    if (!isOf(atom.field) || atom.disposition !== 'kept') continue;
    atom.disposition = 'consumed';
    atom.rule = `${segment.name}-${atom.field}`;
  }
}

export const stf: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = staffIdentity(segment, state);
  if (identity === undefined) return;
  const draft = record(state, 'Practitioner', ...identity);
  stfPractitioner(segment, draft, run);
  const role = run.draft('PractitionerRole', 'merge', 'staff', draft.id);
  role.clinical = false;
  role.resource.practitioner = draft.reference;
  state.masterRole = role;
  stfRole(segment, role, run);
  const cell = cellOf(segment, 7, run);
  const active = cell?.peek(1)?.toUpperCase();
  if (active === 'A' || active === 'I') cell?.used(1);
  const inactive = active === 'I' || state.masterRetired;
  if (active !== undefined || inactive) {
    draft.resource.active = !inactive;
    role.resource.active = !inactive;
  }
};

/** By the first of its identifiers, as XCN names a practitioner; else by the file's own key. */
function staffIdentity(segment: SourceSegment, { run }: State): string[] | undefined {
  const cell = cellOf(segment, 2, run);
  const id = cell?.peek(1);
  if (cell !== undefined && id !== undefined)
    return [systemOf(run, peekAuthority(cell.component(4)), cell.peek(5)), id];
  const key = peek(segment, 1);
  return key === undefined ? undefined : ['staff', key];
}

export const pra: SegmentHandler = (segment, state) => {
  const { run, master, masterRole } = state;
  if (master?.type !== 'Practitioner' || masterRole === undefined) return;
  praPractitioner(segment, master, run);
  praRole(segment, masterRole, run);
};

export const lan = ofPractitioner(lanRows);
export const edu = ofPractitioner(eduRows);
export const cer = ofPractitioner(cerRows);

/** Each segment is a qualification of its own, so its slot is given up after it. */
function ofPractitioner(rows: typeof lanRows): SegmentHandler {
  return (segment, { run, master }) => {
    if (master?.type !== 'Practitioner') return;
    rows(segment, master, run);
    for (const item of (master.resource.qualification as Element[] | undefined) ?? []) item.code ??= absentConcept();
    master.slots?.delete('qualification[edu]');
    master.slots?.delete('qualification[cer]');
  };
}

/** LOC: the location that PL names in registrations. */
export const loc: SegmentHandler = (segment, state) => {
  const run = state.run;
  run.segment = segment;
  const cell = cellOf(segment, 1, run);
  const draft = run.referred(cell === undefined ? undefined : readLocation(cell)?.reference);
  if (draft === undefined) return;
  draft.mode = 'merge';
  draft.clinical = true;
  state.master = draft;
  locRows(segment, draft, run);
  draft.adds.push('identifier');
  draft.resource.status = state.masterRetired ? 'inactive' : 'active';
};

/** LDP: the department a location is. */
export const ldp: SegmentHandler = (segment, state) => {
  const { run, master } = state;
  if (master?.type !== 'Location') return;
  for (const repetition of segment.fields[1] ?? []) {
    for (const component of repetition ?? [])
      for (const atom of component ?? []) new Cell([], run, 'LDP-1').consume(atom);
  }
  ldpRows(segment, master, run);
  const cell = cellOf(segment, 6, run)?.at({ draft: master, base: 'status' });
  const flag = cell?.peek(1)?.toUpperCase();
  if (flag !== 'A' && flag !== 'I') return;
  cell?.used(1);
  if (flag === 'I') master.resource.status = 'inactive';
};

/** OM1: a test or observation as it is offered. */
export const om1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const code = peek(segment, 2) ?? peek(segment, 2, 2);
  if (code === undefined) return;
  const draft = record(state, 'ObservationDefinition', peek(segment, 2, 3) ?? '', code);
  om1Rows(segment, draft, run);
  const types = new Set<string>();
  for (const repetition of segment.fields[3] ?? []) {
    if (repetition === undefined) continue;
    const cell = new Cell(repetition, run, 'OM1-3', { draft, base: 'permittedDataType' });
    const type = DATA_TYPES[cell.peek(1)?.toUpperCase() ?? ''];
    if (type === undefined) continue;
    types.add(type);
    cell.used(1);
  }
  if (types.size > 0) draft.resource.permittedDataType = [...types];
};

/** OBX-2 types as ObservationDefinition calls the types of values. */
const DATA_TYPES: Record<string, string> = {
  NM: 'Quantity',
  SN: 'Quantity',
  CQ: 'Quantity',
  CE: 'CodeableConcept',
  CWE: 'CodeableConcept',
  CNE: 'CodeableConcept',
  ST: 'string',
  TX: 'string',
  FT: 'string',
  DT: 'dateTime',
  TS: 'dateTime',
  DTM: 'dateTime',
  TM: 'time',
  DR: 'Period',
  NR: 'Range',
  NA: 'SampledData',
};

/** OM2: units, precision and ranges of a numeric test. */
export const om2: SegmentHandler = (segment, state) => {
  const { run, master } = state;
  if (master?.type !== 'ObservationDefinition') return;
  om2Rows(segment, master, run);
  for (const [field, category] of [
    [6, 'reference'],
    [7, 'critical'],
    [8, 'absolute'],
  ] as const) {
    for (const repetition of segment.fields[field] ?? []) {
      if (repetition !== undefined) interval(new Cell(repetition, run, `OM2-${field}`), category, master);
    }
  }
};

/** RFR: a range, and for whom it holds. */
function interval(source: Cell, category: string, draft: Draft): void {
  const list = (draft.resource.qualifiedInterval as Element[] | undefined) ?? [];
  const cell = source.at({ draft, base: `qualifiedInterval[${list.length}]` });
  const bounds = (component: number, path: string): Element | undefined => {
    const inner = cell.inside(component);
    const low = inner?.number(`${path}.low.value`, 1);
    const high = inner?.number(`${path}.high.value`, 2);
    if (low === undefined && high === undefined) return undefined;
    return { ...(low !== undefined && { low: { value: low } }), ...(high !== undefined && { high: { value: high } }) };
  };
  const range = bounds(1, 'range');
  if (range === undefined) return;
  const item: Element = { category, range };
  const gender = { M: 'male', F: 'female' }[cell.peek(2)?.toUpperCase() ?? ''];
  if (gender !== undefined) {
    item.gender = gender;
    cell.text('gender', 2);
  }
  const age = bounds(3, 'age');
  if (age !== undefined) item.age = age;
  const condition = cell.text('condition', 7);
  if (condition !== undefined) item.condition = condition;
  list.push(item);
  draft.resource.qualifiedInterval = list;
}

/** OM4: the specimen that a test needs. */
export const om4: SegmentHandler = (segment, state) => {
  const { run, master } = state;
  if (master?.type !== 'ObservationDefinition') return;
  const draft = run.draft('SpecimenDefinition', 'merge', master.id, peek(segment, 6) ?? String(segment.occurrence));
  om4Rows(segment, draft, run);
  const tested = draft.resource.typeTested as Element[] | undefined;
  if (tested !== undefined) tested[0]!.preference = 'preferred';
};

function record(state: State, type: string, ...identity: string[]): Draft {
  const draft = state.run.draft(type, 'merge', ...identity);
  draft.adds.push('identifier');
  state.master = draft;
  return draft;
}
