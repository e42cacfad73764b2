/**
 * The text of a version as it is stored and served: what the client sent, without white space between tokens, with the
 * hub's `id` and `meta` and, in transactions, resolved references put in. No number and no key's place is changed.
 */
import { objectMembers } from './json/members.ts';
import type { ReferenceSpan, Span } from './json/tokens.ts';
import type { ScannedResource } from './scan.ts';

/** What the hub says about a version. */
export interface VersionMeta {
  id: string;
  versionId: string;
  /** A FHIR instant, e.g. `2026-01-31T08:00:00.000Z`. */
  lastUpdated: string;
  /** Replaces `meta.source` when given. */
  source?: string;
}

/** A stored text and where what is spliced later stands in it. */
export interface CanonicalText {
  text: string;
  /** Every `Reference.reference`, offsets (quotes excluded) into this text. */
  references: ReferenceSpan[];
  /** Those of `references` which point at a Patient by `Patient/<id>`. */
  patientReferences: ReferenceSpan[];
  /** The value of `meta`, braces included. */
  meta: Span;
  /** The value of `id`, quotes included. */
  id: Span;
}

/**
 * Builds the text. References written with escapes (`Patient\/1`) are written plainly, so that the parts of each stand
 * where they are expected. `id` and `meta` are replaced where they stand, or put in after `resourceType`; `meta` keeps its other
 * members. `resolve` may give another value for a reference (a transaction's `urn:uuid:` becomes `Type/id`). The
 * scanned value is brought in line with the text (`id`, `meta`, references), so that it can be indexed right away.
 */
export function canonicalText(
  scanned: ScannedResource,
  set: VersionMeta,
  resolve?: (reference: string) => string | undefined,
): CanonicalText {
  const { text, metaSpan, references } = scanned;
  const splices = headSplices(scanned, set);
  const { idSplice, metaSplice } = splices;
  let out = '';
  let from = 0;
  let next = 0;
  const moved: ReferenceSpan[] = [];
  const patientReferences: ReferenceSpan[] = [];
  let id: Span = { start: 0, end: 0 };
  let meta: Span = { start: 0, end: 0 };
  for (let i = 0; i <= references.length; i++) {
    const reference = references[i];
    const until = reference === undefined ? text.length : reference.start;
    for (
      let splice = splices.ordered[next];
      splice !== undefined && splice.start < until;
      splice = splices.ordered[++next]
    ) {
      out += text.slice(from, splice.start) + splice.before;
      const span = { start: out.length, end: out.length + splice.value.length };
      if (splice === idSplice) id = span;
      if (splice === metaSplice) meta = span;
      out += splice.value;
      from = splice.end;
    }
    if (reference === undefined) break;
    if (metaSpan !== undefined && reference.start > metaSpan.start && reference.end < metaSpan.end) continue;
    const resolved = resolve?.(reference.value) ?? reference.value;
    const isPlain = reference.value.length === reference.end - reference.start;
    let span: ReferenceSpan;
    if (resolved === reference.value && isPlain) {
      const start = out.length + reference.start - from;
      span = { path: reference.path, value: reference.value, start, end: start + reference.end - reference.start };
    } else {
      const raw = JSON.stringify(resolved).slice(1, -1);
      out += text.slice(from, reference.start);
      span = { path: reference.path, value: resolved, start: out.length, end: out.length + raw.length };
      out += raw;
      from = reference.end;
      setReference(scanned.value, reference.path, resolved);
    }
    moved.push(span);
    if (span.value.startsWith('Patient/')) patientReferences.push(span);
  }
  out += text.slice(from);
  scanned.id = set.id;
  const value = scanned.value as { id?: string; meta?: object };
  value.id = set.id;
  value.meta = {
    ...value.meta,
    versionId: set.versionId,
    lastUpdated: set.lastUpdated,
    ...(set.source === undefined ? {} : { source: set.source }),
  };
  return { text: out, references: moved, patientReferences, meta, id };
}

/** New text for a stretch of the old; start and end are equal where something is put in. */
interface Splice extends Span {
  before: string;
  value: string;
}

function headSplices(scanned: ScannedResource, set: VersionMeta) {
  const { text, idSpan, metaSpan, resourceTypeSpan } = scanned;
  const idValue = JSON.stringify(set.id);
  const idSplice: Splice =
    idSpan === undefined
      ? { start: resourceTypeSpan.end, end: resourceTypeSpan.end, before: ',"id":', value: idValue }
      : { start: idSpan.start, end: idSpan.end, before: '', value: idValue };
  const metaValue = metaText(text, metaSpan, set);
  const place = idSpan?.end ?? resourceTypeSpan.end;
  const metaSplice: Splice =
    metaSpan === undefined
      ? { start: place, end: place, before: ',"meta":', value: metaValue }
      : { start: metaSpan.start, end: metaSpan.end, before: '', value: metaValue };
  const ordered = metaSplice.start < idSplice.start ? [metaSplice, idSplice] : [idSplice, metaSplice];
  return { idSplice, metaSplice, ordered };
}

/** The `meta` object: the hub's members first, then the client's others as they were written. */
function metaText(text: string, span: Span | undefined, set: VersionMeta): string {
  let meta = `{"versionId":${JSON.stringify(set.versionId)},"lastUpdated":${JSON.stringify(set.lastUpdated)}`;
  if (set.source !== undefined) meta += `,"source":${JSON.stringify(set.source)}`;
  if (span === undefined) return `${meta}}`;
  for (const member of objectMembers(text, span.start)?.members ?? []) {
    if (member.key === 'versionId' || member.key === 'lastUpdated') continue;
    if (member.key === 'source' && set.source !== undefined) continue;
    meta += `,${JSON.stringify(member.key)}:${text.slice(member.start, member.end)}`;
  }
  return `${meta}}`;
}

/** Puts a resolved reference into the value; a path that does not lead to a Reference changes nothing. */
function setReference(value: object, path: string, reference: string): void {
  let element: unknown = value;
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    if (typeof element !== 'object' || element === null) return;
    element = (element as Record<string, unknown>)[step];
  }
  if (typeof element !== 'object' || element === null || !('reference' in element)) return;
  element.reference = reference;
}
