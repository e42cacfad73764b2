/**
 * What one sender does differently: fields that stand elsewhere, values of its own, and rows beside those of the tables
 * (its Z segments, fields that it uses for something else). An overlay is data, compiled before a message is read; one
 * that does not compile is refused as a whole.
 */
import type { Draft } from './draft.ts';
import { compileRows, type RowOptions } from './engine.ts';
import type { State } from './segments/state.ts';
import type { Atom, SourceSegment } from './source.ts';

export interface Overlay {
  /** What a sender's value means in the words of the tables: `{ "PID-8": { "W": "F" } }`; a field or `PID-3.4`. */
  values?: Record<string, Record<string, string>>;
  /** Fields that stand in another one of the same segment: `[["PID-4", "PID-3"]]`. Done after `values`. */
  moves?: readonly (readonly [from: string, to: string])[];
  /** Rows carried out after those of the tables, in the resource at hand. */
  rows?: readonly OverlayRow[];
}

/** `["ZPI-3", "Patient", "maritalStatus", "CodeableConcept", { "when": "ZPI-2 in M" }]`; see `Row` in `engine.ts`. */
export type OverlayRow = readonly [from: string, resource: string, to: string, type: string, options?: RowOptions];

/** Ready for messages. */
export interface CompiledOverlay {
  before(segments: readonly SourceSegment[]): void;
  /** By the segment's name. */
  after: ReadonlyMap<string, (segment: SourceSegment, state: State) => void>;
}

/** The resource at hand, by its type. */
const TARGETS = {
  Patient: 'patient',
  Encounter: 'encounter',
  Account: 'account',
  ServiceRequest: 'request',
  DiagnosticReport: 'report',
  Specimen: 'specimen',
  DocumentReference: 'document',
  Procedure: 'procedure',
  Immunization: 'immunization',
  Appointment: 'appointment',
  Coverage: 'coverage',
  AllergyIntolerance: 'allergy',
} as const satisfies Record<string, keyof State>;

const MOST = 2_000;

/** Compiles an overlay. @throws Error with a sentence that names the part that is wrong */
export function compileOverlay(overlay: Overlay): CompiledOverlay {
  const { values = {}, moves = [], rows = [] } = overlay;
  if (Object.keys(values).length + moves.length + rows.length > MOST)
    throw new Error(`An overlay has at most ${MOST} parts`);
  const edits = [
    ...Object.entries(values).map(([from, meanings]) => compileValues(from, meanings)),
    ...moves.map(([from, to]) => compileMove(from, to)),
  ];
  const after = new Map<string, (segment: SourceSegment, state: State) => void>();
  for (const row of rows) {
    const [name, carry] = compileRow(row);
    const others = after.get(name);
    after.set(name, (segment, state) => {
      others?.(segment, state);
      carry(segment, state);
    });
  }
  return {
    before: (segments) => {
      for (const segment of segments) for (const edit of edits) edit(segment);
    },
    after,
  };
}

type Edit = (segment: SourceSegment) => void;

function compileValues(from: string, meanings: Record<string, string>): Edit {
  const { name, field, component } = place(from);
  const table = new Map(Object.entries(meanings));
  return (segment) => {
    if (segment.name !== name) return;
    for (const repetition of segment.fields[field] ?? []) {
      const atom = repetition?.[component]?.[1];
      const meaning = atom === undefined ? undefined : table.get(atom.clean);
      if (meaning !== undefined) repetition![component]![1] = meant(segment, atom!, meaning);
    }
  };
}

/** The atom with another value; it stays the one that the ledger tells of. */
function meant(segment: SourceSegment, atom: Atom, meaning: string): Atom {
  const other = { ...atom, value: meaning, clean: meaning };
  segment.atoms[segment.atoms.indexOf(atom)] = other;
  return other;
}

function compileMove(from: string, to: string): Edit {
  const source = place(from);
  const target = place(to);
  if (source.name !== target.name || `${from}${to}`.includes('.'))
    throw new Error(`The move of ${from} to ${to} is not one of a whole field to another of its segment`);
  return (segment) => {
    const field = segment.name === source.name ? segment.fields[source.field] : undefined;
    if (field === undefined) return;
    segment.fields[target.field] = [...(segment.fields[target.field] ?? []), ...field];
    segment.fields[source.field] = undefined;
  };
}

function compileRow(row: OverlayRow): [segment: string, carry: (segment: SourceSegment, state: State) => void] {
  const [from, resource, to, type, options] = row;
  const { name } = place(from);
  if (!Object.hasOwn(TARGETS, resource))
    throw new Error(`Row ${from}: ${resource} is none of ${Object.keys(TARGETS).join(', ')}`);
  const rows = compileRows([options === undefined ? [from, to, type] : [from, to, type, options]]);
  const target = TARGETS[resource as keyof typeof TARGETS];
  return [
    name,
    (segment, state) => {
      const draft: Draft | undefined = state[target];
      if (draft !== undefined) rows(segment, draft, state.run);
    },
  ];
}

function place(from: string): { name: string; field: number; component: number } {
  const [, name, field, component] = /^([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,2}))?$/.exec(from) ?? [];
  if (name === undefined) throw new Error(`${from} names no field such as PID-3 or component such as PID-3.4`);
  return { name, field: Number(field), component: Number(component ?? 1) };
}
