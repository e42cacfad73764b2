/** Comma-separated tables (RFC 4180): quoted cells, line breaks inside them; blanks around cells are dropped. */

export interface Table {
  columns: string[];
  rows: Record<string, string>[];
}

/** The first line names the columns; a cell that a row has not is empty. */
export function readCsv(text: string): Table {
  const [columns = [], ...lines] = linesOf(text.replace(/^\uFEFF/, ''));
  const rows = lines
    .filter((cells) => cells.some((cell) => cell !== ''))
    .map((cells) => Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])));
  return { columns, rows };
}

function linesOf(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(
    /[ \t]*(?:"((?:[^"]|"")*)"[ \t]*|([^,\r\n]*))(,|\r?\n|\r|$)/g,
  )) {
    line.push((quoted === undefined ? plain : quoted.replaceAll('""', '"')).trim());
    if (end === ',') continue;
    lines.push(line);
    line = [];
    if (end === '') break;
  }
  return lines;
}
