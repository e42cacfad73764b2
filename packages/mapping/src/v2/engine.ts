/**
 * Carries out table rows on a segment. A row says: this field, read as this data type, goes to this path, when this
 * holds. Rows are compiled to closures when the module loads; a row that does not compile stops the load.
 */
import { Cell } from './cell.ts';
import { type Condition, compileCondition } from './condition.ts';
import { dataType, type FieldReader, fieldType, type Reader } from './datatypes/index.ts';
import { compilePath, type Draft, dropDoubles, type Element, type Setter } from './draft.ts';
import type { Run } from './run.ts';
import { isNullField, type SourceField, type SourceSegment } from './source.ts';

export interface RowOptions {
  /** Condition over the same segment, see `compileCondition`. */
  when?: string;
  /** Elements that stand beside the value in the element the row makes. */
  with?: Element;
  /** What `""` removes, when it is not the first step of the target path. */
  clears?: string;
}

/**
 * One row: source (`PID-5`, or `PID-5.2` for a component), target path, data type with an optional vocabulary
 * (`code:gender`), options. Type `structural` marks message mechanics and set ids, `consumed` what drives decisions
 * in code; both have no target (`''`).
 */
export type Row = readonly [from: string, to: string, type: string, options?: RowOptions];

/** Compiled rows of one segment into one resource. */
export type SegmentMap = (segment: SourceSegment, draft: Draft, run: Run) => void;

/**
 * Compiles a table; throws on the first row that is not understood. Where segments of one message state the same fact
 * again, what they repeat in lists stands there once.
 */
export function compileRows(rows: readonly Row[]): SegmentMap {
  const steps = rows.map(compileRow);
  return (segment, draft, run) => {
    run.segment = segment;
    draft.maps ??= [];
    const lengths = draft.maps.includes(steps) ? lengthsOf(draft) : undefined;
    if (lengths === undefined) draft.maps.push(steps);
    for (const step of steps) step(segment, draft, run);
    if (lengths !== undefined) for (const [name, from] of lengths) dropDoubles(draft, name, from, segment);
  };
}

function lengthsOf({ resource }: Draft): [name: string, length: number][] {
  return Object.entries(resource).flatMap(([name, value]) => (Array.isArray(value) ? [[name, value.length]] : []));
}

function compileRow(row: Row): SegmentMap {
  const [from, to, type, options] = row;
  const source = /^([A-Z][A-Z0-9]{2})-(\d+)(?:\.(\d+))?$/.exec(from);
  if (source === null) throw new Error(`Source '${from}' does not compile`);
  const number = Number(source[2]);
  const component = source[3] === undefined ? undefined : Number(source[3]);
  const condition = options?.when === undefined ? undefined : compileCondition(options.when);
  if (type === 'structural' || type === 'consumed') return markOnly(number, component, type, from, condition);
  const setter = compilePath(to);
  const clears = options?.clears ?? clearsOf(to);
  const whole = fieldType(type);
  if (whole !== undefined) return wholeField(number, whole, setter, clears, from, condition);
  const reader = dataType(type);
  if (reader === undefined) throw new Error(`Row '${from}': data type '${type}' is unknown`);
  const repeats = /\[\]|\(/.test(to);
  return eachRepetition({
    number,
    component,
    reader,
    setter,
    clears,
    from,
    condition,
    repeats,
    constants: options?.with,
  });
}

/** What `""` removes: the extension the path names, else the element its first step names. */
function clearsOf(to: string): string {
  const extension = /^extension[({]([^)}]+)[)}]/.exec(to);
  return extension === null ? /^\w+/.exec(to)![0] : `extension[url=${extension[1]}]`;
}

function markOnly(
  number: number,
  component: number | undefined,
  disposition: 'structural' | 'consumed',
  rule: string,
  condition: Condition | undefined,
): SegmentMap {
  return (segment) => {
    const field = segment.fields[number];
    if (field === undefined || (condition !== undefined && !condition(segment))) return;
    for (const repetition of field) {
      if (repetition === undefined) continue;
      for (const [index, found] of repetition.entries()) {
        if (found === undefined || (component !== undefined && index !== component)) continue;
        for (const atom of found) {
          if (atom === undefined || atom.disposition !== 'kept') continue;
          atom.disposition = disposition;
          atom.rule = rule;
        }
      }
    }
  };
}

function clearField(field: SourceField, draft: Draft, clears: string, rule: string): void {
  const atom = field[0]![1]![1]!;
  atom.disposition = 'consumed';
  atom.rule = `${rule}/null`;
  if (draft.mode === 'merge') draft.clears.push(clears);
}

function wholeField(
  number: number,
  reader: FieldReader,
  setter: Setter,
  clears: string,
  from: string,
  condition: Condition | undefined,
): SegmentMap {
  return (segment, draft, run) => {
    const field = segment.fields[number];
    if (field === undefined || (condition !== undefined && !condition(segment))) return;
    if (isNullField(field)) return clearField(field, draft, clears, from);
    const place = { draft: undefined as Draft | undefined, base: '' };
    const cells: Cell[] = [];
    for (const repetition of field) if (repetition !== undefined) cells.push(new Cell(repetition, run, from, place));
    const value = reader(cells);
    if (value === undefined) return;
    place.base = setter(draft, value);
    place.draft = draft;
  };
}

interface CompiledField {
  number: number;
  component: number | undefined;
  reader: Reader;
  setter: Setter;
  clears: string;
  from: string;
  condition: Condition | undefined;
  repeats: boolean;
  constants: Element | undefined;
}

function eachRepetition(row: CompiledField): SegmentMap {
  const { number, component, reader, setter, clears, from, condition, repeats, constants } = row;
  return (segment, draft, run) => {
    const field = segment.fields[number];
    if (field === undefined || (condition !== undefined && !condition(segment))) return;
    if (isNullField(field)) return clearField(field, draft, clears, from);
    for (const repetition of field) {
      if (repetition === undefined) continue;
      const place = { draft: undefined as Draft | undefined, base: '' };
      let cell: Cell | undefined = new Cell(repetition, run, from, place);
      if (component !== undefined) cell = cell.inside(component);
      if (cell !== undefined) {
        const value = reader(cell);
        if (value !== undefined) {
          place.base = setter(draft, value, constants);
          place.draft = draft;
          draft.placed(place.base, place, value);
        }
      }
      if (!repeats) return;
    }
  };
}
