/**
 * Carries the rows of the v2 → FHIR tables out backwards: what a row's path finds in the resource is written, as the
 * row's data type, to the row's field. Where several rows have one target (PID-13 and PID-14 both make a telecom), an
 * item goes to the row whose constants it holds, else to the row whose data type fits it best, else to the first that
 * takes it; no item is written twice in one segment.
 */
import type { Row } from '../../v2/engine.ts';
import type { SegmentFields } from './fields.ts';
import { type Element, holds, isElement, type Writing } from './record.ts';
import { type ValueWriter, valueWriter } from './values/index.ts';

/** Writes what the rows say of a resource into a segment. */
export type BackMap = (resource: Element, fields: SegmentFields, writing: Writing) => void;

export interface BackOptions {
  /** Sources of rows that a function of the segment carries out instead. */
  skip?: readonly string[];
  /** Fields that hold one value although their target is a list. */
  single?: readonly string[];
  /** Sources of rows that only take what no other row does. */
  last?: readonly string[];
}

interface BackRow {
  from: string;
  field: number;
  component: number | undefined;
  steps: Step[];
  /** Which step leads to an item of a list last. */
  lastList: number;
  constants: Element | undefined;
  /** Takes items that say which field they are of. */
  isOfKind: boolean;
  /** Takes items of a certain form only. */
  isSpecific: boolean;
  writer: ValueWriter;
  single: boolean;
}

interface Step {
  name: string;
  kind: 'one' | 'new' | 'slot' | 'extension';
  key: string;
}

/** A value that a path leads to; `path` tells items apart. */
interface Found {
  value: unknown;
  path: string;
}

/** Compiles rows; throws on one that cannot be read backwards and is not in `skip`. */
export function compileBack(rows: readonly Row[], options: BackOptions = {}): BackMap {
  const known = new Set(rows.map(([from]) => from));
  for (const name of [...(options.skip ?? []), ...(options.single ?? []), ...(options.last ?? [])])
    if (!known.has(name)) throw new Error(`'${name}' is no row of this table`);
  const compiled = rows
    .filter(([from, to]) => to !== '' && !(options.skip ?? []).includes(from))
    .map((row) => compileRow(row, options));
  const last = compiled.filter(({ from }) => options.last?.includes(from));
  const ordered = [...compiled.filter((row) => !last.includes(row)), ...last];
  const shared = sharing(ordered);
  return (resource, fields, writing) => {
    const offers: Offer[] = [];
    const contested: Offer[] = [];
    for (const row of ordered) {
      if (resource[row.steps[0]!.name] === undefined) continue;
      const items = find(resource, row).filter(({ value }) => row.writer.accepts(value, writing));
      if (items.length === 0) continue;
      const offer: Offer = { row, items, values: [] };
      offers.push(offer);
      if (items.length > 1 || shared.has(row)) contested.push(offer);
      else offer.values.push(items[0]!.value);
    }
    if (contested.length > 0) settle(contested, writing);
    for (const { row, values } of offers) {
      if (values.length === 0) continue;
      const written = row.writer.write(values, writing);
      if (row.component === undefined) fields.add(row.field, ...written);
      else fields.addComponent(row.field, row.component, written[0]);
    }
  };
}

/** The rows that may find an item which another finds too. */
function sharing(rows: readonly BackRow[]): ReadonlySet<BackRow> {
  const firsts = rows.map(({ steps }) => steps[0]!);
  const whole = new Set(firsts.filter(({ kind }) => kind !== 'extension').map(({ name }) => name));
  const byTarget = Map.groupBy(rows, ({ steps: [first] }) =>
    whole.has(first!.name) ? first!.name : `${first!.name}(${first!.key})`,
  );
  return new Set([...byTarget.values()].filter(({ length }) => length > 1).flat());
}

/** What a row finds in a resource, and what of it the row gets. */
interface Offer {
  row: BackRow;
  items: readonly Found[];
  values: unknown[];
}

/** Gives each item to one of the rows that find it, and each row what it prefers first. */
function settle(offers: readonly Offer[], writing: Writing): void {
  const claimed = new Set<string>();
  const claim = ({ row, items, values }: Offer, fits: (value: unknown) => boolean) => {
    for (const { value, path } of items) {
      if (row.single && values.length > 0) break;
      if (claimed.has(path) || !fits(value)) continue;
      takeUp(path, claimed);
      values.push(value);
    }
  };
  for (const one of offers) if (one.row.isOfKind) claim(one, () => true);
  for (const one of offers) if (one.row.isSpecific) claim(one, () => true);
  for (const one of offers) claim(one, (value) => one.row.writer.prefers(value, writing));
  for (const one of offers) claim(one, () => true);
}

/** An item is taken when it, or a member of it, is. */
function takeUp(path: string, claimed: Set<string>): void {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) claimed.add(path.slice(0, end));
}

function compileRow([from, to, type, options]: Row, { single }: BackOptions): BackRow {
  const source = /^[A-Z][A-Z0-9]{2}-(\d+)(?:\.(\d+))?$/.exec(from)!;
  const writer = valueWriter(type);
  if (writer === undefined) throw new Error(`Row '${from}': data type '${type}' cannot be written`);
  const steps = stepsOf(to);
  return {
    from,
    isOfKind: type.startsWith('Identifier:'),
    isSpecific: options?.with !== undefined || steps.some(({ kind, key }) => kind === 'slot' && key !== 'first'),
    field: Number(source[1]),
    component: source[2] === undefined ? undefined : Number(source[2]),
    steps,
    lastList: steps.findLastIndex(({ kind }) => kind !== 'one'),
    constants: options?.with,
    writer,
    single: single?.includes(from) === true,
  };
}

/** The grammar of `compilePath` in `v2/draft.ts`. */
function stepsOf(path: string): Step[] {
  const grammar = /([A-Za-z][A-Za-z0-9]*)(?:\[([a-z0-9-]*)\]|\(([^)]+)\)|\{([^}]+)\})?(?:\.|$)/g;
  return [...path.matchAll(grammar)].map(([, name, slot, url, shared]) => {
    const extension = url ?? shared;
    if (extension !== undefined) return { name: name!, kind: 'extension', key: extension };
    if (slot === undefined) return { name: name!, kind: 'one', key: '' };
    return { name: name!, kind: slot === '' ? 'new' : 'slot', key: slot };
  });
}

function find(resource: Element, row: BackRow): Found[] {
  const { steps, constants, lastList } = row;
  let nodes: { node: Element; path: string }[] = [{ node: resource, path: '' }];
  for (const [index, step] of steps.entries()) {
    const final = index === steps.length - 1;
    const pattern = constants !== undefined && index === lastList ? constants : undefined;
    const found = nodes.flatMap(({ node, path }) => follow(node, path, step, pattern, steps[index + 1]?.name));
    if (final) {
      const onValue = constants !== undefined && lastList < 0;
      return found.filter(({ value }) => value !== undefined && (!onValue || holds(value, constants)));
    }
    nodes = found.flatMap(({ value, path }) => (isElement(value) ? [{ node: value, path }] : []));
  }
  return [];
}

function follow(
  node: Element,
  path: string,
  { name, kind, key }: Step,
  pattern: Element | undefined,
  next: string | undefined,
): Found[] {
  const value = node[name];
  if (kind === 'one') return value === undefined ? [] : [{ value, path: `${path}.${name}` }];
  if (!Array.isArray(value)) return [];
  const items = value.map((item: unknown, index) => ({ value: item, path: `${path}.${name}[${index}]` }));
  if (kind === 'extension') return items.filter((item) => isElement(item.value) && item.value.url === key);
  if (pattern !== undefined) return items.filter((item) => holds(item.value, pattern));
  if (kind === 'new') return items;
  if (key === 'first') return items.slice(0, 1);
  return items.filter((item) => isElement(item.value) && Object.keys(item.value).every((member) => member === next));
}
