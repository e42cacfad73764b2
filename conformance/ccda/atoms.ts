/** Content of a C-CDA document at the ledger's places, and the distinct codes of its entries. */
import type { SourceAtom } from '../ledger-check.ts';
import type { RawElement } from './markup.ts';

export interface CodedAtom {
  code: string;
  codeSystem: string;
  /** Place of the `code` attribute. */
  paths: string[];
}

/** Attributes and texts that hold more than blanks; a section's narrative is one atom without a value. */
export function documentAtoms(root: RawElement): SourceAtom[] {
  const atoms: SourceAtom[] = [];
  visit(root, `/${root.name}`, (element, path) => {
    if (isNarrative(element)) {
      atoms.push({ path, value: '' });
      return false;
    }
    for (const [name, value] of element.attributes) {
      if (value.trim() !== '') atoms.push({ path: `${path}/@${name}`, value });
    }
    if (element.text.trim() !== '') atoms.push({ path: `${path}/text()`, value: element.text.trim() });
    return true;
  });
  return atoms;
}

/** The elements that are an entry, or stand for one as the root of a fragment (CDA R2 §4.3.6). */
const ENTRIES: ReadonlySet<string> = new Set([
  'entry',
  'entryRelationship',
  'act',
  'encounter',
  'observation',
  'observationMedia',
  'organizer',
  'procedure',
  'regionOfInterest',
  'substanceAdministration',
  'supply',
]);

/** Each pair of code and code system inside an entry, with its places. */
export function entryCodes(root: RawElement): CodedAtom[] {
  const found = new Map<string, CodedAtom>();
  visit(root, `/${root.name}`, (element, path) => {
    if (isNarrative(element)) return false;
    const code = attributeOf(element, 'code');
    const codeSystem = attributeOf(element, 'codeSystem');
    if (code !== undefined && codeSystem !== undefined && isInEntry(element)) {
      const key = `${code}|${codeSystem}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { code, codeSystem, paths: [`${path}/@code`] });
      else known.paths.push(`${path}/@code`);
    }
    return true;
  });
  return [...found.values()];
}

/** The pieces of text of all narratives of sections. */
export function narrativesOf(root: RawElement): string[] {
  const pieces: string[] = [];
  const collect = (element: RawElement): void => {
    pieces.push(...element.pieces.filter((piece) => piece.trim() !== ''));
    for (const child of element.children) collect(child);
  };
  visit(root, `/${root.name}`, (element) => {
    if (!isNarrative(element)) return true;
    collect(element);
    return false;
  });
  return pieces;
}

function isNarrative(element: RawElement): boolean {
  return element.name === 'text' && element.parent?.name === 'section';
}

function isInEntry(element: RawElement): boolean {
  for (let at: RawElement | undefined = element; at !== undefined; at = at.parent)
    if (ENTRIES.has(at.name)) return true;
  return false;
}

function attributeOf(element: RawElement, name: string): string | undefined {
  return element.attributes.find(([attribute]) => attribute === name)?.[1].trim() || undefined;
}

/** Walks in document order; `take` answers whether to go below the element. */
function visit(element: RawElement, path: string, take: (element: RawElement, path: string) => boolean): void {
  if (!take(element, path)) return;
  const counts = new Map<string, number>();
  for (const { name } of element.children) counts.set(name, (counts.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  for (const child of element.children) {
    const nth = (seen.get(child.name) ?? 0) + 1;
    seen.set(child.name, nth);
    const place = counts.get(child.name) === 1 ? '' : `[${nth}]`;
    visit(child, `${path}/${child.name}${place}`, take);
  }
}
