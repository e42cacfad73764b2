/** Narrative blocks: a table for what was written, paragraphs for words, and FHIR's XHTML as CDA's own markup. */
import { parseXml, type XmlElement } from '@causeway/ccda';
import { type CdaElement, type Child, el } from './element.ts';

/** One row; the ID lets an entry point at it. */
export interface NarrativeRow {
  id?: string;
  cells: Child[];
}

export function table(columns: readonly string[], rows: readonly NarrativeRow[]): CdaElement {
  return el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        columns.map((column) => el('th', {}, column)),
      ),
    ),
    el(
      'tbody',
      {},
      rows.map(({ id, cells }) =>
        el(
          'tr',
          { ID: id },
          columns.map((_, n) => el('td', {}, cells[n])),
        ),
      ),
    ),
  );
}

export function paragraphs(words: string, id?: string): CdaElement[] {
  const lines = words.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line, n) => el('paragraph', { ID: n === 0 ? id : undefined }, line));
}

/** The `div` of a FHIR Narrative as content of a narrative block; empty where it cannot be read. */
export function narrativeOf(div: string | undefined): Child[] {
  if (div === undefined) return [];
  const root = readDiv(div);
  return root === undefined ? [] : blocks(root);
}

/** Within a narrative block blanks between elements are kept. */
function readDiv(div: string): XmlElement | undefined {
  const parsed = parseXml(`<section xmlns="urn:hl7-org:v3"><text>${div}</text></section>`);
  return parsed.ok ? parsed.document.root.find('text') : undefined;
}

const XHTML = '{http://www.w3.org/1999/xhtml}';
const INLINE: Readonly<Record<string, string>> = {
  b: 'Bold',
  strong: 'Bold',
  i: 'Italics',
  em: 'Italics',
  u: 'Underline',
  span: '',
  code: '',
  small: '',
  big: '',
  tt: '',
  q: '',
  cite: 'Italics',
  dfn: '',
  abbr: '',
  font: '',
};
const HEADINGS = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
const BLOCKS = new Set(['div', 'p', 'ul', 'ol', 'table', 'dl', 'pre', 'blockquote', 'hr', 'address', ...HEADINGS]);

function nameIn(element: XmlElement): string {
  return element.name.startsWith(XHTML) ? element.name.slice(XHTML.length) : element.name;
}

/** Block content: what stands loose between blocks becomes a paragraph. */
function blocks(element: XmlElement): CdaElement[] {
  const made: CdaElement[] = [];
  let loose: Child[] = [];
  const close = (): void => {
    if (loose.some((one) => typeof one !== 'string' || one.trim() !== '')) made.push(el('paragraph', {}, loose));
    loose = [];
  };
  for (const node of element.content) {
    if (typeof node === 'string' || !BLOCKS.has(nameIn(node))) loose.push(inline(node));
    else {
      close();
      made.push(...block(node));
    }
  }
  close();
  return made;
}

function block(element: XmlElement): CdaElement[] {
  const name = nameIn(element);
  if (name === 'ul' || name === 'ol') return list(element, name);
  if (name === 'table') return tableOf(element);
  if (name === 'dl') return element.children.map((child) => el('paragraph', {}, inlines(child)));
  if (name === 'hr') return [];
  if (HEADINGS.has(name)) return [el('paragraph', {}, el('content', { styleCode: 'Bold' }, inlines(element)))];
  const holdsBlocks = element.children.some((child) => BLOCKS.has(nameIn(child)));
  if (holdsBlocks) return blocks(element);
  return element.allText === '' ? [] : [el('paragraph', {}, inlines(element))];
}

function list(element: XmlElement, name: string): CdaElement[] {
  const items = element.children.filter((child) => nameIn(child) === 'li').map((item) => el('item', {}, flow(item)));
  return items.length === 0 ? [] : [el('list', { listType: name === 'ol' ? 'ordered' : 'unordered' }, items)];
}

/** Items and cells hold text, or blocks beside text. */
function flow(element: XmlElement): Child[] {
  return element.content.map((node) =>
    typeof node !== 'string' && BLOCKS.has(nameIn(node)) ? block(node) : inline(node),
  );
}

function tableOf(element: XmlElement): CdaElement[] {
  const rows = rowsIn(element);
  if (rows.length === 0) return [];
  return [
    el(
      'table',
      {},
      el(
        'tbody',
        {},
        rows.map((row) =>
          el(
            'tr',
            {},
            row.children
              .filter((cell) => nameIn(cell) === 'td' || nameIn(cell) === 'th')
              .map((cell) => el(nameIn(cell), spans(cell), flow(cell))),
          ),
        ),
      ),
    ),
  ];
}

function rowsIn(element: XmlElement): XmlElement[] {
  return element.children.flatMap((child) => {
    const name = nameIn(child);
    if (name === 'tr') return child.children.length > 0 ? [child] : [];
    return name === 'thead' || name === 'tbody' || name === 'tfoot' ? rowsIn(child) : [];
  });
}

function spans(cell: XmlElement): Record<string, string | undefined> {
  return { colspan: cell.attr('colspan'), rowspan: cell.attr('rowspan') };
}

function inlines(element: XmlElement): Child[] {
  return element.content.map(inline);
}

function inline(node: XmlElement | string): Child {
  if (typeof node === 'string') return node;
  const name = nameIn(node);
  if (name === 'br') return el('br');
  if (name === 'sub' || name === 'sup') return el(name, {}, inlines(node));
  if (name === 'a') return el('linkHtml', { href: node.attr('href') }, inlines(node));
  const style = INLINE[name];
  if (style === undefined || style === '') return inlines(node);
  return el('content', { styleCode: style }, inlines(node));
}
