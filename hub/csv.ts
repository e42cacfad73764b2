/** Tables as CSV (RFC 4180), which a spreadsheet takes for text and never for formulas. */

/** Rows as lines, with a mark by which spreadsheets know UTF-8. */
export function csvText(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`;
}

/** A cell in quotes; what begins as formulas do gets an apostrophe before it. */
function cell(text: string): string {
  const safe = /^[\s\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
