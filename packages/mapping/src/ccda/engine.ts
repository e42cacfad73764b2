/**
 * Runs the rows of a table over an element.
 */
import { CLINICAL_STATEMENTS, type XmlElement } from '@causeway/ccda';
import { type ConceptMapName, translate } from './concept-maps.ts';
import * as types from './data-types.ts';
import type { Draft } from './draft.ts';
import { assign, compileFhirPath, type Json, resolveSteps, type Step, valueAt, writeSteps } from './fhir-path.ts';
import * as names from './names.ts';
import { narrativeText } from './narrative.ts';
import { isDenied, saysNull } from './negation.ts';
import { device, location, organization, organizationOf, participant, specimen } from './participants.ts';
import * as quantities from './quantities.ts';
import { mayReferTo } from './reference-targets.ts';
import type { Run } from './run.ts';
import { compileSourcePath, type SourcePath, select } from './source-path.ts';
import { convertStatement } from './statements.ts';
import type { Row, ValueKind } from './table.ts';
import { extendTiming, repeatNumber, timing } from './timing.ts';

interface CompiledRow {
  from: SourcePath;
  to: Step[];
  kind: ValueKind;
  map?: ConceptMapName;
  rows?: readonly Row[];
}

const COMPILED = new Map<readonly Row[], CompiledRow[]>();

/** Compiles the rows of a table; a mistake in a row shows when the module is loaded. */
export function compileRows(rows: readonly Row[]): CompiledRow[] {
  const known = COMPILED.get(rows);
  if (known !== undefined) return known;
  const compiled = rows.map(([from, to, kind, detail]): CompiledRow => {
    const row: CompiledRow = { from: compileSourcePath(from), to: compileFhirPath(to), kind };
    if (typeof detail === 'string') row.map = detail;
    else if (detail !== undefined) {
      row.rows = detail;
      compileRows(detail);
    }
    return row;
  });
  COMPILED.set(rows, compiled);
  return compiled;
}

/** Puts into the draft what the rows find at and below the element. `prefix` is where groups begin. */
export function applyRows(
  run: Run,
  element: XmlElement,
  draft: Draft,
  rows: readonly Row[],
  name: string,
  prefix: readonly Step[] = [],
): void {
  const outer = run.account.rule;
  for (const row of compileRows(rows)) {
    for (const found of select(element, row.from)) {
      if (row.kind !== 'statement' && isWithinDenied(found, element)) continue;
      run.account.rule = `${name}: ${row.from.text}`;
      const done = applyRow(run, found, draft, row, name, prefix);
      if (done) fold(run, found, element, draft, row.kind);
    }
  }
  run.account.rule = outer;
}

/** Whether the value stands in a nested statement that is denied or null: that is then a fact of its own, told so. */
function isWithinDenied(found: XmlElement, from: XmlElement): boolean {
  for (let at: XmlElement | undefined = found; at !== undefined && at !== from; at = at.parent) {
    if (CLINICAL_STATEMENTS.has(at.name) && (isDenied(at) || saysNull(at))) return true;
  }
  return false;
}

function applyRow(
  run: Run,
  found: XmlElement,
  draft: Draft,
  row: CompiledRow,
  name: string,
  prefix: readonly Step[],
): boolean {
  if (row.kind === 'folded') return true;
  const steps = resolveSteps(draft.resource, [...prefix, ...row.to]);
  if (row.rows !== undefined) {
    const before = JSON.stringify(valueAt(draft.resource, steps));
    applyRows(run, found, draft, row.rows, name, steps);
    return JSON.stringify(valueAt(draft.resource, steps)) !== before;
  }
  const last = row.to.at(-1);
  const single = last === undefined || last.index === undefined;
  const place = { draft, path: writeSteps(steps) };
  if (single && last !== undefined && isTaken(draft.resource, steps)) {
    // How long and how often stand in elements of their own, and are one Timing.
    if (row.kind === 'timing') return extendTiming(run, found, place, valueAt(draft.resource, steps) as Json);
    if (row.kind === 'organizationName') {
      acknowledge(run, found, place, valueAt(draft.resource, steps), valueAt(draft.resource, steps.slice(0, -1)));
    }
    return false;
  }
  const value = read(run, found, place, row);
  if (value === undefined) return false;
  put(draft.resource, steps, value);
  return true;
}

/** A name that says what already stands there, as the text or as the display of a code, is mapped to it. */
function acknowledge(run: Run, found: XmlElement, place: types.Place, value: unknown, concept: unknown): void {
  const name = found.allText.toLowerCase();
  const displays = ((concept as Json | undefined)?.coding as Json[] | undefined)?.map((one) => one.display) ?? [];
  const said = [value, ...displays].some((one) => typeof one === 'string' && one.toLowerCase() === name);
  if (said) names.organizationName(run, found, place);
}

/** Whether the element has its value already: the first row that finds one wins. */
function isTaken(resource: Json, steps: readonly Step[]): boolean {
  const { name } = steps.at(-1)!;
  const owner = steps.length === 1 ? resource : valueAt(resource, steps.slice(0, -1));
  if (owner === undefined || owner === null || typeof owner !== 'object') return false;
  if (!name.endsWith('[x]')) return (owner as Json)[name] !== undefined;
  const stem = name.slice(0, -3);
  return Object.keys(owner).some((key) => key.startsWith(stem) && /^[A-Z]/.test(key.slice(stem.length)));
}

function put(resource: Json, steps: readonly Step[], value: unknown): void {
  const last = steps.at(-1);
  if (last === undefined) Object.assign(resource, value);
  else if (last.name.endsWith('[x]')) {
    const { suffix, value: chosen } = value as quantities.Choice;
    assign(resource, [...steps.slice(0, -1), { name: last.name.replace('[x]', suffix) }], chosen);
  } else if (isMerged(value) && valueAt(resource, steps) !== undefined) {
    Object.assign(valueAt(resource, steps) as Json, value);
  } else assign(resource, steps, value);
}

function isMerged(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/**
 * A nested statement whose value went into this resource is not a fact of its own; that it was chosen by its code
 * and its completed status is recorded.
 */
function fold(run: Run, found: XmlElement, from: XmlElement, draft: Draft, kind: ValueKind): void {
  if (kind === 'statement') return;
  for (let at: XmlElement | undefined = found; at !== undefined && at !== from; at = at.parent) {
    if (!CLINICAL_STATEMENTS.has(at.name) || run.folded.has(at)) continue;
    run.folded.set(at, draft);
    const code = at.child('code');
    if (code !== undefined && kind !== 'group') consumeCode(run, code);
    const status = at.child('statusCode');
    if (status?.attr('code') === 'completed') run.account.consumed(status, 'code');
    if (/^(false|0)$/.test(at.attr('negationInd') ?? '')) run.account.consumed(at, 'negationInd');
  }
}

function consumeCode(run: Run, code: XmlElement): void {
  for (const attribute of code.attributes) {
    if (run.account.isOpen(code, attribute.name)) run.account.consumed(code, attribute.name);
  }
  for (const translation of code.all('translation')) consumeCode(run, translation);
}

function read(run: Run, element: XmlElement, place: types.Place, row: CompiledRow): unknown {
  switch (row.kind) {
    case 'concept':
      return types.codeableConcept(run, element, place);
    case 'coding':
      return types.coding(run, element, place);
    case 'identifier':
      return types.identifier(run, element, place);
    case 'dateTime':
      return types.dateTime(run, element, place);
    case 'date':
      return types.date(run, element, place);
    case 'instant':
      return instant(run, element, place);
    case 'start':
      return choose(place, 'DateTime', (at) => types.dateTime(run, element.child('low') ?? element, at));
    case 'end':
      return choose(place, 'DateTime', (at) => types.dateTime(run, element.child('high') ?? element, at));
    case 'period':
      return types.period(run, element, place);
    case 'timeOrPeriod':
      return timeOrPeriod(run, element, place);
    case 'timing':
      return timing(run, element, place);
    case 'quantity':
      return quantities.quantity(run, element, place);
    case 'quantityOrRange':
      return quantities.quantityOrRange(run, element, place);
    case 'range':
      return quantities.range(run, element, place);
    case 'any':
      return quantities.anyValue(run, element, place);
    case 'age':
      return age(run, element, place);
    case 'integer':
      return quantities.integer(run, element, place);
    case 'positive': {
      const value = Number(element.attr('value'));
      return value > 0 ? quantities.integer(run, element, place) : undefined;
    }
    case 'boolean':
      return quantities.boolean(run, element, place);
    case 'repeats':
      return repeatNumber(run, element);
    case 'text':
      return types.text(run, element, place);
    case 'annotation':
      return annotation(run, element, place);
    case 'narrative':
      return narrativeText(run, element, place);
    case 'name':
      return names.humanName(run, element, place);
    case 'address':
      return names.address(run, element, place);
    case 'telecom':
      return names.contactPoint(run, element, place);
    case 'organizationName':
      return names.organizationName(run, element, place);
    case 'code':
      return mappedCode(run, element, row.map!);
    case 'url':
      return url(run, element, place);
    case 'mediaType':
      return attribute(run, element, place, 'mediaType');
    case 'root':
      return identifierPart(run, element, place, 'root');
    case 'extension':
      return identifierPart(run, element, place, 'extension');
    case 'during':
      return choose(place, 'Period', (at) => during(run, element, at));
    case 'folded':
    case 'group':
      return undefined;
    default:
      return reference(run, element, place, row.kind);
  }
}

/** Date or time as the path asks: bare, or as the choice of a `[x]` element. */
function choose(place: types.Place, suffix: string, value: (place: types.Place) => unknown): unknown {
  if (!place.path.endsWith('[x]')) return value(place);
  const chosen = value({ draft: place.draft, path: place.path.replace('[x]', suffix) });
  return chosen === undefined ? undefined : { suffix, value: chosen };
}

function instant(run: Run, element: XmlElement, place: types.Place): string | undefined {
  const value = types.dateTime(run, element, place);
  if (value === undefined || value.includes('T')) return value;
  const full = value.length === 4 ? `${value}-01-01` : value.length === 7 ? `${value}-01` : value;
  return `${full}T00:00:00Z`;
}

function timeOrPeriod(run: Run, element: XmlElement, place: types.Place): quantities.Choice | undefined {
  const at = (suffix: string): types.Place => ({ draft: place.draft, path: place.path.replace('[x]', suffix) });
  const single = element.attr('value') === undefined ? element.child('center') : element;
  if (single?.attr('value') !== undefined) {
    const value = types.dateTime(run, single, at('DateTime'));
    return value === undefined ? undefined : { suffix: 'DateTime', value };
  }
  const value = types.period(run, element, at('Period'));
  return value === undefined ? undefined : { suffix: 'Period', value };
}

/** An age at onset: a Quantity in UCUM time units. */
function age(run: Run, element: XmlElement, place: types.Place): quantities.Choice | undefined {
  const value = quantities.quantity(run, element, { draft: place.draft, path: place.path.replace('[x]', 'Age') });
  return value === undefined ? undefined : { suffix: 'Age', value };
}

/** A Comment Activity → Annotation, with its author and time. */
function annotation(run: Run, element: XmlElement, place: types.Place): Json | undefined {
  const child = element.child('text');
  const words = child && types.text(run, child, { draft: place.draft, path: `${place.path}.text` });
  if (words === undefined) return undefined;
  const note: Json = { text: words };
  const author = element.child('author');
  const who = author && participant(run, author);
  if (who !== undefined) note.authorReference = run.referenceTo(who);
  const time = author?.child('time');
  const at = time && types.dateTime(run, time, { draft: place.draft, path: `${place.path}.time` });
  if (at !== undefined) note.time = at;
  return note;
}

function mappedCode(run: Run, element: XmlElement, map: ConceptMapName): string | undefined {
  const candidates = [element, ...element.all('translation')];
  for (const candidate of candidates) {
    const code = candidate.attr('code');
    const target = code && translate(map, code);
    if (target === undefined || target === '') continue;
    for (const name of ['code', 'codeSystem', 'displayName', 'codeSystemVersion']) {
      run.account.consumed(candidate, name, `${run.account.rule} by ${map}`);
    }
    return target;
  }
  return undefined;
}

function url(run: Run, element: XmlElement, place: types.Place): string | undefined {
  const reference = element.child('reference');
  const value = reference?.attr('value');
  if (reference === undefined || value === undefined) return undefined;
  run.account.mapped(reference, 'value', place.draft, place.path);
  return value;
}

function attribute(run: Run, element: XmlElement, place: types.Place, name: string): string | undefined {
  const value = element.attr(name);
  if (value !== undefined) run.account.mapped(element, name, place.draft, place.path);
  return value;
}

/** `root` as a URI, `extension` as it is. */
function identifierPart(
  run: Run,
  element: XmlElement,
  place: types.Place,
  part: 'root' | 'extension',
): string | undefined {
  const value = attribute(run, element, place, part);
  return part === 'root' && value !== undefined ? types.identifierSystem(run, value) : value;
}

/** IVL_TS, or a TS as the beginning, → Period. */
function during(run: Run, element: XmlElement, place: types.Place): Json | undefined {
  if (element.attr('value') === undefined) return types.period(run, element, place);
  const start = types.dateTime(run, element, { draft: place.draft, path: `${place.path}.start` });
  return start === undefined ? undefined : { start };
}

function reference(run: Run, element: XmlElement, place: types.Place, kind: ValueKind): Json | undefined {
  const draft = referred(run, element, kind);
  if (draft === undefined || !mayReferTo(place.draft.type, place.path, draft.type)) return undefined;
  run.placed.set(element, true);
  return run.referenceTo(draft);
}

function referred(run: Run, element: XmlElement, kind: ValueKind): Draft | undefined {
  switch (kind) {
    case 'participant':
    case 'practitioner':
      return participant(run, element) ?? organizationOf(run, element);
    case 'organization':
      return organization(run, element);
    case 'location':
      return location(run, element);
    case 'device':
      return device(run, element, true);
    case 'specimen':
      return specimen(run, element);
    default:
      return convertStatement(run, element)[0];
  }
}
