/** Sections: code, title, narrative and entries; without entries the form that says that there is no information. */

import { LOINC } from './codes.ts';
import type { CdaElement, Child } from './element.ts';
import { el } from './element.ts';
import { type NarrativeRow, paragraphs, table } from './narrative.ts';
import { templateIds } from './templates.ts';
import { fixed } from './values.ts';

export interface SectionKind {
  template: readonly [oid: string, ...versions: string[]];
  code: string;
  display: string;
  /** A second code that some sections must have. */
  translation?: readonly [code: string, display: string];
  title: string;
  /** What the narrative says where there is nothing. */
  none: string;
}

export interface SectionBody {
  columns: readonly string[];
  rows: NarrativeRow[];
  entries: CdaElement[];
  /** Narrative beside the table. */
  words?: Child[];
}

export function emptyBody(columns: readonly string[]): SectionBody {
  return { columns, rows: [], entries: [] };
}

/** A section; `required` is that the document must have it, so that an empty one says so instead of being left out. */
export function section(kind: SectionKind, body: SectionBody, required: boolean): CdaElement | undefined {
  const { rows, entries, columns, words = [] } = body;
  const silent = rows.length === 0 && words.length === 0;
  if (silent && entries.length === 0 && !required) return undefined;
  const noInformation = entries.length === 0 && silent;
  return component(
    noInformation || entries.length === 0 ? { nullFlavor: noInformation ? 'NI' : undefined } : {},
    templateIds(...kind.template),
    fixed(
      'code',
      kind.code,
      LOINC,
      kind.display,
      undefined,
      kind.translation && fixed('translation', kind.translation[0], LOINC, kind.translation[1]),
    ),
    kind.title,
    noInformation ? paragraphs(kind.none) : [rows.length > 0 && table(columns, rows), words],
    entries,
  );
}

/** `component` with a section of these parts. */
export function component(
  attributes: Record<string, string | undefined>,
  templates: Child,
  code: CdaElement,
  title: string,
  narrative: Child,
  entries: readonly CdaElement[],
  inner: readonly CdaElement[] = [],
): CdaElement {
  return el(
    'component',
    {},
    el(
      'section',
      attributes,
      templates,
      code,
      el('title', {}, title),
      el('text', {}, narrative),
      entries.map((entry) => el('entry', {}, entry)),
      inner,
    ),
  );
}
