/** XML and JSON laid out for reading. What cannot be parsed is shown as it came. */

/** JSON with two-space indentation; decimals keep their digits, since only white space outside strings changes. */
export function prettyJson(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let [depth, out] = [0, ''];
  for (const token of text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []) {
    if (token === '}' || token === ']') {
      depth -= 1;
      out = /[{[]\s*$/.test(out) ? out.trimEnd() : `${out}\n${'  '.repeat(depth)}`;
    }
    out += token;
    if (token === '{' || token === '[') depth += 1;
    if (token === '{' || token === '[' || token === ',') out += `\n${'  '.repeat(depth)}`;
    else if (token === ':') out += ' ';
  }
  return out;
}

/** XML with one element a line, by cutting between tags only; entities and text stay untouched. */
export function prettyXml(text: string): string {
  if (text.split('\n', 50).length >= 50) return text;
  let depth = 0;
  return text
    .replaceAll(/>\s*</g, '>\n<')
    .split('\n')
    .map((line) => {
      if (/^<\//.test(line)) depth = Math.max(0, depth - 1);
      const indented = '  '.repeat(Math.min(depth, 40)) + line;
      if (/^<[^!?/]/.test(line) && !/\/>$/.test(line) && !/<\/[^>]+>$/.test(line)) depth += 1;
      return indented;
    })
    .join('\n');
}
